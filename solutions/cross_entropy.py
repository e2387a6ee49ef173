"""Cross-entropy of a language model, from logits to perplexity."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

REDUCTIONS = ("mean", "sum", "none")


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    """Return the logarithm of softmax along one axis, without overflow or underflow."""
    wide = _wide(logits)
    # the largest number becomes 0, so no exp overflows and the sum is at least 1; softmax does not
    # depend on the shift, so no gradient has to pass through it
    shifted = wide - wide.amax(dim, keepdim=True).detach()
    return (shifted - shifted.exp().sum(dim, keepdim=True).log()).to(logits.dtype)


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    reduction: str = "mean",
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross-entropy of the targets in nats: of each, their sum, or their mean."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}, not {reduction!r}")
    nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
    if reduction == "sum":
        nats = nats.sum()
    elif reduction == "mean":
        nats = nats.sum() / _count(scored)
    return nats.to(logits.dtype)


def cross_entropy_gradient(
    logits: Tensor, targets: Tensor, ignore_index: int = -100, label_smoothing: float = 0.0
) -> Tensor:
    """Return the gradient of the mean cross-entropy with respect to the logits, by its closed form."""
    scored = targets != ignore_index
    probabilities = log_softmax(_wide(logits)).exp()
    # what the model should have said: one for the target, smoothed over all classes
    wanted = torch.full_like(probabilities, label_smoothing / logits.shape[-1])
    classes = targets.where(scored, 0).unsqueeze(-1)
    wanted.scatter_add_(-1, classes, torch.full_like(probabilities[..., :1], 1 - label_smoothing))
    return ((probabilities - wanted).where(scored.unsqueeze(-1), 0.0) / _count(scored)).to(logits.dtype)


def next_token_targets(ids: Tensor, pad_id: int | None = None, ignore_index: int = -100) -> Tensor:
    """Return what each position has to predict: the id at the next one."""
    targets = torch.full_like(ids, ignore_index)  # the last position has no next one
    targets[..., :-1] = ids[..., 1:]
    return targets if pad_id is None else targets.masked_fill(targets == pad_id, ignore_index)


def next_token_loss(logits: Tensor, ids: Tensor, pad_id: int | None = None) -> Tensor:
    """Return the mean cross-entropy of predicting each id from the position before it."""
    return cross_entropy(logits, next_token_targets(ids, pad_id))


def micro_batch_losses(
    batches: Sequence[tuple[Tensor, Tensor]], ignore_index: int = -100, label_smoothing: float = 0.0
) -> list[Tensor]:
    """Return one loss for each micro-batch; their sum is the mean cross-entropy of the whole batch."""
    if not batches:
        return []
    # the mean of the whole divides by the tokens of all batches, not by those of one
    total = torch.stack([(targets != ignore_index).sum() for _, targets in batches]).sum().clamp(min=1)
    return [cross_entropy(logits, targets, "sum", ignore_index, label_smoothing) / total for logits, targets in batches]


def perplexity(batches: Sequence[tuple[float, int]]) -> float:
    """Return exp(total nats / total tokens) of batches (nats, tokens)."""
    nats = sum(nats for nats, _ in batches)
    tokens = sum(tokens for _, tokens in batches)
    if tokens == 0:
        raise ValueError("perplexity needs at least one token")
    try:
        return math.exp(nats / tokens)
    except OverflowError:
        return math.inf


def bits_per_token(nats: float) -> float:
    """Return nats in bits."""
    return nats / math.log(2)


def bits_per_byte(total_nats: float, text: str) -> float:
    """Return the bits that a model spends on each UTF-8 byte of a text."""
    if not text:
        raise ValueError("bits per byte needs a text that is not empty")
    return bits_per_token(total_nats) / len(text.encode("utf-8"))


def _wide(x: Tensor) -> Tensor:
    """Return half precision as float32, anything else as it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _count(scored: Tensor) -> Tensor:
    """Return how many targets are scored, but at least 1: nothing divided by 1 is 0, not NaN."""
    return scored.sum().clamp(min=1)


def _nats(logits: Tensor, targets: Tensor, ignore_index: int, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """Return the loss of each target, 0 where it is ignored, and which targets are scored."""
    scored = targets != ignore_index
    log_p = log_softmax(_wide(logits))
    # an ignored target is no class; any class will do in its place, since its loss is dropped
    classes = targets.where(scored, 0).unsqueeze(-1)
    nats = -log_p.gather(-1, classes).squeeze(-1)
    # not without smoothing: 0 times the infinite loss of an impossible class is NaN
    if label_smoothing:
        nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
    return nats.where(scored, 0.0), scored
