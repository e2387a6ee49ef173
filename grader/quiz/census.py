"""The rules of the lint that look at many questions at once: what a whole file, or the whole bank, gives away."""

import re
from collections import Counter
from collections.abc import Collection, Iterator

from grader.quiz.item import Item, by_topic
from grader.quiz.source import Problem, Read

UNLIKELY = 0.01  # a chance that is taken for no chance
FEWEST = 3  # questions of a topic
ENOUGH = 20  # questions before places are counted
# quantiles of chi-square at 1 %, by the number of choices
CHI_SQUARE = {2: 6.635, 3: 9.210, 4: 11.345, 5: 13.277}
_ABSOLUTE = re.compile(r"(?<![\w-])(always|never|only|all)(?![\w-])", re.IGNORECASE)


def twice(found: list[Read]) -> Iterator[Problem]:
    """Q001: the same id in two files."""
    first: dict[str, str] = {}
    for one in found:
        for place, item in enumerate(one.quiz.items if one.quiz else ()):
            other = first.setdefault(item.id, one.file)
            if other != one.file:
                yield one.at(("items", place, "id"), "Q001", "error", f"the id {item.id!r} is also in {other}")


def unknown(found: list[Read], exercises: Collection[str], mistakes: Collection[str]) -> Iterator[Problem]:
    """Q022: an exercise or a misconception that the course does not have.

    Args:
        found: the quiz files.
        exercises: slugs of the course.
        mistakes: misconceptions of the course, as exercise/name.
    """
    for one in found:
        for place, item in enumerate(one.quiz.items if one.quiz else ()):
            path = ("items", place)
            if item.exercise and item.exercise not in exercises:
                yield one.at((*path, "exercise"), "Q022", "error", f"{item.id}: there is no exercise {item.exercise!r}")
            for name in sorted(item.wrongs):
                if name not in mistakes:
                    yield one.at(path, "Q022", "error", f"{item.id}: there is no misconception {name!r}")


def of_quiz(found: Read) -> Iterator[Problem]:
    """Return what the questions of a file give away together."""
    items = found.quiz.items if found.quiz else ()
    yield from _lengths(found, ("items",), items, "this file")
    yield from _absolutes(found, items)
    for topic, group in by_topic(items).items():
        place = items.index(group[0])
        if len(group) < FEWEST:
            message = f"the topic {topic!r} has {len(group)} questions; fewer than {FEWEST} say little"
            yield found.at(("items", place, "topic"), "Q021", "warn", message)
        elif len({item.level for item in group}) == 1:
            message = f"all questions of the topic {topic!r} are of level {group[0].level}"
            yield found.at(("items", place, "level"), "Q021", "warn", message)


def of_bank(found: list[Read]) -> Iterator[Problem]:
    """Return what all files give away together; it is said at the first of them."""
    items = [item for one in found if one.quiz for item in one.quiz.items]
    if len(found) > 1:  # of one file it is said there
        yield from _lengths(found[0], (), items, "the whole bank")
    if found:
        yield from _places(found[0], items)


def _lengths(found: Read, path: tuple[str | int, ...], items: Collection[Item], where: str) -> Iterator[Problem]:
    """Q011: the key is the longest choice more often than chance would have it."""
    single = [item for item in items if item.type == "single"]
    hits = sum(_longest(item) for item in single)
    chance = at_least(hits, [1 / len(item.choices) for item in single])
    if chance < UNLIKELY:
        message = f"the key is the longest choice in {hits} of {len(single)} questions of {where} (p = {chance:.1g})"
        yield found.at(path, "Q011", "warn", message)


def _longest(item: Item) -> bool:
    """Say whether the key is longer than every other choice."""
    key = next(len(choice.text) for choice in item.choices if choice.correct)
    return all(len(choice.text) < key for choice in item.choices if not choice.correct)


def at_least(hits: int, chances: list[float]) -> float:
    """Return the probability of so many hits or more in independent trials with these chances."""
    exactly = [1.0]  # exactly[k]: the probability of k hits so far
    for chance in chances:
        missed = [*(one * (1 - chance) for one in exactly), 0.0]
        exactly = [one + other for one, other in zip(missed, [0.0, *(one * chance for one in exactly)], strict=True)]
    return sum(exactly[hits:])


def _places(found: Read, items: Collection[Item]) -> Iterator[Problem]:
    """Q012: keys of questions in fixed order prefer a place; a weak test, so the counts are said anyway."""
    counts: dict[int, Counter[int]] = {}
    for item in items:
        if item.type == "single" and item.order == "fixed":
            place = next(number for number, choice in enumerate(item.choices) if choice.correct)
            counts.setdefault(len(item.choices), Counter())[place] += 1
    for size, counter in sorted(counts.items()):
        total = counter.total()
        if total < ENOUGH:
            continue
        told = "/".join(str(counter[place]) for place in range(size))
        statistic = sum((counter[place] - total / size) ** 2 for place in range(size)) / (total / size)
        if statistic > CHI_SQUARE[size]:
            message = f"keys of questions in fixed order stand at {told} of {size} places (chi-square {statistic:.1f})"
            yield found.at((), "Q012", "warn", message)
        else:
            yield found.at((), "Q012", "info", f"keys of questions in fixed order stand at {told} of {size} places")


def _absolutes(found: Read, items: Collection[Item]) -> Iterator[Problem]:
    """Q014: words like "always" that stand in wrong choices and in no key."""
    first = None
    for place, item in enumerate(items):
        for number, choice in enumerate(item.choices):
            match = _ABSOLUTE.search(choice.text)
            if match and choice.correct:
                return
            if match and first is None:
                first = (("items", place, "choices", number, "text"), match[0])
    if first:
        message = f"{first[1]!r} and its like stand in wrong choices and in no key of this file"
        yield found.at(first[0], "Q014", "warn", message)
