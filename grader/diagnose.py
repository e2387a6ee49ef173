"""Names wrong answers: which known wrong program gives the same answers on the same cases?

The misconceptions are run in the sandbox on the cases that the student's program failed; what they
answer is kept beside the bank. Only a program that agrees on all cases of a check is named.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.array import numbers
from grader.bank import read, write
from grader.case import Answer, Array, Measured
from grader.check import Check
from grader.compare import Exact, Growth
from grader.draw import as_array
from grader.grade import CHANGED, FATAL, Examined, Finding, Grader
from grader.load import variants
from grader.oracle import UNITS
from grader.prints import prints
from grader.reach import Uses, reached, uses
from grader.verdict import Mistake, Outcome

# what is kept of a case that a wrong program passes, and of one that it fails after some others
PASSED, ALSO = "passed", "also"
# of how many failed cases of a check the values are kept: the first, which are the smallest
VALUES = 4
ROUNDINGS = 8  # of a wrong value itself that are allowed around it
KEPT = 20  # wrong programs that are run before what they answered is kept
# one answer of a wrong program: its kind, PASSED or ALSO, the exception's name, the value
Recorded = tuple[str, str, Any]


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
        failed = _failed(examined)
        if not failed:
            return {}
        known = self._known(grader)
        if note and not known.answers:
            note(f"comparing with {len(known.wrong)} known mistakes, which takes longer the first time")
        found = _named(failed, {name: program.mistake for name, program in known.wrong.items()}, known.equal)
        self._keep(grader, known)
        return found

    def record(self, grader: Grader, note: Callable[[str], None] | None = None) -> "Recording":
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


@dataclass(frozen=True, slots=True)
class Recording:
    """What all misconceptions of an exercise answer: enough to name a mistake without running one.

    Attributes:
        mistakes: by name, in the order of the file.
        answers: misconception -> check -> number of the case -> answer. A case that is not there was not
            reached: the check had ended before.
        hashed: whether the values are fingerprints (prints.py).
    """

    mistakes: dict[str, Mistake]
    answers: dict[str, dict[str, dict[int, Recorded]]]
    hashed: bool = False

    def printed(self) -> "Recording":
        """Return the same with fingerprints for values, which tell nothing but whether an answer is the same."""
        if self.hashed:
            return self
        answers = {
            name: {
                check: {number: (kind, error, _print(value)) for number, (kind, error, value) in cases.items()}
                for check, cases in checks.items()
            }
            for name, checks in self.answers.items()
        }
        return Recording(self.mistakes, answers, hashed=True)

    def name(self, examined: Sequence[Examined]) -> dict[str, tuple[Mistake, ...]]:
        """Return, for each failed check, the misconceptions that give the same answers; see `Diagnosis.name`."""
        return _named(_failed(examined), self.mistakes, self._equal)

    def _equal(self, name: str, item: Examined) -> bool:
        known = self.answers[name].get(item.check.name, {})
        return _equal(item, known.get, self.hashed) if known else False


def _print(value: Any) -> Any:
    return None if value is None else list(prints(value))


def _failed(examined: Sequence[Examined]) -> list[Examined]:
    silent = (Outcome.PASSED, Outcome.NOT_STARTED, Outcome.BROKEN, Outcome.REFUSED)
    return [item for item in examined if item.ran and item.outcome not in silent]


def _named(
    failed: Sequence[Examined], mistakes: Mapping[str, Mistake], equal: Callable[[str, Examined], bool]
) -> dict[str, tuple[Mistake, ...]]:
    matches: dict[str, list[str]] = {item.check.name: [] for item in failed}
    # one misconception after the other: a program is loaded once for all checks
    for name in mistakes:
        for item in failed:
            if equal(name, item):
                matches[item.check.name].append(name)
    weight = {name: sum(name in found for found in matches.values()) for name in mistakes}
    named = {}
    for check, found in matches.items():
        best = max((weight[name] for name in found), default=0)
        named[check] = tuple(mistakes[name] for name in found if weight[name] == best)[:2]
    return named


def _equal(examined: Examined, answer: Callable[[int], Recorded | None], hashed: bool = False) -> bool:
    """Say whether a misconception answers all cases of a check as the student's program did."""
    if isinstance(examined.check.compare, Growth):
        return False  # counts of steps are never the same twice
    numbers = list(range(len(examined.findings)))
    # a case that the program failed first: most misconceptions are out after it
    numbers.sort(key=lambda number: examined.findings[number].outcome is Outcome.PASSED)
    return all(_same_answer(examined.check, examined.findings[number], answer(number), hashed) for number in numbers)


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
        return _equal(examined, lambda number: self._answer(name, check, number, meta))

    def record(self, name: str, check: Check) -> None:
        """Ask a misconception for all answers of a check that it concerns; one that passes it is no mistake there."""
        if isinstance(check.compare, Growth) or not self.wrong[name].concerns(self._grader.asked[check.name]):
            return
        for number in range(len(self._grader.oracle.cases(check.name))):
            if self._answer(name, check, number, check.device == "portable")[0] in FATAL:
                break

    def _answer(self, name: str, check: Check, number: int, meta: bool) -> Recorded:
        known = self.answers.setdefault(name, {}).setdefault(check.name, {})
        if number not in known:
            if self._open != name:
                self._grader.open(self.wrong[name].source.encode(), fresh=False)
                self._open = name
            case = self._grader.oracle.cases(check.name)[number]
            record = _record(self._grader.case(check, case, meta))
            values = sum(value is not None for _, _, value in known.values())
            known[number] = record if record[2] is None or values < VALUES else (ALSO, "", None)
            self.learned = True
        return known[number]


def _record(finding: Finding) -> Recorded:
    if finding.outcome is Outcome.PASSED:
        return (PASSED, "", None)
    # what was wrong although the value is right: the inputs were changed
    touched = finding.difference is not None and finding.difference.got == CHANGED
    return ("touched" if touched else finding.got.kind, finding.got.error, finding.got.value)


def _same_answer(check: Check, finding: Finding, record: Recorded | None, hashed: bool) -> bool:
    mine = _record(finding)
    if record is not None and record[0] == ALSO:
        return mine[0] != PASSED
    if record is None or mine[0] != record[0] or mine[1] != record[1]:
        return False
    if mine[0] not in ("value", "touched"):
        return True
    if hashed:
        return record[2] is None or not set(record[2]).isdisjoint(prints(mine[2]))
    if not check.compare.measured:
        return Exact().compare(finding.case.inputs, Answer("value", record[2]), mine[2]) is None
    # the same rounding errors are allowed around the wrong value as around the right one
    target = _measured(finding.expected.value, record[2])
    return check.compare.compare(finding.case.inputs, Answer("value", target), mine[2]) is None


def _measured(expected: Any, value: Any) -> Any:
    """Return another program's value with the noise that the reference has at the same place."""
    if isinstance(expected, Measured) and isinstance(value, Array) and value.library == "torch":
        wrong = numbers(value).astype("float64")
        exact = as_array(wrong, "float64")
        if value.shape == expected.value.shape and value.dtype in UNITS:
            # the same program in another process rounds otherwise where libraries look at how memory is aligned
            noise = numbers(expected.noise) + ROUNDINGS * UNITS[value.dtype] * abs(wrong)
            return Measured(value, exact, as_array(noise, "float64"))
        return Measured(value, exact, replace(exact, data=bytes(len(exact.data))))
    if isinstance(expected, (list, tuple)) and isinstance(value, (list, tuple)) and len(expected) == len(value):
        return [_measured(want, have) for want, have in zip(expected, value, strict=True)]
    if isinstance(expected, dict) and isinstance(value, dict):
        return {key: _measured(expected.get(key), item) for key, item in value.items()}
    return value
