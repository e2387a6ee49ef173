"""Searches the smallest case on which a program fails, with the live reference beside it."""

import math
import random
from typing import Any

from grader.case import Array, Case
from grader.check import Check
from grader.draw import own_seed, quiet
from grader.grade import FATAL, Finding, Grader
from grader.oracle import Reference

TRIES = 200  # cases that are run at most: a bound that does not depend on the machine
SMALL = 60  # numbers and characters that a person takes in at a glance: nothing smaller is searched


def shrink(grader: Grader, reference: Reference, check: Check, found: Finding, seed: int) -> Finding:
    """Return a smaller case with the same outcome, or `found` if there is none.

    Args:
        grader: with the submission open in its sandbox.
        reference: answers cases that are not in the bank.
        check: that failed.
        found: its first failure.
        seed: of the search.
    """
    # what ends the process, or takes a whole deadline, is not worth hundreds of tries
    hopeless = check.cases is None or found.got.kind in FATAL or check.device == "portable"
    # examples are small by intention
    if hopeless or weigh(found.case.inputs) <= SMALL or found.case.inputs in (check.examples or list)():
        return found
    import hypothesis
    from hypothesis.errors import Flaky, NoSuchExample

    quiet()
    live = Grader(grader.exercise, grader.checks, reference, grader.sandbox, grader.probes)
    best, tries = found, 0

    def fails_alike(inputs: dict[str, Any]) -> bool:
        nonlocal best, tries
        tries += 1
        if tries > TRIES:
            return False
        finding = live.case(check, Case(inputs))
        if finding.outcome is not found.outcome or finding.got.error != found.got.error:
            return False
        if weigh(finding.case.inputs) < weigh(best.case.inputs):
            best = finding
        return True

    settings = hypothesis.settings(
        max_examples=TRIES // 2,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    try:
        hypothesis.find(
            _cases(check),
            fails_alike,
            settings=settings,
            random=random.Random(own_seed(check, seed)),  # noqa: S311  no secret
        )
    except NoSuchExample:
        return found
    except Flaky:  # a case that failed passes now: the tries are used up, or the program remembers calls
        return best
    return best


def _cases(check: Check) -> Any:
    assert check.cases is not None
    return check.cases()


def weigh(value: Any) -> int:
    """Return how many numbers and characters a value has."""
    if isinstance(value, Array):
        return math.prod(value.shape)
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(weigh(item) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple)):
        return 1 + sum(map(weigh, value))
    return 1
