"""Normalization layers of transformers."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Normalize each row of the last axis to mean 0 and variance 1, then scale and shift it."""
    wide = _wide(x)
    centred = wide - wide.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    return (centred / torch.sqrt(variance + eps) * gain + bias).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    """Divide each row of the last axis by its root mean square, then scale it."""
    wide = _wide(x)
    mean_square = wide.square().mean(-1, keepdim=True)
    return (wide / torch.sqrt(mean_square + eps) * gain).to(x.dtype)


def _wide(x: Tensor) -> Tensor:
    """Return half precision as float32, anything else as it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class LayerNorm(nn.Module):
    """`layer_norm` as a module."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Return `layer_norm` of x with the module's gain, bias and eps."""
        return layer_norm(x, self.gain, self.bias, self.eps)


class RMSNorm(nn.Module):
    """`rms_norm` as a module."""

    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Return `rms_norm` of x with the module's gain and eps."""
        return rms_norm(x, self.gain, self.eps)


class BatchNorm(nn.Module):
    """Batch normalization of rows of features."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each column of x, shape (batch, d_model), then scale and shift it."""
        if self.training:
            mean, variance = x.mean(0), x.var(0, correction=0)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(x.var(0, correction=1), self.momentum)
        else:
            mean, variance = self.running_mean, self.running_var
        return (x - mean) / torch.sqrt(variance + self.eps) * self.gain + self.bias


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    """Return the DeepNorm residual connection LN(alpha * x + sublayer(x))."""
    return layer_norm(alpha * x + sublayer(x), gain, bias, eps)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    """Return alpha and beta of DeepNorm for a decoder-only model."""
    return (2 * num_layers) ** 0.25, (8 * num_layers) ** -0.25
