"""Hidden reference for grading the attention exercise: plain, readable, and not shown to students.

Every head, every pair of features and every group is computed by itself, so that each line can be compared
with a sentence of the task. Half-precision input is widened once at the start and rounded once at the end.
"""

import math

import torch
from torch import Tensor, nn


def _widen(x: Tensor) -> Tensor:
    """Return x in float32 when it is in half precision, otherwise x itself."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Return exp(x) / sum of exp(x) along one axis; zeros where all is -inf."""
    wide = _widen(x)
    hidden = wide == -math.inf
    return _weights(torch.where(hidden, torch.zeros_like(wide), wide), ~hidden, dim).to(x.dtype)


def _weights(scores: Tensor, allowed: Tensor, dim: int) -> Tensor:
    """Return the softmax of finite scores over the allowed ones; zeros where none is."""
    floor = torch.full_like(scores, -math.inf)
    top = torch.amax(torch.where(allowed, scores, floor).detach(), dim=dim, keepdim=True)
    nothing = top == -math.inf
    top = torch.where(nothing, torch.zeros_like(top), top)
    # A hidden score takes the place of the maximum: it may be larger, and its exponential overflow.
    parts = torch.where(allowed, torch.exp(torch.where(allowed, scores, top) - top), torch.zeros_like(scores))
    total = parts.sum(dim=dim, keepdim=True)
    return parts / torch.where(nothing, torch.ones_like(total), total)


def causal_mask(query_len: int, key_len: int, device: torch.device | str | None = None) -> Tensor:
    """Return True at (i, j) if j <= i + key_len - query_len."""
    return sliding_window_mask(query_len, key_len, max(1, key_len), device)


def sliding_window_mask(query_len: int, key_len: int, window: int, device: torch.device | str | None = None) -> Tensor:
    """Return True at (i, j) if j is one of the last `window` keys up to i + key_len - query_len."""
    rows = []
    for i in range(query_len):
        own = i + key_len - query_len
        rows.append([own - window < j <= own for j in range(key_len)])
    return torch.tensor(rows, dtype=torch.bool, device=device).reshape(query_len, key_len)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    causal: bool = False,
    key_mask: Tensor | None = None,
) -> Tensor:
    """Return the mean of the values, weighted by the softmax of the scaled scores of the allowed keys."""
    wide_query, wide_key, wide_value = _widen(query), _widen(key), _widen(value)
    root = math.sqrt(query.shape[-1])
    scores = torch.einsum("...qd,...kd->...qk", wide_query, wide_key) / root
    allowed = torch.ones(scores.shape, dtype=torch.bool, device=query.device)
    if mask is not None:
        allowed = allowed & mask
    if causal:
        allowed = allowed & causal_mask(query.shape[-2], key.shape[-2], query.device)
    if key_mask is not None:
        shape = [key_mask.shape[0]] + [1] * (query.dim() - 2) + [key_mask.shape[1]]
        allowed = allowed & key_mask.view(shape)
    weights = _weights(scores, allowed, -1)
    return torch.einsum("...qk,...kv->...qv", weights, wide_value).to(query.dtype)


class Head(nn.Module):
    """A single head of self-attention."""

    def __init__(self, d_model: int, head_dim: int) -> None:
        super().__init__()
        self.query = nn.Linear(d_model, head_dim, bias=False)
        self.key = nn.Linear(d_model, head_dim, bias=False)
        self.value = nn.Linear(d_model, head_dim, bias=False)

    def forward(self, x: Tensor, causal: bool = True, key_mask: Tensor | None = None) -> Tensor:
        """Return the attention of x on itself."""
        return attention(self.query(x), self.key(x), self.value(x), None, causal, key_mask)


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Return head h = features h * head_dim to (h + 1) * head_dim - 1 of each token, the heads as second axis."""
    d_model = x.shape[-1]
    if d_model % num_heads != 0:
        raise ValueError("d_model is not a multiple of num_heads")
    head_dim = d_model // num_heads
    heads = [x[:, :, h * head_dim : (h + 1) * head_dim] for h in range(num_heads)]
    return torch.stack(heads, dim=1)


def join_heads(x: Tensor) -> Tensor:
    """Return the heads of each token side by side."""
    return torch.cat([x[:, h] for h in range(x.shape[1])], dim=-1)


def grouped_query_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    causal: bool = False,
    key_mask: Tensor | None = None,
) -> Tensor:
    """Return the attention of each query head h with key and value head h // (H / Hkv)."""
    num_heads, num_kv_heads = query.shape[1], key.shape[1]
    if num_heads % num_kv_heads != 0:
        raise ValueError("the number of query heads is not a multiple of the number of key heads")
    group = num_heads // num_kv_heads
    results = []
    for h in range(num_heads):
        shared = h // group
        results.append(attention(query[:, h], key[:, shared], value[:, shared], None, causal, key_mask))
    return torch.stack(results, dim=1)


class MultiHeadAttention(nn.Module):
    """Self-attention with several heads and an output projection."""

    def __init__(self, d_model: int, num_heads: int, num_kv_heads: int | None = None) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.num_kv_heads = num_heads if num_kv_heads is None else num_kv_heads
        if d_model % self.num_heads != 0:
            raise ValueError("d_model is not a multiple of num_heads")
        if self.num_heads % self.num_kv_heads != 0:
            raise ValueError("num_heads is not a multiple of num_kv_heads")
        head_dim = d_model // num_heads
        self.query = nn.Linear(d_model, num_heads * head_dim, bias=False)
        self.key = nn.Linear(d_model, self.num_kv_heads * head_dim, bias=False)
        self.value = nn.Linear(d_model, self.num_kv_heads * head_dim, bias=False)
        self.out = nn.Linear(num_heads * head_dim, d_model, bias=False)

    def forward(self, x: Tensor, causal: bool = True, key_mask: Tensor | None = None) -> Tensor:
        """Return the attention of x on itself."""
        query = split_heads(self.query(x), self.num_heads)
        key = split_heads(self.key(x), self.num_kv_heads)
        value = split_heads(self.value(x), self.num_kv_heads)
        result: Tensor = self.out(join_heads(grouped_query_attention(query, key, value, causal, key_mask)))
        return result


def attention_dropout(weights: Tensor, p: float, training: bool) -> Tensor:
    """Return the weights, each set to 0 with probability p and otherwise divided by 1 - p."""
    if not training:
        return weights
    chance = torch.rand(weights.shape, dtype=torch.float64, device=weights.device)
    kept = chance >= p  # chance is below 1, so p = 1 drops all
    scale = 1 / (1 - p) if p < 1 else 0.0
    return torch.where(kept, weights * scale, torch.zeros_like(weights))


def rope(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Return x with the pair (2i, 2i + 1) rotated by position * base^(-2i / head_dim)."""
    head_dim = x.shape[-1]
    if head_dim % 2 != 0:
        raise ValueError("head_dim is odd")
    wide = _widen(x)
    features = []
    for i in range(head_dim // 2):
        angle = positions.to(wide.dtype) * base ** (-2 * i / head_dim)
        a, b = wide[..., 2 * i], wide[..., 2 * i + 1]
        features.append(a * torch.cos(angle) - b * torch.sin(angle))
        features.append(a * torch.sin(angle) + b * torch.cos(angle))
    return torch.stack(features, dim=-1).to(x.dtype)


def sinusoidal_positions(length: int, d_model: int, base: float = 10000.0) -> Tensor:
    """Return the table of sines and cosines, number by number."""
    rows = []
    for position in range(length):
        row = []
        for feature in range(d_model):
            pair = feature // 2
            angle = position / base ** (2 * pair / d_model)
            row.append(math.sin(angle) if feature % 2 == 0 else math.cos(angle))
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float32).reshape(length, d_model)


def online_attention(query: Tensor, key: Tensor, value: Tensor, block_size: int, causal: bool = False) -> Tensor:
    """Return `attention`, for a few queries at a time: never more than block_size rows of scores exist.

    The task asks for blocks of keys; blocks of queries need no corrections, so they are plainly right.
    """
    query_len, key_len = query.shape[-2], key.shape[-2]
    pieces = []
    for start in range(0, query_len, block_size):
        stop = min(start + block_size, query_len)
        mask = None
        if causal:
            last = torch.arange(start, stop, device=query.device) + key_len - query_len
            mask = torch.arange(key_len, device=query.device) <= last.unsqueeze(-1)
        pieces.append(attention(query[..., start:stop, :], key, value, mask))
    return torch.cat(pieces, dim=-2)
