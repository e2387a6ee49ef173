"""What known mistakes answered, and which of them a student's answers equal: nothing is run here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.array import numbers
from grader.case import Answer, Array, Measured
from grader.check import Check
from grader.compare import Exact, Growth
from grader.draw import as_array
from grader.grade import CHANGED, Examined, Finding
from grader.oracle import UNITS
from grader.prints import prints
from grader.verdict import Mistake, Outcome

# what is kept of a case that a wrong program passes, and of one that it fails after some others
PASSED, ALSO = "passed", "also"
ROUNDINGS = 8  # of a wrong value itself that are allowed around it
# one answer of a wrong program: its kind, PASSED or ALSO, the exception's name, the value
Recorded = tuple[str, str, Any]


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
        return named(failed(examined), self.mistakes, self._equal)

    def _equal(self, name: str, item: Examined) -> bool:
        known = self.answers[name].get(item.check.name, {})
        return equal(item, known.get, self.hashed) if known else False


def _print(value: Any) -> Any:
    return None if value is None else list(prints(value))


def failed(examined: Sequence[Examined]) -> list[Examined]:
    """Return the checks at which a program answered something wrong."""
    silent = (Outcome.PASSED, Outcome.NOT_STARTED, Outcome.BROKEN, Outcome.REFUSED)
    return [item for item in examined if item.ran and item.outcome not in silent]


def named(
    wrong: Sequence[Examined], mistakes: Mapping[str, Mistake], equal: Callable[[str, Examined], bool]
) -> dict[str, tuple[Mistake, ...]]:
    """Return the mistakes that explain each wrong check: those that explain most of them all, at most two."""
    matches: dict[str, list[str]] = {item.check.name: [] for item in wrong}
    # one misconception after the other: a program is loaded once for all checks
    for name in mistakes:
        for item in wrong:
            if equal(name, item):
                matches[item.check.name].append(name)
    weight = {name: sum(name in found for found in matches.values()) for name in mistakes}
    best_of = {}
    for check, found in matches.items():
        best = max((weight[name] for name in found), default=0)
        best_of[check] = tuple(mistakes[name] for name in found if weight[name] == best)[:2]
    return best_of


def equal(examined: Examined, answer: Callable[[int], Recorded | None], hashed: bool = False) -> bool:
    """Say whether a misconception answers all cases of a check as the student's program did."""
    if isinstance(examined.check.compare, Growth):
        return False  # counts of steps are never the same twice
    numbers = list(range(len(examined.findings)))
    # a case that the program failed first: most misconceptions are out after it
    numbers.sort(key=lambda number: examined.findings[number].outcome is Outcome.PASSED)
    return all(_same_answer(examined.check, examined.findings[number], answer(number), hashed) for number in numbers)


def record_of(finding: Finding) -> Recorded:
    """Return what is kept of an answer."""
    if finding.outcome is Outcome.PASSED:
        return (PASSED, "", None)
    # what was wrong although the value is right: the inputs were changed
    touched = finding.difference is not None and finding.difference.got == CHANGED
    return ("touched" if touched else finding.got.kind, finding.got.error, finding.got.value)


def _same_answer(check: Check, finding: Finding, record: Recorded | None, hashed: bool) -> bool:
    mine = record_of(finding)
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
