"""The engine of self-study: which question is asked, what an answer is worth, what comes next.

It neither reads nor prints: a front-end gives it what was typed (`do`) and shows `stage`; `record` is called with each
event before the state changes, so that what a person sees confirmed is written. The state is a fold over the events, so
resuming is doing it again.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from grader.quiz.item import Choice, Item
from grader.quiz.log import Confidence, Event, Kind, Mode
from grader.quiz.order import LETTERS, shown
from grader.quiz.response import Response, UnclearError, read, score

Stage = Literal["question", "confidence", "feedback", "end"]
CONFIDENCE: dict[str, Confidence] = {"1": "guess", "2": "unsure", "3": "sure"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that waits, and whether it was asked before in this session."""

    item: Item
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """An answer that was given."""

    item: Item
    response: Response
    score: Fraction
    confidence: Confidence | None
    hinted: bool
    retry: bool


@dataclass
class Session:
    """A walk through questions.

    Attributes:
        name: of the session, in the log.
        mode: "study" and "review" tell at once what was right; "exam" tells it at the end, and has a clock.
        seed: decides the order of choices.
        items: the questions, in order.
        begun: when.
        minutes: of an exam, None for as long as it takes.
        record: called with what happens, before it counts.
        now: returns the time, in UTC.
    """

    name: str
    mode: Mode
    seed: str
    items: tuple[Item, ...]
    begun: datetime
    record: Callable[[Event], None]
    now: Callable[[], datetime]
    minutes: float | None = None
    attempts: list[Attempt] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    flagged: set[str] = field(default_factory=set)
    hinted: set[str] = field(default_factory=set)
    over: bool = False
    pending: Response | None = None
    explained: bool = False  # the feedback of the last answer is on screen

    def __post_init__(self) -> None:
        self.queue = deque(Asked(item) for item in self.items)
        self.since = self.begun

    # --- what a front-end shows ---------------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """What is on the screen now."""
        if self.explained:
            return "feedback"
        if self.over or not self.queue or self.late:
            return "end"
        return "question" if self.pending is None else "confidence"

    @property
    def asked(self) -> Asked:
        """The question that is asked, or was answered last when its feedback is shown."""
        if self.explained:
            last = self.attempts[-1]
            return Asked(last.item, last.retry)
        return self.queue[0]

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The choices of the question, in the order of this session."""
        return self.shown(self.asked.item)

    def shown(self, item: Item) -> tuple[Choice, ...]:
        """Return the choices of any question, in the order of this session."""
        return shown(item, self.seed)

    @property
    def number(self) -> int:
        """Which question of all this is, from 1; one that is asked again keeps its number."""
        return self.items.index(self.asked.item) + 1

    @property
    def left(self) -> timedelta | None:
        """How much time is left, None if there is no limit."""
        if self.minutes is None:
            return None
        return max(timedelta(0), self.begun + timedelta(minutes=self.minutes) - self.now())

    @property
    def late(self) -> bool:
        """Whether the time of an exam is over."""
        return self.left == timedelta(0)

    @property
    def first(self) -> dict[str, Attempt]:
        """The first answer to each question: what counts."""
        found: dict[str, Attempt] = {}
        for attempt in self.attempts:
            found.setdefault(attempt.item.id, attempt)
        return found

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The keys that work now, and what they do."""
        stage = self.stage
        if stage == "feedback":
            return [("Enter", "go on"), ("f", "flag"), ("q", "save and quit")]
        if stage == "confidence":
            return [*CONFIDENCE.items(), ("b", "back"), ("f", "flag"), ("q", "save and quit")]
        if stage == "end":
            return [("q", "quit")]
        item = self.asked.item
        answer = ("number", "answer") if item.type == "numeric" else (f"a-{LETTERS[len(item.choices) - 1]}", "answer")
        hint = [("?", "hint")] if item.hint and self.mode != "exam" else []
        return [answer, *hint, ("s", "skip"), ("f", "flag"), ("q", "save and quit")]

    # --- what a front-end does ----------------------------------------------------------------------------

    def do(self, text: str) -> str:
        """Take what was typed; return a sentence if it could not be taken, or there is something to say.

        Quitting is the front-end's: nothing has to be saved for it.

        Raises:
            UsageError: the answer cannot be written.
        """
        word = text.strip()
        stage = self.stage
        if stage == "end":
            return "the time is over" if self.late and not self.over else ""
        if word.lower() == "f":
            return self._flag()
        if stage == "feedback":
            self.explained = False
            self.since = self.now()
            return ""
        if stage == "confidence":
            return self._confirm(word)
        if word == "?":
            return self._hint()
        if word.lower() == "s":
            self._tell(self._event("skip", self.asked.item))
            return ""
        return self._answer(word)

    def finish(self) -> None:
        """End the session: no question is left, or the time is over."""
        if not self.over:
            self._tell(Event(kind="end", time=stamp(self.now()), session=self.name))

    def _answer(self, text: str) -> str:
        try:
            response = read(self.asked.item, self.choices, text)
        except UnclearError as error:
            return str(error)
        if self.mode == "exam" or self.asked.retry:  # a retry is not remembered: how sure one is does not matter
            self._mark(response, None)
        else:
            self.pending = response
        return ""

    def _confirm(self, word: str) -> str:
        if word.lower() == "b":
            self.pending = None
            return ""
        if word not in CONFIDENCE:
            return "type 1 if it is a guess, 2 if you are unsure, 3 if you are sure"
        assert self.pending is not None  # the stage says so
        self._mark(self.pending, CONFIDENCE[word])
        return ""

    def _mark(self, response: Response, confidence: Confidence | None) -> None:
        asked = self.asked
        answer = {
            "picks": tuple(sorted(response.picks)),
            "number": None if response.number is None else str(response.number),
            "score": str(score(asked.item, response)),
            "confidence": confidence,
            "hinted": asked.item.id in self.hinted,
            "retry": asked.retry,
            "seconds": round((self.now() - self.since).total_seconds(), 3),
        }
        self._tell(self._event("answer", asked.item).model_copy(update=answer))
        self.explained = self.mode != "exam"
        self.since = self.now()

    def _hint(self) -> str:
        item = self.asked.item
        if self.mode == "exam":
            return "an exam has no hints"
        if not item.hint:
            return "this question has no hint"
        if item.id not in self.hinted:
            self._tell(self._event("hint", item))
        return ""

    def _flag(self) -> str:
        item = self.asked.item
        kind: Literal["flag", "unflag"] = "unflag" if item.id in self.flagged else "flag"
        self._tell(self._event(kind, item))
        return "flagged for the author" if kind == "flag" else "no longer flagged"

    def _event(self, kind: Kind, item: Item) -> Event:
        return Event(kind=kind, time=stamp(self.now()), session=self.name, item=item.id, rev=item.rev)

    def _tell(self, event: Event) -> None:
        self.record(event)
        self.take(event)

    # --- how events change the state ----------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Change the state as an event of this session says; one about a question that is gone changes nothing."""
        if event.kind == "end":
            self.over = True
        item = next((one for one in self.items if one.id == event.item), None)
        if item is None:
            return
        if event.kind == "hint":
            self.hinted.add(item.id)
        elif event.kind == "flag":
            self.flagged.add(item.id)
        elif event.kind == "unflag":
            self.flagged.discard(item.id)
        elif event.kind == "skip":
            self._skip(item)
        elif event.kind == "answer":
            self._count(item, event)

    def _skip(self, item: Item) -> None:
        asked = self._out(item)
        if self.mode == "exam" and item.id not in self.skipped:
            self.queue.append(asked)  # once more, when all others are done
        self.skipped.add(item.id)

    def _count(self, item: Item, event: Event) -> None:
        self._out(item)
        response = Response(frozenset(event.picks), Fraction(event.number) if event.number is not None else None)
        worth = score(item, response)
        self.attempts.append(Attempt(item, response, worth, event.confidence, event.hinted, event.retry))
        self.skipped.discard(item.id)
        self.pending = None
        if worth < 1 and not event.retry and self.mode != "exam":
            self.queue.append(Asked(item, retry=True))

    def _out(self, item: Item) -> Asked:
        """Take a question out of the queue."""
        asked = next((one for one in self.queue if one.item is item), Asked(item))
        if asked in self.queue:
            self.queue.remove(asked)
        return asked


def stamp(time: datetime) -> str:
    """Return a time as the log has it."""
    return time.isoformat(timespec="microseconds")
