"""Right program in the style online_blocks: one pass over blocks of the vocabulary, with a running maximum."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 64


def _blocks(x: Tensor) -> Iterator[Tensor]:
    for start in range(0, x.shape[-1], BLOCK):
        yield x[..., start : start + BLOCK]


def _log_normalizer(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return (maximum, log of the sum of exp after it) of each row, from one pass over its blocks."""
    # the lowest number, not -inf: a block may be masked as a whole
    highest = torch.full_like(x[..., 0], torch.finfo(x.dtype).min)
    total = torch.zeros_like(x[..., 0])
    for block in _blocks(x):
        new = torch.maximum(highest, block.detach().amax(-1))
        total = total * torch.exp(highest - new) + torch.exp(block - new.unsqueeze(-1)).sum(-1)
        highest = new
    return highest, torch.log(total)


def _single(x: Tensor) -> Tensor:
    return x.float() if x.element_size() == 2 else x


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    x = _single(logits).transpose(dim, -1)
    highest, rest = _log_normalizer(x)
    return ((x - highest.unsqueeze(-1)) - rest.unsqueeze(-1)).transpose(dim, -1).to(logits.dtype)


def _token_losses(logits: Tensor, targets: Tensor, ignore_index: int, e: float) -> Tensor:
    x = _single(logits)
    scored = ~(targets == ignore_index)
    x = torch.where(scored.unsqueeze(-1), x, torch.zeros_like(x))  # what padding holds never enters
    highest, rest = _log_normalizer(x)
    at = torch.gather(x, -1, (targets * scored).unsqueeze(-1)).squeeze(-1)
    losses = rest - (at - highest)
    if e:
        share = sum(((block - highest.unsqueeze(-1)).sum(-1) for block in _blocks(x))) / x.shape[-1]
        losses = (1.0 - e) * losses + e * (rest - share)
    return torch.where(scored, losses, torch.zeros_like(losses))


def cross_entropy(
    logits: Tensor, targets: Tensor, reduction: str = "mean", ignore_index: int = -100, label_smoothing: float = 0.0
) -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError("one of none, sum, mean is wanted, not " + reduction)
    losses = _token_losses(logits, targets, ignore_index, label_smoothing)
    if reduction != "none":
        losses = torch.sum(losses, dim=tuple(range(losses.dim())))
    if reduction == "mean":
        losses = losses / torch.clamp((targets != ignore_index).sum(), 1)
    return losses.to(logits.dtype)


def cross_entropy_gradient(
    logits: Tensor, targets: Tensor, ignore_index: int = -100, label_smoothing: float = 0.0
) -> Tensor:
    x = _single(logits)
    highest, rest = _log_normalizer(x)
    scored = targets != ignore_index
    result = torch.empty_like(x)
    for number, block in enumerate(_blocks(x)):
        here = torch.arange(block.shape[-1], device=x.device) + number * BLOCK
        found = torch.exp(block - (highest).unsqueeze(-1) - rest.unsqueeze(-1)) - label_smoothing / x.shape[-1]
        found = found - (1 - label_smoothing) * (here == targets.unsqueeze(-1)).to(x.dtype)
        result[..., number * BLOCK : number * BLOCK + BLOCK] = found * scored.unsqueeze(-1)
    result /= torch.clamp(scored.sum(), 1)
    return result.to(logits.dtype)


def next_token_targets(ids: Tensor, pad_id: int | None = None, ignore_index: int = -100) -> Tensor:
    places = torch.arange(1, ids.shape[-1] + 1, device=ids.device)
    found = ids.index_select(-1, places.clamp(max=ids.shape[-1] - 1))
    gone = places == ids.shape[-1]
    if pad_id is not None:
        gone = gone | (found == pad_id)
    return torch.where(gone, ignore_index, found)


def next_token_loss(logits: Tensor, ids: Tensor, pad_id: int | None = None) -> Tensor:
    following = next_token_targets(ids, pad_id)
    scored = following >= 0
    losses = cross_entropy(_single(logits), following, "none")
    return (losses.sum() / scored.sum().clamp(min=1)).to(logits.dtype)


def micro_batch_losses(
    batches: list[tuple[Tensor, Tensor]], ignore_index: int = -100, label_smoothing: float = 0.0
) -> list[Tensor]:
    count: Tensor | int = 0
    for _, targets in batches:
        count = count + (targets != ignore_index).sum()
    losses = []
    for logits, targets in batches:
        loss = cross_entropy(logits, targets, "sum", ignore_index, label_smoothing)
        losses.append(loss / torch.clamp(count, 1))
    return losses


def perplexity(batches: list[tuple[float, int]]) -> float:
    mean, seen = 0.0, 0
    for nats, tokens in batches:  # a running mean
        seen += tokens
        if tokens:
            mean += (nats - tokens * mean) / seen
    if not seen:
        raise ValueError("no tokens")
    whole = math.floor(mean)
    try:
        return math.exp(whole) * math.exp(mean - whole)
    except OverflowError:
        return math.inf


def bits_per_token(nats: float) -> float:
    return nats / 0.6931471805599453


def bits_per_byte(total_nats: float, text: str) -> float:
    if len(text) == 0:
        raise ValueError("no text")
    return bits_per_token(total_nats / len(bytearray(text, "utf-8")))
