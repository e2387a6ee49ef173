"""Proves a bank of questions: reads all files, lints them, runs their code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.course import Course, find_course
from grader.errors import UsageError
from grader.load import variants
from grader.quiz import census, snippet
from grader.quiz.bank import files
from grader.quiz.lint import lint
from grader.quiz.source import Problem, Read, read
from grader.sandbox import Sandbox

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a lint found, and in how much."""

    problems: list[Problem]
    files: int
    items: int


def proof(start: Path | None, paths: Sequence[Path], run: bool, note: Note) -> Proof:
    """Look at quiz files.

    Args:
        start: folder of the course, None for the one around.
        paths: the files, all of the course if there are none.
        run: whether to run the code of questions.
        note: called with a sentence before something that takes long.

    Raises:
        UsageError: there is no course, or a file is not there.
        FaultError: code is to be run, and the worker does not work.
    """
    course = find_course(start)
    for path in paths:
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
    chosen = list(paths) or files(course.quizzes)
    found = [read(path, _name(path)) for path in chosen]
    problems = lint(found)
    if mistakes := known(course):
        problems += census.unknown(found, {one.slug for one in course.exercises()}, mistakes)
    if run:
        problems += _run(found, note)
    return Proof(sorted(set(problems)), len(found), sum(len(one.quiz.items) for one in found if one.quiz))


def known(course: Course) -> set[str]:
    """Return the misconceptions of a course as exercise/name; none in a kit."""
    names = set()
    for exercise in course.exercises():
        path = course.misconceptions(exercise)
        if path.exists():
            names |= {f"{exercise.slug}/{name}" for name in variants(path.read_text("utf-8"), "")}
    return names


def _run(found: Sequence[Read], note: Note) -> list[Problem]:
    if not any(one.quiz and snippet.has_code(one.quiz) for one in found):
        return []
    note("running the code of questions")
    with Sandbox(snippet.PRELOAD) as sandbox:
        return [problem for one in found for problem in snippet.problems(sandbox, one)]


def _name(path: Path) -> str:
    """Return a path as people wrote or would write it: from where they are, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
