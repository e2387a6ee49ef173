"""Right program in the style autograd_function: hand-written backward passes, numpy for start values."""

import math

import numpy as np
import torch
from torch import nn


class LowRank(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, a, b, factor):
        hidden = x @ a
        ctx.save_for_backward(x, hidden, a, b)
        ctx.factor = factor
        return factor * (hidden @ b)

    @staticmethod
    def backward(ctx, grad):
        x, hidden, a, b = ctx.saved_tensors
        grad = grad * ctx.factor
        into_hidden = grad @ b.t()
        to_a = x.reshape(-1, x.shape[-1]).t() @ into_hidden.reshape(-1, a.shape[1])
        to_b = hidden.reshape(-1, a.shape[1]).t() @ grad.reshape(-1, b.shape[1])
        return into_hidden @ a.t(), to_a, to_b, None


class RowLength(torch.autograd.Function):
    @staticmethod
    def forward(ctx, rows):
        length = rows.pow(2).sum(1, keepdim=True).sqrt()
        ctx.save_for_backward(rows, length)
        return rows / length

    @staticmethod
    def backward(ctx, grad):
        rows, length = ctx.saved_tensors
        unit = rows / length
        return (grad - unit * (grad * unit).sum(1, keepdim=True)) / length


class LoRALayer(nn.Module):
    def __init__(self, in_dim, out_dim, rank, alpha, dropout=0.0):
        super().__init__()
        if rank < 1:
            raise ValueError("rank")
        self.p = dropout
        self.factor = alpha / rank
        self.A = nn.Parameter(
            torch.from_numpy(np.random.default_rng().normal(0, 1 / math.sqrt(rank), (in_dim, rank))).float()
        )
        self.B = nn.Parameter(torch.zeros(rank, out_dim))

    def forward(self, x):
        if self.training and self.p > 0:
            gone = torch.rand(x.shape, device=x.device) < self.p
            x = x.masked_fill(gone, 0) / (1 - self.p)
        return LowRank.apply(x, self.A, self.B, self.factor)


class LinearWithLoRA(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        self.linear = linear
        self.linear.requires_grad_(False)
        self.lora = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout).to(linear.weight)
        self.merged = False
        self.train(linear.training)

    def forward(self, x):
        return self.linear(x) + (0 if self.merged else self.lora(x))

    def merge(self):
        if not self.merged:
            torch.addmm(self.weight, self.b_t, self.a_t, alpha=self.lora.factor, out=self.weight)
        self.merged = True

    def unmerge(self):
        if self.merged:
            torch.addmm(self.weight, self.b_t, self.a_t, alpha=-self.lora.factor, out=self.weight)
        self.merged = False

    @property
    def weight(self):
        return self.linear.weight.data

    @property
    def a_t(self):
        return self.lora.A.data.t()

    @property
    def b_t(self):
        return self.lora.B.data.t()


def adapter_size(in_dim, out_dim, rank):
    return rank * in_dim + rank * out_dim


def freeze(model):
    list(map(lambda parameter: parameter.requires_grad_(False), model.parameters()))


def count_trainable(model):
    return int(
        np.sum([np.prod(p.shape, dtype=np.int64) for p in model.parameters() if p.requires_grad], dtype=np.int64)
    )


def replace_linear_with_lora(model, rank, alpha, targets=None, dropout=0.0):
    if isinstance(model, nn.Linear):
        raise ValueError("nothing to hang an adapter on")
    wanted = {*targets} if targets is not None else None
    places = {}
    for path, module in model.named_modules(remove_duplicate=False):
        if not isinstance(module, LinearWithLoRA):
            for name, child in module._modules.items():
                if isinstance(child, nn.Linear):
                    if wanted is None or name in wanted:
                        places[f"{path}.{name}" if path else name] = (module, name, child)
    memo = {}
    for module, name, child in places.values():
        memo.setdefault(id(child), None)
        if memo[id(child)] is None:
            memo[id(child)] = LinearWithLoRA(child, rank, alpha, dropout)
        module._modules[name] = memo[id(child)]
    return sorted(places.keys())


def adapter_state_dict(model):
    state = type(model.state_dict())()
    for path, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, LoRALayer):
            for name, tensor in module.state_dict(prefix=path + "." if path else "").items():
                state[name] = tensor.clone()
    return state


def load_adapters(model, state):
    have = adapter_state_dict(model)
    missing, unexpected = have.keys() - state.keys(), state.keys() - have.keys()
    other = {key for key in have.keys() & state.keys() if have[key].shape != state[key].shape}
    if missing or unexpected or other:
        raise ValueError(f"missing {missing or 0}, unexpected {unexpected or 0}, shape {other or 0}")
    result = model.load_state_dict(state, strict=False)
    assert not result.unexpected_keys


def quantize_int8(weight, limit=None):
    data = weight.detach().t()  # the rows of the task are columns here
    largest = torch.linalg.norm(data, ord=math.inf, dim=0)
    if limit is not None:
        largest = torch.fmin(largest, largest.new_full((), limit))
    scales = (largest / 127).masked_fill(largest == 0, 1)
    whole = torch.special.round(data / scales).clip(-127, 127)
    return whole.to(torch.int8).t().contiguous(), scales


def dequantize(quantized, scales):
    return quantized.to(scales.dtype).mul(scales.view(-1, 1))


class QLoRALinear(nn.Module):
    def __init__(self, linear, rank, alpha, dropout=0.0):
        super().__init__()
        quantized, scales = quantize_int8(linear.weight)
        self.register_buffer("quantized", quantized)
        self.register_buffer("scales", scales)
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().clone())
        self.lora = LoRALayer(linear.in_features, linear.out_features, rank, alpha, dropout).to(linear.weight)
        self.train(linear.training)

    def forward(self, x):
        y = torch.matmul(x, dequantize(self.quantized, self.scales).t())
        return (y if self.bias is None else y + self.bias) + self.lora(x)


def dora_weight(weight, a, b, scale, magnitude):
    return magnitude[:, None] * RowLength.apply(
        weight + LowRank.apply(torch.eye(len(a), dtype=a.dtype, device=a.device), a, b, scale).t()
    )


def lora_plus_groups(model, lr, ratio=16.0):
    of_b = {id(m.B) for m in model.modules() if isinstance(m, LoRALayer)}
    trainable = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trainable if (id(p) in of_b) == fast], "lr": lr * (ratio if fast else 1)}
        for fast in (False, True)
    ]
