"""What a batch leaves behind: a JSON file for each student, and one table for all."""

import contextlib
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grader.errors import FaultError
from grader.show import clean
from grader.whole import PART, whole

LONGEST = 120  # characters of a file's name; file systems take 255 bytes


def filename(student: str) -> str:
    """Return the name of a student's file: readable, safe everywhere, never that of another student."""
    safe = re.sub(r"[^A-Za-z0-9._-]", lambda match: "".join(f"%{byte:02X}" for byte in _bytes(match[0])), student)
    safe = re.sub(r"^\.", "%2E", safe)
    # file systems that know no case must not mix up two students
    if safe != safe.lower() or len(safe) > LONGEST:
        safe = f"{safe[:LONGEST]}-{hashlib.sha256(_bytes(student)).hexdigest()[:8]}"
    return f"{safe}.json"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def write(path: Path, text: str) -> None:
    """Write a file, all of it or nothing; one that is right already is not touched.

    Raises:
        FaultError: the disk is full, say.
    """
    data = text.encode("utf-8", "backslashreplace")
    with _writing(path):
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole(path) as file:
                file.write(data)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say what a file that cannot be written means for the batch."""
    try:
        yield
    except OSError as error:
        raise FaultError(f"{path} cannot be written: {error.strerror}; run it again to go on") from None


def sweep(folder: Path) -> None:
    """Remove what a sudden end left half written."""
    for path in folder.glob(f".*{PART}"):
        with contextlib.suppress(OSError):
            path.unlink()


def table(results: Iterable[Any], columns: Sequence[tuple[str, Sequence[str]]]) -> Iterator[list[str]]:
    """Yield the rows of the gradebook: a head, then a student each.

    Args:
        results: of the students, as `verdict.Result` is in JSON.
        columns: the exercises, each with the names of its checks.
    """
    head = ["student", "score", "points", "status"]
    for slug, checks in columns:
        head += [slug, *(f"{slug}.{check}" for check in checks)]
    yield head
    for result in results:
        row: list[Any] = [cell(result["student"]), result["score"], result["points"], cell(result["note"]) or "graded"]
        for grade in result["exercises"]:
            row += [grade["score"], *(verdict["earned"] for verdict in grade["verdicts"])]
        yield [str(item) for item in row]


def cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula and no terminal obeys."""
    shown = " ".join(clean(text).split())
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@", "|", "%") else shown


def save(path: Path, rows: Iterable[list[str]]) -> None:
    """Write a table as CSV, all of it or nothing.

    Raises:
        FaultError: the disk is full, say.
    """
    with _writing(path), whole(path) as file:
        lines = io.TextIOWrapper(file, "utf-8", newline="")
        csv.writer(lines).writerows(rows)
        lines.detach()  # the file is closed by whoever opened it
