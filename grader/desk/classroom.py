"""Results as Classroom 50 collects them (result.json, schema classroom50/result/v1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grader.errors import FaultError, UsageError
from grader.show import clean
from grader.verdict import Grade, Outcome, Result

SCHEMA = "classroom50/result/v1"
LONGEST = 500  # characters of a field that says whose result it is


@dataclass(frozen=True, slots=True)
class Submission:
    """Whose result it is. Nothing of it is guessed: it decides on whom the points land.

    Attributes:
        classroom, assignment, submission, commit, release, review: as the runner names them.
        assignment_type, owner: left out if empty; the runner fills them in.
    """

    classroom: str
    assignment: str
    submission: str
    commit: str
    release: str
    review: str
    assignment_type: str = ""
    owner: str = ""


def export(result: Result, submission: Submission, now: datetime | None = None) -> dict[str, Any]:
    """Return a result.json.

    Args:
        result: of one student.
        submission: whose it is.
        now: when it is made, if not now.

    Raises:
        UsageError: a field of the submission is empty or is no single line.
        FaultError: the grader failed at some check: there is no score to report.
    """
    if any(grade.broken for grade in result.exercises):
        raise FaultError("the grader failed at some checks of this result, so it has no score; grade it again")
    moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "schema": SCHEMA,
        **dict(_identity(submission)),
        "datetime": moment,
        "score": result.score,
        "max-score": result.points,
        "tests": [test for grade in result.exercises for test in _tests(grade)],
    }


def _identity(submission: Submission) -> Iterator[tuple[str, str]]:
    """Yield the fields that say whose result it is."""
    optional = ("assignment_type", "owner")
    for name in ("classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release", "review"):
        value: str = getattr(submission, name)
        if not value and name in optional:
            continue
        if not value.strip() or len(value) > LONGEST or clean(value) != value or len(value.splitlines()) != 1:
            raise UsageError(f"--{name.replace('_', '-')} must be one line of text, not {clean(value[:80])!r}")
        yield name, value


def _tests(grade: Grade) -> Iterator[dict[str, Any]]:
    """Yield a test for each check; those that students may not see yet are one, which says only its points."""
    shown = [verdict for verdict in grade.verdicts if verdict.visibility == "visible"]
    for verdict in shown:
        name = f"{grade.exercise}.{verdict.check}"
        yield _test(name, verdict.outcome is Outcome.PASSED, verdict.earned, verdict.points)
    rest = [verdict for verdict in grade.verdicts if verdict.visibility != "visible"]
    if rest:
        earned, points = sum(verdict.earned for verdict in rest), sum(verdict.points for verdict in rest)
        yield _test(f"{grade.exercise}: checks that are shown later", earned == points, earned, points)


def _test(name: str, passed: bool, score: int, points: int) -> dict[str, Any]:
    return {"test-name": clean(name), "passed": passed, "score": score, "max-score": points}
