"""Makes an exercise ready to grade: its checks, a bank of cases and answers, the known mistakes."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.bank import Bank, cached, key_of
from grader.cache import cache_folder
from grader.check import Check
from grader.course import Course
from grader.diagnose import Diagnosis, Misconception, misconceptions
from grader.errors import FaultError, UsageError
from grader.exercise import Exercise
from grader.fence import Fence
from grader.grade import Examined, Grader
from grader.load import probes
from grader.oracle import Reference, load_checks, reference_of
from grader.recording import Recording
from grader.sandbox import Sandbox
from grader.shelf import Shelf
from grader.tier import best
from grader.verdict import Mistake

KEPT = 3  # cached recordings of one exercise; older ones are removed

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ready:
    """All that grading one exercise needs."""

    course: Course
    exercise: Exercise
    grader: Grader
    diagnosis: Diagnosis | Recording
    seed: int

    def name(self, examined: Sequence[Examined], note: Note | None = None) -> dict[str, tuple[Mistake, ...]]:
        """Return, for each failed check, the misconceptions that give the same answers; see `Diagnosis.name`."""
        if isinstance(self.diagnosis, Recording):
            return self.diagnosis.name(examined)
        return self.diagnosis.name(self.grader, examined, note)

    def recording(self, note: Note | None = None) -> Recording:
        """Return what all misconceptions answer; see `Diagnosis.record`."""
        if isinstance(self.diagnosis, Recording):
            return self.diagnosis
        return self.diagnosis.record(self.grader, note)

    def reference(self) -> Reference:
        """Return the live reference; loading it takes as long as importing what it needs."""
        course, exercise = self.course, self.exercise
        return reference_of(course.checks(exercise), course.reference(exercise), exercise.slug, self.seed)


@contextmanager
def ready(
    course: Course, exercise: Exercise, seed: int, note: Note | None = None, fence: Fence | None = None
) -> Iterator[Ready]:
    """Start a worker and find or record the bank of an exercise.

    Args:
        course: that has the exercise.
        exercise: what will be graded.
        seed: of the cases.
        note: called with a sentence before something that takes long.
        fence: what the worker stands behind, None for the best that works here.

    Raises:
        FaultError: a file of the course or the worker does not work.
        UsageError: this is a kit, which has the cases of one seed, and another was asked for.
    """
    shelf = Shelf.open(course.shelf(exercise)) if course.public(exercise) else None
    if shelf and seed not in (0, shelf.seed):
        raise UsageError(f"--seed {seed}: a kit has its own cases and no others; leave --seed away")
    with Sandbox(exercise.preload, fence or best()) as sandbox:  # it starts while the bank is read
        checks = load_checks(course.checks(exercise), exercise.slug)
        source = course.checks(exercise).read_text("utf-8")
        if shelf:
            grader = Grader(exercise, checks, shelf.bank, sandbox, probes(source))
            yield Ready(course, exercise, grader, shelf.recording, shelf.seed)
            return
        files = [course.checks(exercise), course.reference(exercise), *course.data(exercise)]
        key = key_of(files, seed)
        folder = cache_folder() / f"{exercise.slug}-{key}"
        bank = cached(folder / "bank", key, lambda: _record(course, exercise, checks, seed, note))
        grader = Grader(exercise, checks, bank, sandbox, probes(source))
        yield Ready(course, exercise, grader, _diagnosis(course, exercise, files, folder, seed), seed)


def _record(course: Course, exercise: Exercise, checks: list[Check], seed: int, note: Note | None) -> Bank:
    path = course.reference(exercise)
    if not path.exists():
        raise FaultError(f"{exercise.slug} cannot be graded: there is neither a bank nor {path}")
    if note:
        note(f"recording the answers for {exercise.slug}, once")
    _sweep(cache_folder(), exercise.slug)
    reference = reference_of(course.checks(exercise), path, exercise.slug, seed)
    return Bank.record(reference, [check.name for check in checks])


def _diagnosis(course: Course, exercise: Exercise, files: list[Path], folder: Path, seed: int) -> Diagnosis:
    more = [course.misconceptions(exercise), course.solution(exercise)]

    def load() -> list[Misconception]:
        return misconceptions(*more) if all(path.exists() for path in more) else []

    return Diagnosis(load, folder / "mistakes", lambda: key_of([*files, *more], seed))


def _sweep(folder: Path, slug: str) -> None:
    """Remove the oldest recordings of an exercise."""
    old = sorted(folder.glob(f"{slug}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in old[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
