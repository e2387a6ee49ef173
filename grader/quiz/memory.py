"""What somebody remembers of each question, by FSRS, computed from the review log.

Cards are a cache: they are thrown away and computed again whenever the log says something else. One rating for each
question and session: wrong is Again, right after a hint is Hard, right is Good, and right by a guess is Again, because
a blind guess among four is right one time in four.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from grader.quiz.item import Item
from grader.quiz.log import Event, Log
from grader.whole import whole

if TYPE_CHECKING:
    from fsrs import Rating

RETENTION = 0.9  # share of due questions that should still be known
LONGEST = 365  # days between two reviews


class Card(BaseModel):
    """How well a question is known.

    Attributes:
        rev: of the question, as it was answered last; another one begins anew.
        due: when it should be asked again.
        last: when it was answered last.
        missed: whether the last answer was not fully right.
        reviews: how often it was answered, sessions counted.
    """

    rev: int
    due: datetime
    last: datetime
    missed: bool
    reviews: int


class Kept(BaseModel):
    """Cards, and the digest of the log that they were computed from."""

    digest: str
    cards: dict[str, Card]


def cards(log: Log) -> dict[str, Card]:
    """Return the cards of a log, from the cache if it is of the same log."""
    digest = hashlib.sha256(RULES.encode() + log.bytes()).hexdigest()
    path = log.path.with_suffix(".cards.json")
    kept = _kept(path)
    if kept and kept.digest == digest:
        return kept.cards
    made = rebuilt(log.events())
    if made:
        _keep(path, Kept(digest=digest, cards=made))
    return made


RULES = "1"  # raise it when the way from log to cards changes


def _kept(path: Path) -> Kept | None:
    try:
        return Kept.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):  # none, or one that cannot be read: it is only a cache
        return None


def _keep(path: Path, kept: Kept) -> None:
    try:
        with whole(path) as file:
            file.write(kept.model_dump_json().encode())
    except OSError:  # the next start computes them again
        return


def rebuilt(events: Iterable[Event]) -> dict[str, Card]:
    """Return the cards that follow from what happened."""
    rated: set[tuple[str, str]] = set()
    answers = []
    for event in events:
        if event.kind == "answer" and not event.retry and (event.session, event.item) not in rated:
            rated.add((event.session, event.item))
            answers.append(event)
    return _reviewed(answers) if answers else {}


def _reviewed(answers: Iterable[Event]) -> dict[str, Card]:
    from fsrs import Card as Memory
    from fsrs import Scheduler

    # no learning steps and no fuzz: a session asks once, and the same log gives the same dates
    scheduler = Scheduler(
        desired_retention=RETENTION,
        learning_steps=(),
        relearning_steps=(),
        maximum_interval=LONGEST,
        enable_fuzzing=False,
    )
    memories: dict[str, Memory] = {}
    found: dict[str, Card] = {}
    for event in answers:
        old = found.get(event.item)
        if old is None or old.rev != event.rev:
            # an id of our own: fsrs sleeps for each that it makes
            memories[event.item], old = Memory(card_id=len(memories)), None
        time = datetime.fromisoformat(event.time)
        if old:
            time = max(time, old.last)  # a clock that was set back
        memory, _ = scheduler.review_card(memories[event.item], rating(event), time)
        memories[event.item] = memory
        found[event.item] = Card(
            rev=event.rev,
            due=memory.due,
            last=time,
            missed=event.score != "1",
            reviews=old.reviews + 1 if old else 1,
        )
    return found


def rating(event: Event) -> "Rating":
    """Return what an answer says about memory."""
    from fsrs import Rating

    if event.score != "1" or event.confidence == "guess":
        return Rating.Again
    return Rating.Hard if event.hinted else Rating.Good


def due(item: Item, known: dict[str, Card], now: datetime) -> bool:
    """Say whether a question that was answered before should be asked again; a changed one is new, not due."""
    card = known.get(item.id)
    return card is not None and card.rev == item.rev and (card.missed or card.due <= now)


def new(item: Item, known: dict[str, Card]) -> bool:
    """Say whether a question was never answered as it is now."""
    card = known.get(item.id)
    return card is None or card.rev != item.rev
