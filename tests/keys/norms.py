"""Computes the numeric keys of quizzes/norms.yaml from first principles."""

import math
from fractions import Fraction

import numpy as np


def norm_layer_or_batch() -> str:
    x = np.zeros((32, 768))
    layer, batch = x.mean(-1).size, x.mean(0).size
    return f"LayerNorm {layer}, one per example; BatchNorm {batch}, one per feature"


def norm_rms_three_four() -> float:
    row = [3, 4]
    return row[1] / math.sqrt(Fraction(sum(x * x for x in row), len(row)))


def norm_layer_one_two_three() -> float:
    row = [1, 2, 3]
    mean = Fraction(sum(row), len(row))
    variance = sum((x - mean) ** 2 for x in row) / len(row)
    return (row[-1] - mean) / math.sqrt(variance)


def norm_small_row_eps() -> float:
    row = [0.001, -0.001]
    mean = sum(row) / len(row)
    variance = sum((x - mean) ** 2 for x in row) / len(row)
    return (row[0] - mean) / math.sqrt(variance + 1e-5)


def norm_constant_row() -> str:
    row, gain, bias = [7.0, 7.0, 7.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    mean = sum(row) / len(row)
    variance = sum((x - mean) ** 2 for x in row) / len(row)
    return str([(x - mean) / math.sqrt(variance + 1e-5) * g + b for x, g, b in zip(row, gain, bias, strict=True)])


def norm_deepnorm_beta() -> float:
    layers = 8
    return (8 * layers) ** -0.25


def norm_half_squares() -> str:
    with np.errstate(over="ignore"):
        row = np.full(4, 300, dtype=np.float16)
        return str((row / np.sqrt((row * row).mean() + np.float16(1e-6))).tolist())


def norm_cancellation() -> str:
    row = np.array([10000, 10001, 10002], dtype=np.float32)
    assert (row * row).mean() - row.mean() ** 2 == 0
    return f"{np.spacing(row[0] ** 2):.0f} apart"
