"""Grades one file the way a student wants it: with the smallest case and the name of the mistake."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from grader.case import Answer, Case
from grader.course import read_submission
from grader.errors import EmptyError
from grader.grade import Examined, Finding, evidence_of, grade_of, message_of, verdict_of
from grader.ready import Ready
from grader.shrink import shrink
from grader.verdict import Grade, Outcome

Device = Literal["cpu", "cuda"]


def study(ready: Ready, path: Path, devices: Sequence[Device] = ("cpu",), smallest: bool | None = None) -> Grade:
    """Grade a file.

    Args:
        ready: the exercise.
        path: of the student's file.
        devices: where the checks run; a check passes if it passes on all of them.
        smallest: whether to search a smaller failing case with the live reference; None means: if
            that needs no library to be loaded first.

    Raises:
        FaultError: the worker does not work.
    """
    exercise, grader = ready.exercise, ready.grader
    try:
        source = read_submission(path, exercise)
    except EmptyError:
        return _unread(ready, path, Outcome.NOT_STARTED, f"there is no file {path}")
    except ValueError as error:
        return _unread(ready, path, Outcome.ERROR, str(error))
    examined = _examine(ready, source, devices)
    shrunk: dict[str, Finding] = {}
    if smallest is None:
        smallest = not exercise.preload
    if smallest and ready.course.reference(exercise).exists():
        shrunk = _shrink(ready, source, examined, devices[0])
    mistakes = ready.diagnosis.name(grader, examined)
    verdicts = []
    for item in examined:
        verdict = verdict_of(item)
        if found := shrunk.get(item.check.name):
            verdict = verdict.model_copy(update={"evidence": evidence_of(found, True), "message": message_of(found)})
        verdicts.append(verdict.model_copy(update={"mistakes": mistakes.get(item.check.name, ())}))
    return grade_of(exercise, str(path), verdicts)


def _examine(ready: Ready, source: bytes, devices: Sequence[Device]) -> list[Examined]:
    """Run the checks on each device and keep, for each check, the first failure."""
    runs = [ready.grader.examine(source, device) for device in devices]
    return [next((item for item in same if item.failure), same[0]) for same in zip(*runs, strict=True)]


def _shrink(ready: Ready, source: bytes, examined: Sequence[Examined], device: Device) -> dict[str, Finding]:
    """Return a smaller failing case for each failed check that has one."""
    failed = [item for item in examined if item.ran and item.outcome in (Outcome.FAILED, Outcome.ERROR)]
    if not failed:
        return {}
    reference = ready.reference()
    ready.grader.open(source, device)
    found = {}
    for item in failed:
        assert item.failure is not None
        smaller = shrink(ready.grader, reference, item.check, item.failure, ready.seed)
        if smaller is not item.failure:
            found[item.check.name] = smaller
    ready.grader.sandbox.leave()
    return found


def _unread(ready: Ready, path: Path, outcome: Outcome, message: str) -> Grade:
    """Return the grade of a file that cannot even be read: the same verdict for each check."""
    finding = Finding(Case({}), Answer("value"), Answer("raised", message=message), outcome)
    verdicts = [verdict_of(Examined(check, (finding,), ran=False)) for check in ready.grader.checks]
    return grade_of(ready.exercise, str(path), verdicts)
