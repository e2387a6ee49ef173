"""Hidden reference for grading the cross_entropy exercise: plain, readable, and not shown to students.

One token at a time, in the words of the task: the loss of a token is log(sum of exp) minus a logit.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def _widen(x: Tensor) -> Tensor:
    """Return x in float32 when it is in half precision, otherwise x itself."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _log_sum_exp(row: Tensor) -> Tensor:
    """Return log(sum of exp) of a vector: its maximum, and the logarithm of a sum between 1 and len(row)."""
    highest = row.detach().max()
    return highest + torch.log(torch.sum(torch.exp(row - highest)))


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    """Return each logit minus log(sum of exp) of its slice along dim."""
    last = _widen(logits).movedim(dim, -1)
    rows = [row - _log_sum_exp(row) for row in last.reshape(-1, last.shape[-1])]
    return torch.stack(rows).reshape(last.shape).movedim(-1, dim).to(logits.dtype)


def _token_loss(row: Tensor, target: int, label_smoothing: float) -> Tensor:
    """Return the loss of one token from its logits, a vector of the vocabulary's length."""
    losses = _log_sum_exp(row) - row  # what the token would cost for each class as its target
    if label_smoothing == 0.0:
        return losses[target]
    return (1.0 - label_smoothing) * losses[target] + label_smoothing * torch.sum(losses) / len(losses)


def _losses(logits: Tensor, targets: Tensor, ignore_index: int, label_smoothing: float) -> list[Tensor]:
    """Return the loss of each token that is scored, in order."""
    rows = _widen(logits).reshape(-1, logits.shape[-1])
    flat = targets.reshape(-1).tolist()
    return [_token_loss(rows[n], flat[n], label_smoothing) for n in range(len(flat)) if flat[n] != ignore_index]


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    reduction: str = "mean",
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross-entropy in nats; zero, with a gradient of zeros, where nothing is scored."""
    if reduction not in {"mean", "sum", "none"}:
        raise ValueError(f"unknown reduction {reduction!r}")
    losses = _losses(logits, targets, ignore_index, label_smoothing)
    # a zero that belongs to the graph of the logits, whatever they hold
    zero = torch.sum(_widen(logits)[..., :0])
    if reduction == "none":
        left = iter(losses)
        each = [zero if target == ignore_index else next(left) for target in targets.reshape(-1).tolist()]
        whole = torch.stack(each) if each else zero.expand(0)
        return whole.reshape(targets.shape).to(logits.dtype)
    total = torch.sum(torch.stack(losses)) if losses else zero
    if reduction == "mean" and losses:
        total = total / len(losses)
    return total.to(logits.dtype)


def cross_entropy_gradient(
    logits: Tensor, targets: Tensor, ignore_index: int = -100, label_smoothing: float = 0.0
) -> Tensor:
    """Return (softmax - wanted) / number of scored tokens, row by row."""
    vocabulary = logits.shape[-1]
    rows = _widen(logits).reshape(-1, vocabulary)
    flat = targets.reshape(-1).tolist()
    scored = sum(target != ignore_index for target in flat)
    gradient = torch.zeros_like(rows)
    for n, target in enumerate(flat):
        if target == ignore_index:
            continue
        softmax = torch.exp(rows[n] - _log_sum_exp(rows[n]))
        gradient[n] = softmax - label_smoothing / vocabulary
        gradient[n, target] -= 1.0 - label_smoothing
        gradient[n] /= scored
    return gradient.reshape(logits.shape).to(logits.dtype)


def next_token_targets(ids: Tensor, pad_id: int | None = None, ignore_index: int = -100) -> Tensor:
    """Return the id of the next position; ignore_index where there is none or where it is padding."""
    rows = []
    for row in ids.reshape(-1, ids.shape[-1]).tolist():
        following = [ignore_index if following == pad_id else following for following in row[1:]]
        rows.append([*following, ignore_index])
    return torch.tensor(rows, dtype=ids.dtype, device=ids.device).reshape(ids.shape)


def next_token_loss(logits: Tensor, ids: Tensor, pad_id: int | None = None) -> Tensor:
    """Return the mean loss of predicting each id but the first of its sequence."""
    return cross_entropy(logits, next_token_targets(ids, pad_id))


def micro_batch_losses(
    batches: Sequence[tuple[Tensor, Tensor]], ignore_index: int = -100, label_smoothing: float = 0.0
) -> list[Tensor]:
    """Return the sum of the losses of each micro-batch, divided by the tokens scored in all of them."""
    scored = sum(target != ignore_index for _, targets in batches for target in targets.reshape(-1).tolist())
    sums = [cross_entropy(logits, targets, "sum", ignore_index, label_smoothing) for logits, targets in batches]
    return [part / scored if scored else part for part in sums]


def perplexity(batches: Sequence[tuple[float, int]]) -> float:
    """Return e to the power of the nats per token, over all batches."""
    total_nats, total_tokens = 0.0, 0
    for nats, tokens in batches:
        total_nats += nats
        total_tokens += tokens
    if total_tokens == 0:
        raise ValueError("there are no tokens")
    rate = total_nats / total_tokens
    # the largest float is about e^709.78
    return math.exp(rate) if rate < math.log(1.7976931348623157e308) else math.inf


def bits_per_token(nats: float) -> float:
    """Return nats in bits: a bit is ln 2 nats."""
    return nats * math.log2(math.e)


def bits_per_byte(total_nats: float, text: str) -> float:
    """Return all bits over all UTF-8 bytes."""
    if len(text) == 0:
        raise ValueError("the text is empty")
    return total_nats * math.log2(math.e) / len(text.encode("utf-8"))
