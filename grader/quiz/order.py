"""In which order questions and choices are shown: decided by a seed, the same on every machine."""

import hashlib
from collections.abc import Sequence
from string import ascii_lowercase
from typing import TypeVar

from grader.quiz.item import Choice, Item

LETTERS = ascii_lowercase
Thing = TypeVar("Thing", Item, Choice)


def shown(item: Item, seed: str) -> tuple[Choice, ...]:
    """Return the choices of a question as they are shown: shuffled by seed and id, unless their order is fixed."""
    if item.order == "fixed":
        return item.choices
    return tuple(shuffled(item.choices, seed, item.id))


def shuffled(things: Sequence[Thing], seed: str, what: str) -> list[Thing]:
    """Return things in an order that depends on nothing but seed, purpose and their ids.

    They are sorted by digests. Python promises the same shuffle for one version only, and a form that was made on one
    machine is marked on another. And who knows the seed of a form cannot work out how the file had the choices, where
    authors like to put the right one first.
    """
    return sorted(things, key=lambda thing: hashlib.sha256(f"{seed}\0{what}\0{thing.id}".encode()).digest())
