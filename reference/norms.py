"""Hidden reference for grading the norms exercise: plain, readable, and not shown to students.

Every result is built from sums, products and roots, so that each line can be compared with the formula
in the task. Half-precision input is widened once at the start and rounded once at the end.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def _widen(x: Tensor) -> Tensor:
    """Return x in float32 when it is in half precision, otherwise x itself."""
    # float16 holds squares only up to 65504 = 256^2, and bfloat16 has 8 bits: neither can carry a sum.
    return x.to(torch.promote_types(x.dtype, torch.float32))


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Return (x - mean) / sqrt(var + eps) * gain + bias for each row of the last axis."""
    d = x.shape[-1]
    wide = _widen(x)
    mean = wide.sum(dim=-1, keepdim=True) / d
    # The mean goes before the squares: mean(x^2) - mean(x)^2 would cancel when the mean is large.
    centred = wide - mean
    var = (centred * centred).sum(dim=-1, keepdim=True) / d
    y = centred / torch.sqrt(var + eps)
    return (y * _widen(gain) + _widen(bias)).to(x.dtype)


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    """Return x / sqrt(mean square + eps) * gain for each row of the last axis."""
    d = x.shape[-1]
    wide = _widen(x)
    mean_square = (wide * wide).sum(dim=-1, keepdim=True) / d
    y = wide / torch.sqrt(mean_square + eps)
    return (y * _widen(gain)).to(x.dtype)


class LayerNorm(nn.Module):
    """`layer_norm` with a learnable gain (ones at first) and bias (zeros at first)."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Return `layer_norm` of x with the parameters of the module."""
        return layer_norm(x, self.gain, self.bias, self.eps)


class RMSNorm(nn.Module):
    """`rms_norm` with a learnable gain (ones at first)."""

    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Return `rms_norm` of x with the gain of the module."""
        return rms_norm(x, self.gain, self.eps)


class BatchNorm(nn.Module):
    """Batch normalization of the columns of (batch, d_model), with running averages for evaluation."""

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
        """Normalize with the batch while training (and move the buffers), else with the buffers."""
        wide = _widen(x)
        if self.training:
            batch = x.shape[0]
            mean = wide.sum(dim=0) / batch
            centred = wide - mean
            squares = (centred * centred).sum(dim=0)
            # Two variances on purpose: the biased one normalizes this batch, the unbiased one estimates
            # the variance of the data. A batch of one row has no unbiased variance: that is 0 / 0, NaN.
            var = squares / batch
            self._remember(mean, squares / (batch - 1))
        else:
            centred = wide - _widen(self.running_mean)
            var = _widen(self.running_var)
        y = centred / torch.sqrt(var + self.eps)
        return (y * _widen(self.gain) + _widen(self.bias)).to(x.dtype)

    @torch.no_grad()  # the averages are records, not part of the function that is trained
    def _remember(self, mean: Tensor, unbiased_var: Tensor) -> None:
        """Move the buffers towards the statistics of one batch."""
        keep = 1 - self.momentum
        self.running_mean.copy_(keep * _widen(self.running_mean) + self.momentum * mean)
        self.running_var.copy_(keep * _widen(self.running_var) + self.momentum * unbiased_var)


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    """Return LN(alpha * x + sublayer(x)): alpha weighs the residual branch only."""
    # The sum is not rounded before it is normalized, nor can alpha * x overflow in float16.
    total = alpha * _widen(x) + _widen(sublayer(x))
    return layer_norm(total, gain, bias, eps).to(x.dtype)


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    """Return alpha = (2N)^(1/4) and beta = (8N)^(-1/4) of a decoder-only model with N layers."""
    return (2 * num_layers) ** 0.25, (8 * num_layers) ** -0.25
