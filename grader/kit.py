"""Makes a student kit by addition: what is not on the list does not get in.

For each exercise its task, starter, checks and settings, and a file with the public cases (shelf.py); for each quiz its
questions without keys, and a blank answer file. No reference, no solution, no misconception, no key.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import __version__
from grader.bank import Bank
from grader.course import Course
from grader.errors import UsageError
from grader.exercise import Exercise
from grader.papers.form import code, derived, redact, write
from grader.papers.roster import Roster, Row
from grader.quiz.bank import files, load
from grader.quiz.item import Quiz
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
{quizzes}"""
QUIZZES = """
The folders under `quizzes/` have questions: read quiz.md, fill in answers.yaml beside it, and hand that in too.
"""
PACKAGE = "llm-fundamentals-grader"
# files of an exercise that students get, beside the starter and what the checks read
FILES = ("README.md", "exercise.yaml", "checks.py")


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a kit.

    Attributes:
        exercises: in order of study.
        quizzes: whose questions go in.
        seed: of the public cases, those of the instructor must have another; and of the order of questions.
    """

    exercises: Sequence[Exercise]
    quizzes: Sequence[Quiz] = ()
    seed: int = 0


def about(course: Course, exercises: Sequence[Exercise]) -> list[Quiz]:
    """Return the quizzes for some exercises: those half of whose questions they practise; for all exercises, all.

    Raises:
        UsageError: a quiz file is wrong.
    """
    if not course.quizzes.is_dir():
        return []
    slugs = {exercise.slug for exercise in exercises}
    whole = slugs == {exercise.slug for exercise in course.exercises()}
    quizzes = load(files(course.quizzes)).quizzes
    return [quiz for quiz in quizzes if whole or 2 * sum(i.exercise in slugs for i in quiz.items) >= len(quiz.items)]


def make(course: Course, out: Path, contents: Contents, note: Note) -> list[Path]:
    """Write a kit, and beside it, in <out>-forms, what staff need to mark its quizzes.

    Args:
        course: the whole one, with references.
        out: folder that is made; it must not be there, or be empty.
        contents: what goes in.
        note: called with a sentence before something that takes long.

    Returns:
        the files that were written.

    Raises:
        UsageError: the folder is in use, or a reference or starter is missing.
        FaultError: a file of the course does not work.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already and not empty: name a new folder")
    for exercise in contents.exercises:
        if not course.reference(exercise).exists():
            raise UsageError(
                f"{exercise.slug} has no reference here: a kit is made from the whole course, not from a kit"
            )
    try:
        return [*_write(course, out, contents, note), *_asked(out, contents), _read_me(out, contents)]
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None


def _write(course: Course, out: Path, contents: Contents, note: Note) -> list[Path]:
    written = []
    for exercise in contents.exercises:
        folder = out / "exercises" / exercise.folder.name
        names = [exercise.folder / name for name in (*FILES, exercise.filename)]
        for source in [*names, *course.data(exercise)]:
            written.append(folder / source.relative_to(exercise.folder))
            written[-1].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, written[-1])
        with ready(course, exercise, contents.seed, note) as made:
            bank = made.grader.oracle
            assert isinstance(bank, Bank)
            written.append(Course(out).shelf(exercise))
            Shelf(contents.seed, bank, made.recording(note)).save(written[-1])
    return written


def _asked(out: Path, contents: Contents) -> list[Path]:
    """Write the forms of quizzes, the same for all students, and the lists of forms for staff."""
    secret = f"{PACKAGE} kit {contents.seed}"
    written = []
    for quiz in contents.quizzes:
        letters = derived(secret, quiz.quiz)
        written += write(redact([quiz], letters), out / "quizzes" / quiz.quiz)
        Roster([Row("", code([quiz], letters), letters)]).save(forms(out) / f"{quiz.quiz}.csv")
    return written


def forms(out: Path) -> Path:
    """Return the folder beside a kit that staff need to mark its quizzes."""
    whole = out.resolve()  # beside it even if it is "."
    return whole.parent / f"{whole.name}-forms"


def _read_me(out: Path, contents: Contents) -> Path:
    text = README.format(
        count=len(contents.exercises),
        points=sum(exercise.points for exercise in contents.exercises),
        package=PACKAGE,
        version=__version__,
        first=contents.exercises[0].slug,
        files=", ".join(f"`{exercise.filename}`" for exercise in contents.exercises),
        quizzes=QUIZZES if contents.quizzes else "",
    )
    path = out / "README.md"
    path.write_text(text, "utf-8")
    return path
