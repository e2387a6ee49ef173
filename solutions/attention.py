"""Attention, its masks and its positions."""

import math

import torch
from torch import Tensor, nn


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Return exp(x) divided by its sum along one axis, for numbers of any size."""
    wide = _wide(x)
    # The largest exponent becomes 0. A row of -inf has no largest one: exp(-inf - 0) are its zeros.
    top = wide.detach().amax(dim, keepdim=True)
    exponentials = torch.exp(wide - top.masked_fill(top == -math.inf, 0.0))
    total = exponentials.sum(dim, keepdim=True)
    return (exponentials / total.masked_fill(total == 0, 1.0)).to(x.dtype)


def _wide(x: Tensor) -> Tensor:
    """Return half precision as float32, anything else as it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def causal_mask(query_len: int, key_len: int, device: torch.device | str | None = None) -> Tensor:
    """Return which keys a query may attend when it must not look into the future."""
    return _distance(query_len, key_len, device) >= 0


def sliding_window_mask(query_len: int, key_len: int, window: int, device: torch.device | str | None = None) -> Tensor:
    """Return the causal mask in which a query sees the last `window` keys only, its own among them."""
    distance = _distance(query_len, key_len, device)
    return (distance >= 0) & (distance < window)


def _distance(query_len: int, key_len: int, device: torch.device | str | None) -> Tensor:
    """Return how far each key lies behind each query, negative if it lies ahead."""
    # the last query stands at the last key
    positions = torch.arange(query_len, device=device) + key_len - query_len
    return positions[:, None] - torch.arange(key_len, device=device)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    causal: bool = False,
    key_mask: Tensor | None = None,
) -> Tensor:
    """Return softmax(query key^T / sqrt(head_dim)) value, over the keys that are allowed."""
    scores = _wide(query) @ _wide(key).mT / math.sqrt(query.shape[-1])
    allowed = torch.ones_like(scores, dtype=torch.bool)
    if mask is not None:
        allowed = allowed & mask
    if causal:
        allowed = allowed & causal_mask(query.shape[-2], key.shape[-2], query.device)
    if key_mask is not None:
        # (batch, Tk) -> (batch, 1, ..., 1, Tk): the batch is the first axis, whatever lies between
        batch, key_len = key_mask.shape
        allowed = allowed & key_mask.reshape(batch, *[1] * (query.dim() - 2), key_len)
    return _mix(scores, allowed, _wide(value)).to(query.dtype)


def _mix(scores: Tensor, allowed: Tensor, value: Tensor) -> Tensor:
    """Return the values mixed by the softmax of the scores of allowed keys."""
    # -inf, not a large number: softmax gives exactly 0 then, whatever the other scores are
    return softmax(scores.masked_fill(~allowed, -math.inf)) @ value


class Head(nn.Module):
    """A single head of self-attention."""

    def __init__(self, d_model: int, head_dim: int) -> None:
        super().__init__()
        self.query = nn.Linear(d_model, head_dim, bias=False)
        self.key = nn.Linear(d_model, head_dim, bias=False)
        self.value = nn.Linear(d_model, head_dim, bias=False)

    def forward(self, x: Tensor, causal: bool = True, key_mask: Tensor | None = None) -> Tensor:
        """Return the attention of x on itself, shape (batch, T, head_dim)."""
        return attention(self.query(x), self.key(x), self.value(x), causal=causal, key_mask=key_mask)


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Cut the features of each token into heads: (batch, T, d_model) -> (batch, num_heads, T, head_dim)."""
    batch, length, d_model = x.shape
    if d_model % num_heads:
        raise ValueError(f"d_model = {d_model} is not a multiple of num_heads = {num_heads}")
    return x.reshape(batch, length, num_heads, d_model // num_heads).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """Put the heads of each token side by side, the inverse of `split_heads`."""
    batch, num_heads, length, head_dim = x.shape
    return x.transpose(1, 2).reshape(batch, length, num_heads * head_dim)


def grouped_query_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    causal: bool = False,
    key_mask: Tensor | None = None,
) -> Tensor:
    """Return the attention of many query heads on fewer key and value heads."""
    num_heads, num_kv_heads = query.shape[1], key.shape[1]
    if num_heads % num_kv_heads:
        raise ValueError(f"{num_heads} query heads cannot share {num_kv_heads} key and value heads evenly")
    group = num_heads // num_kv_heads
    # query heads 0 .. group - 1 share head 0, so each head is repeated in place
    key = key.repeat_interleave(group, dim=1)
    value = value.repeat_interleave(group, dim=1)
    return attention(query, key, value, causal=causal, key_mask=key_mask)


class MultiHeadAttention(nn.Module):
    """Self-attention with several heads and an output projection."""

    def __init__(self, d_model: int, num_heads: int, num_kv_heads: int | None = None) -> None:
        super().__init__()
        num_kv_heads = num_heads if num_kv_heads is None else num_kv_heads
        if d_model % num_heads or num_heads % num_kv_heads:
            raise ValueError(
                f"{d_model} features, {num_heads} heads, {num_kv_heads} key heads: each must divide the one before"
            )
        self.num_heads = num_heads
        self.num_kv_heads = num_kv_heads
        kv_dim = num_kv_heads * (d_model // num_heads)
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, kv_dim, bias=False)
        self.value = nn.Linear(d_model, kv_dim, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def forward(self, x: Tensor, causal: bool = True, key_mask: Tensor | None = None) -> Tensor:
        """Return the attention of x on itself, shape (batch, T, d_model)."""
        query = split_heads(self.query(x), self.num_heads)
        key = split_heads(self.key(x), self.num_kv_heads)
        value = split_heads(self.value(x), self.num_kv_heads)
        mixed = grouped_query_attention(query, key, value, causal=causal, key_mask=key_mask)
        return self.out(join_heads(mixed))


def attention_dropout(weights: Tensor, p: float, training: bool) -> Tensor:
    """Drop attention weights at random while a model trains."""
    if not training or p == 0:
        return weights
    if p == 1:
        return weights * 0  # nothing is kept, so there is nothing to scale
    # drawn in float32: half precision has too few numbers between 0 and 1
    keep = torch.rand(weights.shape, device=weights.device) >= p
    return weights * keep / (1 - p)


def rope(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Rotate pairs of features by angles that grow with the position."""
    head_dim = x.shape[-1]
    if head_dim % 2:
        raise ValueError(f"head_dim = {head_dim} is odd: features are rotated in pairs")
    wide = _wide(x)
    exponents = torch.arange(0, head_dim, 2, device=x.device, dtype=wide.dtype) / head_dim
    angles = positions[..., None] * base**-exponents
    cos, sin = angles.cos(), angles.sin()
    even, odd = wide[..., 0::2], wide[..., 1::2]
    rotated = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return rotated.flatten(-2).to(x.dtype)


def sinusoidal_positions(length: int, d_model: int, base: float = 10000.0) -> Tensor:
    """Return the fixed position embeddings of the positions 0 to length - 1."""
    even = torch.arange(0, d_model, 2, dtype=torch.float64)
    angles = torch.arange(length)[:, None] / base ** (even / d_model)
    table = torch.empty(length, d_model)
    table[:, 0::2] = angles.sin()
    table[:, 1::2] = angles.cos()[:, : d_model // 2]  # an odd d_model has one cosine less
    return table


def online_attention(query: Tensor, key: Tensor, value: Tensor, block_size: int, causal: bool = False) -> Tensor:
    """Return what `attention` returns, without a tensor that has Tq times Tk numbers."""
    scaled = _wide(query) / math.sqrt(query.shape[-1])
    top = scaled.new_full((*query.shape[:-1], 1), -math.inf)
    total = torch.zeros_like(top)
    mixed = scaled.new_zeros((*query.shape[:-1], value.shape[-1]))
    for start in range(0, key.shape[-2], block_size):
        block = slice(start, start + block_size)
        scores = scaled @ _wide(key[..., block, :]).mT
        if causal:
            scores = scores.masked_fill(~_block_mask(query, key, start, block_size), -math.inf)
        # No gradient through the maximum: the result does not depend on what is subtracted.
        higher = torch.maximum(top, scores.detach().amax(-1, keepdim=True))
        # As long as a query has seen no key its maximum is -inf, and -inf - -inf is no number.
        finite = higher.masked_fill(higher == -math.inf, 0.0)
        weights = torch.exp(scores - finite)
        shrink = torch.exp(top - finite)  # what was summed so far was made with the older, smaller maximum
        total = total * shrink + weights.sum(-1, keepdim=True)
        mixed = mixed * shrink + weights @ _wide(value[..., block, :])
        top = higher
    return (mixed / total.masked_fill(total == 0, 1.0)).to(query.dtype)


def _block_mask(query: Tensor, key: Tensor, start: int, block_size: int) -> Tensor:
    """Return the columns start to start + block_size - 1 of the causal mask, and nothing else of it."""
    query_len, key_len = query.shape[-2], key.shape[-2]
    last_key = torch.arange(query_len, device=query.device)[:, None] + key_len - query_len
    return torch.arange(start, min(start + block_size, key_len), device=query.device) <= last_key
