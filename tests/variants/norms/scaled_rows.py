"""Right program in the style scaled_rows: huge rows are divided by their largest entry before squaring."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _divide_by_root(h: Tensor, eps: float) -> Tensor:
    """Return h / sqrt(mean(h^2) + eps), without overflow of the squares.

    With s the largest entry (at least 1) this is (h/s) / sqrt(mean((h/s)^2) + eps/s^2). The result does
    not depend on s, so s needs no gradient.
    """
    s = h.detach().abs().amax(-1, keepdim=True).clamp(min=1.0)
    small = h / s
    return small / torch.sqrt(small.square().mean(-1, keepdim=True) + eps / s / s)


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    h = _wide(x)
    h = h - h.mean(-1, keepdim=True)
    h = h - h.mean(-1, keepdim=True)  # takes out the rounding error of a large mean
    return (_divide_by_root(h, eps) * _wide(gain) + _wide(bias)).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    return (_divide_by_root(_wide(x), eps) * _wide(gain)).to(x.dtype)


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
        return self._train(x) if self.training else self._evaluate(x)

    def _train(self, x: Tensor) -> Tensor:
        h = _wide(x)
        mean = h.mean(0)
        normal = _divide_by_root((h - mean).mT, self.eps).mT
        mean, var = mean.detach(), h.detach().var(0)
        # the product of keep and old, then the new share
        for buffer, new in ((self.running_mean, mean), (self.running_var, var)):
            buffer.mul_(1 - self.momentum)
            buffer.add_((self.momentum * new).to(buffer.dtype))
        return (normal * _wide(self.gain) + _wide(self.bias)).to(x.dtype)

    def _evaluate(self, x: Tensor) -> Tensor:
        normal = (_wide(x) - _wide(self.running_mean)) / torch.sqrt(_wide(self.running_var) + self.eps)
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
