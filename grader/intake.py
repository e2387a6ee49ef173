"""Finds the submissions of a class in a folder. Nothing in it is trusted, executed or written."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.course import LARGEST, unfit
from grader.errors import EmptyError, UsageError
from grader.exercise import Exercise
from grader.show import clean


@dataclass(frozen=True, slots=True)
class Submission:
    """What one student handed in.

    Attributes:
        student: as the folder names them.
        files: exercise -> path of its file; a file that is missing is not there.
    """

    student: str
    files: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is not graded, and the sentence for the student that says why."""

    sentence: str


def submissions(folder: Path, exercises: Sequence[Exercise]) -> list[Submission]:
    """Return the submissions of a folder, sorted by student.

    A folder in it is a student, in which <slug>.py, <number>_<slug>/<slug>.py or these under exercises/
    are looked for. A file is a student too: <student>.py if there is one exercise, <student>_<slug>.py
    otherwise.

    Raises:
        UsageError: there is no such folder, or it is the folder of one student.
        EmptyError: there is nothing in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; name the one that has a folder for each student")
    own = [exercise.filename for exercise in exercises if (folder / exercise.filename).exists()]
    if own and len(exercises) > 1:
        raise UsageError(f"{folder} has a {own[0]}: this is one student's folder; name the folder around it")
    found: dict[str, dict[str, Path]] = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            found.setdefault(entry.name, {}).update(_files(Path(entry.path), exercises))
        elif entry.name.endswith(".py"):
            student, slug = _named(entry.name, exercises)
            found.setdefault(student, {})[slug] = Path(entry.path)
    if not found:
        raise EmptyError(f"there is nothing to grade in {folder}: no folder and no .py file")
    return [Submission(student, files) for student, files in sorted(found.items())]


def _files(folder: Path, exercises: Sequence[Exercise]) -> Iterator[tuple[str, Path]]:
    """Yield the file of each exercise that a student's folder has."""
    for exercise in exercises:
        name = exercise.filename
        places = (name, f"{exercise.folder.name}/{name}", f"exercises/{exercise.folder.name}/{name}")
        for place in places:
            path = folder / place
            if path.is_symlink() or path.exists():
                yield exercise.slug, path
                break


def _named(name: str, exercises: Sequence[Exercise]) -> tuple[str, str]:
    """Return the student and the exercise of a file that is a submission by itself."""
    stem = name.removesuffix(".py")
    if len(exercises) == 1:
        return stem.removesuffix(f"_{exercises[0].slug}") or stem, exercises[0].slug
    for exercise in exercises:
        if stem.endswith(f"_{exercise.slug}") and stem != f"_{exercise.slug}":
            return stem.removesuffix(f"_{exercise.slug}"), exercise.slug
    raise UsageError(
        f"{clean(name)}: which exercise is it for? Name one with --exercise, or name files <student>_<exercise>.py"
    )


def snapshot(path: Path) -> bytes | Unreadable:
    """Return the bytes of a student's file as they are now; links and special files are not followed."""
    name = clean(path.name)
    try:
        # no waiting for a pipe that nobody writes to, no way out of the folder through a link
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if path.is_symlink():
            return Unreadable(f"{name} is a link; hand in the file itself")
        return Unreadable(f"{name} cannot be read: {error.strerror}")
    try:
        state = os.fstat(number)
        if not stat.S_ISREG(state.st_mode):
            return Unreadable(f"{name} is no ordinary file; a text file of that name is graded")
        if state.st_nlink > 1:
            return Unreadable(f"{name} is a hard link to another file; hand in a copy")
        content = _read(number)
        why = unfit(content)
        return Unreadable(f"{name} {why}") if why else content
    except OSError as error:
        return Unreadable(f"{name} cannot be read: {error.strerror}")
    finally:
        os.close(number)


def _read(number: int) -> bytes:
    content = b""
    while len(content) <= LARGEST and (data := os.read(number, LARGEST + 1 - len(content))):
        content += data
    return content
