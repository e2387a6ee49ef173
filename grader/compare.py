"""How an answer is judged: exactly, with a tolerance, as a set, by its growth.

A `Compare` looks at the oracle's value and at the student's and returns None or the first
`Difference`; walk.py says in which order things are compared.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from grader.array import numbers
from grader.case import Answer, Array, Measured
from grader.show import show
from grader.walk import (
    Difference,
    close_leaf,
    form,
    kind_of,
    ratio_of,
    same_items,
    type_leaf,
    value_difference,
    walk,
    wide,
)


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


@dataclass(frozen=True, slots=True)
class Exact:
    """The same values, types and structure. -0.0 equals 0.0, NaN equals NaN.

    `ordered` asks that dicts have their keys in the same order.
    """

    ordered: bool = False
    measured: bool = field(default=False, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `Compare`."""
        return walk(expected.value, got, close_leaf(0.0, 0.0), ordered=self.ordered)


@dataclass(frozen=True, slots=True)
class Close:
    """Floats within atol + rtol * |expected|, elementwise; everything else exact."""

    rtol: float = 0.0
    atol: float = 0.0
    measured: bool = field(default=False, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `Compare`."""
        return walk(expected.value, got, close_leaf(self.rtol, self.atol))


@dataclass(frozen=True, slots=True)
class Derived:
    """Floats within a tolerance derived from the dtype under test and the case.

    allowed = slack * (u * |exact| + sqrt(n) * noise + tiny), elementwise. u is the unit roundoff of
    the dtype under test and tiny its smallest number. noise is the largest error that the reference
    itself makes in that dtype on the case and on its neighbours (oracle.py). Rounding errors add up
    over a reduction: independent ones like their root mean square, which the noise has, in the
    worst case linearly, which is at most sqrt(n) more (Cauchy-Schwarz); n is the largest dimension
    of a tensor of the case.

    `fixed` names inputs that are not moved for the noise, because the task asks that nothing of them
    is lost: x in half precision, whose statistics are to be computed in float32.
    """

    slack: float = 4.0
    fixed: tuple[str, ...] = ()
    measured: bool = field(default=True, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `Compare`."""
        growth = math.sqrt(_reduction(inputs))

        def leaf(place: str, want: Any, have: Any) -> Difference | None:
            if isinstance(want, Measured) and isinstance(have, Array):
                return self._measured(place, want, have, growth)
            if isinstance(want, float):  # a number of Python: a few roundings of float64
                return close_leaf(8 * _unit("float64"), 0.0)(place, want, have)
            return close_leaf(0.0, 0.0)(place, want, have)

        return walk(expected.value, got, leaf)

    def errors(self, inputs: Mapping[str, Any], expected: Any, got: Any) -> Iterator[float]:
        """Yield the largest error of each tensor in units of its tolerance."""
        if isinstance(expected, Measured) and isinstance(got, Array):
            exact, allowed = self._allowed(expected, math.sqrt(_reduction(inputs)))
            yield float(ratio_of(exact, wide(got), allowed).max(initial=0.0))
        elif isinstance(expected, (list, tuple)):
            for want, have in zip(expected, got, strict=True):
                yield from self.errors(inputs, want, have)
        elif isinstance(expected, dict):
            for key, want in expected.items():
                yield from self.errors(inputs, want, got[key])

    def _measured(self, place: str, want: Measured, have: Array, growth: float) -> Difference | None:
        wrong = form(place, want.value, have)
        if wrong or have.library == "meta":
            return wrong
        exact, allowed = self._allowed(want, growth)
        return value_difference(place, exact, wide(have), allowed)

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
        return same_items("", list(expected.value), list(got))


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
        wrong = walk({"small": 0, "large": 0}, got, type_leaf)
        if wrong:
            return wrong
        small, large = got["small"], got["large"]
        if small < 1:
            return Difference("", f"{small} steps", "at least 1", note="the counter was switched off")
        if large * 1000 <= int(self.limit * 1000) * small:
            return None
        if large >> 62:
            return Difference("", "a count that cannot be", "a count of steps")
        return Difference(
            "",
            f"{large / small:.1f} times the steps ({small:,} and {large:,})",
            f"about {expected.value['large'] / max(1, expected.value['small']):.1f} times",
            f"at most {self.limit:g} times",
            self.why,
            ratio=large / small / self.limit,
        )


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
