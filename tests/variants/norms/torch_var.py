"""Right program in the style torch_var: x.mean and x.var(unbiased=False), float32 for half precision."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    h = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    mean = h.mean(dim=-1, keepdim=True)
    var = h.var(dim=-1, keepdim=True, unbiased=False)
    y = (h - mean) / (var + eps).sqrt()
    return (y * gain + bias).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    h = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    rms = (h.pow(2).mean(dim=-1, keepdim=True) + eps).sqrt()
    return (h / rms * gain).to(x.dtype)


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
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
        self.eps = eps
        self.momentum = momentum
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        h = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        if self.training:
            mean = h.mean(dim=0)
            var = h.var(dim=0, unbiased=False)
            m = self.momentum
            # out of place: the name of a buffer may be assigned a new tensor
            self.running_mean = ((1 - m) * self.running_mean + m * mean.detach()).to(self.running_mean.dtype)
            batch_var = h.detach().var(dim=0, unbiased=True)
            self.running_var = ((1 - m) * self.running_var + m * batch_var).to(self.running_var.dtype)
        else:
            mean, var = self.running_mean, self.running_var
        return ((h - mean) / torch.sqrt(var + self.eps) * self.gain + self.bias).to(x.dtype)


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
