"""Low-rank adapters for linear layers. The task is in README.md beside this file."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class LoRALayer(nn.Module):
    """The low-rank update of one linear layer: (alpha / rank) * (x @ A @ B).

    Parameters of the module, both learnable, and the only entries of its state dict: `A`, shape
    (in_dim, rank), random at first; `B`, shape (rank, out_dim), zeros at first. The start values of
    A have both signs and a standard deviation between 0.01 and 2, and are drawn anew for each
    instance: Kaiming-uniform or a normal distribution with standard deviation 1 / sqrt(rank) will do.

    Args:
        in_dim: length of the rows that come in.
        out_dim: length of the rows that go out.
        rank: inner dimension of the update; may be larger than in_dim or out_dim.
        alpha: weight of the update, int or float; the factor is alpha / rank.
        dropout: probability that a feature of x is dropped, in training mode, before A.

    Raises:
        ValueError: rank is smaller than 1.

    Source: Hu et al. 2021, LoRA: Low-Rank Adaptation of Large Language Models, section 4.1.
    """

    def __init__(self, in_dim: int, out_dim: int, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return the update, shape (..., out_dim), of x, shape (..., in_dim); zeros before training.

        In training mode each number of x is, independently of the others, set to 0 with probability
        `dropout`, else divided by 1 - dropout; then comes A. In evaluation mode nothing is dropped.
        """
        raise NotImplementedError


class LinearWithLoRA(nn.Module):
    """A frozen linear layer and its trainable update.

    The entries of its state dict are `linear.weight`, `linear.bias` (if there is one), `lora.A` and
    `lora.B`. At first the module is in the mode (training or evaluation) of `linear`, and A and B
    have the dtype and the device of `linear.weight`.

    Args:
        linear: the layer to adapt; it is kept as `self.linear`, the same object, and frozen: its
            weight and bias remain the same Parameters, but do not require gradients any more.
        rank, alpha, dropout: of the `LoRALayer`, which is `self.lora`.

    Attributes:
        merged: bool, whether the update is folded into `linear.weight`; False at first, and changed
            by `merge` and `unmerge` only, not by train() or eval().
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return linear(x) + lora(x), and linear(x) alone while merged; shape (..., out_dim)."""
        raise NotImplementedError

    def merge(self) -> None:
        """Add the update to `linear.weight`, shape (out_dim, in_dim), so that one product is left to do.

        Does nothing if it is merged already. `linear.weight` remains the same Parameter, frozen and a
        leaf; A and B stay as they are.
        """
        raise NotImplementedError

    def unmerge(self) -> None:
        """Take the update out of `linear.weight` again; does nothing if it is not merged."""
        raise NotImplementedError


def adapter_size(in_dim: int, out_dim: int, rank: int) -> int:
    """Return how many weights a `LoRALayer` trains."""
    raise NotImplementedError


def freeze(model: nn.Module) -> None:
    """Freeze every parameter of a model, of whatever kind: none requires gradients any more."""
    raise NotImplementedError


def count_trainable(model: nn.Module) -> int:
    """Return how many weights (numbers, not tensors) require gradients.

    A parameter that is used in several places counts once. Works on every device, meta included.
    """
    raise NotImplementedError


def replace_linear_with_lora(
    model: nn.Module,
    rank: int,
    alpha: float,
    targets: Iterable[str] | None = None,
    dropout: float = 0.0,
) -> list[str]:
    """Put a `LinearWithLoRA` in the place of the linear layers of a model, in place.

    Args:
        model: any module; layers at any depth are found. Instances of subclasses of nn.Linear are
            linear layers too. What is already in a `LinearWithLoRA` stays as it is.
        rank: of the adapters.
        alpha: of the adapters.
        targets: names; a layer is replaced if the last component of its qualified name (what stands
            after the last dot) is equal to one of them. None replaces every layer, an empty list none.
        dropout: of the adapters.

    Returns:
        the qualified names that were replaced, sorted. A layer that stands in several places has several
        names, and each place whose name is a target gets the same `LinearWithLoRA`. Nothing but the
        layers that are replaced is frozen.

    Raises:
        ValueError: model itself is an nn.Linear: it cannot be replaced in place.
    """
    raise NotImplementedError


def adapter_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """Return A and B of every `LoRALayer` of a model, under the keys of model.state_dict().

    A layer that stands in several places has several keys. The tensors are copies that do not
    require gradients: what happens to the model later does not change them. The model stays as it is; a
    merged layer stays merged.
    """
    raise NotImplementedError


def load_adapters(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Copy what `adapter_state_dict` returned into the adapters of a model.

    The parameters remain the same objects, with their dtype and device; the values are copied. The order of
    the keys says nothing.

    Raises:
        ValueError: keys are missing or unexpected, or a tensor has another shape than its parameter.
            The message names every such key; the model is left as it was.
    """
    raise NotImplementedError


def quantize_int8(weight: Tensor, limit: float | None = None) -> tuple[Tensor, Tensor]:
    """Quantize a weight to int8 with one scale for each output row.

    Args:
        weight: shape (out_dim, in_dim), float32 or float64; in_dim is at least 1.
        limit: largest magnitude to represent, above 0; larger weights saturate. None: no limit.

    Returns:
        (quantized, scales): int8, shape (out_dim, in_dim), and the dtype of weight, shape (out_dim,).
        The scale of a row is the smaller of its largest magnitude and limit, divided by 127; 1 for a
        row of zeros. A weight divided by its scale is rounded to the nearest whole number, halves to
        the even one, and clamped to -127 .. 127.

    Source: Dettmers et al. 2022, LLM.int8(), section 2.1 (absmax quantization, vector-wise).
    """
    raise NotImplementedError


def dequantize(quantized: Tensor, scales: Tensor) -> Tensor:
    """Return the weight that `quantize_int8` stored: shape of quantized, dtype of scales."""
    raise NotImplementedError


class QLoRALinear(nn.Module):
    """A linear layer whose base weight is stored in int8, and its trainable update in full precision.

    Buffers: `quantized` and `scales`, as `quantize_int8` returns them (no limit), and `bias`, a copy of
    the bias of linear, None if there is none. `lora` is a `LoRALayer`; its A and B are the only
    parameters. No float copy of the base weight is kept. Mode, dtype and device as in `LinearWithLoRA`.

    Args:
        linear: the layer to quantize; it is left as it is and not kept.
        rank, alpha, dropout: of the `LoRALayer`.

    Source: after Dettmers et al. 2023, QLoRA, section 3, with int8 in the place of NF4.
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ dequantized weight transposed + bias + lora(x), shape (..., out_dim)."""
        raise NotImplementedError


def dora_weight(weight: Tensor, a: Tensor, b: Tensor, scale: float, magnitude: Tensor) -> Tensor:
    """Return the weight of DoRA: a learned length for each output row, and an adapted direction.

    Args:
        weight: frozen base weight, shape (out_dim, in_dim).
        a: A of the adapter, shape (in_dim, rank).
        b: B of the adapter, shape (rank, out_dim).
        scale: factor of the update, alpha / rank.
        magnitude: length of each output row, shape (out_dim,).

    Returns:
        shape (out_dim, in_dim): row i is magnitude[i] * v_i / |v_i|, v_i being row i of the weight after
        its update, and |v_i| its Euclidean norm. Gradients flow through the norm as well.

    Source: Liu et al. 2024, DoRA: Weight-Decomposed Low-Rank Adaptation, equation 5.
    """
    raise NotImplementedError


def lora_plus_groups(model: nn.Module, lr: float, ratio: float = 16.0) -> list[dict[str, Any]]:
    """Return the parameter groups of LoRA+ for an optimizer.

    Returns:
        two groups, {"params": list of parameters, "lr": float} each, empty lists included. The second
        has `B` of every `LoRALayer`, with learning rate ratio * lr; the first has all other
        parameters, with lr. Only parameters that require gradients are in a group, each once.

    Source: Hayou et al. 2024, LoRA+: Efficient Low Rank Adaptation of Large Models, section 4.
    """
    raise NotImplementedError
