"""Looks at the cases of an exercise for what lets wrong programs pass.

A case with B = T cannot tell the two axes apart, an eps of 1e-5 is invisible, and a check that passes
zeros tests nothing. Each finding has a key; exercise.yaml waives it with a reason: `waived: {key: reason}`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

from grader.array import numbers
from grader.case import Answer, Array, Case, Measured
from grader.check import Check
from grader.compare import Growth
from grader.oracle import Oracle

VISIBLE = 0.01  # an eps below this changes less than other mistakes do
SMALL, LARGE = 1e-2, 100.0

Finding = tuple[str, str]  # key, sentence


def lint(checks: Sequence[Check], oracle: Oracle) -> list[Finding]:
    """Return what is weak in the cases of an exercise, each as (key, sentence).

    Args:
        checks: of the exercise.
        oracle: has their cases and answers.
    """
    found: list[Finding] = []
    every: list[Any] = []
    for check in checks:
        cases = oracle.cases(check.name)
        inputs = [case.inputs for case in cases]
        every += inputs
        sizes = [*_axes(inputs), *_sizes(inputs)]
        # on the meta device there are no values
        values = [] if check.device == "portable" else [*_eps(inputs), *_lazy(check, oracle, cases)]
        for key, sentence in sizes + values:
            found.append((f"{check.name}: {key}", f"{check.name}: {sentence}"))
    return found + list(_texts(every)) + list(_scales(every))


def waive(found: Sequence[Finding], waived: dict[str, str]) -> list[str]:
    """Return the sentences of what is not waived, and of waivers that nothing needs."""
    keys = {key for key, _ in found}
    unused = [f"exercise.yaml waives {key!r}, which was not found" for key in sorted(set(waived) - keys)]
    return [f"{sentence}; waive it as {key!r} if it must be" for key, sentence in found if key not in waived] + unused


# --- sizes ------------------------------------------------------------------------------------


def _axes(inputs: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Two axes of one tensor that have the same size in every case."""
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for item in inputs:
        for name, value in item.items():
            if isinstance(value, Array):
                shapes.setdefault(name, []).append(value.shape)
    for name, seen in shapes.items():
        for rank in sorted({len(shape) for shape in seen}):
            same = [shape for shape in seen if len(shape) == rank]
            for one, other in combinations(range(rank), 2):
                if all(shape[one] == shape[other] for shape in same):
                    key = f"equal axes {name}[{one},{other}]"
                    yield key, f"axes {one} and {other} of {name} have the same size in every case with {rank} axes"


def _sizes(inputs: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Two whole numbers that are the same in every case."""
    names = [name for name in (inputs[0] if inputs else ()) if all(type(item.get(name)) is int for item in inputs)]
    for one, other in combinations(names, 2):
        if all(item[one] == item[other] for item in inputs):
            yield f"equal numbers {one}, {other}", f"{one} and {other} are the same number in every case"


def _eps(inputs: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """An eps that is too small to be seen, or always the same."""
    if not inputs or "eps" not in inputs[0]:
        return
    values = {item["eps"] for item in inputs if item.get("eps") is not None}
    if max(values, default=0.0) < VISIBLE:
        yield "invisible eps", f"no eps is as large as {VISIBLE}: leaving it out would not be seen"
    if len(values) < 2:
        yield "one eps", "eps is the same in every case: a constant in its place would not be seen"


# --- answers that need no thought -------------------------------------------------------------


def _lazy(check: Check, oracle: Oracle, cases: Sequence[Case]) -> Iterator[Finding]:
    """Programs without thought that would pass: zeros, NaN, nothing, the same answer to everything."""
    answers = [oracle.answer(check.name, case) for case in cases]
    programs: list[tuple[str, Callable[[Any], Any]]] = [("zeros", _zeros), ("nothing", lambda _: None)]
    if any(_has_floats(answer.value) for answer in answers):
        programs.append(("NaN", _nan))
    if len(cases) > 1 and not isinstance(check.compare, Growth):  # all counts that grow alike are right
        first = _plain(answers[0].value)
        programs.append(("the first answer", lambda _: first))
    for name, change in programs:
        pairs = zip(cases, answers, strict=True)
        if all(_passes(check, case, answer, change(answer.value)) for case, answer in pairs):
            yield f"{name} passes", f"a program that always answers {name} would pass"


def _passes(check: Check, case: Case, answer: Answer, got: Any) -> bool:
    return check.compare.compare(case.inputs, answer, got) is None


def _plain(value: Any) -> Any:
    """Return a true answer as a program would give it."""
    return _map(value, lambda leaf: leaf)


def _zeros(value: Any) -> Any:
    def zero(leaf: Any) -> Any:
        if isinstance(leaf, Array):
            return replace(leaf, data=bytes(len(leaf.data)))
        return type(leaf)() if isinstance(leaf, (bool, int, float, str, bytes)) else leaf

    return _map(value, zero)


def _nan(value: Any) -> Any:
    def broken(leaf: Any) -> Any:
        if isinstance(leaf, Array) and _is_float(leaf):
            import numpy as np

            return replace(leaf, data=np.full_like(numbers(leaf), np.nan).tobytes())
        return float("nan") if isinstance(leaf, float) else leaf

    return _map(value, broken)


def _has_floats(value: Any) -> bool:
    leaves = _leaves(_plain(value))
    return any(isinstance(leaf, float) or (isinstance(leaf, Array) and _is_float(leaf)) for leaf in leaves)


def _is_float(array: Array) -> bool:
    return "float" in array.dtype and array.library != "meta"


def _map(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a tree with every leaf changed; of a `Measured` the value is the leaf."""
    if isinstance(value, Measured):
        return change(value.value)
    if isinstance(value, (list, tuple)):
        return type(value)(_map(item, change) for item in value)
    if isinstance(value, dict):
        return {key: _map(item, change) for key, item in value.items()}
    return change(value)


# --- the exercise as a whole ------------------------------------------------------------------


def _texts(every: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """No empty text, no repeat, no character of several bytes among all the texts of an exercise."""
    texts = [leaf for item in every for leaf in _leaves([*item.values()]) if isinstance(leaf, str)]
    if all(re.fullmatch(r"[\w.]*", text, re.ASCII) for text in texts):
        return  # there are none, or they are names: of a dtype, of a layer
    if "" not in texts:
        yield "no empty text", "no text of any case is empty"
    if not any(one == other for text in texts for one, other in pairwise(text)):
        yield "no repeat", "no text of any case has the same character twice in a row"
    if all(text.isascii() for text in texts):
        yield "only ASCII", "no text of any case has a character of several bytes"


def _scales(every: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """No huge and no tiny tensor among all the inputs of an exercise."""
    import numpy as np

    sizes = []
    for leaf in (leaf for item in every for leaf in _leaves([*item.values()])):
        if isinstance(leaf, Array) and _is_float(leaf):
            values = np.abs(numbers(leaf).astype(np.float64))
            sizes.append(float(np.max(values[np.isfinite(values)], initial=0.0)))
    if sizes and max(sizes) < LARGE:
        yield "nothing large", f"no tensor of any case has a number as large as {LARGE:g}"
    if sizes and not any(0 < size < SMALL for size in sizes):
        yield "nothing small", f"no tensor of any case is small all over (below {SMALL:g}), and not zero"


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(key)
            yield from _leaves(item)
    else:
        yield value
