"""Computes the numeric keys of quizzes/pretraining.yaml from first principles."""

import math
from decimal import Decimal

import torch


def pre_dropout_values() -> str:
    """What survives is divided by 1 - p; evaluation is the identity."""
    p = Decimal("0.2")
    survivor = 1 / (1 - p)
    assert (1 - p) * survivor == 1  # the mean stays
    return f"[0.0, {survivor}] then [1.0]"


def pre_accumulation_factor() -> float:
    """The sum of the gradients of means over micro-batches, against the gradient of the mean over all rows."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(8, 3, dtype=torch.float64, generator=generator)
    y = torch.randn(8, 1, dtype=torch.float64, generator=generator)
    w = torch.randn(3, 1, dtype=torch.float64, generator=generator)
    full = _gradient(x, y, w)
    parts = sum(_gradient(x[i : i + 2], y[i : i + 2], w) for i in range(0, 8, 2))
    return round((parts / full).mean().item(), 9)


def _gradient(x: torch.Tensor, y: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the mean squared error of x @ w."""
    return 2 * x.T @ (x @ w - y) / len(x)


def pre_adam_first_step() -> float:
    """One step of Adam from zero moments."""
    rate, beta1, beta2, gradient = 0.003, 0.9, 0.95, 4.0
    m, v = (1 - beta1) * gradient, (1 - beta2) * gradient**2
    return -rate * (m / (1 - beta1)) / math.sqrt(v / (1 - beta2))


def pre_cosine_rate() -> float:
    """The rate in units of 1e-4."""
    warm, last, peak, floor, step = 2_000, 100_000, 3.0, 0.3, 26_500
    passed = (step - warm) / (last - warm)
    return floor + (peak - floor) * (1 + math.cos(math.pi * passed)) / 2


def pre_swiglu_width() -> int:
    """The least multiple of 256 that gives three matrices at least the weights of the two."""
    d = 4096
    width = 256
    while 3 * d * width < 2 * d * 4 * d:
        width += 256
    return width


def pre_adamw_zero_gradient() -> str:
    """The first step of each rule: the second one normalizes the gradient, which is the decay alone."""
    rate, decay = Decimal("0.1"), Decimal("0.5")
    weights = [Decimal(1), Decimal(10)]
    decoupled = [float(w - rate * decay * w) for w in weights]
    gradients = [decay * w for w in weights]
    normalized = [float(w - rate * g / (g * g).sqrt()) for w, g in zip(weights, gradients, strict=True)]
    return f"AdamW {decoupled} L2 {normalized}"
