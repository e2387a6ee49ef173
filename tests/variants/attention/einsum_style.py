"""Right program in the style einsum_style: named axes, additive masks with where, groups as an axis of their own."""

import math

import torch
from torch import Tensor, einsum, nn


def up(x):
    return x.to(torch.promote_types(x.dtype, torch.float32))


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    z = up(x)
    empty = (z == -math.inf).all(dim, keepdim=True)
    z = torch.where(empty, torch.zeros_like(z), z)
    e = (z - z.amax(dim, keepdim=True)).exp()
    return torch.where(empty, torch.zeros_like(e), e / e.sum(dim, keepdim=True)).to(x.dtype)


def causal_mask(query_len, key_len, device=None):
    return torch.ones((query_len, key_len), dtype=torch.bool, device=device).tril(key_len - query_len)


def sliding_window_mask(query_len, key_len, window, device=None):
    causal = causal_mask(query_len, key_len, device)
    return causal & ~causal.new_ones(causal.shape).tril(key_len - query_len - window)


def bias_of(shape, like, mask, causal, key_mask):
    bias = torch.zeros(shape, dtype=like.dtype, device=like.device)
    low = torch.full((), -math.inf, dtype=like.dtype, device=like.device)
    if mask is not None:
        bias = torch.where(mask, bias, low)
    if causal:
        bias = torch.where(causal_mask(shape[-2], shape[-1], like.device), bias, low)
    if key_mask is not None:
        ones = [1] * (len(shape) - 2)
        bias = torch.where(key_mask.view(key_mask.shape[0], *ones, key_mask.shape[1]), bias, low)
    return bias


def attention(query, key, value, mask=None, causal=False, key_mask=None):
    q, k, v = up(query), up(key), up(value)
    scores = einsum("...id,...jd->...ij", q * q.shape[-1] ** -0.5, k)
    scores = scores + bias_of(scores.shape, scores, mask, causal, key_mask)
    return einsum("...ij,...jv->...iv", softmax(scores), v).to(query.dtype)


class Head(nn.Module):
    def __init__(self, d_model, head_dim):
        super().__init__()
        for name in ("query", "key", "value"):
            setattr(self, name, nn.Linear(d_model, head_dim, bias=False))

    def forward(self, x, causal=True, key_mask=None):
        return attention(*[getattr(self, name)(x) for name in ("query", "key", "value")], None, causal, key_mask)


def split_heads(x, num_heads):
    if x.shape[-1] % num_heads != 0:
        raise ValueError("head size is not whole")
    return x.unflatten(-1, (num_heads, -1)).movedim(-2, 1)


def join_heads(x):
    return x.movedim(1, -2).flatten(-2)


def grouped_query_attention(query, key, value, causal=False, key_mask=None):
    b, h, t, d = query.shape
    kv = key.shape[1]
    if h % kv != 0:
        raise ValueError("uneven groups")
    q = up(query).reshape(b, kv, h // kv, t, d) / math.sqrt(d)
    scores = einsum("bkgid,bkjd->bkgij", q, up(key))
    scores = scores + bias_of(scores.shape, scores, None, causal, key_mask)
    mixed = einsum("bkgij,bkjv->bkgiv", softmax(scores), up(value))
    return mixed.reshape(b, h, t, -1).to(query.dtype)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads=None):
        super().__init__()
        self.h, self.kv = num_heads, num_kv_heads or num_heads
        if d_model % self.h or self.h % self.kv:
            raise ValueError("sizes do not divide")
        size = d_model // num_heads
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, size * self.kv, bias=False)
        self.value = nn.Linear(d_model, size * self.kv, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def forward(self, x, causal=True, key_mask=None):
        q, k, v = self.query(x), self.key(x), self.value(x)
        mixed = grouped_query_attention(
            split_heads(q, self.h), split_heads(k, self.kv), split_heads(v, self.kv), causal, key_mask
        )
        return self.out(join_heads(mixed))


def attention_dropout(weights, p, training):
    if not training:
        return weights
    keep = torch.bernoulli(torch.full(weights.shape, 1 - p, device=weights.device)).to(weights.dtype)
    return weights * keep * (1 / (1 - p) if p < 1 else 0.0)


def rope(x, positions, base=10000.0):
    if x.shape[-1] % 2:
        raise ValueError("odd size")
    z = up(x)
    freq = torch.exp(torch.arange(0, x.shape[-1], 2, device=x.device, dtype=z.dtype) * (-math.log(base) / x.shape[-1]))
    angle = einsum("...,f->...f", positions.to(z.dtype), freq)
    cos, sin = angle.cos().repeat_interleave(2, -1), angle.sin().repeat_interleave(2, -1)
    turned = torch.stack((-z[..., 1::2], z[..., ::2]), -1).flatten(-2)
    return (z * cos + turned * sin).to(x.dtype)


def sinusoidal_positions(length, d_model, base=10000.0):
    freq = torch.exp(torch.arange(0, d_model, 2) * (-math.log(base) / d_model))
    angle = einsum("p,f->pf", torch.arange(length).float(), freq)
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(-2)[:, :d_model]


def online_attention(query, key, value, block_size, causal=False):
    q, k, v = up(query) * query.shape[-1] ** -0.5, up(key), up(value)
    tq, tk = q.shape[-2], k.shape[-2]
    m = torch.full(q.shape[:-1], -1e30, dtype=q.dtype, device=q.device)
    den = torch.zeros_like(m)
    num = torch.zeros((*q.shape[:-1], v.shape[-1]), dtype=q.dtype, device=q.device)
    place = torch.arange(tq, device=q.device) + (tk - tq)
    for kb, vb, jb in zip(
        k.split(block_size, -2), v.split(block_size, -2), torch.arange(tk, device=q.device).split(block_size)
    ):
        s = einsum("...id,...jd->...ij", q, kb)
        if causal:
            s = torch.where(jb <= place[:, None], s, torch.full_like(s, -math.inf))
        new = torch.maximum(m, s.amax(-1).detach())
        e = torch.exp(s - new[..., None])
        fix = torch.exp(m - new)
        den = den * fix + e.sum(-1)
        num = num * fix[..., None] + einsum("...ij,...jv->...iv", e, vb)
        m = new
    return (num / torch.where(den > 0, den, torch.ones_like(den))[..., None]).to(query.dtype)
