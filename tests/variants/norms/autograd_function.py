"""Right program in the style autograd_function: torch.autograd.Function with hand-written backward passes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _over_rows(grad: Tensor) -> Tensor:
    """Sum the gradient of a (d_model,) parameter over every row that used it."""
    return grad.reshape(-1, grad.shape[-1]).sum(0)


class _LayerNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, bias: Tensor, eps: float) -> Tensor:
        h = _wide(x)
        centred = h - h.mean(-1, keepdim=True)
        rstd = torch.rsqrt(centred.square().mean(-1, keepdim=True) + eps)
        normal = centred * rstd
        ctx.save_for_backward(normal, rstd, gain)
        ctx.dtypes = x.dtype, bias.dtype
        return (normal * _wide(gain) + _wide(bias)).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        normal, rstd, gain = ctx.saved_tensors
        g = grad.to(normal.dtype)
        into = g * _wide(gain)
        # remove the parts along the constant vector and along the output: both were normalized away
        along = normal * (into * normal).mean(-1, keepdim=True)
        to_x = rstd * (into - into.mean(-1, keepdim=True) - along)
        x_dtype, bias_dtype = ctx.dtypes
        to_gain, to_bias = _over_rows(g * normal), _over_rows(g)
        return to_x.to(x_dtype), to_gain.to(gain.dtype), to_bias.to(bias_dtype), None


class _RMSNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, eps: float) -> Tensor:
        h = _wide(x)
        scale = torch.rsqrt(h.square().mean(-1, keepdim=True) + eps)
        normal = h * scale
        ctx.save_for_backward(normal, scale, gain)
        ctx.x_dtype = x.dtype
        return (normal * _wide(gain)).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        normal, scale, gain = ctx.saved_tensors
        g = grad.to(normal.dtype)
        into = g * _wide(gain)
        to_x = scale * (into - normal * (into * normal).mean(-1, keepdim=True))
        return to_x.to(ctx.x_dtype), _over_rows(g * normal).to(gain.dtype), None


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    return _LayerNormFunction.apply(x, gain, bias, eps)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    return _RMSNormFunction.apply(x, gain, eps)


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
            with torch.no_grad():
                h = _wide(x)
                mean = h.mean(0)
                unbiased = (h - mean).square().sum(0) / (x.shape[0] - 1)
                keep, take = 1 - self.momentum, self.momentum
                self.running_mean.copy_(keep * _wide(self.running_mean) + take * mean)
                self.running_var.copy_(keep * _wide(self.running_var) + take * unbiased)
            # the rows of the transpose are the columns of x
            ones = torch.ones(x.shape[0], dtype=_wide(x).dtype, device=x.device)
            normal = layer_norm(_wide(x).t(), ones, torch.zeros_like(ones), self.eps).t()
        else:
            normal = (_wide(x) - _wide(self.running_mean)) * torch.rsqrt(_wide(self.running_var) + self.eps)
        return (normal * _wide(self.gain) + _wide(self.bias)).to(x.dtype)


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    return layer_norm(alpha * x + sublayer(x), gain, bias, eps)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    return (2 * num_layers) ** 0.25, (8 * num_layers) ** -0.25
