"""Who got which form: forms.csv, which is for staff alone, since its seeds tell the order of every form."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.desk.item import folded
from grader.errors import FaultError, UsageError
from grader.gradebook import cell, save

NAME = "forms.csv"
COLUMNS = ["student", "form", "seed"]


@dataclass(frozen=True, slots=True)
class Row:
    """A form: whose it is ("" for everybody's), its code, its seed (None: the order of the files)."""

    student: str
    form: str
    seed: str | None


class Roster:
    """The forms of a class."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Take the rows.

        Raises:
            UsageError: a student or a code is there twice.
        """
        self.rows = tuple(rows)
        self._names: dict[str, Row] = {}
        self._codes: dict[str, Row] = {}
        for row in self.rows:
            if _plain(row.student) in self._names:
                raise UsageError(f"the student {row.student or 'without a name'} is there twice; names must differ")
            if short(row.form) in self._codes:
                raise UsageError(f"{row.student} and {self._codes[short(row.form)].student} have the same form")
            self._names[_plain(row.student)] = row
            self._codes[short(row.form)] = row

    @property
    def everyone(self) -> Row | None:
        """The form that all students got, if they all got one."""
        return self._names.get("")

    @property
    def students(self) -> tuple[str, ...]:
        """All students by name."""
        return tuple(row.student for row in self.rows if row.student)

    def named(self, name: str) -> Row | None:
        """Return the form of a student."""
        return self._names.get(_plain(name)) if _plain(name) else None

    def coded(self, code: str) -> Row | None:
        """Return the form with a code, however it is typed."""
        return self._codes.get(short(code))

    def save(self, path: Path) -> None:
        """Write forms.csv.

        Raises:
            FaultError: the disk is full, say.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FaultError(f"{path} cannot be written: {error.strerror}") from None
        save(path, [COLUMNS, *([cell(row.student), row.form, row.seed or ""] for row in self.rows)])


def load(path: Path) -> Roster:
    """Read forms.csv.

    Raises:
        UsageError: it is missing, or not what `Roster.save` writes.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{path} is no CSV in UTF-8; take the file that was written with the forms") from None
    if not rows or rows[0] != COLUMNS:
        raise UsageError(f"{path} has other columns than {', '.join(COLUMNS)}; take the file written with the forms")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(COLUMNS) or not row[1] or not row[2]:
            raise UsageError(f"{path}:{number}: a row has a student, a form and a seed")
    return Roster(Row(_unmarked(name), form, seed) for name, form, seed in rows[1:])


def _unmarked(name: str) -> str:
    """Return a name without the mark that keeps spreadsheets from taking it for a formula."""
    return name[1:] if name[:1] == "'" and cell(name[1:]) == name else name


def short(code: str) -> str:
    """Return a code without what people add to it or leave out."""
    return "".join(char for char in code.casefold() if char.isalnum())


def alike(one: str, other: str) -> bool:
    """Say whether two names are those of one student."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    """Return a name as it is compared: as it stands in a table, without case."""
    return folded(cell(name)).removeprefix("'")
