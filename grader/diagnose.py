"""Names wrong answers: which known wrong program gives the same answers on the same cases?

The misconceptions are run in the sandbox on the cases that the student's program failed; what they
answer is kept beside the bank. Only a program that agrees on all cases of a check is named.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.bank import read, write
from grader.check import Check
from grader.compare import Growth
from grader.errors import FaultError
from grader.grade import FATAL, Examined, Finding, Grader
from grader.load import variants
from grader.reach import Uses, reached, uses
from grader.recording import ALSO, Recorded, Recording, equal, failed, named, record_of
from grader.verdict import Mistake, Outcome

# of how many failed cases of a check the values are kept: the first, which are the smallest
VALUES = 4
KEPT = 20  # wrong programs that are run before what they answered is kept


@dataclass(frozen=True, slots=True)
class Misconception:
    """A named wrong program.

    Attributes:
        mistake: what the student is told.
        code: of the line in the catalogue that it stands for.
        source: the whole program.
        names: of what it replaces in the right program, or adds to it.
        uses: what leads to what in the right program.
    """

    mistake: Mistake
    code: str
    source: str
    names: frozenset[str]
    uses: Uses

    def concerns(self, asked: set[str]) -> bool:
        """Say whether a probe that asks for these names of a module can meet what is wrong.

        What it cannot reach in the right program is not run, so its answer is that of the right program.
        """
        # by what is named on the way, not only by what is defined: a wrong program may replace an import
        met = asked.union(*(self.uses[name] for name in reached(asked, self.uses)))
        return "*" in asked or not self.names.isdisjoint(met)


def misconceptions(path: Path, base: Path) -> list[Misconception]:
    """Return the wrong programs of a file; each is `base` with some definitions replaced."""
    if not path.exists():
        return []
    found = []
    right = base.read_text("utf-8")
    leads = uses(ast.parse(right).body)
    for name, (text, source, names) in variants(path.read_text("utf-8"), right).items():
        head, _, why = text.partition("\n")
        code, _, what = head.partition(". ")
        mistake = Mistake(name=name, what=what.strip(), why=" ".join(why.split()))
        found.append(Misconception(mistake, code, source, names, leads))
    return found


class Diagnosis:
    """Knows what each misconception answers, and which of them a student's answers equal.

    An answer is asked for when it is first needed, and kept in a cache file.
    """

    def __init__(self, load: Callable[[], Sequence[Misconception]], path: Path, key: Callable[[], str]) -> None:
        self._load = load  # only when something failed: parsing all of them takes a while
        self._path = path
        self._key = key

    def name(
        self, grader: Grader, examined: Sequence[Examined], note: Callable[[str], None] | None = None
    ) -> dict[str, tuple[Mistake, ...]]:
        """Return, for each failed check, the misconceptions that give the same answers.

        Where several do, those that explain most of the failed checks are returned, at most two.
        The grader's sandbox may be used, so no submission is open in it afterwards. `note` is
        called with a sentence before something that takes long.
        """
        wrong = failed(examined)
        if not wrong:
            return {}
        known = self._known(grader)
        if note and not known.answers:
            note(f"comparing with {len(known.wrong)} known mistakes, which takes longer the first time")
        found = named(wrong, {name: program.mistake for name, program in known.wrong.items()}, known.equal)
        self._keep(grader, known)
        return found

    def record(self, grader: Grader, note: Callable[[str], None] | None = None) -> Recording:
        """Run every misconception on every check that it concerns, and return what they answer.

        So submissions can be diagnosed where no misconception is at hand. `note` is as for `name`.
        """
        known = self._known(grader)
        for number, name in enumerate(known.wrong):
            if note and number % KEPT == 0 and (known.learned or not known.answers):
                note(f"{grader.exercise.slug}: running known mistakes, {number} of {len(known.wrong)}, once")
            if number % KEPT == 0:
                self._keep(grader, known)  # who interrupts this goes on here
            for check in grader.checks:
                known.record(name, check)
        self._keep(grader, known)
        mistakes = {name: program.mistake for name, program in known.wrong.items()}
        answers = {name: known.answers.get(name, {}) for name in mistakes}
        return Recording(mistakes, answers)

    def _known(self, grader: Grader) -> "_Known":
        wrong = {item.mistake.name: item for item in self._load()}
        return _Known(grader, wrong, read(self._path, self._key()) or {})

    def _keep(self, grader: Grader, known: "_Known") -> None:
        grader.sandbox.leave()
        if known.learned:
            write(self._path, self._key(), known.answers)
            known.learned = False


class _Known:
    """The answers of misconceptions that can still be asked."""

    def __init__(self, grader: Grader, wrong: Mapping[str, Misconception], answers: dict[str, Any]) -> None:
        self.wrong = wrong
        self.answers: dict[str, dict[str, dict[int, Recorded]]] = answers
        self.learned = False
        self._grader = grader
        self._open = ""

    def equal(self, name: str, examined: Examined) -> bool:
        """Say whether a misconception answers all cases of a check as the student's program did."""
        check = examined.check
        if not self.wrong[name].concerns(self._grader.asked[check.name]):
            return False
        meta = examined.device == "meta"
        return equal(examined, lambda number: self._answer(name, check, number, meta))

    def record(self, name: str, check: Check) -> None:
        """Ask a misconception for all answers of a check that it concerns; one that passes it is no mistake there."""
        if isinstance(check.compare, Growth) or not self.wrong[name].concerns(self._grader.asked[check.name]):
            return
        known, count = self._of(name, check), len(self._grader.oracle.cases(check.name))
        if len(known) == count or any(kind in FATAL for kind, _, _ in known.values()):
            return
        self._load(name)
        for number, finding in enumerate(self._grader.check(check).findings):
            if finding.outcome is Outcome.BROKEN:
                raise FaultError(f"{name} cannot be run: {finding.got.message}")
            if number not in known:
                self._keep(name, check, number, finding)

    def _answer(self, name: str, check: Check, number: int, meta: bool) -> Recorded:
        known = self._of(name, check)
        if number not in known:
            self._load(name)
            case = self._grader.oracle.cases(check.name)[number]
            self._keep(name, check, number, self._grader.case(check, case, meta))
        return known[number]

    def _of(self, name: str, check: Check) -> dict[int, Recorded]:
        return self.answers.setdefault(name, {}).setdefault(check.name, {})

    def _load(self, name: str) -> None:
        if self._open != name:
            self._grader.open(self.wrong[name].source.encode(), fresh=False)
            self._open = name

    def _keep(self, name: str, check: Check, number: int, finding: Finding) -> None:
        known, record = self._of(name, check), record_of(finding)
        values = sum(value is not None for _, _, value in known.values())
        known[number] = record if record[2] is None or values < VALUES else (ALSO, "", None)
        self.learned = True
