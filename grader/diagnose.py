"""Names wrong answers: which known wrong program gives the same answers on the same cases?

The misconceptions are run once, in the sandbox like any submission; what each of them answers is kept
beside the bank. A check's answers are then compared with theirs, case by case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.bank import read, write
from grader.case import Answer, Array, Measured
from grader.check import Check
from grader.compare import Exact, Growth
from grader.draw import as_array
from grader.grade import Examined, Finding, Grader
from grader.load import variants
from grader.verdict import Mistake, Outcome
from grader.wire import numbers

# one answer of a wrong program: its kind, the exception's name, the value
Recorded = tuple[str, str, Any]


@dataclass(frozen=True, slots=True)
class Misconception:
    """A named wrong program.

    Attributes:
        mistake: what the student is told.
        code: of the line in the catalogue that it stands for.
        source: the whole program.
    """

    mistake: Mistake
    code: str
    source: str


def misconceptions(path: Path, base: Path) -> list[Misconception]:
    """Return the wrong programs of a file; each is `base` with some definitions replaced."""
    if not path.exists():
        return []
    found = []
    for name, (text, source) in variants(path.read_text("utf-8"), base.read_text("utf-8")).items():
        head, _, why = text.partition("\n")
        code, _, what = head.partition(". ")
        mistake = Mistake(name=name, what=what.strip(), why=" ".join(why.split()))
        found.append(Misconception(mistake, code, source))
    return found


class Diagnosis:
    """Knows what each misconception answers to the cases of each check that it fails.

    The answers to a check are recorded when the check is first failed, and kept in a cache file.
    """

    def __init__(self, wrong: Sequence[Misconception], folder: Path, key: str) -> None:
        self._wrong = {item.mistake.name: item for item in wrong}
        self._folder = folder
        self._key = key

    def name(
        self, grader: Grader, examined: Sequence[Examined], note: Callable[[str], None] | None = None
    ) -> dict[str, tuple[Mistake, ...]]:
        """Return, for each failed check, the misconceptions that give the same answers.

        Where several do, those that explain most of the failed checks are returned, at most two.
        The grader's sandbox may be used, so no submission is open in it afterwards.
        """
        silent = (Outcome.PASSED, Outcome.NOT_STARTED, Outcome.BROKEN, Outcome.REFUSED)
        failed = [item for item in examined if item.outcome not in silent and item.ran]
        known = {item.check.name: self._known(grader, item.check, note) for item in failed}
        matches = {
            item.check.name: [name for name, answers in known[item.check.name].items() if same(item, answers)]
            for item in failed
        }
        weight = {name: sum(name in found for found in matches.values()) for name in self._wrong}
        named = {}
        for check, found in matches.items():
            best = max((weight[name] for name in found), default=0)
            named[check] = tuple(self._wrong[name].mistake for name in found if weight[name] == best)[:2]
        return named

    def _known(self, grader: Grader, check: Check, note: Callable[[str], None] | None) -> dict[str, list[Recorded]]:
        path = self._folder / f"{check.name}.mistakes"
        known = read(path, self._key)
        if known is None:
            if note:
                note(check.title)
            known = {}
            for name, item in self._wrong.items():
                found = grader.examine(item.source.encode(), only=[check])
                known |= {name: answers for answers in recorded(found).values()}
            write(path, self._key, known)
        answers: dict[str, list[Recorded]] = known
        return answers


def recorded(examined: Sequence[Examined]) -> dict[str, list[Recorded]]:
    """Return the answers of a program to the checks that it fails."""
    return {
        item.check.name: [_record(finding) for finding in item.findings]
        for item in examined
        if item.outcome not in (Outcome.PASSED, Outcome.BROKEN)
    }


def _record(finding: Finding) -> Recorded:
    # what was wrong although the value is right: the inputs were changed, a shortcut was called
    if finding.outcome is Outcome.REFUSED:
        return ("refused", finding.got.calls[0] if finding.got.calls else "", None)
    touched = finding.difference is not None and finding.difference.got == "changed inputs"
    return ("touched" if touched else finding.got.kind, finding.got.error, finding.got.value)


def same(examined: Examined, other: Sequence[Recorded]) -> bool:
    """Say whether a program's findings are the answers of another program."""
    if len(examined.findings) != len(other) or isinstance(examined.check.compare, Growth):
        return False
    return all(
        _same_answer(examined.check, finding, record)
        for finding, record in zip(examined.findings, other, strict=True)
    )


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
        exact = as_array(numbers(value).astype("float64"), "float64")
        if value.shape == expected.value.shape:
            return Measured(value, exact, expected.noise)
        return Measured(value, exact, as_array(0 * numbers(exact), "float64"))
    if isinstance(expected, (list, tuple)) and isinstance(value, (list, tuple)) and len(expected) == len(value):
        return [_measured(want, have) for want, have in zip(expected, value, strict=True)]
    if isinstance(expected, dict) and isinstance(value, dict):
        return {key: _measured(expected.get(key), item) for key, item in value.items()}
    return value
