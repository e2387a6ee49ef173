"""Right program in the style einsum_style: sums and sums of squares written as einsum and matmul."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.to(torch.float32)


def _mean_square(h: Tensor) -> Tensor:
    return torch.einsum("...d,...d->...", h, h).unsqueeze(-1) / h.size(-1)


def _mean(h: Tensor) -> Tensor:
    return torch.einsum("...d->...", h).unsqueeze(-1) / h.size(-1)


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    h = _wide(x)
    h = h - _mean(h)
    h = h / torch.sqrt(_mean_square(h) + eps)
    return (torch.einsum("...d,d->...d", h, _wide(gain)) + _wide(bias)).type_as(x)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    h = _wide(x)
    h = h / torch.sqrt(_mean_square(h) + eps)
    return torch.einsum("...d,d->...d", h, _wide(gain)).type_as(x)


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.empty(d_model))
        self.bias = nn.Parameter(torch.empty(d_model))
        self.eps = eps
        nn.init.ones_(self.gain)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.gain, self.bias, self.eps)


class RMSNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.empty(d_model))
        self.eps = eps
        nn.init.ones_(self.gain)

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.gain, self.eps)


class BatchNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.empty(d_model))
        self.bias = nn.Parameter(torch.empty(d_model))
        self.register_buffer("running_mean", torch.empty(d_model))
        self.register_buffer("running_var", torch.empty(d_model))
        for ones in (self.gain, self.running_var):
            nn.init.ones_(ones)
        for zeros in (self.bias, self.running_mean):
            nn.init.zeros_(zeros)
        self.eps = eps
        self.momentum = momentum

    def forward(self, x: Tensor) -> Tensor:
        h = _wide(x)
        mean, var = self._batch(h) if self.training else (_wide(self.running_mean), _wide(self.running_var))
        h = (h - mean) / torch.sqrt(var + self.eps)
        return (torch.einsum("bd,d->bd", h, _wide(self.gain)) + _wide(self.bias)).type_as(x)

    def _batch(self, h: Tensor) -> tuple[Tensor, Tensor]:
        count = h.size(0)
        mean = torch.einsum("bd->d", h) / count
        away = h - mean
        var = torch.einsum("bd,bd->d", away, away) / count
        # biased to unbiased: Bessel's correction
        self._move(self.running_mean, mean)
        self._move(self.running_var, var * count / (count - 1) if count > 1 else var)
        return mean, var

    def _move(self, running: Tensor, new: Tensor) -> None:
        new = new.detach().to(running.dtype)
        running.mul_(1 - self.momentum).add_(new, alpha=self.momentum)


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    residual = alpha * _wide(x)
    return layer_norm(residual + _wide(sublayer(x)), gain, bias, eps).type_as(x)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    alpha = (2 * num_layers) ** (1 / 4)
    beta = 1 / (8 * num_layers) ** (1 / 4)
    return alpha, beta
