"""Right program in the style index_copy: index tensors everywhere, a rolled window, a flat pool of places."""

import heapq
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
    numbers = 1
    for size in (batch, num_layers, 2, num_kv_heads, length, head_dim):
        numbers *= size
    return numbers * bytes_per_value


def causal_mask(query_len, key_len, window=None, device=None):
    full = torch.ones(query_len, key_len, dtype=torch.bool, device=device)
    mask = full.tril(key_len - query_len)
    if window is not None:
        mask = mask & ~full.tril(key_len - query_len - window)
    return mask


class KVCache:
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        self.keys = torch.zeros(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        self.values = torch.zeros(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        self.max_len = max_len
        self.length = 0

    @torch.no_grad()
    def append(self, key, value):
        count = key.size(2)
        if count > self.max_len - self.length:
            raise ValueError("no room")
        where = torch.arange(self.length, self.length + count, device=self.keys.device)
        self.keys.index_copy_(2, where, key.to(self.keys.dtype))
        self.values.index_copy_(2, where, value.to(self.values.dtype))
        self.length += count
        return self.keys[..., : self.length, :], self.values[..., : self.length, :]

    def reset(self):
        self.length = 0

    @property
    def nbytes(self):
        return sum(each.numel() * each.element_size() for each in (self.keys, self.values))


class WindowCache:
    def __init__(self, batch, num_kv_heads, head_dim, window, dtype=torch.float32, device=None):
        self.keys = torch.zeros(batch, num_kv_heads, window, head_dim, dtype=dtype, device=device)
        self.values = torch.zeros(batch, num_kv_heads, window, head_dim, dtype=dtype, device=device)
        self.window = window
        self.length = 0

    @torch.no_grad()
    def append(self, key, value):
        # the newest token is always at the right end
        filled = min(self.length, self.window - 1)
        results = []
        for buffer, new in [(self.keys, key), (self.values, value)]:
            new = new.to(buffer.dtype)
            result = torch.cat([buffer[:, :, self.window - filled :], new], dim=2)
            results.append(result)
            take = min(self.window, new.shape[2])
            buffer.copy_(buffer.roll(-take, dims=2))
            buffer[:, :, self.window - take :].copy_(new[:, :, new.shape[2] - take :])
        self.length += key.shape[2]
        return results

    def reset(self):
        self.length = 0

    @property
    def nbytes(self):
        return 2 * self.keys.numel() * self.keys.element_size()


class RaggedCache:
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        self.keys = torch.zeros(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        self.values = torch.zeros_like(self.keys)
        self.max_len = max_len
        self.lengths = [0] * batch

    @torch.no_grad()
    def append(self, key, value, counts):
        ends = [a + b for a, b in zip(self.lengths, counts)]
        if any(end > self.max_len for end in ends):
            raise ValueError("a row is full")
        pairs = [(row, t) for row, count in enumerate(counts) for t in range(count)]
        device = self.keys.device
        rows = torch.tensor([row for row, _ in pairs], dtype=torch.int64, device=device)
        sources = torch.tensor([t for _, t in pairs], dtype=torch.int64, device=device)
        targets = torch.tensor([self.lengths[row] + t for row, t in pairs], dtype=torch.int64, device=device)
        self.keys[rows, :, targets] = key[rows, :, sources].to(self.keys.dtype)
        self.values[rows, :, targets] = value[rows, :, sources].to(self.values.dtype)
        self.lengths = ends
        return self.keys[:, :, : max(ends)], self.values[:, :, : max(ends)]

    def reset(self, row):
        self.keys[row] = 0
        self.values[row] = 0
        self.lengths[row] = 0


class PagedCache:
    def __init__(self, num_blocks, block_size, num_kv_heads, head_dim, dtype=torch.float32, device=None):
        shape = (num_blocks, num_kv_heads, block_size, head_dim)
        self.key_blocks = torch.zeros(shape, dtype=dtype, device=device)
        self.value_blocks = torch.zeros(shape, dtype=dtype, device=device)
        self.block_size = block_size
        self.heap = list(range(num_blocks))
        self.tables = {}
        self.lengths = {}

    @property
    def num_free(self):
        return len(self.heap)

    def _places(self, sequence, start, end):
        positions = range(start, end)
        table = self.tables[sequence]
        device = self.key_blocks.device
        blocks = torch.tensor([table[p // self.block_size] for p in positions], device=device)
        return blocks, torch.tensor([p % self.block_size for p in positions], device=device)

    @torch.no_grad()
    def append(self, sequence, key, value):
        start = self.lengths.get(sequence, 0)
        end = start + key.shape[1]
        have = len(self.tables.get(sequence, ()))
        need = (end + self.block_size - 1) // self.block_size - have
        if need > len(self.heap):
            raise ValueError("out of blocks")
        table = self.tables.setdefault(sequence, [])
        for _ in range(need):
            table.append(heapq.heappop(self.heap))
        blocks, places = self._places(sequence, start, end)
        # two indices around a slice: the indexed axes come first
        self.key_blocks[blocks, :, places] = key.transpose(0, 1).to(self.key_blocks.dtype)
        self.value_blocks[blocks, :, places] = value.transpose(0, 1).to(self.value_blocks.dtype)
        self.lengths[sequence] = end

    def gather(self, sequence):
        blocks, places = self._places(sequence, 0, self.lengths[sequence])
        return (
            self.key_blocks[blocks, :, places].transpose(0, 1),
            self.value_blocks[blocks, :, places].transpose(0, 1),
        )

    def free(self, sequence):
        for block in self.tables.pop(sequence):
            heapq.heappush(self.heap, block)
        self.lengths.pop(sequence)


class CachedAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, window=None):
        super().__init__()
        self.h, self.k, self.d, self.window = num_heads, num_kv_heads, d_model // num_heads, window
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, num_kv_heads * self.d, bias=False)
        self.value = nn.Linear(d_model, num_kv_heads * self.d, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def new_cache(self, batch, max_len):
        options = {"dtype": self.out.weight.dtype, "device": self.out.weight.device}
        if self.window:
            return WindowCache(batch, self.k, self.d, self.window, **options)
        return KVCache(batch, self.k, self.d, max_len, **options)

    def heads(self, x, count):
        return x.reshape(x.shape[0], x.shape[1], count, self.d).permute(0, 2, 1, 3)

    def forward(self, x, cache):
        b, t, _ = x.shape
        positions = cache.length + torch.arange(t, device=x.device)
        q = rope(self.heads(self.query(x), self.h), positions)
        k = rope(self.heads(self.key(x), self.k), positions)
        keys, values = cache.append(k, self.heads(self.value(x), self.k))
        y = attention(q, keys, values, causal_mask(t, keys.shape[2], self.window, x.device))
        return self.out(y.permute(0, 2, 1, 3).reshape(b, t, -1))

    def forward_ragged(self, x, cache, counts):
        b, t, _ = x.shape
        positions = torch.tensor([[n + i for i in range(t)] for n in cache.lengths], device=x.device)
        q = rope(self.heads(self.query(x), self.h), positions)
        k = rope(self.heads(self.key(x), self.k), positions)
        keys, values = cache.append(k, self.heads(self.value(x), self.k), counts)
        mask = torch.arange(keys.shape[2], device=x.device) <= positions.unsqueeze(2)
        y = attention(q, keys, values, mask)
        return self.out(y.permute(0, 2, 1, 3).reshape(b, t, -1))


@torch.no_grad()
def generate(model: Any, prompt: Tensor, steps: int) -> Tensor:
    batch, length = prompt.shape
    result = torch.empty(batch, length + steps, dtype=prompt.dtype, device=prompt.device)
    result[:, :length] = prompt
    cache = model.new_cache(batch, length + steps)
    done = 0
    for end in range(length, length + steps):
        logits = model(result[:, done:end], cache)[:, -1]
        result[:, end] = logits.argmax(dim=-1)
        done = end
    return result
