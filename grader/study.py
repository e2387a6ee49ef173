"""Grades files the way a student wants it: with the smallest case and the name of the mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grader import __version__
from grader.course import Course, find_course, read_submission
from grader.errors import EmptyError, UsageError
from grader.exercise import Exercise
from grader.fence import Fence
from grader.grade import Examined, Finding
from grader.mark import evidence_of, grade_of, in_public, message_of, unread, verdict_of
from grader.quiz.link import with_questions
from grader.ready import Note, Ready, ready
from grader.shrink import shrink
from grader.verdict import Grade, Outcome, Result

Device = Literal["cpu", "cuda"]

PUBLIC = "These are the public cases. Your instructor grades with others: what passes here may still fail there."


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asks to be graded.

    Attributes:
        names: slugs of exercises; all of the course if empty.
        source: file or folder with the student's files, None for those in the course.
        device: "cpu", "cuda", "auto" (cuda where there is a GPU) or "all" (both).
        smallest: see `study`.
        seed: of the cases.
        course: folder of the course, None for the one around.
    """

    names: Sequence[str]
    source: Path | None
    device: Literal["cpu", "cuda", "auto", "all"]
    smallest: bool | None
    seed: int
    course: Path | None


def run(wish: Wish, note: Note | None = None) -> Result:
    """Grade all that is asked for.

    Raises:
        UsageError: an exercise, a file or a device is not there.
        EmptyError: none of the files is there.
        FaultError: a file of the course or the worker does not work.
    """
    course = find_course(wish.course)
    paths = _paths(course, wish)
    if not any(path.exists() for _, path in paths):
        raise EmptyError(f"there is nothing to grade: looked for {', '.join(str(path) for _, path in paths)}")
    grades: list[Grade] = []
    notes: list[str] = []
    for exercise, path in paths:
        # a GPU's driver cannot be fenced in
        fence = None if wish.device == "cpu" else Fence()
        with ready(course, exercise, wish.seed, note, fence) as made:
            devices, sentence = _devices(made, wish.device)
            grades.append(study(made, path, devices, wish.smallest, note))
        notes += [sentence] if sentence and sentence not in notes else []
    if any(course.public(exercise) for exercise, _ in paths):
        notes.append(PUBLIC)
    return Result(
        grader=__version__,
        seed=wish.seed,
        device=wish.device,
        note=" ".join(notes),
        score=sum(grade.score for grade in grades),
        points=sum(grade.points for grade in grades),
        exercises=tuple(grades),
    )


def _paths(course: Course, wish: Wish) -> list[tuple[Exercise, Path]]:
    """Return the exercises that are asked for, each with the student's file."""
    source = wish.source
    exercises = [course.find(name) for name in wish.names] if wish.names else course.exercises()
    if source is not None and not source.exists():
        raise UsageError(f"--from {source}: there is no such file or folder")
    others = {exercise.filename for exercise in course.exercises()} - {exercise.filename for exercise in exercises}
    if source is not None and source.is_file() and source.name in others:
        raise UsageError(f"--from {source}: this is the file of another exercise than {', '.join(wish.names)}")
    if source is not None and source.is_file() and len(exercises) != 1:
        exercises = [exercise for exercise in exercises if exercise.filename == source.name]
        if not exercises:
            example = f"grader check bpe --from {source}"
            raise UsageError(f"--from {source}: say which exercise this file is for, as in: {example}")
    return [(exercise, course.submission(exercise, source)) for exercise in exercises]


def _devices(made: Ready, wanted: str) -> tuple[tuple[Device, ...], str]:
    """Return the devices to grade on, and what the user should know about them."""
    if wanted == "cpu" or "torch" not in made.exercise.preload:
        return ("cpu",), ""
    if made.grader.sandbox.has_cuda():
        return (("cpu", "cuda") if wanted == "all" else ("cuda",)), ""
    if wanted == "auto":
        return ("cpu",), "No CUDA device was found: graded on the CPU."
    raise UsageError(f"--device {wanted}: torch finds no CUDA device here; --device auto takes the CPU then")


def study(
    made: Ready,
    path: Path,
    devices: Sequence[Device] = ("cpu",),
    smallest: bool | None = None,
    note: Note | None = None,
) -> Grade:
    """Grade a file.

    Args:
        made: the exercise, ready to grade.
        path: of the student's file.
        devices: where the checks run; a check passes if it passes on all of them.
        smallest: whether to search a smaller failing case with the live reference; None means: if
            that needs no library to be loaded first.
        note: called with a sentence before something that takes long.

    Raises:
        FaultError: the worker does not work.
        UsageError: a smaller case is asked for, and this is a kit.
    """
    exercise, grader = made.exercise, made.grader
    try:
        source = read_submission(path, exercise)
    except EmptyError:
        return _unread(made, path, Outcome.NOT_STARTED, f"there is no file {path}")
    except ValueError as error:
        return _unread(made, path, Outcome.ERROR, str(error))
    examined = _examine(made, source, devices)
    shrunk: dict[str, Finding] = {}
    if smallest and made.course.public(exercise):
        raise UsageError("--shrink needs the reference, which a kit does not have; leave it away")
    if smallest is None:
        smallest = not exercise.preload
    if smallest and made.course.reference(exercise).exists():
        shrunk = _shrink(made, source, examined, devices[0])
    mistakes = with_questions(made.course, exercise, made.name(examined, note))
    verdicts = []
    for item in examined:
        verdict = verdict_of(item)
        if found := shrunk.get(item.check.name):
            verdict = verdict.model_copy(update={"evidence": evidence_of(found, True), "message": message_of(found)})
        verdicts.append(verdict.model_copy(update={"mistakes": mistakes.get(item.check.name, ())}))
    grade = grade_of(exercise, str(path), verdicts, grader.sandbox.fence.tier, source)
    return in_public(grade) if made.course.public(exercise) else grade


def _examine(made: Ready, source: bytes, devices: Sequence[Device]) -> list[Examined]:
    """Run the checks on each device and keep, for each check, the first failure."""
    runs = [made.grader.examine(source, device) for device in devices]
    return [next((item for item in same if item.failure), same[0]) for same in zip(*runs, strict=True)]


def _shrink(made: Ready, source: bytes, examined: Sequence[Examined], device: Device) -> dict[str, Finding]:
    """Return a smaller failing case for each failed check that has one."""
    failed = [item for item in examined if item.ran and item.outcome in (Outcome.FAILED, Outcome.ERROR)]
    if not failed:
        return {}
    reference = made.reference()
    made.grader.open(source, device)
    found = {}
    for item in failed:
        assert item.failure is not None
        smaller = shrink(made.grader, reference, item.check, item.failure, made.seed)
        if smaller is not item.failure:
            found[item.check.name] = smaller
    made.grader.sandbox.leave()
    return found


def _unread(made: Ready, path: Path, outcome: Outcome, message: str) -> Grade:
    """Return the grade of a file that cannot even be read."""
    return grade_of(made.exercise, str(path), unread(made.grader.checks, outcome, message))
