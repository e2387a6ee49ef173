"""Right program in the style centring_matrix: the mean is removed by a matrix product with I - 1/d."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def centring(n: int, like: Tensor) -> Tensor:
    """Return the symmetric (n, n) matrix I - 1/n on the device and in the dtype of `like`."""
    eye = torch.eye(n, dtype=like.dtype, device=like.device)
    return eye - 1 / n


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    # float64, because every entry of the product sums large numbers that cancel when the mean is large
    h = x.to(torch.float64)
    h = h @ centring(h.shape[-1], h)
    scale = torch.diag_embed(gain.to(h.dtype))
    return ((h / (h.pow(2).mean(-1, keepdim=True) + eps).sqrt()) @ scale + bias).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    h = x.to(torch.float64)
    ones = torch.ones_like(h[..., :1, None]).expand(*h.shape, 1)
    mean_square = (h.square().unsqueeze(-2) @ ones).squeeze(-1) / h.shape[-1]
    return (h * gain / (mean_square + eps).sqrt()).to(x.dtype)


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.zeros(d_model) + 1)
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.gain, self.bias, self.eps)


class RMSNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.zeros(d_model) + 1)

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.gain, self.eps)


class BatchNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.gain = nn.Parameter(torch.zeros(d_model) + 1)
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.zeros(d_model) + 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x.to(torch.float64)
        n = h.shape[0]
        if self.training:
            centred = centring(n, h) @ h
            var = torch.diagonal(centred.T @ centred) / n
            with torch.no_grad():
                self.running_mean += self.momentum * (h.mean(0) - self.running_mean)
                self.running_var += self.momentum * (var * n / (n - 1) - self.running_var) if n > 1 else 0
        else:
            centred, var = h - self.running_mean, self.running_var.to(h.dtype)
        return (centred / (var + self.eps).sqrt() * self.gain + self.bias).to(x.dtype)


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
    doubled = 2 * num_layers
    return doubled**0.25, (4 * doubled) ** -0.25
