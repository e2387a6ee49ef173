"""A notebook as a Python file: its code cells, one after the other. Nothing of it is executed.

What only a notebook understands is left out: lines that begin with % or !, or ask with ?, and cells that begin with
%%. No such line can begin a statement of Python, so one inside brackets or a text is left alone.
"""

import importlib.util
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.course import LARGEST as SOURCE
from grader.desk.item import Unreadable, shown
from grader.errors import UsageError
from grader.show import listed

LARGEST = 32 << 20  # bytes of a notebook: what it has printed and drawn lies in it
LISTED = 3  # cells that a sentence names

# a line of a notebook's own, at the beginning of a statement; also what is given a name: files = !ls
_OWN = re.compile(r"(?P<indent>\s*)(?:[%!?].*|[A-Za-z_][\w, ]*=\s*(?:!|%[A-Za-z]).*|[\w.]+\?\??\s*)")
_PIECES = re.compile(r"#.*|'''|\"\"\"|'(?:\\.|[^'\\])*(?:'|\\?$)|\"(?:\\.|[^\"\\])*(?:\"|\\?$)|[()\[\]{}]")
_ENDS = {quote: re.compile(rf"(?:\\.|[^\\])*?{quote}") for quote in ("'''", '"""')}


@dataclass(frozen=True, slots=True)
class Source:
    """What is graded.

    Attributes:
        content: bytes of a Python file.
        notes: sentences for the student.
    """

    content: bytes
    notes: tuple[str, ...] = ()


def insist() -> None:
    """Refuse to begin without what reads notebooks.

    Raises:
        UsageError: nbformat is not installed.
    """
    if not importlib.util.find_spec("nbformat"):
        raise UsageError("there are notebooks, which need nbformat: pip install 'llm-fundamentals-grader[desk]'")


def convert(content: bytes, name: str) -> Source | Unreadable:
    """Return the code of a notebook.

    Args:
        content: of the .ipynb file.
        name: of it, for sentences.
    """
    from nbformat import converter, reader

    if len(content) > LARGEST:
        return Unreadable(f"{name} is larger than {LARGEST >> 20} MiB; clear its outputs and hand it in again")
    try:
        with warnings.catch_warnings(action="ignore"):
            made: Any = converter.convert(reader.reads(content.decode("utf-8-sig")), 4)  # type: ignore[no-untyped-call]
        cells = [_cell(cell) for cell in made["cells"] if cell["cell_type"] == "code"]
        about = made.get("metadata", {})
        told = about.get("language_info", {}).get("name") or about.get("kernelspec", {}).get("language")
        language = str(told or "python")
    except Exception:  # noqa: BLE001  nbformat raises errors of many kinds at what is no notebook
        return Unreadable(f"{name} is no notebook, or a damaged one; save it again, or hand in a .py")
    if not language.lower().startswith(("python", "ipython")):
        return Unreadable(f"{name} is a notebook of {shown(language)}; Python is graded")
    if sum(map(len, cells)) > SOURCE:
        return Unreadable(f"{name} has more than {SOURCE >> 20} MiB of code; that is no solution of this exercise")
    return _joined(cells, name)


def _cell(cell: Any) -> str:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    return text.replace("\r\n", "\n")


def _joined(cells: list[str], name: str) -> Source | Unreadable:
    parts, dropped, lines = [], [], 0
    for number, cell in enumerate(cells, start=1):
        if cell.lstrip().startswith("%%"):
            dropped.append(f"{number} ({shown(cell.split()[0])})")
            continue
        kept = list(_plain(cell))
        lines += sum(line is None for line, _ in kept)
        body = "\n".join(f"{indent}pass" if line is None else line for line, indent in kept)
        parts.append(f"# --- code cell {number} ---\n{body}\n")
    notes = []
    if dropped:
        notes.append(f"Of {name}, code cell {listed(dropped, LISTED)} was left out.")
    if lines:
        notes.append(f"Of {name}, {lines} line{'s' * (lines > 1)} for notebooks alone (%, !, ?) were left out.")
    if not "".join(cells).strip():
        return Unreadable(f"{name} has no code")
    return Source("\n".join(parts).encode("utf-8", "backslashreplace"), tuple(notes))


def _plain(cell: str) -> Iterator[tuple[str | None, str]]:
    """Yield each line with its indent, None instead of one that only a notebook understands."""
    quote, depth, goes_on, dropping = "", 0, False, False
    for line in cell.split("\n"):
        begins = not quote and not depth and not goes_on
        own = _OWN.fullmatch(line) if begins else None
        dropping = own is not None or (dropping and goes_on)
        goes_on = line.endswith("\\")
        if dropping:
            yield None, own["indent"] if own else ""
            continue
        quote, depth = _state(line, quote, depth)
        yield line, ""


def _state(line: str, quote: str, depth: int) -> tuple[str, int]:
    """Return in which text of several lines, and in how many brackets, a line ends."""
    at = 0
    while True:
        if quote:
            end = _ENDS[quote].match(line, at)
            if not end:
                return quote, depth
            at, quote = end.end(), ""
        piece = _PIECES.search(line, at)
        if not piece:
            return "", depth
        at = piece.end()
        if piece[0] in _ENDS:
            quote = piece[0]
        elif piece[0] in "([{":
            depth += 1
        elif piece[0] in ")]}":
            depth = max(0, depth - 1)
