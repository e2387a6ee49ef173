"""Right program in the style modules_first: the arithmetic is in the modules, functions call their methods."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class _Norm(nn.Module):
    """What the three norms share: a gain, an eps, and the precision to compute in."""

    def __init__(self, d_model: int, eps: float) -> None:
        super().__init__()
        self.d_model = d_model
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))

    @staticmethod
    def precise(x: Tensor) -> Tensor:
        return x.float() if x.element_size() < 4 else x

    def extra_repr(self) -> str:
        return f"{self.d_model}, eps={self.eps}"


class LayerNorm(_Norm):
    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__(d_model, eps)
        self.bias = nn.Parameter(torch.zeros(d_model))

    @classmethod
    def apply_to(cls, x: Tensor, gain: Tensor, bias: Tensor, eps: float) -> Tensor:
        h = cls.precise(x)
        h = h - torch.mean(h, -1, keepdim=True)
        std = torch.sqrt(torch.mean(h**2, -1, keepdim=True) + eps)
        return (cls.precise(gain) * (h / std) + cls.precise(bias)).to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.apply_to(x, self.gain, self.bias, self.eps)


class RMSNorm(_Norm):
    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__(d_model, eps)

    @classmethod
    def apply_to(cls, x: Tensor, gain: Tensor, eps: float) -> Tensor:
        h = cls.precise(x)
        rms = torch.sqrt(torch.mean(h**2, -1, keepdim=True) + eps)
        return (cls.precise(gain) * (h / rms)).to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.apply_to(x, self.gain, self.eps)


class BatchNorm(LayerNorm):
    """Normalize the columns as rows of the transposed batch."""

    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(d_model, eps)
        self.momentum = momentum
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        columns = self.precise(x).T
        if self.training:
            var, mean = torch.var(columns, -1, correction=0), torch.mean(columns, -1)
            self.update(mean.detach(), torch.var(columns.detach(), -1, correction=1))
        else:
            var, mean = self.precise(self.running_var), self.precise(self.running_mean)
        normal = (columns - mean[:, None]) / torch.sqrt(var[:, None] + self.eps)
        shifted = normal * self.precise(self.gain)[:, None] + self.precise(self.bias)[:, None]
        return shifted.T.to(x.dtype)

    def update(self, mean: Tensor, var: Tensor) -> None:
        for name, new in (("running_mean", mean), ("running_var", var)):
            old = getattr(self, name)
            setattr(self, name, (old + self.momentum * (new - old)).to(old.dtype))


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    return LayerNorm.apply_to(x, gain, bias, eps)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    return RMSNorm.apply_to(x, gain, eps)


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    return LayerNorm.apply_to(alpha * x + sublayer(x), gain, bias, eps)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    return pow(2 * num_layers, 0.25), pow(8 * num_layers, -0.25)
