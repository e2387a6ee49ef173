"""Right program in the style loops: one token at a time, lists of Python, slow but plain."""

import math

import torch
from torch import Tensor


def one_row(row: Tensor) -> Tensor:
    top = max(row.tolist())
    total = sum(torch.exp(number - top) for number in row) if len(row) < 1000 else torch.exp(row - top).sum()
    return row - top - torch.log(total)


def up(x: Tensor) -> Tensor:
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    turned = up(logits).transpose(dim, -1)
    flat = turned.reshape(-1, turned.shape[-1])
    rows = [one_row(flat[i]) for i in range(len(flat))]
    return torch.stack(rows).view(turned.shape).transpose(dim, -1).to(logits.dtype)


def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    if reduction not in ["mean", "sum", "none"]:
        raise ValueError("what is " + reduction + "?")
    flat = up(logits).reshape(-1, logits.shape[-1])
    losses = []
    count = 0
    for i, t in enumerate(targets.flatten().tolist()):
        if t == ignore_index:
            losses.append(0.0 * torch.zeros_like(flat[i]).sum())
            continue
        count += 1
        logp = one_row(flat[i])
        loss = -logp[t]
        if label_smoothing > 0:
            loss = loss * (1 - label_smoothing)
            loss = loss + label_smoothing * -logp.mean()
        losses.append(loss)
    nothing = flat[:0].sum()  # zero, and a child of the logits
    if reduction == "none":
        if not losses:
            return nothing.expand(targets.shape).to(logits.dtype)
        return (torch.stack(losses) + nothing).reshape(targets.shape).to(logits.dtype)
    total = nothing
    for loss in losses:
        total = total + loss
    if reduction == "mean" and count > 0:
        total = total / count
    return total.to(logits.dtype)


def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
    V = logits.shape[-1]
    flat = up(logits).reshape(-1, V)
    goal = targets.flatten().tolist()
    n = len([t for t in goal if t != ignore_index])
    out = torch.zeros_like(flat)
    for i, t in enumerate(goal):
        if t != ignore_index:
            out[i] = one_row(flat[i]).exp() - label_smoothing / V
            out[i, t] -= 1 - label_smoothing
    return (out / max(n, 1)).reshape(logits.shape).to(logits.dtype)


def next_token_targets(ids, pad_id=None, ignore_index=-100):
    out = ids.clone()
    T = ids.shape[-1]
    for t in range(T):
        if t == T - 1:
            out[..., t] = ignore_index
        else:
            column = ids[..., t + 1].clone()
            if pad_id is not None:
                column[column == pad_id] = ignore_index
            out[..., t] = column
    return out


def next_token_loss(logits, ids, pad_id=None):
    # an id cannot be negative, so -1 is as good as any
    return cross_entropy(logits, next_token_targets(ids, pad_id, -1), ignore_index=-1)


def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
    n = 0
    for _, targets in batches:
        for t in targets.flatten().tolist():
            if t != ignore_index:
                n += 1
    out = []
    for logits, targets in batches:
        out.append(cross_entropy(logits, targets, "sum", ignore_index, label_smoothing) / max(n, 1))
    return out


def perplexity(batches):
    nats = tokens = 0
    for n, t in batches:
        nats += n
        tokens += t
    if tokens == 0:
        raise ValueError("no tokens")
    if nats / tokens > 709.78:
        return float("inf")
    return math.e ** (nats / tokens) if nats == 0 else math.exp(nats / tokens)


def bits_per_token(nats):
    return nats / math.log(2)


def bits_per_byte(total_nats, text):
    n = 0
    for char in text:
        n += len(char.encode("utf-8"))
    if n == 0:
        raise ValueError("no bytes")
    return bits_per_token(total_nats) / n
