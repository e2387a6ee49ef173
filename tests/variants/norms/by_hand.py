"""Right program in the style by_hand: one row (or one column) at a time, sum over d, slow but plain."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def one_row(row: Tensor, eps: float) -> Tensor:
    """Normalize a single vector to mean 0 and variance 1."""
    d = len(row)
    mean = sum_of(row) / d
    difference = row - mean
    var = sum_of(difference**2) / d
    return difference / (var + eps) ** 0.5


def sum_of(row: Tensor) -> Tensor:
    return row.sum()


def to_float(x: Tensor) -> Tensor:
    if x.dtype == torch.float16 or x.dtype == torch.bfloat16:
        return x.to(torch.float32)
    return x


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    d = x.shape[-1]
    rows = []
    for row in to_float(x).reshape(-1, d):
        rows.append(one_row(row, eps) * to_float(gain) + to_float(bias))
    if len(rows) == 0:
        return x.clone()
    return torch.stack(rows).reshape(x.shape).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    d = x.shape[-1]
    rows = []
    for row in to_float(x).reshape(-1, d):
        mean_square = sum_of(row**2) / d
        rows.append(row / (mean_square + eps) ** 0.5 * to_float(gain))
    if len(rows) == 0:
        return x.clone()
    return torch.stack(rows).reshape(x.shape).to(x.dtype)


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.gain, self.bias, self.eps)


class RMSNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.gain, self.eps)


class BatchNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        columns = []
        for j in range(x.shape[1]):
            column = to_float(x)[:, j]
            if self.training:
                n = len(column)
                mean = sum_of(column) / n
                squares = sum_of((column - mean) ** 2)
                normal = (column - mean) / (squares / n + self.eps) ** 0.5
                with torch.no_grad():
                    self.running_mean[j] = self.blend(self.running_mean[j], mean)
                    self.running_var[j] = self.blend(self.running_var[j], squares / (n - 1))
            else:
                normal = (column - self.running_mean[j]) / (to_float(self.running_var[j]) + self.eps) ** 0.5
            columns.append(normal * to_float(self.gain[j]) + to_float(self.bias[j]))
        return torch.stack(columns, dim=1).to(x.dtype)

    def blend(self, old: Tensor, new: Tensor) -> Tensor:
        return (1 - self.momentum) * old + self.momentum * new


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    residual = x * alpha
    branch = sublayer(x)
    return layer_norm(residual + branch, gain, bias, eps)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    n = num_layers
    return (2 * n) ** (1 / 4), (8 * n) ** (-1 / 4)
