"""Fills the points of a class into one column of a platform's table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from grader.desk.match import Keys, match
from grader.desk.points import Mark, Marks, written
from grader.desk.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Target:
    """Where points go.

    Attributes:
        sheet: the platform's table.
        column: number of the one that is filled.
        rows: the keys of each student's row.
        name: returns the name in a row.
        possible: returns the most points in a row, None if the table does not say.
        closed: returns why a row must stay as it is, "" if it may be filled.
    """

    sheet: Sheet
    column: int
    rows: Mapping[int, Keys]
    name: Callable[[int], str]
    possible: Callable[[int], Decimal | None]
    closed: Callable[[int], str]


@dataclass(slots=True)
class Report:
    """What was filled in, and what was not.

    Attributes:
        column: its name.
        filled: row number in the file, name there, points as written and as they were before.
        unmatched: students with a result and no row, and why.
        left: students whose row must stay as it is, and why.
        broken: students at whose files the grader failed.
        without: names of the rows for which there is no result.
        notes: what an instructor should know about some results.
    """

    column: str
    filled: list[dict[str, str | int]] = field(default_factory=list)
    unmatched: list[dict[str, str]] = field(default_factory=list)
    left: list[dict[str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everybody with a result was found, and has points that could be told."""
        return not self.unmatched and not self.broken


def fill(target: Target, people: Sequence[Keys], found: Marks, scale: bool) -> tuple[Report, dict[int, Mark]]:
    """Fill the column; return what was done, and whose points stand in which row.

    Args:
        target: where the points go.
        people: the keys of each of the marks.
        found: the points of the class.
        scale: whether to convert points where the platform counts differently.

    Raises:
        UsageError: the platform counts differently, and nobody asked to scale.
    """
    matching = match(people, target.rows)
    report = Report(target.sheet.header[target.column], broken=list(found.broken), notes=list(found.notes))
    done: dict[int, Mark] = {}
    for number, mark in enumerate(found.marks):
        if number in matching.why:
            report.unmatched.append({"student": mark.label, "why": matching.why[number]})
            continue
        row = matching.rows[number]
        if why := target.closed(row):
            report.left.append({"student": mark.label, "why": why})
            continue
        possible = target.possible(row)
        text = written(mark.score, mark.points, Decimal(mark.points) if possible is None else possible, scale)
        before = target.sheet.text(row, target.column)
        target.sheet.put(row, target.column, text)
        report.filled.append({"row": row + 1, "name": target.name(row), "points": text, "before": before})
        done[row] = mark
    report.without = [target.name(row) for row in target.rows if row not in matching.rows.values()]
    return report, done
