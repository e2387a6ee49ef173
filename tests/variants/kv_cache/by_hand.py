"""Right program in the style by_hand: one token, one head, one row at a time, own attention and rotation."""

import math

import torch
from torch import nn


def rotate_one(vector, position):
    """Rotate one vector (..., head_dim) for one position."""
    d = vector.shape[-1]
    parts = []
    for i in range(d // 2):
        angle = position * 10000.0 ** (-2 * i / d)
        a, b = vector[..., 2 * i], vector[..., 2 * i + 1]
        parts.append(a * math.cos(angle) - b * math.sin(angle))
        parts.append(a * math.sin(angle) + b * math.cos(angle))
    return torch.stack(parts, dim=-1)


def cache_bytes(num_layers, num_kv_heads, head_dim, length, bytes_per_value, batch=1):
    total = 0
    for _ in ("keys", "values"):
        total += num_layers * num_kv_heads * head_dim * length * bytes_per_value * batch
    return total


def causal_mask(query_len, key_len, window=None, device=None):
    mask = torch.zeros(query_len, key_len, dtype=torch.bool, device=device)
    for i in range(query_len):
        own = i + key_len - query_len
        for j in range(key_len):
            if j <= own and (window is None or own - j < window):
                mask[i, j] = True
    return mask


class KVCache:
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        self.keys = torch.zeros(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        self.values = torch.zeros(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        self.max_len = max_len
        self.length = 0

    def append(self, key, value):
        new = key.shape[2]
        if self.length + new > self.max_len:
            raise ValueError("full")
        for t in range(new):
            self.keys.data[:, :, self.length + t] = key.data[:, :, t]
            self.values.data[:, :, self.length + t] = value.data[:, :, t]
        self.length = self.length + new
        return self.keys.data[:, :, 0 : self.length], self.values.data[:, :, 0 : self.length]

    def reset(self):
        self.keys.zero_()
        self.values.zero_()
        self.length = 0

    @property
    def nbytes(self):
        return self.keys.untyped_storage().nbytes() + self.values.untyped_storage().nbytes()


class WindowCache:
    def __init__(self, batch, num_kv_heads, head_dim, window, dtype=torch.float32, device=None):
        self.keys = torch.zeros(batch, num_kv_heads, window, head_dim, dtype=dtype, device=device)
        self.values = torch.zeros(batch, num_kv_heads, window, head_dim, dtype=dtype, device=device)
        self.window = window
        self.length = 0

    def append(self, key, value):
        first = max(0, self.length - (self.window - 1))
        keys = [self.keys[:, :, p % self.window].clone() for p in range(first, self.length)]
        values = [self.values[:, :, p % self.window].clone() for p in range(first, self.length)]
        for t in range(key.shape[2]):
            slot = self.length % self.window
            keys.append(key[:, :, t].detach().to(self.keys.dtype))
            values.append(value[:, :, t].detach().to(self.keys.dtype))
            self.keys[:, :, slot] = keys[-1]
            self.values[:, :, slot] = values[-1]
            self.length += 1
        return torch.stack(keys, dim=2), torch.stack(values, dim=2)

    def reset(self):
        self.length = 0

    @property
    def nbytes(self):
        return self.keys.nbytes * 2


class RaggedCache:
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        self.rows = [KVCache(1, num_kv_heads, head_dim, max_len, dtype, device) for _ in range(batch)]
        self.keys = torch.zeros(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        self.values = torch.zeros(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        for b, row in enumerate(self.rows):  # each row is a cache of its own in a part of the same memory
            row.keys = self.keys[b : b + 1]
            row.values = self.values[b : b + 1]
        self.max_len = max_len

    @property
    def lengths(self):
        return [row.length for row in self.rows]

    def append(self, key, value, counts):
        for row, count in zip(self.rows, counts):
            if row.length + count > row.max_len:
                raise ValueError("a row is full")
        for b, count in enumerate(counts):
            if count > 0:
                self.rows[b].append(key[b : b + 1, :, :count], value[b : b + 1, :, :count])
        longest = max(self.lengths)
        return self.keys[:, :, :longest], self.values[:, :, :longest]

    def reset(self, row):
        self.rows[row].reset()


class PagedCache:
    def __init__(self, num_blocks, block_size, num_kv_heads, head_dim, dtype=torch.float32, device=None):
        self.key_blocks = torch.zeros(num_blocks, num_kv_heads, block_size, head_dim, dtype=dtype, device=device)
        self.value_blocks = torch.zeros(num_blocks, num_kv_heads, block_size, head_dim, dtype=dtype, device=device)
        self.block_size = block_size
        self.used = [False] * num_blocks
        self.tables = {}
        self.lengths = {}

    @property
    def num_free(self):
        return self.used.count(False)

    def append(self, sequence, key, value):
        old = self.lengths.get(sequence, 0)
        room = len(self.tables.get(sequence, [])) * self.block_size - old
        missing = key.shape[1] - room
        if missing > self.num_free * self.block_size:
            raise ValueError("out of blocks")
        if sequence not in self.tables:
            self.tables[sequence] = []
        for t in range(key.shape[1]):
            position = old + t
            if position == len(self.tables[sequence]) * self.block_size:
                block = self.used.index(False)
                self.used[block] = True
                self.tables[sequence].append(block)
            block = self.tables[sequence][position // self.block_size]
            self.key_blocks[block, :, position % self.block_size] = key[:, t].detach()
            self.value_blocks[block, :, position % self.block_size] = value[:, t].detach()
            self.lengths[sequence] = position + 1

    def gather(self, sequence):
        keys, values = [], []
        left = self.lengths[sequence]
        for block in self.tables[sequence]:
            take = min(left, self.block_size)
            keys.append(self.key_blocks[block, :, :take])
            values.append(self.value_blocks[block, :, :take])
            left -= take
        return torch.cat(keys, dim=1), torch.cat(values, dim=1)

    def free(self, sequence):
        table = self.tables.pop(sequence)
        del self.lengths[sequence]
        for block in table:
            self.used[block] = False


class CachedAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, window=None):
        super().__init__()
        self.num_heads = num_heads
        self.num_kv_heads = num_kv_heads
        self.head_dim = d_model // num_heads
        self.window = window
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.value = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def new_cache(self, batch, max_len):
        w = self.value.weight
        if self.window is None:
            return KVCache(batch, self.num_kv_heads, self.head_dim, max_len, w.dtype, w.device)
        else:
            return WindowCache(batch, self.num_kv_heads, self.head_dim, self.window, w.dtype, w.device)

    def split(self, y, count, start):
        """(B, T, count * head_dim) -> (B, count, T, head_dim), rotated if there is a start."""
        tokens = []
        for t in range(y.shape[1]):
            heads = [y[:, t, h * self.head_dim : (h + 1) * self.head_dim] for h in range(count)]
            if start is not None:
                heads = [rotate_one(head, start + t) for head in heads]
            tokens.append(torch.stack(heads, dim=1))
        return torch.stack(tokens, dim=2)

    def one(self, q, keys, values):
        """q (d,), keys (n, d), values (n, d)"""
        scores = keys @ q / math.sqrt(self.head_dim)
        weights = torch.exp(scores - scores.max())
        return (weights / weights.sum()) @ values

    def forward(self, x, cache):
        start = cache.length
        q = self.split(self.query(x), self.num_heads, start)
        k = self.split(self.key(x), self.num_kv_heads, start)
        v = self.split(self.value(x), self.num_kv_heads, None)
        keys, values = cache.append(k, v)
        n = keys.shape[2]
        rows = []
        for b in range(x.shape[0]):
            tokens = []
            for t in range(x.shape[1]):
                end = n - x.shape[1] + t + 1
                begin = 0 if self.window is None else max(0, end - self.window)
                heads = []
                for h in range(self.num_heads):
                    g = h * self.num_kv_heads // self.num_heads
                    heads.append(self.one(q[b, h, t], keys[b, g, begin:end], values[b, g, begin:end]))
                tokens.append(torch.cat(heads))
            rows.append(torch.stack(tokens))
        return self.out(torch.stack(rows))

    def forward_ragged(self, x, cache, counts):
        # each row on its own, with its own part of the cache
        lengths = list(cache.lengths)
        batch, longest = x.shape[:2]
        keys = x.new_zeros(batch, self.num_kv_heads, longest, self.head_dim)
        values = torch.zeros_like(keys)
        queries = x.new_zeros(batch, self.num_heads, longest, self.head_dim)
        for b, count in enumerate(counts):
            if count:
                row = x[b : b + 1, :count]
                keys[b, :, :count] = self.split(self.key(row), self.num_kv_heads, lengths[b])[0]
                values[b, :, :count] = self.split(self.value(row), self.num_kv_heads, None)[0]
                queries[b, :, :count] = self.split(self.query(row), self.num_heads, lengths[b])[0]
        all_keys, all_values = cache.append(keys, values, counts)
        result = torch.zeros_like(x)
        for b, count in enumerate(counts):
            for t in range(count):
                end = lengths[b] + t + 1
                heads = []
                for h in range(self.num_heads):
                    g = h * self.num_kv_heads // self.num_heads
                    heads.append(self.one(queries[b, h, t], all_keys[b, g, :end], all_values[b, g, :end]))
                result[b, t] = self.out(torch.cat(heads))
        return result


def generate(model, prompt, steps):
    cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
    if steps == 0:
        return prompt.clone()
    logits = model(prompt, cache)
    columns = [prompt]
    while True:
        best = logits[:, -1].max(dim=-1, keepdim=True).values
        ids = torch.arange(logits.shape[-1], device=logits.device)
        new = torch.where(logits[:, -1] == best, ids, logits.shape[-1]).min(dim=-1).values
        columns.append(new[:, None])
        if len(columns) == steps + 1:
            return torch.cat(columns, dim=1)
        logits = model(new[:, None], cache)
