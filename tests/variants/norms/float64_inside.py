"""Right program in the style float64_inside: everything in float64, one rounding at the end."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def standardize(x: Tensor, dim: int, eps: float) -> Tensor:
    x = x.double()
    x = x - x.mean(dim, keepdim=True)
    return x / torch.sqrt((x * x).mean(dim, keepdim=True) + eps)


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    return (standardize(x, -1, eps) * gain.double() + bias.double()).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    precise = x.double()
    root = torch.sqrt((precise * precise).mean(-1, keepdim=True) + eps)
    return (precise * gain.double() / root).to(x.dtype)


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
        if self.training:
            normal = standardize(x, 0, self.eps)
            self.remember(x.detach().double())
        else:
            centred = x.double() - self.running_mean.double()
            normal = centred / torch.sqrt(self.running_var.double() + self.eps)
        return (normal * self.gain.double() + self.bias.double()).to(x.dtype)

    def remember(self, batch: Tensor) -> None:
        old, new = 1 - self.momentum, self.momentum
        self.running_mean.copy_(old * self.running_mean.double() + new * batch.mean(0))
        self.running_var.copy_(old * self.running_var.double() + new * batch.var(0))


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    return layer_norm(alpha * x.double() + sublayer(x).double(), gain, bias, eps).to(x.dtype)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    alpha = float(2 * num_layers) ** 0.25
    beta = float(8 * num_layers) ** -0.25
    return alpha, beta
