"""What has changed between two results of a class: whose mark moved, on which check, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.gradebook import cell
from grader.show import clean
from grader.verdict import Grade, Result, Verdict


@dataclass(frozen=True, slots=True)
class Move:
    """A check of a student that is worth more or less than before, or was found to be something else.

    Attributes:
        student: as the folder names them.
        exercise, check: slugs; `check` is empty where a student or an exercise came or went as a whole.
        before, after: points.
        why: a sentence.
    """

    student: str
    exercise: str
    check: str
    before: int
    after: int
    why: str

    @property
    def difference(self) -> int:
        """Points gained, negative if they were lost."""
        return self.after - self.before


def moves(before: Sequence[Result], after: Sequence[Result]) -> list[Move]:
    """Return what moved, by student, in the order of the exercises."""
    old, new = ({result.student: result for result in results} for results in (before, after))
    found: list[Move] = []
    for student in sorted(old.keys() | new.keys()):
        found += _of_student(student, old.get(student), new.get(student))
    return found


def table(found: Sequence[Move]) -> Iterator[list[str]]:
    """Yield the rows of a table of moves: a head, then a move each."""
    yield ["student", "exercise", "check", "before", "after", "difference", "why"]
    for move in found:
        points = [str(move.before), str(move.after), f"{move.difference:+d}"]
        yield [cell(move.student), move.exercise, move.check, *points, cell(move.why)]


def _of_student(student: str, old: Result | None, new: Result | None) -> Iterator[Move]:
    if old is None or new is None:
        there = old or new
        assert there is not None
        why = "was not graded before" if old is None else "is not graded any more"
        yield Move(clean(student), "", "", old.score if old else 0, new.score if new else 0, why)
        return
    grades = [{grade.exercise: grade for grade in result.exercises} for result in (old, new)]
    for slug in dict.fromkeys([*grades[0], *grades[1]]):
        first, second = grades[0].get(slug), grades[1].get(slug)
        if first is None or second is None:
            why = "the exercise was not graded before" if first is None else "the exercise is not graded any more"
            yield Move(clean(student), slug, "", first.score if first else 0, second.score if second else 0, why)
        else:
            yield from _of_grade(clean(student), first, second)


def _of_grade(student: str, old: Grade, new: Grade) -> Iterator[Move]:
    verdicts = [{verdict.check: verdict for verdict in grade.verdicts} for grade in (old, new)]
    another = bool(old.digest and new.digest and old.digest != new.digest)
    for name in dict.fromkeys([*verdicts[0], *verdicts[1]]):
        first, second = verdicts[0].get(name), verdicts[1].get(name)
        earned = [verdict.earned if verdict else 0 for verdict in (first, second)]
        if earned[0] != earned[1] or _outcome(first) != _outcome(second):
            yield Move(student, new.exercise, name, earned[0], earned[1], _why(first, second, another))


def _outcome(verdict: Verdict | None) -> str:
    return str(verdict.outcome) if verdict else ""


def _why(old: Verdict | None, new: Verdict | None, another: bool) -> str:
    """Say why a check is worth something else now."""
    if old is None or new is None:
        return "the check is new" if old is None else "the check was removed"
    parts = ["another file was graded"] if another else []
    if old.points != new.points:
        parts.append(f"the check is worth {new.points} points, before {old.points}")
    if old.outcome != new.outcome:
        parts.append(f"{old.outcome}, now {new.outcome}" + (f": {clean(new.message)}" if new.message else ""))
    if new.mistakes:
        parts.append(f"this equals {new.mistakes[0].what}")
    return "; ".join(parts)
