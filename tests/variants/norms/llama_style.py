"""Right program in the style llama_style: normalize in float32, round to x.dtype, then gain and bias there."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def _norm(x: Tensor, eps: float, centre: bool) -> Tensor:
    hidden = x.to(torch.promote_types(x.dtype, torch.float32))
    if centre:
        hidden = hidden - hidden.mean(-1, keepdim=True)
    return (hidden * torch.rsqrt(hidden.pow(2).mean(-1, keepdim=True) + eps)).type_as(x)


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    return _norm(x, eps, centre=True) * gain + bias


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    return gain * _norm(x, eps, centre=False)


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.variance_epsilon = eps

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.gain, self.bias, self.variance_epsilon)


class RMSNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.variance_epsilon = eps

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * _norm(x, self.variance_epsilon, centre=False)


class BatchNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.ones(d_model))
        self.variance_epsilon = eps
        self.momentum = momentum

    def forward(self, x: Tensor) -> Tensor:
        hidden = x.to(torch.promote_types(x.dtype, torch.float32))
        if self.training:
            mean, var = hidden.mean(0), hidden.var(0, correction=0)
            with torch.no_grad():
                unbiased = hidden.var(0, correction=1)
                self.running_mean.mul_(1 - self.momentum).add_(self.momentum * mean)
                self.running_var.mul_(1 - self.momentum).add_(self.momentum * unbiased)
        else:
            mean, var = self.running_mean.to(hidden.dtype), self.running_var.to(hidden.dtype)
        hidden = (hidden - mean) * torch.rsqrt(var + self.variance_epsilon)
        return hidden.type_as(x) * self.gain + self.bias


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    residual = x
    x = sublayer(x)
    return layer_norm(residual * alpha + x, gain, bias, eps)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    return (2.0 * num_layers) ** 0.25, (8.0 * num_layers) ** -0.25
