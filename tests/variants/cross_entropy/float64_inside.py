"""Right program in the style float64_inside: everything in double precision, one cast at the end."""

from decimal import Decimal
from math import exp, inf, log

import torch

LN2 = log(2)


def logp(x, dim=-1):
    x = x.double()
    x = x - x.max(dim=dim, keepdim=True).values
    return x - x.exp().sum(dim=dim, keepdim=True).log()


def log_softmax(logits, dim=-1):
    return logp(logits, dim).to(logits.dtype)


def parts(logits, targets, ignore_index, e):
    """Double precision losses (0 where ignored) and their number."""
    ok = targets != ignore_index
    p = logp(logits)
    idx = torch.where(ok, targets, torch.zeros_like(targets))
    hard = torch.take_along_dim(p, idx[..., None], dim=-1)[..., 0]
    loss = hard if e == 0 else hard.mul(1 - e).add(p.sum(-1).div(p.size(-1)), alpha=e)
    return torch.where(ok, -loss, torch.zeros_like(loss)), torch.sum(ok)


def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    loss, n = parts(logits, targets, ignore_index, label_smoothing)
    if reduction == "none":
        return loss.to(logits.dtype)
    if reduction == "sum":
        return loss.sum().to(logits.dtype)
    if reduction == "mean":
        return (loss.sum() / torch.maximum(n, torch.ones_like(n))).to(logits.dtype)
    raise ValueError("reduction: " + str(reduction))


def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
    ok = (targets != ignore_index)[..., None]
    p = logp(logits).exp()
    classes = torch.arange(logits.shape[-1], device=logits.device)
    hot = classes == targets[..., None]
    q = hot.double() * (1.0 - label_smoothing) + label_smoothing / logits.shape[-1]
    n = torch.sum(ok)
    return torch.where(ok, (p - q) / torch.maximum(n, torch.ones_like(n)), 0.0).to(logits.dtype)


def next_token_targets(ids, pad_id=None, ignore_index=-100):
    t = torch.empty_like(ids)
    t[..., -1] = ignore_index
    t[..., :-1].copy_(ids[..., 1:])
    if pad_id is not None:
        t[t == pad_id] = ignore_index
    return t


def next_token_loss(logits, ids, pad_id=None):
    return cross_entropy(logits, next_token_targets(ids, pad_id=pad_id, ignore_index=-1), ignore_index=-1)


def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
    found = [parts(x, t, ignore_index, label_smoothing) for x, t in batches]
    n = sum(count for _, count in found)
    return [(loss.sum() / n.clamp(min=1)).to(x.dtype) for (loss, _), (x, _) in zip(found, batches)]


def perplexity(batches):
    nats, tokens = Decimal(0), 0
    for a, b in batches:
        nats, tokens = nats + Decimal(a), tokens + b
    if tokens == 0:
        raise ValueError
    try:
        return exp(nats / tokens)
    except OverflowError:
        return inf


def bits_per_token(nats):
    return nats / LN2


def bits_per_byte(total_nats, text):
    n = sum(1 if c < "\x80" else 2 if c < "\u0800" else 3 if c < "\U00010000" else 4 for c in text)
    if n == 0:
        raise ValueError
    return total_nats / LN2 / n
