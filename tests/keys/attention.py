"""Computes the numeric keys of quizzes/attention.yaml from first principles."""

import math

import numpy as np


def attn_matmul_count() -> str:
    tokens, model, head, out = 3, 8, 4, 6
    x = np.ones((tokens, model))
    count = 0

    def times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        return a @ b

    query, key, value = (times(x, np.ones((model, width))) for width in (head, head, out))
    scores = np.exp(times(query, key.T) / head**0.5 - model**2)
    assert times(scores / scores.sum(-1, keepdims=True), value).shape == (tokens, out)
    return str(count)


def attn_why_scale() -> str:
    width = 64
    variance = sum(1 * 1 for _ in range(width))  # of a sum of independent products, each of variance 1 * 1
    query, key = np.random.default_rng(0).standard_normal((2, 20000, width))
    seen = (query * key).sum(-1).std()
    assert abs(seen - math.sqrt(variance)) < 0.2
    return f"standard deviation of {math.isqrt(variance)},"


def attn_naive_softmax() -> str:
    with np.errstate(over="ignore", invalid="ignore"):
        exps = np.exp(np.array([1000, 1001], dtype=np.float32))
        return str((exps / exps.sum()).tolist())


def attn_causal_first_weight() -> float:
    scores, own = [0, math.log(2), 0, 0], 1
    exps = [math.exp(score) if key <= own else 0 for key, score in enumerate(scores)]
    return exps[0] / sum(exps)


def attn_split_by_view() -> str:
    batch, tokens, heads, width = 1, 2, 2, 2
    x = np.arange(8).reshape(batch, tokens, heads * width)
    return str(x.reshape(batch, heads, tokens, width)[0, 0].tolist())


def attn_window_reach() -> int:
    layers, window, length = 3, 4, 40
    reached = {length - 1}
    for _ in range(layers):
        reached = {key for token in reached for key in range(token - window + 1, token + 1)}
    return len(reached)


def attn_online_sum() -> float:
    # the sum that counts is that of one pass over all scores; 4 zeros stand for the scores read before
    scores = [0.0] * 4 + [math.log(2), 0.0]
    return sum(math.exp(score - max(scores)) for score in scores)
