"""The key-value cache of a decoder: prefill and decode, windows, ragged batches, pages."""

from typing import Any

import torch
from torch import Tensor, nn

# --- given: leave these two functions as they are ---------------------------------------------


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


# --- sizes and masks --------------------------------------------------------------------------


def cache_bytes(
    num_layers: int, num_kv_heads: int, head_dim: int, length: int, bytes_per_value: int, batch: int = 1
) -> int:
    """Return how many bytes the keys and values of a model take."""
    return 2 * batch * num_layers * num_kv_heads * head_dim * length * bytes_per_value


def causal_mask(
    query_len: int, key_len: int, window: int | None = None, device: torch.device | str | None = None
) -> Tensor:
    """Say which query may attend to which key when the last query stands at the last key."""
    own = torch.arange(key_len - query_len, key_len, device=device).unsqueeze(1)
    keys = torch.arange(key_len, device=device)
    mask = keys <= own
    return mask if window is None else mask & (keys > own - window)


# --- caches -----------------------------------------------------------------------------------


class _Buffers:
    """What caches of one block have in common: two tensors that are allocated once."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str | None) -> None:
        self.keys = torch.zeros(shape, dtype=dtype, device=device)
        self.values = torch.zeros_like(self.keys)

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values together."""
        return self.keys.nbytes + self.values.nbytes


class KVCache(_Buffers):
    """Keys and values of one layer, in memory that is allocated once."""

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        max_len: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__((batch, num_kv_heads, max_len, head_dim), dtype, device)
        self.max_len = max_len
        self.length = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store the keys and values of T more tokens; return views of all so far."""
        end = self.length + key.shape[2]
        if end > self.max_len:
            raise ValueError(f"{end} tokens do not fit into a cache for {self.max_len}")
        # detached: a buffer that remembers how its keys were made would keep every step's graph alive
        self.keys[:, :, self.length : end] = key.detach()
        self.values[:, :, self.length : end] = value.detach()
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def reset(self) -> None:
        """Forget all tokens; what is left in the buffers is never read again."""
        self.length = 0


class WindowCache(_Buffers):
    """Keys and values of the last `window` tokens: token p stands in slot p % window."""

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        window: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__((batch, num_kv_heads, window, head_dim), dtype, device)
        self.window = window
        self.length = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store T more tokens; return what their queries may see, oldest first."""
        end = self.length + key.shape[2]
        before = self._slots(max(0, self.length - self.window + 1), self.length)
        kept = self._slots(max(self.length, end - self.window), end)
        seen = []
        for buffer, new in ((self.keys, key), (self.values, value)):
            stored = new.detach().to(buffer.dtype)
            # read before the write: the new tokens overwrite the oldest
            seen.append(torch.cat((buffer[:, :, before], stored), dim=2))
            buffer[:, :, kept] = stored[:, :, -len(kept) :]
        self.length = end
        return seen[0], seen[1]

    def _slots(self, start: int, end: int) -> Tensor:
        """Return the slots of the tokens start to end - 1."""
        return torch.arange(start, end, device=self.keys.device) % self.window

    def reset(self) -> None:
        """Forget all tokens."""
        self.length = 0


class RaggedCache(_Buffers):
    """Keys and values of one layer for rows (sequences) of different length."""

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        max_len: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__((batch, num_kv_heads, max_len, head_dim), dtype, device)
        self.max_len = max_len
        self.lengths = [0] * batch

    def append(self, key: Tensor, value: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Store counts[b] more tokens of each row b, right behind the row's own last token."""
        ends = [length + count for length, count in zip(self.lengths, counts, strict=True)]
        if max(ends) > self.max_len:
            raise ValueError(f"a row of {max(ends)} tokens does not fit into a cache for {self.max_len}")
        for row, (start, end) in enumerate(zip(self.lengths, ends, strict=True)):
            self.keys[row, :, start:end] = key[row, :, : end - start].detach()
            self.values[row, :, start:end] = value[row, :, : end - start].detach()
        self.lengths = ends
        return self.keys[:, :, : max(ends)], self.values[:, :, : max(ends)]

    def reset(self, row: int) -> None:
        """Forget the tokens of one row; zeros stand behind the end of a row."""
        self.keys[row].zero_()
        self.values[row].zero_()
        self.lengths[row] = 0


class PagedCache:
    """Keys and values of many sequences of one layer, in blocks that are handed out on demand."""

    def __init__(
        self,
        num_blocks: int,
        block_size: int,
        num_kv_heads: int,
        head_dim: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        self.block_size = block_size
        self.key_blocks = torch.zeros(num_blocks, num_kv_heads, block_size, head_dim, dtype=dtype, device=device)
        self.value_blocks = torch.zeros_like(self.key_blocks)
        self.tables: dict[int, list[int]] = {}
        self.lengths: dict[int, int] = {}
        self._free = set(range(num_blocks))

    @property
    def num_free(self) -> int:
        """Number of blocks that belong to no sequence."""
        return len(self._free)

    def append(self, sequence: int, key: Tensor, value: Tensor) -> None:
        """Store the keys and values of T more tokens of a sequence, new or known."""
        start, count = self.lengths.get(sequence, 0), key.shape[1]
        table = self.tables.get(sequence, [])
        wanted = -(-(start + count) // self.block_size) - len(table)
        if wanted > len(self._free):
            raise ValueError(f"{wanted} blocks are needed, {len(self._free)} are free")
        taken = sorted(self._free)[:wanted]
        self._free.difference_update(taken)
        self.tables[sequence] = table + taken
        self.lengths[sequence] = start + count
        done = 0
        while done < count:
            number, offset = divmod(start + done, self.block_size)
            block = self.tables[sequence][number]
            room = min(self.block_size - offset, count - done)
            self.key_blocks[block, :, offset : offset + room] = key[:, done : done + room].detach()
            self.value_blocks[block, :, offset : offset + room] = value[:, done : done + room].detach()
            done += room

    def gather(self, sequence: int) -> tuple[Tensor, Tensor]:
        """Return copies of the keys and values of a sequence, position 0 first."""
        length = self.lengths[sequence]
        table = torch.tensor(self.tables[sequence], device=self.key_blocks.device)
        keys, values = (
            # (blocks, heads, places, head_dim) -> (heads, tokens, head_dim); the last block may be partly filled
            blocks[table].transpose(0, 1).flatten(1, 2)[:, :length]
            for blocks in (self.key_blocks, self.value_blocks)
        )
        return keys, values

    def free(self, sequence: int) -> None:
        """Give the blocks of a sequence back and forget it."""
        self._free.update(self.tables.pop(sequence))
        del self.lengths[sequence]


# --- attention and generation -----------------------------------------------------------------


class CachedAttention(nn.Module):
    """Causal self-attention with grouped heads and rotary positions, for prefill, chunks and decoding."""

    def __init__(self, d_model: int, num_heads: int, num_kv_heads: int, window: int | None = None) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.num_kv_heads = num_kv_heads
        self.head_dim = d_model // num_heads
        self.window = window
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.value = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def new_cache(self, batch: int, max_len: int) -> KVCache | WindowCache:
        """Return an empty cache for this layer, in the dtype and on the device of its weights."""
        weight = self.key.weight
        if self.window is not None:
            return WindowCache(batch, self.num_kv_heads, self.head_dim, self.window, weight.dtype, weight.device)
        return KVCache(batch, self.num_kv_heads, self.head_dim, max_len, weight.dtype, weight.device)

    def forward(self, x: Tensor, cache: KVCache | WindowCache) -> Tensor:
        """Let T more tokens attend to themselves and to what is in the cache; they are appended to it."""
        # before anything is appended: length is the position of the first new token
        positions = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
        query, key, value = self._project(x, positions)
        keys, values = cache.append(key, value)
        mask = causal_mask(x.shape[1], keys.shape[2], self.window, x.device)
        return self._join(attention(query, keys, values, mask))

    def forward_ragged(self, x: Tensor, cache: RaggedCache, counts: list[int]) -> Tensor:
        """Do the same for rows of different length."""
        starts = torch.tensor(cache.lengths, device=x.device).unsqueeze(1)
        positions = starts + torch.arange(x.shape[1], device=x.device)
        query, key, value = self._project(x, positions)
        keys, values = cache.append(key, value, counts)
        # a key's index is its position, so one comparison hides the future and the padding of other rows
        mask = torch.arange(keys.shape[2], device=x.device) <= positions.unsqueeze(-1)
        return self._join(attention(query, keys, values, mask))

    def _project(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query, key and value in heads, query and key rotated."""
        query, key, value = (
            projection(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        return rope(query, positions), rope(key, positions), value

    def _join(self, mixed: Tensor) -> Tensor:
        """Put the heads of each token side by side and project them."""
        return self.out(mixed.transpose(1, 2).flatten(2))


def generate(model: Any, prompt: Tensor, steps: int) -> Tensor:
    """Continue a prompt, always with the most likely token."""
    cache = model.new_cache(prompt.shape[0], prompt.shape[1] + steps)
    tokens, newest = prompt.clone(), prompt
    for _ in range(steps):
        newest = model(newest, cache)[:, -1:].argmax(-1)
        tokens = torch.cat((tokens, newest), dim=1)
    return tokens
