"""In which order questions and choices are shown: decided by a seed, the same on every machine."""

import hashlib
import random
from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any

from grader.quiz.item import Choice, Item

LETTERS = ascii_lowercase


def drawn(seed: str, what: str) -> random.Random:
    """Return a generator for one purpose under a seed."""
    return random.Random(hashlib.sha256(f"{seed}\0{what}".encode()).digest())  # noqa: S311  an order is no secret


def shown(item: Item, seed: str) -> tuple[Choice, ...]:
    """Return the choices of a question as they are shown: shuffled by seed and id, unless their order is fixed."""
    if item.order == "fixed":
        return item.choices
    return tuple(shuffled(item.choices, seed, item.id))


def shuffled(things: Sequence[Any], seed: str, what: str) -> list[Any]:
    """Return things in an order that depends on nothing but seed and purpose."""
    result = list(things)
    drawn(seed, what).shuffle(result)
    return result
