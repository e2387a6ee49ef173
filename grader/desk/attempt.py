"""What one student handed in at one time, as the names that a platform gives tell it; nothing is read yet."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from grader.verdict import Student


@dataclass(frozen=True, slots=True)
class Part:
    """A file or a folder of an attempt.

    Attributes:
        path: in the tree of the class; that of a folder ends in "/" (or is "", the whole tree).
        name: what the student called the file, if its path does not say it; of a folder "".
        order: the larger, the newer; "" if the platform does not tell.
    """

    path: str
    name: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one student handed in at one time.

    Attributes:
        ident: tells this student from all others.
        name: how a person calls this student; others may have the same.
        who: the student, as far as the platform tells.
        parts: of the attempt.
        submitted: when, ISO 8601 in UTC; "" if the platform does not tell.
        order: the larger, the newer, among those of the same time.
        late: whether the platform marked it.
        notes: sentences for the student.
    """

    ident: str
    name: str
    who: Student
    parts: tuple[Part, ...]
    submitted: str = ""
    order: int = 0
    late: bool = False
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Arrived:
    """What a layout makes of a class.

    Attributes:
        attempts: of all students.
        left: names in the folder of the class that fit the layout nowhere.
        taken: how many names fit.
    """

    attempts: list[Attempt] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    taken: int = 0


_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<part>\d+))?"
    r"\s*(?P<zone>[+-]\d\d:?\d\d|[A-Za-z][A-Za-z_/+-]*\d*)?"
)


def moment(text: str) -> str:
    """Return a time as ISO 8601 in UTC, "" if it is none; one without a zone is UTC."""
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        return ""
    try:
        when = datetime.fromisoformat(f"{found['date']}T{found['time']}.{(found['part'] or '0')[:6]:0<6}")
        return when.replace(tzinfo=_zone(found["zone"] or "Z")).astimezone(UTC).isoformat()
    except (ValueError, OverflowError, LookupError, OSError):  # no such day, no such zone
        return ""


def _zone(name: str) -> timezone | ZoneInfo:
    if name in ("Z", "UTC"):
        return UTC
    if name[0] not in "+-":
        return ZoneInfo(name)
    minutes = 60 * int(name[1:3]) + int(name[-2:])
    return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))


def named(name: str, slugs: Sequence[str]) -> tuple[str, str]:
    """Return the student and the exercise of a file that is a submission by itself: <student>_<slug>.py.

    If there is one exercise, the whole name may be the student. The exercise is "" if it cannot be told.
    """
    stem = name.rpartition(".")[0]
    for slug in sorted(slugs, key=len, reverse=True):
        if stem.endswith(f"_{slug}") and stem != f"_{slug}":
            return stem.removesuffix(f"_{slug}"), slug
    return stem, slugs[0] if len(slugs) == 1 or stem in slugs else ""


def common(prefixes: Sequence[str]) -> str:
    """Return what most have in common; of those that are as frequent the shortest."""
    counts = Counter(prefixes)
    return min(counts, key=lambda prefix: (-counts[prefix], len(prefix), prefix), default="")
