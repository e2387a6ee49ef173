"""What is asked of kv_cache.py: the cases, what is run on them, and how the answers are compared.

No import of torch here: this file is read by a process that only compares, and needs none.
"""

from grader import cost, draw
from grader.check import check
from grader.compare import Derived, Exact, Growth

# (heads, heads of the keys, head_dim): grouped by two and by three, one for all, none grouped
HEADS = ([4, 2, 6], [6, 2, 4], [6, 3, 2], [3, 1, 4], [2, 2, 4], [5, 5, 2])


# --- sizes and masks --------------------------------------------------------------------------


def some_models():
    names = ("num_layers", "num_kv_heads", "head_dim", "length", "bytes_per_value")
    llama = dict(zip(names, (32, 32, 128, 10_000, 2), strict=True))
    grouped = dict(zip(names, (80, 8, 128, 4096, 2), strict=True))
    sizes = [(1, 1, 1, 1, 1), (2, 3, 5, 7, 4), (3, 2, 4, 0, 8), (61, 1, 576, 131_072, 1)]
    return [dict(zip(names, each, strict=True)) for each in sizes] + [
        llama,
        {**llama, "batch": 16},
        grouped,
        {**grouped, "batch": 64},
    ]


@check(points=1, examples=some_models, compare=Exact())
def cache_bytes_of_models(module, **sizes):
    """cache_bytes: how much memory the cache of a model takes"""
    return module.cache_bytes(**sizes)


def masks():
    return draw.build(
        _mask,
        query_len=draw.integers(1, 6),
        key_len=draw.integers(1, 9),
        window=draw.choice(None, 1, 2, 3, 5, 9),
    )


def _mask(query_len, key_len, window=None):
    return {"query_len": query_len, "key_len": key_len, "window": window}


def some_masks():
    sizes = ((1, 1), (3, 3), (1, 4), (2, 5), (4, 2), (3, 41))
    found = [*[_mask(*size) for size in sizes], _mask(3, 41, 19)]
    return found + [_mask(*size, window) for size in ((3, 3), (1, 4), (2, 5), (5, 8)) for window in (1, 2, 3, 7)]


@check(points=2, cases=masks, examples=some_masks, draws=5, compare=Exact())
def causal_mask_of_new_tokens(module, query_len, key_len, window):
    """causal_mask: new queries, earlier keys, with and without a window"""
    given = {} if window is None else {"window": window}
    return module.causal_mask(query_len, key_len, **given)


# --- the plain cache --------------------------------------------------------------------------


def chunks():
    return draw.build(
        _chunks,
        shape=draw.sizes(3, 1, 5),
        cuts=draw.lists(draw.integers(1, 4), 1, 5),
        spare=draw.integers(0, 3),
        dtype=draw.choice("float32", "float64", "float16", "bfloat16"),
        stored=draw.choice(None, "float16", "float64", "float32", "bfloat16"),
        seed=draw.integers(0, 10**6),
    )


def _chunks(shape, cuts, spare=0, dtype="float32", stored=None, seed=1):
    batch, heads, head_dim = shape
    whole = (batch, heads, sum(cuts), head_dim)
    scale = "integers" if seed == 1 else "mixed"
    return {
        "key": draw.values(seed, whole, dtype, scale),
        "value": draw.values(seed + 1, whole, dtype, scale),
        "cuts": cuts,
        "max_len": sum(cuts) + spare,
        "stored": stored,
    }


def some_chunks():
    return [
        _chunks([1, 1, 2], [1]),
        _chunks([1, 2, 3], [2, 1], 1),
        _chunks([2, 3, 4], [3, 2, 1, 1], 2),
        _chunks([3, 2, 5], [1, 4, 1, 2], 0, "float64", "float32", 7),
        _chunks([2, 1, 3], [2, 3], 0, "float32", "float16", 8),
        _chunks([2, 5, 3], [2, 3, 1], 3, "bfloat16", "float64", 9),
        _chunks([1, 2, 3], [35, 1, 4], 1, "float32", None, 10),
    ]


def _place(like, dtype):
    """Return a device and a dtype as arguments; no dtype if the default is wanted."""
    import torch

    where = {"device": like.device}
    return where if dtype is None else {**where, "dtype": getattr(torch, dtype)}


def _strided(x):
    """Return the same values in memory of another order."""
    return x.mT.contiguous().mT


def _parts(key, value, cuts):
    """Return the tokens of key and value in chunks."""
    return list(zip(key.split(cuts, dim=2), value.split(cuts, dim=2), strict=True))


@check(points=2, cases=chunks, examples=some_chunks, draws=6, compare=Exact())
def kv_cache_returns_all_tokens_so_far(module, key, value, cuts, max_len, stored):
    """KVCache: append gives all tokens so far, from memory that is allocated once"""
    batch, heads, _, head_dim = key.shape
    cache = module.KVCache(batch, heads, head_dim, max_len, **_place(key, stored))
    other = module.KVCache(batch, heads, head_dim, max_len, **_place(key, stored))
    seen = {
        "fresh": [cache.keys.clone(), cache.values.clone(), cache.length, cache.max_len, cache.nbytes],
        "now": [],
        "later": [],
    }
    places = [cache.keys.data_ptr(), cache.values.data_ptr()]
    for more, worth in _parts(key, value, cuts):
        mine = _strided(more).clone().requires_grad_()
        returned = cache.append(mine * 1, worth.clone().requires_grad_())
        other.append(worth, more)
        seen["now"].append([returned[0].clone(), returned[1].clone(), cache.length, returned[0].requires_grad])
        mine.detach().zero_()  # what the caller does with its tensor afterwards is its own business
        seen["later"].append(returned)
    seen["buffers"] = [cache.keys, cache.values, cache.nbytes, cache.keys.requires_grad, cache.values.requires_grad]
    seen["same memory"] = [cache.keys.data_ptr() == places[0], cache.values.data_ptr() == places[1]]
    seen["other"] = [other.keys, other.values, other.length]
    return seen


def some_overflows():
    return [_actions(*case) for case in OVERFLOWS]


# tokens to append; 0 stands for a reset
OVERFLOWS = (
    ([1, 1, 2], 1, [1, 1]),
    ([1, 2, 3], 3, [4, 2, 2, 1]),
    ([2, 3, 4], 4, [3, 0, 1, 3, 1]),
    ([3, 1, 2], 5, [3, 3, 2, 1, 0, 6, 5, 0, 2]),
    ([2, 4, 3], 6, [6, 1, 0, 0, 4, 3, 2]),
)


def _actions(shape, max_len, actions, seed=1):
    batch, heads, head_dim = shape
    whole = (batch, heads, sum(actions), head_dim)
    return {
        "key": draw.values(seed, whole, "float32", "unit"),
        "value": draw.values(seed + 1, whole, "float32", "unit"),
        "max_len": max_len,
        "actions": actions,
    }


def overflows():
    return draw.build(
        _actions,
        shape=draw.sizes(3, 1, 4),
        max_len=draw.integers(1, 6),
        actions=draw.lists(draw.choice(1, 2, 3, 0, 4, 7), 1, 6),
        seed=draw.integers(0, 10**6),
    )


@check(points=2, cases=overflows, examples=some_overflows, draws=5, compare=Exact())
def kv_cache_is_full_or_reset(module, key, value, max_len, actions):
    """KVCache: too many tokens are refused and change nothing; reset begins again in the same memory"""
    import torch

    batch, heads, _, head_dim = key.shape
    cache = module.KVCache(batch, heads, head_dim, max_len, torch.float32, key.device)
    place, seen, used = cache.keys.data_ptr(), [], 0
    for count in actions:
        returned = None
        if count == 0:
            cache.reset()
        else:
            more = slice(used, used + count)
            used += count
            try:
                returned = [each.clone() for each in cache.append(key[:, :, more], value[:, :, more])]
            except ValueError:
                returned = "ValueError"
        kept = [cache.keys[:, :, : cache.length].clone(), cache.values[:, :, : cache.length].clone()]
        seen.append([returned, cache.length, kept, cache.keys.data_ptr() == place, cache.nbytes])
    return seen


COSTS_OF_MEMORY = ("append", "window", "paged append", "paged gather")


@check(
    points=1,
    examples=lambda: [{"what": what} for what in COSTS_OF_MEMORY],
    compare=Growth(1.5, "the memory that a call takes must not grow with what the cache holds or could hold"),
)
def memory_of_a_call_does_not_grow(module, what):
    """every cache: the memory that a call takes does not depend on how much is there"""
    run = {"append": _append_to, "window": _fill_window, "paged append": _append_page, "paged gather": _gather_page}
    return {"small": run[what](module, 12), "large": run[what](module, 48)}


def _token(heads, dims, count=1):
    import torch

    shape = (1, heads, count, 16)[-dims:]
    return torch.ones(shape), torch.ones(shape)


def _append_to(module, length):
    """Return the peak of appending one token to a cache that holds so many."""
    cache = module.KVCache(1, 2, 16, length + 1)
    cache.append(*_token(2, 4, length))
    return cost.tensors(lambda: cache.append(*_token(2, 4)))["peak"]


def _fill_window(module, length):
    """Return the peak of appending so many tokens, one by one, to a small window."""
    cache = module.WindowCache(1, 2, 16, 5)

    def fill():
        for _ in range(length):
            cache.append(*_token(2, 4))

    return cost.tensors(fill)["peak"]


def _append_page(module, length):
    """Return the peak of appending one token to a sequence of so many, in a pool of so many blocks."""
    cache = module.PagedCache(length, 3, 2, 16)
    cache.append(7, *_token(2, 3, length))
    return cost.tensors(lambda: cache.append(7, *_token(2, 3)))["peak"]


def _gather_page(module, num_blocks):
    """Return the peak of gathering a short sequence from a pool of so many blocks, half of them in use."""
    cache = module.PagedCache(num_blocks, 3, 2, 16)
    cache.append(1, *_token(2, 3, 3 * num_blocks // 2))
    cache.append(7, *_token(2, 3, 5))
    return cost.tensors(lambda: cache.gather(7))["peak"]


# --- the layer --------------------------------------------------------------------------------


def _weights(seed, heads, dtype):
    """Return the weights of a layer, of a size that keeps the scores of attention around 1."""
    import numpy as np

    num_heads, num_kv_heads, head_dim = heads
    d_model = num_heads * head_dim
    rng = np.random.default_rng(seed)
    rows = {"query": d_model, "key": num_kv_heads * head_dim, "value": num_kv_heads * head_dim, "out": d_model}
    return {
        name: draw.as_array(rng.standard_normal((count, d_model)) * (1.2 / d_model**0.5), dtype)
        for name, count in rows.items()
    }


def _layer_case(heads, batch, cuts, dtype="float64", seed=1, window=None):
    case = {
        "x": draw.values(seed, (batch, sum(cuts), heads[0] * heads[2]), dtype, "unit"),
        "weights": _weights(seed + 1, heads, dtype),
        "heads": heads,
        "cuts": cuts,
    }
    return case if window is None else {**case, "window": window}


def prefills():
    return draw.build(
        _layer_case,
        heads=draw.choice(*HEADS),
        batch=draw.integers(1, 3),
        cuts=draw.lists(draw.integers(1, 7), 1, 1),
        dtype=draw.choice("float64", "float32"),
        seed=draw.integers(0, 10**6),
    )


def some_prefills():
    return [
        _layer_case([1, 1, 2], 1, [2], "float32"),
        _layer_case([2, 1, 2], 1, [3], "float32"),
        _layer_case([4, 2, 6], 3, [5], "float64", 5),
        _layer_case([6, 2, 4], 2, [7], "float32", 6),
        _layer_case([2, 1, 4], 1, [37], "float64", 7),
    ]


def _layer(module, x, weights, heads, window=None):
    """Return a layer with these weights, on the device and in the dtype of x."""
    num_heads, num_kv_heads, head_dim = heads
    given = {} if window is None else {"window": window}
    layer = module.CachedAttention(num_heads * head_dim, num_heads, num_kv_heads, **given).to(x.device, x.dtype)
    for name, weight in weights.items():
        getattr(layer, name).weight.data.copy_(weight)
    return layer


def _about(cache, like):
    """Return what a fresh cache is like; it should be on the device of a tensor."""
    sizes = [list(cache.keys.shape), list(cache.values.shape), cache.length, cache.nbytes]
    return [
        type(cache).__name__,
        *sizes,
        cache.keys.device == like.device,
        str(cache.values.dtype) == str(cache.keys.dtype),
    ]


@check(points=2, cases=prefills, examples=some_prefills, draws=5, compare=Derived())
def layer_takes_a_prompt(module, x, weights, heads, cuts):
    """CachedAttention: a whole prompt, grouped heads, what is in the cache afterwards"""
    layer = _layer(module, x, weights, heads)
    prompt = cuts[0]
    cache = layer.new_cache(len(x), prompt + 3)
    seen = {
        "parameters": {name: list(value.shape) for name, value in layer.named_parameters()},
        "cache": _about(cache, x),
        "dtype": cache.keys.new_zeros(0),
        "result": layer(_strided(x), cache),
    }
    seen["again"] = layer(x + 1, layer.new_cache(len(x), prompt + 1))
    seen["length"] = cache.length
    seen["keys"] = cache.keys[:, :, :prompt]
    seen["values"] = cache.values[:, :, :prompt]
    seen["in a graph"] = [cache.keys.requires_grad, cache.values.requires_grad]
    return seen


def decodes():
    return draw.build(
        _layer_case,
        heads=draw.choice(*HEADS),
        batch=draw.integers(1, 3),
        cuts=draw.choice([3, 1, 1], [3, 2], [1, 2, 3], [2, 2, 1, 1], [1, 1, 1, 1], [4, 3, 2], [2, 1, 3]),
        dtype=draw.choice("float64", "float32"),
        seed=draw.integers(0, 10**6),
    )


def some_decodes():
    return [
        _layer_case([1, 1, 2], 1, [1, 1], "float32"),
        _layer_case([2, 1, 2], 1, [2, 1, 1], "float32", 3),
        _layer_case([4, 2, 6], 2, [3, 2], "float64", 4),
        _layer_case([6, 2, 4], 3, [4, 1, 2, 1], "float32", 5),
        _layer_case([3, 1, 4], 2, [1] * 6, "float64", 6),
        _layer_case([2, 1, 4], 1, [29, 8, 1, 1], "float64", 7),
    ]


@check(points=3, cases=decodes, examples=some_decodes, draws=5, compare=Derived())
def layer_continues_a_sequence(module, x, weights, heads, cuts):
    """CachedAttention: prefill, chunks, single tokens, another sequence in between, reset"""
    import torch

    layer = _layer(module, x, weights, heads)
    cache, other = layer.new_cache(len(x), x.shape[1]), layer.new_cache(len(x), x.shape[1] + 2)
    layer(x[:, :1], other)
    results = []
    for chunk in x.split(cuts, dim=1):
        results.append(layer(chunk, cache))
        layer(chunk + 1, other)
    seen = {"results": results, "lengths": [cache.length, other.length], "keys": cache.keys.clone()}
    cache.reset()
    layer.eval()
    with torch.no_grad():  # as it will be used
        seen["new sequence"] = [layer(x[:, 1:], cache), layer(x[:, :1], cache)]
    return seen


# --- a window ---------------------------------------------------------------------------------


def windowed_chunks():
    return draw.build(
        lambda case, window: {**case, "window": window}, case=chunks(), window=draw.choice(2, 3, 4, 1, 5, 7)
    )


def some_windowed_chunks():
    return [
        {**_chunks([1, 1, 2], [1, 1]), "window": 1},
        {**_chunks([1, 1, 2], [1, 1, 1, 1]), "window": 2},
        {**_chunks([2, 3, 4], [2, 1, 1, 1, 1]), "window": 3},
        {**_chunks([1, 2, 3], [7, 1, 1]), "window": 3},
        {**_chunks([3, 2, 5], [1, 4, 2, 1, 6, 1], 0, "float64", "float32", 7), "window": 4},
        {**_chunks([2, 1, 3], [4, 3, 4, 1], 0, "float32", "float16", 8), "window": 5},
    ]


@check(points=2, cases=windowed_chunks, examples=some_windowed_chunks, draws=6, compare=Exact())
def window_cache_keeps_the_newest(module, key, value, cuts, max_len, stored, window):
    """WindowCache: what each chunk may see, oldest first; eviction, reset"""
    batch, heads, _, head_dim = key.shape
    cache = module.WindowCache(batch, heads, head_dim, window, **_place(key, stored))
    other = module.WindowCache(batch, heads, head_dim, window, **_place(key, stored))
    seen = {"fresh": [*_about(cache, key), cache.window], "later": [], "kept": []}
    places = [cache.keys.data_ptr(), cache.values.data_ptr()]
    for more, worth in _parts(key, value, cuts):
        mine = _strided(more).clone().requires_grad_()
        returned = cache.append(mine * 1, worth.clone().requires_grad_())
        other.append(worth, more)
        mine.detach().zero_()
        seen["later"].append([*returned, cache.length, returned[0].requires_grad, returned[1].requires_grad])
        full = cache.length >= window  # the order of the slots is free; until all are filled, their content is
        seen["kept"].append([each.sort(dim=2).values if full else None for each in (cache.keys, cache.values)])
    cache.reset()
    again = [cache.length]
    for more, worth in _parts(key, value, cuts)[:3]:
        again += [*cache.append(worth, more), cache.length]
    same = [cache.keys.data_ptr() == places[0], cache.values.data_ptr() == places[1]]
    about = [list(cache.keys.shape), cache.nbytes, cache.keys.requires_grad]
    return {**seen, "again": again, "same memory": same, "about": about}


def windows():
    return draw.build(
        _layer_case,
        heads=draw.choice(*HEADS[:4]),
        batch=draw.integers(1, 2),
        cuts=draw.choice([3, 1, 1, 1], [5, 3], [1, 1, 1, 1], [2, 4, 1], [7, 1], [1, 3, 3]),
        dtype=draw.choice("float64", "float32"),
        seed=draw.integers(0, 10**6),
        window=draw.choice(2, 3, 1, 4),
    )


def some_windows():
    return [
        _layer_case([1, 1, 2], 1, [1, 1, 1], "float32", 1, 2),
        _layer_case([2, 1, 4], 1, [3, 1], "float32", 2, 2),
        _layer_case([4, 2, 6], 2, [3, 2, 1, 1], "float64", 3, 3),
        _layer_case([6, 2, 4], 1, [1] * 7, "float32", 4, 3),
        _layer_case([3, 1, 4], 2, [6, 4, 1], "float64", 5, 4),
        _layer_case([4, 2, 2], 1, [2, 1], "float64", 6, 5),  # shorter than the window
        _layer_case([2, 1, 4], 1, [29, 8, 1, 1], "float64", 7, 19),
    ]


@check(points=2, cases=windows, examples=some_windows, draws=5, compare=Derived())
def layer_with_a_window(module, x, weights, heads, cuts, window):
    """CachedAttention with a window: prompts, chunks and tokens beyond the window"""
    layer = _layer(module, x, weights, heads, window)
    cache, other = layer.new_cache(len(x), x.shape[1]), layer.new_cache(len(x), x.shape[1])
    seen = {"cache": _about(cache, x), "dtype": cache.keys.new_zeros(0), "results": []}
    for chunk in x.split(cuts, dim=1):
        seen["results"].append(layer(chunk, cache))
        layer(chunk + 1, other)
        layer.train(not layer.training)  # it makes no difference
    seen["at once"] = layer(x, layer.new_cache(len(x), x.shape[1]))
    return seen


# --- rows of different length -----------------------------------------------------------------


def ragged_steps():
    return draw.build(
        _ragged,
        heads=draw.choice([2, 3], [1, 2], [3, 4]),
        steps=draw.lists(draw.lists(draw.integers(0, 4), 3, 3), 1, 4),
        max_len=draw.integers(4, 9),
        dtype=draw.choice("float32", "float64"),
        stored=draw.choice(None, "float32", "float16"),
        seed=draw.integers(0, 10**6),
    )


def _ragged(heads, steps, max_len, dtype="float32", stored=None, resets=None, seed=1, pad="nan"):
    """Return appends of counts[b] tokens for each row b; behind them stands what must not be stored."""
    num_heads, head_dim = heads
    appends = []
    for n, counts in enumerate(steps):
        shape = (len(counts), num_heads, max(1, *counts) + n % 2, head_dim)
        pair = [_padded(draw.values(seed + 2 * n + m, shape, dtype, "integers"), counts, 2, pad) for m in (0, 1)]
        appends.append({"key": pair[0], "value": pair[1], "counts": counts, "reset": (resets or {}).get(n)})
    return {"appends": appends, "max_len": max_len, "stored": stored}


def _padded(array, counts, axis, pad):
    """Return an array with another content behind the first counts[b] tokens of row b."""
    import numpy as np

    from grader.array import numbers

    changed = np.array(numbers(array))
    for row, count in enumerate(counts):
        changed[row][(slice(None),) * (axis - 1) + (slice(count, None),)] = float(pad)
    return draw.as_array(changed, array.dtype)


def some_ragged():
    return [
        _ragged([1, 2], [[2, 1]], 4),
        _ragged([1, 2], [[1, 3], [1, 1], [1, 1]], 6),
        _ragged([2, 3], [[3, 1, 2, 0], [1, 1, 1, 1], [0, 2, 1, 4]], 5),
        _ragged([2, 3], [[1, 4], [3, 1], [1, 1]], 4),  # no room in the second
        _ragged([3, 2], [[0, 0], [2, 0]], 3, "float64", "float32"),
        _ragged([2, 3], [[4, 2, 1], [1, 1, 1], [2, 1, 3], [1, 1, 1]], 6, resets={1: 0, 2: 1}, pad=99),
        _ragged([2, 1], [[5], [1]], 6, stored="float16"),
    ]


@check(points=2, cases=ragged_steps, examples=some_ragged, draws=6, compare=Exact())
def ragged_cache_appends_to_each_row(module, appends, max_len, stored):
    """RaggedCache: each row grows at its own end, padding is not stored; a full row, a new row"""
    batch, heads, _, head_dim = appends[0]["key"].shape
    cache = module.RaggedCache(batch, heads, head_dim, max_len, **_place(appends[0]["key"], stored))
    other = module.RaggedCache(batch, heads, head_dim, max_len, **_place(appends[0]["key"], stored))
    seen = [[cache.keys.clone(), cache.values.clone(), list(cache.lengths), cache.max_len]]
    places = [cache.keys.data_ptr(), cache.values.data_ptr()]
    for one in appends:
        if one["reset"] is not None:
            cache.reset(one["reset"])
            seen.append([cache.keys.clone(), cache.values.clone(), list(cache.lengths)])
        mine = _strided(one["key"]).clone().requires_grad_()
        try:
            keys, values = cache.append(mine * 1, one["value"].clone().requires_grad_(), one["counts"])
            returned = [keys.clone(), values.clone(), keys.requires_grad, values.requires_grad]
            other.append(one["value"], one["key"], one["counts"])
        except ValueError:
            returned = "ValueError"
        mine.detach().zero_()
        seen.append([returned, list(cache.lengths), cache.keys.clone(), cache.values.clone()])
    same = [cache.keys.data_ptr() == places[0], cache.values.data_ptr() == places[1]]
    graph = [cache.keys.requires_grad, cache.values.requires_grad]
    return {"seen": seen, "same memory": same, "in a graph": graph, "other": list(other.lengths)}


def ragged_layers():
    return draw.build(
        _ragged_layer,
        heads=draw.choice(*HEADS[:5]),
        steps=draw.choice(
            [[3, 1], [1, 1]], [[2, 4, 1], [1, 1, 1], [1, 1, 1]], [[1, 3], [2, 1]], [[1, 2, 4], [0, 1, 2], [3, 1, 1]]
        ),
        dtype=draw.choice("float64", "float32"),
        pad=draw.choice("nan", "1000", "1"),
        seed=draw.integers(0, 10**6),
    )


def _ragged_layer(heads, steps, dtype="float64", seed=1, pad="nan", resets=None):
    appends = []
    for n, counts in enumerate(steps):
        x = draw.values(seed + n, (len(counts), max(counts) + n % 2, heads[0] * heads[2]), dtype, "unit")
        appends.append({"x": _padded(x, counts, 1, pad), "counts": counts, "reset": (resets or {}).get(n)})
    return {"appends": appends, "weights": _weights(seed + 99, heads, dtype), "heads": heads}


def some_ragged_layers():
    return [
        _ragged_layer([1, 1, 2], [[2, 1]], "float32"),
        _ragged_layer([2, 1, 2], [[1, 3], [1, 1], [1, 1]], "float64", 3, "1000"),
        _ragged_layer([4, 2, 6], [[3, 1, 2], [1, 1, 1], [0, 2, 1]], "float64", 5),
        _ragged_layer([6, 3, 2], [[4, 2, 1], [1, 1, 1], [2, 3, 1]], "float32", 7, "1", {2: 0}),
        _ragged_layer([2, 1, 4], [[1, 19], [7, 3], [1, 1], [1, 2]], "float64", 9),  # positions that are far apart
    ]


@check(points=3, cases=ragged_layers, examples=some_ragged_layers, draws=5, compare=Derived())
def layer_takes_ragged_rows(module, appends, weights, heads):
    """CachedAttention: rows of different length, padded prompts, decoding, pauses, a new row"""
    x = appends[0]["x"]
    layer = _layer(module, x, weights, heads)
    longest = sum(max(one["counts"]) for one in appends)
    cache = module.RaggedCache(len(x), heads[1], heads[2], longest, x.dtype, x.device)
    seen = []
    for one in appends:
        if one["reset"] is not None:
            cache.reset(one["reset"])
        result = layer.forward_ragged(one["x"], cache, one["counts"])
        layer.train(not layer.training)  # it makes no difference
        seen.append([list(result.shape), *(row[:count] for row, count in zip(result, one["counts"], strict=True))])
    keys = [cache.keys[row, :, :length].clone() for row, length in enumerate(cache.lengths)]
    return {"results": seen, "lengths": list(cache.lengths), "keys": keys, "in a graph": cache.keys.requires_grad}


# --- pages ------------------------------------------------------------------------------------


# [sequence, tokens to append]; 0 tokens: the sequence is freed; None: it is gathered
PAGES = (
    ([1, 2], 2, 2, [[3, 1], [3, 0], [8, 2]]),  # a block is used again
    ([2, 1], 3, 2, [[0, 1], [1, 2], [0, 0], [1, 3], [1, 1]]),  # a table that does not ascend
    ([1, 2], 3, 2, [[5, 1]]),
    ([1, 2], 4, 2, [[5, 3], [5, 1], [5, 1]]),
    ([2, 3], 5, 2, [[0, 2], [1, 1], [0, 1], [1, 2], [0, 1]]),
    ([2, 3], 4, 3, [[0, 4], [1, 4], [2, 1], [0, 0], [2, 5], [1, 2], [1, 1]]),
    ([3, 2], 6, 2, [[7, 3], [-1, 5], [7, 2], [-1, 0], [3, 6], [7, 1], [3, 1], [3, 0], [9, 3], [7, 0], [8, 7]]),
    ([1, 4], 3, 4, [[2, None], [2, 0], [2, 13], [2, None], [2, 12], [2, 1], [2, 0], [2, None], [4, 5], [6, 3], [6, 2]]),
    ([2, 1], 7, 1, [[0, 2], [1, 2], [0, 1], [0, 0], [2, 4], [1, 1], [1, 1]]),
)


def _pages(shape, num_blocks, block_size, actions, dtype="float32", stored=None, seed=1):
    heads, head_dim = shape
    whole = (heads, sum(count or 0 for _, count in actions), head_dim)
    scale = "integers" if seed == 1 else "mixed"
    return {
        "key": draw.values(seed, whole, dtype, scale),
        "value": draw.values(seed + 1, whole, dtype, scale),
        "num_blocks": num_blocks,
        "block_size": block_size,
        "actions": actions,
        "stored": stored,
    }


def pages():
    return draw.build(
        _pages,
        shape=draw.sizes(2, 1, 4),
        num_blocks=draw.integers(2, 7),
        block_size=draw.choice(2, 3, 1, 4),
        actions=draw.lists(
            draw.build(lambda sequence, count: [sequence, count], sequence=draw.integers(0, 3), count=counts()), 1, 9
        ),
        dtype=draw.choice("float32", "float64"),
        stored=draw.choice(None, "float32", "float16"),
        seed=draw.integers(0, 10**6),
    )


def counts():
    return draw.choice(1, 2, 3, 0, 4, 5, 1, 2)


@check(points=3, cases=pages, examples=lambda: [_pages(*case) for case in PAGES], draws=7, compare=Exact())
def paged_cache_hands_out_blocks(module, key, value, num_blocks, block_size, actions, stored):
    """PagedCache: tables, partly filled blocks, blocks used again, too few blocks, unknown sequences"""
    heads, _, head_dim = key.shape
    cache = module.PagedCache(num_blocks, block_size, heads, head_dim, **_place(key, stored))
    other = module.PagedCache(num_blocks, block_size, heads, head_dim, **_place(key, stored))
    seen = [[cache.key_blocks.clone(), cache.value_blocks.clone(), dict(cache.tables), cache.num_free]]
    places, used = [cache.key_blocks.data_ptr(), cache.value_blocks.data_ptr()], 0
    for sequence, count in actions:
        outcome = None
        try:
            if count is None:
                cache.gather(sequence)
            elif count == 0:
                cache.free(sequence)
            else:
                more = _strided(key[:, used : used + count]).clone().requires_grad_()
                used += count
                worth = value[:, used - count : used].clone().requires_grad_()
                outcome = cache.append(sequence, more * 1, worth * 1)
                more.detach().zero_()
        except (KeyError, ValueError) as error:
            outcome = type(error).__name__
        tables = {name: list(table) for name, table in cache.tables.items()}
        state = [outcome, tables, dict(cache.lengths), cache.num_free]
        # the gathered tensors are sent at the end: what happens later must not change them
        seen.append([*state, {name: cache.gather(name) for name in tables}, _read_pages(cache, block_size)])
    same = [cache.key_blocks.data_ptr() == places[0], cache.value_blocks.data_ptr() == places[1]]
    graph = [cache.key_blocks.requires_grad, cache.value_blocks.requires_grad]
    return {"seen": seen, "same memory": same, "in a graph": graph, "other": [other.num_free, dict(other.tables)]}


def _read_pages(cache, block_size):
    """Return the keys of each sequence as its table says where they are."""
    return {
        name: [cache.key_blocks[table[p // block_size], :, p % block_size].clone() for p in range(cache.lengths[name])]
        for name, table in cache.tables.items()
    }


# --- generation -------------------------------------------------------------------------------


def prompts():
    return draw.build(
        _prompt,
        vocabulary=draw.integers(3, 9),
        tokens=draw.lists(draw.lists(draw.integers(0, 2), 4, 4), 1, 3),
        steps=draw.integers(0, 6),
        seed=draw.integers(0, 10**6),
    )


def _prompt(vocabulary, tokens, steps, seed=1):
    import numpy as np

    table = np.random.default_rng(seed).integers(-3, 4, (7 * vocabulary, vocabulary)).astype(float)  # with ties
    return {"table": draw.as_array(table, "float32"), "tokens": tokens, "steps": steps}


def some_prompts():
    return [
        _prompt(3, [[1]], 1),
        _prompt(4, [[2, 0, 1]], 0),
        _prompt(4, [[2, 0, 1]], 3),
        _prompt(5, [[0, 3, 1, 4], [4, 4, 2, 0]], 5, 3),
        _prompt(8, [[7, 1, 6, 2, 5]], 7, 4),
    ]


class _Counter:
    """A model whose logits depend on every token that its cache has seen, and on the order of them."""

    def __init__(self, table):
        self.table = table
        self.calls = []

    def new_cache(self, batch, max_len):
        self.calls.append(f"new cache for {batch}")
        return {"state": None, "room": max_len}

    def __call__(self, tokens, cache):
        import torch

        self.calls.append(tokens.tolist())
        cache["room"] -= tokens.shape[1]
        if cache["room"] < 0:
            raise ValueError("the cache is full")
        logits = []
        for token in tokens.unbind(1):
            before = torch.zeros_like(token) if cache["state"] is None else cache["state"]
            cache["state"] = (5 * before + token + 1) % len(self.table)
            logits.append(self.table[cache["state"]])
        return torch.stack(logits, dim=1)


@check(points=2, cases=prompts, examples=some_prompts, draws=5, compare=Exact())
def generate_feeds_each_token_once(module, table, tokens, steps):
    """generate: the tokens, and what the model is called with"""
    import torch

    model = _Counter(table)
    prompt = torch.tensor(tokens, device=table.device)
    first = module.generate(model, prompt, steps)
    second = module.generate(model, prompt.flip(1), steps)
    third = module.generate(model, prompt, steps)
    first_kept = first.clone()
    second.zero_()
    return {"results": [first, third, first_kept], "prompt": prompt, "calls": model.calls}


def _decoder_case(batch, prompt, steps, seed, dtype="float64"):
    heads = [[4, 2, 4], [2, 1, 8]]
    return {
        "embedding": draw.values(seed, (11, 16), dtype, "unit"),
        "weights": [_weights(seed + 1, heads[0], dtype), _weights(seed + 2, heads[1], dtype)],
        "heads": heads,
        "batch": batch,
        "prompt": prompt,
        "steps": steps,
    }


def decoders():
    return draw.build(
        _decoder_case,
        batch=draw.integers(1, 3),
        prompt=draw.integers(1, 4),
        steps=draw.integers(2, 5),
        seed=draw.integers(0, 10**6),
    )


class _Decoder:
    """Two layers of cached attention, the second with a window, between an embedding and its transpose."""

    def __init__(self, module, embedding, weights, heads):
        self.embedding = embedding
        pairs = zip(weights, heads, (None, 3), strict=True)
        self.layers = [_layer(module, embedding, weight, head, window) for weight, head, window in pairs]

    def new_cache(self, batch, max_len):
        return [layer.new_cache(batch, max_len) for layer in self.layers]

    def __call__(self, tokens, cache):
        x = self.embedding[tokens]
        for layer, own in zip(self.layers, cache, strict=True):
            x = x + layer(x, own)
        return x @ self.embedding.mT


@check(
    points=1,
    cases=decoders,
    examples=lambda: [_decoder_case(1, 1, 2, 1), _decoder_case(2, 3, 6, 2)],
    draws=3,
    compare=Exact(),
)
def decoder_generates_for_two_prompts(module, embedding, weights, heads, batch, prompt, steps):
    """everything together: a decoder of two layers continues two prompts, one after the other"""
    import torch

    model = _Decoder(module, embedding, weights, heads)
    tokens = torch.arange(batch * prompt, device=embedding.device).reshape(batch, prompt) * 3 % len(embedding)
    texts = [tokens, (tokens + 5) % len(embedding), tokens]
    return [module.generate(model, text, steps) for text in texts]


COSTS_OF_WORK = ("one step", "all steps", "one step of a window", "one ragged step")


@check(
    points=1,
    examples=lambda: [{"what": what} for what in COSTS_OF_WORK],
    compare=Growth(2.6, "twice the tokens are at most about twice the work: nothing old is computed again"),
)
def work_of_decoding_grows_linearly(module, what):
    """CachedAttention: the work of one step, and of all steps, as the sequence grows"""
    run = {
        "one step": (_one_step, 32, 64),
        "all steps": (_all_steps, 6, 12),
        "one step of a window": (_window_step, 16, 120),
        "one ragged step": (_ragged_step, 32, 64),
    }
    function, small, large = run[what]
    return {"small": function(module, small), "large": function(module, large)}


def _one_step(module, length):
    """Return the work of one step behind so many tokens."""
    import torch

    layer = module.CachedAttention(8, 4, 2)
    cache = layer.new_cache(1, length + 1)
    layer(torch.ones(1, length, 8), cache)
    return cost.tensors(lambda: layer(torch.ones(1, 1, 8), cache))["flops"]


def _window_step(module, length):
    """Return the work of one step of a layer with a window behind so many tokens."""
    import torch

    layer = module.CachedAttention(8, 4, 2, window=6)
    cache = layer.new_cache(1, length + 1)
    layer(torch.ones(1, length, 8), cache)
    return cost.tensors(lambda: layer(torch.ones(1, 1, 8), cache))["flops"]


def _ragged_step(module, length):
    """Return the work of one step of two rows, one of them short."""
    import torch

    layer = module.CachedAttention(8, 4, 2)
    cache = module.RaggedCache(2, 2, 2, length + 1)
    layer.forward_ragged(torch.ones(2, length, 8), cache, [length, 2])
    return cost.tensors(lambda: layer.forward_ragged(torch.ones(2, 1, 8), cache, [1, 1]))["flops"]


def _all_steps(module, length):
    """Return the work of so many steps of a layer that is mostly projections."""
    import torch

    layer = module.CachedAttention(96, 4, 2)
    cache = layer.new_cache(1, length)

    def decode():
        for _ in range(length):
            layer(torch.ones(1, 1, 96), cache)

    return cost.tensors(decode)["flops"]


# --- devices ----------------------------------------------------------------------------------


@check(
    points=1,
    examples=lambda: [_decoder_case(2, 3, 1, 1, "float32"), _decoder_case(3, 5, 2, 1, "float16")],
    compare=Derived(),
    device="portable",
)
def everything_stays_on_its_device(module, embedding, weights, heads, batch, prompt, steps):
    """every cache, layer and function: nothing is made on the wrong device"""
    import torch

    model = _Decoder(module, embedding, weights, heads)
    layer, windowed = model.layers
    x = embedding[: batch * prompt].reshape(batch, prompt, -1) if batch * prompt <= 11 else embedding[None, :, :]
    batch, length = x.shape[:2]
    where = {"dtype": x.dtype, "device": x.device}
    ragged = module.RaggedCache(batch, 2, 4, length + 2, **where)
    paged = module.PagedCache(7, 4, 2, 4, **where)
    paged.append(3, x[0, :, :8].unflatten(1, (2, 4)).transpose(0, 1), x[0, :, 8:].unflatten(1, (2, 4)).transpose(0, 1))
    cache, narrow = layer.new_cache(batch, length + 1), windowed.new_cache(batch, length + 1)
    return {
        "mask": module.causal_mask(3, 5, 2, device=x.device),
        "paged": paged.gather(3),
        "prefill": layer(x, cache),
        "decoded": layer(x[:, :1], cache),
        "window": [windowed(x, narrow), windowed(x[:, :1], narrow)],
        "caches": [cache.keys.new_zeros(1), narrow.values.new_zeros(1), ragged.keys.new_zeros(1)],
        "ragged": [
            layer.forward_ragged(x, ragged, [length - n % 2 for n in range(batch)]),
            layer.forward_ragged(x[:, :1], ragged, [1] * batch),
        ],
        "generated": module.generate(model, torch.zeros(batch, 2, dtype=torch.int64, device=x.device), steps),
    }
