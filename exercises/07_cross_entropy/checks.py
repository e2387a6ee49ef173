"""What is asked of cross_entropy.py: the cases, what is run on them, and how the answers are compared.

No import of torch here: this file is read by a process that only compares, and needs none.
"""

import math

from grader import draw
from grader.check import check
from grader.compare import Close, Derived, Exact

# A small case has few rounding errors, and the noise that is measured of them may be small by chance: wrong programs
# are off by thousands of tolerances here, so there is room. Gradients are small differences of probabilities.
LOSSES = Derived(slack=16)
GRADIENTS = Derived(slack=64)
STEEP = ("huge", "mixed")
SCALES = ("integers", "unit", "tiny", "huge", "mixed", "shifted", "constant", "zero")
# at places that are ignored a logit may be anything
NOTHING = {"nan": math.nan, "inf": math.inf}


# --- inputs -----------------------------------------------------------------------------------


def _tokens(shape, dtype="float32", scale="unit", seed=1, shift=0.0):
    """Return logits of this shape, the vocabulary last, and a target for each row."""
    import numpy as np

    from grader.array import numbers

    logits = draw.values(seed, tuple(shape), dtype, scale, shift)
    if scale in STEEP:
        # No class is all but sure: 1 - p would be 0 or 1e-20, and right programs differ there. The
        # second best is near the best, all others are far.
        rows = np.array(numbers(logits))
        np.put_along_axis(rows, rows.argmin(-1)[..., None], rows.max(-1, keepdims=True) - 0.75, -1)
        logits = draw.as_array(rows, dtype)
    targets = np.random.default_rng(seed + 1).integers(0, shape[-1], tuple(shape[:-1]))
    return {
        "logits": logits,
        "targets": draw.as_array(targets, "int64"),
    }


def _given_tokens(logits, targets, dtype="float32"):
    return {"logits": draw.as_array(logits, dtype), "targets": draw.as_array(targets, "int64")}


def tokens(dtypes=("float32", "float64"), scales=SCALES, shift=(0.0, 100.0), **more):
    """Return a strategy of (batch, time, vocabulary), the three of them different."""
    return draw.build(
        _with,
        shape=draw.sizes(3, 2, 7),
        dtype=draw.choice(*dtypes),
        scale=draw.choice(*scales),
        shift=draw.choice(*shift),
        seed=draw.integers(0, 10**6),
        **more,
    )


def _with(shape, dtype, scale, shift, seed, **more):
    return {**_tokens(shape, dtype, scale, seed, shift), **more}


def some_tokens(scales=SCALES, **more):
    """Return one case of each scale, and rows of one to four axes."""
    dtypes = ("float32", "float64")
    found = [_tokens([2, 3, 4], dtypes[n % 2], scale, n) for n, scale in enumerate(scales)]
    found += [_tokens(shape, "float32", "integers", 7) for shape in ([3], [1, 4], [2, 5, 4, 3])]
    found += [_tokens([5, 3, 4], "float32", "unit", 9, 1000.0), _tokens([3, 5], "float64", "unit", 9, -1000.0)]
    return [{**case, **more} for case in found]


def _without(place, case, ignore_index):
    """Return a case whose targets are ignored where place(number of the target, their count) says so."""
    import numpy as np

    from grader.array import numbers

    targets = np.array(numbers(case["targets"]))
    flat = targets.reshape(-1)
    for n in range(flat.size):
        if place(n, flat.size):
            flat[n] = ignore_index
    return {**case, "targets": draw.as_array(targets, "int64")}


# which targets are ignored, by number
PLACES = {
    "none": lambda n, count: False,
    "first": lambda n, count: n == 0,
    "last": lambda n, count: n == count - 1,
    "end": lambda n, count: n > count // 3,
    "some": lambda n, count: n % 5 in {1, 2},
    "all": lambda n, count: True,
}


def _given(**named):
    """Return the arguments that are not None: where one is None the default is wanted."""
    return {name: value for name, value in named.items() if value is not None}


def _strided(x):
    """Return the same values in memory of another order, if x has two axes."""
    return x.mT.contiguous().mT if x.dim() > 1 else x


def _each(module, logits, targets, **options):
    """Return the cross-entropy of each target, their sum and their mean."""
    return {name: module.cross_entropy(logits, targets, reduction=name, **options) for name in ("none", "sum", "mean")}


def _error(function, *args, **options):
    """Return the result, or the word ValueError if that is what is raised."""
    try:
        return function(*args, **options)
    except ValueError:
        return "ValueError"


# --- log softmax ------------------------------------------------------------------------------


def slices():
    # along another axis than the last a class may be all but sure again
    last = tokens(axis=draw.choice(None, -1))
    others = tokens(scales=("integers", "unit", "tiny", "shifted"), axis=draw.choice(0, 1, -2))
    return (last | others).map(_logits_only)


def _logits_only(case):
    return {name: value for name, value in case.items() if name != "targets"}


def some_slices():
    axes = (None, 0, -2, -1, None)  # huge and mixed rows along the last axis
    found = [
        {**case, "axis": axes[n % 5] if len(case["logits"].shape) > 1 else None} for n, case in enumerate(some_tokens())
    ]
    found += [{**_tokens([2, 5, 3, 4], "float32", "shifted", 3), "axis": 1}]
    found += [
        {**_given_tokens([1000.0, 0.0], 1), "axis": None},
        {**_given_tokens([-1e4, -2e4, 3e4], 0, "float64"), "axis": 0},
    ]
    return [_logits_only(case) for case in found]


@check(points=3, cases=slices, examples=some_slices, draws=4, compare=LOSSES)
def log_softmax_of_every_size(module, logits, axis):
    """log_softmax: float32 and float64; near zero, huge and mixed rows, along any axis"""
    result = module.log_softmax(_strided(logits), **_given(dim=axis))
    module.log_softmax(-logits, **_given(dim=axis))  # a second call must not change the first result
    return result


def masked_slices():
    hidden = -math.inf
    rows = [[0.0, hidden], [hidden, 1.0, 2.0], [3.0, hidden, -1.0, hidden], [hidden, hidden, 0.5]]
    found = [draw.as_array(row, "float32") for row in rows]
    wide = [[0.0, 1.0, hidden], [hidden, -2.0, 900.0], [hidden, hidden, -3.0], [1.0, 2.0, 4.0]]
    found += [draw.as_array(wide, "float64"), draw.as_array([[row] for row in wide], "float32")]
    return [{"logits": logits} for logits in found]


@check(points=1, examples=masked_slices, compare=Derived())
def log_softmax_of_masked_classes(module, logits):
    """log_softmax: a logit of -inf is a class without probability, and nothing becomes NaN"""
    import torch

    leaf = logits.clone().requires_grad_()
    result = module.log_softmax(leaf)
    weights = torch.arange(1, 1 + result.numel(), device=logits.device).reshape(result.shape).to(logits.dtype)
    torch.where(logits.isinf(), torch.zeros_like(result), result).mul(weights).sum().backward()
    # in a loss, the target alone decides: it may not be masked, others may
    loss = module.cross_entropy(logits, logits.argmax(-1))
    return {"result": result, "gradient": leaf.grad, "loss": loss, "worst": _each(module, logits, logits.argmin(-1))}


# --- cross-entropy ----------------------------------------------------------------------------


def plain_tokens():
    return [
        _given_tokens([1000.0, 0.0], 1),
        _given_tokens([0.0465, 0.2514, -0.6639, -0.5434, -0.0025], 0),
        _given_tokens([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]], [2, 1]),
        *some_tokens(),
    ]


@check(points=2, cases=tokens, examples=plain_tokens, draws=4, compare=LOSSES)
def cross_entropy_of_each_token(module, logits, targets):
    """cross_entropy: the loss of each token, of any shape"""
    result = module.cross_entropy(_strided(logits), _strided(targets), reduction="none")
    module.cross_entropy(-logits, targets, reduction="none")  # must not change the first result
    return result


@check(
    points=2,
    cases=lambda: tokens(scales=("integers", "unit", "mixed", "shifted")),
    examples=lambda: [
        _given_tokens([[1000.0, 0.0], [0.0, 1.0], [0.5, 2.0]], [0, 1, 0]),  # the first loss is 0 and counts
        *some_tokens(("integers", "unit", "huge", "mixed")),
    ],
    draws=4,
    compare=LOSSES,
)
def cross_entropy_reduces(module, logits, targets):
    """cross_entropy: mean (unless said otherwise) and sum over all tokens; unknown reductions"""
    unknown = ("average", "Mean", "batchmean", "")
    return {
        "default": module.cross_entropy(logits, targets),
        "sum": module.cross_entropy(_strided(logits), _strided(targets), reduction="sum"),
        "mean": module.cross_entropy(_strided(logits), _strided(targets), reduction="mean"),
        "third argument": module.cross_entropy(logits, targets, "sum"),
        "unknown": [_error(module.cross_entropy, logits, targets, reduction=name) for name in unknown],
        "unknown, all ignored": _error(module.cross_entropy, logits, targets * 0 - 100, reduction="max"),
    }


def _ignoring(case, place, ignore_index, held=None):
    """Return a case with ignored targets, whose logits hold nothing of use."""
    import numpy as np

    from grader.array import numbers

    case = _without(PLACES[place], case, -100 if ignore_index is None else ignore_index)
    if held is not None:
        logits = np.array(numbers(case["logits"]))
        logits[numbers(case["targets"]) == (-100 if ignore_index is None else ignore_index)] = NOTHING[held]
        case["logits"] = draw.as_array(logits, case["logits"].dtype)
    return {**case, "ignore_index": ignore_index}


def ignored_tokens():
    return draw.build(
        _ignoring,
        case=tokens(scales=("integers", "unit", "mixed", "shifted")),
        place=draw.choice("some", "end", "first", "last"),
        ignore_index=draw.choice(None, -1, 0, 1, 1000, -7),
        held=draw.choice(None, None, "nan", "inf"),
    )


def some_ignored_tokens():
    return [
        _ignoring(_tokens([3, 4], "float32", "integers", 1), "first", None),
        _ignoring(_tokens([4, 3], "float32", "integers", 2), "some", -1),
        _ignoring(_tokens([4, 3], "float64", "integers", 3), "none", 0),
        _ignoring(_tokens([5, 3], "float32", "unit", 4), "some", 2),
        _ignoring(_tokens([2, 5, 4], "float32", "unit", 5), "end", None),
        _ignoring(_tokens([2, 5, 4], "float64", "shifted", 6), "end", 1000),
        _ignoring(_tokens([3, 4], "float32", "unit", 7), "all", None),
        _ignoring(_tokens([2, 3, 4], "float64", "unit", 8), "all", 1),
        _ignoring(_tokens([4], "float32", "unit", 9), "all", None),
        _ignoring(_tokens([0, 4], "float32", "unit", 9), "all", None),
        _ignoring(_tokens([3, 0, 4], "float64", "unit", 9), "all", -1),
        *[_ignoring(_tokens([6, 3], "float32", "unit", 11), "some", None, held) for held in NOTHING],
        _ignoring(_tokens([3, 4], "float32", "unit", 12), "all", None, "nan"),
        # so unlikely that a probability is 0: an unstable logarithm is infinite here, and not just inexact elsewhere
        _ignoring(_tokens([7, 4], "float32", "huge", 13), "some", None),
    ]


@check(points=3, cases=ignored_tokens, examples=some_ignored_tokens, draws=4, compare=LOSSES)
def cross_entropy_ignores_targets(module, logits, targets, ignore_index):
    """cross_entropy: ignored targets count nowhere, whatever their logits hold; nothing scored is zero"""
    return _each(module, logits, targets, **_given(ignore_index=ignore_index))


def smoothed(case, place, ignore_index, smoothing):
    return {**_ignoring(case, place, ignore_index), "smoothing": smoothing}


def smoothed_tokens():
    return draw.build(
        smoothed,
        case=tokens(scales=("integers", "unit", "mixed", "shifted")),
        place=draw.choice("none", "some", "end"),
        ignore_index=draw.choice(None, 0, -1),
        smoothing=draw.choice(0.1, 0.5, 0.9),
    )


def some_smoothed_tokens():
    return [
        smoothed(_given_tokens([2.0, 1.0, 0.0], 0), "none", None, 0.1),
        smoothed(_tokens([3, 5], "float32", "integers", 1), "none", None, 0.5),
        smoothed(_tokens([3, 5], "float32", "integers", 2), "some", None, 0.25),
        smoothed(_tokens([4, 3], "float64", "integers", 3), "first", 1, 1.0),
        smoothed(_tokens([2, 4, 3], "float64", "huge", 4), "end", -1, 0.1),
        smoothed(_tokens([4, 2, 3], "float32", "mixed", 5), "some", 0, 0.1),
        smoothed(_tokens([4, 2, 3], "float32", "unit", 6), "some", -1, 0.0),
        smoothed(_tokens([3, 4], "float32", "unit", 7), "all", None, 0.3),
    ]


@check(points=2, cases=smoothed_tokens, examples=some_smoothed_tokens, draws=5, compare=LOSSES)
def cross_entropy_smooths_labels(module, logits, targets, ignore_index, smoothing):
    """cross_entropy: label smoothing, with ignored targets too"""
    return _each(module, logits, targets, **_given(ignore_index=ignore_index), label_smoothing=smoothing)


# --- half precision ---------------------------------------------------------------------------


def half_tokens():
    kinds = [("float16", "unit"), ("bfloat16", "unit"), ("bfloat16", "huge"), ("float16", "shifted")]
    found = [_tokens([3, 4, 5], dtype, scale, n) for n, (dtype, scale) in enumerate(kinds)]
    # one class is likely: 1 + small is 1 in half precision; or all of a larger vocabulary are alike
    likely = [[4.0, 0.0, 0.5], [-0.5, 3.5, -1.0], [0.25, -1.0, 5.0], [4.5, 0.0, 0.25]]
    found += [_given_tokens(likely, [0, 1, 2, -100], dtype) for dtype in ("float16", "bfloat16")]
    found += [_tokens([2, 300], dtype, "unit", 5) for dtype in ("float16", "bfloat16")]
    # the sum of the losses is more than float16 can hold, their mean is not
    high = [[900.0 + n % 7, 0.0, 0.5 * (n % 3)] for n in range(101)]
    found += [_given_tokens(high, [1 + n % 2 for n in range(101)], "float16")]
    return found


@check(points=1, examples=half_tokens, compare=Derived(fixed=("logits",)))
def half_precision_is_computed_in_float32(module, logits, targets):
    """log_softmax, cross_entropy, cross_entropy_gradient: float16 and bfloat16"""
    import torch

    leaf = logits.clone().requires_grad_()
    mean = module.cross_entropy(leaf, targets)
    mean.backward()
    with torch.inference_mode():
        gradient = module.cross_entropy_gradient(logits, targets)
    return {
        "log_softmax": module.log_softmax(logits),
        "none": module.cross_entropy(logits, targets, reduction="none"),
        "mean": mean,
        "dtypes": [str(leaf.grad.dtype), str(gradient.dtype)],
        "loss of the next token": module.next_token_loss(logits, targets.clamp(min=0), 1),
    }


# --- gradients --------------------------------------------------------------------------------


def with_upstream(case):
    """Add the gradient that arrives from above to a case."""
    return {**case, "upstream": draw.values(99, case["targets"].shape, case["logits"].dtype)}


def gradients():
    return draw.build(
        smoothed,
        case=tokens(scales=("integers", "unit", "shifted"), shift=(0.0,)),
        place=draw.choice("some", "end", "none"),
        ignore_index=draw.choice(None, 0, -1),
        smoothing=draw.choice(None, 0.1, 0.5),
    )


def some_gradients():
    hidden = -math.inf
    masked = _given_tokens([[hidden, 1.0, 2.0], [0.5, hidden, hidden], [1.0, 2.0, hidden]], [1, 0, -100])
    return [
        smoothed(_given_tokens([2.0, 1.0, 0.0], 0), "none", None, None),
        smoothed(_given_tokens([[1000.0, 0.0, -900.0], [5000.0, -5000.0, 0.0]], [1, 1], "float64"), "none", None, None),
        smoothed(_tokens([3, 5], "float32", "integers", 1), "none", None, None),
        smoothed(_tokens([4, 3], "float32", "unit", 2), "some", None, None),
        smoothed(_tokens([2, 4, 3], "float64", "unit", 3), "end", -1, 0.1),
        smoothed(_tokens([4, 2, 3], "float64", "tiny", 4), "some", 1, 0.5),
        smoothed(_tokens([3, 4], "float32", "unit", 5), "all", None, None),
        smoothed(_tokens([2, 3, 4], "float32", "unit", 6), "all", None, 0.1),
        smoothed(_tokens([0, 4], "float32", "unit", 7), "all", None, None),
        smoothed(_tokens([5, 3], "float64", "unit", 8), "first", 0, 1.0),
        {**masked, "ignore_index": None, "smoothing": None},
    ]


@check(
    points=2,
    cases=lambda: gradients().map(with_upstream),
    examples=lambda: [with_upstream(case) for case in some_gradients()],
    draws=4,
    compare=GRADIENTS,
)
def cross_entropy_gradients(module, logits, targets, ignore_index, smoothing, upstream):
    """cross_entropy: gradients of the logits, through every reduction"""
    options = _given(ignore_index=ignore_index, label_smoothing=smoothing)
    seen = {}
    for reduction in ("none", "sum", "mean"):
        leaf = _strided(logits).clone().requires_grad_()
        # logits are never a leaf in a model
        result = module.cross_entropy(leaf * 1.0, targets, reduction=reduction, **options)
        (result * (upstream if reduction == "none" else 3.0)).sum().backward()
        seen[reduction] = leaf.grad
    return seen


@check(points=2, cases=gradients, examples=some_gradients, draws=5, compare=GRADIENTS)
def gradient_by_its_closed_form(module, logits, targets, ignore_index, smoothing):
    """cross_entropy_gradient: the gradient of the mean, with nothing but formulas"""
    import torch

    options = _given(ignore_index=ignore_index, label_smoothing=smoothing)
    with torch.inference_mode():  # autograd records nothing here
        result = module.cross_entropy_gradient(_strided(logits), _strided(targets), **options)
        module.cross_entropy_gradient(-logits, targets, **options)  # must not change the first result
        return result


# --- the next token ---------------------------------------------------------------------------


def id_cases():
    return draw.build(_ids, shape=draw.sizes(2, 1, 7), pad=draw.choice(None, 0, 1, 3), seed=draw.integers(0, 10**6))


def _ids(shape, pad, seed, ignore_index=None):
    import numpy as np

    ids = np.random.default_rng(seed).integers(0, 5, tuple(shape))
    return {"ids": draw.as_array(ids, "int64"), "pad_id": pad, "ignore_index": ignore_index}


def _given_ids(ids, pad_id=None, ignore_index=None):
    return {"ids": draw.as_array(ids, "int64"), "pad_id": pad_id, "ignore_index": ignore_index}


def some_ids():
    return [
        _given_ids([4]),
        _given_ids([3, 1, 4, 1, 5]),
        _given_ids([5, 8, 6, 0, 0], 0),
        _given_ids([0, 0, 5, 8], 0),
        _given_ids([[7, 2, 9, 9], [9, 9, 9, 9], [9, 3, 9, 5]], 9),
        _given_ids([[2, 3, 1], [1, 1, 3]], 1, -1),
        _given_ids([[2, 3, 1], [1, 1, 3]], None, -7),
        _given_ids([[3, 0, 5], [0, 0, 6]], 0, 0),
        _given_ids([6, 7, -1, -1], -1),
        _ids([2, 3, 4], 1, 5),
        _ids([3, 2, 5], 0, 6, 50000),
        _ids([2, 71], 1, 7),
    ]


@check(points=2, cases=id_cases, examples=some_ids, draws=5, compare=Exact())
def targets_are_the_next_ids(module, ids, pad_id, ignore_index):
    """next_token_targets: what each position predicts, and where it predicts nothing"""
    options = _given(pad_id=pad_id, ignore_index=ignore_index)
    first = module.next_token_targets(_strided(ids), **options)
    second = module.next_token_targets(ids.flip(-1), **options)
    # results are the caller's: none shares its memory with another one or with the ids
    module.next_token_targets(ids, **options).add_(1)
    return {"first": first, "of the reversed": second}


def sequences():
    return tokens(scales=("integers", "unit", "tiny", "shifted"), shift=(0.0,), pad_id=draw.choice(None, 0, 1)).map(
        _as_ids
    )


def _as_ids(case):
    return {("ids" if name == "targets" else name): value for name, value in case.items()}


def some_sequences():
    # the model copies: what it finds likely is the next id
    copied = [[0.0, 9.0, 0.0, 0.0], [0.0, 0.0, 9.0, 0.0], [0.0, 0.0, 0.0, 9.0], [9.0, 0.0, 0.0, 0.0]]
    padded = {
        **_tokens([3, 5, 4], "float32", "unit", 5),
        "targets": draw.as_array([[1, 2, 0, 0, 0], [0, 0, 0, 0, 0], [3, 1, 1, 2, 0]], "int64"),
    }
    found = [
        {**_given_tokens(copied, [0, 1, 2, 3]), "pad_id": None},
        {**_given_tokens(copied, [0, 1, 2, 0], "float64"), "pad_id": 0},
        {**_tokens([1, 3], "float32", "integers", 1), "pad_id": None},
        {**_tokens([3, 5], "float32", "integers", 2), "pad_id": 1},
        {**_tokens([2, 5, 3], "float64", "unit", 3), "pad_id": None},
        {**_tokens([2, 3, 4, 5], "float32", "shifted", 4), "pad_id": 2},
        {**padded, "pad_id": 0},
        {**padded, "pad_id": None},
        {**_tokens([2, 61, 5], "float64", "unit", 6), "pad_id": 3},
    ]
    return [_as_ids(case) for case in found]


@check(points=2, cases=sequences, examples=some_sequences, draws=5, compare=GRADIENTS)
def next_token_is_learned(module, logits, ids, pad_id):
    """next_token_loss: the mean loss of the next tokens, without padding, and its gradient"""
    leaf = _strided(logits).clone().requires_grad_()
    loss = module.next_token_loss(leaf * 1.0, _strided(ids), **_given(pad_id=pad_id))
    loss.backward()
    return {"loss": loss, "gradient": leaf.grad}


# --- micro-batches ----------------------------------------------------------------------------


def _micro(sizes, width, vocabulary, places, seed, dtype="float32", ignore_index=None, smoothing=None):
    """Return micro-batches of hidden states and targets, and the weight that makes logits of them."""
    import numpy as np

    rng = np.random.default_rng(seed)
    batches = []
    for n, shape in enumerate(sizes):
        ids = draw.as_array(rng.integers(0, vocabulary, tuple(shape)), "int64")
        hidden = draw.values(seed + n + 1, (*shape, width), dtype)
        case = _without(
            PLACES[places[n % len(places)]], {"targets": ids}, -100 if ignore_index is None else ignore_index
        )
        batches.append([hidden, case["targets"]])
    return {
        "batches": batches,
        "weight": draw.values(seed, (width, vocabulary), dtype),
        "ignore_index": ignore_index,
        "smoothing": smoothing,
    }


def micro_batches():
    return draw.build(
        _micro,
        sizes=draw.lists(draw.sizes(2, 1, 5), 1, 4),
        width=draw.integers(2, 4),
        vocabulary=draw.integers(3, 6),
        places=draw.lists(draw.choice("none", "some", "end", "all"), 1, 4),
        seed=draw.integers(0, 10**6),
        dtype=draw.choice("float32", "float64"),
        ignore_index=draw.choice(None, 0, -1),
        smoothing=draw.choice(None, 0.1),
    )


def some_micro_batches():
    return [
        _micro([[3]], 2, 4, ["none"], 1),
        _micro([[2], [5]], 3, 4, ["none"], 2),
        _micro([[4], [4]], 3, 5, ["none", "end"], 3),
        _micro([[2, 3], [1, 4], [5]], 4, 3, ["some", "none", "end"], 4, "float64"),
        _micro([[3], [2], [4]], 2, 5, ["none", "all", "some"], 5, "float32", 1),
        _micro([[3], [2, 2]], 2, 5, ["all"], 6),
        _micro([[5], [2, 4]], 3, 4, ["some"], 7, "float64", -1, 0.3),
        _micro([[0], [4]], 3, 5, ["none"], 8),
        _micro([], 3, 5, ["none"], 9),
    ]


@check(points=3, cases=micro_batches, examples=some_micro_batches, draws=5, compare=GRADIENTS)
def micro_batches_are_one_batch(module, batches, weight, ignore_index, smoothing):
    """micro_batch_losses: losses that add up to that of the whole, and what a weight learns from them"""
    options = _given(ignore_index=ignore_index, label_smoothing=smoothing)
    leaf = weight.clone().requires_grad_()
    given = [(hidden @ leaf, targets) for hidden, targets in batches]
    losses = module.micro_batch_losses(given, **options)
    learned = []
    for loss in losses[::-1]:  # each frees its graph, in any order
        loss.backward()
        learned.append(leaf.grad.clone())
    return {"losses": losses, "learned": learned, "left of the batches": len(given)}


# --- figures that are reported ----------------------------------------------------------------


def counted():
    return draw.build(
        lambda tokens, rate: {"batches": [[rate * n * (k + 1) / 3, n] for k, n in enumerate(tokens)]},
        tokens=draw.lists(draw.integers(0, 40), 1, 5),
        rate=draw.choice(1.0, 0.1, 2.5),
    )


def some_counted():
    found = [
        [[2.0, 4]],
        [[2.0, 4], [9.0, 1]],
        [[0.0, 7]],
        [[12.5, 5], [0.0, 0], [1.0, 100]],
        [[0.0, 0]],
        [],
        [[5000.0, 7]],
        [[3e5, 1], [1.0, 1000]],
        [[7.0, 3], [7.0, 3], [7.0, 3]],
    ]
    return [{"batches": batches} for batches in found]


@check(points=2, cases=counted, examples=some_counted, draws=5, compare=Close(rtol=1e-9))
def perplexity_is_that_of_all_tokens(module, batches):
    """perplexity: over batches of different sizes; no tokens, and more than a float can hold"""
    given = [tuple(batch) for batch in batches]
    return {"perplexity": _error(module.perplexity, given), "left of the batches": len(given)}


def reported():
    texts = ("a", "naïve", "Hello, world", "日本語", "a😀b", "e\u0301", " \n", "\x00z", "")
    return [
        {"nats": nats, "text": text}
        for text, nats in zip(texts, (1.0, 100.0, 0.0, 7.5, 0.3, 2.0, 1e6, 5.5, 1.0), strict=True)
    ]


@check(points=1, examples=reported, compare=Close(rtol=1e-12))
def bits_of_tokens_and_bytes(module, nats, text):
    """bits_per_token, bits_per_byte: nats in bits, and shared among the bytes of a text"""
    return {"token": module.bits_per_token(nats), "byte": _error(module.bits_per_byte, nats, text)}


# --- size and devices -------------------------------------------------------------------------


def large_vocabulary():
    return [{"pattern": draw.values(1, (97,), "float32"), "vocabulary": 32003}]


@check(points=1, examples=large_vocabulary, compare=Derived())
def vocabularies_are_large(module, pattern, vocabulary):
    """cross_entropy, cross_entropy_gradient: a vocabulary of 32,003 fits in memory"""
    import torch

    row = pattern.repeat(vocabulary // len(pattern) + 1)[:vocabulary]
    leaf = torch.stack([row, row.flip(0), -row, row / 2]).requires_grad_()
    targets = torch.tensor([0, vocabulary - 1, -100, 17_000], device=pattern.device)
    loss = module.cross_entropy(leaf, targets)
    loss.backward()
    closed = module.cross_entropy_gradient(leaf.detach(), targets)
    seen = [0, 1, 17_000, vocabulary - 1]
    return {"loss": loss, "gradient": leaf.grad[:, seen], "closed": closed[:, seen]}


def portable_tokens():
    return [
        with_upstream(_tokens([2, 3, 4], "float32", "unit", 1)),
        with_upstream(_tokens([3, 5], "bfloat16", "unit", 2)),
    ]


@check(points=1, examples=portable_tokens, compare=Derived(), device="portable")
def everything_stays_on_its_device(module, logits, targets, upstream):
    """every function of tensors: nothing is made on the wrong device"""
    leaf = logits.clone().requires_grad_()
    plain = _each(module, leaf, targets)
    ((plain["none"] * upstream).sum() + plain["mean"]).backward()
    return {
        "log_softmax": [module.log_softmax(logits), module.log_softmax(logits, dim=0)],
        "cross_entropy": plain,
        "gradient": leaf.grad,
        "smoothed": _each(module, logits, targets, ignore_index=1, label_smoothing=0.1),
        "closed form": module.cross_entropy_gradient(logits, targets, 1, 0.1),
        "targets": [module.next_token_targets(targets), module.next_token_targets(targets, 0, -1)],
        "next token": module.next_token_loss(logits, targets, 0),
        "micro-batches": module.micro_batch_losses([(logits, targets), (logits[:1], targets[:1])]),
    }
