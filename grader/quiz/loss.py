"""What a format cannot carry is said: a sentence for each loss, with the questions that it concerns."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from grader.quiz.item import Item, Quiz
from grader.show import listed

SHOWN = 8  # questions that a sentence names


class Loss(NamedTuple):
    """A sentence that says what is lost, and which questions lose it."""

    what: str
    hits: Callable[[Item], bool]


def notes(quizzes: Sequence[Quiz], losses: Sequence[Loss]) -> list[str]:
    """Return a sentence for each loss that happens, with the ids of its questions."""
    items = [item for quiz in quizzes for item in quiz.items]
    found = ((loss.what, [item.id for item in items if loss.hits(item)]) for loss in losses)
    return [f"{what}: {_named(names, len(items))}" for what, names in found if names]


def _named(names: Sequence[str], total: int) -> str:
    if len(names) == total > 1:
        return f"all {total} questions"
    return listed(names, SHOWN)


def strict(item: Item) -> bool:
    """Say whether parts of the right choices are worth nothing."""
    return item.type == "multi" and item.scoring == "all_or_nothing"


def fixed(item: Item) -> bool:
    """Say whether the choices have an order of their own."""
    return bool(item.choices) and item.order == "fixed"
