"""Which of a student's files is for which exercise. Between two that are equally good nobody guesses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.desk.item import Item, Unreadable, folded, shown
from grader.exercise import Exercise
from grader.show import listed

LISTED = 3  # files that a sentence names
_TESTS = re.compile(r"tests?[_ -].*|.*[_ -]tests?|conftest|setup")
_COPY = r"{}(?: ?\(\d{{1,4}}\)|[-_ ]\d{{1,4}}| - copy(?: ?\(\d{{1,4}}\))?)"
_NAMED = r"(?:{0}[-_ ].+|.+[-_ ]{0})"

# how much a name is like that of the exercise; a copy is as good as the name if the platform tells which is newer
EXACT, CASE, COPY, NAMED = range(4)
Rank = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be graded.

    Attributes:
        place: below the top of what the student handed in, as if archives in it had been unpacked in place.
        label: the same, with the archives.
        item: the file.
        order: the larger, the newer; "" if the platform does not tell.
    """

    place: str
    label: str
    item: Item
    order: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is graded for an exercise: a file, or why none is; neither if there is none.

    Attributes:
        file: that is graded.
        why: it cannot be told which.
        notes: sentences for the student.
    """

    file: Found | None = None
    why: Unreadable | None = None
    notes: tuple[str, ...] = ()


def choose(found: Sequence[Found], exercise: Exercise, known: Sequence[str], alone: bool) -> Choice:
    """Return a student's file for an exercise.

    Args:
        found: .py and .ipynb files that the student handed in.
        exercise: that is graded.
        known: slugs of all exercises: a file that is clearly for another is not taken.
        alone: whether this is the only exercise that is graded; then the only file is taken, whatever its name.
    """
    ranks = {number: rank for number, item in enumerate(found) if (rank := _rank(item, exercise, known))}
    if not ranks:
        return _only(found, exercise, known) if alone else Choice()
    best = min(rank[:1] if rank[0] == 0 and found[at].order else rank for at, rank in ranks.items())
    first = [at for at, rank in ranks.items() if rank[: len(best)] == best]
    newest = max(found[at].order for at in first)
    older = any(found[at].order != newest for at in first)
    first = [at for at in first if found[at].order == newest]
    first = [at for at in first if ranks[at] == min(ranks[at] for at in first)]
    if len(first) > 1:
        return Choice(why=Unreadable(_several([found[at].label for at in first], exercise)))
    (at,) = first
    others = [shown(found[number].label) for number in sorted(ranks, key=ranks.__getitem__) if number != at]
    why = (
        ", the newest" if older else f", as there is no {exercise.filename} in its place" if len(ranks[at]) > 2 else ""
    )
    return Choice(found[at], notes=_notes(shown(found[at].label), why, others))


def _notes(chosen: str, why: str, others: list[str]) -> tuple[str, ...]:
    """Return what a student should know of a choice: nothing, if there was none."""
    rest = f" Not graded: {listed(others, LISTED)}." if others else ""
    return (f"Graded is {chosen}{why}.{rest}",) if why or others else ()


def _several(labels: list[str], exercise: Exercise) -> str:
    names = sorted({shown(label) for label in labels})
    if len(names) == 1:
        return f"{names[0]} is there {len(labels)} times; hand in one {exercise.filename}"
    more = f" (and {len(names) - 2} more)" if len(names) > 2 else ""
    return f"{names[0]} and {names[1]}{more} may both be meant; hand in one {exercise.filename}"


def _rank(item: Found, exercise: Exercise, known: Sequence[str]) -> Rank | None:
    """Return how good a file is for an exercise, the smaller the better; None if it is for something else."""
    name, folder = exercise.filename, exercise.folder.name
    places = (name, f"{folder}/{name}", f"exercises/{folder}/{name}")
    if item.place in places:
        return (0, places.index(item.place))
    stem, notebook = _stem(item.place)
    likeness = _likeness(stem, exercise.slug)
    if likeness is None or any(_nearer(stem, other, exercise.slug) for other in known if other != exercise.slug):
        return None
    depth = item.place.count("/")
    if likeness == EXACT and item.place.rpartition("/")[2].rpartition(".")[0] != exercise.slug:
        likeness = CASE
    if item.order and not depth and likeness == COPY and not notebook:
        return (0, len(places), likeness)  # the platform tells which is newer
    return (1, notebook, likeness, depth)


def _stem(place: str) -> tuple[str, bool]:
    stem, _, ending = place.rpartition("/")[2].rpartition(".")
    return folded(stem), ending.lower() == "ipynb"


def _likeness(stem: str, slug: str) -> int | None:
    """Return how much the name of a file is like that of an exercise, None if it is not."""
    if stem == slug:
        return EXACT
    if re.fullmatch(_COPY.format(slug), stem):
        return COPY
    return NAMED if re.fullmatch(_NAMED.format(slug), stem) and not _TESTS.fullmatch(stem) else None


def _nearer(stem: str, other: str, slug: str) -> bool:
    """Say whether a file is rather for another exercise, or as much: attention_norms.py is for neither."""
    likeness, own = _likeness(stem, other), _likeness(stem, slug)
    if likeness is None or own is None:
        return likeness is not None
    return likeness < own or (likeness == own and other not in slug)


def _only(found: Sequence[Found], exercise: Exercise, known: Sequence[str]) -> Choice:
    """Return the only file that a student handed in, unless it is clearly for another exercise."""
    names = [(item, _stem(item.place)[0]) for item in found]
    free = [item for item, stem in names if not _TESTS.fullmatch(stem) and not _belongs(stem, exercise.slug, known)]
    if len(free) != 1:
        return Choice()
    return Choice(free[0], notes=(f"Graded is {shown(free[0].label)}, the only file; name it {exercise.filename}.",))


def _belongs(stem: str, slug: str, known: Sequence[str]) -> bool:
    return any(_likeness(stem, other) is not None for other in known if other != slug)
