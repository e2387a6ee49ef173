"""Grades one submission where Gradescope runs it: what run_autograder starts.

results.json is written once, when everything is known, and whole. What a submission prints never gets into it
but as the evidence of a check.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader import __version__
from grader.bundle import Bundle
from grader.check import Check, checks_of
from grader.desk.folder import Folder
from grader.desk.gradescope import about, failure, report
from grader.desk.intake import lone
from grader.desk.item import Unreadable, shown
from grader.desk.notebook import Source
from grader.desk.parcel import open_
from grader.errors import FaultError, GraderError
from grader.fence import Tier, exposed
from grader.load import load
from grader.mark import grade_of, unread
from grader.node import Task, end, grade
from grader.show import clean
from grader.verdict import Grade, Outcome, Result
from grader.whole import whole

TRIES = 2  # at a file at which we failed
SHOWN = 5  # names of files that were handed in, where one is missing
RESULTS = "results/results.json"


def main(root: Path) -> int:
    """Grade what was handed in and write results.json, whatever happens.

    Args:
        root: Gradescope's /autograder, or a folder that is laid out like it.

    Returns:
        The exit code: 0 if it was graded, 3 if we failed.
    """
    begun = time.monotonic()
    lines: list[str] = []
    code = 0
    try:
        lines = about(_metadata(root))
        result = graded(root)
        found = report(result, time.monotonic() - begun, lines)
        if "tests" not in found:
            code = FaultError.exit_code
            say("the grader failed at a check; there is no score")
    except Exception as error:  # noqa: BLE001  a student must not lose points for what is wrong with us
        code, found = FaultError.exit_code, failure(lines)
        say(str(error) if isinstance(error, GraderError) else repr(error))
    finally:
        end()
    _write(root / RESULTS, found)
    return code


def graded(root: Path) -> Result:
    """Return the result of the submission in a folder that is laid out as Gradescope does.

    Raises:
        FaultError: a file of ours cannot be read, no fence works, or the worker does not work.
    """
    source = root / "source"
    try:
        plan = json.loads((source / "plan.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FaultError(f"plan.json cannot be read: {error}; upload the zip again") from None
    lowest: Tier = plan["lowest"]
    if lowest != "C" and (shown := exposed(source)):
        raise FaultError(f"submissions can read {shown}, where the answers lie; set AUTOGRADER_ROOT to another folder")
    bundles = [open_(source / "bundles" / slug) for slug in plan["exercises"]]
    submission = lone(root / "submission", [bundle.exercise for bundle in bundles])
    notes = list(submission.notes)
    grades = []
    for bundle in bundles:
        handed = submission.source(bundle.exercise.slug)
        notes += handed.notes if isinstance(handed, Source) else ()
        grades.append(_grade(bundle, handed, root / "submission", lowest))
        got, fence = f"{grades[-1].score} of {grades[-1].points} points", grades[-1].fence or "not needed"
        say(f"{bundle.exercise.slug}: {got}, fence {fence}")
    return Result(
        grader=__version__,
        seed=None,
        device="cpu",
        note=" ".join(notes),
        score=sum(item.score for item in grades),
        points=sum(item.points for item in grades),
        exercises=tuple(grades),
    )


def _grade(bundle: Bundle, handed: Source | Unreadable | None, folder: Path, lowest: Tier) -> Grade:
    """Return the grade for one exercise; a fault of ours is tried again once."""
    exercise = bundle.exercise
    if handed is None:
        return _unread(bundle, Outcome.NOT_STARTED, f"there is no file {exercise.filename}; {_seen(folder)}")
    if isinstance(handed, Unreadable):
        return _unread(bundle, Outcome.ERROR, handed.sentence)
    for _ in range(TRIES):
        done = grade(Task(exercise.slug, bundle.key, handed.content, lowest), bundle)
        if not done.fault:
            return Grade.model_validate_json(done.grade)
        say(f"{exercise.slug}: {done.fault}")
    raise FaultError(f"{exercise.slug}: {done.fault}")


def _seen(folder: Path) -> str:
    """Return what was handed in, for who looks for a file that is not there."""
    items = Folder(folder).items("")
    names = [] if isinstance(items, Unreadable) else sorted({shown(item.path) for item in items})
    return f"what was handed in: {', '.join(names[:SHOWN]) or 'nothing'}"


def _unread(bundle: Bundle, outcome: Outcome, message: str) -> Grade:
    slug = bundle.exercise.slug
    checks: Sequence[Check] = checks_of(load(bundle.checks.encode(), f"checks_{slug}", f"checks_{slug}.py"))
    return grade_of(bundle.exercise, bundle.exercise.filename, unread(checks, outcome, message))


def _metadata(root: Path) -> Any:
    """Return what Gradescope says about the submission, None if nothing can be read."""
    try:
        return json.loads((root / "submission_metadata.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def _write(path: Path, found: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write(json.dumps(found, indent=1).encode("ascii"))
    path.chmod(0o644)  # whoever uploads it need not be who wrote it


def say(sentence: str) -> None:
    """Tell the staff, who see what run_autograder prints."""
    print(f"grader: {clean(sentence)}", flush=True)  # noqa: T201  this is the log
