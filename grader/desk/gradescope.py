"""Results as Gradescope's autograder reports them (results.json).

A check is a test. What a check found is shown to students when its visibility says so; of a hidden check not even the
evidence is written. If any test is hidden, Gradescope does not show students their total: that is Gradescope's rule.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from grader.show import clean
from grader.verdict import Grade, Outcome, Result, Verdict

LONGEST = 4000  # characters of what a test says
FAILURE = (
    "The autograder itself failed. This is not the fault of the submission, and there is no score for it yet. "
    "Please tell the course staff, who can run the autograder again."
)


def report(result: Result, seconds: float | None = None, about: Sequence[str] = ()) -> dict[str, Any]:
    """Return the results.json of one result; `failure`'s if the grader failed at any check.

    Args:
        result: of one student or group.
        seconds: how long grading took, if known.
        about: lines for the top of the page.
    """
    if any(grade.broken for grade in result.exercises):
        return failure(about)
    tests = [
        _test(grade, verdict, f"{place}.{number}")
        for place, grade in enumerate(result.exercises, start=1)
        for number, verdict in enumerate(grade.verdicts, start=1)
    ]
    found = _top([result.note, *about])
    if seconds is not None:
        found["execution_time"] = round(seconds, 2)
    return {**found, "tests": tests}


def failure(about: Sequence[str] = ()) -> dict[str, Any]:
    """Return the results.json that says that we failed.

    It has no score and no tests. Gradescope asks for a score at one of both places, so it does not take this for a
    graded submission, least of all for one with zero points.
    """
    return _top([FAILURE, *about])


def _top(lines: Sequence[str]) -> dict[str, Any]:
    output = clean("\n".join(line for line in lines if line))
    said = {"output": output, "output_format": "text"} if output else {}
    return {**said, "stdout_visibility": "hidden"}  # what the autograder prints is for staff


def _test(grade: Grade, verdict: Verdict, number: str) -> dict[str, Any]:
    passed = verdict.outcome is Outcome.PASSED
    found: dict[str, Any] = {
        "name": clean(f"{grade.exercise}: {verdict.title}"),
        "name_format": "text",
        "number": number,
        "score": verdict.earned,
        "max_score": verdict.points,
        "status": "passed" if passed else "failed",
        "tags": [grade.exercise, str(verdict.outcome)],
        "visibility": verdict.visibility,
    }
    if verdict.visibility != "hidden" and not passed:
        found |= {"output": evidence(verdict), "output_format": "text"}
    return found


def evidence(verdict: Verdict) -> str:
    """Return what a check found, as lines of text without escape sequences."""
    seen = verdict.evidence
    lines = [str(verdict.outcome) + (f": {verdict.message}" if verdict.message else "")]
    if seen:
        lines += [f"case: {name} = {value}" for name, value in seen.inputs.items()]
        lines += [f"first wrong at: result{seen.place}"] if seen.place else []
        rows = (("got", seen.got), ("expected", seen.expected), ("allowed distance", seen.allowed))
        lines += [f"{label}: {value}" for label, value in rows if value]
        lines += [f"where:\n{seen.traceback.rstrip()}"] if seen.traceback else []
        lines += [f"it printed:\n{seen.output.rstrip()}"] if seen.output else []
    lines += [f"this equals {mistake.what}: {mistake.why}" for mistake in verdict.mistakes]
    text = clean("\n".join(lines))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


# --- what Gradescope says about a submission ---------------------------------------------------


def about(metadata: Any) -> list[str]:
    """Return what submission_metadata.json says about a submission that people should see: group and lateness.

    Points are not changed: lateness is Gradescope's to judge. What is missing or odd is left out.
    """
    if not isinstance(metadata, dict):
        return []
    lines = []
    users = metadata.get("users")
    people = [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    if len(people) > 1:
        names = (" ".join(str(user.get("name") or "?").split()) for user in people)
        lines.append(f"Handed in by a group: {', '.join(names)}")
    assignment = metadata.get("assignment")
    due = _moment(assignment.get("due_date")) if isinstance(assignment, dict) else None
    # when it was handed in, not now: it may be graded again much later
    made = _moment(metadata.get("created_at"))
    if made and due and made > due:
        lines.append(f"Handed in late: {made.isoformat()}, due {due.isoformat()}")
    return lines


def _moment(text: Any) -> datetime | None:
    """Return a moment with a zone, None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None
