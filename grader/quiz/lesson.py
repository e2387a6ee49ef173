"""Opens a session of self-study: goes on with one that was left, or begins one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import EmptyError, UsageError
from grader.quiz.agenda import agenda
from grader.quiz.bank import Bank
from grader.quiz.log import Log, Mode, state_folder
from grader.quiz.memory import cards
from grader.quiz.session import Session, begin, resume, unfinished


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for.

    Attributes:
        mode: of the session.
        topics: to be asked about, () for all.
        limit: how many questions, None for what is usual.
        seed: of the order, None for a new one.
        minutes: of an exam, None for no limit.
        fresh: begin a new session even if another one was left.
    """

    mode: Mode
    topics: Sequence[str] = ()
    limit: int | None = None
    seed: str | None = None
    minutes: float | None = None
    fresh: bool = False

    @property
    def plain(self) -> bool:
        """Whether nothing was asked for that a session that was left may not have."""
        return not (self.topics or self.limit or self.seed is not None or self.minutes or self.fresh)


LIMIT = 10  # questions of a session, if nothing else is asked for
NOTHING = {
    "study": "all questions were answered, and none is due; see grader quiz due, or ask --topic with grader quiz exam",
    "review": "nothing is due and nothing was missed: grader quiz begins with new questions",
    "exam": "there are no questions",
}


def review_log(path: Path | None) -> Log:
    """Return the review log of the user, or the one that is named."""
    return Log(path or state_folder() / "quiz" / "reviews.jsonl")


def lesson(bank: Bank, log: Log, wish: Wish) -> tuple[Session, list[str]]:
    """Return a session, and sentences about it.

    Raises:
        UsageError: there is no such topic, or the log cannot be read or written.
        EmptyError: there is nothing to ask.
    """
    events = log.events()
    notes = []
    if log.broken:
        lines = "a line" if log.broken == 1 else f"{log.broken} lines"
        notes.append(f"{lines} of {log.path} cannot be read and were left out")
    left = unfinished(events)
    if left and left[0].mode == wish.mode and wish.plain:
        session, gone = resume(left, bank.items, log.append, now)
        if session.stage != "end":
            when = datetime.fromisoformat(left[0].time).astimezone()
            notes.append(f"going on with the session of {when:%Y-%m-%d %H:%M}; --new begins another")
            if gone:
                notes.append(f"questions that have changed since are left out: {', '.join(gone)}")
            return session, notes
        session.finish()
    return _begin(bank, log, wish), notes


def _begin(bank: Bank, log: Log, wish: Wish) -> Session:
    if wish.minutes and wish.mode != "exam":
        raise UsageError("--minutes is for grader quiz exam")
    items = bank.of(wish.topics)
    seed = wish.seed if wish.seed is not None else secrets.token_hex(4)
    begun = now()
    chosen = agenda(wish.mode, items, cards(log), seed, begun)[: wish.limit or LIMIT]
    if not chosen:
        raise EmptyError(NOTHING[wish.mode])
    name = f"{begun:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    session = Session(name, wish.mode, seed, tuple(chosen), begun, log.append, now, wish.minutes)
    begin(session)
    return session


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)
