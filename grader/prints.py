"""Fingerprints of answers: enough to see that two are the same, too little to read either."""

import math
from collections.abc import Callable
from typing import Any

from grader.array import numbers
from grader.case import Array
from grader.wire import digest

STEPS = 256.0  # between a number and its double: two that differ by less than 0.1 % are mostly the same
TINY = 1e-6  # of the largest number of an array: what is smaller is rounding noise around zero
# where each of the two grids begins: what lies on a border of one lies in the middle of a step of the other
GRIDS = (0.0, 0.5)
FLOATS = ("float", "bfloat", "complex")


def prints(value: Any) -> tuple[str, ...]:
    """Return the fingerprints of a value, one for each grid; two values are taken for the same if one agrees.

    Args:
        value: as it comes out of the wire: numbers, texts, collections, `Array`.
    """
    return tuple(digest(_rounded(value, start)) for start in GRIDS)


def _rounded(value: Any, start: float) -> Any:
    """Return a value with its floats replaced by the numbers of their steps."""
    if isinstance(value, Array):
        return _steps(value, start)
    if isinstance(value, float):
        return ["float", _step(value, start)]
    if isinstance(value, (list, tuple, set, frozenset)):
        make: Callable[[Any], Any] = list if isinstance(value, (list, tuple)) else sorted
        kind = "list" if isinstance(value, (list, tuple)) else "set"
        return [kind, make(_key(_rounded(item, start), kind) for item in value)]
    if isinstance(value, dict):
        return ["dict", [[_rounded(key, start), _rounded(item, start)] for key, item in value.items()]]
    return value


def _key(value: Any, kind: str) -> Any:
    """Return what items of a set are sorted by: they may be of any kinds."""
    return value if kind == "list" else digest(value)


def _step(value: float, start: float) -> Any:
    if value == 0 or not math.isfinite(value):
        return repr(value + 0.0 if value else 0.0)
    return [value > 0, math.floor(math.log2(abs(value)) * STEPS + start)]


def _steps(array: Array, start: float) -> Any:
    """Return an array as the numbers of its steps."""
    head = [array.dtype, list(array.shape)]
    if not array.dtype.startswith(FLOATS) or not array.data:
        return [*head, array.data]
    import numpy as np

    wide = numbers(array)
    parts = wide.astype("complex128").view("float64") if array.dtype.startswith("complex") else wide.astype("float64")
    size = np.abs(parts)
    finite = np.isfinite(parts)
    least = TINY * size[finite].max(initial=0.0)
    plain = finite & (size > least)
    found = np.zeros(parts.shape, "int64")
    found[plain] = np.floor(np.log2(size[plain]) * STEPS + start).astype("int64") * 4 + 1 + (parts[plain] > 0)
    found[np.isnan(parts)] = np.iinfo("int64").max
    found[np.isposinf(parts)], found[np.isneginf(parts)] = np.iinfo("int64").max - 1, np.iinfo("int64").min
    return [*head, found.tobytes()]
