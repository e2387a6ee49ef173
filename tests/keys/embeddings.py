"""Computes the numeric keys of quizzes/embeddings.yaml from first principles."""

from math import cos, exp, prod, sin

Pair = tuple[float, float]


def _turned(x: Pair, angle: float) -> Pair:
    return x[0] * cos(angle) - x[1] * sin(angle), x[0] * sin(angle) + x[1] * cos(angle)


def emb_gradient_rows() -> str:
    gradients = [0] * 10
    for row in [3, 7, 3, 1]:  # each look-up adds ones to the gradient of its row
        gradients[row] += 1
    return str(sum(gradient != 0 for gradient in gradients))


def emb_gpt2_parameters() -> int:
    vocabulary, length, width = 50257, 1024, 768
    shapes = {"wte": (vocabulary, width), "wpe": (length, width)}
    tensors = {"token embedding": "wte", "position embedding": "wpe", "output head": "wte"}
    return sum(prod(shapes[name]) for name in set(tensors.values()))  # a shared tensor counts once


def emb_rope_score() -> float:
    query, key = _turned((2.0, 0.0), 7.0), _turned((1.0, 0.0), 5.0)
    return query[0] * key[0] + query[1] * key[1]


def emb_sinusoid_value() -> float:
    feature, position, d_model = 4, 50, 8
    angle = position / 10000 ** (feature // 2 * 2 / d_model)
    return sin(angle) if feature % 2 == 0 else cos(angle)


def emb_alibi_ratio() -> float:
    slope = 0.5
    weights = [exp(-slope * distance) for distance in (1, 4)]
    return weights[0] / weights[1]
