"""The review log: every answer a line of JSON, appended and flushed to the disk before the answer is confirmed.

The log is the truth; what is due and how far somebody is are computed from it (memory.py, progress.py). A line that
was cut off by a kill is left out, and so is one that somebody broke: `Log.broken` counts them.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_state_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from grader.errors import UsageError

Kind = Literal["begin", "answer", "hint", "skip", "flag", "unflag", "end"]
Mode = Literal["study", "exam", "review"]
Confidence = Literal["guess", "unsure", "sure"]
LONGEST = 1_000_000  # minutes of an exam, two years
LAST = 9000  # year, after which a date cannot be put off any more


def _instant(text: str) -> str:
    """Refuse a time that cannot be compared with others."""
    time = datetime.fromisoformat(text)
    if time.utcoffset() != timedelta(0) or time.year > LAST:
        raise ValueError("must be a time in UTC")
    return text


Time = Annotated[str, AfterValidator(_instant)]
Ratio = Annotated[str, StringConstraints(pattern=r"^-?[0-9]+(/[1-9][0-9]*)?$", max_length=8000)]


class Event(BaseModel):
    """Something that happened in a session.

    Attributes:
        time: in UTC, as 2026-01-31T12:00:00.000000+00:00.
        session: which one.
        mode, seed, items, minutes: of a session that begins; items are pairs of id and rev.
        item, rev: the question.
        picks: ids of choices, never places; number: of a numeric question, as a ratio of integers.
        score: from 0 to 1, as a ratio of integers.
        hinted: whether a hint was read before.
        retry: whether the question was asked before in this session.
        seconds: from the question to the answer.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer version may know more

    kind: Kind
    time: Time
    session: str
    mode: Mode = "study"
    seed: str = ""
    items: tuple[tuple[str, int], ...] = ()
    minutes: Annotated[float, Field(ge=0, le=LONGEST)] | None = None
    item: str = ""
    rev: int = 0
    picks: tuple[str, ...] = ()
    number: Ratio | None = None
    score: str = "0"
    confidence: Confidence | None = None
    hinted: bool = False
    retry: bool = False
    seconds: float = 0.0


def state_folder() -> Path:
    """Return the folder of what the grader remembers about a user."""
    return user_state_path("llm-fundamentals-grader", appauthor=False)


class Log:
    """A review log on the disk.

    Attributes:
        broken: how many lines could not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = 0

    def bytes(self) -> bytes:
        """Return the log as it is, empty if there is none.

        Raises:
            UsageError: it cannot be read.
        """
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise UsageError(f"the review log {self.path} cannot be read: {error.strerror}") from None

    def events(self) -> list[Event]:
        """Return what happened, in order."""
        found = []
        self.broken = 0
        for line in self.bytes().splitlines():
            if not line.strip():
                continue
            try:
                found.append(Event.model_validate_json(line))
            except ValidationError:
                self.broken += 1
        return found

    def append(self, event: Event) -> None:
        """Write an event; when this returns, it is on the disk.

        Raises:
            UsageError: it cannot be written: the disk is full, say.
        """
        plain: Mapping[str, Any] = event.model_dump(exclude_defaults=True)
        line = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _append(self.path, line)
        except OSError as error:
            raise UsageError(
                f"the review log {self.path} could not be written: {error.strerror}. "
                "Nothing that was confirmed is lost; --log FILE names another log"
            ) from None


def _append(path: Path, line: bytes) -> None:
    new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line  # the line before was cut off; it must not take this one with it
        while line:
            line = line[os.write(file, line) :]
        os.fsync(file)
    finally:
        os.close(file)
    if new:  # the name of a new file is on the disk only when its folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
