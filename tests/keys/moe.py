"""Computes the numeric keys of quizzes/moe.yaml from first principles."""

import itertools
from fractions import Fraction

import torch

_LAYERS, _WIDTH, _HIDDEN, _CHOSEN = 32, 4096, 14336, 2  # Mixtral 8x7B


def moe_active_experts() -> float:
    """Billions of weights in the experts that one token passes, counted on matrices without memory."""
    shapes = [(_HIDDEN, _WIDTH), (_HIDDEN, _WIDTH), (_WIDTH, _HIDDEN)]  # gate, up, down
    expert = sum(torch.empty(shape, device="meta").numel() for shape in shapes)
    return _LAYERS * _CHOSEN * expert / 1e9


def moe_dropped_count() -> int:
    """Send the tokens one by one to experts with room for 160."""
    load = [300, 200, 150, 120, 100, 80, 50, 24]
    room = [sum(load) * 5 // 4 // len(load)] * len(load)
    dropped = 0
    for expert in itertools.chain.from_iterable([i] * count for i, count in enumerate(load)):
        if room[expert]:
            room[expert] -= 1
        else:
            dropped += 1
    return dropped


def moe_balance_value() -> Fraction:
    """Four times the scalar product of shares and probabilities."""
    shares = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4), Fraction(0)]
    probabilities = [Fraction(4, 10), Fraction(3, 10), Fraction(2, 10), Fraction(1, 10)]
    return len(shares) * sum((f * p for f, p in zip(shares, probabilities, strict=True)), Fraction(0))


def moe_gate_order() -> str:
    """Both orders, for many logits."""
    logits = torch.randn(1000, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a = logits.softmax(-1).topk(2).values
    b = logits.topk(2).values.softmax(-1)
    return str(torch.allclose(a / a.sum(-1, keepdim=True), b))


def moe_experts_touched() -> Fraction:
    """The mean number of different experts, over all choices of four tokens: by adding a token at a time."""
    pairs = [frozenset(pair) for pair in itertools.combinations(range(8), 2)]
    chances = {frozenset[int](): Fraction(1)}
    for _ in range(4):
        after: dict[frozenset[int], Fraction] = {}
        for touched, chance in chances.items():
            for pair in pairs:
                after[touched | pair] = after.get(touched | pair, Fraction(0)) + chance / len(pairs)
        chances = after
    return sum((len(touched) * chance for touched, chance in chances.items()), Fraction(0))
