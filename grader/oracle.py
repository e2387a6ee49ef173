"""Oracles answer cases with the truth: `Reference` computes it, a `Bank` (bank.py) has it on file."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from grader.array import native, numbers
from grader.case import Answer, Array, Case, Measured
from grader.check import Check, checks_of
from grader.compare import Derived
from grader.draw import as_array, draw, own_seed
from grader.errors import FaultError
from grader.load import load_file
from grader.wire import digest, pack, unpack

MOVES = 12  # runs on moved inputs
UNITS = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}


class Oracle(Protocol):
    """Has cases for each check and answers them."""

    def cases(self, check: str) -> list[Case]:
        """Return the cases of a check, smallest first.

        Raises:
            FaultError: the oracle does not know the check.
        """
        ...

    def answer(self, check: str, case: Case) -> Answer:
        """Return the true answer, of kind "value"; `touched` is the digest of the case's inputs.

        Raises:
            FaultError: the oracle does not know the check, or cannot answer the case.
        """
        ...


class Reference:
    """Answers any case by running the reference, in float64 where a tolerance is derived.

    For a check whose comparison is `measured`, each float tensor of the answer becomes a `Measured`:

    - value: the reference run on the case as it is, in the dtype under test;
    - exact: the reference run on the case in float64;
    - noise: the largest distance from exact, per element, that the reference itself shows in the
      dtype under test, over the case as it is and some runs in which every float input is moved
      by a few units in its last place. So it holds what rounding does on the way, cancellation included,
      and what a few roundings of each input do to the result: the forward error that a backward
      stable program cannot avoid (Higham 2002, Accuracy and Stability of Numerical Algorithms,
      sections 1.5 and 1.6). Float64 is measured in float32 and scaled by the ratio of the unit
      roundoffs, since nothing more precise is there to compare it with.
    """

    def __init__(self, checks: list[Check], module: Any, seed: int = 0) -> None:
        self._checks = {check.name: check for check in checks}
        self._module = module
        self._seed = seed
        self._drawn: dict[str, list[Case]] = {}

    def cases(self, check: str) -> list[Case]:
        """Return the cases of a check; see `Oracle`."""
        if check not in self._drawn:
            self._drawn[check] = draw(self._find(check), self._seed)
        return self._drawn[check]

    def answer(self, check: str, case: Case) -> Answer:
        """Return the true answer; see `Oracle`."""
        found = self._find(check)
        try:
            value = self._run(found.probe, case.inputs)
            witness = self._run(found.witness, case.inputs) if found.witness else None
            if found.compare.measured:
                value = self._measure(found, case, value)
        except Exception as error:
            raise FaultError(f"the reference cannot answer a case of {check}: {error!r}") from error
        return Answer("value", value, witness=witness, touched=digest(case.inputs))

    def _find(self, check: str) -> Check:
        if check not in self._checks:
            raise FaultError(f"the reference knows no check {check!r}")
        return self._checks[check]

    def _run(self, probe: Callable[..., Any], inputs: dict[str, Any]) -> Any:
        """Run a probe on the reference; tensors come back as `Array`."""
        return unpack(pack(probe(self._module, **_map(native, inputs))))

    def _measure(self, check: Check, case: Case, value: Any) -> Any:
        exact = self._run(check.probe, _map(_double, case.inputs))
        fixed = check.compare.fixed if isinstance(check.compare, Derived) else ()
        seeds = [own_seed(check, number) for number in range(MOVES)]
        runs = [self._run(check.probe, _moved(case.inputs, seed, fixed)) for seed in seeds]
        return _measured(value, exact, runs)


def reference_of(checks: Path, reference: Path, slug: str, seed: int) -> Reference:
    """Load the checks and the reference of an exercise.

    Raises:
        FaultError: a file of ours cannot be loaded.
    """
    return Reference(load_checks(checks, slug), _load(reference, f"reference_{slug}"), seed)


def load_checks(path: Path, slug: str) -> list[Check]:
    """Load the checks of an exercise.

    Raises:
        FaultError: the file cannot be loaded or has no checks.
    """
    checks = checks_of(_load(path, f"checks_{slug}"))
    if not checks:
        raise FaultError(f"{path} has no checks")
    return checks


def _load(path: Path, name: str) -> Any:
    try:
        return load_file(path, name)
    except Exception as error:
        raise FaultError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error


def _map(change: Callable[[Array], Any], value: Any) -> Any:
    """Return a tree with every `Array` changed."""
    if isinstance(value, Array):
        return change(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_map(change, item) for item in value)
    if isinstance(value, dict):
        return {key: _map(change, item) for key, item in value.items()}
    return value


def _double(array: Array) -> Any:
    """Return a float array as a float64 tensor, anything else as it is."""
    return native(as_array(numbers(array), "float64") if array.dtype in UNITS else array)


def _moved(inputs: dict[str, Any], seed: int, fixed: Sequence[str]) -> dict[str, Any]:
    """Return the inputs with every float moved to a number near by, but for the fixed ones."""
    import numpy as np

    rng = np.random.default_rng(seed)

    def change(array: Array) -> Any:
        if array.dtype not in UNITS:
            return native(array)
        dtype = _measured_in(array.dtype)
        # up to three units in the last place: moves of just one often cancel (zero stays zero)
        steps = 2 * UNITS[dtype] * rng.uniform(-3.0, 3.0, array.shape)
        return native(as_array(numbers(array).astype(np.float64) * (1 + steps), dtype))

    def still(array: Array) -> Any:
        dtype = _measured_in(array.dtype)
        return native(as_array(numbers(array), dtype) if array.dtype in UNITS else array)

    return {name: _map(still if name in fixed else change, value) for name, value in inputs.items()}


def _measured_in(dtype: str) -> str:
    return "float32" if dtype == "float64" else dtype


def _measured(value: Any, exact: Any, runs: list[Any]) -> Any:
    """Return the tree of values with each float tensor made a `Measured`."""
    if isinstance(value, Array) and value.dtype in UNITS:
        return _leaf(value, exact, runs)
    if isinstance(value, (list, tuple)):
        return type(value)(_measured(item, exact[n], [run[n] for run in runs]) for n, item in enumerate(value))
    if isinstance(value, dict):
        return {key: _measured(item, exact[key], [run[key] for run in runs]) for key, item in value.items()}
    return value


def _leaf(value: Array, exact: Array, runs: list[Array]) -> Measured:
    import numpy as np

    truth = numbers(exact).astype(np.float64)
    scale = UNITS[value.dtype] / UNITS[_measured_in(value.dtype)]
    with np.errstate(invalid="ignore"):
        moved = [scale * np.abs(numbers(run).astype(np.float64) - truth) for run in runs]
        noise = np.max([np.abs(numbers(value).astype(np.float64) - truth), *moved], axis=0)
    noise = np.where(np.isfinite(noise), noise, 0.0)
    return Measured(value, as_array(truth, "float64"), as_array(noise, "float64"))


def on_meta(case: Case, answer: Answer) -> tuple[Case, Answer]:
    """Return a case and its answer as they look on torch's meta device: kinds, dtypes and shapes only."""

    def strip(value: Any) -> Any:
        if isinstance(value, Measured):
            value = value.value
        if isinstance(value, Array):
            return replace(value, data=b"", library="meta")
        if isinstance(value, (list, tuple)):
            return type(value)(strip(item) for item in value)
        if isinstance(value, dict):
            return {key: strip(item) for key, item in value.items()}
        return value

    moved = Case(strip(case.inputs))
    return moved, replace(answer, value=strip(answer.value), touched=digest(moved.inputs))
