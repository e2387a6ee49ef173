"""Right program in the style recursive: halves are computed by themselves and merged; rotations are matrices."""

import functools
import math

import numpy as np
import torch
from torch import Tensor, nn


def full(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def merge(left, right):
    """Merge two triples (maximum, sum of exponentials, mix of values)."""
    (m1, s1, y1), (m2, s2, y2) = left, right
    m = torch.maximum(m1, m2)
    a, b = scale(m1, m), scale(m2, m)
    return m, s1 * a + s2 * b, y1 * a + y2 * b


def scale(old, new):
    unseen = new == -math.inf
    return torch.where(unseen, torch.ones_like(new), torch.exp(old - torch.where(unseen, torch.zeros_like(new), new)))


def leaf(scores, values):
    m = scores.detach().amax(-1, keepdim=True)
    hidden = scores == -math.inf
    finite = torch.where(hidden, m, scores) - torch.where(m == -math.inf, torch.zeros_like(m), m)
    e = torch.where(hidden, torch.zeros_like(scores), torch.exp(finite))
    return m, e.sum(-1, keepdim=True), e @ values


def finish(triple):
    _, s, y = triple
    return y / torch.where(s == 0, torch.ones_like(s), s)


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    z = full(x).movedim(dim, -1)
    m = reduce_halves(torch.maximum, z.detach())
    e = torch.where(
        m == -math.inf, torch.zeros_like(z), (z - torch.where(m == -math.inf, torch.zeros_like(m), m))
    ).exp()
    e = torch.where(z == -math.inf, torch.zeros_like(e), e)
    s = reduce_halves(torch.add, e)
    return (e / torch.where(s == 0, torch.ones_like(s), s)).movedim(-1, dim).to(x.dtype)


def reduce_halves(operation, z):
    n = z.shape[-1]
    if n == 1:
        return z
    return operation(reduce_halves(operation, z[..., : n // 2]), reduce_halves(operation, z[..., n // 2 :]))


def causal_mask(query_len, key_len, device=None):
    place = np.arange(query_len)[:, None] + key_len - query_len
    return torch.from_numpy(np.arange(key_len)[None, :] <= place).to(device or "cpu")


def sliding_window_mask(query_len, key_len, window, device=None):
    if window >= key_len:
        return causal_mask(query_len, key_len, device)
    causal = causal_mask(query_len, key_len, device)
    # what is seen, but not what is still seen `window` keys further on
    older = torch.cat([causal[:, window:], torch.zeros_like(causal[:, :window])], 1)
    return causal & ~older


def attention(query, key, value, mask=None, causal=False, key_mask=None):
    if query.dim() > 3 or (query.dim() == 3 and mask is not None):
        # one element of the first axis after the other
        lead = query.shape[:-2]
        if mask is not None:
            mask = mask.expand(*lead, query.shape[-2], key.shape[-2])
        results = []
        for n in range(len(query)):
            inner = None if mask is None else mask[n]
            if key_mask is not None:
                real = key_mask[n].expand(*lead[1:], query.shape[-2], key.shape[-2])
                inner = real if inner is None else inner & real
            results.append(attention(query[n], key[n], value[n], inner, causal))
        return torch.stack(results)
    allowed = torch.ones(*query.shape[:-1], key.shape[-2], dtype=torch.bool, device=query.device)
    for given in (mask, None if key_mask is None else key_mask[:, None, :]):
        allowed = allowed if given is None else allowed & given
    if causal:
        allowed = allowed & causal_mask(query.shape[-2], key.shape[-2], query.device)
    scores = full(query) @ full(key).transpose(-2, -1) / math.sqrt(key.shape[-1])
    scores = torch.where(allowed, scores, torch.full_like(scores, -math.inf))
    return finish(leaf(scores, full(value))).to(query.dtype)


class Head(nn.Module):
    def __init__(self, d_model, head_dim):
        super().__init__()
        linear = functools.partial(nn.Linear, d_model, head_dim, bias=False)
        self.query, self.key, self.value = linear(), linear(), linear()

    def forward(self, x, causal=True, key_mask=None):
        return attention(self.query(x), self.key(x), self.value(x), None, causal, key_mask)


def split_heads(x, num_heads):
    if x.shape[-1] % num_heads:
        raise ValueError("d_model, num_heads")
    size = x.shape[-1] // num_heads
    order = torch.arange(x.shape[-1], device=x.device).reshape(num_heads, size)
    return x[:, :, order].transpose(1, 2)


def join_heads(x):
    if x.shape[1] == 1:
        return x[:, 0]
    return torch.cat([x[:, 0], join_heads(x[:, 1:])], dim=-1)


def grouped_query_attention(query, key, value, causal=False, key_mask=None):
    if query.shape[1] % key.shape[1]:
        raise ValueError("query heads, key heads")
    if key.shape[1] > 1:
        group = query.shape[1] // key.shape[1]
        first = grouped_query_attention(query[:, :group], key[:, :1], value[:, :1], causal, key_mask)
        rest = grouped_query_attention(query[:, group:], key[:, 1:], value[:, 1:], causal, key_mask)
        return torch.cat([first, rest], dim=1)
    return torch.stack(
        [attention(one, key[:, 0], value[:, 0], None, causal, key_mask) for one in query.unbind(1)], dim=1
    )


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads=None):
        super().__init__()
        self.heads = (num_heads, num_kv_heads or num_heads, num_kv_heads or num_heads)
        if d_model % num_heads or num_heads % self.heads[1]:
            raise ValueError("d_model, num_heads, num_kv_heads")
        widths = [d_model // num_heads * count for count in self.heads]
        self.query, self.key, self.value = [nn.Linear(d_model, width, bias=False) for width in widths]
        self.out = nn.Linear(d_model, d_model, bias=False)

    def forward(self, x, causal=True, key_mask=None):
        parts = [
            split_heads(layer(x), count)
            for layer, count in zip((self.query, self.key, self.value), self.heads, strict=True)
        ]
        return self.out(join_heads(grouped_query_attention(*parts, causal=causal, key_mask=key_mask)))


def attention_dropout(weights, p, training):
    if not training or p == 0.0:
        return weights
    if p == 1.0:
        return torch.zeros_like(weights) * weights
    gone = torch.rand(weights.shape, device=weights.device).lt(p)
    return torch.where(gone, torch.zeros_like(weights), weights / (1.0 - p))


def rope(x, positions, base=10000.0):
    if x.shape[-1] % 2:
        raise ValueError("head_dim")
    z = full(x)
    pairs = z.shape[-1] // 2
    rates = torch.tensor([float(base) ** (-i / pairs) for i in range(pairs)], dtype=torch.float64, device=x.device)
    angles = positions.double()[..., None] * rates
    cos, sin = torch.cos(angles).to(z.dtype), torch.sin(angles).to(z.dtype)
    matrices = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    turned = (matrices * z.unflatten(-1, (pairs, 1, 2))).sum(-1)
    return turned.flatten(-2).to(x.dtype)


def sinusoidal_positions(length, d_model, base=10000.0):
    place = np.arange(length)[:, None]
    feature = np.arange(d_model)[None, :]
    angle = place / np.power(base, 2 * (feature // 2) / d_model)
    table = np.where(feature % 2 == 0, np.sin(angle), np.cos(angle))
    return torch.from_numpy(table.astype(np.float32))


def online_attention(query, key, value, block_size, causal=False):
    q = full(query) / math.sqrt(query.shape[-1])
    key_len = key.shape[-2]

    def between(start, stop):
        if stop - start <= block_size:
            scores = q @ full(key[..., start:stop, :]).mT
            if causal:
                own = torch.arange(q.shape[-2], device=q.device)[:, None] + key_len - q.shape[-2]
                seen = torch.arange(start, stop, device=q.device) <= own
                scores = torch.where(seen, scores, torch.full_like(scores, -math.inf))
            return leaf(scores, full(value[..., start:stop, :]))
        middle = (start + stop) // 2
        return merge(between(start, middle), between(middle, stop))

    return finish(between(0, key_len)).to(query.dtype)
