"""A CSV file of a platform, edited in place: what is not changed stays as it was, byte for byte.

The csv module reads such files, but it cannot write them back: it does not say which cells were quoted, how
lines ended, or what stood at the end. So each cell knows where it stands in the text, and a change replaces that
place alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import UsageError
from grader.show import clean

BOM = b"\xef\xbb\xbf"
DELIMITERS = ",;\t"
LARGEST = 64 << 20  # bytes of a file; a gradebook of ten thousand students has about two


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell and the place where it stands in the text of its file, quotes included."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class Sheet:
    """A table with a header in its first row.

    Attributes:
        path: of the file that it was read from.
        rows: its cells, the header among them; a line without any text is a row with one empty cell.
        header: the names of the columns.
    """

    path: Path
    rows: list[list[Cell]]
    header: list[str] = field(init=False)
    _source: str
    _delimiter: str
    _bom: bytes
    _changes: dict[Cell, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.header = [cell.text for cell in self.rows[0]]

    def text(self, row: int, column: int) -> str:
        """Return what a cell says; rows may be shorter than the header, what is not there is empty."""
        cells = self.rows[row]
        return cells[column].text if 0 <= column < len(cells) else ""

    def put(self, row: int, column: int, text: str) -> None:
        """Change a cell; it is quoted if it was, or if its text must be.

        Raises:
            UsageError: the row has no such cell.
        """
        if column >= len(self.rows[row]):
            short = f"{len(self.rows[row])} columns, the header has {len(self.header)}"
            raise UsageError(f"{self.path}: row {row + 1} has {short}; download it again")
        self._changes[self.rows[row][column]] = text

    def dump(self) -> bytes:
        """Return the file with the changes."""
        parts: list[str] = []
        done = 0
        for cell, text in sorted(self._changes.items(), key=lambda item: item[0].start):
            quoted = self._source[cell.start : cell.end].startswith('"')
            parts += [self._source[done : cell.start], self._written(text, quoted)]
            done = cell.end
        return self._bom + ("".join(parts) + self._source[done:]).encode("utf-8")

    def _written(self, text: str, quoted: bool) -> str:
        if quoted or any(sign in text for sign in (self._delimiter, '"', "\r", "\n")):
            return '"' + text.replace('"', '""') + '"'
        return text


def read(path: Path, column: str) -> Sheet:
    """Read a table; its delimiter is the one with which the header has a certain column.

    Args:
        path: of a CSV file in UTF-8.
        column: that must be there.

    Raises:
        UsageError: it cannot be read, or has no such column.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise UsageError(f"{path} is larger than {LARGEST >> 20} MiB; name the CSV file that the platform gave you")
    bom = BOM if content.startswith(BOM) else b""
    try:
        source = content[len(bom) :].decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(
            f"{path} is not in UTF-8, as it is if a spreadsheet saved it; name the file as it was downloaded"
        ) from None
    for delimiter in DELIMITERS:
        if column in _first(source, delimiter):
            return Sheet(path, list(_rows(source, delimiter, path)), source, delimiter, bom)
    found = ", ".join(repr(clean(name)) for name in _first(source, ",")[:12])
    raise UsageError(f"{path} has no column {column!r} in its first row, which has: {found}")


def _first(source: str, delimiter: str) -> list[str]:
    """Return the names in the first row, none if it cannot be read with this delimiter."""
    try:
        return [cell.text for cell in next(_rows(source, delimiter, Path()), [])]
    except UsageError:
        return []


def _rows(source: str, delimiter: str, path: Path) -> Iterator[list[Cell]]:
    """Yield the rows of a text."""
    place, row = 0, list[Cell]()
    while place < len(source):
        cell = _quoted(source, place, path) if source[place] == '"' else _plain(source, place, delimiter)
        row.append(cell)
        place = cell.end
        if source.startswith(delimiter, place):
            place += 1
            if place == len(source):  # an empty cell at the very end
                row.append(Cell("", place, place))
            continue
        if place < len(source) and source[place] not in "\r\n":
            line = source.count("\n", 0, place) + 1
            raise UsageError(f"{path}, line {line}: there is text after a closing quote; download the file again")
        place += 2 if source.startswith("\r\n", place) else 1
        yield row
        row = []
    if row:
        yield row


def _plain(source: str, start: int, delimiter: str) -> Cell:
    end = start
    while end < len(source) and source[end] not in (delimiter, "\r", "\n"):
        end += 1
    return Cell(source[start:end], start, end)


def _quoted(source: str, start: int, path: Path) -> Cell:
    """Return a cell that begins with a quote; two quotes inside stand for one."""
    end = source.find('"', start + 1)
    while end >= 0 and source.startswith('""', end):
        end = source.find('"', end + 2)
    if end < 0:
        line = source.count("\n", 0, start) + 1
        raise UsageError(f"{path}, line {line}: a quote is opened and never closed; download the file again")
    return Cell(source[start + 1 : end].replace('""', '"'), start, end + 1)
