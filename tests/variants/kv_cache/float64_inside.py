"""Right program in the style float64_inside: scores in float64, one class of buffers, numpy for positions and tables."""

import numpy as np
import torch
from torch import nn


class Rotary:
    def __init__(self, head_dim):
        self.inverse = 10000.0 ** (-np.arange(0, head_dim, 2) / head_dim)

    def __call__(self, x, positions):
        """x (B, H, T, D) in float64; positions is a numpy array (B, T)."""
        angles = torch.from_numpy(positions[:, None, :, None] * self.inverse).to(x.device)
        a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
        return torch.stack((a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()), -1).flatten(-2)


def cache_bytes(num_layers, num_kv_heads, head_dim, length, bytes_per_value, batch=1):
    return int(2 * np.prod([num_layers, num_kv_heads, head_dim, length, bytes_per_value, batch], dtype=object))


def causal_mask(query_len, key_len, window=None, device=None):
    own = np.arange(query_len)[:, None] + key_len - query_len
    keys = np.arange(key_len)[None, :]
    mask = keys <= own
    if window is not None:
        mask = mask & (own - keys < window)
    return torch.from_numpy(mask).to(device or torch.get_default_device())


def write(buffer, places, new):
    """Write new (.., T, D) into the places, a list of ints, of the axis before the last."""
    for t, place in enumerate(places):
        buffer[..., place, :].copy_(new.detach()[..., t, :])


class KVCache:
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        self.keys, self.values = (
            torch.zeros((batch, num_kv_heads, max_len, head_dim), dtype=dtype, device=device) for _ in range(2)
        )
        self.nbytes = 2 * batch * num_kv_heads * max_len * head_dim * self.keys.element_size()
        self.max_len = max_len
        self.length = 0

    def append(self, key, value):
        places = list(range(self.length, self.length + key.shape[2]))
        if places[-1] >= self.max_len:
            raise ValueError("cache is full")
        write(self.keys, places, key)
        write(self.values, places, value)
        self.length = places[-1] + 1
        return tuple(torch.narrow(buffer, 2, 0, self.length) for buffer in (self.keys, self.values))

    def reset(self):
        self.length = 0


class WindowCache:
    def __init__(self, batch, num_kv_heads, head_dim, window, dtype=torch.float32, device=None):
        # a plain cache in the reverse direction of time: the newest token of the ring stands at `head`
        self.inner = KVCache(batch, num_kv_heads, head_dim, window, dtype, device)
        self.keys, self.values, self.nbytes = self.inner.keys, self.inner.values, self.inner.nbytes
        self.window = window
        self.length = 0

    def append(self, key, value):
        window, count = self.window, key.shape[2]
        before = [-p % window for p in range(max(0, self.length - window + 1), self.length)]
        kept = [-p % window for p in range(self.length, self.length + count)]
        result = []
        for buffer, new in ((self.keys, key), (self.values, value)):
            result.append(torch.cat([buffer[:, :, before], new.detach().to(buffer.dtype)], dim=2))
            write(buffer, kept, new)
        self.length += count
        return tuple(result)

    def reset(self):
        self.length = 0


class RaggedCache:
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        inner = KVCache(batch, num_kv_heads, head_dim, max_len, dtype, device)
        self.keys, self.values, self.max_len = inner.keys, inner.values, max_len
        self.lengths = np.zeros(batch, dtype=np.int64).tolist()

    def append(self, key, value, counts):
        ends = (np.array(self.lengths) + np.array(counts)).tolist()
        if max(ends) > self.max_len:
            raise ValueError("a row is full")
        for b, (start, end) in enumerate(zip(self.lengths, ends)):
            write(self.keys[b], range(start, end), key[b])
            write(self.values[b], range(start, end), value[b])
        self.lengths = ends
        return self.keys[:, :, : max(ends)].clone(), self.values[:, :, : max(ends)].clone()

    def reset(self, row):
        for buffer in (self.keys, self.values):
            buffer[row].mul_(0)
        self.lengths[row] = 0


class PagedCache:
    def __init__(self, num_blocks, block_size, num_kv_heads, head_dim, dtype=torch.float32, device=None):
        shape = (num_blocks, num_kv_heads, block_size, head_dim)
        self.key_blocks, self.value_blocks = (torch.zeros(shape, dtype=dtype, device=device) for _ in range(2))
        self.block_size = block_size
        self.owner = np.full(num_blocks, -1)  # number of the owner's entry in `names`
        self.names = []
        self.tables = {}

    @property
    def lengths(self):
        return {name: length for name, length in self.names}

    @property
    def num_free(self):
        return int((self.owner < 0).sum())

    def append(self, sequence, key, value):
        old = self.lengths.get(sequence, 0)
        new = old + key.shape[1]
        table = self.tables.get(sequence, [])
        free = np.flatnonzero(self.owner < 0)[: -(-new // self.block_size) - len(table)]
        if (len(table) + len(free)) * self.block_size < new:
            raise ValueError("too few free blocks")
        self.owner[free] = 1
        table = self.tables[sequence] = table + free.tolist()
        for t in range(old, new):
            block, place = divmod(t, self.block_size)
            self.key_blocks[table[block], :, place].copy_(key[:, t - old].detach())
            self.value_blocks[table[block], :, place].copy_(value[:, t - old].detach())
        self.names = [pair for pair in self.names if pair[0] != sequence] + [(sequence, new)]

    def gather(self, sequence):
        table, length = self.tables[sequence], self.lengths[sequence]
        place = np.arange(length)
        blocks = np.array(table)[place // self.block_size].tolist()
        where = (place % self.block_size).tolist()
        keys = [self.key_blocks[b, :, p] for b, p in zip(blocks, where)]
        values = [self.value_blocks[b, :, p] for b, p in zip(blocks, where)]
        return torch.stack(keys, 1), torch.stack(values, 1)

    def free(self, sequence):
        self.owner[self.tables.pop(sequence)] = -1
        self.names = [pair for pair in self.names if pair[0] != sequence]


class CachedAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, window=None):
        super().__init__()
        self.shape = (num_kv_heads, num_heads // num_kv_heads, d_model // num_heads)
        self.window = window
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key, self.value = (nn.Linear(d_model, num_kv_heads * self.shape[2], bias=False) for _ in range(2))
        self.out = nn.Linear(d_model, d_model, bias=False)
        self.rotary = Rotary(self.shape[2])

    def new_cache(self, batch, max_len):
        kind = KVCache if self.window is None else WindowCache
        weight = self.value.weight
        size = max_len if self.window is None else self.window
        return kind(batch, self.shape[0], self.shape[2], size, device=weight.device, dtype=weight.dtype)

    def forward(self, x, cache):
        return self.run(x, [cache.length] * len(x), cache.append)

    def forward_ragged(self, x, cache, counts):
        return self.run(x, cache.lengths, lambda key, value: cache.append(key, value, counts))

    def run(self, x, starts, append):
        kv, group, dim = self.shape
        positions = np.array(starts)[:, None] + np.arange(x.shape[1])
        wide = [
            linear(x).double().unflatten(2, (-1, dim)).movedim(2, 1) for linear in (self.query, self.key, self.value)
        ]
        query, key = self.rotary(wide[0], positions), self.rotary(wide[1], positions)
        keys, values = (each.double() for each in append(key.to(x.dtype), wide[2].to(x.dtype)))
        grouped = query.unflatten(1, (kv, group))
        scores = torch.einsum("bkgqd,bknd->bkgqn", grouped, keys) / np.sqrt(dim)
        # the key that came back last stands at the newest position of the longest row
        newest = positions[0, -1] if append.__name__ == "append" else None
        first = 0 if newest is None else newest + 1 - keys.shape[2]
        places = np.arange(first, first + keys.shape[2])
        distance = positions[:, :, None] - places
        mask = (distance >= 0) & (distance < (self.window or np.inf))
        added = np.where(mask, 0.0, -np.inf)[:, None, None]
        weights = (scores + torch.from_numpy(added).to(x.device)).softmax(-1)
        mixed = torch.einsum("bkgqn,bknd->bqkgd", weights, values)
        return self.out(mixed.flatten(2).to(x.dtype))


def generate(model, prompt, steps):
    cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
    result = torch.cat((prompt, prompt.new_zeros(prompt.shape[0], steps)), dim=1)
    start = 0
    for stop in range(prompt.shape[1], result.shape[1]):
        logits = model(result[:, start:stop].clone(), cache)
        result[:, stop] = torch.max(logits, dim=2).indices[:, -1]
        start = stop
    return result
