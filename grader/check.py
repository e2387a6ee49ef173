"""A check: where its cases come from, what it runs on a module, how answers are compared.

A checks.py is read twice. The parent executes it and has everything. The worker gets only what
`load.probes` cuts out of it: the probe functions and what they need, without decorators, points,
cases, comparison or title.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from grader.compare import Compare

Probe = Callable[..., Any]
# "any": cpu, and cuda where asked for. "portable": the meta device, where a tensor that was made on
# the wrong device cannot meet the others; on cuda where there is one.
Device = Literal["any", "portable"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an exercise.

    Attributes:
        name: the probe's name, a behaviour in snake_case.
        title: the probe's docstring: the line that the student reads.
        points: earned if every case passes, else 0.
        probe: `probe(module, **inputs)`: collects values, judges nothing.
        cases: returns a hypothesis strategy of dicts of inputs (see draw.py).
        examples: returns inputs that are always among the cases; called in the parent only.
        compare: judges an answer against the oracle's, in the parent only.
        witness: run on the reference only, same arguments as the probe: what the comparison must know
            beside the answer.
        draws: how many cases are drawn beside the examples.
        device: see `Device`.
        keeps_inputs: whether the probe must leave its inputs as they were.
    """

    name: str
    title: str
    points: int
    probe: Probe
    cases: Callable[[], Any] | None
    examples: Callable[[], Sequence[dict[str, Any]]] | None
    compare: Compare
    witness: Probe | None
    draws: int
    device: Device
    keeps_inputs: bool


def check(
    *,
    points: int,
    compare: Compare,
    cases: Callable[[], Any] | None = None,
    examples: Callable[[], Sequence[dict[str, Any]]] | None = None,
    witness: Probe | None = None,
    draws: int = 12,
    device: Device = "any",
    keeps_inputs: bool = True,
) -> Callable[[Probe], Check]:
    """Make a check of a probe; the arguments are described at `Check`."""

    def decorate(probe: Probe) -> Check:
        title = " ".join((probe.__doc__ or "").split())
        if not title:
            raise ValueError(f"the check {probe.__name__} has no docstring: it is the line that the student reads")
        if cases is None and examples is None:
            raise ValueError(f"the check {probe.__name__} has neither cases nor examples")
        return Check(
            name=probe.__name__,
            title=title,
            points=points,
            probe=probe,
            cases=cases,
            examples=examples,
            compare=compare,
            witness=witness,
            draws=draws if cases else 0,
            device=device,
            keeps_inputs=keeps_inputs,
        )

    return decorate


def checks_of(module: ModuleType) -> list[Check]:
    """Return the checks of a loaded checks.py, in the order in which they stand there."""
    return [value for value in vars(module).values() if isinstance(value, Check)]
