"""Right program in the style one_by_one: every chunk is fed token by token, every ragged row alone, blocks as a class."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


def rope(x: Tensor, positions: Tensor) -> Tensor:
    """Rotate each pair (2i, 2i + 1) of the last axis by position * 10000^(-2i / head_dim).

    Args:
        x: shape (batch, heads, T, head_dim), head_dim even.
        positions: integers, shape (T,), or (batch, T) if the rows of the batch stand elsewhere.

    Returns:
        shape and dtype of x.

    Source: Su et al. 2021, RoFormer, section 3.4.2.
    """
    head_dim = x.shape[-1]
    exponents = torch.arange(0, head_dim, 2, device=x.device, dtype=torch.float64) / head_dim
    angles = positions.to(torch.float64).unsqueeze(-1) * 10000.0**-exponents
    if positions.dim() == 2:
        angles = angles.unsqueeze(1)  # the same for all heads
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Return softmax(query key^T / sqrt(head_dim)) value; query head h uses key head h // (H / Hkv).

    Args:
        query: shape (batch, H, Tq, head_dim).
        key: shape (batch, Hkv, Tk, head_dim); H is a multiple of Hkv, so keys need not be repeated.
        value: shape (batch, Hkv, Tk, head_dim).
        mask: bool, True = may be attended; shape (Tq, Tk), or (batch, Tq, Tk).

    Returns:
        shape (batch, H, Tq, head_dim), dtype of query; zeros where a query may attend to nothing.

    Source: Vaswani et al. 2017, section 3.2.1; Ainslie et al. 2023, GQA, section 2.2.
    """
    heads, query_len, head_dim = query.shape[1:]
    groups = heads // key.shape[1]
    # the queries of one group stand one below the other: one product with the key head that they share
    stacked = query.unflatten(1, (key.shape[1], groups)).flatten(2, 3)
    scores = (stacked @ key.mT / head_dim**0.5).unflatten(2, (groups, query_len))
    allowed = mask[:, None, None] if mask.dim() == 3 else mask
    weights = scores.masked_fill(~allowed, float("-inf")).softmax(-1).masked_fill(~allowed, 0.0)
    return (weights.flatten(2, 3) @ value).unflatten(2, (groups, query_len)).flatten(1, 2)


def cache_bytes(num_layers, num_kv_heads, head_dim, length, bytes_per_value, batch=1):
    one_key = head_dim * bytes_per_value
    one_token = num_kv_heads * one_key + num_kv_heads * one_key
    return one_token * num_layers * length * batch


def causal_mask(query_len, key_len, window=None, device=None):
    rows = []
    for own in range(key_len - query_len, key_len):
        begin = 0 if window is None else max(own - window + 1, 0)
        row = torch.zeros(key_len, dtype=torch.bool, device=device)
        row[begin : max(own + 1, 0)] = True
        rows.append(row)
    return torch.stack(rows)


@dataclass
class Line:
    """A buffer (rows, heads, places, head_dim) for keys and one for values."""

    shape: tuple
    dtype: torch.dtype
    device: Any
    keys: Tensor = field(init=False)
    values: Tensor = field(init=False)

    def __post_init__(self):
        self.keys = torch.zeros(self.shape, dtype=self.dtype, device=self.device)
        self.values = torch.zeros(self.shape, dtype=self.dtype, device=self.device)

    @torch.no_grad()
    def put(self, row, place, key, value):
        self.keys[row, :, place] = key
        self.values[row, :, place] = value

    def size(self):
        return self.keys.nbytes + self.values.nbytes


class KVCache:
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        self.line = Line((batch, num_kv_heads, max_len, head_dim), dtype, device)
        self.keys, self.values = self.line.keys, self.line.values
        self.length, self.max_len = 0, max_len

    def append(self, key, value):
        if key.shape[2] > self.max_len - self.length:
            raise ValueError("overflow")
        for k, v in zip(key.unbind(2), value.unbind(2)):
            self.line.put(slice(None), self.length, k, v)
            self.length += 1
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    def reset(self):
        self.length = 0

    @property
    def nbytes(self):
        return self.line.size()


class WindowCache:
    def __init__(self, batch, num_kv_heads, head_dim, window, dtype=torch.float32, device=None):
        self.line = Line((batch, num_kv_heads, window, head_dim), dtype, device)
        self.keys, self.values = self.line.keys, self.line.values
        self.length, self.window = 0, window

    def append(self, key, value):
        old = [place % self.window for place in range(self.length)][-(self.window - 1) :] if self.window > 1 else []
        keys = torch.cat([self.keys[:, :, old], key.detach().to(self.keys.dtype)], dim=2)
        values = torch.cat([self.values[:, :, old], value.detach().to(self.keys.dtype)], dim=2)
        for k, v in zip(key.unbind(2), value.unbind(2)):
            self.line.put(slice(None), self.length % self.window, k, v)
            self.length += 1
        return [keys, values]

    def reset(self):
        self.length = 0

    @property
    def nbytes(self):
        return self.line.size()


class RaggedCache:
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        self.line = Line((batch, num_kv_heads, max_len, head_dim), dtype, device)
        self.keys, self.values = self.line.keys, self.line.values
        self.max_len = max_len
        self.lengths = [0] * batch

    def append(self, key, value, counts):
        for length, count in zip(self.lengths, counts):
            if self.max_len < length + count:
                raise ValueError("overflow")
        for row, count in enumerate(counts):
            for t in range(count):
                self.line.put(row, self.lengths[row] + t, key[row, :, t], value[row, :, t])
            self.lengths[row] += count
        shown = max(self.lengths)
        return self.keys[:, :, :shown], self.values[:, :, :shown]

    def reset(self, row):
        self.keys[row], self.values[row], self.lengths[row] = 0, 0, 0


class PagedCache:
    def __init__(self, num_blocks, block_size, num_kv_heads, head_dim, dtype=torch.float32, device=None):
        self.line = Line((num_blocks, num_kv_heads, block_size, head_dim), dtype, device)
        self.key_blocks, self.value_blocks = self.line.keys, self.line.values
        self.free_list = set(range(num_blocks))
        self.block_size = block_size
        self.tables: dict[int, list[int]] = {}
        self.lengths: dict[int, int] = {}

    @property
    def num_free(self):
        return len(self.free_list)

    def append(self, sequence, key, value):
        before = (self.lengths.get(sequence), list(self.tables.get(sequence, [])), set(self.free_list))
        try:
            for k, v in zip(key.unbind(1), value.unbind(1)):
                self._append_one(sequence, k, v)
        except ValueError:
            length, table, self.free_list = before
            if length is None:
                self.tables.pop(sequence, None)
                self.lengths.pop(sequence, None)
            else:
                self.tables[sequence], self.lengths[sequence] = table, length
            raise

    def _append_one(self, sequence, key, value):
        length = self.lengths.get(sequence, 0)
        if length % self.block_size == 0:
            if not self.free_list:
                raise ValueError("overflow")
            block = min(self.free_list)
            self.free_list.discard(block)
            self.tables.setdefault(sequence, []).append(block)
        self.line.put(self.tables[sequence][-1], length % self.block_size, key, value)
        self.lengths[sequence] = length + 1

    def gather(self, sequence):
        length, table = self.lengths[sequence], self.tables[sequence]
        keys = torch.cat([self.key_blocks[block] for block in table], dim=1)
        values = torch.cat([self.value_blocks[block] for block in table], dim=1)
        return keys[:, :length].clone(), values[:, :length].clone()

    def free(self, sequence):
        self.free_list |= set(self.tables[sequence])
        del self.tables[sequence], self.lengths[sequence]


class CachedAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, window=None):
        super().__init__()
        self.num_heads, self.num_kv_heads, self.head_dim = num_heads, num_kv_heads, d_model // num_heads
        self.window = window
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.value = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def new_cache(self, batch, max_len):
        options = {"dtype": self.query.weight.dtype, "device": self.query.weight.device}
        if self.window is None:
            return KVCache(batch, self.num_kv_heads, self.head_dim, max_len, **options)
        return WindowCache(batch, self.num_kv_heads, self.head_dim, self.window, **options)

    def _token(self, linear, x):
        """x (batch, 1, d_model) -> (batch, heads, 1, head_dim)"""
        return linear(x).view(x.shape[0], -1, 1, self.head_dim)

    def forward(self, x, cache):
        return torch.cat([self._step(token, cache) for token in x.split(1, dim=1)], dim=1)

    def _step(self, x, cache):
        position = torch.tensor([cache.length], device=x.device)
        query = rope(self._token(self.query, x), position)
        keys, values = cache.append(rope(self._token(self.key, x), position), self._token(self.value, x))
        everything = torch.ones(1, keys.shape[2], dtype=torch.bool, device=x.device)
        return self.out(attention(query, keys, values, everything).reshape(x.shape))

    def forward_ragged(self, x, cache, counts):
        result = torch.zeros_like(x)
        for t in range(x.shape[1]):
            alive = [int(count > t) for count in counts]
            if any(alive):
                result[:, t : t + 1] = self._ragged_step(x[:, t : t + 1], cache, alive)
        return result

    def _ragged_step(self, x, cache, alive):
        positions = torch.tensor(cache.lengths, device=x.device).unsqueeze(1)
        query = rope(self._token(self.query, x), positions)
        keys, values = cache.append(rope(self._token(self.key, x), positions), self._token(self.value, x), alive)
        ends = torch.tensor(cache.lengths, device=x.device)
        mask = torch.arange(keys.shape[2], device=x.device) < ends[:, None, None]
        return self.out(attention(query, keys, values, mask).reshape(x.shape))


class Generator:
    def __init__(self, model, prompt, room):
        self.model, self.next = model, prompt
        self.cache = model.new_cache(prompt.shape[0], prompt.shape[1] + room)

    def __iter__(self):
        return self

    def __next__(self):
        self.next = self.model(self.next, self.cache)[:, -1].argmax(-1)[:, None]
        return self.next


def generate(model, prompt, steps):
    tokens = [prompt.clone()]
    for _, token in zip(range(steps), Generator(model, prompt, steps)):
        tokens.append(token)
    return torch.cat(tokens, dim=1)
