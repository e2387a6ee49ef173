"""Right program in the style base_class: both adapted layers share a base class, adapters are nn.Linear-free modules."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Setting:
    rank: int
    alpha: float
    dropout: float

    def __post_init__(self) -> None:
        if not self.rank >= 1:
            raise ValueError(f"rank {self.rank}")

    @property
    def factor(self) -> float:
        return self.alpha / self.rank


class LoRALayer(nn.Module):
    def __init__(self, in_dim: int, out_dim: int, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.setting = Setting(rank, alpha, dropout)
        self.register_parameter("A", nn.Parameter(torch.normal(0.0, 0.5, (in_dim, rank))))
        self.register_parameter("B", nn.Parameter(torch.zeros((rank, out_dim))))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            x = torch.dropout(x, self.setting.dropout, True)
        return x.matmul(self.A).mul(self.setting.factor).matmul(self.B)


class _Adapted(nn.Module):
    lora: LoRALayer

    def attach(self, linear: nn.Linear, setting: Setting) -> None:
        lora = LoRALayer(linear.in_features, linear.out_features, setting.rank, setting.alpha, setting.dropout)
        self.lora = lora.to(linear.weight.device, linear.weight.dtype)
        for part in (self, self.lora):
            part.train(linear.training)

    def base(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.base(x)]
        if not getattr(self, "merged", False):
            parts.append(self.lora(x))
        return sum(parts[1:], parts[0])


class LinearWithLoRA(_Adapted):
    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.merged = False
        self.attach(linear, Setting(rank, alpha, dropout))

    def base(self, x: Tensor) -> Tensor:
        return self.linear(x)

    def merge(self) -> None:
        self._become(True)

    def unmerge(self) -> None:
        self._become(False)

    @torch.no_grad()
    def _become(self, merged: bool) -> None:
        change = int(merged) - int(self.merged)
        if change:
            # the update is what the adapter makes of the unit vectors
            unit = torch.eye(self.linear.in_features, dtype=self.linear.weight.dtype, device=self.linear.weight.device)
            mode, self.lora.training = self.lora.training, False
            self.linear.weight.add_(self.lora(unit).mT, alpha=change)
            self.lora.training = mode
        self.merged = merged


class QLoRALinear(_Adapted):
    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.quantized: Tensor
        self.scales: Tensor
        self.register_buffer("quantized", None)
        self.register_buffer("scales", None)
        self.register_buffer("bias", None)
        self.quantized, self.scales = quantize_int8(linear.weight)
        if linear.bias is not None:
            self.bias = linear.bias.detach().clone()
        self.attach(linear, Setting(rank, alpha, dropout))

    def base(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, dequantize(self.quantized, self.scales), self.bias)


def adapter_size(in_dim: int, out_dim: int, rank: int) -> int:
    return sum(side * rank for side in (in_dim, out_dim))


def freeze(model: nn.Module) -> None:
    model.apply(lambda part: [one.requires_grad_(False) for one in part.parameters(recurse=False)] and None)


def count_trainable(model: nn.Module) -> int:
    return sum(one.numel() for one in dict.fromkeys(model.parameters()) if one.requires_grad)


def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
    if isinstance(model, nn.Linear):
        raise ValueError("no parent")
    names = targets if targets is None else frozenset(targets)
    every = dict(model.named_modules(remove_duplicate=False))
    chosen = {
        path: part
        for path, part in every.items()
        if isinstance(part, nn.Linear)
        and (names is None or path.split(".")[-1] in names)
        and not isinstance(every[".".join(path.split(".")[:-1])], LinearWithLoRA)
    }
    made = {part: LinearWithLoRA(part, rank, alpha, dropout) for part in set(chosen.values())}
    for path, part in chosen.items():
        *above, name = path.split(".")
        setattr(every[".".join(above)], name, made[part])
    return sorted(chosen)


def adapter_state_dict(model: nn.Module) -> dict[str, Tensor]:
    prefixes = [path for path, part in model.named_modules(remove_duplicate=False) if isinstance(part, LoRALayer)]
    wanted = {f"{path}.{name}" if path else name for path in prefixes for name in "AB"}
    return {key: value.detach().clone() for key, value in model.state_dict().items() if key in wanted}


def load_adapters(model: nn.Module, state) -> None:
    shapes = {key: value.shape for key, value in adapter_state_dict(model).items()}
    given = {key: value.shape for key, value in state.items()}
    if shapes != given:
        wrong = {key for key, _ in shapes.items() ^ given.items()}
        raise ValueError(f"wrong: {sorted(wrong)}")
    with torch.no_grad():
        for key in shapes:
            parent, _, name = key.rpartition(".")
            getattr(model.get_submodule(parent), name).copy_(state[key])


def quantize_int8(weight: Tensor, limit: float | None = None) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        low, high = weight.aminmax(dim=1)
        largest = torch.maximum(-low, high).abs()
        if limit is not None:
            largest = torch.clamp(largest, max=limit)
        scales = torch.where(largest > 0, largest / 127, torch.ones_like(largest))
        return (weight / scales.reshape(-1, 1)).clamp(-127, 127).round().to(torch.int8), scales


def dequantize(quantized: Tensor, scales: Tensor) -> Tensor:
    return quantized * scales.reshape(-1, 1)


def dora_weight(weight, a, b, scale, magnitude):
    adapted = weight + torch.einsum("ir,ro,->oi", a, b, torch.tensor(scale, dtype=a.dtype, device=a.device))
    inverse = torch.rsqrt(adapted.square().sum(1))
    return torch.einsum("o,o,oi->oi", magnitude, inverse, adapted)


def lora_plus_groups(model, lr, ratio=16.0):
    kinds = {id(part.B): 1 for part in model.modules() if isinstance(part, LoRALayer)}
    groups = ({"params": [], "lr": lr}, {"params": [], "lr": ratio * lr})
    for one in model.parameters():
        if one.requires_grad:
            groups[kinds.get(id(one), 0)]["params"].append(one)
    return groups
