"""Right program in the style boolean_select: throw the ignored rows away first, index with pairs, fill in at the end."""

import math

import torch
from torch import Tensor


def logsumexp_rows(x: Tensor, dim: int) -> Tensor:
    """The formula of the textbooks: maximum plus log of the sum."""
    m = x.max(dim, keepdim=True)[0]
    return m + (x - m).exp().sum(dim, keepdim=True).log()


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    x = logits.float() if logits.dtype in {torch.half, torch.bfloat16} else logits
    return (x - logsumexp_rows(x, dim)).to(logits.dtype)


def token_losses(rows: Tensor, classes: Tensor, e: float) -> Tensor:
    lse = logsumexp_rows(rows, 1)[:, 0]
    hard = lse - rows[torch.arange(rows.shape[0]), classes]
    if e == 0:
        return hard
    soft = lse - rows.mean(1)
    return torch.lerp(hard, soft, e)


def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"unknown reduction: {reduction}")
    x = logits.reshape(-1, logits.shape[-1])
    if x.dtype in {torch.half, torch.bfloat16}:
        x = x.float()
    keep = targets.reshape(-1) != ignore_index
    losses = token_losses(x[keep], targets.reshape(-1)[keep], label_smoothing)
    if reduction == "none":
        out = torch.zeros(keep.shape, dtype=x.dtype, device=x.device)
        out = out.masked_scatter(keep, losses)
        return out.reshape(targets.shape).to(logits.dtype)
    if losses.numel() == 0:
        return losses.sum().to(logits.dtype)
    return getattr(losses, reduction)().to(logits.dtype)


def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
    width = logits.shape[-1]
    x = logits.reshape(-1, width)
    if x.dtype in {torch.half, torch.bfloat16}:
        x = x.float()
    keep = targets.reshape(-1) != ignore_index
    out = torch.zeros_like(x)
    n = int(keep.sum())
    if n:
        p = torch.exp(x[keep] - logsumexp_rows(x[keep], 1))
        p -= label_smoothing / width
        p[torch.arange(n), targets.reshape(-1)[keep]] -= 1.0 - label_smoothing
        out[keep] = p / n
    return out.reshape(logits.shape).to(logits.dtype)


def next_token_targets(ids, pad_id=None, ignore_index=-100):
    end = torch.full_like(ids[..., :1], ignore_index)
    following = torch.cat([ids[..., 1:], end], dim=-1)
    if pad_id is not None:
        following[following == pad_id] = ignore_index
    return following


def next_token_loss(logits, ids, pad_id=None):
    following = next_token_targets(ids, pad_id)
    keep = following != -100
    return cross_entropy(logits[keep], following[keep])


def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
    counts = [int((t != ignore_index).sum()) for _, t in batches]
    whole = sum(counts)
    return [
        cross_entropy(x, t, "mean", ignore_index, label_smoothing) * (count / whole if whole else 0.0)
        for (x, t), count in zip(batches, counts)
    ]


def perplexity(batches):
    tokens = sum(count for _, count in batches)
    if not tokens:
        raise ValueError("nothing to predict")
    mean = math.fsum(nats for nats, _ in batches) / tokens
    return math.exp(mean) if mean < 709.7827 else math.inf


def bits_per_token(nats):
    return nats * math.log2(math.e)


def bits_per_byte(total_nats, text):
    size = len(bytes(text, "utf-8"))
    if size < 1:
        raise ValueError("empty text")
    return bits_per_token(total_nats / size)
