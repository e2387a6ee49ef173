"""All that grading one exercise needs, as data: made once, sent to every process that grades.

There is no reference in it, no solution and no wrong program: cases, true answers, the checks' comparisons,
the probes, and what the known mistakes answer.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from grader import __version__
from grader.bank import Bank, key_of
from grader.check import checks_of
from grader.errors import FaultError
from grader.exercise import Exercise
from grader.grade import Grader
from grader.load import load, probes
from grader.mark import grade_of, in_public, verdict_of
from grader.ready import Note, Ready
from grader.recording import Recording
from grader.sandbox import Sandbox
from grader.verdict import Grade
from grader.wire import TRUSTED, pack, unpack


@dataclass(frozen=True, slots=True)
class Bundle:
    """One exercise, ready to grade anywhere.

    Attributes:
        exercise: what exercise.yaml says.
        checks: source of checks.py.
        bank: cases and true answers, packed.
        recording: what the known mistakes answer.
        key: digest of all that decides about a grade, the version of the grader included.
    """

    exercise: Exercise
    checks: str
    bank: bytes
    recording: Recording
    key: str
    version: str = __version__

    def desk(self, sandbox: Sandbox) -> "Desk":
        """Return what grades this exercise in a sandbox.

        Raises:
            FaultError: another version of the grader made the bundle.
        """
        if self.version != __version__:
            raise FaultError(f"the batch is graded by version {self.version}, this machine has {__version__}")
        name = f"checks_{self.exercise.slug}"
        checks = checks_of(load(self.checks.encode(), name, f"{name}.py"))
        bank = Bank.of(unpack(self.bank, TRUSTED))
        grader = Grader(self.exercise, checks, bank, sandbox, probes(self.checks))
        grader.remember = True
        return Desk(grader, self.recording)


@dataclass(frozen=True, slots=True)
class Desk:
    """Grades submissions of one exercise."""

    grader: Grader
    recording: Recording

    def grade(self, source: bytes) -> Grade:
        """Return the grade of a file.

        Raises:
            FaultError: the worker failed before anything could be said.
        """
        grader = self.grader
        examined = grader.examine(source)
        mistakes = self.recording.name(examined)
        verdicts = [
            verdict_of(item).model_copy(update={"mistakes": mistakes.get(item.check.name, ())}) for item in examined
        ]
        made = grade_of(grader.exercise, grader.exercise.filename, verdicts, grader.sandbox.fence.tier, source)
        return in_public(made) if self.recording.hashed else made


def bundle(made: Ready, note: Note | None = None) -> Bundle:
    """Return the bundle of an exercise that is ready to grade; `note` is told of what takes long."""
    course, exercise = made.course, made.exercise
    bank = made.grader.oracle
    assert isinstance(bank, Bank)
    recording = made.recording(note)
    files = [course.checks(exercise), course.reference(exercise), course.misconceptions(exercise)]
    more = [
        course.solution(exercise),
        course.shelf(exercise),
        exercise.folder / "exercise.yaml",
        *course.data(exercise),
    ]
    total = hashlib.sha256(f"{__version__}/{key_of([*files, *more], made.seed)}".encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):  # any change of ours may change a mark
        total.update(path.read_bytes())
    source = course.checks(exercise).read_text("utf-8")
    return Bundle(exercise, source, pack(bank.dump(), TRUSTED), recording, total.hexdigest())
