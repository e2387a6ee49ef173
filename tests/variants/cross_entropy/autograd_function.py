"""Right program in the style autograd_function: hand-written backward passes that use the closed form."""

import math
from typing import Any

import torch
from torch import Tensor


def _f(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


class _LogSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Tensor:
        y = _f(x)
        y = y - y.amax(dim, True)
        y -= y.exp().sum(dim, True).log_()
        ctx.dim, ctx.dtype = dim, x.dtype
        ctx.save_for_backward(y)
        return y.to(x.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        g = g.to(y.dtype)
        return (g - y.exp() * g.sum(ctx.dim, True)).to(ctx.dtype), None


class _Nats(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, t: Tensor, ignore: int, e: float) -> Tensor:
        y = _f(x)
        top = y.amax(-1)
        lse = (y - top.unsqueeze(-1)).exp().sum(-1).log()
        index = t.masked_fill(t == ignore, 0)
        loss = lse - (y.gather(-1, index.unsqueeze(-1)).squeeze(-1) - top)
        if e > 0:
            loss = (1 - e) * loss + e * (lse - (y - top.unsqueeze(-1)).mean(-1))
        ctx.save_for_backward(x, t, index)
        ctx.ignore, ctx.e = ignore, e
        return loss.masked_fill(t == ignore, 0.0)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None, None, None]:
        x, t, index = ctx.saved_tensors
        rows = _difference(x, t, index, ctx.ignore, ctx.e)
        return (rows * g.unsqueeze(-1)).to(x.dtype), None, None, None


def _difference(x: Tensor, t: Tensor, index: Tensor, ignore: int, e: float) -> Tensor:
    p = _f(x)
    p = (p - p.amax(-1, True)).exp()
    p /= p.sum(-1, True)
    p -= e / x.shape[-1]
    index = index.unsqueeze(-1)
    p.scatter_(-1, index, p.gather(-1, index) - (1 - e))
    return p.masked_fill_((t == ignore).unsqueeze(-1), 0.0)


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    return _LogSoftmax.apply(logits, dim)


def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    scale = {"none": lambda n: n, "sum": lambda n: n.sum(), "mean": lambda n: n.sum() / _scored(targets, ignore_index)}
    if reduction not in scale:
        raise ValueError(reduction)
    return scale[reduction](_Nats.apply(logits, targets, ignore_index, label_smoothing)).to(logits.dtype)


def _scored(targets, ignore_index):
    return torch.count_nonzero(targets - ignore_index).clamp(min=1)


def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
    index = targets.masked_fill(targets == ignore_index, 0)
    rows = _difference(logits, targets, index, ignore_index, label_smoothing)
    return rows.div_(_scored(targets, ignore_index)).to(logits.dtype)


def next_token_targets(ids, pad_id=None, ignore_index=-100):
    rolled = torch.roll(ids, -1, -1)
    last = torch.arange(ids.shape[-1], device=ids.device) == ids.shape[-1] - 1
    hidden = last if pad_id is None else last | (rolled == pad_id)
    return rolled.masked_fill(hidden, ignore_index)


def next_token_loss(logits, ids, pad_id=None):
    return cross_entropy(logits, next_token_targets(ids, pad_id))


def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
    if len(batches) == 0:
        return []
    flat = torch.cat([t.reshape(-1) for _, t in batches])
    n = _scored(flat, ignore_index)
    return [cross_entropy(x, t, "sum", ignore_index, label_smoothing).div(n) for x, t in batches]


def perplexity(batches):
    nats, tokens = (sum(column) for column in zip(*batches)) if batches else (0, 0)
    if tokens <= 0:
        raise ValueError("no tokens")
    return torch.tensor(nats / tokens, dtype=torch.float64).exp().item()


def bits_per_token(nats):
    return nats / math.log(2.0)


def bits_per_byte(total_nats, text):
    if text == "":
        raise ValueError("no text")
    return total_nats / (math.log(2.0) * len(text.encode()))
