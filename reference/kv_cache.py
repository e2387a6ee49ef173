"""Hidden reference for grading the kv_cache exercise: plain, readable, and not shown to students.

Caches store one token after the other. Attention takes one query after the other, picks the keys that it may
see, and needs no mask. Positions are rotated as complex numbers.
"""

from typing import Any

import torch
from torch import Tensor, nn

Device = torch.device | str | None


def rope(x: Tensor, positions: Tensor) -> Tensor:
    """Turn each pair (2i, 2i + 1), a complex number, by position * 10000^(-2i / head_dim)."""
    pairs = x.shape[-1] // 2
    if positions.dim() == 1:
        positions = positions.expand(x.shape[0], -1)
    frequencies = [10000.0 ** (-2 * i / x.shape[-1]) for i in range(pairs)]
    angles = torch.stack([positions.double() * frequency for frequency in frequencies], dim=-1)
    turn = torch.complex(torch.cos(angles), torch.sin(angles))[:, None]
    real = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    numbers = torch.complex(real[..., 0::2].contiguous(), real[..., 1::2].contiguous())
    return torch.view_as_real(numbers * turn.to(numbers.dtype)).reshape(x.shape).to(x.dtype)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Return softmax(query key^T / sqrt(head_dim)) value; mask is (Tq, Tk) or (batch, Tq, Tk)."""
    batch, heads, query_len, _ = query.shape
    mask = mask.expand(batch, query_len, key.shape[2])
    result = torch.zeros_like(query)
    for b in range(batch):
        for h in range(heads):
            shared = h // (heads // key.shape[1])
            for i in range(query_len):
                seen = mask[b, i].nonzero().flatten()
                result[b, h, i] = _mix(query[b, h, i], key[b, shared, seen], value[b, shared, seen])
    return result


def _mix(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return what one query (head_dim,) takes from the keys (n, head_dim) that it sees; zeros if n is 0."""
    if len(keys) == 0:
        return torch.zeros_like(query)
    scores = (keys * query).sum(-1) / query.shape[-1] ** 0.5
    powers = torch.exp(scores - scores.max())
    return (powers.unsqueeze(-1) * values).sum(0) / powers.sum()


def cache_bytes(
    num_layers: int, num_kv_heads: int, head_dim: int, length: int, bytes_per_value: int, batch: int = 1
) -> int:
    """Return how many bytes the keys and values of a model take."""
    one_token_of_one_layer = num_kv_heads * head_dim * bytes_per_value
    keys = one_token_of_one_layer * num_layers * length * batch
    return keys + keys


def causal_mask(query_len: int, key_len: int, window: int | None = None, device: Device = None) -> Tensor:
    """Return True where query i, at key i + key_len - query_len, may see key j."""
    rows = []
    for i in range(query_len):
        own = i + key_len - query_len
        first = 0 if window is None else own - window + 1
        rows.append([first <= j <= own for j in range(key_len)])
    return torch.tensor(rows, dtype=torch.bool, device=device).reshape(query_len, key_len)


class KVCache:
    """Keys and values of one layer, in memory that is allocated once."""

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        max_len: int,
        dtype: torch.dtype = torch.float32,
        device: Device = None,
    ) -> None:
        self.keys = torch.zeros((batch, num_kv_heads, max_len, head_dim), dtype=dtype, device=device)
        self.values = torch.zeros((batch, num_kv_heads, max_len, head_dim), dtype=dtype, device=device)
        self.max_len = max_len
        self.length = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store token after token behind those that are there."""
        if self.length + key.shape[2] > self.max_len:
            raise ValueError("the cache is full")
        for t in range(key.shape[2]):
            with torch.no_grad():
                self.keys.select(2, self.length).copy_(key[:, :, t])
                self.values.select(2, self.length).copy_(value[:, :, t])
            self.length += 1
        return self.keys.narrow(2, 0, self.length), self.values.narrow(2, 0, self.length)

    def reset(self) -> None:
        """Forget all tokens."""
        self.length = 0

    @property
    def nbytes(self) -> int:
        """Bytes of both buffers."""
        return 2 * self.keys.numel() * self.keys.element_size()


class WindowCache:
    """The last `window` tokens, the newest at the right end: each new one moves the others to the left."""

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        window: int,
        dtype: torch.dtype = torch.float32,
        device: Device = None,
    ) -> None:
        self.keys = torch.zeros((batch, num_kv_heads, window, head_dim), dtype=dtype, device=device)
        self.values = torch.zeros((batch, num_kv_heads, window, head_dim), dtype=dtype, device=device)
        self.window = window
        self.length = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Return the window - 1 tokens before the chunk and the chunk, then move the chunk in."""
        seen = min(self.length, self.window - 1)
        found = []
        with torch.no_grad():
            for buffer, new in ((self.keys, key), (self.values, value)):
                old = buffer[:, :, self.window - seen :]
                found.append(torch.cat([old, new.to(buffer.dtype)], dim=2))
                for t in range(new.shape[2]):
                    buffer.copy_(torch.cat([buffer[:, :, 1:], new[:, :, t : t + 1].to(buffer.dtype)], dim=2))
        self.length += key.shape[2]
        return found[0], found[1]

    def reset(self) -> None:
        """Forget all tokens."""
        self.length = 0

    @property
    def nbytes(self) -> int:
        """Bytes of both buffers."""
        return 2 * self.keys.numel() * self.keys.element_size()


class RaggedCache:
    """Keys and values of one layer for rows of different length."""

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        max_len: int,
        dtype: torch.dtype = torch.float32,
        device: Device = None,
    ) -> None:
        self.keys = torch.zeros((batch, num_kv_heads, max_len, head_dim), dtype=dtype, device=device)
        self.values = torch.zeros((batch, num_kv_heads, max_len, head_dim), dtype=dtype, device=device)
        self.max_len = max_len
        self.lengths = [0 for _ in range(batch)]

    def append(self, key: Tensor, value: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Store the real tokens of each row, one after the other."""
        for row, count in enumerate(counts):
            if self.lengths[row] + count > self.max_len:
                raise ValueError("a row is full")
        for row, count in enumerate(counts):
            for t in range(count):
                with torch.no_grad():
                    self.keys[row, :, self.lengths[row]].copy_(key[row, :, t])
                    self.values[row, :, self.lengths[row]].copy_(value[row, :, t])
                self.lengths[row] += 1
        longest = max(self.lengths)
        return self.keys[:, :, :longest].clone(), self.values[:, :, :longest].clone()

    def reset(self, row: int) -> None:
        """Forget the tokens of one row."""
        self.lengths[row] = 0
        self.keys[row].fill_(0)
        self.values[row].fill_(0)


class PagedCache:
    """Keys and values of many sequences of one layer, in blocks that are handed out on demand."""

    def __init__(
        self,
        num_blocks: int,
        block_size: int,
        num_kv_heads: int,
        head_dim: int,
        dtype: torch.dtype = torch.float32,
        device: Device = None,
    ) -> None:
        shape = (num_blocks, num_kv_heads, block_size, head_dim)
        self.key_blocks = torch.zeros(shape, dtype=dtype, device=device)
        self.value_blocks = torch.zeros(shape, dtype=dtype, device=device)
        self.block_size = block_size
        self.num_blocks = num_blocks
        self.tables: dict[int, list[int]] = {}
        self.lengths: dict[int, int] = {}

    def _free_blocks(self) -> list[int]:
        used = [block for table in self.tables.values() for block in table]
        return [block for block in range(self.num_blocks) if block not in used]

    @property
    def num_free(self) -> int:
        """Number of blocks that belong to no sequence."""
        return len(self._free_blocks())

    def append(self, sequence: int, key: Tensor, value: Tensor) -> None:
        """Store token after token; take a block whenever a token is the first of one."""
        start = self.lengths.get(sequence, 0)
        positions = range(start, start + key.shape[1])
        if sum(position % self.block_size == 0 for position in positions) > self.num_free:
            raise ValueError("too few blocks are free")
        table = self.tables.setdefault(sequence, [])
        for t, position in enumerate(positions):
            if position % self.block_size == 0:
                table.append(self._free_blocks()[0])
            with torch.no_grad():
                self.key_blocks[table[-1], :, position % self.block_size].copy_(key[:, t])
                self.value_blocks[table[-1], :, position % self.block_size].copy_(value[:, t])
        self.lengths[sequence] = positions.stop

    def gather(self, sequence: int) -> tuple[Tensor, Tensor]:
        """Return copies of the keys and values of a sequence, token after token."""
        table, places = self.tables[sequence], range(self.lengths[sequence])
        size = self.block_size
        keys = [self.key_blocks[table[p // size], :, p % size] for p in places]
        values = [self.value_blocks[table[p // size], :, p % size] for p in places]
        return torch.stack(keys, dim=1), torch.stack(values, dim=1)

    def free(self, sequence: int) -> None:
        """Give the blocks of a sequence back and forget it."""
        del self.tables[sequence]
        del self.lengths[sequence]


class CachedAttention(nn.Module):
    """Causal self-attention with grouped heads and rotary positions, for prefill, chunks and decoding."""

    def __init__(self, d_model: int, num_heads: int, num_kv_heads: int, window: int | None = None) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = num_heads, num_kv_heads, d_model // num_heads
        self.window = window
        self.query = nn.Linear(d_model, num_heads * self.head_dim, bias=False)
        self.key = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.value = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.out = nn.Linear(num_heads * self.head_dim, d_model, bias=False)

    def new_cache(self, batch: int, max_len: int) -> KVCache | WindowCache:
        """Return an empty cache for this layer."""
        like = self.key.weight
        if self.window is None:
            return KVCache(batch, self.kv_heads, self.head_dim, max_len, dtype=like.dtype, device=like.device)
        return WindowCache(batch, self.kv_heads, self.head_dim, self.window, dtype=like.dtype, device=like.device)

    def forward(self, x: Tensor, cache: KVCache | WindowCache) -> Tensor:
        """Project and rotate the new tokens, append them, let each attend to what it may see."""
        starts = [cache.length] * x.shape[0]
        query, key, value = self._projected(x, starts)
        keys, values = cache.append(key, value)
        # what was appended before is older, so the position of the first key that came back is this
        first = cache.length - keys.shape[2]
        return self._attend(query, keys, values, starts, first)

    def forward_ragged(self, x: Tensor, cache: RaggedCache, counts: list[int]) -> Tensor:
        """Do the same; each row has a start of its own."""
        starts = list(cache.lengths)
        query, key, value = self._projected(x, starts)
        keys, values = cache.append(key, value, counts)
        return self._attend(query, keys, values, starts, 0)

    def _projected(self, x: Tensor, starts: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        positions = torch.tensor([[start + t for t in range(x.shape[1])] for start in starts], device=x.device)
        query = rope(self._heads(self.query(x), self.heads), positions)
        key = rope(self._heads(self.key(x), self.kv_heads), positions)
        return query, key, self._heads(self.value(x), self.kv_heads)

    def _heads(self, x: Tensor, count: int) -> Tensor:
        """Cut (batch, T, count * head_dim) into (batch, count, T, head_dim)."""
        return torch.stack([x[..., h * self.head_dim : (h + 1) * self.head_dim] for h in range(count)], dim=1)

    def _attend(self, query: Tensor, keys: Tensor, values: Tensor, starts: list[int], first: int) -> Tensor:
        """Let the query at position p see the keys at positions up to p; keys[:, :, 0] stands at `first`."""
        rows = []
        for b, start in enumerate(starts):
            tokens = []
            for t in range(query.shape[2]):
                last = start + t - first + 1
                oldest = 0 if self.window is None else max(0, last - self.window)
                heads = []
                for h in range(self.heads):
                    shared = h // (self.heads // self.kv_heads)
                    seen, mixed = keys[b, shared, oldest:last], values[b, shared, oldest:last]
                    heads.append(_mix(query[b, h, t], seen, mixed))
                tokens.append(torch.cat(heads))
            rows.append(torch.stack(tokens))
        result: Tensor = self.out(torch.stack(rows))
        return result


def generate(model: Any, prompt: Tensor, steps: int) -> Tensor:
    """Continue a prompt with the most likely token, again and again."""
    tokens = prompt
    cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
    for step in range(steps):
        logits = model(tokens if step == 0 else tokens[:, -1:], cache)[:, -1]
        best = [row.index(max(row)) for row in logits.tolist()]
        new = torch.tensor(best, dtype=tokens.dtype, device=tokens.device)
        tokens = torch.cat([tokens, new[:, None]], dim=1)
    return tokens.clone()
