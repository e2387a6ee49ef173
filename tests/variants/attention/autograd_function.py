"""Right program in the style autograd_function: softmax and rope with hand-written backward passes."""

import math
from typing import Any

import torch
from torch import Tensor, nn


class Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Tensor:
        top = x.amax(dim, keepdim=True)
        top[top == -math.inf] = 0
        p = torch.exp(x - top)
        total = p.sum(dim, keepdim=True)
        total[total == 0] = 1
        p /= total
        ctx.save_for_backward(p)
        ctx.dim = dim
        return p

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (p,) = ctx.saved_tensors
        return p * (grad - (p * grad).sum(ctx.dim, keepdim=True)), None


def widen(x: Tensor) -> Tensor:
    return x.to(torch.float32) if x.dtype in {torch.half, torch.bfloat16} else x


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    return Softmax.apply(widen(x), dim).to(x.dtype)


def causal_mask(query_len, key_len, device=None):
    return sliding_window_mask(query_len, key_len, key_len, device)


def sliding_window_mask(query_len, key_len, window, device=None):
    mask = torch.zeros(query_len, key_len, dtype=torch.bool, device=device)
    for back in range(window):
        offset = key_len - query_len - back
        if offset > -query_len:
            mask.diagonal(offset).fill_(True)
    return mask


class Scores:
    """Scores that are hidden step by step."""

    def __init__(self, query: Tensor, key: Tensor) -> None:
        self.values = torch.matmul(widen(query), widen(key).mT).mul(query.shape[-1] ** -0.5)

    def hide(self, hidden: Tensor) -> None:
        self.values = self.values.masked_fill(hidden, -math.inf)

    def mix(self, value: Tensor) -> Tensor:
        return softmax(self.values).matmul(widen(value))


def attention(query, key, value, mask=None, causal=False, key_mask=None):
    scores = Scores(query, key)
    if mask is not None:
        scores.hide(mask.logical_not())
    if causal:
        scores.hide(causal_mask(query.shape[-2], key.shape[-2], query.device).logical_not())
    if key_mask is not None:
        hidden = key_mask.logical_not()[:, None]
        for _ in range(query.dim() - 3):
            hidden = hidden[:, None]
        scores.hide(hidden)
    return scores.mix(value).to(query.dtype)


class Projection(nn.Linear):
    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, bias=False)


class Head(nn.Module):
    def __init__(self, d_model, head_dim):
        super().__init__()
        self.query = Projection(d_model, head_dim)
        self.key = Projection(d_model, head_dim)
        self.value = Projection(d_model, head_dim)

    def forward(self, x, causal=True, key_mask=None):
        return attention(self.query(x), self.key(x), self.value(x), causal=causal, key_mask=key_mask)


def split_heads(x, num_heads):
    if x.shape[2] % num_heads:
        raise ValueError("num_heads")
    return x.reshape(x.shape[0], x.shape[1], num_heads, -1).swapaxes(1, 2)


def join_heads(x):
    return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


def grouped_query_attention(query, key, value, causal=False, key_mask=None):
    if query.shape[1] % key.shape[1]:
        raise ValueError("heads")
    groups = key.shape[1]
    results = [
        attention(
            q,
            k.expand(-1, q.shape[1], -1, -1),
            v.expand(-1, q.shape[1], -1, -1),
            causal=causal,
            key_mask=key_mask,
        )
        for q, k, v in zip(query.chunk(groups, 1), key.chunk(groups, 1), value.chunk(groups, 1))
    ]
    return torch.cat(results, 1)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads=None):
        super().__init__()
        num_kv_heads = num_kv_heads if num_kv_heads is not None else num_heads
        if d_model % num_heads != 0 or num_heads % num_kv_heads != 0:
            raise ValueError("sizes")
        self.counts = {"query": num_heads, "key": num_kv_heads, "value": num_kv_heads}
        for name, count in self.counts.items():
            self.add_module(name, Projection(d_model, count * (d_model // num_heads)))
        self.out = Projection(d_model, d_model)

    def forward(self, x, causal=True, key_mask=None):
        heads = [split_heads(self.get_submodule(name)(x), count) for name, count in self.counts.items()]
        return self.out(join_heads(grouped_query_attention(*heads, causal, key_mask)))


def attention_dropout(weights, p, training):
    if not training:
        return weights
    factors = torch.zeros_like(weights)
    if p < 1:
        factors[torch.rand(weights.shape, device=weights.device) >= p] = 1 / (1 - p)
    return weights * factors


class Rotation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return Rotation.turn(x, cos, sin)

    @staticmethod
    def turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        y = torch.empty_like(x)
        y[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
        y[..., 1::2] = x[..., 1::2] * cos + x[..., 0::2] * sin
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return Rotation.turn(grad, cos, -sin), None, None  # the inverse of a rotation is its transpose


def rope(x, positions, base=10000.0):
    half, odd = divmod(x.shape[-1], 2)
    if odd:
        raise ValueError("head_dim")
    powers = torch.tensor([base ** (-i / half) for i in range(half)], dtype=torch.float64, device=x.device)
    angles = positions.to(torch.float64)[..., None] * powers
    wide = widen(x)
    return Rotation.apply(wide, angles.cos().to(wide.dtype), angles.sin().to(wide.dtype)).to(x.dtype)


def sinusoidal_positions(length, d_model, base=10000.0):
    columns = []
    places = torch.arange(length, dtype=torch.float32)
    for feature in range(d_model):
        function = torch.cos if feature % 2 else torch.sin
        columns.append(function(places / base ** (feature // 2 * 2 / d_model)))
    return torch.stack(columns, 1)


def online_attention(query, key, value, block_size, causal=False):
    """Two passes: first the maximum of each query over all blocks, then the sums."""
    q, shift = widen(query) * query.shape[-1] ** -0.5, key.shape[-2] - query.shape[-2]
    starts = range(0, key.shape[-2], block_size)

    def scores(start):
        found = q @ widen(key[..., start : start + block_size, :]).mT
        if not causal:
            return found
        rows = torch.arange(query.shape[-2], device=q.device)[:, None] + shift
        columns = torch.arange(found.shape[-1], device=q.device) + start
        return found.masked_fill(columns > rows, -math.inf)

    top = None
    with torch.no_grad():
        for start in starts:
            here = scores(start).amax(-1, keepdim=True)
            top = here if top is None else torch.maximum(top, here)
        top = torch.where(top == -math.inf, torch.zeros_like(top), top)
    total = mixed = 0
    for start in starts:
        e = torch.exp(scores(start) - top)
        total = total + e.sum(-1, keepdim=True)
        mixed = mixed + e @ widen(value[..., start : start + block_size, :])
    return (mixed / torch.where(total == 0, torch.ones_like(total), total)).to(query.dtype)
