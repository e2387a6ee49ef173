"""Right program in the style classes: an object that holds the options, thin functions around it."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    logits: Tensor
    targets: Tensor
    ignore_index: int = -100
    smoothing: float = 0.0

    def with_wide_logits(self) -> Tensor:
        if torch.finfo(self.logits.dtype).bits == 16:
            return self.logits.to(torch.float32)
        return self.logits

    @property
    def ignored(self) -> Tensor:
        return torch.eq(self.targets, self.ignore_index)

    @property
    def count(self) -> Tensor:
        return self.targets.numel() - self.ignored.sum()

    def columns(self) -> Tensor:
        """The vocabulary first: sums over it are sums over whole planes."""
        return self.with_wide_logits().movedim(-1, 0)

    def log_p(self) -> Tensor:
        x = self.columns()
        x = x - torch.amax(x, 0).detach()
        return x - torch.log(torch.sum(torch.exp(x), 0))

    def each(self) -> Tensor:
        log_p = self.log_p()
        index = torch.where(self.ignored, 0, self.targets)
        loss = torch.neg(torch.gather(log_p, 0, index.unsqueeze(0)).squeeze(0))
        if self.smoothing != 0.0:
            loss = loss + self.smoothing * (-log_p.mean(0) - loss)
        return torch.masked_fill(loss, self.ignored, 0)

    def reduced(self, how: str) -> Tensor:
        if how == "none":
            return self.each()
        total = self.each().sum()
        return total if how == "sum" else total / torch.clamp(self.count, min=1)

    def gradient(self) -> Tensor:
        p = self.log_p().exp()
        index = torch.where(self.ignored, 0, self.targets)
        p = p - self.smoothing / p.shape[0]
        p = torch.scatter_add(p, 0, index.unsqueeze(0), torch.full_like(p[:1], self.smoothing - 1))
        p = torch.masked_fill(p, self.ignored, 0) / torch.clamp(self.count, min=1)
        return p.movedim(0, -1)


class Evaluation:
    def __init__(self, batches):
        self.batches = list(batches)

    @cached_property
    def tokens(self):
        return sum(b for _, b in self.batches)

    @cached_property
    def rate(self):
        if self.tokens == 0:
            raise ValueError("an evaluation needs tokens")
        return sum(a for a, _ in self.batches) / self.tokens

    @property
    def perplexity(self):
        # 2 to the power of bits, in two steps: ldexp has an overflow too, so look first
        return math.inf if self.rate > 709.782712893384 else math.exp(self.rate)


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    moved = logits.movedim(dim, -1)
    found = Batch(moved, torch.zeros(0)).log_p().movedim(0, -1)
    return found.movedim(-1, dim).to(logits.dtype)


def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    if reduction not in {"none", "mean", "sum"}:
        raise ValueError(f"{reduction!r} is no reduction")
    return Batch(logits, targets, ignore_index, label_smoothing).reduced(reduction).to(logits.dtype)


def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
    return Batch(logits, targets, ignore_index, label_smoothing).gradient().to(logits.dtype).contiguous()


def next_token_targets(ids, pad_id=None, ignore_index=-100):
    parts = list(ids.unbind(-1))[1:]
    if pad_id is not None:
        parts = [torch.where(part == pad_id, ignore_index, part) for part in parts]
    parts.append(torch.full(ids.shape[:-1], ignore_index, dtype=ids.dtype, device=ids.device))
    return torch.stack(parts, -1)


def next_token_loss(logits, ids, pad_id=None):
    before, after = logits.narrow(-2, 0, ids.shape[-1] - 1), ids.narrow(-1, 1, ids.shape[-1] - 1)
    return cross_entropy(before, after if pad_id is None else after.masked_fill(after == pad_id, -100))


def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
    made = [Batch(x, t, ignore_index, label_smoothing) for x, t in batches]
    total = torch.clamp(sum(batch.count for batch in made), min=1) if made else None
    return [(batch.reduced("sum") / total).to(batch.logits.dtype) for batch in made]


def perplexity(batches):
    return Evaluation(batches).perplexity


def bits_per_token(nats):
    return math.log2(math.e) * nats


def bits_per_byte(total_nats, text):
    encoded = text.encode("utf-8")
    if not encoded:
        raise ValueError("no bytes")
    return bits_per_token(total_nats) / len(encoded)
