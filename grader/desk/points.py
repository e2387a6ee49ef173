"""What goes back to a platform: whom a result counts for, and how many points.

A result with a check at which the grader failed has no points that could be told: it is held back.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from grader.errors import UsageError
from grader.show import clean
from grader.verdict import Grade, Outcome, Result, Student

CENT = Decimal("0.01")  # platforms compare points at two decimals


@dataclass(frozen=True, slots=True)
class Mark:
    """The points of one person.

    Attributes:
        label: how the class names them.
        who: the same as the platform knows them.
        score, points: earned, and possible.
        grades: of the exercises that count.
    """

    label: str
    who: Student
    score: int
    points: int
    grades: tuple[Grade, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """The points of a class.

    Attributes:
        marks: a person each.
        points: that everybody could earn.
        broken: labels of those at whose files the grader failed.
        notes: what an instructor should know about some results: a file that could not be read, say.
    """

    marks: tuple[Mark, ...]
    points: int
    broken: tuple[str, ...]
    notes: tuple[str, ...] = ()


def marks(results: Sequence[Result], slugs: Sequence[str] = ()) -> Marks:
    """Return the points of a class; each member of a group gets those of the group.

    Args:
        results: of the class.
        slugs: exercises that count, all if empty.

    Raises:
        UsageError: an exercise was not graded, or not everybody could earn the same points.
    """
    found: list[Mark] = []
    broken: list[str] = []
    for result in results:
        grades = chosen(result, slugs)
        score, points = sum(grade.score for grade in grades), sum(grade.points for grade in grades)
        if any(grade.broken for grade in grades):
            broken.append(result.student)
        else:
            people = result.identity.members or (result.identity,)
            found += [Mark(_label(result, who), who, score, points, grades) for who in people]
    totals = {mark.points for mark in found}
    if len(totals) > 1:
        some = " and ".join(map(str, sorted(totals)))
        raise UsageError(f"the results are not of the same exercises: {some} points; grade the class again")
    notes = tuple(f"{result.student}: {result.note}" for result in results if result.note)
    return Marks(tuple(found), totals.pop() if totals else 0, tuple(broken), notes)


def chosen(result: Result, slugs: Sequence[str]) -> tuple[Grade, ...]:
    """Return the grades of some exercises, all if none is named.

    Raises:
        UsageError: one was not graded.
    """
    graded = [grade.exercise for grade in result.exercises]
    for slug in slugs:
        if slug not in graded:
            who = f" of {clean(result.student)}" if result.student else ""
            raise UsageError(f"the result{who} has no exercise {slug!r}; it has {', '.join(graded) or 'none'}")
    return tuple(grade for grade in result.exercises if not slugs or grade.exercise in slugs)


def _label(result: Result, who: Student) -> str:
    if not result.identity.members:
        return result.student
    return f"{who.name or who.email or who.number or who.login} of {result.student}"


def number(text: str) -> Decimal | None:
    """Return a number as platforms write it ("30", "30,00", "1.234,5"), None if it is none."""
    plain = text.strip()
    thousands = re.fullmatch(r"\d{1,3}(,\d{3})+", plain)
    if not thousands and "," in plain and plain.rfind(",") > plain.rfind("."):
        plain = plain.replace(".", "").replace(",", ".")
    try:
        found = Decimal(plain.replace(",", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


def written(score: int, points: int, possible: Decimal, scale: bool) -> str:
    """Return the points as a platform takes them: at most two decimals, with a point.

    Args:
        score: earned points.
        points: possible ones, as we count.
        possible: the same as the platform counts.
        scale: whether to convert the one into the other.

    Raises:
        UsageError: they count differently, and nobody asked to scale.
    """
    if possible == points:
        return str(score)
    if not scale:
        raise UsageError(
            f"the results are out of {points} points, the platform's column is out of {possible.normalize():f}; "
            "correct one of them, or let --scale convert the points"
        )
    exact = Decimal(score) * possible / points if points else Decimal(0)
    return f"{exact.quantize(CENT, ROUND_HALF_UP):f}".rstrip("0").rstrip(".")


def feedback(grades: Sequence[Grade]) -> str:
    """Return a short text for a student; of checks that are not for students yet it says nothing."""
    parts = []
    for grade in grades:
        shown = [verdict for verdict in grade.verdicts if verdict.visibility == "visible"]
        missed = [verdict.check for verdict in shown if verdict.outcome is not Outcome.PASSED]
        whole = f"{grade.exercise}: {grade.score} of {grade.points} points"
        parts.append(f"{whole}, not passed: {', '.join(missed)}" if missed else whole)
    return "; ".join(parts)
