"""Right program in the style finite_fill: hidden scores get the lowest finite number, empty rows are zeroed after it."""

import torch
from torch import Tensor, nn


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    wide = x.double()
    wide = wide.clamp(min=torch.finfo(torch.float64).min / 4)
    shifted = wide - torch.max(wide, dim, keepdim=True)[0]
    result = shifted.exp() / shifted.exp().sum(dim, keepdim=True)
    return result.masked_fill((x == float("-inf")).all(dim, keepdim=True), 0.0).to(x.dtype)


def causal_mask(query_len: int, key_len: int, device=None) -> Tensor:
    hidden = torch.full((query_len, key_len), float("-inf"), device=device).triu(1 + key_len - query_len)
    return hidden == 0


def sliding_window_mask(query_len: int, key_len: int, window: int, device=None) -> Tensor:
    inside = torch.ones(query_len, key_len, device=device)
    return inside.tril(key_len - query_len).triu(key_len - query_len - window + 1).bool()


def hide(scores: Tensor, allowed: Tensor) -> Tensor:
    lowest = torch.finfo(scores.dtype).min
    e = scores.masked_fill(~allowed, lowest)
    e = (e - e.max(-1, keepdim=True)[0]).exp() * allowed
    return e / e.sum(-1, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny)


def attention(query, key, value, mask=None, causal=False, key_mask=None):
    scores = query.double() @ key.double().transpose(-1, -2) / query.shape[-1] ** 0.5
    allowed = torch.ones(scores.shape, dtype=torch.bool, device=scores.device)
    if mask is not None:
        allowed = allowed.logical_and(mask)
    if causal:
        allowed.logical_and_(causal_mask(*scores.shape[-2:], device=scores.device))
    if key_mask is not None:
        while key_mask.dim() < scores.dim():
            key_mask = key_mask.unsqueeze(1)
        allowed.logical_and_(key_mask)
    return torch.matmul(hide(scores, allowed), value.double()).to(query.dtype)


class Head(nn.Module):
    def __init__(self, d_model: int, head_dim: int) -> None:
        super().__init__()
        self.key = nn.Linear(d_model, head_dim, bias=False)
        self.query = nn.Linear(d_model, head_dim, bias=False)
        self.value = nn.Linear(d_model, head_dim, bias=False)
        self.mask = None

    def forward(self, x, causal=True, key_mask=None):
        length = x.shape[1]
        if causal and (self.mask is None or len(self.mask) != length or self.mask.device != x.device):
            self.mask = causal_mask(length, length, x.device)
        mask = self.mask if causal else None
        return attention(self.query(x), self.key(x), self.value(x), mask=mask, key_mask=key_mask)


def split_heads(x, num_heads):
    head_dim, rest = divmod(x.shape[-1], num_heads)
    if rest:
        raise ValueError(rest)
    return x.contiguous().view(*x.shape[:2], num_heads, head_dim).permute(0, 2, 1, 3)


def join_heads(x):
    return x.permute(0, 2, 1, 3).contiguous().view(x.shape[0], x.shape[2], -1)


def grouped_query_attention(query, key, value, causal=False, key_mask=None):
    heads, kv = query.shape[1], key.shape[1]
    if heads % kv:
        raise ValueError("no whole number of query heads for each key head")
    owner = torch.arange(heads, device=key.device) // (heads // kv)
    return attention(query, key.index_select(1, owner), value.index_select(1, owner), None, causal, key_mask)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads=None):
        super().__init__()
        kv = num_heads if num_kv_heads is None else num_kv_heads
        if d_model % num_heads or num_heads % kv:
            raise ValueError((d_model, num_heads, kv))
        self.sizes = (num_heads, kv)
        self.query = nn.Linear(d_model, d_model, False)
        self.key = nn.Linear(d_model, d_model * kv // num_heads, False)
        self.value = nn.Linear(d_model, d_model * kv // num_heads, False)
        self.out = nn.Linear(d_model, d_model, False)

    def forward(self, x, causal=True, key_mask=None):
        heads, kv = self.sizes
        key = split_heads(self.key(x), kv)
        value = split_heads(self.value(x), kv)
        mixed = grouped_query_attention(split_heads(self.query(x), heads), key, value, causal, key_mask)
        return self.out(join_heads(mixed))


def attention_dropout(weights, p, training):
    if not training or not p:
        return weights
    keep = torch.empty(weights.shape, dtype=weights.dtype, device=weights.device).bernoulli_(1 - p)
    if p < 1:
        keep.div_(1 - p)
    return weights * keep


def rope(x, positions, base=10000.0):
    if x.shape[-1] % 2:
        raise ValueError("odd")
    pairs = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)).contiguous())
    rate = base ** (-2 * torch.arange(pairs.shape[-1], device=x.device, dtype=torch.float64) / x.shape[-1])
    angle = positions.double().unsqueeze(-1) * rate
    turned = pairs * torch.complex(torch.cos(angle), torch.sin(angle))
    return torch.view_as_real(turned).flatten(-2).to(x.dtype)


def sinusoidal_positions(length, d_model, base=10000.0):
    feature = torch.arange(d_model)
    angle = torch.arange(length, dtype=torch.float64).unsqueeze(1) / base ** ((feature - feature % 2) / d_model)
    return torch.where(feature % 2 == 0, torch.sin(angle), torch.cos(angle)).float()


def online_attention(query, key, value, block_size, causal=False):
    lowest = torch.finfo(torch.float64).min / 4
    q = query.double() / query.shape[-1] ** 0.5
    best = q.new_full(q.shape[:-1], lowest)
    # the sum of weights travels as one more feature of the values
    both = q.new_zeros((*q.shape[:-1], value.shape[-1] + 1))
    shift = key.shape[-2] - query.shape[-2]
    for start in range(0, key.shape[-2], block_size):
        k = key[..., start : start + block_size, :].double()
        v = value[..., start : start + block_size, :].double()
        v = torch.cat([v, v.new_ones((*v.shape[:-1], 1))], -1)
        scores = q @ k.transpose(-1, -2)
        allowed = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device)
        if causal:
            allowed = allowed.tril(shift - start)
        scores = scores.masked_fill(~allowed, lowest)
        new = torch.maximum(best, scores.detach().max(-1)[0])
        weights = (scores - new.unsqueeze(-1)).exp() * allowed
        both = both * (best - new).exp().unsqueeze(-1) + weights @ v
        best = new
    total = both[..., -1:]
    return (both[..., :-1] / total.masked_fill(total == 0, 1.0)).to(query.dtype)
