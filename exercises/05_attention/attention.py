"""Attention, its masks and its positions. The task is in README.md beside this file."""

import math

import torch
from torch import Tensor, nn


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Return exp(x) divided by its sum along one axis, for numbers of any size.

    Args:
        x: any shape, float32, float64, bfloat16 or float16; finite numbers and -inf.
        dim: axis along which the results sum to 1; negative ones count from the end.

    Returns:
        shape and dtype of x. Where all numbers along `dim` are -inf, the results are zeros, and so
        are the gradients. Half-precision input is computed in float32 or better, rounded once.
    """
    raise NotImplementedError


def causal_mask(query_len: int, key_len: int, device: torch.device | str | None = None) -> Tensor:
    """Return which keys a query may attend when it must not look into the future.

    Returns:
        bool, shape (query_len, key_len), on `device`. The last query stands at the last key: entry
        (i, j) is True if j <= i + key_len - query_len.

    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.2.3.
    """
    raise NotImplementedError


def sliding_window_mask(query_len: int, key_len: int, window: int, device: torch.device | str | None = None) -> Tensor:
    """Return the causal mask in which a query sees the last `window` keys only, its own among them.

    Args:
        query_len: number of queries.
        key_len: number of keys; the last query stands at the last key.
        window: how many keys a query sees at most, at least 1; 1 is its own key alone.
        device: of the result.

    Returns:
        bool, shape (query_len, key_len), on `device`; True = may be attended.

    Source: Beltagy et al. 2020, Longformer, section 3.1; Jiang et al. 2023, Mistral 7B, section 2.
    """
    raise NotImplementedError


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    causal: bool = False,
    key_mask: Tensor | None = None,
) -> Tensor:
    """Return softmax(query key^T / sqrt(head_dim)) value, over the keys that are allowed.

    Args:
        query: shape (..., Tq, head_dim).
        key: shape (..., Tk, head_dim), same leading axes.
        value: shape (..., Tk, value_dim), same leading axes.
        mask: bool, broadcastable to (..., Tq, Tk); True = may be attended.
        causal: also apply `causal_mask(Tq, Tk)`.
        key_mask: bool, shape (batch, Tk), True = a real token, False = padding that no query may
            attend; batch is the first axis of query, which then has at least three axes.

    Returns:
        shape (..., Tq, value_dim), dtype of query. A key counts if all that is given allows it; a
        query without such a key gives zeros, and zeros as its part of each gradient. Half-precision
        input is computed in float32 or better, rounded once.

    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.2.1.
    """
    raise NotImplementedError


class Head(nn.Module):
    """A single head of self-attention.

    Three `nn.Linear` without bias, from d_model to head_dim, named `query`, `key` and `value`.
    """

    def __init__(self, d_model: int, head_dim: int) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor, causal: bool = True, key_mask: Tensor | None = None) -> Tensor:
        """Return the attention of x on itself.

        Args:
            x: shape (batch, T, d_model).
            causal: as in `attention`, but True when nothing is said.
            key_mask: bool, shape (batch, T); as in `attention`.

        Returns:
            shape (batch, T, head_dim), dtype of x.
        """
        raise NotImplementedError


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Cut the features of each token into heads: (batch, T, d_model) -> (batch, num_heads, T, head_dim).

    Head h has the features h * head_dim to (h + 1) * head_dim - 1, where head_dim = d_model / num_heads.

    Raises:
        ValueError: d_model is not a multiple of num_heads.
    """
    raise NotImplementedError


def join_heads(x: Tensor) -> Tensor:
    """Put the heads of each token side by side: (batch, num_heads, T, head_dim) -> (batch, T, num_heads * head_dim).

    The inverse of `split_heads`.
    """
    raise NotImplementedError


def grouped_query_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    causal: bool = False,
    key_mask: Tensor | None = None,
) -> Tensor:
    """Return the attention of many query heads on fewer key and value heads.

    Query head h attends with key and value head h // (H / Hkv): neighbours share one. Hkv = 1 is
    multi-query attention, Hkv = H is multi-head attention.

    Args:
        query: shape (batch, H, Tq, head_dim).
        key: shape (batch, Hkv, Tk, head_dim).
        value: shape (batch, Hkv, Tk, value_dim).
        causal: as in `attention`.
        key_mask: as in `attention`.

    Returns:
        shape (batch, H, Tq, value_dim), dtype of query.

    Raises:
        ValueError: H is not a multiple of Hkv.

    Source: Ainslie et al. 2023, GQA, section 2.2; Shazeer 2019, Fast Transformer Decoding, section 3.
    """
    raise NotImplementedError


class MultiHeadAttention(nn.Module):
    """Self-attention with several heads and an output projection.

    Four `nn.Linear` without bias: `query` from d_model to d_model, `key` and `value` from d_model to
    num_kv_heads * head_dim, `out` from d_model to d_model, where head_dim = d_model / num_heads. Without
    num_kv_heads there are as many key and value heads as query heads.

    Raises:
        ValueError: d_model is not a multiple of num_heads, or num_heads not of num_kv_heads.

    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.2.2.
    """

    def __init__(self, d_model: int, num_heads: int, num_kv_heads: int | None = None) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor, causal: bool = True, key_mask: Tensor | None = None) -> Tensor:
        """Return the attention of x on itself.

        The heads are those of `split_heads`, they attend as in `grouped_query_attention`, are joined
        as in `join_heads`, and go through `out`.

        Args:
            x: shape (batch, T, d_model).
            causal: as in `attention`, but True when nothing is said.
            key_mask: bool, shape (batch, T); as in `attention`.

        Returns:
            shape (batch, T, d_model), dtype of x.
        """
        raise NotImplementedError


def attention_dropout(weights: Tensor, p: float, training: bool) -> Tensor:
    """Drop attention weights at random while a model trains.

    Args:
        weights: any shape; results of softmax.
        p: probability that a weight becomes 0, from 0 to 1. Each number is dropped on its own, anew at
            each call.
        training: False returns the weights unchanged.

    Returns:
        shape and dtype of weights. What is kept is divided by 1 - p, so that the expected value
        stays. With p = 1 all are zeros.

    Source: Srivastava et al. 2014, Dropout, section 10 (scaling while training).
    """
    raise NotImplementedError


def rope(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Rotate pairs of features by angles that grow with the position.

    The pair (x[..., 2i], x[..., 2i + 1]) is rotated by position * base^(-2i / head_dim), anticlockwise:
    (a, b) -> (a cos - b sin, a sin + b cos).

    Args:
        x: shape (..., T, head_dim): queries or keys.
        positions: integers, broadcastable to (..., T), the shape of x without its last axis: (T,) for
            all sequences alike, (batch, 1, T) for one row of positions for each text of x of shape
            (batch, heads, T, head_dim).
        base: of the angles.

    Returns:
        shape and dtype of x. Angles, sines and cosines are computed in the dtype of x or better, for
        half precision in float32 or better; half precision is rounded once, at the end.

    Raises:
        ValueError: head_dim is odd.

    Source: Su et al. 2021, RoFormer, section 3.4.2 (pairs of neighbours, as in the paper).
    """
    raise NotImplementedError


def sinusoidal_positions(length: int, d_model: int, base: float = 10000.0) -> Tensor:
    """Return the fixed position embeddings of the positions 0 to length - 1.

    Returns:
        float32, shape (length, d_model), on the CPU: sin(pos / base^(2i / d_model)) at feature 2i and
        cos of the same angle at feature 2i + 1. With an odd d_model the last feature is a sine.

    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.5.
    """
    raise NotImplementedError


def online_attention(query: Tensor, key: Tensor, value: Tensor, block_size: int, causal: bool = False) -> Tensor:
    """Return what `attention` returns, without a tensor that has Tq times Tk numbers.

    The keys are visited in blocks. For each query a running maximum, a running sum and a running mix
    are kept, and corrected whenever the maximum grows.

    Args:
        query: shape (..., Tq, head_dim).
        key: shape (..., Tk, head_dim), same leading axes.
        value: shape (..., Tk, value_dim), same leading axes.
        block_size: keys in a block, at least 1; need not divide Tk and may exceed it.
        causal: as in `attention`.

    Returns:
        shape (..., Tq, value_dim), dtype of query. Queries without a key, half precision and gradients
        as in `attention`. For a fixed block_size the memory grows in proportion to Tq + Tk.

    Source: Milakov and Gimelshein 2018, Online normalizer calculation for softmax, section 3;
        Dao et al. 2022, FlashAttention, section 3.1.
    """
    raise NotImplementedError
