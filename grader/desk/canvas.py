"""Fills a gradebook that was exported from Canvas, so that it can be imported again.

Only the column of one assignment is changed. What Canvas itself would skip is not filled: columns that are read only,
and the totals that it computes.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from grader.desk.fill import Report, Target, fill
from grader.desk.match import Keys, exact, folded, named
from grader.desk.points import Mark, Marks, number
from grader.desk.sheet import Sheet, read
from grader.errors import UsageError
from grader.show import clean

LAST = "Section"  # of the columns that say who a student is
TOTALS = re.compile(r"\b(Current|Final|Override) (Score|Points|Grade)\b|^Unposted ")
EXCUSED = "EX"
HEAD = 3  # rows at most that stand above the students: the header, the posting policy, the points possible


def export(path: Path, marks: Marks, assignment: str = "", scale: bool = False) -> tuple[bytes, Report]:
    """Return a gradebook with the points of a class filled in, and what was done.

    Args:
        path: of the file that Canvas exported.
        marks: of the class.
        assignment: header of the column, with or without the number behind it; "" for the only one that fits.
        scale: whether to convert points where Canvas counts differently.

    Raises:
        UsageError: the file is none of Canvas, no single column is meant, or Canvas counts differently.
    """
    sheet = read(path, "ID")
    header = sheet.header
    if LAST not in header or not {"Student", "LastName"} & set(header):
        raise UsageError(f"{path} is no gradebook of Canvas: its first row needs Student, ID and Section")
    possible = _possible(sheet)
    column = _named(sheet, possible, assignment) if assignment else _fitting(sheet, possible, marks, scale)
    points = number(possible.get(column, ""))
    if scale and points is None:
        raise UsageError(f"{path} does not say how many points {header[column]!r} has; without --scale it is filled")
    target = Target(
        sheet=sheet,
        column=column,
        rows={row: keys for row in _students(sheet) if (keys := _keys(sheet, row))},
        name=lambda row: _name(sheet, row),
        possible=lambda _: points,
        closed=lambda row: "is excused" if sheet.text(row, column).strip().upper() == EXCUSED else "",
    )
    report, _ = fill(target, [_person(mark) for mark in marks.marks], marks, scale)
    return sheet.dump(), report


# --- columns ----------------------------------------------------------------------------------


def _possible(sheet: Sheet) -> dict[int, str]:
    """Return what the row of points possible says, by column; nothing if there is no such row."""
    for row in range(1, min(HEAD, len(sheet.rows))):
        if "Points Possible" in sheet.text(row, 0):
            return {column: sheet.text(row, column) for column in range(len(sheet.header))}
    return {}


def _open(sheet: Sheet, possible: dict[int, str]) -> list[int]:
    """Return the columns that Canvas reads back."""
    first = sheet.header.index(LAST) + 1
    return [
        column
        for column, name in enumerate(sheet.header)
        if column >= first
        and name.strip()
        and not TOTALS.search(name)
        and "(read only)" not in possible.get(column, "")
    ]


def _named(sheet: Sheet, possible: dict[int, str], assignment: str) -> int:
    """Return the column of an assignment that was named."""
    found = [column for column, name in enumerate(sheet.header) if name == assignment]
    found = found or [column for column, name in enumerate(sheet.header) if _title(name) == assignment]
    columns = _open(sheet, possible)
    if len(found) == 1 and found[0] in columns:
        return found[0]
    if found:
        why = "has several columns" if len(found) > 1 else "is not read back by Canvas, so it is not filled"
        raise UsageError(f"{sheet.path}: {clean(assignment)!r} {why}; {_choice(sheet, columns)}")
    raise UsageError(f"{sheet.path} has no assignment {clean(assignment)!r}; {_choice(sheet, columns)}")


def _fitting(sheet: Sheet, possible: dict[int, str], marks: Marks, scale: bool) -> int:
    """Return the only column that the points can be meant for."""
    columns = _open(sheet, possible)
    if not scale and possible:
        columns = [column for column in columns if number(possible[column]) == marks.points] or columns
    if len(columns) != 1:
        raise UsageError(f"{sheet.path}: name the column with --assignment; {_choice(sheet, columns)}")
    return columns[0]


def _title(name: str) -> str:
    """Return the title in a header such as "Tokens (1234)"."""
    return re.sub(r"\s*\(\d+\)$", "", name)


def _choice(sheet: Sheet, columns: Sequence[int]) -> str:
    names = ", ".join(repr(clean(sheet.header[column])) for column in columns)
    return f"it can be one of: {names}" if names else "it has no column of an assignment that could be filled"


# --- students ---------------------------------------------------------------------------------


def _students(sheet: Sheet) -> list[int]:
    """Return the rows of students: all but what stands above them, and empty lines."""
    head = [row for row in range(1, min(HEAD, len(sheet.rows))) if "Points Possible" in sheet.text(row, 0)]
    return [row for row in range(max(head, default=0) + 1, len(sheet.rows)) if len(sheet.rows[row]) > 1]


def _text(sheet: Sheet, row: int, name: str) -> str:
    """Return what a column says in a row, "" if there is no such column."""
    return sheet.text(row, sheet.header.index(name)) if name in sheet.header else ""


def _name(sheet: Sheet, row: int) -> str:
    last, first = _text(sheet, row, "LastName"), _text(sheet, row, "FirstName")
    return _text(sheet, row, "Student") or ", ".join(part for part in (last, first) if part)


def _keys(sheet: Sheet, row: int) -> Keys:
    """Return who stands in a row, in Canvas's order; nothing for a row without a student, as of posting policies."""
    keys = {
        "ID": exact(_text(sheet, row, "ID")),
        "SIS User ID": exact(_text(sheet, row, "SIS User ID")),
        "SIS Login ID": folded(_text(sheet, row, "SIS Login ID")),
        "name": named(_name(sheet, row)),
    }
    return keys if any(keys.values()) else {}


def _person(mark: Mark) -> Keys:
    """Return who a student is; somebody of whom no platform told is who the class's folder says."""
    who = mark.who
    if not any((who.canvas, who.number, who.login, who.email, who.name)):
        plain = mark.label
        return {"ID": exact(), "SIS User ID": exact(plain), "SIS Login ID": folded(plain), "name": named(plain)}
    return {
        "ID": exact(who.canvas),
        "SIS User ID": exact(who.number),
        "SIS Login ID": folded(who.login, who.email),
        "name": named(who.name),
    }
