"""Computes the numeric keys of quizzes/embeddings.yaml from first principles."""

from math import cos, exp, sin

import torch
from torch import nn


def _turned(x: tuple[float, float], angle: float) -> tuple[float, float]:
    return x[0] * cos(angle) - x[1] * sin(angle), x[0] * sin(angle) + x[1] * cos(angle)


def emb_weight_shapes() -> str:
    return f"{tuple(nn.Embedding(5, 3).weight.shape)} {tuple(nn.Linear(5, 3, bias=False).weight.shape)}"


def emb_gradient_rows() -> str:
    emb = nn.Embedding(10, 4)
    emb(torch.tensor([3, 7, 3, 1])).sum().backward()
    return str(int((emb.weight.grad != 0).any(dim=1).sum()))


def emb_gpt2_parameters() -> int:
    emb = nn.Embedding(50257, 768, device="meta")
    positions = nn.Embedding(1024, 768, device="meta")
    head = nn.Linear(768, 50257, bias=False, device="meta")
    head.weight = emb.weight
    return sum(weight.numel() for weight in nn.ModuleList([emb, positions, head]).parameters())  # shared ones count once


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
