"""What is asked of lora.py: the cases, what is run on them, and how the answers are compared.

No import of torch at the top: this file is read by a process that only compares, and needs none.
A and B are random at first, so the probes set them; what is random in a value never reaches an answer.
"""

from grader import draw
from grader.check import check
from grader.compare import Derived, Exact

FLOATS = ("float32", "float64")
ALPHAS = (3, 16, 0.5, 1, 7.0)


# --- helpers of the probes --------------------------------------------------------------------


def _strided(x):
    """Return the same values in memory of another order, if x has two axes."""
    return x.mT.contiguous().mT if x.dim() > 1 else x


def _error(function, *args):
    """Return the name of the ValueError that a call raises, "" if it raises none."""
    try:
        function(*args)
    except ValueError:
        return "ValueError"
    return ""


def _fill(model, numbers=None, start=0):
    """Give every parameter values out of `numbers`, by its place in the alphabet.

    Where results are compared with a tolerance, `numbers` is an input of the case: then rounding of
    the weights is part of the noise that is measured.
    """
    import torch

    numbers = torch.sin(1.7 * torch.arange(1, 64)) if numbers is None else numbers.flatten()
    for place, (_, parameter) in enumerate(sorted(model.named_parameters())):
        steps = torch.arange(parameter.numel()) * 5 + 11 * place + start
        parameter.data.copy_(numbers[steps.to(numbers.device) % numbers.numel()].reshape(parameter.shape))
    return model


def _layer(module, x, a, b, alpha):
    """Return a LoRALayer with these factors, in the dtype and on the device of x."""
    layer = module.LoRALayer(a.shape[0], b.shape[1], a.shape[1], alpha).to(dtype=x.dtype, device=x.device)
    layer.A.data.copy_(a)
    layer.B.data.copy_(b)
    return layer


def _linear(weight, bias):
    """Return an nn.Linear that has this weight and bias, in their dtype and on their device."""
    from torch import nn

    kind = {"dtype": weight.dtype, "device": weight.device}
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, **kind)
    linear.weight.data.copy_(weight)
    if bias is not None:
        linear.bias.data.copy_(bias)
    return linear


def _adapted(module, weight, bias, a, b, alpha):
    """Return a LinearWithLoRA with these values; another one beside it must not change it."""
    made = module.LinearWithLoRA(_linear(weight, bias), a.shape[1], alpha)
    made.lora.A.data.copy_(a)
    made.lora.B.data.copy_(b)
    other = module.LinearWithLoRA(_linear(weight, bias), a.shape[1] + 1, alpha + 1)
    other.merge()
    return made


def _trainable(model):
    return sorted(name for name, parameter in model.named_parameters() if parameter.requires_grad)


def _shapes(model):
    return {name: list(value.shape) for name, value in sorted(model.state_dict().items())}


def _gradients(model):
    """Return the gradients that the parameters of a model have, and clear them."""
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = None
    return found


def _step(model, x, upstream, rate):
    """Take one step of gradient descent; return the gradients."""
    import torch

    (model(x) * upstream).sum().backward()
    gradients = _gradients(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if gradients[name] is not None:
                parameter.sub_(rate * gradients[name])
    return gradients


# --- the adapter ------------------------------------------------------------------------------


def some_sizes():
    shapes = ((2, 3, 1, 4), (64, 5, 32, 16), (7, 40, 20, 0.5), (3, 4, 6, 1))
    cases = [dict(zip(("in_dim", "out_dim", "rank", "alpha"), shape, strict=True)) for shape in shapes]
    return [
        *cases,
        {"in_dim": 3, "out_dim": 2, "rank": 0, "alpha": 1},
        {"in_dim": 3, "out_dim": 2, "rank": -1, "alpha": 1},
    ]


@check(points=1, examples=some_sizes, compare=Exact())
def lora_layer_starts_without_effect(module, in_dim, out_dim, rank, alpha):
    """LoRALayer: learnable A and B, and no effect before training; adapter_size"""
    import torch

    if rank < 1:
        return _error(module.LoRALayer, in_dim, out_dim, rank, alpha)
    first, second = (module.LoRALayer(in_dim, out_dim, rank, alpha) for _ in range(2))
    x = torch.linspace(-2, 3, 5 * in_dim).reshape(5, in_dim)
    seen = {
        "shapes": _shapes(first),
        "trainable": _trainable(first),
        "size": module.adapter_size(in_dim, out_dim, rank),
        "B": first.B.detach().clone(),
        "result": first(x).detach().abs(),
        "A differs between instances": not torch.equal(first.A, second.A),
        "A is all zero": not first.A.any().item(),
    }
    if first.A.numel() > 100:  # enough numbers to speak of a distribution
        draws = first.A.detach()
        spread = draws.std().item()
        seen["A has both signs"] = bool((draws > 0).any() and (draws < 0).any())
        seen["A has many values"] = len(set(draws.flatten().tolist())) > draws.numel() // 2
        seen["standard deviation of A"] = "too small" if spread < 0.01 else "too large" if spread > 2 else "as asked"
    return seen


def updates():
    return draw.build(
        _update,
        sizes=draw.sizes(5, 1, 9),
        axes=draw.integers(1, 3),
        dtype=draw.choice(*FLOATS),
        scale=draw.choice("integers", "unit", "tiny", "huge", "mixed"),
        alpha=draw.choice(*ALPHAS),
        seed=draw.integers(0, 10**6),
    )


def _update(sizes, axes, dtype, scale, alpha, seed=1):
    *batch, in_dim, out_dim, rank = sizes
    rows = tuple(batch[: axes - 1])
    factors = "integers" if scale == "integers" else "unit"
    return {
        "x": draw.values(seed, (*rows, in_dim), dtype, scale),
        "a": draw.values(seed + 1, (in_dim, rank), dtype, factors),
        "b": draw.values(seed + 2, (rank, out_dim), dtype, factors),
        "alpha": alpha,
        "upstream": draw.values(seed + 3, (*rows, out_dim), dtype),
    }


def some_updates():
    return [
        _update([3, 2, 1], 1, "float32", "integers", 3),
        _update([3, 2, 4, 5], 2, "float64", "integers", 16),
        _update([4, 2, 3, 6], 2, "float32", "unit", 1),
        _update([2, 5, 4, 3, 6], 3, "float32", "mixed", 0.5),
        _update([2, 5, 3, 4, 1, 6], 4, "float64", "unit", 7),
        _update([0, 4, 3, 2], 2, "float32", "unit", 3),
        _update([5, 3, 7, 1], 2, "float32", "tiny", 4.0),
        _update([3, 17, 11, 5], 2, "float32", "huge", 3),
    ]


@check(points=3, cases=updates, examples=some_updates, draws=10, compare=Derived())
def lora_layer_scales_by_alpha_over_rank(module, x, a, b, alpha, upstream):
    """LoRALayer: the scaled low-rank update, and the gradients of x, A and B"""
    layer = _layer(module, x, a, b, alpha)
    module.LoRALayer(a.shape[0], b.shape[1], a.shape[1] + 1, alpha + 5)  # must not change the first one
    leaf = _strided(x).clone().requires_grad_()
    result = layer(leaf)
    (result * upstream).sum().backward()
    gradients = _gradients(layer)
    evaluated = layer.eval()(x)
    layer.B.data.zero_()
    (layer(x) * upstream).sum().backward()
    return {
        "result": result,
        "gradients": {"x": leaf.grad, **gradients},
        "evaluated": evaluated,
        "gradients while B is zero": _gradients(layer),
    }


def some_dropouts():
    return [
        {"x": draw.values(n, (3, 8), dtype), "numbers": draw.values(9, (7, 9), dtype), "probability": probability}
        for n, (dtype, probability) in enumerate((("float32", 0.5), ("float64", 0.75), ("float32", 0.25)))
    ]


@check(points=2, examples=some_dropouts, compare=Derived())
def dropout_hits_only_what_the_adapter_reads(module, x, numbers, probability):
    """dropout: on what the adapter reads, in training only, scaled; the base path keeps everything"""
    import torch

    width, rows = x.shape[1], 400
    keep = 1 - probability
    kind = {"dtype": x.dtype, "device": x.device}
    powers = 2.0 ** torch.arange(width, **kind)
    many = powers.repeat(rows, 1)
    # A and B let every feature through on its own, then all of them in one sum
    single = module.LoRALayer(width, width, width, width, probability).to(**kind)
    single.A.data.copy_(torch.eye(width))
    single.B.data.copy_(torch.eye(width))
    summed = module.LoRALayer(width, 1, 1, 1, probability).to(**kind)
    summed.A.data.fill_(1)
    summed.B.data.fill_(1)
    leaf = many.clone().requires_grad_()
    dropped = single(leaf)
    dropped.sum().backward()
    ratios = (dropped / many).detach()
    share = (ratios == 0).to(torch.float64).mean().item()
    seen = {
        "factors, times 1 - p": sorted({round(ratio * keep, 4) for ratio in ratios.flatten().tolist()}),
        "share of zeros is near p": abs(share - probability) < 0.1,
        "rows differ": len(set(summed(many).flatten().tolist())) > 10,
        "calls differ": not torch.equal(single(many), single(many)),
        "the gradient is dropped alike": torch.equal(leaf.grad, ratios),
        "evaluated": single.eval()(x),
        "no dropout asked for": _layer(module, x, torch.eye(width), torch.eye(width), 2)(x),
    }
    weight = (torch.arange(3 * width, **kind).reshape(3, width) - 9) / 8
    layer = module.LinearWithLoRA(_linear(weight, weight[:, 0]), 2, 3, probability)
    seen["base path"] = layer(x)  # B is zero: the adapter adds nothing, dropped or not
    _fill(layer.lora, numbers)
    trained = [layer(many).detach() for _ in range(2)]
    seen["the update is dropped"] = not torch.equal(*trained)
    layer.merge()
    seen["merged"] = layer(x)
    layer.unmerge()
    seen["layer evaluated"] = layer.eval()(x)
    return seen


# --- the adapted layer ------------------------------------------------------------------------


def layers():
    return draw.build(_adapted_case, case=updates(), bias=draw.choice(True, False), seed=draw.integers(0, 10**6))


def _adapted_case(case, bias=True, seed=1, plain=False):
    out_dim, dtype = case["b"].shape[1], case["x"].dtype
    sizes = (out_dim, case["x"].shape[-1])
    weight = draw.values(seed, sizes, dtype, "integers") if plain else draw.as_array(_firm(sizes, seed), dtype)
    return {**case, "weight": weight, "bias": draw.values(seed + 1, (out_dim,), dtype) if bias else None}


def _firm(sizes, seed):
    """Return a weight of both signs, its rows of different scale, with no number near zero.

    A number much smaller than the update is rounded to a coarse grid when the update is merged, and may
    lie near a point of the grid by chance: then the measured noise says nothing.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(0, 2, (sizes[0], 1))
    return scales * rng.choice([-1, 1], sizes) * rng.uniform(2, 6, sizes)


def some_layers():
    return [
        _adapted_case(_update([3, 2, 1], 1, "float32", "integers", 3), True, plain=True),
        _adapted_case(_update([3, 2, 4, 5], 2, "float64", "integers", 16), False, plain=True),
        _adapted_case(_update([4, 3, 2, 5], 2, "float32", "unit", 7.0)),
        _adapted_case(_update([2, 5, 4, 3, 6], 3, "float32", "unit", 1), False),
        # as many inputs as outputs: a transposed update would fit
        _adapted_case(_update([4, 3, 3, 2], 2, "float64", "unit", 0.5)),
        _adapted_case(_update([2, 3, 3, 1], 2, "float32", "unit", 2)),
    ]


@check(points=2, cases=layers, examples=some_layers, draws=8, compare=Derived())
def linear_with_lora_adds_to_a_frozen_linear(module, x, weight, bias, a, b, alpha, upstream):
    """LinearWithLoRA: the same linear layer, frozen, plus the update"""
    linear = _linear(weight, bias)
    objects = [linear.weight, linear.bias]
    layer = module.LinearWithLoRA(linear, a.shape[1], alpha)
    seen = {
        "the same object": layer.linear is linear,
        "the same Parameters": [layer.linear.weight is objects[0], layer.linear.bias is objects[1]],
        "shapes": _shapes(layer),
        "trainable": _trainable(layer),
        "merged": layer.merged,
        "dtypes": [str(layer.lora.A.dtype), str(layer.lora.B.dtype)],
        "modes": [layer.training, layer.lora.training],
        "modes of a layer in evaluation": module.LinearWithLoRA(_linear(weight, bias).eval(), 1, 1).lora.training,
        "fresh": layer(x),
    }
    layer.lora.A.data.copy_(a)
    layer.lora.B.data.copy_(b)
    leaf = _strided(x).clone().requires_grad_()
    seen["result"] = layer(leaf)
    (seen["result"] * upstream).sum().backward()
    seen["gradient of x"] = leaf.grad
    seen["evaluated"] = layer.eval()(x)
    seen["evaluation leaves the weight alone"] = [layer.merged, linear.weight.clone()]
    return seen


@check(points=2, cases=layers, examples=some_layers, draws=6, compare=Derived())
def training_moves_only_the_adapter(module, x, weight, bias, a, b, alpha, upstream):
    """LinearWithLoRA: two steps of gradient descent move B, then A, and never the base"""
    layer = module.LinearWithLoRA(_linear(weight, bias), a.shape[1], alpha)
    layer.lora.A.data.copy_(a)
    first = _step(layer, x, upstream, 0.25)
    moved = {name: value.clone() for name, value in layer.state_dict().items()}
    # at the start A does not move: its gradient is that of the result times B, which is zero
    layer.lora.B.data.copy_(b)
    second = _step(layer, x, upstream, 0.25)
    return {"first gradients": first, "after one step": moved, "second gradients": second, "result": layer(x)}


@check(points=2, cases=layers, examples=some_layers, draws=8, compare=Derived())
def merging_folds_the_update_into_the_weight(module, x, weight, bias, a, b, alpha, upstream):
    """merge: the update moves into the weight, once, and the result stays the same"""
    layer = _adapted(module, weight, bias, a, b, alpha)
    parameter = layer.linear.weight
    returned = layer.merge()
    seen = {
        "returned": returned,
        "merged": layer.merged,
        "weight": layer.linear.weight.clone(),
        "the same Parameter": layer.linear.weight is parameter,
        "in the graph": [parameter.requires_grad, parameter.is_leaf],
        "result": layer(x),
        "shapes": _shapes(layer),
        "A and B": [layer.lora.A.clone(), layer.lora.B.clone()],
        "trainable": _trainable(layer),
        "bias": None if bias is None else layer.linear.bias.clone(),
    }
    layer.eval()
    layer.train()
    seen["still merged"] = layer.merged
    layer.merge()
    seen["merged twice"] = [layer.linear.weight, layer(x), layer.merged]
    return seen


@check(points=2, cases=layers, examples=some_layers, draws=8, compare=Derived())
def unmerging_takes_the_update_out(module, x, weight, bias, a, b, alpha, upstream):
    """unmerge: the weight is what it was; merging works again after more training"""
    layer = _adapted(module, weight, bias, a, b, alpha)
    parameter = layer.linear.weight
    layer.unmerge()  # was not merged
    seen = {"never merged": [parameter.clone(), layer.merged]}
    layer.linear.weight.data.mul_(2)  # as if another checkpoint was loaded
    layer.merge()
    returned = layer.unmerge()
    seen["returned"] = returned
    seen["unmerged"] = [parameter.clone(), layer.merged, layer.linear.weight is parameter, parameter.requires_grad]
    seen["result"] = layer(x)
    layer.unmerge()
    seen["unmerged twice"] = [parameter.clone(), layer.merged]
    layer.linear.weight.data.mul_(0.5)
    layer.lora.B.data.mul_(-3)  # as if it was trained
    layer.merge()
    seen["merged again"] = [parameter.clone(), layer.merged, layer(x)]
    layer.unmerge()
    seen["at the end"] = [parameter.clone(), layer(x)]
    return seen


# --- whole models -----------------------------------------------------------------------------


def _sized(layer, device, **shapes):
    """Return a small layer with parameters of other shapes: no start values are drawn, which takes long on meta."""
    import torch

    for name, shape in shapes.items():
        setattr(layer, name, torch.nn.Parameter(torch.empty(shape, device=device)))
    return layer


def _large_linear(in_dim, out_dim, bias, device):
    from torch import nn

    shapes = {"weight": (out_dim, in_dim), **({"bias": (out_dim,)} if bias else {})}
    linear = _sized(nn.Linear(1, 1, bias=bias), device, **shapes)
    linear.in_features, linear.out_features = in_dim, out_dim
    return linear


def _gpt(vocabulary, positions, width, blocks, classes, tied, device):
    """Return the layers of a GPT-2 with a head of `classes`; it is counted, not run."""
    from torch import nn

    def norm():
        return _sized(nn.LayerNorm(1), device, weight=(width,), bias=(width,))

    def block():
        parts = {name: _large_linear(width, width, True, device) for name in ("query", "key", "value", "out")}
        wide = [_large_linear(width, 4 * width, True, device), nn.GELU(), _large_linear(4 * width, width, True, device)]
        return nn.ModuleDict({**parts, "mlp": nn.Sequential(*wide), "norm1": norm(), "norm2": norm()})

    model = nn.Module()
    model.tokens = _sized(nn.Embedding(1, 1), device, weight=(vocabulary, width))
    model.positions = _sized(nn.Embedding(1, 1), device, weight=(positions, width))
    model.blocks = nn.ModuleList([block() for _ in range(blocks)])
    model.norm = norm()
    model.head = _large_linear(width, vocabulary if tied else classes, not tied, device)
    if tied:
        model.head.weight = model.tokens.weight
    return model


def some_models():
    names = ("vocabulary", "positions", "width", "blocks", "classes", "rank", "tied", "device")
    cases = (
        (5, 4, 3, 1, 2, 1, False, "cpu"),
        (7, 5, 4, 2, 3, 2, True, "cpu"),
        (7, 5, 4, 2, 3, 2, True, "meta"),
        (50257, 1024, 768, 12, 2, 16, False, "meta"),
    )
    return [dict(zip(names, case, strict=True)) for case in cases]


@check(points=2, examples=some_models, compare=Exact())
def freezing_and_counting(module, vocabulary, positions, width, blocks, classes, rank, tied, device):
    """freeze, count_trainable: a GPT-2 before, when frozen, with adapters, when frozen again"""
    import torch
    from torch import nn

    model = _gpt(vocabulary, positions, width, blocks, classes, tied, device)
    counts = [module.count_trainable(model)]
    model.norm.weight.requires_grad = False
    counts.append(module.count_trainable(model))
    returned = [module.freeze(model), model.training]
    counts.append(module.count_trainable(model))
    replaced = len(module.replace_linear_with_lora(model, rank, 2 * rank))
    counts.append(module.count_trainable(model))
    shared = model.head.linear.weight is model.tokens.weight
    of_adapter = module.adapter_size(width, 4 * width, rank)
    module.freeze(model)
    counts += [module.count_trainable(model), module.count_trainable(nn.Tanh())]
    lone = nn.Sequential(nn.Linear(3, 2), nn.Conv2d(2, 3, 1), nn.GRU(2, 3))
    lone.own = nn.Parameter(torch.zeros(()))
    counts.append(module.count_trainable(lone))
    module.freeze(lone)
    return {
        "counts": counts,
        "replaced": replaced,
        "head shares its weight": shared,
        "of one adapter": of_adapter,
        "freeze returns, mode": returned,
        "tensors left": _trainable(lone),
    }


def _tower(in_dim, width, out_dim, like, numbers=None):
    """Return a small model with linear layers in many places, in the dtype and on the device of `like`."""
    import torch
    from torch import nn

    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.q = nn.Linear(width, width)
            self.seq = nn.Linear(width, width, bias=False)
            self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.Tanh(), Doubled(2 * width, width))
            self.norm = nn.LayerNorm(width)

        def forward(self, x):
            return self.norm(x + self.mlp(self.q(x).tanh() * self.seq(x)))

    class Tower(nn.Module):
        def __init__(self):
            super().__init__()
            self.flora = nn.Linear(in_dim, width, bias=False)
            self.blocks = nn.ModuleList([Block(), Block()])
            self.heads = nn.ModuleDict({"q": nn.Linear(width, out_dim), "out": nn.Linear(width, out_dim)})
            self.absent = None
            self.B = nn.Parameter(torch.ones(out_dim))

        def forward(self, x):
            x = self.flora(x)
            for block in self.blocks:
                x = block(x)
            return self.heads["q"](x) + self.B * self.heads["out"](x)

    return _fill(Tower().to(dtype=like.dtype, device=like.device), numbers)


TARGETS = (
    None,
    ["q"],
    ("seq", "0"),
    ["lora", "linear", "mlp", "blocks", "heads.q", "Q"],
    [],
    ["out", "2", "flora"],
    ["B", "norm"],
    ["fl", "ou", "se"],  # how names begin
)


def replacements():
    return draw.build(
        _replacement,
        sizes=draw.sizes(4, 2, 6),
        dtype=draw.choice(*FLOATS),
        alpha=draw.choice(*ALPHAS),
        targets=draw.lists(draw.choice("q", "seq", "0", "2", "out", "flora", "e"), 0, 3),
        seed=draw.integers(0, 10**6),
    )


def _replacement(sizes, dtype, alpha, targets, seed=1):
    rows, in_dim, width, rank = sizes
    x = draw.values(seed, (rows, in_dim), dtype)
    numbers = draw.values(seed + 1, (7, 9), dtype)
    return {"x": x, "numbers": numbers, "width": width + 3, "rank": rank, "alpha": alpha, "targets": targets}


def some_replacements():
    cases = [
        _replacement([2, 3, n % 3 + 1, 4], FLOATS[n % 2], ALPHAS[n % 5], targets) for n, targets in enumerate(TARGETS)
    ]
    return [*cases, _replacement([4, 2, 3, 1], "float32", 5, None)]


@check(points=3, cases=replacements, examples=some_replacements, draws=5, compare=Derived())
def replacing_reaches_every_target(module, x, numbers, width, rank, alpha, targets):
    """replace_linear_with_lora: every target at any depth, nothing else; the model still works"""
    from torch import nn

    model = _tower(x.shape[1], width, 3, x, numbers)
    before = model(x)
    names = module.replace_linear_with_lora(model, rank, alpha, targets)
    parts = list(model.named_modules())
    seen = {
        "returned": names,
        "adapted": sorted(name for name, part in parts if isinstance(part, module.LinearWithLoRA)),
        "left": sorted(name for name, part in parts if isinstance(part, nn.Linear)),
        "trainable": _trainable(model),
        "shapes": _shapes(model),
        "fresh": [before, model(x)],
    }
    _fill(model, numbers, 5)
    seen["result"] = model(x)
    seen["again"] = module.replace_linear_with_lora(model, rank + 1, alpha, targets)
    seen["after the second time"] = [_shapes(model), model(x)]
    for part in model.modules():
        if isinstance(part, module.LinearWithLoRA):
            part.merge()
    seen["merged"] = model(x)
    return seen


def _of_kind(module, model):
    """Return the names, all of a shared module, under which a model has adapted layers."""
    parts = model.named_modules(remove_duplicate=False)
    return sorted(name for name, part in parts if isinstance(part, module.LinearWithLoRA))


def _shared_layer(module):
    from torch import nn

    shared = nn.Linear(4, 4)
    model = nn.ModuleDict({"a": shared, "b": nn.Sequential(shared, nn.Linear(4, 2)), "c": shared})
    names = module.replace_linear_with_lora(model, 2, 3)
    same = [model["a"] is model["b"][0], model["a"] is model["c"]]
    return [names, _of_kind(module, model), same, module.count_trainable(model)]


def _partly_shared_layer(module):
    from torch import nn

    shared = nn.Linear(4, 3)
    model = nn.ModuleDict({"a": shared, "b": nn.ModuleDict({"a": shared, "c": shared})})
    names = module.replace_linear_with_lora(model, 2, 3, ["c"])
    return [names, _of_kind(module, model), model["a"] is shared, model["b"]["c"].linear is shared, _trainable(model)]


def _shared_block(module):
    from torch import nn

    block = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 3))
    model = nn.Sequential(block, block, nn.Linear(3, 3))
    names = module.replace_linear_with_lora(model, 2, 3, {"1"})
    return [names, _of_kind(module, model), model[0] is model[1], module.count_trainable(model)]


def _bare(module):
    from torch import nn

    lone = nn.Linear(3, 2)
    return [_error(module.replace_linear_with_lora, lone, 1, 1), _trainable(lone)]


def _adapter_itself(module):
    from torch import nn

    model = module.LinearWithLoRA(nn.Linear(3, 2), 1, 1)
    names = module.replace_linear_with_lora(model, 2, 1)
    return [names, type(model.linear).__name__, _shapes(model)]


def _extended_later(module):
    from torch import nn

    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    first = module.replace_linear_with_lora(model, 1, 1, ["1"])
    model.append(nn.Linear(2, 5))
    second = module.replace_linear_with_lora(model, 2, 1)
    third = module.replace_linear_with_lora(model, 3, 1, ["linear", "0", "1"])
    return [first, second, third, _shapes(model)]


def _no_layer(module):
    from torch import nn

    plain, nested = nn.Sequential(nn.Tanh(), nn.LayerNorm(3)), nn.Sequential(nn.Sequential(nn.Embedding(3, 2)))
    return [module.replace_linear_with_lora(model, 1, 1) for model in (plain, nested, nn.Tanh())]


def _in_evaluation(module):
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(64, 4), nn.Tanh(), nn.Linear(4, 2)).eval()
    module.replace_linear_with_lora(model, 2, 3, dropout=0.5)
    _fill(model)
    x = torch.ones(50, 64)
    same = torch.equal(model(x), model(x))
    modes = [part.training for part in model.modules()]
    model.train()
    return [same, any(modes), torch.equal(model(x), model(x))]


def _dropout_of_its_own(module):
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(8, 8, bias=False))
    module.replace_linear_with_lora(model, 8, 8, dropout=0.75)
    model[0].linear.weight.data.zero_()
    for factor in (model[0].lora.A, model[0].lora.B):
        factor.data.copy_(torch.eye(8))
    return sorted(set(model(torch.ones(100, 8)).flatten().tolist()))


def _in_other_dtypes(module):
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2).to(torch.bfloat16), nn.Linear(2, 5).double())
    module.replace_linear_with_lora(model, 2, 3)
    return [[str(part.lora.A.dtype), str(part.lora.B.dtype), str(part.linear.weight.dtype)] for part in model]


def _names_of_ours(module):
    from torch import nn

    model = nn.ModuleDict({"linear": nn.Linear(2, 3), "lora": nn.Sequential(nn.Linear(3, 2)), "A": nn.Linear(3, 4)})
    named = module.replace_linear_with_lora(model, 1, 1, ["linear"])
    return [named, module.replace_linear_with_lora(model, 1, 1), _of_kind(module, model)]


def _an_iterator_of_targets(module):
    from torch import nn

    model = nn.ModuleDict({"fc": nn.Linear(2, 3), "up": nn.Sequential(nn.Linear(3, 2)), "down": nn.Linear(3, 4)})
    return [module.replace_linear_with_lora(model, 1, 1, iter(["down", "fc"])), _of_kind(module, model)]


def _many(module):
    from torch import nn

    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(12)))
    return module.replace_linear_with_lora(model, 1, 1)


SITUATIONS = {
    "a layer in three places": _shared_layer,
    "a layer in three places, one a target": _partly_shared_layer,
    "a block in two places": _shared_block,
    "the model is a linear layer": _bare,
    "the model is an adapted layer": _adapter_itself,
    "a layer added later": _extended_later,
    "no linear layer": _no_layer,
    "a model in evaluation": _in_evaluation,
    "adapters with dropout": _dropout_of_its_own,
    "layers of several dtypes": _in_other_dtypes,
    "layers with the names of ours": _names_of_ours,
    "targets from an iterator": _an_iterator_of_targets,
    "twelve layers": _many,
}


@check(points=2, examples=lambda: [{"situation": name} for name in SITUATIONS], compare=Exact())
def replacing_in_unusual_models(module, situation):
    """replace_linear_with_lora: shared layers, second calls, modes, dtypes, a model that is one layer"""
    return SITUATIONS[situation](module)


# --- saving and loading -----------------------------------------------------------------------


def some_states():
    return [
        {"x": draw.values(3, (2, 3), "float32"), "rank": 2, "targets": ["q"]},
        {"x": draw.values(4, (3, 2), "float64"), "rank": 1, "targets": None},
        {"x": draw.values(5, (2, 4), "float32"), "rank": 3, "targets": []},
    ]


def _with_adapters(module, x, rank, targets, start):
    """Return a tower with adapters, one of them on its own, one in two places."""
    model = _tower(x.shape[1], 5, 3, x)
    module.replace_linear_with_lora(model, rank, 3, targets)
    model.extra = module.LoRALayer(4, 3, rank, 1).to(dtype=x.dtype)
    model.twin = module.LinearWithLoRA(_linear(x, None), rank, 1)
    model.other = model.twin
    return _fill(model, None, start)


def _refusal(module, model, state, keys):
    """Return what load_adapters says to a state that does not fit, and whether it changed the model."""
    import torch

    before = {name: value.clone() for name, value in model.state_dict().items()}
    message = ""
    try:
        module.load_adapters(model, state)
    except ValueError as error:
        message = str(error)
    kept = all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    return {"raised": message != "", "names": [key in message for key in keys], "model kept": kept}


@check(points=3, examples=some_states, compare=Exact())
def adapters_are_saved_and_loaded(module, x, rank, targets):
    """adapter_state_dict, load_adapters: A and B only, as copies, strictly"""
    import torch

    source = _with_adapters(module, x, rank, targets, 0)
    state = module.adapter_state_dict(source)
    seen = {
        "state": {key: value.clone() for key, value in state.items()},
        "in the graph": any(value.requires_grad for value in state.values()),
        "parameters": any(isinstance(value, torch.nn.Parameter) for value in state.values()),
        "alone": sorted(module.adapter_state_dict(source.extra)),
        "nothing to save": module.adapter_state_dict(torch.nn.Linear(2, 2)),
    }
    with torch.no_grad():
        result = source(x)
        for parameter in source.parameters():  # training goes on
            parameter.mul_(3)
    seen["state after more training"] = {key: value.clone() for key, value in state.items()}
    source.twin.merge()
    seen["saved while merged"] = [module.adapter_state_dict(source), source.twin.merged]

    target = _with_adapters(module, x, rank, targets, 0)
    objects = dict(target.named_parameters())
    for key in state:
        target.get_parameter(key).data.fill_(7)
    seen["returned"] = module.load_adapters(target, state)
    seen["the same Parameters"] = all(objects[name] is value for name, value in target.named_parameters())
    seen["the same result"] = torch.equal(target(x), result)
    seen["trainable"] = _trainable(target)
    state["extra.A"].fill_(5)  # the state belongs to the caller
    seen["loaded"] = module.adapter_state_dict(target)

    wide = {key: value.double() + 0.5 for key, value in state.items()}
    module.load_adapters(target, dict(reversed(wide.items())))  # the order of the keys says nothing
    seen["from float64"] = module.adapter_state_dict(target)

    short = {key: value + 1 for key, value in state.items() if key not in ("extra.B", "twin.lora.A")}
    more = {**state, "extra.C": torch.ones(2), "linear.weight": torch.ones(2), "extra.A": state["extra.A"] + 1}
    other = {**wide, "extra.A": wide["extra.A"].T.contiguous(), "other.lora.B": wide["other.lora.B"][:1, :1]}
    broad = {**wide, "extra.B": wide["extra.B"][:, :1]}  # copy_ would spread it over the columns
    seen["missing"] = _refusal(module, target, short, ["extra.B", "twin.lora.A"])
    seen["unexpected"] = _refusal(module, target, more, ["extra.C", "linear.weight"])
    seen["wrong shapes"] = _refusal(module, target, other, ["extra.A", "other.lora.B"])
    seen["would broadcast"] = _refusal(module, target, broad, ["extra.B"])
    seen["empty"] = _refusal(module, target, {}, sorted(state))
    seen["all of the model"] = _refusal(module, target, dict(target.state_dict()), ["flora", "B"])
    seen["nothing to load"] = module.load_adapters(torch.nn.Linear(2, 2), {})
    return seen


# --- relatives: int8, QLoRA, DoRA, LoRA+ ------------------------------------------------------


# Numbers between two steps of the grid, never in the middle: there, right programs may round apart.
def weights():
    return draw.build(
        _weights,
        sizes=draw.sizes(2, 2, 9),
        dtype=draw.choice(*FLOATS),
        limit=draw.choice(None, 1.5, 0.01),
        seed=draw.integers(0, 10**6),
    )


def _weights(sizes, dtype, limit=None, seed=1):
    return {"weight": draw.as_array(_on_grid(sizes, limit, seed), dtype), "limit": limit}


def _on_grid(sizes, limit=None, seed=1):
    """Return rows of very different sizes; with a limit, every second row has numbers beyond it."""
    import numpy as np

    rng = np.random.default_rng(seed)
    rows, columns = sizes
    top = 10.0 ** rng.uniform(-6, 3, (rows, 1))
    steps = rng.integers(-127, 128, (rows, columns)).astype(float)
    if limit is not None:
        top = limit * 10.0 ** rng.uniform(-4, 0, (rows, 1))
        top[::2] = limit
        steps[::2] = rng.integers(-400, 401, steps[::2].shape)
        steps[::2, -1] = 331
    between = rng.uniform(-0.35, 0.35, steps.shape)
    largest = rng.integers(0, columns, rows)
    inside = np.arange(rows) % 2 == (1 if limit is not None else np.arange(rows) % 2)
    steps[inside, largest[inside]] = 127 * rng.choice([-1, 1], rows)[inside]
    between[np.abs(steps) == 127] = 0
    return top / 127 * (steps + between)


def some_weights():
    halves = [[127, 0.5, 1.5, 2.5, -0.5], [-254, 1, 3, -3, 5], [31.75, 0.125, -0.375, 0.625, -0.875]]
    outlier = [[1, -0.6, 0.3], [0, 0, 0], [1000, 1, -2], [-1e-20, 4e-21, 0]]
    beyond = [[4.0, -3.0, 1.0], [0.5, -0.2, 0.1], [-9.0, 2.0, 1.99]]
    return [
        {"weight": draw.as_array(outlier, "float32"), "limit": None},
        {"weight": draw.as_array(halves, "float64"), "limit": None},
        {"weight": draw.as_array(beyond, "float32"), "limit": 2.0},
        {"weight": draw.as_array([[0, 0], [3, -1], [0, 5]], "float64"), "limit": 1.0},
        {"weight": draw.as_array([[-2], [0], [7]], "float32"), "limit": None},
        _weights([3, 5], "float64", None, 5),
        _weights([4, 3], "float32", 1.5, 6),
    ]


@check(points=2, cases=weights, examples=some_weights, draws=8, compare=Derived())
def int8_has_one_scale_for_each_row(module, weight, limit):
    """quantize_int8, dequantize: one scale a row, halves to even, saturation, rows of zeros"""
    import torch

    given = _strided(weight).clone()
    quantized, scales = module.quantize_int8(given) if limit is None else module.quantize_int8(given, limit)
    steps = torch.arange(-127, 128, 2, device=weight.device).to(torch.int8)
    steps = steps[: 2 * weight.shape[0]].reshape(weight.shape[0], 2)
    kept = quantized.clone()
    module.quantize_int8(given.flip(0) + 1)  # a second call must not change the first
    given.fill_(1)
    return {
        "quantized": quantized,
        "scales": scales,
        "kept": torch.equal(kept, quantized),
        "dequantized": module.dequantize(steps, scales),
    }


def some_quantized():
    cases = [
        _update([3, 4, 1], 1, "float32", "integers", 3),
        _update([3, 5, 2, 4], 2, "float64", "unit", 16),
        _update([2, 5, 4, 3, 6], 3, "float32", "unit", 0.5),
    ]
    return [_quantized(case, bias) for case, bias in zip(cases, (True, False, True), strict=True)]


def _quantized(case, bias):
    sizes, dtype = (case["b"].shape[1], case["x"].shape[-1]), case["x"].dtype
    bias = draw.values(12, (sizes[0],), dtype) if bias else None
    return {**case, "weight": draw.as_array(3 * _on_grid(sizes, 1.0, 4), dtype), "bias": bias}


def quantized_layers():
    return draw.build(_quantized, case=updates(), bias=draw.choice(True, False))


@check(points=1, cases=quantized_layers, examples=some_quantized, draws=6, compare=Derived())
def qlora_quantizes_the_base_only(module, x, weight, bias, a, b, alpha, upstream):
    """QLoRALinear: int8 for the base, full precision and gradients for the adapter"""
    linear = _linear(weight, bias)
    layer = module.QLoRALinear(linear, a.shape[1], alpha)
    module.QLoRALinear(_linear(weight + 1, bias), a.shape[1], alpha + 1)
    untouched = [linear.weight.requires_grad, linear.weight.clone()]
    seen = {
        "state": {name: [str(value.dtype), list(value.shape)] for name, value in sorted(layer.state_dict().items())},
        "parameters": sorted(name for name, _ in layer.named_parameters()),
        "trainable": _trainable(layer),
        "buffers": sorted(name for name, _ in layer.named_buffers()),
        "bias": layer.bias,
        "linear layers kept": sum(type(part).__name__ == "Linear" for part in layer.modules()),
        "linear is left as it was": untouched,
        "mode": module.QLoRALinear(_linear(weight, bias).eval(), 1, 1).lora.training,
        "fresh": layer(x),
    }
    linear.weight.data.fill_(9)
    if bias is not None:
        linear.bias.data.fill_(9)
    layer.lora.A.data.copy_(a)
    layer.lora.B.data.copy_(b)
    leaf = _strided(x).clone().requires_grad_()
    seen["result"] = layer(leaf)
    (seen["result"] * upstream).sum().backward()
    seen["gradients"] = {"x": leaf.grad, **_gradients(layer)}
    _step(layer, x, upstream, 0.5)
    seen["after a step"] = [layer.quantized, layer.scales, layer.lora.B.detach()]
    return seen


def directions():
    return draw.build(
        _direction,
        sizes=draw.sizes(3, 2, 8),
        dtype=draw.choice(*FLOATS),
        # no integers: a row of zeros has no direction
        scale=draw.choice("unit", "mixed", "tiny"),
        factor=draw.choice(*ALPHAS),
        seed=draw.integers(0, 10**6),
    )


def _direction(sizes, dtype, scale, factor, seed=1):
    in_dim, out_dim, rank = sizes
    weight = draw.values(seed, (out_dim, in_dim), dtype, scale)
    return {
        "weight": weight,
        "a": draw.values(seed + 1, (in_dim, rank), dtype),
        "b": draw.values(seed + 2, (rank, out_dim), dtype),
        "scale": factor,
        "magnitude": draw.values(seed + 3, (out_dim,), dtype),
        "upstream": draw.values(seed + 4, (out_dim, in_dim), dtype),
    }


def some_directions():
    return [
        _direction([2, 3, 1], "float32", "integers", 1),
        _direction([4, 2, 3], "float64", "unit", 0.5),
        _direction([3, 5, 2], "float32", "mixed", 3),
        _direction([4, 4, 2], "float64", "unit", 2.0),
    ]


@check(points=1, cases=directions, examples=some_directions, draws=8, compare=Derived())
def dora_learns_the_length_of_each_row(module, weight, a, b, scale, magnitude, upstream):
    """dora_weight: one length for each output row, and gradients of everything that is learned"""
    leaves = {"a": a, "b": b, "magnitude": magnitude}
    leaves = {name: _strided(value).clone().requires_grad_() for name, value in leaves.items()}
    result = module.dora_weight(weight, leaves["a"], leaves["b"], scale, leaves["magnitude"])
    (result * upstream).sum().backward()
    fresh = module.dora_weight(_strided(weight), a, 0 * b, scale, weight.norm(dim=1))
    return {"result": result, "gradients": {name: leaf.grad for name, leaf in leaves.items()}, "fresh": fresh}


def some_rates():
    return [
        {"lr": 0.5, "ratio": 4.0, "targets": ["q"], "train_base": True},
        {"lr": 0.25, "ratio": None, "targets": None, "train_base": False},
        {"lr": 1.0, "ratio": 2, "targets": [], "train_base": True},
        {"lr": 0.125, "ratio": 0.5, "targets": ["flora", "2"], "train_base": True},
    ]


@check(points=1, examples=some_rates, compare=Exact())
def lora_plus_speeds_up_b(module, lr, ratio, targets, train_base):
    """lora_plus_groups: B of the adapters learns faster, everything else as before"""
    import torch

    model = _tower(3, 5, 2, torch.ones(1))
    if not train_base:
        module.freeze(model)
    module.replace_linear_with_lora(model, 2, 3, targets)
    model.twice = model.heads
    if targets is None:
        model.heads["out"].lora.B.requires_grad = False
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = module.lora_plus_groups(model, lr) if ratio is None else module.lora_plus_groups(model, lr, ratio)
    found = [{**group, "params": sorted(names[id(one)] for one in group["params"])} for group in groups]
    lone = module.LoRALayer(2, 3, 1, 1)
    sizes = [[list(one.shape) for one in group["params"]] for group in module.lora_plus_groups(lone, 0.5, 2.0)]
    return {"groups": found, "of a layer alone": sizes, "of nothing": module.lora_plus_groups(torch.nn.Tanh(), 0.5, 2)}


# --- devices ----------------------------------------------------------------------------------


def portable_cases():
    cases = [_update([2, 5, 4, 3, 6], 3, "float32", "unit", 3), _update([3, 4, 5, 2], 2, "bfloat16", "unit", 1)]
    return [_adapted_case(case) for case in cases]


@check(points=1, examples=portable_cases, compare=Derived(), device="portable")
def everything_stays_on_its_device(module, x, weight, bias, a, b, alpha, upstream):
    """every function and module: nothing is made on the wrong device"""
    from torch import nn

    layer = module.LinearWithLoRA(_linear(weight, bias), a.shape[1], alpha)
    state = {name: value.clone() for name, value in module.adapter_state_dict(layer).items() if name.endswith("B")}
    _fill(layer.lora, x)
    seen = {"fresh state": state, "result": layer(x), "alone": _layer(module, x, a, b, alpha)(x)}
    module.load_adapters(layer, module.adapter_state_dict(layer))
    layer.merge()
    seen["merged"] = [layer(x), layer.linear.weight.detach().clone()]
    layer.unmerge()
    seen["unmerged"] = layer.linear.weight
    model = nn.Sequential(_linear(weight, bias))
    module.replace_linear_with_lora(model, a.shape[1], alpha)
    seen["model"] = model(x)
    wide = weight.float()
    quantized, scales = module.quantize_int8(wide)
    seen["int8"] = [str(quantized.dtype), list(quantized.shape), str(quantized.device) == str(x.device), scales]
    seen["dequantized"] = module.dequantize(quantized, scales).dtype == wide.dtype
    stored = module.QLoRALinear(_linear(wide, None), a.shape[1], alpha)
    seen["quantized layer"] = list(stored(x.float()).shape)
    seen["dora"] = module.dora_weight(weight, a, b, 2.0, weight[:, 0].abs())
    return seen
