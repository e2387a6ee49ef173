"""Cross-entropy of a language model, from logits to perplexity. The task is in README.md beside this file."""

from collections.abc import Sequence

import torch
from torch import Tensor


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    """Return the natural logarithm of softmax along one axis, without overflow or underflow.

    Args:
        logits: any shape with at least one axis; float32, float64, bfloat16 or float16. May hold -inf, but
            not in a whole slice along dim.
        dim: the axis over which probabilities sum to 1; negative ones count from the end.

    Returns:
        shape and dtype of logits. -inf where the logit is -inf. Half precision is computed in float32
        and rounded at the end.

    Source: Goodfellow, Bengio, Courville 2016, Deep Learning, section 4.1.
    """
    raise NotImplementedError


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    reduction: str = "mean",
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross-entropy of the targets in nats.

    Args:
        logits: shape (..., V), float32, float64, bfloat16 or float16. May hold -inf where label_smoothing
            is 0, but not in a whole row.
        targets: shape (...), int64; classes 0 to V - 1, or ignore_index.
        reduction: "none" for the loss of each token, "sum", or "mean" over the tokens that are scored.
        ignore_index: a target that equals it is not scored. Any integer.
        label_smoothing: e, from 0 to 1: the loss of a token is (1 - e) times -log p of its target, plus e
            times the mean of -log p over all V classes.

    Returns:
        dtype of logits. "none": shape (...), 0 where the target is ignored. "sum" and "mean": shape (), 0 if
        nothing is scored. Differentiable with respect to logits in any case; the gradient is zero for
        the logits of ignored targets.

    Raises:
        ValueError: reduction is none of the three.

    Source: Szegedy et al. 2016, Rethinking the Inception Architecture, section 7.
    """
    raise NotImplementedError


def cross_entropy_gradient(
    logits: Tensor, targets: Tensor, ignore_index: int = -100, label_smoothing: float = 0.0
) -> Tensor:
    """Return the gradient of the mean cross-entropy with respect to the logits, without autograd.

    Args:
        logits: shape (..., V); as for `cross_entropy`.
        targets: shape (...), int64.
        ignore_index: as for `cross_entropy`.
        label_smoothing: as for `cross_entropy`.

    Returns:
        shape (..., V), dtype of logits; zeros for ignored targets, and zeros everywhere if nothing is scored.

    Source: Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs.
    """
    raise NotImplementedError


def next_token_targets(ids: Tensor, pad_id: int | None = None, ignore_index: int = -100) -> Tensor:
    """Return what each position has to predict: the id at the next one.

    Args:
        ids: shape (..., T), int64, T at least 1.
        pad_id: id of padding, any integer; None if there is no padding.
        ignore_index: what stands where nothing is to be predicted: at the last position of each sequence, and
            where the next id is pad_id.

    Returns:
        shape (..., T), int64: a new tensor.
    """
    raise NotImplementedError


def next_token_loss(logits: Tensor, ids: Tensor, pad_id: int | None = None) -> Tensor:
    """Return the mean cross-entropy of predicting each id from the position before it.

    Args:
        logits: shape (..., T, V); those at position t predict the id at position t + 1.
        ids: shape (..., T), int64; all from 0 to V - 1, padding included.
        pad_id: id of padding, which is never scored; None if there is no padding.

    Returns:
        shape (), dtype of logits: the mean over all scored positions of all sequences, 0 if there are none.
        Differentiable.
    """
    raise NotImplementedError


def micro_batch_losses(
    batches: Sequence[tuple[Tensor, Tensor]], ignore_index: int = -100, label_smoothing: float = 0.0
) -> list[Tensor]:
    """Return one loss for each micro-batch, such that their sum is the loss of the whole batch.

    Args:
        batches: pairs (logits of shape (..., V), targets of shape (...)); the leading axes differ from pair to
            pair. May be empty.
        ignore_index: as for `cross_entropy`.
        label_smoothing: as for `cross_entropy`.

    Returns:
        for each micro-batch, in order, a tensor of shape (), dtype of its logits: what its own scored tokens add to the
        mean over the scored tokens of all micro-batches. Zeros if nothing is scored at all. backward() can be
        called on each of them, in any order; the gradients add up to those of the loss of the whole.
    """
    raise NotImplementedError


def perplexity(batches: Sequence[tuple[float, int]]) -> float:
    """Return exp(total nats / total tokens).

    Args:
        batches: pairs (sum of the losses in nats, number of scored tokens). A batch may have 0 nats and 0 tokens.

    Returns:
        the perplexity over all batches, math.inf if it is too large for a float.

    Raises:
        ValueError: there are no tokens at all.
    """
    raise NotImplementedError


def bits_per_token(nats: float) -> float:
    """Return the loss of a token, given in nats, in bits.

    Args:
        nats: a loss with natural logarithms.

    Returns:
        the same loss with logarithms to base 2.
    """
    raise NotImplementedError


def bits_per_byte(total_nats: float, text: str) -> float:
    """Return how many bits a model spends on each byte of a text, whatever its tokenizer.

    Args:
        total_nats: sum of the losses of all tokens of the text, in nats.
        text: of which the bytes in UTF-8 are counted.

    Returns:
        all bits divided by all bytes.

    Raises:
        ValueError: the text is empty.

    Source: Gao et al. 2020, The Pile, section 3.1.
    """
    raise NotImplementedError
