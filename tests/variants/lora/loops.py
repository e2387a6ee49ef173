"""Right program in the style loops: one rank at a time, one row at a time, nothing clever."""

import torch
from torch import nn


class LoRALayer(nn.Module):
    def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
        super().__init__()
        if rank < 1:
            raise ValueError("rank must be 1 or more")
        self.in_dim = in_dim
        self.out_dim = out_dim
        self.rank = rank
        self.alpha = alpha
        self.dropout = nn.Dropout(dropout)
        self.A = nn.Parameter(torch.randn(in_dim, rank) * 0.1)
        self.B = nn.Parameter(torch.zeros(rank, out_dim))

    def forward(self, x):
        x = self.dropout(x)
        result = torch.zeros(*x.shape[:-1], self.out_dim, dtype=x.dtype, device=x.device)
        for r in range(self.rank):
            hidden = (x * self.A[:, r]).sum(-1, keepdim=True)
            result = result + hidden * self.B[r]
        return result * self.alpha / self.rank

    def add_to(self, weight, sign):
        for r in range(self.rank):
            for o in range(self.out_dim):
                weight[o] += sign * self.alpha / self.rank * self.B[r, o] * self.A[:, r]


class LinearWithLoRA(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        self.linear = linear
        self.lora = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout)
        self.lora.to(dtype=linear.weight.dtype, device=linear.weight.device)
        self.merged = False
        freeze(self.linear)
        if linear.training:
            self.train()
        else:
            self.eval()

    def forward(self, x):
        if self.merged:
            return self.linear(x)
        else:
            return self.linear(x) + self.lora(x)

    def merge(self):
        if not self.merged:
            with torch.no_grad():
                self.lora.add_to(self.linear.weight, 1)
            self.merged = True

    def unmerge(self):
        if self.merged:
            with torch.no_grad():
                self.lora.add_to(self.linear.weight, -1)
            self.merged = False


def adapter_size(in_dim, out_dim, rank):
    size_of_a = in_dim * rank
    size_of_b = rank * out_dim
    return size_of_a + size_of_b


def freeze(model):
    for name, parameter in model.named_parameters():
        parameter.requires_grad = False


def count_trainable(model):
    count = 0
    seen = []
    for parameter in model.parameters():
        if any(parameter is other for other in seen):
            continue
        seen.append(parameter)
        if parameter.requires_grad:
            count += parameter.numel()
    return count


def places_of(model, prefix=""):
    """Return (qualified name, parent, name) of every layer that may be replaced."""
    places = []
    if isinstance(model, LinearWithLoRA):
        return places
    for name in model._modules:
        child = model._modules[name]
        if isinstance(child, nn.Linear):
            places.append((prefix + name, model, name))
        elif child is not None:
            places.extend(places_of(child, prefix + name + "."))
    return places


def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
    if isinstance(model, nn.Linear):
        raise ValueError("cannot replace a model that is an nn.Linear")
    if targets is not None:
        targets = [target for target in targets]
    old_layers = []
    new_layers = []
    names = []
    for qualified, parent, name in places_of(model):
        if targets is not None and name not in targets:
            continue
        names.append(qualified)
        layer = parent._modules[name]
        if isinstance(layer, LinearWithLoRA):  # its parent was met before, under another name
            continue
        for old, new in zip(old_layers, new_layers):
            if layer is old:
                parent._modules[name] = new
                break
        else:
            new = LinearWithLoRA(layer, rank, alpha, dropout)
            old_layers.append(layer)
            new_layers.append(new)
            parent._modules[name] = new
    return sorted(names)


def adapter_state_dict(model):
    state = {}
    for name, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, LoRALayer):
            start = "" if name == "" else name + "."
            state[start + "A"] = module.A.data.clone()
            state[start + "B"] = module.B.data.clone()
    return state


def load_adapters(model, state):
    mine = adapter_state_dict(model)
    errors = []
    for key in mine:
        if key not in state:
            errors.append("missing: " + key)
        elif list(mine[key].shape) != list(state[key].shape):
            errors.append("shape: " + key)
    for key in state:
        if key not in mine:
            errors.append("unexpected: " + key)
    if len(errors) > 0:
        raise ValueError(str(errors))
    for name, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, LoRALayer):
            start = "" if name == "" else name + "."
            with torch.no_grad():
                module.A.copy_(state[start + "A"])
                module.B.copy_(state[start + "B"])


def quantize_int8(weight, limit=None):
    weight = weight.detach()
    quantized = torch.zeros(weight.shape, dtype=torch.int8, device=weight.device)
    scales = torch.ones(weight.shape[0], dtype=weight.dtype, device=weight.device)
    for i in range(weight.shape[0]):
        largest = weight[i].abs().max()
        if limit is not None:
            largest = largest.clamp(max=limit)
        if largest > 0:
            scales[i] = largest / 127
        for j in range(weight.shape[1]):
            step = round((weight[i, j] / scales[i]).item())  # Python rounds halves to the even number too
            quantized[i, j] = max(-127, min(127, step))
    return quantized, scales


def dequantize(quantized, scales):
    weight = torch.empty(quantized.shape, dtype=scales.dtype, device=scales.device)
    for i in range(len(scales)):
        weight[i] = quantized[i] * scales[i]
    return weight


class QLoRALinear(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        quantized, scales = quantize_int8(linear.weight)
        self.register_buffer("quantized", quantized)
        self.register_buffer("scales", scales)
        if linear.bias is None:
            self.register_buffer("bias", None)
        else:
            self.register_buffer("bias", linear.bias.detach().clone())
        self.lora = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout)
        self.lora.to(dtype=linear.weight.dtype, device=linear.weight.device)
        if linear.training:
            self.train()
        else:
            self.eval()

    def forward(self, x):
        weight = dequantize(self.quantized, self.scales)
        columns = []
        for o in range(weight.shape[0]):
            columns.append((x * weight[o]).sum(-1))
        y = torch.stack(columns, -1)
        if self.bias is not None:
            y = y + self.bias
        return y + self.lora(x)


def dora_weight(weight, a, b, scale, magnitude):
    rows = []
    for o in range(weight.shape[0]):
        row = weight[o]
        for r in range(a.shape[1]):
            row = row + scale * b[r, o] * a[:, r]
        length = (row * row).sum() ** 0.5
        rows.append(magnitude[o] * row / length)
    return torch.stack(rows, 0)


def lora_plus_groups(model, lr, ratio=16.0):
    b_of_adapters = []
    for module in model.modules():
        if isinstance(module, LoRALayer):
            b_of_adapters.append(module.B)
    first = []
    second = []
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        if any(parameter is b for b in b_of_adapters):
            second.append(parameter)
        else:
            first.append(parameter)
    return [{"params": first, "lr": lr}, {"params": second, "lr": ratio * lr}]
