"""Searches the smallest case on which a program fails, with the live reference beside it."""

import random
from typing import Any

from grader.case import Case
from grader.check import Check
from grader.draw import own_seed, quiet
from grader.grade import FATAL, Finding, Grader
from grader.oracle import Reference
from grader.wire import TRUSTED, pack

TRIES = 400  # cases that are run at most: a bound that does not depend on the machine


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
    if check.cases is None or found.got.kind in FATAL or check.device == "portable":
        return found
    import hypothesis
    from hypothesis.errors import NoSuchExample

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
        if _size(finding) < _size(best):
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
            check.cases(), fails_alike, settings=settings, random=random.Random(own_seed(check, seed))  # noqa: S311  no secret
        )
    except NoSuchExample:
        return found
    return best


def _size(finding: Finding) -> int:
    return len(pack(finding.case.inputs, TRUSTED))
