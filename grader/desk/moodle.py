"""Fills a grading worksheet that was downloaded from Moodle, so that it can be uploaded again.

Only grades, and feedback if that is asked for, are changed. Moodle writes headers in the language of whoever
downloads; the English ones are known here, others are named.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader.desk.fill import Report, Target, fill
from grader.desk.match import Keys, exact, folded, named
from grader.desk.points import Mark, Marks, feedback, number
from grader.desk.sheet import Sheet, read
from grader.errors import UsageError
from grader.gradebook import cell
from grader.show import clean

MODIFIED = "Last modified (grade)"  # Moodle takes no worksheet without it


@dataclass(frozen=True, slots=True)
class Columns:
    """The headers of a worksheet."""

    identifier: str = "Identifier"
    grade: str = "Grade"
    maximum: str = "Maximum Grade"
    changeable: str = "Grade can be changed"
    feedback: str = "Feedback comments"


def export(
    path: Path, marks: Marks, columns: Columns | None = None, scale: bool = False, comments: bool = False
) -> tuple[bytes, Report]:
    """Return a worksheet with the points of a class filled in, and what was done.

    Args:
        path: of the file that was downloaded from Moodle.
        marks: of the class.
        columns: headers, if they are not in English.
        scale: whether to convert points where Moodle counts differently.
        comments: whether to fill in feedback too, if the worksheet has a column for it.

    Raises:
        UsageError: the file is no worksheet, or Moodle counts differently.
    """
    columns = columns or Columns()
    sheet = read(path, columns.identifier)
    _insist(sheet, columns)
    number_of = {name: sheet.header.index(name) for name in reversed(sheet.header)}
    maximum, changeable = number_of[columns.maximum], number_of.get(columns.changeable, -1)
    identifier = number_of[columns.identifier]
    rows = [row for row in range(1, len(sheet.rows)) if sheet.text(row, identifier).strip()]

    def possible(row: int) -> Decimal:
        text = sheet.text(row, maximum)
        if (found := number(text)) is None:
            where = f"{path}, row {row + 1}: {columns.maximum!r}"
            raise UsageError(f"{where} is {clean(text)!r}, no number of points; Moodle grades this by a scale")
        return found

    target = Target(
        sheet=sheet,
        column=number_of[columns.grade],
        rows={row: _keys(sheet, number_of, identifier, row) for row in rows},
        name=lambda row: sheet.text(row, number_of.get("Full name", identifier)),
        possible=possible,
        closed=lambda row: "has a grade that cannot be changed" if _closed(sheet.text(row, changeable)) else "",
    )
    report, done = fill(target, [_person(mark) for mark in marks.marks], marks, scale)
    if comments and columns.feedback in number_of:
        for row, mark in done.items():
            sheet.put(row, number_of[columns.feedback], cell(feedback(mark.grades)))
    return sheet.dump(), report


def _insist(sheet: Sheet, columns: Columns) -> None:
    """Refuse what Moodle would not take, and what cannot be checked."""
    for option, name in (("grade", columns.grade), ("maximum", columns.maximum)):
        if name not in sheet.header:
            known = ", ".join(repr(clean(item)) for item in sheet.header)
            raise UsageError(f"{sheet.path} has no column {name!r}: name it with --column-{option}; it has {known}")
    if columns.grade == Columns().grade and MODIFIED not in sheet.header:
        raise UsageError(f"{sheet.path} has no column {MODIFIED!r}, so Moodle would not take it; download it again")


def _closed(text: str) -> bool:
    return text.strip().casefold() == "no"


def _participant(text: str) -> str:
    """Return the number in "Participant 17"; the word is in the language of the worksheet."""
    found = re.search(r"\d+$", text.strip())
    return found[0] if found else ""


def _keys(sheet: Sheet, number_of: dict[str, int], identifier: int, row: int) -> Keys:
    """Return who stands in a row."""

    def text(name: str) -> str:
        return sheet.text(row, number_of.get(name, -1))

    return {
        "Identifier": exact(_participant(sheet.text(row, identifier))),
        "Email address": folded(text("Email address")),
        "ID number": exact(text("ID number")),
        "name": named(text("Full name")),
    }


def _person(mark: Mark) -> Keys:
    """Return who a student is; somebody of whom no platform told is who the class's folder says."""
    who = mark.who
    if not any((who.moodle, who.email, who.number, who.name)):
        plain = mark.label
        return {"Identifier": exact(), "Email address": folded(plain), "ID number": exact(plain), "name": named(plain)}
    return {
        "Identifier": exact(who.moodle),
        "Email address": folded(who.email),
        "ID number": exact(who.number),
        "name": named(who.name),
    }
