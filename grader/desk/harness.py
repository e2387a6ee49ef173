"""Grades one submission where Gradescope runs it: what run_autograder starts.

results.json is written once, when everything is known, and whole. What a submission prints never gets into it
but as the evidence of a check.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grader import __version__
from grader.bundle import Bundle
from grader.check import Check, checks_of
from grader.desk.folder import snapshot
from grader.desk.gradescope import about, failure, report
from grader.desk.item import Unreadable
from grader.desk.parcel import open_
from grader.errors import FaultError, GraderError
from grader.exercise import Exercise
from grader.fence import Tier, exposed
from grader.load import load
from grader.mark import grade_of, unread
from grader.node import Task, end, grade
from grader.show import clean
from grader.verdict import Grade, Outcome, Result
from grader.whole import whole

TRIES = 2  # at a file at which we failed
MOST = 20_000  # files and folders that are looked at for a submission's
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
    grades = []
    for slug in plan["exercises"]:
        bundle = open_(source / "bundles" / slug)
        grades.append(_grade(bundle, root / "submission", lowest))
        say(f"{slug}: {grades[-1].score} of {grades[-1].points} points, fence {grades[-1].fence or 'not needed'}")
    return Result(
        grader=__version__,
        seed=None,
        device="cpu",
        score=sum(item.score for item in grades),
        points=sum(item.points for item in grades),
        exercises=tuple(grades),
    )


def _grade(bundle: Bundle, submission: Path, lowest: Tier) -> Grade:
    """Return the grade for one exercise; a fault of ours is tried again once."""
    exercise = bundle.exercise
    content = handed(submission, exercise)
    if isinstance(content, str):
        return _unread(bundle, Outcome.NOT_STARTED, content)
    if isinstance(content, Unreadable):
        return _unread(bundle, Outcome.ERROR, content.sentence)
    for _ in range(TRIES):
        done = grade(Task(exercise.slug, bundle.key, content, lowest), bundle)
        if not done.fault:
            return Grade.model_validate_json(done.grade)
        say(f"{exercise.slug}: {done.fault}")
    raise FaultError(f"{exercise.slug}: {done.fault}")


def _unread(bundle: Bundle, outcome: Outcome, message: str) -> Grade:
    slug = bundle.exercise.slug
    checks: Sequence[Check] = checks_of(load(bundle.checks.encode(), f"checks_{slug}", f"checks_{slug}.py"))
    return grade_of(bundle.exercise, bundle.exercise.filename, unread(checks, outcome, message))


def handed(folder: Path, exercise: Exercise) -> bytes | Unreadable | str:
    """Return the file that was handed in for an exercise; a sentence for the student if there is none.

    It lies where it lies in the course, at the top, or is the only one of its name.
    """
    name = exercise.filename
    for place in (name, f"{exercise.folder.name}/{name}", f"exercises/{exercise.folder.name}/{name}"):
        if (folder / place).is_symlink() or (folder / place).exists():
            return snapshot(folder / place)
    seen = list(_files(folder))
    found = [path for path in seen if path.name == name]
    if len(found) == 1:
        return snapshot(found[0])
    if found:
        return f"there are {len(found)} files {name}; hand in one"
    others = ", ".join(sorted({clean(path.name) for path in seen})[:5])
    return f"there is no file {name}; what was handed in: {others or 'nothing'}"


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, links to folders not followed."""
    count = 0
    for parent, folders, files in os.walk(folder):
        # what version control and editors leave is nothing that was handed in
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in files:
            count += 1
            if count > MOST:
                return
            yield Path(parent) / name


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
