"""Right program in the style one_product: forward adds the update to the weight first, for adapters on their own too."""

import torch
from torch import nn
from torch.nn import functional


class LoRALayer(nn.Module):
    def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
        super().__init__()
        if rank < 1:
            raise ValueError("the rank must be positive")
        self.alpha_over_rank = alpha / rank
        self.dropout = dropout
        bound = 1 / rank**0.5
        self.A = nn.Parameter(torch.rand(in_dim, rank) * 2 * bound - bound)
        self.B = nn.Parameter(torch.zeros(rank, out_dim))

    @property
    def weight(self):
        return self.alpha_over_rank * torch.matmul(self.B.mT, self.A.mT)

    def forward(self, x):
        if self.training and self.dropout:
            keep = 1 - self.dropout
            x = x * torch.bernoulli(torch.full_like(x, keep)) / keep
        return functional.linear(x, self.weight)


class LinearWithLoRA(nn.Module):
    merged: bool

    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        self.add_module("linear", linear)
        self.add_module("lora", like(linear, rank, alpha, dropout))
        linear.requires_grad_(False)
        self.merged = False
        self.train(linear.training)

    def forward(self, x):
        result = self.linear(x)
        if not self.merged:
            result = self.lora(x) + result
        return result

    def merge(self):
        if self.merged is False:
            self.linear.weight.data += self.lora.weight.detach()
            self.merged = True

    def unmerge(self):
        if self.merged is True:
            self.linear.weight.data -= self.lora.weight.detach()
            self.merged = False


def like(linear, rank, alpha, dropout):
    out_dim, in_dim = linear.weight.shape
    made = LoRALayer(in_dim, out_dim, rank, alpha, dropout)
    made.to(linear.weight.device, linear.weight.dtype)
    return made


def adapter_size(in_dim, out_dim, rank):
    return (in_dim + out_dim) * rank


def freeze(model):
    model.requires_grad_(False)


def count_trainable(model):
    total = 0
    for parameter in set(model.parameters()):
        total += parameter.nelement() * int(parameter.requires_grad)
    return total


def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
    if isinstance(model, nn.Linear):
        raise ValueError("a bare linear layer has no parent")
    wanted = set(targets) if targets is not None else None
    jobs = []
    stack = [("", model)]
    while stack:
        path, parent = stack.pop()
        for name, child in parent._modules.items():
            if child is None or isinstance(parent, LinearWithLoRA):
                continue
            stack.append((path + name + ".", child))
            if isinstance(child, nn.Linear) and (wanted is None or name in wanted):
                jobs.append((path + name, parent, name, child))
    table = {}
    for _, parent, name, child in jobs:
        if id(child) not in table:
            table[id(child)] = LinearWithLoRA(child, rank, alpha, dropout)
        parent.register_module(name, table[id(child)])
    return sorted(path for path, _, _, _ in jobs)


def owners(model):
    for path, part in model.named_modules(remove_duplicate=False):
        if isinstance(part, LoRALayer):
            for name in ("A", "B"):
                yield ".".join(filter(None, (path, name))), getattr(part, name)


def adapter_state_dict(model):
    with torch.no_grad():
        return {key: value.clone() for key, value in owners(model)}


def load_adapters(model, state):
    table = dict(owners(model))
    problems = []
    for key in sorted(set(table) | set(state)):
        if key not in state:
            problems.append("missing " + key)
        elif key not in table:
            problems.append("unexpected " + key)
        elif state[key].size() != table[key].size():
            problems.append("another shape: " + key)
    if problems:
        raise ValueError("\n".join(problems))
    for key, value in table.items():
        value.data.copy_(state[key].detach())


def quantize_int8(weight, limit=None):
    rows = weight.detach()
    top = torch.linalg.vector_norm(rows, float("inf"), dim=1)
    if limit is not None:
        top = top.clamp(max=limit)
    scales = top / 127
    scales = scales + (scales == 0).to(scales.dtype)
    whole = torch.round(rows / scales[..., None])
    whole = torch.where(whole > 127, 127, torch.where(whole < -127, -127, whole))
    return whole.to(torch.int8), scales


def dequantize(quantized, scales):
    return torch.diag(scales) @ quantized.to(scales.dtype)


class QLoRALinear(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        quantized, scales = quantize_int8(linear.weight)
        self.register_buffer("quantized", quantized)
        self.register_buffer("scales", scales)
        bias = linear.bias
        self.register_buffer("bias", bias if bias is None else bias.detach().clone())
        self.lora = like(linear, rank, alpha, dropout)
        self.train(linear.training)

    def forward(self, x):
        # the scales belong to outputs: they can be applied to the result of the product as well
        y = (x @ self.quantized.to(x.dtype).mT) * self.scales
        if self.bias is not None:
            y = y + self.bias
        return y + self.lora(x)


def dora_weight(weight, a, b, scale, magnitude):
    direction = torch.addmm(weight, b.mT, a.mT, alpha=scale)
    length = torch.linalg.norm(direction, dim=-1, keepdim=True)
    return direction / length * magnitude.unsqueeze(-1)


def lora_plus_groups(model, lr, ratio=16.0):
    fast = [value for key, value in dict(owners(model)).items() if key.endswith("B") and value.requires_grad]
    fast = list({id(value): value for value in fast}.values())
    rest = [value for value in model.parameters() if value.requires_grad and all(value is not one for one in fast)]
    return [{"params": rest, "lr": lr}, {"params": fast, "lr": ratio * lr}]
