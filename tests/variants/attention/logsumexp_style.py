"""Right program in the style logsumexp_style: weights are exp(score - logsumexp), groups broadcast, queries in blocks."""

import torch
from torch import Tensor, nn

INF = float("inf")


def _f(x):
    return x.float() if x.element_size() == 2 else x


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    z = _f(x)
    gone = z == -INF
    none = gone.all(dim, keepdim=True)
    # a row without a number is computed as a row of zeros, so that no NaN arises, and emptied afterwards
    z = z.masked_fill(none, 0.0)
    z = z - z.detach().amax(dim, keepdim=True)
    p = torch.exp(z - torch.logsumexp(z, dim, keepdim=True))
    return p.masked_fill(none, 0.0).to(x.dtype)


def causal_mask(query_len, key_len, device=None):
    return sliding_window_mask(query_len, key_len, query_len + key_len, device)


def sliding_window_mask(query_len, key_len, window, device=None):
    ahead = torch.arange(key_len, device=device)[None, :] - torch.arange(query_len, device=device)[:, None]
    ahead = ahead - (key_len - query_len)
    return ahead.le(0) & ahead.gt(-window)


def _key_mask(key_mask, dims):
    return key_mask[(slice(None), *[None] * (dims - 2), slice(None))]


def attention(query, key, value, mask=None, causal=False, key_mask=None):
    s = torch.matmul(_f(query), _f(key).transpose(-2, -1)).div(query.size(-1) ** 0.5)
    masks = [m for m in (mask, causal_mask(s.size(-2), s.size(-1), s.device) if causal else None) if m is not None]
    if key_mask is not None:
        masks.append(_key_mask(key_mask, s.dim()))
    for m in masks:
        s = torch.where(m, s, -INF)
    return torch.matmul(softmax(s, dim=-1), _f(value)).type_as(query)


class Head(nn.Module):
    def __init__(self, d_model, head_dim):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(d_model, head_dim, bias=False) for _ in range(3))

    def forward(self, x, causal=True, key_mask=None):
        return attention(self.query(x), self.key(x), self.value(x), causal=causal, key_mask=key_mask)


def split_heads(x, num_heads):
    b, t, d = x.size()
    if num_heads * (d // num_heads) != d:
        raise ValueError(f"{d} features do not make {num_heads} heads")
    return torch.einsum("bthd->bhtd", x.reshape(b, t, num_heads, -1))


def join_heads(x):
    b, h, t, d = x.size()
    return torch.einsum("bhtd->bthd", x).reshape(b, t, h * d)


def grouped_query_attention(query, key, value, causal=False, key_mask=None):
    (b, h, t, d), n = query.shape, key.size(1)
    if h % n:
        raise ValueError(f"{h} % {n}")
    # the queries of a group stand below each other, as if they were one longer text
    folded = query.reshape(b, n, h // n * t, d)
    mask = causal_mask(t, key.size(2), query.device).repeat(h // n, 1) if causal else None
    return attention(folded, key, value, mask=mask, key_mask=key_mask).reshape(b, h, t, value.size(-1))


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads=None):
        super().__init__()
        self.num_heads = num_heads
        self.num_kv_heads = num_kv_heads or num_heads
        if d_model % num_heads:
            raise ValueError("d_model")
        if num_heads % self.num_kv_heads:
            raise ValueError("num_kv_heads")
        self.d = d_model // num_heads
        make = lambda heads: nn.Linear(d_model, heads * self.d, bias=False)
        self.query, self.key, self.value = make(num_heads), make(self.num_kv_heads), make(self.num_kv_heads)
        self.out = make(num_heads)

    def forward(self, x, causal=True, key_mask=None):
        qkv = x @ torch.cat([self.query.weight, self.key.weight, self.value.weight]).t()
        kv = self.num_kv_heads * self.d
        q, k, v = qkv.split([self.num_heads * self.d, kv, kv], dim=-1)
        heads = split_heads(q, self.num_heads), split_heads(k, self.num_kv_heads), split_heads(v, self.num_kv_heads)
        return join_heads(grouped_query_attention(*heads, causal, key_mask)) @ self.out.weight.t()


def attention_dropout(weights, p, training):
    if training:
        keep = torch.rand_like(weights, dtype=torch.float32).ge(p)
        weights = torch.where(keep, weights / max(1 - p, 1e-9), 0.0)
    return weights


def rope(x, positions, base=10000.0):
    if x.size(-1) & 1:
        raise ValueError("pairs")
    a, b = _f(x).unflatten(-1, (-1, 2)).unbind(-1)
    i = torch.arange(a.size(-1), device=x.device, dtype=a.dtype)
    angle = positions.unsqueeze(-1).to(a.dtype) / torch.pow(base, 2 * i / x.size(-1))
    c, s = angle.cos(), angle.sin()
    y = torch.empty(x.shape, dtype=a.dtype, device=x.device)
    y[..., ::2], y[..., 1::2] = a * c - b * s, b * c + a * s
    return y.to(x.dtype)


def sinusoidal_positions(length, d_model, base=10000.0):
    pairs = (d_model + 1) // 2
    phase = torch.outer(torch.arange(length).double(), torch.pow(base, -torch.arange(pairs).double() * 2 / d_model))
    table = torch.zeros(length, 2 * pairs)
    table[:, ::2], table[:, 1::2] = phase.sin(), phase.cos()
    return table[:, :d_model].clone()


def online_attention(query, key, value, block_size, causal=False):
    """Merge the results of blocks by their logsumexp."""
    length = query.size(-2)
    y, lse = None, None
    for start in range(0, key.size(-2), block_size):
        k, v = key.narrow(-2, start, min(block_size, key.size(-2) - start)), value[..., start : start + block_size, :]
        s = _f(query) @ _f(k).mT / query.size(-1) ** 0.5
        if causal:
            own = torch.arange(length, device=s.device) + key.size(-2) - length - start
            s = s.masked_fill(own[:, None] < torch.arange(s.size(-1), device=s.device), -INF)
        none = (s == -INF).all(-1, keepdim=True)
        here = torch.logsumexp(s.masked_fill(none, 0.0), -1, keepdim=True).masked_fill(none, -1e30)
        part = torch.exp(s - here.masked_fill(none, 0.0)) @ _f(v)
        if y is None:
            y, lse = part, here
            continue
        both = torch.logaddexp(lse, here)
        y = y * torch.exp(lse - both) + part * torch.exp(here - both)
        lse = both
    return y.to(query.dtype)
