"""Right program in the style torch_sdpa: scaled_dot_product_attention, complex rotation, token-major buffers."""

import torch
import torch.nn.functional as F
from torch import nn


def rotary(x, positions):
    half = x.shape[-1] // 2
    inv = 1.0 / 10000.0 ** (torch.arange(half, device=x.device, dtype=torch.float64) / half)
    angles = positions.double()[..., None] * inv
    turn = torch.polar(torch.ones_like(angles), angles)
    turn = turn[:, None] if positions.dim() == 2 else turn
    pairs = torch.view_as_complex(x.double().reshape(*x.shape[:-1], half, 2).contiguous())
    return torch.view_as_real(pairs * turn).flatten(-2).type_as(x)


def cache_bytes(num_layers, num_kv_heads, head_dim, length, bytes_per_value, batch=1):
    per_token = num_layers * (2 * num_kv_heads * head_dim) * bytes_per_value
    return per_token * (batch * length)


def causal_mask(query_len, key_len, window=None, device=None):
    i = torch.arange(query_len, device=device).view(-1, 1)
    j = torch.arange(key_len, device=device).view(1, -1)
    distance = i + (key_len - query_len) - j
    if window is None:
        return distance >= 0
    return torch.logical_and(distance >= 0, distance < window)


class TokenMajor:
    """Buffers (batch, places, heads, head_dim): the tokens of a row lie one behind the other in memory."""

    def __init__(self, batch, heads, head_dim, places, dtype, device):
        self._keys = torch.zeros(batch, places, heads, head_dim, dtype=dtype, device=device)
        self._values = torch.zeros(batch, places, heads, head_dim, dtype=dtype, device=device)

    @property
    def keys(self):
        return self._keys.transpose(1, 2)

    @property
    def values(self):
        return self._values.transpose(1, 2)

    @property
    def nbytes(self):
        return self._keys.nbytes + self._values.nbytes


class KVCache(TokenMajor):
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        super().__init__(batch, num_kv_heads, head_dim, max_len, dtype, device)
        self.max_len = max_len
        self.reset()

    def reset(self):
        self.length = 0

    def append(self, key, value):
        new = slice(self.length, self.length + key.shape[2])
        if new.stop > self.max_len:
            raise ValueError(f"{new.stop} > {self.max_len}")
        with torch.no_grad():
            self._keys[:, new] = key.transpose(1, 2)
            self._values[:, new] = value.transpose(1, 2)
        self.length = new.stop
        return self.keys[:, :, : new.stop], self.values[:, :, : new.stop]


class WindowCache(TokenMajor):
    def __init__(self, batch, num_kv_heads, head_dim, window, dtype=torch.float32, device=None):
        super().__init__(batch, num_kv_heads, head_dim, window, dtype, device)
        self.window = window
        self.length = 0

    def reset(self):
        self.length = 0

    def append(self, key, value):
        with torch.no_grad():
            found = [self._one(b, x.transpose(1, 2).to(b.dtype)) for b, x in ((self._keys, key), (self._values, value))]
        self.length += key.shape[2]
        return tuple(found)

    def _one(self, buffer, new):
        # the buffer is packed to the left: its first `filled` places hold the newest tokens in order
        filled = min(self.length, self.window)
        whole = torch.cat([buffer[:, :filled], new], dim=1)
        newest = whole[:, -self.window :]
        buffer[:, : newest.shape[1]] = newest
        return whole[:, max(0, filled - self.window + 1) :].transpose(1, 2)


class RaggedCache(TokenMajor):
    def __init__(self, batch, num_kv_heads, head_dim, max_len, dtype=torch.float32, device=None):
        super().__init__(batch, num_kv_heads, head_dim, max_len, dtype, device)
        self.max_len = max_len
        self.lengths = [0 for _ in range(batch)]

    def append(self, key, value, counts):
        if any(n + c > self.max_len for n, c in zip(self.lengths, counts)):
            raise ValueError("full")
        with torch.no_grad():
            for b, (n, c) in enumerate(zip(self.lengths, counts)):
                self._keys[b].narrow(0, n, c).copy_(key[b, :, :c].transpose(0, 1))
                self._values[b].narrow(0, n, c).copy_(value[b, :, :c].transpose(0, 1))
                self.lengths[b] = n + c
        longest = max(self.lengths)
        return self.keys[:, :, :longest].contiguous(), self.values[:, :, :longest].contiguous()

    def reset(self, row):
        self._keys[row] = 0.0
        self._values[row] = 0.0
        self.lengths[row] = 0


class PagedCache:
    def __init__(self, num_blocks, block_size, num_kv_heads, head_dim, dtype=torch.float32, device=None):
        self.key_blocks = torch.zeros(num_blocks, num_kv_heads, block_size, head_dim, dtype=dtype, device=device)
        self.value_blocks = self.key_blocks.clone()
        self.block_size = block_size
        self.pool = list(range(num_blocks))  # ascending
        self.tables, self.lengths = {}, {}

    @property
    def num_free(self):
        return len(self.pool)

    def append(self, sequence, key, value):
        start = self.lengths.get(sequence, 0)
        table = list(self.tables.get(sequence, []))
        total = start + key.shape[1]
        need = max(0, -(-total // self.block_size) - len(table))
        if need > len(self.pool):
            raise ValueError("out of memory")
        table, self.pool = table + self.pool[:need], self.pool[need:]
        done = 0
        with torch.no_grad():
            for n in range(start // self.block_size, len(table)):
                low = max(start - n * self.block_size, 0)
                high = min(total - n * self.block_size, self.block_size)
                self.key_blocks[table[n], :, low:high] = key[:, done : done + high - low]
                self.value_blocks[table[n], :, low:high] = value[:, done : done + high - low]
                done += high - low
        self.tables[sequence], self.lengths[sequence] = table, total

    def gather(self, sequence):
        index = torch.tensor(self.tables[sequence], dtype=torch.long, device=self.key_blocks.device)
        length = self.lengths[sequence]
        keys = torch.index_select(self.key_blocks, 0, index).permute(1, 0, 2, 3)
        values = torch.index_select(self.value_blocks, 0, index).permute(1, 0, 2, 3)
        heads, head_dim = keys.shape[0], keys.shape[-1]
        return keys.reshape(heads, -1, head_dim)[:, :length], values.reshape(heads, -1, head_dim)[:, :length]

    def free(self, sequence):
        if sequence not in self.tables:
            raise KeyError(sequence)
        self.pool = sorted(self.pool + self.tables.pop(sequence))
        self.lengths.pop(sequence)


class CachedAttention(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, window=None):
        super().__init__()
        head_dim = d_model // num_heads
        self.num_heads, self.num_kv_heads, self.head_dim, self.window = num_heads, num_kv_heads, head_dim, window
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, num_kv_heads * head_dim, bias=False)
        self.value = nn.Linear(d_model, num_kv_heads * head_dim, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def new_cache(self, batch, max_len):
        w = self.query.weight
        kind, places = (KVCache, max_len) if self.window is None else (WindowCache, self.window)
        return kind(batch, self.num_kv_heads, self.head_dim, places, dtype=w.dtype, device=w.device)

    def forward(self, x, cache):
        t = x.size(1)
        where = torch.arange(t, device=x.device) + cache.length
        q, k, v = self.qkv(x, where)
        k, v = cache.append(k, v)
        return self.finish(q, k, v, causal_mask(t, k.size(2), self.window, device=x.device))

    def forward_ragged(self, x, cache, counts):
        t = x.size(1)
        before = torch.tensor(cache.lengths, device=x.device)
        where = before[:, None] + torch.arange(t, device=x.device)[None]
        q, k, v = self.qkv(x, where)
        k, v = cache.append(k, v, counts)
        mask = where[:, :, None] >= torch.arange(k.size(2), device=x.device)
        return self.finish(q, k, v, mask[:, None])

    def qkv(self, x, where):
        q = self.query(x).view(*x.shape[:2], self.num_heads, self.head_dim).transpose(1, 2)
        k = self.key(x).view(*x.shape[:2], self.num_kv_heads, self.head_dim).transpose(1, 2)
        v = self.value(x).view(*x.shape[:2], self.num_kv_heads, self.head_dim).transpose(1, 2)
        return rotary(q, where), rotary(k, where), v

    def finish(self, q, k, v, mask):
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
        return self.out(y.transpose(1, 2).flatten(2))


def generate(model, prompt, steps):
    with torch.inference_mode(False), torch.no_grad():
        cache = model.new_cache(len(prompt), prompt.shape[1] + steps)
        tokens = [prompt]
        for _ in range(steps):
            logits = model(tokens[-1], cache)
            tokens.append(torch.argmax(logits[:, -1, :], dim=-1, keepdim=True))
        return torch.cat(tokens, 1)
