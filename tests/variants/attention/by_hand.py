"""Right program in the style by_hand: one query after the other, one key after the other, lists and stack."""

import math

import torch
from torch import Tensor, nn


def to_float(x: Tensor) -> Tensor:
    if x.dtype in (torch.float16, torch.bfloat16):
        return x.to(torch.float32)
    return x


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    last = to_float(x).transpose(dim, -1)
    highest = last.detach().max(dim=-1, keepdim=True).values
    empty = torch.isinf(highest)
    e = torch.exp(last - torch.where(empty, torch.zeros_like(highest), highest))
    total = sum(e[..., n : n + 1] for n in range(e.shape[-1]))
    total = torch.where(empty, torch.ones_like(total), total)
    return (e / total).transpose(dim, -1).to(x.dtype)


def sees(i, j, query_len, key_len):
    return j - (key_len - query_len) <= i


def causal_mask(query_len, key_len, device=None):
    mask = torch.zeros(query_len, key_len, dtype=torch.bool, device=device)
    for i in range(query_len):
        mask[i, : max(0, i + 1 + key_len - query_len)] = True
    return mask


def sliding_window_mask(query_len, key_len, window, device=None):
    mask = torch.zeros(query_len, key_len, dtype=torch.bool, device=device)
    for i in range(query_len):
        own = i + key_len - query_len
        if own >= 0:
            mask[i, max(0, own - window + 1) : own + 1] = True
    return mask


def attention(query, key, value, mask=None, causal=False, key_mask=None):
    lead, (tq, d), tk = query.shape[:-2], query.shape[-2:], key.shape[-2]
    if mask is not None:
        mask = mask.expand(*lead, tq, tk)
    rows = []
    for i in range(tq):
        scores = []
        for j in range(tk):
            score = (to_float(query)[..., i, :] * to_float(key)[..., j, :]).sum(-1) / math.sqrt(d)
            if mask is not None:
                score = torch.where(mask[..., i, j], score, torch.full_like(score, -math.inf))
            if causal and not sees(i, j, tq, tk):
                score = torch.full_like(score, -math.inf)
            if key_mask is not None:
                real = key_mask[:, j].reshape(-1, *[1] * (len(lead) - 1))
                score = torch.where(real, score, torch.full_like(score, -math.inf))
            scores.append(score)
        weights = softmax(torch.stack(scores, dim=-1))
        mixed = 0
        for j in range(tk):
            mixed = mixed + weights[..., j, None] * to_float(value)[..., j, :]
        rows.append(mixed)
    return torch.stack(rows, dim=-2).to(query.dtype)


class Head(nn.Module):
    def __init__(self, d_model, head_dim):
        super().__init__()
        self.query = nn.Linear(d_model, head_dim, bias=False)
        self.key = nn.Linear(d_model, head_dim, bias=False)
        self.value = nn.Linear(d_model, head_dim, bias=False)

    def forward(self, x, causal=True, key_mask=None):
        texts = []
        for n in range(len(x)):
            mask = None if key_mask is None else key_mask[n]
            texts.append(attention(self.query(x[n]), self.key(x[n]), self.value(x[n]), mask, causal))
        return torch.stack(texts)


def split_heads(x, num_heads):
    if x.shape[2] % num_heads > 0:
        raise ValueError
    return torch.stack(x.chunk(num_heads, dim=2), dim=1)


def join_heads(x):
    return torch.cat(list(x.unbind(dim=1)), dim=2)


def grouped_query_attention(query, key, value, causal=False, key_mask=None):
    if query.shape[1] % key.shape[1] != 0:
        raise ValueError
    heads = []
    for h in range(query.shape[1]):
        n = h * key.shape[1] // query.shape[1]
        heads.append(attention(query[:, h], key[:, n], value[:, n], causal=causal, key_mask=key_mask))
    return torch.stack(heads, dim=1)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads=None):
        super().__init__()
        if num_kv_heads is None:
            num_kv_heads = num_heads
        if d_model % num_heads != 0:
            raise ValueError
        if num_heads % num_kv_heads != 0:
            raise ValueError
        self.num_heads, self.num_kv_heads = num_heads, num_kv_heads
        self.out = nn.Linear(d_model, d_model, bias=False)
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.value = nn.Linear(d_model, d_model // num_heads * num_kv_heads, bias=False)
        self.key = nn.Linear(d_model, d_model // num_heads * num_kv_heads, bias=False)

    def forward(self, x, causal=True, key_mask=None):
        q = split_heads(self.query(x), self.num_heads)
        k = split_heads(self.key(x), self.num_kv_heads)
        v = split_heads(self.value(x), self.num_kv_heads)
        return self.out(join_heads(grouped_query_attention(q, k, v, causal, key_mask)))


def attention_dropout(weights, p, training):
    if not training:
        return weights.clone()
    if p == 1:
        return torch.zeros_like(weights)
    drop = torch.rand(weights.shape, device=weights.device) < p
    return (weights / (1 - p)).masked_fill(drop, 0)


def rope(x, positions, base=10000.0):
    size = x.shape[-1]
    if size % 2 == 1:
        raise ValueError
    result = torch.empty_like(to_float(x))
    z = to_float(x)
    for i in range(0, size, 2):
        angle = positions.to(z.dtype) / base ** (i / size)
        result[..., i] = z[..., i] * angle.cos() - z[..., i + 1] * angle.sin()
        result[..., i + 1] = z[..., i] * angle.sin() + z[..., i + 1] * angle.cos()
    return result.to(x.dtype)


def sinusoidal_positions(length, d_model, base=10000.0):
    table = torch.zeros(length, d_model)
    for position in range(length):
        for i in range(0, d_model, 2):
            angle = position * base ** (-i / d_model)
            table[position, i] = math.sin(angle)
            if i + 1 < d_model:
                table[position, i + 1] = math.cos(angle)
    return table


def online_attention(query, key, value, block_size, causal=False):
    tq, tk = query.shape[-2], key.shape[-2]
    rows = []
    for i in range(tq):
        q = to_float(query)[..., i, :] / math.sqrt(query.shape[-1])
        end = min(tk, i + 1 + tk - tq) if causal else tk
        if end <= 0:
            rows.append(0 * to_float(value)[..., 0, :])
            continue
        top = total = mixed = None
        for start in range(0, end, block_size):
            stop = min(start + block_size, end)
            scores = (q.unsqueeze(-2) * to_float(key[..., start:stop, :])).sum(-1)
            new = scores.detach().max(-1, keepdim=True).values
            if top is not None:
                new = torch.maximum(new, top)
            e = torch.exp(scores - new)
            part = (e.unsqueeze(-1) * to_float(value[..., start:stop, :])).sum(-2)
            if top is None:
                total, mixed = e.sum(-1, keepdim=True), part
            else:
                total = total * torch.exp(top - new) + e.sum(-1, keepdim=True)
                mixed = mixed * torch.exp(top - new) + part
            top = new
        rows.append(mixed / total)
    return torch.stack(rows, dim=-2).to(query.dtype)
