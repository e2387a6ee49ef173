"""Right program in the style one_hot_products: wanted distributions as rows, losses as products with them."""

import numpy as np
import torch
import torch.nn.functional as F


def _fp32(x):
    return x.to(torch.promote_types(x.dtype, torch.float32))


def log_softmax(logits, dim=-1):
    x = _fp32(logits)
    top = torch.max(x, dim=dim, keepdim=True).values
    z = torch.exp(x - top)
    return (x - top - torch.log(z.sum(dim=dim, keepdim=True))).type_as(logits)


def _wanted(targets, ignore_index, e, like):
    """(..., V): what the model should say; and a column of ones and zeros for scored and ignored."""
    vocabulary = like.shape[-1]
    mask = targets.ne(ignore_index)
    hot = F.one_hot(torch.where(mask, targets, torch.zeros_like(targets)), vocabulary).to(like.dtype)
    return hot * (1 - e) + e / vocabulary, mask[..., None]


def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    q, mask = _wanted(targets, ignore_index, label_smoothing, _fp32(logits))
    logp = log_softmax(_fp32(logits))
    # 0 * inf is NaN: where nothing is wanted, or nothing is scored, the log probability does not matter
    logp = torch.where(mask & (q > 0), logp, torch.zeros_like(logp))
    each = -torch.einsum("...v,...v->...", q, logp)
    match reduction:
        case "none":
            out = each
        case "sum":
            out = torch.sum(each)
        case "mean":
            out = torch.sum(each) / torch.clamp_min(mask.sum(), 1)
        case _:
            raise ValueError(reduction)
    return out.type_as(logits)


def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
    q, mask = _wanted(targets, ignore_index, label_smoothing, _fp32(logits))
    p = torch.exp(log_softmax(_fp32(logits)))
    return (mask.to(p.dtype) * (p - q) / mask.sum().clamp_min(1)).type_as(logits)


def next_token_targets(ids, pad_id=None, ignore_index=-100):
    out = F.pad(ids[..., 1:], (0, 1), value=ignore_index)
    if pad_id is not None:
        # the last one is not padding, even where ignore_index and pad_id are the same number
        out = torch.where(out == pad_id, torch.full_like(out, ignore_index), out)
    return out


def next_token_loss(logits, ids, pad_id=None):
    shifted_logits, shifted = logits[..., :-1, :], ids[..., 1:]
    ignore = -100 if pad_id is None else pad_id
    return cross_entropy(shifted_logits, shifted, ignore_index=ignore)


def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
    count = sum(targets.ne(ignore_index).sum() for _, targets in batches)
    count = count.clamp_min(1) if batches else 1
    return [
        cross_entropy(x, t, reduction="sum", ignore_index=ignore_index, label_smoothing=label_smoothing) / count
        for x, t in batches
    ]


def perplexity(batches):
    table = np.array(batches, dtype=np.float64).reshape(-1, 2)
    nats, tokens = table.sum(0)
    if tokens == 0:
        raise ValueError("perplexity of nothing")
    with np.errstate(over="ignore"):
        return float(np.exp(nats / tokens))


def bits_per_token(nats):
    return float(nats / np.log(2.0))


def bits_per_byte(total_nats, text):
    data = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    if data.size == 0:
        raise ValueError("no text")
    return bits_per_token(total_nats) / data.size
