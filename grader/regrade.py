"""Grades a class again and says whose mark moved. The results of before are kept until that is written."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from grader.batch import run
from grader.course import Course
from grader.errors import FaultError
from grader.gradebook import save
from grader.moved import Move, moves, table
from grader.plan import Plan, Summary, Watch
from grader.ready import Note
from grader.results import CLASS, results

BEFORE = "before"  # folder of the results of before, inside of those of now
MOVED = "moved.csv"


def regrade(course: Course, plan: Plan, note: Note, watch: Watch) -> tuple[Summary, list[Move]]:
    """Grade a class whose results are there, and write what moved to moved.csv.

    After an interruption a second run compares with the results of before the first.

    Raises:
        UsageError: there are no results; otherwise as `batch.run`.
        EmptyError: as `batch.run`.
        FaultError: as `batch.run`.
    """
    kept = plan.results / BEFORE
    if not kept.is_dir():
        results(plan.results)  # they must be readable
        half = plan.results / f".{BEFORE}"
        try:
            shutil.rmtree(half, ignore_errors=True)
            shutil.copytree(plan.results / "grades", half / "grades")
            if (plan.results / CLASS).exists():
                shutil.copy(plan.results / CLASS, half / CLASS)
            half.rename(kept)
        except OSError as error:
            raise FaultError(f"{kept} cannot be written: {error.strerror}") from None
    summary = run(course, plan, note, watch)
    found = moves(results(kept), results(plan.results))
    write(plan.results / MOVED, found)
    shutil.rmtree(kept)
    return summary, found


def write(path: Path, found: Sequence[Move]) -> None:
    """Write a table of moves as CSV.

    Raises:
        FaultError: the disk is full, say.
    """
    save(path, table(found))
