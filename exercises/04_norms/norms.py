"""Normalization layers of transformers. The task is in README.md beside this file."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Normalize each row of the last axis to mean 0 and variance 1, then scale and shift it.

    Args:
        x: shape (..., d_model), float32, float64, bfloat16 or float16.
        gain: shape (d_model,), same dtype as x.
        bias: shape (d_model,), same dtype as x.
        eps: added to the variance, inside the square root.

    Returns:
        shape (..., d_model), dtype of x. The variance is the biased one (divided by d_model). Mean
        and variance of half-precision input are computed in float32 or better.

    Source: Ba et al. 2016, Layer Normalization, section 3.
    """
    raise NotImplementedError


def rms_norm(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    """Divide each row of the last axis by its root mean square, then scale it.

    Args:
        x: shape (..., d_model), float32, float64, bfloat16 or float16.
        gain: shape (d_model,), same dtype as x.
        eps: added to the mean square, inside the square root.

    Returns:
        shape (..., d_model), dtype of x. The mean square of half-precision input is computed in
        float32 or better. No mean is subtracted.

    Source: Zhang and Sennrich 2019, Root Mean Square Layer Normalization, section 4.
    """
    raise NotImplementedError


class LayerNorm(nn.Module):
    """`layer_norm` as a module.

    Parameters of the module, both learnable: `gain`, shape (d_model,), ones at first; `bias`, shape
    (d_model,), zeros at first.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return `layer_norm` of x, shape (..., d_model), with the module's gain, bias and eps."""
        raise NotImplementedError


class RMSNorm(nn.Module):
    """`rms_norm` as a module.

    Parameter of the module, learnable: `gain`, shape (d_model,), ones at first.
    """

    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return `rms_norm` of x, shape (..., d_model), with the module's gain and eps."""
        raise NotImplementedError


class BatchNorm(nn.Module):
    """Batch normalization of rows of features: the contrast to LayerNorm.

    Parameters of the module, both learnable: `gain`, shape (d_model,), ones at first; `bias`, shape
    (d_model,), zeros at first. Buffers: `running_mean`, shape (d_model,), zeros at first;
    `running_var`, shape (d_model,), ones at first.
    """

    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each column of x, shape (batch, d_model), then scale and shift it.

        In training mode (`self.training`) with the mean and the biased variance of the batch, and
        the buffers move: running <- (1 - momentum) * running + momentum * batch, where the variance
        of the batch is the unbiased one (divided by batch - 1). In evaluation mode with the
        buffers, which stay as they are. eps is added to the variance, inside the square root.

        Source: Ioffe and Szegedy 2015, Batch Normalization, algorithms 1 and 2.
        """
        raise NotImplementedError


def deep_norm(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    alpha: float,
    gain: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    """Return the DeepNorm residual connection LN(alpha * x + sublayer(x)).

    Args:
        x: shape (..., d_model).
        sublayer: attention or feed-forward network; maps (..., d_model) to (..., d_model).
        alpha: weight of the residual branch.
        gain: shape (d_model,), of the layer norm.
        bias: shape (d_model,), of the layer norm.
        eps: of the layer norm.

    Returns:
        shape (..., d_model), dtype of x.

    Source: Wang et al. 2022, DeepNet: Scaling Transformers to 1,000 Layers, section 4.1.
    """
    raise NotImplementedError


def deep_norm_constants(num_layers: int) -> tuple[float, float]:
    """Return alpha and beta of DeepNorm for a decoder-only model.

    Args:
        num_layers: number N of decoder layers, at least 1.

    Returns:
        (alpha, beta): alpha = (2N)^(1/4) weighs the residual branch, beta = (8N)^(-1/4) is the gain
        of the Xavier initialisation of the feed-forward, value and output projections.

    Source: Wang et al. 2022, DeepNet, figure 2.
    """
    raise NotImplementedError
