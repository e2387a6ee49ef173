"""Hidden reference for grading the lora exercise: plain, readable, and not shown to students.

The update is written as what it adds to a weight, a sum of outer products, so that layer, merged layer
and DoRA can be compared with one formula. Modules are replaced by walking down the children by name.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def _update(a: Tensor, b: Tensor, scale: float) -> Tensor:
    """Return scale times the sum of a_r b_r^T over the ranks r: shape (in_dim, out_dim)."""
    total = torch.zeros(a.shape[0], b.shape[1], dtype=a.dtype, device=a.device)
    for r in range(a.shape[1]):
        total = total + a[:, r, None] * b[None, r, :]
    return scale * total


class LoRALayer(nn.Module):
    """The low-rank update of one linear layer."""

    def __init__(self, in_dim: int, out_dim: int, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        if rank <= 0:
            raise ValueError(f"rank is {rank}, it must be at least 1")
        self.alpha = alpha
        self.rank = rank
        self.probability = dropout
        self.A = nn.Parameter(torch.empty(in_dim, rank))
        nn.init.kaiming_uniform_(self.A)
        self.B = nn.Parameter(torch.zeros(rank, out_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Return x, with some features dropped in training, times the update."""
        if self.training and self.probability > 0:
            kept = torch.rand_like(x) >= self.probability
            x = torch.where(kept, x / (1 - self.probability), torch.zeros_like(x))
        return x @ _update(self.A, self.B, self.alpha / self.rank)


class LinearWithLoRA(nn.Module):
    """A frozen linear layer and its trainable update."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = linear
        freeze(linear)
        self.lora = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout)
        self.lora.to(device=linear.weight.device, dtype=linear.weight.dtype)
        self.merged = False
        self.train(linear.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return the linear layer's result, and the update's unless it is folded in."""
        result: Tensor = self.linear(x)
        if not self.merged:
            result = result + self.lora(x)
        return result

    def merge(self) -> None:
        """Fold the update into the weight."""
        if not self.merged:
            self._shift(+1)
            self.merged = True

    def unmerge(self) -> None:
        """Take the update out of the weight."""
        if self.merged:
            self._shift(-1)
            self.merged = False

    def _shift(self, sign: int) -> None:
        # The rows of linear.weight are outputs, those of A inputs. detach: no graph in the weight. One rank after
        # the other: of the usual orders of summation the one that rounds most, and so the measure of what is allowed.
        a, b = self.lora.A.detach(), self.lora.B.detach()
        for r in range(self.lora.rank):
            outer = b[r, :, None] * a[None, :, r]
            self.linear.weight.data.add_(sign * self.lora.alpha / self.lora.rank * outer)


def adapter_size(in_dim: int, out_dim: int, rank: int) -> int:
    """Return the weights of A plus the weights of B."""
    return in_dim * rank + rank * out_dim


def freeze(model: nn.Module) -> None:
    """Freeze every parameter of a model."""
    for parameter in model.parameters():
        parameter.requires_grad = False


def count_trainable(model: nn.Module) -> int:
    """Return how many weights require gradients, each parameter object once."""
    seen: set[int] = set()
    total = 0
    for _, parameter in model.named_parameters(remove_duplicate=False):
        if parameter.requires_grad and id(parameter) not in seen:
            seen.add(id(parameter))
            total += parameter.numel()
    return total


def replace_linear_with_lora(
    model: nn.Module,
    rank: int,
    alpha: float,
    targets: Iterable[str] | None = None,
    dropout: float = 0.0,
) -> list[str]:
    """Replace linear layers by going down the tree; return the qualified names that were replaced."""
    if isinstance(model, nn.Linear):
        raise ValueError("a model that is one nn.Linear has no place in which it could be replaced")
    names = None if targets is None else frozenset(targets)
    made: dict[int, LinearWithLoRA] = {}  # by the id of the layer inside
    ours: set[int] = set()  # a block that stands in two places has been changed when it is met again
    found: list[str] = []

    def descend(module: nn.Module, prefix: str) -> None:
        if isinstance(module, LinearWithLoRA):
            return
        for name, child in list(module._modules.items()):
            if child is None:
                continue
            if isinstance(child, nn.Linear):
                if names is None or name in names:
                    if id(child) not in made:
                        made[id(child)] = LinearWithLoRA(child, rank, alpha, dropout)
                        ours.add(id(made[id(child)]))
                    module._modules[name] = made[id(child)]
                    found.append(prefix + name)
            elif id(child) in ours:
                found.append(prefix + name)
            else:
                descend(child, prefix + name + ".")

    descend(model, "")
    return sorted(found)


def _adapters(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Parameter]]:
    """Yield key and parameter of every A and B at or below a module, shared ones under each name."""
    if isinstance(module, LoRALayer):
        yield prefix + "A", module.A
        yield prefix + "B", module.B
    for name, child in module._modules.items():
        if child is not None:
            yield from _adapters(child, prefix + name + ".")


def adapter_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of A and B of every adapter."""
    return {key: parameter.detach().clone() for key, parameter in _adapters(model)}


def load_adapters(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Check every key first, then copy."""
    mine = dict(_adapters(model))
    wrong = []
    for key in mine:
        if key not in state:
            wrong.append(f"{key} is missing")
    for key, value in state.items():
        if key not in mine:
            wrong.append(f"{key} is unexpected")
        elif value.shape != mine[key].shape:
            wrong.append(f"{key} has shape {tuple(value.shape)} instead of {tuple(mine[key].shape)}")
    if wrong:
        raise ValueError("the adapters do not fit: " + "; ".join(wrong))
    for key, parameter in mine.items():
        parameter.data.copy_(state[key])


def quantize_int8(weight: Tensor, limit: float | None = None) -> tuple[Tensor, Tensor]:
    """Quantize row by row; the row's largest magnitude, or the limit, becomes 127."""
    rows, scales = [], []
    for row in weight.detach():
        largest = torch.max(torch.abs(row))
        if limit is not None:
            largest = torch.minimum(largest, torch.full_like(largest, limit))
        scale = torch.where(largest == 0, torch.ones_like(largest), largest / 127)
        whole = torch.round(row / scale)  # halves go to the even number
        whole = torch.minimum(torch.maximum(whole, torch.full_like(row, -127)), torch.full_like(row, 127))
        rows.append(whole.to(torch.int8))
        scales.append(scale)
    return torch.stack(rows), torch.stack(scales)


def dequantize(quantized: Tensor, scales: Tensor) -> Tensor:
    """Return each row times its scale."""
    return quantized.to(scales.dtype) * scales.unsqueeze(1)


class QLoRALinear(nn.Module):
    """A linear layer with an int8 base and a trainable update in full precision."""

    quantized: Tensor
    scales: Tensor
    bias: Tensor | None

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__()
        quantized, scales = quantize_int8(linear.weight)
        self.register_buffer("quantized", quantized)
        self.register_buffer("scales", scales)
        self.register_buffer("bias", linear.bias.detach().clone() if linear.bias is not None else None)
        self.lora = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout)
        self.lora.to(device=linear.weight.device, dtype=linear.weight.dtype)
        self.train(linear.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return base, bias and update of x."""
        result = x @ dequantize(self.quantized, self.scales).t()
        if self.bias is not None:
            result = result + self.bias
        update: Tensor = self.lora(x)
        return result + update


def dora_weight(weight: Tensor, a: Tensor, b: Tensor, scale: float, magnitude: Tensor) -> Tensor:
    """Return each row of the updated weight, divided by its length, times its magnitude."""
    adapted = weight + _update(a, b, scale).t()
    length = (adapted * adapted).sum(dim=1).sqrt()
    return magnitude.unsqueeze(1) * adapted / length.unsqueeze(1)


def lora_plus_groups(model: nn.Module, lr: float, ratio: float = 16.0) -> list[dict[str, Any]]:
    """Return two groups: everything else, then every B."""
    of_b = {id(parameter) for key, parameter in _adapters(model) if key.rpartition(".")[2] == "B"}
    slow: dict[str, Any] = {"params": [], "lr": lr}
    fast: dict[str, Any] = {"params": [], "lr": ratio * lr}
    for parameter in model.parameters():
        if parameter.requires_grad:
            (fast if id(parameter) in of_b else slow)["params"].append(parameter)
    return [slow, fast]
