"""Finds the row of each student in a platform's table. Nobody is guessed, and no row is given twice.

A key is a kind ("ID", "name") and a value. The kinds are tried in the platform's order; the first that leads to a
row decides. If two students are led to one row, neither gets it: one of them is somebody else.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# kind -> what it may be, in the order in which kinds are tried
Keys = Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Matching:
    """What was found.

    Attributes:
        rows: number of a student -> row.
        why: number of a student without a row -> why not.
    """

    rows: dict[int, int] = field(default_factory=dict)
    why: dict[int, str] = field(default_factory=dict)


def match(people: Sequence[Keys], rows: Mapping[int, Keys]) -> Matching:
    """Return which student stands in which row.

    Args:
        people: the keys of each student.
        rows: the keys of each row.
    """
    index: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row, keys in rows.items():
        for kind, values in keys.items():
            for value in values:
                index[kind, value].add(row)
    found = Matching()
    for number, keys in enumerate(people):
        led = {kind: {row for value in values for row in index.get((kind, value), ())} for kind, values in keys.items()}
        reached = _row({kind: reached for kind, reached in led.items() if reached})
        if isinstance(reached, str):
            found.why[number] = reached
        elif why := _denied(keys, rows[reached]):
            found.why[number] = why
        else:
            found.rows[number] = reached
    _separate(found)
    return found


def _row(led: Mapping[str, set[int]]) -> int | str:
    """Return the row that the kinds lead to, or why there is none.

    A name is not held against an id: people change it, and ids are compared first.
    """
    if not led:
        return "no row is theirs"
    first, reached = next(iter(led.items()))
    if len(reached) > 1:
        return f"{len(reached)} rows have their {first}"
    for kind, others in led.items():
        if kind != "name" and reached.isdisjoint(others):
            return f"{first} and {kind} lead to different rows"
    return next(iter(reached))


def _denied(person: Keys, row: Keys) -> str:
    """Return why somebody is not who stands in a row: the platform's own number, the first kind, differs."""
    own = next(iter(person))
    mine, theirs = person[own], row.get(own, frozenset())
    return f"the only row that fits has another {own}" if mine and theirs and mine.isdisjoint(theirs) else ""


def _separate(found: Matching) -> None:
    """Take back the rows that several students were led to."""
    owners: dict[int, list[int]] = defaultdict(list)
    for number, row in found.rows.items():
        owners[row].append(number)
    for row, numbers in owners.items():
        if len(numbers) > 1:
            for number in numbers:
                del found.rows[number]
                found.why[number] = f"{len(numbers)} results lead to row {row + 1}"


def exact(*texts: str) -> frozenset[str]:
    """Return the keys of ids: as they are, without space around them; what is empty is no key."""
    return frozenset(text.strip() for text in texts if text.strip())


def folded(*texts: str) -> frozenset[str]:
    """Return the keys of logins and addresses, in which case does not count."""
    return frozenset(text.casefold() for text in exact(*texts))


def named(*names: str) -> frozenset[str]:
    """Return the keys of names: "Last, First" is "First Last" too; accents may be written in two ways."""
    found = set()
    for name in names:
        plain = " ".join(unicodedata.normalize("NFC", name).split())
        last, comma, first = plain.partition(", ")
        found |= {plain, f"{first} {last}" if comma and first and ", " not in first else plain}
    return frozenset(found - {""})
