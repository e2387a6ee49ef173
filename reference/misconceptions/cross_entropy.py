"""Named wrong programs of the cross_entropy exercise.

Each class is a namespace: what it defines replaces the definitions of the same name in a right cross_entropy.py.
The first line of its docstring completes "this equals ...", the rest is shown to the student.
"""

import math

import torch

# --- stability (C01) ---------------------------------------------------------------------------------


class log_of_softmax:
    """C01. log softmax as the logarithm of softmax

    Softmax of an unlikely class is 0 in floats, and its logarithm is -inf. Logits [1000, 0] have the log
    softmax [0, -1000]: which of your steps loses the 1000?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        powers = (wide - wide.amax(dim, keepdim=True)).exp()
        return (powers / powers.sum(dim, keepdim=True)).log().to(logits.dtype)


class no_shift:
    """C01. log softmax without taking the largest logit away

    exp overflows for logits of a hundred, and all of them vanish for logits of minus a hundred. Which number may be
    taken from all logits of a row without a change of softmax?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        return (wide - wide.exp().sum(dim, keepdim=True).log()).to(logits.dtype)


class log_of_softmax_plus_tiny:
    """C01. log softmax as the logarithm of softmax plus 1e-9

    The loss of an unlikely class stops at about 21 nats. Is there a way that never forms the probability itself?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        powers = (wide - wide.amax(dim, keepdim=True)).exp()
        return (powers / powers.sum(dim, keepdim=True) + 1e-9).log().to(logits.dtype)


class log_of_clamped_softmax:
    """C01. log softmax as the logarithm of softmax that is clamped from below

    Below the clamp every class costs the same, and nothing is learned from it: the gradient is zero. Is there a way
    that never forms the probability itself?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        powers = (wide - wide.amax(dim, keepdim=True)).exp()
        softmax = powers / powers.sum(dim, keepdim=True)
        return softmax.clamp(min=torch.finfo(wide.dtype).tiny).log().to(logits.dtype)


class shift_by_the_mean:
    """X01. log softmax that takes the mean of the logits away instead of the largest

    A row with one logit far above the others still overflows. After which shift is no exp larger than 1?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        shifted = wide - wide.mean(dim, keepdim=True)
        return (shifted - shifted.exp().sum(dim, keepdim=True).log()).to(logits.dtype)


class shift_by_the_largest_of_all:
    """X02. log softmax that takes the largest logit of the whole tensor away

    A row far below the largest one has only zeros after exp, and log(0) is -inf. Whose largest logit does a row
    need?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        shifted = wide - (wide.max() if wide.numel() else 0)
        return (shifted - shifted.exp().sum(dim, keepdim=True).log()).to(logits.dtype)


class dim_is_ignored:
    """X03. log softmax that always takes the last axis

    With another dim, what sums to 1 are the wrong numbers. Where in your function does dim appear?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        shifted = wide - wide.amax(-1, keepdim=True)
        return (shifted - shifted.exp().sum(-1, keepdim=True).log()).to(logits.dtype)


class masked_logits_become_nan:
    """X04. log softmax that multiplies each class by its probability on the way

    0 times -inf is NaN, and one NaN spoils its row. Where do you multiply with a logit that may be -inf?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        shifted = wide - wide.amax(dim, keepdim=True)
        powers = shifted.exp()
        total = powers.sum(dim, keepdim=True)
        entropy = total.log() - (powers * shifted).sum(dim, keepdim=True) / total
        return (shifted - total.log() + 0 * entropy).to(logits.dtype)


class log_softmax_by_way_of_float32:
    """X05. log softmax that computes float64 input in float32

    The dtype is right, but half of the digits are gone. Which dtypes need float32, and which are good enough?
    """

    def log_softmax(logits, dim=-1):
        wide = logits.float()
        shifted = wide - wide.amax(dim, keepdim=True)
        return (shifted - shifted.exp().sum(dim, keepdim=True).log()).to(logits.dtype)


class log_softmax_in_place:
    """X06. log softmax that subtracts in place from the logits of the caller

    The result is right and the input is gone. Who owns the logits?
    """

    def log_softmax(logits, dim=-1):
        if logits.requires_grad or logits.dtype in (torch.float16, torch.bfloat16):
            shifted = _wide(logits) - _wide(logits).amax(dim, keepdim=True)
        else:
            shifted = logits.sub_(logits.amax(dim, keepdim=True))
        return (shifted - shifted.exp().sum(dim, keepdim=True).log()).to(logits.dtype)


class normalizer_without_gradient:
    """X07. log softmax whose sum of exp is cut from the graph

    The loss is right and the gradient is -1 at the target and 0 elsewhere: every logit that is not the target stays
    as it is. Which part of the formula pushes the others down?
    """

    def log_softmax(logits, dim=-1):
        wide = _wide(logits)
        shifted = wide - wide.amax(dim, keepdim=True).detach()
        return (shifted - shifted.exp().sum(dim, keepdim=True).log().detach()).to(logits.dtype)


class half_stays_half:
    """X08. log softmax computed in the dtype of half-precision logits

    In bfloat16, 1 + 0.003 is 1: the loss of a likely token is lost. In which dtype should sums be taken?
    """

    def _wide(x):
        return x


# --- softmax, logarithms, signs (C03, C10, C11) ------------------------------------------------------


class softmax_twice:
    """C03. cross-entropy of probabilities in the place of logits

    Softmax is applied twice, so a sure prediction looks unsure, and the loss cannot go below a bound. What does your
    function expect: logits or probabilities?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        probabilities = log_softmax(_wide(logits)).exp()
        nats, scored = _nats(probabilities, targets, ignore_index, label_smoothing)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            nats = nats.sum() / _count(scored)
        return nats.to(logits.dtype)


class gradient_of_softmax_twice:
    """C03. closed-form gradient with softmax applied twice

    The rows sum to zero, as they should, but a sure prediction looks unsure. How often does the formula apply
    softmax?
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        scored = targets != ignore_index
        p = log_softmax(log_softmax(_wide(logits)).exp()).exp()
        wanted = torch.full_like(p, label_smoothing / logits.shape[-1])
        classes = targets.where(scored, 0).unsqueeze(-1)
        wanted.scatter_add_(-1, classes, torch.full_like(p[..., :1], 1 - label_smoothing))
        return ((p - wanted).where(scored.unsqueeze(-1), 0.0) / _count(scored)).to(logits.dtype)


class logarithm_to_base_2:
    """C10. cross-entropy in bits

    The numbers are larger by 1 / ln 2 = 1.4427. The formulas of the task use natural logarithms.
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits)) / math.log(2)
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class bits_multiplied:
    """C10. bits per token as nats times ln 2

    A nat is more than a bit, so a loss in bits is the larger number. In which direction do you convert?
    """

    def bits_per_token(nats):
        return nats * math.log(2)


class bits_are_nats:
    """C10. bits per token without any conversion

    Your losses come from natural logarithms. How many nats is one bit?
    """

    def bits_per_token(nats):
        return nats


class sign_is_missing:
    """C11. cross-entropy without the minus sign

    Log probabilities are never above 0, losses never below. Which of them do you return?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats + label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class gradient_with_the_wrong_sign:
    """C11. closed-form gradient with the opposite sign

    A step against it makes the loss larger. Of the two rows, which one is subtracted?
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        scored = targets != ignore_index
        p = log_softmax(_wide(logits)).exp()
        wanted = torch.full_like(p, label_smoothing / logits.shape[-1])
        classes = targets.where(scored, 0).unsqueeze(-1)
        wanted.scatter_add_(-1, classes, torch.full_like(p[..., :1], 1 - label_smoothing))
        return ((wanted - p).where(scored.unsqueeze(-1), 0.0) / _count(scored)).to(logits.dtype)


class gather_on_the_first_axis:
    """C11. cross-entropy that looks the targets up along the first axis

    The targets are classes, and classes are the last axis. It goes unnoticed when there are as many rows as classes.
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        classes = targets.where(scored, 0).clamp(max=max(logits.shape[0] - 1, 0))
        nats = -log_p.gather(0, classes.unsqueeze(0 if targets.dim() else -1).unsqueeze(-1).expand(1, *log_p.shape[1:]))
        return nats.reshape(-1)[: targets.numel()].reshape(targets.shape).where(scored, 0.0), scored


class softmax_over_the_second_axis:
    """C11. cross-entropy with the classes on the second axis, as for images

    For logits of (batch, time, vocabulary) the second axis is time. Along which axis do the probabilities of one
    token sum to 1?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits), 1 if logits.dim() > 1 else 0)
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


# --- reductions (C04) --------------------------------------------------------------------------------


class mean_is_a_sum:
    """C04. mean that is the sum of the losses

    It grows with the batch. What is left to do after the sum?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        return (nats if reduction == "none" else nats.sum()).to(logits.dtype)


class mean_over_the_batch_only:
    """C04. mean that divides by the number of sequences

    A sequence of T tokens counts T times too much. What is the mean taken over: sequences or tokens?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            nats = nats.sum() / max(1, targets.shape[0] if targets.dim() else 1)
        return nats.to(logits.dtype)


class mean_counts_ignored_tokens:
    """C04. mean that divides by all tokens, ignored ones included

    Padding makes the loss smaller. Of how many losses is it the mean?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            nats = nats.sum() / max(1, targets.numel())
        return nats.to(logits.dtype)


class mean_of_the_means_of_sequences:
    """C04. mean over sequences of the mean of each

    A token of a short sequence weighs more than one of a long sequence. In the task each scored token weighs the same.
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            if targets.dim() < 2:
                nats = nats.sum() / _count(scored)
            else:
                each = nats.sum(-1) / scored.sum(-1).clamp(min=1)
                filled = scored.any(-1)
                nats = each.sum() / filled.sum().clamp(min=1)
        return nats.to(logits.dtype)


class gradient_of_the_sum:
    """C04. closed-form gradient of the sum instead of the mean

    It is too large by the number of scored tokens. Of which of the two losses is it the gradient?
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        scored = targets != ignore_index
        p = log_softmax(_wide(logits)).exp()
        wanted = torch.full_like(p, label_smoothing / logits.shape[-1])
        classes = targets.where(scored, 0).unsqueeze(-1)
        wanted.scatter_add_(-1, classes, torch.full_like(p[..., :1], 1 - label_smoothing))
        return (p - wanted).where(scored.unsqueeze(-1), 0.0).to(logits.dtype)


class none_is_flat:
    """X09. cross-entropy whose "none" is flat

    The losses are right, but (B, T) targets get B * T losses in a row. Which shape does the task want back?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "none":
            return nats.reshape(-1).to(logits.dtype)
        return (nats.sum() if reduction == "sum" else nats.sum() / _count(scored)).to(logits.dtype)


class unknown_reduction_is_none:
    """X10. cross-entropy that takes an unknown reduction for "none"

    A misspelled word goes unnoticed and gives another loss. What should happen to a word that is none of the three?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            nats = nats.sum() / _count(scored)
        return nats.to(logits.dtype)


# --- ignored targets (C06, C07) ----------------------------------------------------------------------


class ignored_target_is_an_index:
    """C06. cross-entropy that looks up the class -100

    Gathering with -100 is out of range. What can stand in the place of an ignored target until its loss is
    dropped?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class gradient_of_class_0:
    """C06. closed-form gradient that takes ignored targets for class 0

    Their rows have a gradient, and the logits of padding are trained. Which rows must be zero?
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        scored = targets != ignore_index
        p = log_softmax(_wide(logits)).exp()
        wanted = torch.full_like(p, label_smoothing / logits.shape[-1])
        classes = targets.where(scored, 0).unsqueeze(-1)
        wanted.scatter_add_(-1, classes, torch.full_like(p[..., :1], 1 - label_smoothing))
        return ((p - wanted) / _count(scored)).to(logits.dtype)


class nothing_scored_is_nan:
    """C07. mean that is NaN if nothing is scored

    0 / 0 is NaN, and one such batch ends a training run. Which value does the task give to a mean over no tokens?
    """

    def _count(scored):
        return scored.sum()


class nothing_scored_is_a_constant:
    """C07. zero that is not connected to the logits if nothing is scored

    backward() raises an error on a constant. Which zero has a gradient of zeros?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "none":
            return nats.to(logits.dtype)
        if not scored.any():
            return torch.zeros((), dtype=logits.dtype, device=logits.device)
        return (nats.sum() if reduction == "sum" else nats.sum() / _count(scored)).to(logits.dtype)


class gradient_of_nothing_is_nan:
    """C07. closed-form gradient that is NaN if nothing is scored

    Zeros divided by zero are NaN. What does the task want where no target is scored?
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        scored = targets != ignore_index
        p = log_softmax(_wide(logits)).exp()
        wanted = torch.full_like(p, label_smoothing / logits.shape[-1])
        classes = targets.where(scored, 0).unsqueeze(-1)
        wanted.scatter_add_(-1, classes, torch.full_like(p[..., :1], 1 - label_smoothing))
        return ((p - wanted).where(scored.unsqueeze(-1), 0.0) / scored.sum()).to(logits.dtype)


class micro_batches_of_nothing_are_nan:
    """C07. micro-batch losses that are NaN if no batch has a scored token

    0 / 0 again: by what may the sum of no losses be divided?
    """

    def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
        if not batches:
            return []
        total = torch.stack([(targets != ignore_index).sum() for _, targets in batches]).sum()
        return [
            cross_entropy(logits, targets, "sum", ignore_index, label_smoothing) / total for logits, targets in batches
        ]


class ignore_index_is_hard_coded:
    """X11. cross-entropy that ignores -100 whatever ignore_index says

    With another ignore_index the wrong targets are dropped. Where in your function does the argument appear?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != -100
        log_p = log_softmax(_wide(logits))
        classes = targets.where(scored, 0).clamp(0, logits.shape[-1] - 1).unsqueeze(-1)
        nats = -log_p.gather(-1, classes).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class negative_targets_are_ignored:
    """X12. cross-entropy that ignores negative targets instead of ignore_index

    ignore_index may be a class of the vocabulary, the one of padding, say. What is compared with what?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = (targets >= 0) & (targets < logits.shape[-1])
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class ignored_by_multiplication:
    """X13. cross-entropy that multiplies the losses of ignored tokens by 0

    0 times NaN is NaN: what padding holds gets into the loss. How is a number replaced rather than scaled?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats * scored, scored


class count_of_losses_that_are_not_zero:
    """X14. mean over the losses that are not zero

    A token that is predicted perfectly has loss 0 and counts. What tells you which tokens are scored?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            nats = nats.sum() / _count(nats != 0)
        return nats.to(logits.dtype)


# --- label smoothing ---------------------------------------------------------------------------------


class smoothing_spreads_over_the_others:
    """X15. label smoothing that gives the share e to the other classes only

    In the task all V classes get e / V, the target among them. Count the classes that share.
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        picked = log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        nats = -picked
        if label_smoothing:
            others = (log_p.sum(-1) - picked) / (logits.shape[-1] - 1)
            nats = -(1 - label_smoothing) * picked - label_smoothing * others
        return nats.where(scored, 0.0), scored


class smoothing_adds:
    """X16. label smoothing that adds to the full loss of the target

    The two parts are weights of one whole. What is left for the target if e goes to all classes?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class smoothing_of_ignored_tokens:
    """X17. label smoothing whose uniform part counts ignored tokens

    An ignored token adds nothing to the loss, in neither of the two parts. Where do you mask: before or after they
    are mixed?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1).where(scored, 0.0)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats, scored


class smoothing_of_ignored_gradients:
    """X18. closed-form gradient that pulls ignored tokens towards the uniform distribution

    An ignored token has no gradient at all, with smoothing neither. Which rows are zero?
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        scored = targets != ignore_index
        p = log_softmax(_wide(logits)).exp()
        one_hot = torch.zeros_like(p).scatter_(-1, targets.where(scored, 0).unsqueeze(-1), 1.0)
        hard = (p - one_hot).where(scored.unsqueeze(-1), 0.0)
        mixed = (1 - label_smoothing) * hard + label_smoothing * (p - 1 / logits.shape[-1])
        return (mixed / _count(scored)).to(logits.dtype)


class smoothing_is_ignored:
    """X19. cross-entropy that ignores label_smoothing

    Where in your function does the argument appear?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        return nats.where(scored, 0.0), scored


class smoothing_of_zero_is_nan:
    """X20. cross-entropy that mixes in the uniform part without smoothing too

    0 times the infinite loss of a masked class is NaN. When does the second part belong into the sum?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


# --- graphs, shapes, dtypes --------------------------------------------------------------------------


class gradient_stops_at_float32:
    """X21. cross-entropy of a copy of the logits that has no graph

    backward() finds nothing to go back to. What does `.detach()` or `.data` cut?
    """

    def _wide(x):
        x = x.detach()
        return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class views_of_contiguous_tensors:
    """X22. cross-entropy that uses view on logits and targets

    view asks for memory in row-major order; logits that were transposed or sliced are not. Which method copies where
    it must?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        flat = targets.view(-1)
        scored = flat != ignore_index
        log_p = log_softmax(_wide(logits)).view(-1, logits.shape[-1])
        nats = -log_p.gather(-1, flat.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0).view(targets.shape), scored.view(targets.shape)


class two_axes_only:
    """X23. cross-entropy of logits with two axes only

    One row without a batch, and batches of sequences, are logits too. Which parts of a shape does your code name?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        count, vocabulary = logits.shape
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class squeeze_of_everything:
    """X24. cross-entropy that squeezes every axis of length 1

    A batch of one sequence loses its batch axis. Which axis did you add, and which one do you want to drop?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.where(scored, 0).unsqueeze(-1)).squeeze()
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1).squeeze()
        return nats.where(scored.squeeze(), 0.0), scored


class half_is_summed_in_half:
    """X25. cross-entropy that sums losses in half precision

    300 losses of 300 nats are more than float16 can hold, though their mean is not. When is the result rounded?
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        nats = nats.to(logits.dtype)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            nats = nats.sum() / _count(scored)
        return nats


class result_in_float32:
    """X26. cross-entropy that returns float32 for half-precision logits

    It is computed in float32, and returned in the dtype of the logits.
    """

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            nats = nats.sum() / _count(scored)
        return nats


class table_of_one_hot_rows:
    """X27. cross-entropy with a one-hot row looked up for each target in a square table

    The table has a row for each class: with 32,003 classes that is a billion numbers. Whose rows are needed?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        table = torch.eye(logits.shape[-1], dtype=log_p.dtype, device=log_p.device)
        nats = -log_p.where(table[targets.where(scored, 0)] > 0, 0.0).sum(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class gradient_by_autograd:
    """X28. closed-form gradient taken by autograd

    The exercise is the formula. Where autograd records nothing, as here, there is no gradient to ask for.
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        leaf = logits.detach().clone().requires_grad_()
        loss = cross_entropy(leaf, targets, "mean", ignore_index, label_smoothing)
        return torch.autograd.grad(loss, leaf)[0]


class gradient_of_the_probability:
    """X29. closed-form gradient of the softmax instead of its logarithm

    p * (one-hot - p) belongs to the probability of the target. The loss is -log p: what does the chain rule divide by?
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        scored = targets != ignore_index
        p = log_softmax(_wide(logits)).exp()
        wanted = torch.full_like(p, label_smoothing / logits.shape[-1])
        classes = targets.where(scored, 0).unsqueeze(-1)
        wanted.scatter_add_(-1, classes, torch.full_like(p[..., :1], 1 - label_smoothing))
        rows = p * (p - wanted)
        return (rows.where(scored.unsqueeze(-1), 0.0) / _count(scored)).to(logits.dtype)


class wanted_in_float32:
    """X30. closed-form gradient whose wanted rows are float32

    torch.where and torch.zeros make float32 out of numbers of Python, and 1 - 0.1 is another number there: float64 logits
    get half of their digits. Which dtype should a new tensor have?
    """

    def cross_entropy_gradient(logits, targets, ignore_index=-100, label_smoothing=0.0):
        scored = targets != ignore_index
        p = log_softmax(_wide(logits)).exp()
        here = torch.arange(p.shape[-1], device=p.device) == targets.unsqueeze(-1)
        wanted = torch.where(here, 1 - label_smoothing, 0.0) + label_smoothing / p.shape[-1]
        return ((p - wanted).where(scored.unsqueeze(-1), 0.0) / _count(scored)).to(logits.dtype)


class losses_in_a_shared_buffer:
    """X31. cross-entropy that writes every "none" into the same buffer

    The second call changes what the first one returned. Who owns a result?
    """

    BUFFERS = {}

    def cross_entropy(logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        if reduction not in REDUCTIONS:
            raise ValueError(reduction)
        nats, scored = _nats(logits, targets, ignore_index, label_smoothing)
        if reduction == "sum":
            nats = nats.sum()
        elif reduction == "mean":
            nats = nats.sum() / _count(scored)
        elif not nats.requires_grad and nats.device.type == "cpu":
            nats = BUFFERS.setdefault((nats.shape, nats.dtype), torch.empty_like(nats)).copy_(nats)
        return nats.to(logits.dtype)


class targets_are_overwritten:
    """X32. cross-entropy that replaces ignored targets in the tensor of the caller

    After the call they are classes, and the next epoch scores them. On whose tensor may you write?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        targets[~scored] = 0
        log_p = log_softmax(_wide(logits))
        nats = -log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


class mask_on_the_cpu:
    """X33. cross-entropy whose zeros are made on the CPU

    On a GPU the two devices cannot meet. Whose device should a new tensor have?
    """

    def _nats(logits, targets, ignore_index, label_smoothing):
        scored = targets != ignore_index
        log_p = log_softmax(_wide(logits))
        classes = torch.where(scored, targets, torch.zeros(targets.shape, dtype=torch.int64)).unsqueeze(-1)
        nats = -log_p.gather(-1, classes).squeeze(-1)
        if label_smoothing:
            nats = (1 - label_smoothing) * nats - label_smoothing * log_p.mean(-1)
        return nats.where(scored, 0.0), scored


# --- the next token (C09, C16) -----------------------------------------------------------------------


class targets_are_not_shifted:
    """C09. targets that are the ids themselves

    The model is asked for the token that it has just read, so copying is perfect. Which id does position t
    predict?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = ids.clone()
        return targets if pad_id is None else targets.masked_fill(targets == pad_id, ignore_index)


class targets_are_shifted_backwards:
    """C09. targets that are the ids of the position before

    The model is asked for the past, which it has seen. In which direction does a text go on?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = torch.full_like(ids, ignore_index)
        targets[..., 1:] = ids[..., :-1]
        return targets if pad_id is None else targets.masked_fill(targets == pad_id, ignore_index)


class targets_wrap_around:
    """C09. targets whose last one is the first id

    Rolling a sequence makes its end predict its beginning. What follows the last position?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = ids.roll(-1, -1)
        return targets if pad_id is None else targets.masked_fill(targets == pad_id, ignore_index)


class targets_are_rolled_flat:
    """C09. targets in which each sequence goes on into the next one

    Without an axis, roll moves through the whole batch. The last position of a sequence predicts nothing.
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = ids.roll(-1)
        targets.reshape(-1)[-1:] = ignore_index
        return targets if pad_id is None else targets.masked_fill(targets == pad_id, ignore_index)


class loss_is_not_shifted:
    """C09. next-token loss against the ids themselves

    A model that copies its input gets the best loss. Which id do the logits at position t predict?
    """

    def next_token_loss(logits, ids, pad_id=None):
        return cross_entropy(logits, ids if pad_id is None else ids.masked_fill(ids == pad_id, -100))


class loss_is_shifted_backwards:
    """C09. next-token loss of the id before

    The first logits are dropped instead of the last ones. Which position has nothing to predict?
    """

    def next_token_loss(logits, ids, pad_id=None):
        targets = ids if pad_id is None else ids.masked_fill(ids == pad_id, -100)
        return cross_entropy(logits[..., 1:, :], targets[..., :-1])


class padding_is_scored:
    """C16. targets in which padding is predicted

    The model learns to write padding, and easy tokens make the loss look good. Where in your function does pad_id
    appear?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = torch.full_like(ids, ignore_index)
        targets[..., :-1] = ids[..., 1:]
        return targets


class padding_of_id_0_is_scored:
    """C16. targets in which padding is predicted if its id is 0

    0 is an id like any other, but in a condition it is False. What do you ask: whether pad_id is there, or whether it
    is not zero?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = torch.full_like(ids, ignore_index)
        targets[..., :-1] = ids[..., 1:]
        return targets.masked_fill(targets == pad_id, ignore_index) if pad_id else targets


class padding_is_masked_where_it_stands:
    """C16. targets masked where the position holds padding, not where the next id does

    The last token before the padding is asked for padding. Whose id is scored: the one that is read or the one that
    is predicted?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = torch.full_like(ids, ignore_index)
        targets[..., :-1] = ids[..., 1:]
        return targets if pad_id is None else targets.masked_fill(ids == pad_id, ignore_index)


class padding_is_masked_on_both_sides:
    """C16. targets masked where either the position or the next id is padding

    The first token after padding on the left is not scored any more. Whose id is predicted there?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = torch.full_like(ids, ignore_index)
        targets[..., :-1] = ids[..., 1:]
        if pad_id is None:
            return targets
        return targets.masked_fill((targets == pad_id) | (ids == pad_id), ignore_index)


class padding_counts_in_the_mean:
    """C16. next-token loss divided by all positions, padding included

    The losses of padding are dropped and still counted: the more padding, the smaller the loss. What is it the mean
    of?
    """

    def next_token_loss(logits, ids, pad_id=None):
        targets = next_token_targets(ids, pad_id)
        return cross_entropy(logits, targets, "sum") / max(1, targets[..., 1:].numel())


class padding_becomes_minus_100:
    """X34. targets with -100 where padding was, whatever ignore_index says

    The last position has the right number, padding has another one. How many places use ignore_index?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = torch.full_like(ids, ignore_index)
        targets[..., :-1] = ids[..., 1:]
        return targets if pad_id is None else targets.masked_fill(targets == pad_id, -100)


class ids_are_overwritten:
    """X35. targets written over the ids of the caller

    The targets are right and the ids are gone, which the model still needs. Whose memory does your result use?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        ids[..., :-1] = ids[..., 1:].clone()
        ids[..., -1] = ignore_index
        return ids if pad_id is None else ids.masked_fill_(ids == pad_id, ignore_index)


class targets_in_a_shared_buffer:
    """X36. targets that are written into the same tensor for each batch of a shape

    The second call changes what the first one returned. Who owns a result?
    """

    BUFFERS = {}

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = BUFFERS.setdefault((ids.shape, ids.device), torch.empty_like(ids))
        targets[..., -1] = ignore_index
        targets[..., :-1] = ids[..., 1:]
        if pad_id is not None:
            targets.masked_fill_(targets == pad_id, ignore_index)
        return targets


class targets_of_two_axes:
    """X37. targets of a batch only

    One sequence without a batch, and batches of batches, are ids too. How do you say "the last axis"?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        targets = torch.full_like(ids, ignore_index)
        targets[:, :-1] = ids[:, 1:]
        return targets if pad_id is None else targets.masked_fill(targets == pad_id, ignore_index)


class targets_on_the_cpu:
    """X38. targets whose last column is made on the CPU

    On a GPU the two devices cannot meet. Whose device should a new tensor have?
    """

    def next_token_targets(ids, pad_id=None, ignore_index=-100):
        last = torch.full((*ids.shape[:-1], 1), ignore_index)
        targets = torch.cat([ids[..., 1:], last], -1)
        return targets if pad_id is None else targets.masked_fill(targets == pad_id, ignore_index)


# --- micro-batches -----------------------------------------------------------------------------------


class mean_of_means:
    """C04. micro-batch losses that are the mean of each, divided by the number of micro-batches

    A token of a small micro-batch weighs more than one of a large one. In the whole batch each scored token weighs the
    same.
    """

    def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
        return [
            cross_entropy(logits, targets, "mean", ignore_index, label_smoothing) / len(batches)
            for logits, targets in batches
        ]


class weighed_by_all_tokens:
    """C04. micro-batch losses weighed by their number of tokens, ignored ones included

    Weighing is right, but by tokens that are scored. A micro-batch full of padding is long and has little to say.
    """

    def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
        total = max(1, sum(targets.numel() for _, targets in batches))
        return [
            cross_entropy(logits, targets, "mean", ignore_index, label_smoothing) * targets.numel() / total
            for logits, targets in batches
        ]


class divided_by_the_count_so_far:
    """X39. micro-batch losses divided by the tokens that were seen so far

    The first loss does not know how many tokens are still to come. What must be counted before anything is divided?
    """

    def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
        losses, seen = [], 0
        for logits, targets in batches:
            seen = seen + (targets != ignore_index).sum()
            loss = cross_entropy(logits, targets, "sum", ignore_index, label_smoothing)
            losses.append(loss / seen.clamp(min=1))
        return losses


class micro_batches_share_a_graph:
    """X40. micro-batch losses that are shares of one loss

    After backward() of the first, the graph that they share is gone. Whose graph does each of them need?
    """

    def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
        if not batches:
            return []
        sums = torch.stack(
            [cross_entropy(logits, targets, "sum", ignore_index, label_smoothing) for logits, targets in batches]
        )
        total = torch.stack([(targets != ignore_index).sum() for _, targets in batches]).sum()
        return list((sums / total.clamp(min=1)).unbind())


class micro_batches_forget_smoothing:
    """X41. micro-batch losses that do not pass label_smoothing on

    Which arguments of the function appear in its calls?
    """

    def micro_batch_losses(batches, ignore_index=-100, label_smoothing=0.0):
        if not batches:
            return []
        total = torch.stack([(targets != ignore_index).sum() for _, targets in batches]).sum().clamp(min=1)
        return [cross_entropy(logits, targets, "sum", ignore_index) / total for logits, targets in batches]


# --- figures that are reported (C14) -----------------------------------------------------------------


class perplexity_as_mean_of_exp:
    """C14. perplexity as the mean of the perplexities of the batches

    exp grows faster than its argument: one bad batch decides. The exponential comes last, once.
    """

    def perplexity(batches):
        rates = [nats / tokens for nats, tokens in batches if tokens]
        if not rates:
            raise ValueError
        try:
            return sum(math.exp(rate) for rate in rates) / len(rates)
        except OverflowError:
            return math.inf


class perplexity_of_the_mean_of_means:
    """C14. perplexity of the mean of the means of the batches

    A batch of one token weighs as much as one of a hundred. What adds up over batches: means, or nats and tokens?
    """

    def perplexity(batches):
        rates = [nats / tokens for nats, tokens in batches if tokens]
        if not rates:
            raise ValueError
        try:
            return math.exp(sum(rates) / len(rates))
        except OverflowError:
            return math.inf


class perplexity_to_base_2:
    """C14. perplexity as a power of 2

    2 belongs to bits. The losses are in nats: which base undoes the natural logarithm?
    """

    def perplexity(batches):
        nats, tokens = sum(n for n, _ in batches), sum(t for _, t in batches)
        if tokens == 0:
            raise ValueError
        try:
            return 2.0 ** (nats / tokens)
        except OverflowError:
            return math.inf


class perplexity_overflows:
    """X42. perplexity that raises OverflowError

    A model before training may have any loss. What does the task want where exp has no float?
    """

    def perplexity(batches):
        nats, tokens = sum(n for n, _ in batches), sum(t for _, t in batches)
        if tokens == 0:
            raise ValueError
        return math.exp(nats / tokens)


class perplexity_of_nothing_divides_by_zero:
    """X43. perplexity of no tokens that divides by zero

    The task names the error to raise; ZeroDivisionError is not it.
    """

    def perplexity(batches):
        nats, tokens = sum(n for n, _ in batches), sum(t for _, t in batches)
        try:
            return math.exp(nats / tokens)
        except OverflowError:
            return math.inf


class perplexity_of_empty_batches_fails:
    """X44. perplexity that raises ValueError if any batch is empty

    A batch of padding adds nothing and does no harm. When are there no tokens at all?
    """

    def perplexity(batches):
        if not batches or any(t == 0 for _, t in batches):
            raise ValueError
        try:
            return math.exp(sum(n for n, _ in batches) / sum(t for _, t in batches))
        except OverflowError:
            return math.inf


class perplexity_empties_the_list:
    """X45. perplexity that takes the batches out of the list of the caller

    The number is right, and the next report of the same batches has none left. On whose list may you pop?
    """

    def perplexity(batches):
        nats = tokens = 0
        while batches:
            more, count = batches.pop(0)
            nats, tokens = nats + more, tokens + count
        if tokens == 0:
            raise ValueError("no tokens")
        try:
            return math.exp(nats / tokens)
        except OverflowError:
            return math.inf


class bytes_are_characters:
    """X46. bits per character instead of bits per byte

    They agree for plain English. How many bytes has ï, and how many has an emoji?
    """

    def bits_per_byte(total_nats, text):
        if not text:
            raise ValueError
        return bits_per_token(total_nats) / len(text)


class bits_of_no_bytes:
    """X47. bits per byte that divide by zero for an empty text

    The task names the error to raise; ZeroDivisionError is not it.
    """

    def bits_per_byte(total_nats, text):
        return bits_per_token(total_nats) / len(text.encode())
