"""How far somebody is: by topic, what is due, what was flagged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from grader.quiz.item import Item, by_topic
from grader.quiz.log import Event
from grader.quiz.memory import Card, due, new


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a topic: how many questions there are, were answered, were right at the last answer, and are due."""

    topic: str
    questions: int
    answered: int
    right: int
    due: int


def progress(items: Sequence[Item], known: dict[str, Card], now: datetime) -> list[Progress]:
    """Return the progress of each topic, in the order of the bank."""
    return [
        Progress(
            topic,
            len(group),
            sum(not new(item, known) for item in group),
            sum(not new(item, known) and not known[item.id].missed for item in group),
            sum(due(item, known, now) for item in group),
        )
        for topic, group in by_topic(items).items()
    ]


def calibration(events: Iterable[Event]) -> dict[str, tuple[int, int]]:
    """Return for each confidence how many first answers were fully right, of how many."""
    found = {"guess": (0, 0), "unsure": (0, 0), "sure": (0, 0)}
    for event in events:
        if event.kind == "answer" and event.confidence and not event.retry:
            right, total = found[event.confidence]
            found[event.confidence] = (right + (event.score == "1"), total + 1)
    return found


def flagged(events: Iterable[Event]) -> dict[str, str]:
    """Return the questions that are flagged, with the time of the flag."""
    found: dict[str, str] = {}
    for event in events:
        if event.kind == "flag":
            found[event.item] = event.time
        elif event.kind == "unflag":
            found.pop(event.item, None)
    return found
