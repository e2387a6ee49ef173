"""Right program in the style linalg_norm: roots of sums of squares from torch.linalg.vector_norm."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def root_mean_square(h: Tensor, eps: float, dim: int = -1) -> Tensor:
    """Return sqrt(mean square + eps), kept as an axis of size 1.

    The norm already took a root, so it is squared before eps is added; a zero row has gradient 0.
    """
    norm = torch.linalg.vector_norm(h, dim=dim, keepdim=True)
    return torch.sqrt(norm.square() / h.shape[dim] + eps)


def enough(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    h = enough(x)
    h = h - h.mean(-1, keepdim=True)
    return (h / root_mean_square(h, eps) * enough(gain) + enough(bias)).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    h = enough(x)
    return (h / root_mean_square(h, eps) * enough(gain)).to(x.dtype)


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
        h = enough(x)
        if self.training:
            mean = h.mean(0)
            h = h - mean
            root = root_mean_square(h, self.eps, dim=0)
            with torch.no_grad():
                squares = torch.linalg.vector_norm(h, dim=0).square()
                self.running_mean.copy_(torch.lerp(enough(self.running_mean), mean, self.momentum))
                unbiased = squares / (h.shape[0] - 1)
                self.running_var.copy_(torch.lerp(enough(self.running_var), unbiased, self.momentum))
        else:
            h = h - enough(self.running_mean)
            root = torch.sqrt(enough(self.running_var) + self.eps)
        return (h / root * enough(self.gain) + enough(self.bias)).to(x.dtype)


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
    return ((2 * num_layers) ** 0.5) ** 0.5, ((8 * num_layers) ** -0.5) ** 0.5
