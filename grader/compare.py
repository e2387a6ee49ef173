"""How an answer is judged: kind, then dtype and shape, then NaN and Inf, then values.

A `Compare` looks at the oracle's value and at the student's and returns None or the first
`Difference`. Nothing broadcasts, nothing is cast to fit. Lists and tuples are both sequences: which
of the two a function returns is not what these exercises are about.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from grader.case import Answer, Array, Measured
from grader.show import show
from grader.wire import numbers


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


class Compare(Protocol):
    """Judges one answer."""

    @property
    def measured(self) -> bool:
        """Whether the oracle has to measure rounding noise for this comparison (see `Measured`)."""
        ...

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference, None if there is none.

        Args:
            inputs: of the case.
            expected: the oracle's answer, of kind "value".
            got: the student's value, arrays as `Array`.
        """
        ...


# A leaf is compared by a function (place, expected, got) -> Difference | None.
Leaf = Callable[[str, Any, Any], Difference | None]


@dataclass(frozen=True, slots=True)
class Exact:
    """The same values, types and structure. -0.0 equals 0.0, NaN equals NaN.

    `ordered` asks that dicts have their keys in the same order.
    """

    ordered: bool = False
    measured: bool = field(default=False, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `Compare`."""
        return walk(expected.value, got, _close_leaf(0.0, 0.0), ordered=self.ordered)


@dataclass(frozen=True, slots=True)
class Close:
    """Floats within atol + rtol * |expected|, elementwise; everything else exact."""

    rtol: float = 0.0
    atol: float = 0.0
    measured: bool = field(default=False, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `Compare`."""
        return walk(expected.value, got, _close_leaf(self.rtol, self.atol))


@dataclass(frozen=True, slots=True)
class Derived:
    """Floats within a tolerance derived from the dtype under test and the case.

    allowed = slack * (u * |exact| + sqrt(n) * noise + tiny), elementwise. u is the unit roundoff of
    the dtype under test and tiny its smallest number. noise is the largest error that the reference
    itself makes in that dtype on the case and on its neighbours (oracle.py). Rounding errors add up
    over a reduction: independent ones like their root mean square, which the noise has, in the
    worst case linearly, which is at most sqrt(n) more (Cauchy-Schwarz); n is the largest dimension
    of a tensor of the case.
    """

    slack: float = 4.0
    measured: bool = field(default=True, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `Compare`."""
        growth = math.sqrt(_reduction(inputs))

        def leaf(place: str, want: Any, have: Any) -> Difference | None:
            if isinstance(want, Measured) and isinstance(have, Array):
                return self._measured(place, want, have, growth)
            if isinstance(want, float):  # a number of Python: a few roundings of float64
                return _close_leaf(8 * _unit("float64"), 0.0)(place, want, have)
            return _close_leaf(0.0, 0.0)(place, want, have)

        return walk(expected.value, got, leaf)

    def errors(self, inputs: Mapping[str, Any], expected: Any, got: Any) -> Iterator[float]:
        """Yield the largest error of each tensor in units of its tolerance."""
        if isinstance(expected, Measured) and isinstance(got, Array):
            exact, allowed = self._allowed(expected, math.sqrt(_reduction(inputs)))
            yield float(_ratio(exact, _wide(got), allowed).max(initial=0.0))
        elif isinstance(expected, (list, tuple)):
            for want, have in zip(expected, got, strict=True):
                yield from self.errors(inputs, want, have)
        elif isinstance(expected, dict):
            for key, want in expected.items():
                yield from self.errors(inputs, want, got[key])

    def _measured(self, place: str, want: Measured, have: Array, growth: float) -> Difference | None:
        wrong = _form(place, want.value, have)
        if wrong or have.library == "meta":
            return wrong
        exact, allowed = self._allowed(want, growth)
        return _values(place, exact, _wide(have), allowed)

    def _allowed(self, want: Measured, growth: float) -> tuple[Any, Any]:
        """Return the exact values and the tolerance of each."""
        import numpy as np

        exact, noise = numbers(want.exact), numbers(want.noise)
        unit, tiny = _unit(want.value.dtype), _tiny(want.value.dtype)
        allowed = self.slack * (unit * np.abs(exact) + growth * noise + tiny)
        return exact, np.where(np.isfinite(allowed), allowed, 0.0)


@dataclass(frozen=True, slots=True)
class Sets:
    """The same items, whatever their order; no item more than once."""

    measured: bool = field(default=False, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `Compare`."""
        if not isinstance(got, (list, tuple, set)):
            return Difference("", show(got), f"a list of {len(expected.value)} items", note=f"it is {kind_of(got)}")
        return _same_items("", list(expected.value), list(got))


@dataclass(frozen=True, slots=True)
class Growth:
    """Counts whose growth must stay below a limit.

    The value is {"small": count, "large": count}: the steps taken for a small and for a large input.

    Attributes:
        limit: largest allowed large / small.
        why: completes "the work grows ... times: ".
    """

    limit: float
    why: str
    measured: bool = field(default=False, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `Compare`."""
        wrong = walk({"small": 0, "large": 0}, got, _type_leaf)
        if wrong:
            return wrong
        small, large = got["small"], got["large"]
        if small < 1:
            return Difference("", f"{small} steps", "at least 1", note="the counter was switched off")
        if large <= self.limit * small:
            return None
        return Difference(
            "",
            f"{large / small:.1f} times the steps ({small:,} and {large:,})",
            f"about {expected.value['large'] / max(1, expected.value['small']):.1f} times",
            f"at most {self.limit:g} times",
            self.why,
            ratio=large / small / self.limit,
        )


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
        return _same_items(place, list(expected), list(got))
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
    for key, want in expected.items():
        if key not in got:
            return Difference(f"{place}[{key!r}]", "no such key", show(want))
        wrong = walk(want, got[key], leaf, f"{place}[{key!r}]", ordered)
        if wrong:
            return wrong
    for key in got:
        if key not in expected:
            return Difference(f"{place}[{key!r}]", show(got[key]), "no such key")
    if ordered:
        for n, (want, have) in enumerate(zip(expected, got, strict=True)):
            if want != have:
                note = "the keys are in another order"
                return Difference(place, f"key {have!r} at place {n}", f"key {want!r}", note=note)
    return None


def _same_items(place: str, expected: list[Any], got: list[Any]) -> Difference | None:
    def mark(item: Any) -> str:
        return json.dumps(item, sort_keys=True, default=repr)

    wanted, seen = {mark(item) for item in expected}, set()
    for item in got:
        if mark(item) not in wanted:
            return Difference(place, f"{show(item)} is among the items", "no such item")
        if mark(item) in seen:
            return Difference(place, f"{show(item)} is there more than once", "each item once")
        seen.add(mark(item))
    for item in expected:
        if mark(item) not in seen:
            return Difference(place, "no such item", f"{show(item)} is among the items")
    return None


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


def _type_leaf(place: str, expected: Any, got: Any) -> Difference | None:
    return None if type(got) is type(expected) else _kind(place, expected, got)


def _close_leaf(rtol: float, atol: float) -> Leaf:
    def leaf(place: str, expected: Any, got: Any) -> Difference | None:
        if isinstance(expected, Measured):
            expected = expected.value
        if isinstance(expected, Array):
            return _array(place, expected, got, rtol, atol)
        if isinstance(expected, float):
            return _float(place, expected, got, rtol, atol)
        if type(got) is not type(expected):
            return _kind(place, expected, got)
        if got == expected:
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
    if got == expected or (math.isnan(expected) and math.isnan(got)):
        return None
    allowed = atol + rtol * abs(expected)
    error = abs(got - expected)
    if error <= allowed:
        return None
    ratio = error / allowed if allowed and math.isfinite(error) else math.inf
    return Difference(place, repr(got), repr(expected), f"{allowed:.2g}" if allowed else "", ratio=ratio)


def _array(place: str, expected: Array, got: Any, rtol: float, atol: float) -> Difference | None:
    import numpy as np

    wrong = _form(place, expected, got)
    if wrong or got.library == "meta":
        return wrong
    want, have = _wide(expected), _wide(got)
    with np.errstate(invalid="ignore"):
        allowed = atol + rtol * np.abs(want) if want.dtype.kind in "fc" else np.zeros(want.shape)
    return _values(place, want, have, np.where(np.isfinite(allowed), allowed, 0.0))


def _form(place: str, expected: Array, got: Any) -> Difference | None:
    """Compare kind, dtype and shape."""
    if not isinstance(got, Array) or got.library != expected.library:
        return _kind(place, expected, got)
    if got.dtype != expected.dtype:
        return Difference(place, f"dtype {got.dtype}", f"dtype {expected.dtype}")
    if got.shape != expected.shape:
        return Difference(place, f"shape {got.shape}", f"shape {expected.shape}")
    return None


def _values(place: str, want: Any, have: Any, allowed: Any) -> Difference | None:
    """Compare arrays of the same shape: NaN and Inf first, then each value with its tolerance."""
    import numpy as np

    ratio = _ratio(want, have, allowed)
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


def _ratio(want: Any, have: Any, allowed: Any) -> Any:
    """Return the error of each value in units of its tolerance; infinite where there is no distance."""
    import numpy as np

    with np.errstate(all="ignore"):
        error = np.abs(have - want) if want.dtype.kind in "fc" else (have != want).astype(float)
        same = (have == want) | (np.isnan(have) & np.isnan(want))
        return np.where(same, 0.0, np.where(np.isfinite(error) & (allowed > 0), error / allowed, np.inf))


def _wide(array: Array) -> Any:
    """Return an array's values in a numpy dtype that can be computed with."""
    import numpy as np

    values = numbers(array)
    if array.dtype in ("float16", "bfloat16", "float32") or array.dtype.startswith("float8"):
        return values.astype(np.float64)
    return values


def _unit(dtype: str) -> float:
    """Return the unit roundoff of a float dtype: half the distance from 1 to the next number."""
    bits = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53, "complex64": 24, "complex128": 53}
    return float(2.0 ** -bits.get(dtype, 53))


def _tiny(dtype: str) -> float:
    """Return the smallest positive number of a float dtype."""
    exponent = {"float16": -24, "bfloat16": -133, "float32": -149}
    return float(2.0 ** exponent.get(dtype, -1074))


def _reduction(inputs: Mapping[str, Any]) -> int:
    """Return the largest dimension of a tensor among the inputs."""
    largest = 1
    for value in inputs.values():
        if isinstance(value, Array):
            largest = max([largest, *value.shape])
    return largest
