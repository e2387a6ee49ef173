"""Right program in the style var_mean: torch.var_mean with correction 0 and 1, in-place lerp_ of buffers."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    wide = torch.promote_types(x.dtype, torch.float32)
    var, mean = torch.var_mean(x.to(wide), dim=-1, correction=0, keepdim=True)
    normal = (x.to(wide) - mean).div(var.add(eps).sqrt())
    return torch.addcmul(bias.to(wide), normal, gain.to(wide)).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    wide = torch.promote_types(x.dtype, torch.float32)
    h = x.to(wide)
    return h.div(h.square().mean(-1, True).add(eps).sqrt()).mul(gain.to(wide)).to(x.dtype)


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_parameter("gain", nn.Parameter(torch.ones(d_model)))
        self.register_parameter("bias", nn.Parameter(torch.zeros(d_model)))

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.gain, self.bias, eps=self.eps)


class RMSNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.register_parameter("gain", nn.Parameter(torch.ones(d_model)))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.gain, eps=self.eps)


class BatchNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.ones(d_model))
        # one more buffer than asked for, as nn.BatchNorm1d keeps it
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        wide = torch.promote_types(x.dtype, torch.float32)
        h = x.to(wide)
        if not self.training:
            mean, var = self.running_mean.to(wide), self.running_var.to(wide)
        else:
            var, mean = torch.var_mean(h, dim=0, correction=0)
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                unbiased = torch.var(h, dim=0, correction=1)
                self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
                self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        normal = (h - mean).div(var.add(self.eps).sqrt())
        return torch.addcmul(self.bias.to(wide), normal, self.gain.to(wide)).to(x.dtype)


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    return layer_norm(torch.add(sublayer(x), x, alpha=alpha), gain, bias, eps)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    return math.pow(2 * num_layers, 1 / 4), math.pow(8 * num_layers, -1 / 4)
