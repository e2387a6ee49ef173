"""Which questions a session asks, and in which order."""

from collections.abc import Sequence
from datetime import datetime

from grader.quiz.item import Item
from grader.quiz.log import Mode
from grader.quiz.memory import Card, due, new
from grader.quiz.order import shuffled

LEVELS = ("intro", "core", "stretch")


def agenda(mode: Mode, items: Sequence[Item], known: dict[str, Card], seed: str, now: datetime) -> list[Item]:
    """Return the questions of a session, the most urgent first.

    study: what was missed, what is due, then what is new: the introductory questions of all topics before the others.
    exam: all, in an order drawn by the seed. review: what was missed and what is due, the longest waiting first.

    Args:
        mode: of the session.
        items: those that may be asked, in the order of the bank.
        known: what is remembered, by id.
        seed: of the session.
        now: the time.
    """
    if mode == "exam":
        return shuffled(items, seed, "exam")
    waiting = [item for item in items if due(item, known, now)]
    waiting.sort(key=lambda item: (not known[item.id].missed, known[item.id].due))
    if mode == "review":
        return waiting
    fresh = [item for item in items if new(item, known)]
    fresh.sort(key=lambda item: LEVELS.index(item.level))  # stable: the order of the bank within a level
    return waiting + fresh
