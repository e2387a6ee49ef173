"""The key-value cache of a decoder. The task is in README.md beside this file."""

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


# --- yours ------------------------------------------------------------------------------------


def cache_bytes(
    num_layers: int, num_kv_heads: int, head_dim: int, length: int, bytes_per_value: int, batch: int = 1
) -> int:
    """Return how many bytes the keys and values of a model take.

    Args:
        num_layers: layers of the model; each has a cache of its own.
        num_kv_heads: heads of the keys, and as many of the values, of one layer.
        head_dim: numbers in one key, and as many in one value.
        length: tokens of one sequence.
        bytes_per_value: bytes of one number; 2 for float16.
        batch: sequences.
    """
    raise NotImplementedError


def causal_mask(
    query_len: int, key_len: int, window: int | None = None, device: torch.device | str | None = None
) -> Tensor:
    """Say which query may attend to which key when the last query stands at the last key.

    Args:
        query_len: number of queries, the newest tokens.
        key_len: number of keys: what came before the queries, then the queries' own.
        window: None, or how many keys a query sees at most: its own and the window - 1 before it.
        device: of the result; torch's default if None.

    Returns:
        bool, shape (query_len, key_len), True = may be attended. Query i stands at key
        p = i + key_len - query_len and sees the keys j <= p, and of these only j > p - window if
        there is a window.
    """
    raise NotImplementedError


class KVCache:
    """Keys and values of one layer, in memory that is allocated once.

    Attributes:
        keys: shape (batch, num_kv_heads, max_len, head_dim), zeros at first. Allocated by the
            constructor; the same memory for the life of the cache.
        values: like keys.
        length: int, tokens that are in the cache, 0 at first: the position of the next token.
        max_len: int.
    """

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        max_len: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        raise NotImplementedError

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store the keys and values of T more tokens.

        Args:
            key: shape (batch, num_kv_heads, T, head_dim), T >= 1, any float dtype.
            value: like key.

        Returns:
            (keys, values) of all tokens so far, shape (batch, num_kv_heads, length, head_dim), in the
            dtype of the cache. They are views: nothing that is there already is copied. They carry
            no gradient, and so does the cache, whatever key and value do.

        Raises:
            ValueError: there is no room for T more tokens. The cache is as it was before.
        """
        raise NotImplementedError

    def reset(self) -> None:
        """Forget all tokens: the next one stands at position 0. The memory is kept."""
        raise NotImplementedError

    @property
    def nbytes(self) -> int:
        """Bytes of `keys` and `values` together, filled or not."""
        raise NotImplementedError


class WindowCache:
    """Keys and values of the last `window` tokens of one layer; older ones are overwritten.

    Attributes:
        keys: shape (batch, num_kv_heads, window, head_dim). Allocated by the constructor; the same
            memory for the life of the cache. In which order the tokens stand in it is up to you.
        values: like keys.
        length: int, all tokens that were ever appended, evicted ones included, 0 at first: the
            position of the next token.
        window: int, at least 1.
    """

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        window: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        raise NotImplementedError

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store the keys and values of T more tokens, T may be larger than the window.

        Args:
            key: shape (batch, num_kv_heads, T, head_dim), T >= 1, any float dtype.
            value: like key.

        Returns:
            (keys, values), in order of time, oldest first: the window - 1 tokens before the chunk (fewer
            if fewer were appended), which its first query may still see, then all T tokens of the
            chunk. Shape (batch, num_kv_heads, min(length before, window - 1) + T, head_dim), dtype of
            the cache, no gradient. A later append or reset does not change them.
        """
        raise NotImplementedError

    def reset(self) -> None:
        """Forget all tokens: the next one stands at position 0. The memory is kept."""
        raise NotImplementedError

    @property
    def nbytes(self) -> int:
        """Bytes of `keys` and `values` together, filled or not."""
        raise NotImplementedError


class RaggedCache:
    """Keys and values of one layer for rows (sequences) of different length.

    Attributes:
        keys: shape (batch, num_kv_heads, max_len, head_dim), zeros at first. Allocated by the
            constructor; the same memory for the life of the cache.
        values: like keys.
        lengths: list of batch ints, zeros at first: tokens of each row.
        max_len: int.
    """

    def __init__(
        self,
        batch: int,
        num_kv_heads: int,
        head_dim: int,
        max_len: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        raise NotImplementedError

    def append(self, key: Tensor, value: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Store counts[b] more tokens of each row b, right behind the row's own last token.

        Args:
            key: shape (batch, num_kv_heads, T, head_dim), T >= 1. The first counts[b] tokens of row b are
                real, the others are padding: they may hold anything, NaN too, and are not stored.
            value: like key.
            counts: batch ints from 0 to T; left as it is.

        Returns:
            (keys, values), shape (batch, num_kv_heads, max(lengths), head_dim), dtype of the cache, no
            gradient: the tokens of row b first, from position 0 on, then zeros. Views or copies, as
            you like: the checks look at them before they append again.

        Raises:
            ValueError: there is no room for the real tokens of some row. The cache is as it was before.
        """
        raise NotImplementedError

    def reset(self, row: int) -> None:
        """Forget the tokens of one row, for a new sequence: its length is 0, its places are zeros again."""
        raise NotImplementedError


class PagedCache:
    """Keys and values of many sequences of one layer, in blocks that are handed out on demand.

    Attributes:
        key_blocks: shape (num_blocks, num_kv_heads, block_size, head_dim), zeros at first. Allocated
            by the constructor; the same memory for the life of the cache.
        value_blocks: like key_blocks.
        tables: dict sequence -> list of ints: the blocks of the sequence in order of time. The token at
            position p stands in key_blocks[tables[sequence][p // block_size], :, p % block_size].
        lengths: dict sequence -> int: tokens of the sequence; the same sequences as in tables.
    """

    def __init__(
        self,
        num_blocks: int,
        block_size: int,
        num_kv_heads: int,
        head_dim: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        raise NotImplementedError

    @property
    def num_free(self) -> int:
        """Number of blocks that belong to no sequence."""
        raise NotImplementedError

    def append(self, sequence: int, key: Tensor, value: Tensor) -> None:
        """Store the keys and values of T more tokens of a sequence, new or known.

        A partly filled last block is filled up first. Then, block by block, the free block with the
        smallest number is taken.

        Args:
            sequence: any int, the name of the sequence.
            key: shape (num_kv_heads, T, head_dim), T >= 1, any float dtype; stored without its gradient.
            value: like key.

        Raises:
            ValueError: too few blocks are free. The cache is as it was before: a new sequence is not
                in it.
        """
        raise NotImplementedError

    def gather(self, sequence: int) -> tuple[Tensor, Tensor]:
        """Return (keys, values) of a sequence, shape (num_kv_heads, its length, head_dim), position 0 first.

        They are copies of the sequence's own blocks: later calls do not change them, and other blocks
        are not read.

        Raises:
            KeyError: the cache does not know the sequence.
        """
        raise NotImplementedError

    def free(self, sequence: int) -> None:
        """Give the blocks of a sequence back and forget it.

        Raises:
            KeyError: the cache does not know the sequence.
        """
        raise NotImplementedError


class CachedAttention(nn.Module):
    """Causal self-attention with grouped heads and rotary positions, for prefill, chunks and decoding.

    Modules, all nn.Linear without bias, head_dim = d_model // num_heads: `query` (d_model -> d_model),
    `key` and `value` (d_model -> num_kv_heads * head_dim), `out` (d_model -> d_model). Head h has the
    outputs h * head_dim to (h + 1) * head_dim of a projection. Queries and keys are rotated by `rope`
    with their positions, counted from 0 at the first token that the cache ever saw. Keys go into the
    cache rotated, once, and in num_kv_heads heads.
    """

    def __init__(self, d_model: int, num_heads: int, num_kv_heads: int, window: int | None = None) -> None:
        """Make the four projections.

        Args:
            d_model: a multiple of num_heads; head_dim is even.
            num_heads: heads of the queries, a multiple of num_kv_heads.
            num_kv_heads: heads of the keys and values.
            window: how many tokens a token sees at most, itself included; None: all so far.
        """
        super().__init__()
        raise NotImplementedError

    def new_cache(self, batch: int, max_len: int) -> KVCache | WindowCache:
        """Return an empty cache for this layer, in the dtype and on the device of its weights.

        A WindowCache if the layer has a window (max_len does not matter then), else a KVCache.
        """
        raise NotImplementedError

    def forward(self, x: Tensor, cache: KVCache | WindowCache) -> Tensor:
        """Let T more tokens attend to themselves and to what is in the cache; they are appended to it.

        Args:
            x: shape (batch, T, d_model), T >= 1: a prompt, a chunk of it, or one token.
            cache: of this layer.

        Returns:
            shape (batch, T, d_model), dtype of x. However a sequence is cut into chunks, the result is
            what the layer gives for the whole sequence at once.
        """
        raise NotImplementedError

    def forward_ragged(self, x: Tensor, cache: RaggedCache, counts: list[int]) -> Tensor:
        """Do the same for rows of different length. Only asked of layers without a window.

        Args:
            x: shape (batch, T, d_model). The first counts[b] tokens of row b are real, the others are
                padding: they may hold anything, NaN too.
            cache: a RaggedCache with the sizes of this layer.
            counts: batch ints from 0 to T; left as it is.

        Returns:
            shape (batch, T, d_model), dtype of x. The real tokens of each row get what the row would
            get if it were alone; what stands at padding is not looked at.
        """
        raise NotImplementedError


def generate(model: Any, prompt: Tensor, steps: int) -> Tensor:
    """Continue a prompt, always with the most likely token.

    Args:
        model: `model.new_cache(batch, max_len)` returns an empty cache for max_len tokens;
            `model(tokens, cache)` takes the next tokens, int64, shape (batch, T), puts them into the
            cache and returns logits, shape (batch, T, vocabulary): those at t are for the token after t.
        prompt: int64, shape (batch, T), T >= 1.
        steps: how many tokens to add, 0 or more.

    Returns:
        int64, shape (batch, T + steps): the prompt, then the new tokens. Of equal logits the smallest
        id wins. Each call of generate makes one new cache. The model is called `steps` times: once with the whole
        prompt, then with the newest token alone, shape (batch, 1); the last token is not fed.
    """
    raise NotImplementedError
