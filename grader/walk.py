"""Walks two values at once and finds the first place where they differ.

Kind comes first, then dtype and shape, then NaN and Inf, then values. Nothing broadcasts, nothing is
cast to fit. Lists and tuples are both sequences: which of the two a function returns is not what these
exercises are about.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grader.array import numbers
from grader.case import Array, Measured
from grader.show import show


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where an answer is wrong.

    Attributes:
        place: of the wrong value, as one would write it in Python: "[2]['ab']", "" at the top.
        got, expected, allowed: as text; allowed is "" where nothing but the same will do.
        note: a sentence that says more.
        ratio: error in units of the tolerance (> 1), infinite where there is no distance.
    """

    place: str
    got: str
    expected: str
    allowed: str = ""
    note: str = ""
    ratio: float = math.inf


# A leaf is compared by a function (place, expected, got) -> Difference | None.
Leaf = Callable[[str, Any, Any], Difference | None]


# --- walking two values at once ---------------------------------------------------------------


def walk(expected: Any, got: Any, leaf: Leaf, place: str = "", ordered: bool = False) -> Difference | None:
    """Return the first difference of two values, comparing their leaves with `leaf`."""
    if isinstance(expected, (list, tuple)):
        return _sequence(expected, got, leaf, place, ordered)
    if isinstance(expected, dict):
        return _dict(expected, got, leaf, place, ordered)
    if isinstance(expected, (set, frozenset)):
        if not isinstance(got, (set, frozenset)):
            return _kind(place, expected, got)
        return same_items(place, list(expected), list(got))
    return leaf(place, expected, got)


def _sequence(expected: Any, got: Any, leaf: Leaf, place: str, ordered: bool) -> Difference | None:
    if not isinstance(got, (list, tuple)):
        return _kind(place, expected, got)
    for n, (want, have) in enumerate(zip(expected, got, strict=False)):
        wrong = walk(want, have, leaf, f"{place}[{n}]", ordered)
        if wrong:
            return wrong
    if len(got) == len(expected):
        return None
    short = min(len(got), len(expected))
    return Difference(
        f"{place}[{short}]",
        show(got[short]) if len(got) > short else "nothing: the list ends here",
        show(expected[short]) if len(expected) > short else "nothing: the list should end here",
        note=f"{len(got)} items instead of {len(expected)}",
    )


def _dict(expected: dict[Any, Any], got: Any, leaf: Leaf, place: str, ordered: bool) -> Difference | None:
    if not isinstance(got, dict):
        return _kind(place, expected, got)
    # True and 1 are the same key to Python, but not the same answer
    found = {(type(key), _mark(key)): (key, item) for key, item in got.items()}
    for key, want in expected.items():
        inside = f"{place}[{show(key)}]"
        if (type(key), _mark(key)) not in found:
            return Difference(inside, "no such key", show(want))
        wrong = walk(want, found.pop((type(key), _mark(key)))[1], leaf, inside, ordered)
        if wrong:
            return wrong
    for key, item in found.values():
        return Difference(f"{place}[{show(key)}]", show(item), "no such key")
    if ordered:
        for n, (want, have) in enumerate(zip(expected, got, strict=True)):
            if want != have:
                note = "the keys are in another order"
                return Difference(place, f"key {show(have)} at place {n}", f"key {show(want)}", note=note)
    return None


def same_items(place: str, expected: list[Any], got: list[Any]) -> Difference | None:
    """Return the first item that only one of two collections has, or that is there twice."""
    wanted, seen = {_mark(item) for item in expected}, set()
    for item in got:
        mark = _mark(item)
        if type(item) is int and mark not in wanted:
            mark = ("float", item)  # 1 will do where 1.0 is expected
        if mark not in wanted:
            return Difference(place, f"{show(item)} is among the items", "no such item")
        if mark in seen:
            return Difference(place, f"{show(item)} is there more than once", "each item once")
        seen.add(mark)
    for item in expected:
        if _mark(item) not in seen:
            return Difference(place, "no such item", f"{show(item)} is among the items")
    return None


def _mark(value: Any) -> Any:
    """Return something hashable that two values share if they are the same, kinds included."""
    if isinstance(value, (list, tuple)):
        return ("sequence", *map(_mark, value))
    if isinstance(value, (set, frozenset)):
        return ("set", frozenset(map(_mark, value)))
    if isinstance(value, dict):
        return ("dict", frozenset((_mark(key), _mark(item)) for key, item in value.items()))
    if isinstance(value, float) and value != value:  # noqa: PLR0124  NaN is NaN here
        return "nan"
    return (type(value).__name__, value)


def kind_of(value: Any) -> str:
    """Return what a value is, with its article: "a list", "a torch tensor"."""
    if isinstance(value, Measured):
        value = value.value
    if isinstance(value, Array):
        kinds = {"torch": "a torch tensor", "numpy": "a numpy array", "meta": "a tensor on the meta device"}
        return kinds[value.library]
    name = "None" if value is None else type(value).__name__
    return name if value is None else f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _kind(place: str, expected: Any, got: Any) -> Difference:
    return Difference(place, show(got), show(expected), note=f"it is {kind_of(got)} and should be {kind_of(expected)}")


# --- leaves -----------------------------------------------------------------------------------


def type_leaf(place: str, expected: Any, got: Any) -> Difference | None:
    """Compare the types of two leaves only."""
    return None if type(got) is type(expected) else _kind(place, expected, got)


def close_leaf(rtol: float, atol: float) -> Leaf:
    """Return a comparison of leaves: floats within atol + rtol * |expected|, anything else exact."""

    def leaf(place: str, expected: Any, got: Any) -> Difference | None:
        if isinstance(expected, Measured):
            expected = expected.value
        if isinstance(expected, Array):
            return _array(place, expected, got, rtol, atol)
        if isinstance(expected, float):
            return _float(place, expected, got, rtol, atol)
        if type(got) is not type(expected):
            return _kind(place, expected, got)
        if got == expected or (got != got and expected != expected):  # noqa: PLR0124  a complex NaN
            return None
        return Difference(place, show(got), show(expected), note=_text_note(expected, got))

    return leaf


def _text_note(expected: Any, got: Any) -> str:
    if not isinstance(expected, str):
        return ""
    pairs = enumerate(zip(expected, got, strict=False))
    same = next((n for n, (a, b) in pairs if a != b), min(len(expected), len(got)))
    return f"the texts part at character {same}" if same else ""


def _float(place: str, expected: float, got: Any, rtol: float, atol: float) -> Difference | None:
    if isinstance(got, bool) or not isinstance(got, (int, float)):
        return _kind(place, expected, got)
    if got == expected or (math.isnan(expected) and got != got):  # noqa: PLR0124  an int may be too large for isnan
        return None
    allowed = atol + rtol * abs(expected)
    try:
        error = abs(got - expected)
    except OverflowError:
        error = math.inf
    # nothing is near to infinity or to NaN
    if math.isfinite(expected) and error <= allowed:
        return None
    ratio = error / allowed if allowed and math.isfinite(error) and math.isfinite(allowed) else math.inf
    note = f"{allowed:.2g}" if allowed and math.isfinite(allowed) else ""
    return Difference(place, show(got), show(expected), note, ratio=ratio)


def _array(place: str, expected: Array, got: Any, rtol: float, atol: float) -> Difference | None:
    import numpy as np

    wrong = form(place, expected, got)
    if wrong or got.library == "meta":
        return wrong
    want, have = wide(expected), wide(got)
    with np.errstate(invalid="ignore"):
        allowed = atol + rtol * np.abs(want) if want.dtype.kind in "fc" else np.zeros(want.shape)
    return value_difference(place, want, have, np.where(np.isfinite(allowed), allowed, 0.0))


def form(place: str, expected: Array, got: Any) -> Difference | None:
    """Compare kind, dtype and shape."""
    if not isinstance(got, Array) or got.library != expected.library:
        return _kind(place, expected, got)
    if got.dtype != expected.dtype:
        return Difference(place, f"dtype {got.dtype}", f"dtype {expected.dtype}")
    if got.shape != expected.shape:
        return Difference(place, f"shape {got.shape}", f"shape {expected.shape}")
    return None


def value_difference(place: str, want: Any, have: Any, allowed: Any) -> Difference | None:
    """Compare arrays of the same shape: NaN and Inf first, then each value with its tolerance."""
    import numpy as np

    ratio = ratio_of(want, have, allowed)
    wrong = ~(ratio <= 1.0)
    if not wrong.any():
        return None
    first = tuple(int(n) for n in np.argwhere(wrong)[0])
    note = f"{int(wrong.sum())} of {wrong.size} values differ"
    if np.isnan(have).any() and not np.isnan(want).any():
        note += ", NaN among them"
    return Difference(
        place + (f"[{', '.join(map(str, first))}]" if first else ""),
        f"{have[first].item():.9g}" if want.dtype.kind == "f" else str(have[first].item()),
        f"{want[first].item():.9g}" if want.dtype.kind == "f" else str(want[first].item()),
        f"{allowed[first].item():.2g}" if allowed[first] else "",
        note,
        ratio=float(ratio.max()),
    )


def ratio_of(want: Any, have: Any, allowed: Any) -> Any:
    """Return the error of each value in units of its tolerance; infinite where there is no distance."""
    import numpy as np

    with np.errstate(all="ignore"):
        error = np.abs(have - want) if want.dtype.kind in "fc" else (have != want).astype(float)
        same = (have == want) | (np.isnan(have) & np.isnan(want))
        return np.where(same, 0.0, np.where(np.isfinite(error) & (allowed > 0), error / allowed, np.inf))


def wide(array: Array) -> Any:
    """Return an array's values in a numpy dtype that can be computed with."""
    import numpy as np

    values = numbers(array)
    if array.dtype in ("float16", "bfloat16", "float32") or array.dtype.startswith("float8"):
        return values.astype(np.float64)
    return values
