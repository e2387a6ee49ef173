"""Low-rank adapters for linear layers."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class LoRALayer(nn.Module):
    """The low-rank update of one linear layer: (alpha / rank) * (x @ A @ B)."""

    def __init__(self, in_dim: int, out_dim: int, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"rank must be at least 1, not {rank}")
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        # One factor is zero, so that the model starts as it was; not both, or no gradient would arrive.
        self.A = nn.Parameter(torch.randn(in_dim, rank) / math.sqrt(rank))
        self.B = nn.Parameter(torch.zeros(rank, out_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Return the update of x; (x @ A) first, because it is the smaller product."""
        return self.dropout(x) @ self.A @ self.B * self.scale

    def delta(self) -> Tensor:
        """Return what the update adds to a weight of shape (out_dim, in_dim)."""
        return (self.A @ self.B).T * self.scale


class LinearWithLoRA(nn.Module):
    """A frozen linear layer and its trainable update."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.lora = _adapter_for(linear, rank, alpha, dropout)
        self.merged = False
        self.train(linear.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return linear(x) + lora(x); while merged, the weight has the update already."""
        return self.linear(x) if self.merged else self.linear(x) + self.lora(x)

    @torch.no_grad()  # or the weight would become part of the graph of A and B
    def merge(self) -> None:
        """Add the update to the weight, once."""
        if not self.merged:
            self.linear.weight += self.lora.delta()
        self.merged = True

    @torch.no_grad()
    def unmerge(self) -> None:
        """Take the update out of the weight, if it is there."""
        if self.merged:
            self.linear.weight -= self.lora.delta()
        self.merged = False


def _adapter_for(linear: nn.Linear, rank: int, alpha: float, dropout: float) -> LoRALayer:
    """Return an adapter of the sizes, dtype and device of a linear layer."""
    lora = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout)
    return lora.to(device=linear.weight.device, dtype=linear.weight.dtype)


def adapter_size(in_dim: int, out_dim: int, rank: int) -> int:
    """Return the number of weights in A and B."""
    return rank * (in_dim + out_dim)


def freeze(model: nn.Module) -> None:
    """Freeze every parameter of a model."""
    model.requires_grad_(False)


def count_trainable(model: nn.Module) -> int:
    """Return how many weights require gradients; `parameters` gives a shared one once."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _places(model: nn.Module) -> list[tuple[str, nn.Module, str, nn.Linear]]:
    """Return every place of a linear layer that has no adapter: its qualified name, parent, name, the layer."""
    return [
        (f"{path}.{name}".lstrip("."), parent, name, child)
        for path, parent in model.named_modules(remove_duplicate=False)
        if not isinstance(parent, LinearWithLoRA)
        for name, child in parent._modules.items()  # not named_children, which gives a shared child once
        if isinstance(child, nn.Linear)
    ]


def replace_linear_with_lora(
    model: nn.Module,
    rank: int,
    alpha: float,
    targets: Iterable[str] | None = None,
    dropout: float = 0.0,
) -> list[str]:
    """Put a `LinearWithLoRA` in the place of the linear layers of a model; return their names."""
    if isinstance(model, nn.Linear):
        raise ValueError("the model is itself an nn.Linear, which cannot be replaced in place")
    wanted = None if targets is None else set(targets)
    # All places are collected before the first one changes.
    places = [place for place in _places(model) if wanted is None or place[2] in wanted]
    adapted: dict[nn.Module, LinearWithLoRA] = {}
    for _path, parent, name, child in places:
        if child not in adapted:
            adapted[child] = LinearWithLoRA(child, rank, alpha, dropout)
        setattr(parent, name, adapted[child])
    return sorted(path for path, *_rest in places)


def _adapters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return A and B of every adapter under their keys in the state dict."""
    return {
        f"{path}.{name}".lstrip("."): parameter
        for path, module in model.named_modules(remove_duplicate=False)
        if isinstance(module, LoRALayer)
        for name, parameter in module.named_parameters()
    }


def adapter_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of A and B of every adapter."""
    return {key: parameter.detach().clone() for key, parameter in _adapters(model).items()}


def load_adapters(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Copy a state into the adapters of a model, if it fits in every respect."""
    adapters = _adapters(model)
    problems = {
        "missing": sorted(adapters.keys() - state.keys()),
        "unexpected": sorted(state.keys() - adapters.keys()),
        "wrong shape": sorted(key for key in adapters.keys() & state.keys() if adapters[key].shape != state[key].shape),
    }
    if any(problems.values()):
        raise ValueError("; ".join(f"{what}: {', '.join(keys)}" for what, keys in problems.items() if keys))
    with torch.no_grad():
        for key, parameter in adapters.items():
            parameter.copy_(state[key])


def quantize_int8(weight: Tensor, limit: float | None = None) -> tuple[Tensor, Tensor]:
    """Quantize a weight to int8 with one scale for each output row."""
    weight = weight.detach()
    largest = weight.abs().amax(dim=1)
    if limit is not None:
        largest = largest.clamp(max=limit)
    scales = torch.where(largest > 0, largest / 127, 1.0)
    # torch.round takes halves to the even number; without the clamp, int8 would wrap around
    quantized = (weight / scales[:, None]).round().clamp(-127, 127)
    return quantized.to(torch.int8), scales


def dequantize(quantized: Tensor, scales: Tensor) -> Tensor:
    """Return the weight that `quantize_int8` stored."""
    return quantized.to(scales.dtype) * scales[:, None]


class QLoRALinear(nn.Module):
    """A linear layer whose base weight is stored in int8, and its trainable update in full precision."""

    quantized: Tensor
    scales: Tensor
    bias: Tensor | None

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        quantized, scales = quantize_int8(linear.weight)
        self.register_buffer("quantized", quantized)
        self.register_buffer("scales", scales)
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().clone())
        self.lora = _adapter_for(linear, rank, alpha, dropout)
        self.train(linear.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the dequantized layer and the update give for x."""
        return nn.functional.linear(x, dequantize(self.quantized, self.scales), self.bias) + self.lora(x)


def dora_weight(weight: Tensor, a: Tensor, b: Tensor, scale: float, magnitude: Tensor) -> Tensor:
    """Return the adapted weight with each output row scaled to its learned length."""
    adapted = weight + scale * (a @ b).T
    return adapted * (magnitude / adapted.norm(dim=1))[:, None]


def lora_plus_groups(model: nn.Module, lr: float, ratio: float = 16.0) -> list[dict[str, Any]]:
    """Return parameter groups in which B learns `ratio` times as fast as everything else."""
    of_b = {module.B for module in model.modules() if isinstance(module, LoRALayer)}
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trainable if parameter not in of_b], "lr": lr},
        {"params": [parameter for parameter in trainable if parameter in of_b], "lr": ratio * lr},
    ]
