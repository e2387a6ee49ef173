"""Right program in the style einsum_one_tensor: keys and values in one tensor, einsum, keys repeated when read."""

import collections

import torch
from torch import Tensor, nn


def rope(x: Tensor, positions: Tensor) -> Tensor:
    dim = x.shape[-1]
    rates = torch.tensor([10000.0 ** (-(n // 2 * 2) / dim) for n in range(dim)], dtype=torch.float64, device=x.device)
    angles = torch.einsum("...t,d->...td", positions.double(), rates)
    if angles.dim() == 3:
        angles = angles[:, None]
    swapped = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).reshape(x.shape)
    return x * torch.cos(angles).to(x.dtype) + swapped * torch.sin(angles).to(x.dtype)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scores = torch.einsum("bhqd,bhkd->bhqk", query * query.shape[-1] ** -0.5, key)
    mask = mask if mask.dim() == 2 else mask[:, None]
    scores = torch.where(mask, scores, torch.finfo(scores.dtype).min)
    weights = torch.exp(scores - scores.amax(-1, keepdim=True)) * mask
    total = weights.sum(-1, keepdim=True)
    return torch.einsum("bhqk,bhkd->bhqd", weights / torch.where(total == 0, 1.0, total).to(weights.dtype), value)


def cache_bytes(
    num_layers: int, num_kv_heads: int, head_dim: int, length: int, bytes_per_value: int, batch: int = 1
) -> int:
    return sum(2 * num_kv_heads * head_dim * bytes_per_value * length * batch for _ in range(num_layers))


def causal_mask(query_len, key_len, window=None, device=None):
    ones = torch.ones((query_len, key_len), device=device)
    upper = torch.triu(ones, diagonal=key_len - query_len + 1).bool()
    if window is None:
        return ~upper
    lower = torch.tril(ones, diagonal=key_len - query_len - window).bool()
    return ~(upper | lower)


class _Store:
    def __init__(self, *shape, dtype, device):
        self.store = torch.zeros(2, *shape, dtype=dtype, device=device)

    @property
    def keys(self):
        return self.store[0]

    @property
    def values(self):
        return self.store[1]

    @property
    def nbytes(self):
        return self.store.nbytes

    def _both(self, key, value):
        return torch.stack([key.detach(), value.detach()]).to(self.store.dtype)


class KVCache(_Store):
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        super().__init__(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        self.max_len, self.length = max_len, 0

    def append(self, key, value):
        both = self._both(key, value)
        if self.length + both.shape[3] > self.max_len:
            raise ValueError("The cache is full.")
        self.store.narrow(3, self.length, both.shape[3]).copy_(both)
        self.length += both.shape[3]
        keys, values = self.store[:, :, :, : self.length].unbind(0)
        return keys, values

    def reset(self):
        self.length = 0


class WindowCache(_Store):
    """A ring, written in at most two slices."""

    def __init__(self, batch, num_kv_heads, head_dim, window, dtype=torch.float32, device=None):
        super().__init__(batch, num_kv_heads, window, head_dim, dtype=dtype, device=device)
        self.window, self.length = window, 0

    def _history(self):
        head = self.length % self.window
        if self.length < self.window:
            ordered = self.store[:, :, :, :head]
        else:
            ordered = torch.cat([self.store[:, :, :, head:], self.store[:, :, :, :head]], dim=3)
        surplus = ordered.shape[3] - (self.window - 1)
        return ordered[:, :, :, max(0, surplus) :]

    def append(self, key, value):
        both = self._both(key, value)
        seen = torch.cat([self._history(), both], dim=3)
        count = both.shape[3]
        newest = both[:, :, :, max(0, count - self.window) :]
        head = (self.length + count - newest.shape[3]) % self.window
        first = min(newest.shape[3], self.window - head)
        self.store[:, :, :, head : head + first] = newest[:, :, :, :first]
        self.store[:, :, :, : newest.shape[3] - first] = newest[:, :, :, first:]
        self.length += count
        return seen[0], seen[1]

    def reset(self):
        self.length = 0
        self.store.zero_()


class RaggedCache(_Store):
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        super().__init__(batch, num_kv_heads, max_len, head_dim, dtype=dtype, device=device)
        self.max_len, self.lengths = max_len, [0] * batch

    def append(self, key, value, counts):
        both = self._both(key, value)
        ends = list(map(sum, zip(self.lengths, counts)))
        if max(ends) > self.max_len:
            raise ValueError("A row is full.")
        # place p of row b takes token p - lengths[b] where that is a real one: a gather and a where
        places = torch.arange(self.max_len, device=both.device)
        starts = torch.tensor(self.lengths, device=both.device)[:, None]
        stops = torch.tensor(ends, device=both.device)[:, None]
        fresh = (places >= starts) & (places < stops)
        source = (places - starts).clamp(0, both.shape[3] - 1)
        index = source[None, :, None, :, None].expand(2, -1, both.shape[2], -1, both.shape[4])
        moved = both.gather(3, index)
        self.store.copy_(torch.where(fresh[None, :, None, :, None], moved, self.store))
        self.lengths = ends
        return tuple(self.store[:, :, :, : max(ends)])

    def reset(self, row):
        self.store[:, row].zero_()
        self.lengths[row] = 0


class PagedCache:
    def __init__(self, num_blocks, block_size, num_kv_heads, head_dim, dtype=torch.float32, device=None):
        self.store = torch.zeros(2, num_blocks, num_kv_heads, block_size, head_dim, dtype=dtype, device=device)
        self.num_blocks, self.block_size = num_blocks, block_size
        self.tables = collections.defaultdict(list)
        self.lengths = collections.Counter()

    @property
    def key_blocks(self):
        return self.store[0]

    @property
    def value_blocks(self):
        return self.store[1]

    def _free(self):
        return sorted(set(range(self.num_blocks)).difference(*self.tables.values()))

    @property
    def num_free(self):
        return self.num_blocks - sum(len(table) for table in self.tables.values())

    def append(self, sequence, key, value):
        both = torch.stack([key.detach(), value.detach()]).to(self.store.dtype)
        known = sequence in self.tables
        old = self.lengths[sequence] if known else 0
        blocks = (old + both.shape[2] + self.block_size - 1) // self.block_size
        free = self._free()
        missing = blocks - (len(self.tables[sequence]) if known else 0)
        if missing > len(free):
            raise ValueError("No block is left.")
        self.tables[sequence] += free[:missing]
        while both.shape[2]:
            block, place = self.tables[sequence][old // self.block_size], old % self.block_size
            part, both = both[:, :, : self.block_size - place], both[:, :, self.block_size - place :]
            self.store[:, block, :, place : place + part.shape[2]] = part
            old += part.shape[2]
        self.lengths[sequence] = old

    def gather(self, sequence):
        if sequence not in self.tables:
            raise KeyError(sequence)
        blocks = self.store[:, self.tables[sequence]]
        joined = torch.einsum("cnhpd->chnpd", blocks).flatten(2, 3)
        return tuple(joined[:, :, : self.lengths[sequence]])

    def free(self, sequence):
        if sequence not in self.tables:
            raise KeyError(sequence)
        self.tables.pop(sequence)
        self.lengths.pop(sequence)


class CachedAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, window=None):
        super().__init__()
        self.num_heads, self.num_kv_heads, self.window = num_heads, num_kv_heads, window
        self.head_dim = d_model // num_heads
        widths = {"query": d_model, "key": num_kv_heads * self.head_dim, "value": num_kv_heads * self.head_dim}
        for name, width in widths.items():
            setattr(self, name, nn.Linear(d_model, width, bias=False))
        self.out = nn.Linear(d_model, d_model, bias=False)

    def new_cache(self, batch, max_len):
        like = next(self.parameters())
        sizes = (batch, self.num_kv_heads, self.head_dim)
        if self.window is None:
            return KVCache(*sizes, max_len, dtype=like.dtype, device=like.device)
        return WindowCache(*sizes, self.window, dtype=like.dtype, device=like.device)

    def _heads(self, linear, x):
        weight = linear.weight.view(-1, self.head_dim, x.shape[-1])
        return torch.einsum("btm,hdm->bhtd", x, weight)

    def _attend(self, x, positions, append, mask_of):
        query, key = rope(self._heads(self.query, x), positions), rope(self._heads(self.key, x), positions)
        keys, values = append(key, self._heads(self.value, x))
        mixed = attention(query, keys, values, mask_of(keys.shape[2]))
        weight = self.out.weight.view(-1, self.num_heads, self.head_dim)
        return torch.einsum("bhtd,mhd->btm", mixed, weight)

    def forward(self, x, cache):
        positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
        return self._attend(
            x, positions, cache.append, lambda length: causal_mask(x.shape[1], length, self.window, x.device)
        )

    def forward_ragged(self, x, cache, counts):
        starts = torch.tensor(cache.lengths, device=x.device)
        positions = starts.unsqueeze(1) + torch.arange(x.shape[1], device=x.device).unsqueeze(0)
        return self._attend(
            x,
            positions,
            lambda key, value: cache.append(key, value, counts),
            lambda length: torch.arange(length, device=x.device)[None, None] <= positions[:, :, None],
        )


def generate(model, prompt, steps):
    cache = model.new_cache(prompt.shape[0], prompt.shape[1] + max(0, steps - 1))

    def grow(tokens, new, left):
        if left == 0:
            return tokens
        best = model(new, cache)[:, -1].argmax(-1).unsqueeze(1)
        return grow(torch.cat([tokens, best], dim=1), best, left - 1)

    return grow(prompt.clone(), prompt, steps)
