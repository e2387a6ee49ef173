"""Right program in the style kept_weights: merge keeps the old weight, unmerge puts it back; recursion for models."""

import copy
import math

import torch
from torch import nn


class LoRALayer(nn.Module):
    def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
        if rank <= 0:
            raise ValueError(rank)
        super().__init__()
        self.A = nn.Parameter(torch.zeros(in_dim, rank))
        self.B = nn.Parameter(torch.zeros(rank, out_dim))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
        self.factor = float(alpha) / float(rank)
        self.drop = nn.Dropout(p=dropout) if dropout else nn.Identity()

    def forward(self, x):
        low = torch.matmul(self.drop(x), self.A * self.factor)
        return torch.matmul(low, self.B)


class LinearWithLoRA(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        self.linear = linear
        self.linear.weight.requires_grad = False
        if self.linear.bias is not None:
            self.linear.bias.requires_grad = False
        layer = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout)
        self.lora = layer.to(linear.weight.device).to(linear.weight.dtype)
        self._before = None
        self.train(linear.training)

    @property
    def merged(self):
        return self._before is not None

    def forward(self, x):
        return self.linear(x) if self.merged else self.lora(x) + self.linear(x)

    def merge(self):
        if self.merged:
            return
        weight = self.linear.weight
        self._before = weight.data.clone()
        weight.data = weight.data + self.lora.factor * (self.lora.B.data.t() @ self.lora.A.data.t())

    def unmerge(self):
        if not self.merged:
            return
        self.linear.weight.data = self._before
        self._before = None


def adapter_size(in_dim, out_dim, rank):
    return sum(p.numel() for p in LoRALayer(in_dim, out_dim, rank, 1).parameters())


def freeze(model):
    for module in model.modules():
        for parameter in module._parameters.values():
            if parameter is not None:
                parameter.requires_grad = False


def count_trainable(model):
    unique = {}
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad:
                unique[id(parameter)] = math.prod(parameter.shape)
    return sum(unique.values())


def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
    if isinstance(model, nn.Linear):
        raise ValueError("the model is a linear layer")
    chosen = targets if targets is None else tuple(targets)
    done = {}
    return sorted(walk(model, "", rank, alpha, chosen, dropout, done))


def walk(module, path, rank, alpha, chosen, dropout, done):
    if isinstance(module, LinearWithLoRA) and module not in done.values():
        return
    for name in list(module._modules):
        child = module._modules[name]
        where = name if path == "" else path + "." + name
        if child is None:
            continue
        if child in done.values():
            yield where
        elif isinstance(child, nn.Linear) and (chosen is None or name in chosen):
            if child not in done:
                done[child] = LinearWithLoRA(child, rank, alpha, dropout)
            module._modules[name] = done[child]
            yield where
        elif not isinstance(child, nn.Linear):
            yield from walk(child, where, rank, alpha, chosen, dropout, done)


def adapter_state_dict(model):
    found = {}

    def visit(module, path):
        if isinstance(module, LoRALayer):
            for name, parameter in module._parameters.items():
                found[path + name] = copy.deepcopy(parameter.data)
        for name, child in module._modules.items():
            if child is not None:
                visit(child, path + name + ".")

    visit(model, "")
    return found


def load_adapters(model, state):
    have = adapter_state_dict(model)
    bad = {key for key in have if key not in state} | {key for key in state if key not in have}
    bad |= {key for key in have if key in state and have[key].shape != state[key].shape}
    if bad:
        raise ValueError("these keys do not fit: " + " ".join(sorted(bad)))
    for key in have:
        path, _, name = key.rpartition(".")
        getattr(model.get_submodule(path), name).data[...] = state[key]


def quantize_int8(weight, limit=None):
    data = weight.detach().clone()
    magnitudes = data.abs().amax(1, keepdim=True)
    if limit is not None:
        magnitudes.clamp_(max=limit)
        data.clamp_(-limit, limit)
    magnitudes[magnitudes == 0] = 127
    scales = magnitudes / 127
    return data.div_(scales).round_().clamp_(-127, 127).to(torch.int8), scales.squeeze(1)


def dequantize(quantized, scales):
    return (quantized.t() * scales).t()


class QLoRALinear(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        for name, value in zip(("quantized", "scales"), quantize_int8(linear.weight)):
            self.register_buffer(name, value)
        self.register_buffer("bias", None)
        if linear.bias is not None:
            self.bias = linear.bias.data.clone()
        layer = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout)
        self.lora = layer.to(linear.weight.device).to(linear.weight.dtype)
        self.train(linear.training)

    def forward(self, x):
        y = x @ dequantize(self.quantized, self.scales).t() + self.lora(x)
        return y if self.bias is None else y + self.bias


def dora_weight(weight, a, b, scale, magnitude):
    adapted = weight + scale * (b.t() @ a.t())
    rows = [m * row / torch.sqrt(torch.sum(row**2)) for m, row in zip(magnitude, adapted)]
    return torch.stack(rows)


def lora_plus_groups(model, lr, ratio=16.0):
    quick, slow = [], []
    quick_ids = set()
    for module in model.modules():
        if isinstance(module, LoRALayer) and module.B.requires_grad:
            if id(module.B) not in quick_ids:
                quick.append(module.B)
                quick_ids.add(id(module.B))
    for parameter in model.parameters():
        if parameter.requires_grad and id(parameter) not in quick_ids:
            slow.append(parameter)
    return [dict(params=slow, lr=lr), dict(params=quick, lr=ratio * lr)]
