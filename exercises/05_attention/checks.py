"""What is asked of attention.py: the cases, what is run on them, and how the answers are compared.

No import of torch here: this file is read by a process that only compares, and needs none.
"""

from grader import cost, draw
from grader.array import numbers
from grader.check import check
from grader.compare import Close, Derived, Exact, Growth

WIDE = ("float32", "float64")
HALF = ("float16", "bfloat16")
# Some write exp(x - logsumexp(x)), whose rows sum to 1 a little less precisely. And the angles of rope come from
# a power and a product, whose roundings are not among those of the inputs.
FLOATS = Derived(slack=16.0)
# nothing of these may be lost: half precision is widened first and rounded once
IN_HALF = Derived(fixed=("x", "query", "key", "value"))


# --- inputs -----------------------------------------------------------------------------------


def _times(array, factor, shift=0.0):
    """Return an array with every number multiplied and shifted, rounded to its dtype."""
    return draw.as_array(numbers(array).astype("float64") * factor + shift, array.dtype)


def _levels(array, step):
    """Return an array whose rows of the last axis lie at levels of their own, `step` apart, not sorted."""
    import numpy as np

    found = numbers(array).astype("float64")
    rows = np.arange(found[..., :1].size).reshape(found[..., :1].shape)
    return draw.as_array(found + step * ((rows * 2) % 5 - 2), array.dtype)


def _bools(seed, shape, least=1):
    """Return a mask of these rows, True for two of three; at least `least` keys of each row are allowed."""
    import numpy as np

    rng = np.random.default_rng(seed)
    found = rng.random(shape) < 0.65
    # the keys that stay allowed are random too: a mask whose diagonal is True looks like a causal one
    order = rng.random(shape).argsort(-1)
    return draw.as_array(found | (order < least), "bool")


def _mask(rows):
    """Return the mask that is written as texts, "x" for True."""
    return draw.as_array([_row(row) for row in rows], "bool")


def _row(row):
    return [sign == "x" for sign in row] if isinstance(row, str) else [_row(item) for item in row]


def _qkv(lead, sizes, dtype, scale="unit", seed=1):
    """Return query, key and value; sizes are Tq, Tk, head_dim and value_dim."""
    query_len, key_len, head_dim, value_dim = sizes
    return {
        "query": draw.values(seed, (*lead, query_len, head_dim), dtype, scale),
        "key": draw.values(seed + 1, (*lead, key_len, head_dim), dtype, scale),
        "value": draw.values(
            seed + 2, (*lead, key_len, value_dim), dtype, "integers" if scale == "integers" else "unit"
        ),
    }


def _given(**arguments):
    """Return the arguments that are not None: for the others the default is wanted."""
    return {name: value for name, value in arguments.items() if value is not None}


# --- what probes do ---------------------------------------------------------------------------


def _strided(x):
    """Return the same values in memory of another order, if x has two axes."""
    return x.mT.contiguous().mT if x.dim() > 1 else x


def _twice(function, *args):
    """Return the result of the first of two calls: the second must not change it."""
    result = function(*args)
    function(*[arg * 0.5 for arg in args])  # not arg + 1, which is the same to softmax
    return result


def _gradients(function, inputs, upstream):
    """Return the result of function(**inputs) and the gradient of each input, if one arrives from above."""
    if upstream is None:
        return {"result": function(**inputs)}
    leaves = {name: _strided(value).clone().requires_grad_() for name, value in inputs.items()}
    result = function(**leaves)
    (result * upstream).sum().backward()
    return {"result": result, **{name: leaf.grad for name, leaf in leaves.items()}}


def _error(function, *args):
    """Return the name of the error that a call raises, if it is the one that the task asks for."""
    try:
        function(*args)
    except ValueError:
        return "ValueError"
    return "no error"


def _described(module):
    """Return the names, shapes and kinds of a module's parameters."""
    return {name: [list(value.shape), value.requires_grad] for name, value in module.named_parameters()}


def _set(module, x, weights):
    """Return the module in the dtype and on the device of x, with these weights."""
    module = module.to(dtype=x.dtype, device=x.device)
    for name, value in module.named_parameters():
        if name.removesuffix(".weight") in weights and value.shape == weights[name.removesuffix(".weight")].shape:
            value.data.copy_(weights[name.removesuffix(".weight")])
    return module


def _trained(module, x, upstream, **arguments):
    """Return the result of a module, the gradients of x and of its weights; then forget them."""
    leaf = _strided(x).clone().requires_grad_()
    result = module(leaf, **arguments)
    (result * upstream).sum().backward()
    found = {name: parameter.grad for name, parameter in module.named_parameters()}
    module.zero_grad()
    return {"result": result, "x": leaf.grad, **found}


# --- softmax ----------------------------------------------------------------------------------


def _softmax(shape, dim, dtype, scale="unit", shift=0.0, step=0.0, holes=False, seed=1, steep=True):
    """Return x with levels and holes (-inf); of each row along dim at least two numbers stay, or none.

    Far from zero and between levels gradients are not asked: they are cancellation or underflow, and little else.
    """
    import numpy as np

    x = _levels(_times(draw.values(seed, tuple(shape), dtype, scale), 1.0, shift), step)
    if holes:
        axis = -1 if dim is None else dim
        found = np.moveaxis(numbers(x).copy(), axis, -1)
        stay = np.random.default_rng(seed).random(found.shape).argsort(-1) < max(2, found.shape[-1] - 1)
        found[~stay] = -np.inf
        if holes == "rows":
            found[(0,) * (found.ndim - 1)] = -np.inf
        x = draw.as_array(np.moveaxis(found, -1, axis), dtype)
    return {
        "x": x,
        "dim": dim,
        "upstream": draw.values(seed + 5, tuple(shape), dtype) if steep and not (shift or step) else None,
    }


def softmax_rows():
    return draw.build(
        _softmax,
        shape=draw.sizes(3, 3, 8),
        dim=draw.choice(None, -1, 1, 0, -2, 2),
        dtype=draw.choice(*WIDE),
        scale=draw.choice("integers", "unit"),
        shift=draw.choice(0.0, 1000.0, -1000.0),
        step=draw.choice(0.0, 300.0),
        holes=draw.choice(False, True, "rows"),
        seed=draw.integers(0, 10**6),
    )


def some_softmax_rows():
    slides = draw.as_array([0.1, -0.2, -0.3, 0.2, 0.5], "float32")
    return [
        {"x": slides, "dim": None, "upstream": None},
        {"x": _times(slides, 10.0), "dim": -1, "upstream": None},
        _softmax([3], None, "float32", "integers"),
        _softmax([3, 4], None, "float32", "integers"),
        _softmax([3, 4], 0, "float32", "integers"),
        _softmax([2, 4, 3], 1, "float64", "unit"),
        _softmax([2, 4, 3, 5], -3, "float32", "unit"),
        _softmax([3, 4], -1, "float32", "unit", shift=1000.0),
        _softmax([3, 4], -1, "float64", "unit", shift=-1000.0),
        _softmax([5, 3], -1, "float32", "unit", step=500.0),
        _softmax([5, 3], 1, "float64", "integers", holes=True),
        _softmax([5, 4, 3], 0, "float32", "integers", holes="rows"),
        _softmax([3, 5], None, "float32", "integers", holes="rows"),
        _softmax([2, 6], -1, "float32", "huge", steep=False),
        _softmax([3, 4], -1, "float32", "constant"),
        _softmax([1, 3], 0, "float32", "integers", steep=False),
        _softmax([3, 1], -1, "float32", "huge", steep=False),
        _softmax([2, 131], -1, "float64", "unit"),
    ]


@check(points=2, cases=softmax_rows, examples=some_softmax_rows, draws=6, compare=FLOATS)
def softmax_sums_to_one(module, x, dim, upstream):
    """softmax: any axis, far from zero, huge, -inf; gradients"""
    found = _gradients(lambda x: module.softmax(x, **_given(dim=dim)), {"x": x}, upstream)
    return {**found, "first": _twice(lambda x: module.softmax(x, **_given(dim=dim)), _strided(x))}


# --- masks ------------------------------------------------------------------------------------


def lengths():
    return draw.build(
        lambda query_len, key_len, window: {"query_len": query_len, "key_len": key_len, "window": window},
        query_len=draw.integers(1, 7),
        key_len=draw.integers(1, 7),
        window=draw.integers(1, 8),
    )


def some_lengths():
    wanted = [
        (1, 1, 1),
        (3, 3, 2),
        (4, 4, 1),
        (1, 5, 2),
        (2, 5, 3),
        (5, 2, 2),
        (4, 1, 3),
        (6, 7, 3),
        (5, 5, 9),
        (3, 71, 33),
    ]
    return [{"query_len": query, "key_len": key, "window": window} for query, key, window in wanted]


@check(points=2, cases=lengths, examples=some_lengths, draws=8, compare=Exact())
def masks_end_at_the_last_key(module, query_len, key_len, window):
    """causal_mask and sliding_window_mask: one query or many, fewer or more than keys"""
    return {
        "causal": module.causal_mask(query_len, key_len),
        "window": module.sliding_window_mask(query_len, key_len, window),
    }


# --- attention --------------------------------------------------------------------------------


def mixes():
    return draw.build(
        _qkv,
        lead=draw.choice((2,), (), (2, 4), (4, 1, 2)),
        sizes=draw.sizes(4, 3, 9),
        dtype=draw.choice(*WIDE),
        scale=draw.choice("integers", "unit", "mixed"),
        seed=draw.integers(0, 10**6),
    )


def some_mixes():
    found = [
        _qkv((), (2, 3, 4, 1), "float32", "integers"),
        _qkv((), (1, 1, 2, 3), "float32", "integers"),
        _qkv((2,), (3, 3, 3, 3), "float64", "unit"),
        _qkv((2,), (3, 5, 16, 4), "float32", "unit"),
        _qkv((3, 2), (5, 4, 6, 7), "float64", "unit"),
        _qkv((3, 2), (4, 5, 1, 6), "float32", "mixed"),
        _qkv((2, 3, 4), (1, 5, 7, 6), "float32", "unit"),
        _qkv((2,), (3, 4, 5, 6), "float32", "tiny"),
        _qkv((), (2, 91, 4, 3), "float64", "unit"),
    ]
    far = _qkv((2,), (3, 4, 5, 6), "float32", "unit")
    return [*found, {**far, "query": _times(far["query"], 100.0)}]


@check(points=2, cases=mixes, examples=some_mixes, draws=5, compare=FLOATS)
def attention_mixes_values(module, query, key, value):
    """attention: without masks, any number of leading axes, Tq and Tk, head_dim and value_dim different"""
    return _twice(module.attention, *map(_strided, (query, key, value)))


def _masked(lead, sizes, dtype, scale="unit", seed=1, mask=None, causal=None, key_mask=None, far=False):
    """Return a case with masks; a far one has scores near -30000, whose differences are small all the same."""
    case = _qkv(lead, sizes, dtype, scale, seed)
    if far:
        case["query"] = _times(case["query"], 1.0, 150.0)
        case["key"] = _times(case["key"], 0.004, -150.0)
    # axes of the mask, from the last to the first: how many of the case's own axes it has
    shape = (*lead, sizes[0], sizes[1])
    if isinstance(mask, int):
        mask = _bools(seed + 3, shape[-mask:])
    elif mask == "middle":
        mask = _bools(seed + 3, (lead[0], *[1] * (len(lead) - 1), sizes[0], sizes[1]))
    if key_mask is True:
        key_mask = _bools(seed + 4, (lead[0], sizes[1]))
    return {**case, "mask": mask, "causal": causal, "key_mask": key_mask}


def masked_mixes():
    return draw.build(
        _masked,
        lead=draw.choice((3,), (3, 2), (4, 2)),
        sizes=draw.sizes(4, 3, 8),
        dtype=draw.choice(*WIDE),
        scale=draw.choice("integers", "unit"),
        seed=draw.integers(0, 10**6),
        mask=draw.choice(None, 2, 3, "middle"),
        causal=draw.choice(None, True, False),
        key_mask=draw.choice(None, True),
    )


def some_masked_mixes():
    padded = [".xxxx", "xxx..", "....."]
    hole = _mask(["x.x.", "....", ".xxx"])
    high = _masked((2,), (6, 5, 3, 4), "float32", causal=True, mask=2)
    last = _mask([["..xx.", "x....", ".x..x"], [".....", "xxxxx", "...x."]])
    return [
        _masked((), (3, 3, 2, 4), "float32", "integers", causal=True),
        _masked((), (1, 5, 2, 3), "float32", "integers", causal=True),
        _masked((2,), (5, 3, 4, 6), "float64", causal=True),
        _masked((2,), (3, 5, 4, 6), "float32", causal=True),
        _masked((), (3, 4, 2, 5), "float32", "integers", mask=hole),
        _masked((2, 4), (3, 5, 6, 7), "float32", mask=last, seed=3)
        | {"mask": draw.as_array(numbers(last)[:, None], "bool")},
        _masked((2, 3), (4, 5, 6, 7), "float32", mask=1),
        _masked((2, 3), (5, 4, 6, 7), "float32", mask=3),
        _masked((3,), (4, 5, 2, 6), "float32", "integers", key_mask=_mask(padded)),
        _masked((3, 2), (4, 5, 6, 7), "float64", key_mask=_mask(padded)),
        _masked((3, 2), (4, 5, 6, 7), "float32", key_mask=_mask(padded), causal=True),
        _masked((3, 2, 4), (6, 5, 7, 8), "float32", key_mask=_mask(padded), causal=True, mask=2),
        _masked((3,), (4, 5, 6, 7), "float32", mask="middle", causal=False, key_mask=_mask(padded)),
        # a hidden key may have by far the largest score
        high | {"query": _times(high["query"], 100.0)},
        # hidden keys must stay hidden, however low the scores of the others are
        _masked((2,), (3, 5, 4, 6), "float64", causal=True, far=True),
        _masked((3, 2), (5, 4, 3, 6), "float64", mask=2, key_mask=True, far=True),
    ]


@check(points=3, cases=masked_mixes, examples=some_masked_mixes, draws=6, compare=FLOATS)
def attention_respects_masks(module, query, key, value, mask, causal, key_mask):
    """attention: mask, causal and key_mask, alone and together; queries without a key"""
    return module.attention(query, key, value, **_given(mask=mask, causal=causal, key_mask=key_mask))


# Where a query sees exactly one key the gradients of query and key are zero, and programs show nothing but
# rounding: here every query sees two keys at least, or none.
def _steep(lead, sizes, dtype, seed=1, causal=None, mask=None, key_mask=None):
    if mask == "random":
        mask = _bools(seed + 3, sizes[:2], least=2)
    case = {**_qkv(lead, sizes, dtype, "unit", seed), "mask": mask, "causal": causal, "key_mask": key_mask}
    return {**case, "upstream": draw.values(seed + 9, (*lead, sizes[0], sizes[3]), dtype)}


def steep_mixes():
    return draw.build(
        _steep,
        lead=draw.choice((2,), (4, 2), ()),
        sizes=draw.sizes(4, 3, 8),
        dtype=draw.choice("float64", "float32"),
        seed=draw.integers(0, 10**6),
        mask=draw.choice(None, "random"),
    )


def some_steep_mixes():
    hole = _mask(["x.x.", "....", ".xxx"])
    return [
        _steep((), (2, 3, 4, 1), "float32"),
        _steep((), (3, 4, 2, 5), "float64", mask=hole),
        _steep((2,), (3, 5, 4, 6), "float64", causal=True),
        _steep((3,), (4, 6, 5, 2), "float32", causal=True, key_mask=_mask(["xx.xxx", "......", "xxxx.."])),
        _steep((3, 2), (4, 5, 6, 7), "float64", key_mask=_mask([".x.xx", "xxx..", "....."])),
    ]


@check(points=2, cases=steep_mixes, examples=some_steep_mixes, draws=5, compare=FLOATS)
def attention_gradients(module, query, key, value, mask, causal, key_mask, upstream):
    """attention: gradients of query, key and value, also where no key is allowed"""
    given = _given(mask=mask, causal=causal, key_mask=key_mask)
    leaves = {"query": query, "key": key, "value": value}
    return _gradients(lambda **inputs: module.attention(**inputs, **given), leaves, upstream)


# --- half precision ---------------------------------------------------------------------------


def _half(sizes, dtype, seed=1, factor=1.0, shift=0.0, spread=1.0, position=0, causal=False):
    """Return inputs in half precision; large ones have close scores that half precision cannot tell apart."""
    case = _qkv((2,), sizes, dtype, "unit", seed)
    return {
        "query": _times(case["query"], spread, factor),
        "key": _times(case["key"], spread, shift),
        "value": case["value"],
        "x": draw.values(seed + 3, (2, sizes[0], 6), dtype),
        "positions": draw.as_array([position + 7 * n for n in range(sizes[0])], "int64"),
        "causal": causal,
    }


def _cancelling(dtype, position):
    """Return inputs of which one product takes away the other: early roundings are all that would be left.

    In rope the pairs end up near an axis. In attention value n of two keys is small for query n.
    """
    import numpy as np

    case = _half((3, 2, 5, 3), dtype, 4, position=position)
    angles = numbers(case["positions"])[:, None] * 10000.0 ** (-np.arange(3) / 3)
    case["x"] = draw.as_array(np.stack([np.sin(angles), np.cos(angles)], -1).reshape(1, 3, 6), dtype)
    if dtype == "bfloat16":  # what is left in float16 is too little for float32
        query, key = (numbers(case[name]).astype("float64") for name in ("query", "key"))
        scores = query @ (key[:, 0] - key[:, 1])[..., None] / 5**0.5
        case["value"] = draw.as_array(np.stack([np.ones_like(scores[..., 0]), -np.exp(scores[..., 0])], 1), dtype)
    return case


def half_mixes():
    return draw.build(
        _half,
        sizes=draw.sizes(4, 3, 8),
        dtype=draw.choice(*HALF),
        seed=draw.integers(0, 10**6),
        factor=draw.choice(0.0, 16.0),
        shift=draw.choice(0.0, 6.0),
        spread=draw.choice(1.0, 0.25),
        position=draw.choice(0, 700),
        causal=draw.choice(False, True),
    )


def some_half_mixes():
    steep = _half((3, 4, 5, 6), "bfloat16", 2)
    return [
        _cancelling("bfloat16", 2),
        _cancelling("float16", 3),
        _half((3, 4, 5, 6), "bfloat16", factor=16.0, shift=6.0, spread=0.25, position=900),
        _half((3, 4, 5, 6), "float16", factor=16.0, shift=6.0, spread=0.25, position=900, causal=True),
        _half((4, 3, 5, 6), "float16", causal=True),
        # the products overflow float16 before they are scaled; the scores are far apart
        _half((3, 4, 64, 5), "float16", factor=50.0, shift=40.0, spread=4.0),
        {**steep, "x": draw.as_array([[0.245, -40.25, -60.5, -80.5, 0.1], [2.3, 2.1, -5.7, -0.15, 1.9]], "bfloat16")}
        | {"positions": draw.as_array([[3], [5]], "int64")},
    ]


@check(points=2, cases=half_mixes, examples=some_half_mixes, draws=5, compare=IN_HALF)
def half_precision_is_rounded_once(module, query, key, value, x, positions, causal):
    """softmax, attention, online_attention, rope: float16 and bfloat16, large scores and positions included"""
    found = {
        "softmax": module.softmax(x),
        "attention": module.attention(query, key, value, causal=causal),
        "online_attention": module.online_attention(query, key, value, 2, causal=causal),
    }
    return found if x.shape[-1] % 2 else {**found, "rope": module.rope(x, positions)}


# --- modules ----------------------------------------------------------------------------------


def _weight(seed, rows, columns, dtype):
    """Return a weight for a linear layer that keeps the size of its input."""
    return _times(draw.values(seed, (rows, columns), dtype), columns**-0.5)


def _head(sizes, dtype, seed=1, padded=False):
    """Return a case for a head; sizes are batch, T, d_model and head_dim."""
    batch, length, d_model, head_dim = sizes
    return {
        "x": draw.values(seed, (batch, length, d_model), dtype),
        "weights": {
            name: _weight(seed + n, head_dim, d_model, dtype) for n, name in enumerate(("query", "key", "value"), 1)
        },
        "key_mask": _bools(seed + 5, (batch, length), 2) if padded is True else padded or None,
        "upstream": draw.values(seed + 6, (batch, length, head_dim), dtype),
    }


def heads():
    return draw.build(
        _head,
        sizes=draw.sizes(4, 3, 8),
        dtype=draw.choice(*WIDE),
        seed=draw.integers(0, 10**6),
        padded=draw.choice(False, True),
    )


def some_heads():
    return [
        _head((1, 3, 4, 2), "float32"),
        _head((2, 4, 3, 5), "float64"),
        _head((2, 5, 16, 3), "float32"),
        _head((3, 5, 6, 4), "float64", padded=_mask(["xxxx.", "..xxx", "xxxxx"])),
    ]


@check(points=2, cases=heads, examples=some_heads, draws=5, compare=FLOATS)
def head_module(module, x, weights, key_mask, upstream):
    """Head: three linear layers, causal unless told otherwise, padding, gradients"""
    width, d_model = weights["query"].shape
    head = module.Head(d_model, width)
    module.Head(d_model, width + 1)  # another head must not change this one
    found = {"parameters": _described(head)}
    head = _set(head, x, weights)
    found["by default"] = _trained(head, x, upstream)
    found["not causal"] = head(x, causal=False)
    found["causal"] = head(x, causal=True, key_mask=key_mask)
    found["padded"] = _trained(head, x, upstream, causal=False, key_mask=key_mask)
    found["evaluated"] = head.eval()(x)
    return found


def _cut(batch, length, num_heads, head_dim, dtype="float32", seed=1):
    return {"x": draw.values(seed, (batch, length, num_heads * head_dim), dtype, "integers"), "num_heads": num_heads}


def cuts():
    sizes = draw.sizes(4, 2, 6)
    return sizes.map(lambda four: _cut(*four, seed=sum(four)))


def some_cuts():
    numbered = draw.as_array([[list(range(6)), list(range(6, 12))]], "float32")
    return [
        {"x": numbered, "num_heads": 3},
        _cut(1, 1, 2, 3),
        _cut(2, 3, 4, 1, "float64"),
        _cut(2, 4, 1, 3),
        _cut(3, 3, 3, 3, "float64"),
        _cut(2, 5, 3, 4, "float16"),
    ]


@check(points=1, cases=cuts, examples=some_cuts, draws=5, compare=Exact())
def heads_are_split_and_joined(module, x, num_heads):
    """split_heads and join_heads: each head has its features of each token, and back"""
    leaf = _strided(x).clone().requires_grad_()
    heads = module.split_heads(leaf, num_heads)
    # heads of another length than the tokens, in plain order of memory
    other = x.reshape(x.shape[0], -1, num_heads, x.shape[2] // num_heads).transpose(1, 2).contiguous()
    return {
        "split": heads,
        "joined": module.join_heads(other + 1),
        "back again": module.join_heads(heads),
        "in graph": [heads.requires_grad, module.join_heads(heads).requires_grad],
        "too many heads": _error(module.split_heads, x, x.shape[-1] + 1),
    }


def _groups(batch, kv_heads, group, sizes, dtype, seed=1, causal=None, key_mask=None):
    """Return a case for grouped queries, in which every query sees two keys at least, or none."""
    case = _qkv((batch, kv_heads), sizes, dtype, "unit", seed)
    query_len, key_len, head_dim, value_dim = sizes
    heads = kv_heads * group
    case["query"] = draw.values(seed + 3, (batch, heads, query_len, head_dim), dtype)
    if key_mask is True:
        key_mask = _bools(seed + 4, (batch, key_len), 2)
    case |= {"causal": causal, "key_mask": key_mask}
    return {**case, "upstream": draw.values(seed + 5, (batch, heads, query_len, value_dim), dtype)}


def groups():
    return draw.build(
        _groups,
        batch=draw.choice(5, 1),
        kv_heads=draw.choice(2, 1, 3),
        group=draw.choice(2, 3, 1),
        sizes=draw.choice((3, 4, 7, 8), (7, 8, 3, 4), (4, 8, 9, 7)),
        dtype=draw.choice(*WIDE),
        seed=draw.integers(0, 10**6),
        key_mask=draw.choice(None, True),
    )


def some_groups():
    return [
        _groups(1, 2, 2, (1, 3, 5, 6), "float32"),
        _groups(2, 1, 4, (3, 5, 6, 7), "float64", causal=True),
        _groups(2, 3, 1, (4, 5, 7, 8), "float32", causal=False),
        _groups(3, 2, 2, (5, 6, 8, 7), "float64", causal=True),
        _groups(3, 2, 3, (4, 5, 7, 8), "float32", key_mask=_mask([".xxx.", "xx..x", "....."])),
    ]


@check(points=2, cases=groups, examples=some_groups, draws=5, compare=FLOATS)
def query_heads_share_keys(module, query, key, value, causal, key_mask, upstream):
    """grouped_query_attention: groups of neighbours, one group, no groups; masks, gradients"""
    given = _given(causal=causal, key_mask=key_mask)
    leaves = {"query": query, "key": key, "value": value}
    found = _gradients(lambda **inputs: module.grouped_query_attention(**inputs, **given), leaves, upstream)
    more = query.repeat(1, 2, 1, 1)[:, : key.shape[1] + 1]
    found["uneven"] = "ValueError" if key.shape[1] == 1 else _error(module.grouped_query_attention, more, key, value)
    return found


def _multi(batch, length, num_heads, num_kv_heads, head_dim, dtype, seed=1, padded=None):
    d_model = num_heads * head_dim
    narrow = (num_kv_heads or num_heads) * head_dim
    widths = {"query": d_model, "key": narrow, "value": narrow, "out": d_model}
    return {
        "x": draw.values(seed, (batch, length, d_model), dtype),
        "num_heads": num_heads,
        "num_kv_heads": num_kv_heads,
        "weights": {
            name: _weight(seed + n, width, d_model, dtype) for n, (name, width) in enumerate(widths.items(), 1)
        },
        "key_mask": _bools(seed + 6, (batch, length), 2) if padded is True else padded,
        "upstream": draw.values(seed + 7, (batch, length, d_model), dtype),
    }


def multis():
    return draw.build(
        _multi,
        batch=draw.choice(2, 7),
        length=draw.choice(5, 3),
        num_heads=draw.choice(4, 6),
        num_kv_heads=draw.choice(None, 2, 1),
        head_dim=draw.choice(3, 2),
        dtype=draw.choice(*WIDE),
        seed=draw.integers(0, 10**6),
        padded=draw.choice(None, True),
    )


def some_multis():
    return [
        _multi(1, 3, 2, None, 2, "float32"),
        _multi(2, 5, 3, None, 4, "float64"),
        _multi(2, 5, 4, 2, 3, "float32"),
        _multi(3, 5, 4, 1, 2, "float64", padded=_mask(["xxxx.", "..xxx", "xxxxx"])),
        _multi(1, 19, 6, 1, 2, "float64"),
    ]


@check(points=3, cases=multis, examples=some_multis, draws=5, compare=FLOATS)
def multi_head_attention(module, x, num_heads, num_kv_heads, weights, key_mask, upstream):
    """MultiHeadAttention: four linear layers, causal unless told otherwise, fewer key heads, padding, gradients"""
    d_model = x.shape[-1]
    given = _given(num_kv_heads=num_kv_heads)
    layer = module.MultiHeadAttention(d_model, num_heads, **given)
    module.MultiHeadAttention(d_model, 1)  # another layer must not change this one
    found = {"parameters": _described(layer)}
    layer = _set(layer, x, weights)
    found["by default"] = _trained(layer, x, upstream)
    found["one token"] = layer(x[:, :1])
    found["not causal"] = layer(x, causal=False)
    found["causal"] = layer(x, causal=True, key_mask=key_mask)
    found["padded"] = _trained(layer, x, upstream, causal=False, key_mask=key_mask)
    found["evaluated"] = layer.eval()(x)
    found["uneven"] = [
        _error(module.MultiHeadAttention, d_model + 1, num_heads),
        _error(module.MultiHeadAttention, 12, 4, 3),
    ]
    return found


# --- dropout ----------------------------------------------------------------------------------


def some_weights():
    weights = draw.values(1, (3, 41, 50), "float32")
    import numpy as np

    raised = np.exp(numbers(weights).astype("float64"))
    rows = raised / raised.sum(-1, keepdims=True)
    return [
        {"weights": draw.as_array(rows, dtype), "p": p}
        for dtype, p in (("float32", 0.3), ("float64", 0.5), ("float32", 0.7), ("float16", 0.5))
    ]


# With 6150 weights the rate, rounded to one digit, is as good as certain: the bounds lie eight deviations off.
@check(points=1, examples=some_weights, compare=Derived(fixed=("weights",)))
def dropout_keeps_the_expected_weight(module, weights, p):
    """attention_dropout: which weights go, what becomes of the others, in training and outside"""
    leaf = weights.clone().requires_grad_()
    dropped = module.attention_dropout(leaf, p, True)
    dropped.sum().backward()
    kept = (dropped != 0).detach()
    scale = dropped.detach().double()[kept] / weights.double()[kept]
    slopes = leaf.grad.double()
    return {
        "evaluated": module.attention_dropout(weights, p, False),
        "nothing dropped": module.attention_dropout(weights, 0.0, True),
        "all dropped": module.attention_dropout(weights, 1.0, True),
        "shape": list(dropped.shape),
        "dtype": str(dropped.dtype),
        "dropped": round(1 - kept.double().mean().item(), 1),
        "factors": [round(scale.min().item(), 1), round(scale.mean().item(), 2), round(scale.max().item(), 1)],
        "gradients": [round(slopes[kept].mean().item(), 2), round(slopes[~kept].abs().max().item(), 2)],
        "different rows": int(kept.flatten(0, 1).unique(dim=0).shape[0]),
        "different columns": int(kept.flatten(0, 1).unique(dim=1).shape[1]),
        "the same again": bool((module.attention_dropout(weights, p, True) == dropped).all()),
    }


# --- positions --------------------------------------------------------------------------------


def _rope(lead, length, head_dim, dtype, positions=None, base=None, seed=1):
    """Return x and its positions: counted from a number on, or integers of any shape."""
    import numpy as np

    if isinstance(positions, int):
        positions = range(positions, positions + length)
    elif positions == "each":
        shape = (lead[0], *[1] * (len(lead) - 1), length)
        positions = np.random.default_rng(seed).integers(-9, 30, shape)
    x = draw.values(seed, (*lead, length, head_dim), dtype)
    return {"x": x, "positions": draw.as_array(list(positions), "int64"), "base": base} | {
        "upstream": draw.values(seed + 1, (*lead, length, head_dim), dtype)
    }


def turns():
    return draw.build(
        _rope,
        lead=draw.choice((2,), (2, 5), (5, 2)),
        length=draw.choice(3, 4, 7),
        head_dim=draw.choice(2, 6, 8),
        dtype=draw.choice(*WIDE),
        positions=draw.choice(0, 1, 20, "each"),
        base=draw.choice(None, 100.0),
        seed=draw.integers(0, 10**6),
    )


def some_turns():
    return [
        _rope((), 3, 2, "float32", 0),
        _rope((), 3, 4, "float32", 0),
        _rope((2,), 3, 4, "float64", [3, 1, 7]),
        _rope((2, 3), 5, 6, "float32", 11),
        _rope((3, 2), 4, 8, "float64", "each"),
        _rope((2,), 4, 6, "float32", 2, 100.0),
        _rope((), 1, 4, "float32", [5]),
        _rope((3,), 4, 2, "float64", "each", 100.0),
    ]


@check(points=3, cases=turns, examples=some_turns, draws=6, compare=FLOATS)
def rope_rotates_pairs(module, x, positions, base, upstream):
    """rope: pairs of neighbours, positions of any kind, base; gradients"""
    given = _given(base=base)
    found = _gradients(lambda x: module.rope(x, positions, **given), {"x": x}, upstream)
    found["first"] = _twice(lambda x: module.rope(x, positions, **given), x)
    found["odd"] = _error(module.rope, x[..., 1:], positions)
    return found


def tables():
    return draw.build(
        lambda sizes, base: {"length": sizes[0], "d_model": sizes[1], "base": base},
        sizes=draw.sizes(2, 1, 12),
        base=draw.choice(None, 100.0),
    )


def some_tables():
    wanted = [(1, 2, None), (3, 8, None), (4, 5, None), (2, 1, None), (6, 7, 100.0), (60, 16, None)]
    return [{"length": length, "d_model": d_model, "base": base} for length, d_model, base in wanted]


# An angle of 60 in float32 has an error of some 1e-6, a power more; the smallest mistake is far larger.
@check(points=1, cases=tables, examples=some_tables, draws=5, compare=Close(atol=1e-4))
def sinusoids_of_positions(module, length, d_model, base):
    """sinusoidal_positions: sines and cosines side by side, odd d_model, base"""
    return module.sinusoidal_positions(length, d_model, **_given(base=base))


# --- online attention -------------------------------------------------------------------------


def _blocks(lead, sizes, dtype, block_size, causal=None, seed=1, rising=0.0, steep=True):
    """Return a case for online attention; a rising one has ever larger (or smaller) scores."""
    import numpy as np

    case = _qkv(lead, sizes, dtype, "unit", seed)
    if rising:
        query, key = numbers(case["query"]).copy(), numbers(case["key"]).copy()
        query[..., 0], key[..., 0] = 4.0, rising * np.arange(sizes[1])
        case |= {"query": draw.as_array(query, dtype), "key": draw.as_array(key, dtype)}
    upstream = draw.values(seed + 5, (*lead, sizes[0], sizes[3]), dtype) if steep else None
    return {**case, "block_size": block_size, "causal": causal, "upstream": upstream}


def blocks():
    return draw.build(
        _blocks,
        lead=draw.choice((2,), (), (2, 3)),
        sizes=draw.choice((3, 4, 5, 6), (5, 7, 3, 4), (4, 6, 8, 7)),
        dtype=draw.choice(*WIDE),
        block_size=draw.choice(2, 1, 3, 4, 9),
        causal=draw.choice(None, True, False),
        seed=draw.integers(0, 10**6),
    )


def some_blocks():
    return [
        _blocks((), (2, 4, 3, 1), "float32", 2),
        _blocks((), (3, 5, 2, 4), "float64", 2, causal=True),
        _blocks((2,), (3, 7, 4, 5), "float32", 3),
        _blocks((2,), (3, 4, 5, 6), "float64", 1, causal=True),
        _blocks((2,), (5, 5, 3, 4), "float32", 2, causal=True, steep=False),
        _blocks((2, 3), (7, 4, 5, 6), "float32", 3, causal=True, steep=False),
        _blocks((2,), (4, 5, 6, 3), "float32", 9),
        _blocks((2,), (3, 6, 4, 5), "float64", 2, rising=100.0, steep=False),
        _blocks((2,), (3, 6, 4, 5), "float32", 2, rising=-100.0, steep=False),
        _blocks((2,), (3, 6, 4, 5), "float32", 4, rising=1.0),
        _blocks((2, 3), (4, 5, 6, 7), "float64", 2),
    ]


@check(points=2, cases=blocks, examples=some_blocks, draws=6, compare=FLOATS)
def online_attention_is_attention(module, query, key, value, block_size, causal, upstream):
    """online_attention: blocks of any size, rising and falling scores, causal; gradients"""
    given = _given(causal=causal)
    leaves = {"query": query, "key": key, "value": value}
    found = _gradients(
        lambda **inputs: module.online_attention(**inputs, block_size=block_size, **given), leaves, upstream
    )
    strided = [_strided(tensor) for tensor in leaves.values()]
    found["first"] = _twice(lambda *tensors: module.online_attention(*tensors, block_size, **given), *strided)
    return found


def some_lengths_for_memory():
    return [
        {"small": _qkv((), (8, 9, 4, 3), "float32"), "large": _qkv((), (64, 72, 4, 3), "float32"), "causal": causal}
        for causal in (False, True)
    ]


@check(
    points=1,
    examples=some_lengths_for_memory,
    compare=Growth(18.0, "eight times as many queries and keys need eight times the memory, not 64 times"),
)
def online_attention_needs_little_memory(module, small, large, causal):
    """online_attention: the memory grows with the length, not with its square"""

    def peak(query, key, value):
        return cost.tensors(lambda: module.online_attention(query, key, value, 8, causal=causal))["peak"]

    return {"small": peak(**small), "large": peak(**large)}


# --- devices ----------------------------------------------------------------------------------


def some_devices():
    found = []
    for dtype in ("float32", "float16"):
        case = _qkv((2, 3), (4, 5, 6, 7), dtype, "unit")
        case |= {"mask": _bools(1, (4, 5)), "key_mask": _bools(2, (2, 5)), "positions": _positions(5)}
        found.append(case)
    return found


def _positions(length):
    return draw.as_array(list(range(length)), "int64")


@check(points=1, examples=some_devices, compare=FLOATS, device="portable")
def everything_stays_on_its_device(module, query, key, value, mask, key_mask, positions):
    """every function and module: nothing is made on the wrong device"""
    x = query[:, 0]
    head = module.Head(x.shape[-1], 5).to(dtype=x.dtype, device=x.device)
    layer = module.MultiHeadAttention(x.shape[-1], 3, 1).to(dtype=x.dtype, device=x.device)
    return {
        "softmax": module.softmax(query),
        "causal_mask": module.causal_mask(3, 4, device=x.device),
        "sliding_window_mask": module.sliding_window_mask(3, 4, 2, device=x.device),
        "attention": module.attention(query, key, value, mask, True, key_mask),
        "grouped_query_attention": module.grouped_query_attention(query, key[:, :1], value[:, :1], True, key_mask),
        "Head": head(x, key_mask=key_mask[:, : x.shape[1]]).shape,
        "MultiHeadAttention": layer(x, key_mask=key_mask[:, : x.shape[1]]).shape,
        "heads": module.join_heads(module.split_heads(x, 2)),
        "rope": module.rope(key, positions),
        "online_attention": module.online_attention(query, key, value, 2, causal=True),
        "attention_dropout": module.attention_dropout(x, 0.5, True).shape,
    }
