"""Right program in the style rsqrt: products with the inverse root, folded into one scale where it pays."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

HALF = {torch.float16, torch.bfloat16}


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    dtype = torch.float32 if x.dtype in HALF else x.dtype
    centred = x.to(dtype) - x.mean(-1, keepdim=True, dtype=dtype)
    scale = torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + eps)
    return (centred * (scale * gain.to(dtype)) + bias.to(dtype)).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    dtype = torch.float32 if x.dtype in HALF else x.dtype
    wide = x.to(dtype)
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (wide * (scale * gain.to(dtype))).to(x.dtype)


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.gain, self.bias, self.eps)


class RMSNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.gain, self.eps)


class BatchNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.ones(d_model))
        self.eps, self.momentum = eps, momentum

    def forward(self, x: Tensor) -> Tensor:
        dtype = torch.float32 if x.dtype in HALF else x.dtype
        wide = x.to(dtype)
        if self.training:
            mean = wide.mean(0, keepdim=True)
            centred = wide - mean
            var = centred.pow(2).mean(0, keepdim=True)
            rows = wide.shape[0]
            # .data: the update of the buffers is no part of the graph
            move = self.momentum
            self.running_mean.data += (move * (mean.data[0] - self.running_mean)).to(self.running_mean.dtype)
            bessel = var.data[0] * (rows / max(rows - 1, 1))
            self.running_var.data += (move * (bessel - self.running_var)).to(self.running_var.dtype)
        else:
            centred = wide - self.running_mean.to(dtype)
            var = self.running_var.to(dtype)
        scale = torch.rsqrt(var + self.eps) * self.gain.to(dtype)
        return (centred * scale + self.bias.to(dtype)).to(x.dtype)


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    return layer_norm(sublayer(x) + x * alpha, gain, bias, eps=eps)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    beta = (8 * num_layers) ** -0.25
    return (2 * num_layers) ** 0.25, beta
