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
from grader.grade import CHANGED, Examined, Finding, Grader
from grader.load import variants
from grader.oracle import UNITS
from grader.reach import Uses, reached, uses
from grader.verdict import Mistake, Outcome

ROUNDINGS = 8  # of a wrong value itself that are allowed around it
# one answer of a wrong program: its kind, the exception's name, the value
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
        silent = (Outcome.PASSED, Outcome.NOT_STARTED, Outcome.BROKEN, Outcome.REFUSED)
        failed = [item for item in examined if item.ran and item.outcome not in silent]
        if not failed:
            return {}
        wrong = {item.mistake.name: item for item in self._load()}
        key = self._key()
        known = _Known(grader, wrong, read(self._path, key) or {})
        if note and not known.answers:
            note(f"comparing with {len(wrong)} known mistakes, which takes longer the first time")
        matches: dict[str, list[str]] = {item.check.name: [] for item in failed}
        # one misconception after the other: a program is loaded once for all checks
        for name, program in wrong.items():
            for item in failed:
                if program.concerns(grader.asked[item.check.name]) and known.equal(name, item):
                    matches[item.check.name].append(name)
        grader.sandbox.leave()
        if known.learned:
            write(self._path, key, known.answers)
        weight = {name: sum(name in found for found in matches.values()) for name in wrong}
        named = {}
        for check, found in matches.items():
            best = max((weight[name] for name in found), default=0)
            named[check] = tuple(wrong[name].mistake for name in found if weight[name] == best)[:2]
        return named


class _Known:
    """The answers of misconceptions: misconception -> check -> number of the case -> answer."""

    def __init__(self, grader: Grader, wrong: Mapping[str, Misconception], answers: dict[str, Any]) -> None:
        self.answers: dict[str, dict[str, dict[int, Recorded]]] = answers
        self.learned = False
        self._grader = grader
        self._wrong = wrong
        self._open = ""

    def equal(self, name: str, examined: Examined) -> bool:
        """Say whether a misconception answers all cases of a check as the student's program did."""
        if isinstance(examined.check.compare, Growth):
            return False  # counts of steps are never the same twice
        numbers = list(range(len(examined.findings)))
        # a case that the program failed first: most misconceptions are out after it
        numbers.sort(key=lambda number: examined.findings[number].outcome is Outcome.PASSED)
        return all(
            _same_answer(examined.check, examined.findings[number], self._answer(name, examined, number))
            for number in numbers
        )

    def _answer(self, name: str, examined: Examined, number: int) -> Recorded:
        check = examined.check
        known = self.answers.setdefault(name, {}).setdefault(check.name, {})
        if number not in known:
            if self._open != name:
                self._grader.open(self._wrong[name].source.encode(), fresh=False)
                self._open = name
            case = self._grader.oracle.cases(check.name)[number]
            known[number] = _record(self._grader.case(check, case, meta=examined.device == "meta"))
            self.learned = True
        return known[number]


def _record(finding: Finding) -> Recorded:
    # what was wrong although the value is right: the inputs were changed
    touched = finding.difference is not None and finding.difference.got == CHANGED
    return ("touched" if touched else finding.got.kind, finding.got.error, finding.got.value)


def _same_answer(check: Check, finding: Finding, record: Recorded) -> bool:
    mine = _record(finding)
    if mine[0] != record[0] or mine[1] != record[1]:
        return False
    if mine[0] not in ("value", "touched"):
        return True
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
