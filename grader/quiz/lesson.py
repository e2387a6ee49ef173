"""Opens a session of self-study: goes on with one that was left, or begins one."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import EmptyError, UsageError
from grader.quiz.agenda import agenda
from grader.quiz.bank import Bank
from grader.quiz.item import Item
from grader.quiz.log import LONGEST, Event, Log, Mode, state_folder
from grader.quiz.memory import cards
from grader.quiz.session import Session, stamp


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for.

    Attributes:
        mode: of the session.
        topics: to be asked about, () for all.
        items: questions to be asked, in this order, () for those that the mode chooses.
        limit: how many questions, None for what is usual.
        seed: of the order, None for a new one.
        minutes: of an exam; None for what is usual, 0 for no limit.
        fresh: begin a new session even if another one was left.
    """

    mode: Mode
    topics: Sequence[str] = ()
    items: Sequence[str] = ()
    limit: int | None = None
    seed: str | None = None
    minutes: float | None = None
    fresh: bool = False

    @property
    def usual(self) -> bool:
        """Whether nothing was asked for that a session that was left may not have."""
        return not (
            self.topics or self.items or self.limit or self.seed is not None or self.minutes is not None or self.fresh
        )


LIMIT = 10  # questions of a session, if nothing else is asked for
PACE = 1.5  # minutes for a question of an exam
NOTHING = {
    "study": "all questions were answered, and none is due; grader quiz --mode exam asks them anyway",
    "review": "nothing is due and nothing was missed: grader quiz begins with new questions",
    "exam": "there are no questions",
}


def review_log(path: Path | None) -> Log:
    """Return the review log of the user, or the one that is named."""
    return Log(path or state_folder() / "quiz" / "reviews.jsonl")


def lesson(bank: Bank, log: Log, wish: Wish) -> tuple[Session, list[str]]:
    """Return a session, and sentences about it.

    Raises:
        UsageError: what was asked for cannot be had, or the log cannot be read or written.
        EmptyError: there is nothing to ask.
    """
    events = log.events()
    notes = []
    if log.broken:
        lines = "a line" if log.broken == 1 else f"{log.broken} lines"
        notes.append(f"{lines} of {log.path} cannot be read and were left out")
    left = unfinished(events, wish.mode)
    if left and wish.usual:
        session, gone = resume(left, bank.items, log.append, now)
        when = f"{datetime.fromisoformat(left[0].time).astimezone():%Y-%m-%d %H:%M}"
        over = session.stage == "end"
        if not over or session.mode == "exam":  # what an exam has to say was not seen
            what = f"the exam of {when} is over; this is how it ended"
            notes.append(what if over else f"going on with the session of {when}; --new begins another")
            if gone:
                notes.append(f"questions that have changed since are left out: {', '.join(gone)}")
            return session, notes
        session.finish()
    return _begin(bank, log, wish), notes


def _begin(bank: Bank, log: Log, wish: Wish) -> Session:
    if wish.minutes is not None and wish.mode != "exam":
        raise UsageError("--minutes is for grader quiz --mode exam")
    if wish.minutes is not None and wish.minutes > LONGEST:
        raise UsageError(f"--minutes {wish.minutes:g}: an exam takes at most {LONGEST}; 0 is for one without a limit")
    if wish.items and (wish.topics or wish.limit):
        raise UsageError("--item names the questions that are asked; leave out --topic and --limit, or --item")
    seed = wish.seed if wish.seed is not None else secrets.token_hex(4)
    seed = seed.encode("utf-8", "backslashreplace").decode()  # what is typed in another encoding is a seed too
    begun = now()
    if wish.items:
        chosen = [bank.find(name) for name in dict.fromkeys(wish.items)]
    else:
        chosen = agenda(wish.mode, bank.of(wish.topics), cards(log), seed, begun)[: wish.limit or LIMIT]
    if not chosen:
        raise EmptyError(NOTHING[wish.mode])
    minutes = wish.minutes if wish.minutes is not None else PACE * len(chosen)
    limit = minutes if minutes and wish.mode == "exam" else None
    name = f"{begun:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    session = Session(name, wish.mode, seed, tuple(chosen), begun, log.append, now, limit)
    begin(session)
    return session


def begin(session: Session) -> None:
    """Record that a session begins."""
    items = tuple((item.id, item.rev) for item in session.items)
    session.record(
        Event(
            kind="begin",
            time=stamp(session.begun),
            session=session.name,
            mode=session.mode,
            seed=session.seed,
            items=items,
            minutes=session.minutes,
        )
    )


def unfinished(events: Iterable[Event], mode: Mode) -> list[Event]:
    """Return the events of the last session of a mode that has not ended, [] if there is none."""
    sessions: dict[str, list[Event]] = {}
    for event in events:
        if event.kind == "begin" or event.session in sessions:
            sessions.setdefault(event.session, []).append(event)
    # an answer may come after the end: from another window
    ended = {event.session for group in sessions.values() for event in group if event.kind == "end"}
    open_ = [group for name, group in sessions.items() if group[0].mode == mode and name not in ended]
    return open_[-1] if open_ else []


def resume(
    events: list[Event], bank: dict[str, Item], record: Callable[[Event], None], now: Callable[[], datetime]
) -> tuple[Session, list[str]]:
    """Return a session as its events left it, and the questions that are gone or have changed since.

    Args:
        events: of the session, the first is its beginning.
        bank: questions by id.
        record: as of `Session`.
        now: as of `Session`.
    """
    head = events[0]
    gone = [name for name, rev in head.items if name not in bank or bank[name].rev != rev]
    items = tuple(bank[name] for name, _ in head.items if name not in gone)
    begun = datetime.fromisoformat(head.time)
    session = Session(head.session, head.mode, head.seed, items, begun, record, now, head.minutes)
    for event in events[1:]:
        session.take(event)
    session.since = now()
    return session, gone


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)
