"""Computes the numeric keys of quizzes/quantization.yaml from first principles."""

from decimal import Decimal
from fractions import Fraction

import torch


def quant_absmax_code() -> int:
    row = [Fraction("-3.81"), Fraction("1.20"), Fraction("0.50")]
    scale = max(abs(value) for value in row) / 127
    return round(row[2] / scale)


def quant_zero_point() -> str:
    low, high = Decimal("-1.0"), Decimal("4.1")
    scale = (high - low) / 255
    return str(round((0 - low) / scale))


def quant_per_row() -> str:
    rows = [[0.01, -0.02, 0.03], [10.0, -5.0, 2.5]]
    scale = max(abs(value) for row in rows for value in row) / 127
    return str([round(value / scale) for value in rows[0]])


def quant_outlier_codes() -> int:
    values = torch.linspace(-1, 1, 100_001, dtype=torch.float64)
    return len(torch.round(values / (60 / 127)).unique())


def quant_double() -> Fraction:
    block, group = 64, 256
    return 4 + Fraction(8, block) + Fraction(32, block * group)


def quant_weight_memory() -> Fraction:
    weights = 8 * 10**9
    bits = weights * 4 + weights // 128 * 16
    return Fraction(bits, 8) / 10**9


def quant_straight_through() -> str:
    weights = [0.7, 2.4]
    rounded = [float(round(weight)) for weight in weights]
    return str([2 * value * 1 for value in rounded])


def quant_bf16_range() -> str:
    value = 70000.0
    half = torch.tensor(value).to(torch.float16).item()
    step = 2 ** (16 - 7)  # 2^16 <= value < 2^17, and bfloat16 has 7 bits of fraction
    return f"{half} {round(value / step) * float(step)}"
