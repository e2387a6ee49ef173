"""What is asked of norms.py: the cases, what is run on them, and how the answers are compared.

No import of torch here: this file is read by a process that only compares, and needs none.
"""

from grader import draw
from grader.check import check
from grader.compare import Close, Derived

SCALES = ("integers", "unit", "tiny", "huge", "mixed", "shifted", "constant", "zero")
HALF = ("integers", "unit", "huge", "shifted")
# nothing of x may be lost: its statistics are computed in float32, so only gain and bias are rounded
IN_HALF = Derived(fixed=("x",))
EPS = (1e-5, 0.1, None)  # None: the default of the function


# --- inputs -----------------------------------------------------------------------------------


# At least three numbers a row: of two, the normalized ones are always 1 and -1, and the gradient of
# x is nothing but rounding errors.
def rows(dtypes=("float32", "float64"), scales=SCALES, shift=(0.0,)):
    return draw.build(
        _rows,
        shape=draw.sizes(3, 3, 9),
        dtype=draw.choice(*dtypes),
        scale=draw.choice(*scales),
        eps=draw.choice(*EPS),
        shift=draw.choice(*shift),
        seed=draw.integers(0, 10**6),
    )


def _rows(shape, dtype, scale, eps, seed=1, shift=0.0):
    d_model = shape[-1]
    return {
        "x": draw.values(seed, tuple(shape), dtype, scale, shift),
        "gain": draw.values(seed + 1, (d_model,), dtype),
        "bias": draw.values(seed + 2, (d_model,), dtype),
        "eps": eps,
    }


def some_rows(dtypes=("float32", "float64"), scales=SCALES, shift=0.0):
    """Return one case of each scale; rows of one to five axes, short and long; one row that is constant."""
    found = [_rows([2, 4, 3], dtypes[n % len(dtypes)], scale, EPS[n % 3], n, shift) for n, scale in enumerate(scales)]
    shapes = ([3], [1, 4], [2, 3, 5, 4], [4, 515])
    found += [_rows(shape, dtypes[0], "integers", 0.1, 7, shift) for shape in shapes]
    return [
        *found,
        _rows([3], dtypes[0], "constant", 0.1, 7, shift),
        _rows([4, 1], dtypes[0], "integers", 0.1, 7, shift),
    ]


def steep_rows(scales):
    """Return cases for gradients, with the gradient that arrives from above."""
    return with_gradient([case for case in some_rows(("float64",), scales) if case["x"].shape[-1] > 1])


def _without_bias(cases):
    return [{name: value for name, value in case.items() if name != "bias"} for case in cases]


def with_gradient(cases):
    """Add the gradient that arrives from above to each case."""
    return [{**case, "upstream": draw.values(99, case["x"].shape, case["x"].dtype)} for case in cases]


def gradient_rows():
    return rows(("float64", "float32"), ("integers", "unit", "mixed", "shifted")).map(
        lambda case: with_gradient([case])[0]
    )


def _given(eps):
    """Return eps as an argument, nothing if the default is wanted."""
    return {} if eps is None else {"eps": eps}


def _strided(x):
    """Return the same values in memory of another order, if x has two axes."""
    return x.mT.contiguous().mT if x.dim() > 1 else x


def _gradients(function, inputs, upstream):
    """Return the result of function(**inputs) and the gradient of each input."""
    leaves = {name: _strided(value).clone().requires_grad_() for name, value in inputs.items()}
    result = function(**leaves)
    (result * upstream).sum().backward()
    return {"result": result, **{name: leaf.grad for name, leaf in leaves.items()}}


def _twice(function, x):
    """Return the result of the first of two calls: the second must not change it."""
    result = function(x)
    function(x + 1)
    return result


def _fresh(module, x):
    """Return what a module holds before training, and its result."""
    parameters = {name: value.detach().clone() for name, value in module.named_parameters()}
    return {"parameters": parameters, "result": module.to(dtype=x.dtype, device=x.device)(x)}


def _used(make, x, eps, **parameters):
    """Return what a module gives with these parameters: training, gradients, evaluation."""
    module = _set(make(x.shape[-1], **_given(eps)), x, **parameters)
    make(x.shape[-1], 0.7)  # another module must not change this one
    result = module(_strided(x))
    result.sum().backward()
    gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
    return {"result": result, "gradients": gradients, "evaluated": module.eval()(x)}


def _set(module, x, **parameters):
    """Return the module in the dtype and on the device of x, with these parameter values."""
    module = module.to(dtype=x.dtype, device=x.device)
    for name, value in parameters.items():
        getattr(module, name).data.copy_(value)
    return module


# --- layer norm -------------------------------------------------------------------------------


@check(points=3, cases=rows, examples=some_rows, draws=16, compare=Derived())
def layer_norm_normalizes_each_row(module, x, gain, bias, eps):
    """layer_norm: float32 and float64; near zero, huge, mixed and constant rows"""
    return _twice(lambda rows: module.layer_norm(rows, gain, bias, **_given(eps)), x)


def far_rows():
    return rows(("float32",), ("unit", "integers"), (1e4, 3e3))


@check(points=2, cases=far_rows, examples=lambda: some_rows(("float32",), ("unit",), 1e4), compare=Derived())
def layer_norm_keeps_digits_of_far_rows(module, x, gain, bias, eps):
    """layer_norm: rows with a large mean lose no digits"""
    return module.layer_norm(x, gain, bias, **_given(eps))


def half_rows():
    return rows(("float16", "bfloat16"), HALF, (0.0, 256.0))


def some_half_rows():
    near_zero = _rows([4, 3], "bfloat16", "tiny", 0.1)  # where eps decides, so that eight bits are enough to see it
    far = some_rows(("bfloat16", "float16"), ("integers", "unit"), 256.0)
    return [near_zero, *some_rows(("float16", "bfloat16"), HALF), *far]


@check(points=2, cases=half_rows, examples=some_half_rows, compare=IN_HALF)
def layer_norm_survives_half_precision(module, x, gain, bias, eps):
    """layer_norm: bfloat16 and float16, values above 256 included"""
    return module.layer_norm(x, gain, bias, **_given(eps))


@check(
    points=2,
    cases=gradient_rows,
    examples=lambda: steep_rows(("integers", "mixed", "constant", "zero")),
    compare=Derived(),
)
def layer_norm_gradients(module, x, gain, bias, upstream, eps):
    """layer_norm: gradients of x, gain and bias"""
    leaves = {"x": x, "gain": gain, "bias": bias}
    return _gradients(lambda **given: module.layer_norm(**given, **_given(eps)), leaves, upstream)


def module_rows():
    return [*some_rows(), _rows([5, 3], "float32", "unit", 1e-5, 8, 1e4)]  # a cancelling variance shows clearly


# with room for gradients of gain and bias, sums over all rows whose order is a program's own
@check(points=1, cases=rows, examples=module_rows, draws=6, compare=Derived(slack=8))
def layer_norm_module(module, x, gain, bias, eps):
    """LayerNorm: learnable gain of ones and bias of zeros, the result of layer_norm"""
    used = _used(module.LayerNorm, x, eps, gain=gain, bias=bias)
    return {"fresh": _fresh(module.LayerNorm(x.shape[-1]), x), **used}


# --- RMS norm ---------------------------------------------------------------------------------


def rms_rows():
    return rows().map(lambda case: _without_bias([case])[0])


@check(points=3, cases=rms_rows, examples=lambda: _without_bias(some_rows()), draws=16, compare=Derived())
def rms_norm_divides_by_root_mean_square(module, x, gain, eps):
    """rms_norm: float32 and float64; near zero, huge, mixed and shifted rows"""
    return _twice(lambda rows: module.rms_norm(rows, gain, **_given(eps)), x)


def rms_half_rows():
    return half_rows().map(lambda case: _without_bias([case])[0])


@check(
    points=2,
    cases=rms_half_rows,
    examples=lambda: _without_bias(some_half_rows()),
    compare=IN_HALF,
)
def rms_norm_survives_half_precision(module, x, gain, eps):
    """rms_norm: bfloat16 and float16, values above 256 included"""
    return module.rms_norm(x, gain, **_given(eps))


def rms_gradient_rows():
    return gradient_rows().map(lambda case: _without_bias([case])[0])


@check(
    points=2,
    cases=rms_gradient_rows,
    examples=lambda: _without_bias(steep_rows(("integers", "mixed", "constant", "zero"))),
    compare=Derived(),
)
def rms_norm_gradients(module, x, gain, upstream, eps):
    """rms_norm: gradients of x and gain"""
    leaves = {"x": x, "gain": gain}
    return _gradients(lambda **given: module.rms_norm(**given, **_given(eps)), leaves, upstream)


@check(points=1, cases=rms_rows, examples=lambda: _without_bias(some_rows()), draws=6, compare=Derived())
def rms_norm_module(module, x, gain, eps):
    """RMSNorm: learnable gain of ones, the result of rms_norm"""
    return {"fresh": _fresh(module.RMSNorm(x.shape[-1]), x), **_used(module.RMSNorm, x, eps, gain=gain)}


# --- batch norm, deep norm --------------------------------------------------------------------


def batches():
    return draw.build(
        _batches,
        shape=draw.sizes(2, 3, 8),
        dtype=draw.choice("float32", "float64"),
        scale=draw.choice("integers", "unit", "shifted", "huge"),
        shift=draw.choice(0.0, 1e4),
        eps=draw.choice(*EPS),
        momentum=draw.choice(0.3, None),
        seed=draw.integers(0, 10**6),
    )


def _batches(shape, dtype, scale, eps, momentum, seed=1, shift=0.0):
    return {
        "batches": [draw.values(seed + n, tuple(shape), dtype, scale, shift) for n in range(3)],
        "gain": draw.values(seed + 5, (shape[1],), dtype),
        "bias": draw.values(seed + 6, (shape[1],), dtype),
        "eps": eps,
        "momentum": momentum,
    }


def some_batches():
    return [
        _batches([3, 4], "float32", "integers", 0.1, 0.3),
        _batches([4, 5], "float64", "shifted", 1e-5, 0.1),
        _batches([5, 3], "float32", "unit", 1e-5, 0.1, shift=1e4),
        _batches([4, 3], "float32", "tiny", None, None),
    ]


@check(points=3, cases=batches, examples=some_batches, compare=Derived(slack=8))
def batch_norm_trains_and_evaluates(module, batches, gain, bias, eps, momentum):
    """BatchNorm: training, running averages, evaluation"""
    import torch

    x = batches[0]
    given = _given(eps) if momentum is None else {"momentum": momentum, **_given(eps)}
    norm = module.BatchNorm(x.shape[1], **given)
    module.BatchNorm(x.shape[1], 0.7, 0.9)  # another module must not change this one
    seen = {"parameters": sorted(name for name, _ in norm.named_parameters())}
    state = norm.state_dict()
    names = ("gain", "bias", "running_mean", "running_var")
    seen["fresh"] = {name: state[name].clone() if name in state else None for name in names}
    norm = _set(norm, x, gain=gain, bias=bias)
    norm.train()
    leaf = _strided(x).clone().requires_grad_()
    seen["trained"] = [norm(leaf), norm(batches[1])]
    (seen["trained"][0] * batches[2]).sum().backward()
    seen["gradients"] = {"x": leaf.grad, **_take_gradients(norm)}
    seen["running"] = [norm.running_mean.clone(), norm.running_var.clone()]
    seen["in graph"] = [norm.running_mean.requires_grad, norm.running_var.requires_grad]
    norm.eval()
    seen["evaluated"] = [norm(batches[2]), norm(batches[2][:1])]
    seen["evaluated"][0].sum().backward()
    seen["gradients in evaluation"] = _take_gradients(norm)
    seen["kept"] = [norm.running_mean.clone(), norm.running_var.clone()]
    norm.train()
    with torch.no_grad():  # the averages move in training mode, whatever becomes of gradients
        seen["trained again"] = norm(batches[2])
    seen["moved again"] = [norm.running_mean, norm.running_var]
    return seen


def _take_gradients(module):
    """Return the gradients of a module's parameters and clear them."""
    found = {name: parameter.grad for name, parameter in module.named_parameters()}
    module.zero_grad()
    return found


def deep_rows():
    plain = rows(("float32", "float64"), ("integers", "unit", "mixed"))
    return draw.build(_deep, case=plain, alpha=draw.choice(2.0, 0.5, 2.3784142300054423)).map(
        lambda case: with_gradient([case])[0]
    )


def _deep(case, alpha):
    d_model = case["x"].shape[-1]
    return {**case, "weight": draw.values(5, (d_model, d_model), case["x"].dtype), "alpha": alpha}


def some_deep_rows():
    far = _rows([5, 3], "float32", "unit", 1e-5, shift=1e4)  # a cancelling variance shows here, or nowhere
    plain = some_rows(("float64", "float32"), ("integers", "unit"))
    return with_gradient([_deep(case, 2.0) for case in [*plain, far]])


@check(points=2, cases=deep_rows, examples=some_deep_rows, compare=Derived())
def deep_norm_scales_the_residual(module, x, gain, bias, eps, weight, alpha, upstream):
    """deep_norm: the residual branch is scaled, then everything is normalized; gradients too"""

    def run(x, weight, gain, bias):
        return module.deep_norm(x, lambda hidden: (hidden @ weight).tanh(), alpha, gain, bias, **_given(eps))

    seen = _gradients(run, {"x": x, "weight": weight, "gain": gain, "bias": bias}, upstream)
    # a sublayer that returns its own input: adding to it in place would change x
    return {**seen, "identity": module.deep_norm(x, lambda hidden: hidden, alpha, gain, bias, **_given(eps))}


@check(
    points=1,
    examples=lambda: [{"num_layers": layers} for layers in (1, 2, 6, 24, 1000)],
    compare=Close(rtol=1e-12),
)
def deep_norm_constants_of_decoders(module, num_layers):
    """deep_norm_constants: alpha and beta of a decoder-only model"""
    return module.deep_norm_constants(num_layers)


# --- devices ----------------------------------------------------------------------------------


def portable_rows():
    case = _deep(_rows([2, 4, 3], "float32", "unit", 1e-5), 2.0)
    return [case, {**_deep(_rows([5, 6], "float16", "unit", 1e-5), 2.0)}]


@check(points=1, examples=portable_rows, compare=Derived(), device="portable")
def everything_stays_on_its_device(module, x, gain, bias, eps, weight, alpha):
    """every function and module: nothing is made on the wrong device"""
    flat = x.reshape(-1, x.shape[-1])
    batch = _set(module.BatchNorm(x.shape[-1], **_given(eps)), x)
    return {
        "layer_norm": module.layer_norm(x, gain, bias, **_given(eps)),
        "rms_norm": module.rms_norm(x, gain, **_given(eps)),
        "deep_norm": module.deep_norm(x, lambda hidden: (hidden @ weight).tanh(), alpha, gain, bias, **_given(eps)),
        "LayerNorm": _set(module.LayerNorm(x.shape[-1], **_given(eps)), x)(x),
        "RMSNorm": _set(module.RMSNorm(x.shape[-1], **_given(eps)), x)(x),
        "BatchNorm": [batch(flat), batch.eval()(flat)],
    }
