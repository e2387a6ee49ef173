"""Makes a student kit by addition: what is not on the list does not get in.

For each exercise its task, starter, checks and settings, and a file with the public cases (shelf.py). No reference,
no solution, no misconception.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from grader import __version__
from grader.bank import Bank
from grader.course import Course
from grader.errors import UsageError
from grader.exercise import Exercise
from grader.ready import Note, ready
from grader.shelf import Shelf

README = """# Exercises

{count} exercises, {points} points. Each has a folder under `exercises/` with a task (README.md) and a file to fill in.

    pip install {package}=={version}
    grader list             # what there is
    grader check {first}        # grade your file, as often as you like
    grader hint {first}         # a hint, one level after the other

Everything runs on your own machine, without a network. The cases here are public; your instructor grades with others,
so a program that passes all of these may still fail there. A mistake that is known is named here as it is there.

Hand in the files that you filled in: {files}.
"""
PACKAGE = "llm-fundamentals-grader"
# files of an exercise that students get, beside the starter and what the checks read
FILES = ("README.md", "exercise.yaml", "checks.py")


def make(course: Course, out: Path, exercises: Sequence[Exercise], seed: int, note: Note) -> list[Path]:
    """Write a kit.

    Args:
        course: the whole one, with references.
        out: folder that is made; it must not be there, or be empty.
        exercises: what goes in.
        seed: of the public cases; those of the instructor must have another.
        note: called with a sentence before something that takes long.

    Returns:
        the files that were written.

    Raises:
        UsageError: the folder is in use, or a reference or starter is missing.
        FaultError: a file of the course does not work.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already and not empty: name a new folder")
    for exercise in exercises:
        if not course.reference(exercise).exists():
            raise UsageError(
                f"{exercise.slug} has no reference here: a kit is made from the whole course, not from a kit"
            )
    try:
        return _write(course, out, exercises, seed, note)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None


def _write(course: Course, out: Path, exercises: Sequence[Exercise], seed: int, note: Note) -> list[Path]:
    written = []
    for exercise in exercises:
        folder = out / "exercises" / exercise.folder.name
        names = [exercise.folder / name for name in (*FILES, exercise.filename)]
        for source in [*names, *course.data(exercise)]:
            written.append(folder / source.relative_to(exercise.folder))
            written[-1].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, written[-1])
        with ready(course, exercise, seed, note) as made:
            bank = made.grader.oracle
            assert isinstance(bank, Bank)
            written.append(Course(out).shelf(exercise))
            Shelf(seed, bank, made.recording(note)).save(written[-1])
    text = README.format(
        count=len(exercises),
        points=sum(exercise.points for exercise in exercises),
        package=PACKAGE,
        version=__version__,
        first=exercises[0].slug,
        files=", ".join(f"`{exercise.filename}`" for exercise in exercises),
    )
    written.append(out / "README.md")
    written[-1].write_text(text, "utf-8")
    return written
