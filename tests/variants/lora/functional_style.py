"""Right program in the style functional_style: einsum, functional dropout, updates made by one helper."""

import torch
import torch.nn.functional as F
from torch import nn


def scaled_delta(a, b, factor):
    return torch.einsum("ir,ro->oi", a, b) * factor


class LoRALayer(nn.Module):
    def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
        super().__init__()
        if rank < 1:
            raise ValueError("rank < 1")
        self.rank, self.alpha, self.p = rank, alpha, dropout
        self.A = nn.Parameter(torch.empty(in_dim, rank).normal_(0, rank**-0.5))
        self.B = nn.Parameter(torch.empty(rank, out_dim).zero_())

    def forward(self, x):
        x = F.dropout(x, self.p, training=self.training)
        return torch.einsum("...i,ir,ro->...o", x, self.A, self.B) * (self.alpha / self.rank)


class LinearWithLoRA(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        for p in linear.parameters():
            p.requires_grad_(False)
        self.linear = linear
        w = linear.weight
        self.lora = LoRALayer(w.shape[1], w.shape[0], rank, alpha, dropout).to(w)
        self.merged = False
        self.training = linear.training
        self.lora.training = linear.training

    def forward(self, x):
        y = self.linear(x)
        if self.merged:
            return y
        return torch.add(y, self.lora(x))

    def _move(self, sign):
        with torch.no_grad():
            self.linear.weight.add_(
                scaled_delta(self.lora.A, self.lora.B, self.lora.alpha / self.lora.rank), alpha=sign
            )
        self.merged = sign > 0

    def merge(self):
        if not self.merged:
            self._move(1)

    def unmerge(self):
        if self.merged:
            self._move(-1)


def adapter_size(in_dim, out_dim, rank):
    return in_dim * rank + out_dim * rank


def freeze(model):
    for p in model.parameters():
        p.requires_grad_(False)


def count_trainable(model):
    return sum(p.numel() for p in filter(lambda p: p.requires_grad, model.parameters()))


def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
    if isinstance(model, nn.Linear):
        raise ValueError("cannot replace the model itself")
    if targets is not None:
        targets = list(targets)
    names = [
        name
        for name, m in model.named_modules(remove_duplicate=False)
        if isinstance(m, nn.Linear) and (targets is None or name.split(".")[-1] in targets)
    ]
    names = [n for n in names if not isinstance(model.get_submodule(n.rpartition(".")[0]), LinearWithLoRA)]
    new = {}
    for name in names:
        parent, _, last = name.rpartition(".")
        owner = model.get_submodule(parent)
        old = getattr(owner, last)
        if isinstance(old, nn.Linear):
            if old not in new:
                new[old] = LinearWithLoRA(old, rank, alpha, dropout)
            setattr(owner, last, new[old])
    names.sort()
    return names


def adapter_state_dict(model):
    full = model.state_dict()
    keys = []
    for name, m in model.named_modules(remove_duplicate=False):
        if isinstance(m, LoRALayer):
            prefix = name + "." if name else ""
            keys += [prefix + "A", prefix + "B"]
    return {k: full[k].clone() for k in keys}


def load_adapters(model, state):
    current = adapter_state_dict(model)
    missing = [k for k in current if k not in state]
    unexpected = [k for k in state if k not in current]
    shapes = [k for k in current if k in state and tuple(current[k].shape) != tuple(state[k].shape)]
    if missing or unexpected or shapes:
        raise ValueError(f"missing {missing}, unexpected {unexpected}, shapes {shapes}")
    model.load_state_dict(dict(state), strict=False)


def quantize_int8(weight, limit=None):
    w = weight.detach()
    top = w.abs().max(dim=1).values
    if limit is not None:
        top = torch.minimum(top, torch.as_tensor(limit, dtype=w.dtype, device=w.device))
    scales = torch.where(top == 0, torch.ones_like(top), top / 127)
    q = torch.clamp(torch.round(w / scales.unsqueeze(-1)), min=-127, max=127)
    return q.char(), scales


def dequantize(quantized, scales):
    return torch.einsum("oi,o->oi", quantized.to(scales.dtype), scales)


class QLoRALinear(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        q, s = quantize_int8(linear.weight.data)
        self.register_buffer("quantized", q)
        self.register_buffer("scales", s)
        self.register_buffer("bias", linear.bias.data.clone() if linear.bias is not None else None)
        self.lora = LoRALayer(q.shape[1], q.shape[0], rank, alpha, dropout).to(linear.weight)
        self.train(linear.training)

    def forward(self, x):
        y = F.linear(x, dequantize(self.quantized, self.scales), self.bias)
        return y + self.lora(x)


def dora_weight(weight, a, b, scale, magnitude):
    v = weight + scaled_delta(a, b, scale)
    return F.normalize(v, dim=1) * magnitude[:, None]


def lora_plus_groups(model, lr, ratio=16.0):
    fast = {id(m.B) for m in model.modules() if isinstance(m, LoRALayer)}
    groups = [{"params": [], "lr": lr}, {"params": [], "lr": lr * ratio}]
    for p in model.parameters():
        if p.requires_grad:
            groups[id(p) in fast]["params"].append(p)
    return groups
