"""What is said at each stage of a session: lines with a role, which a front-end wraps and colours as it can."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from grader.quiz.item import Choice, Code, Item, by_topic
from grader.quiz.order import LETTERS
from grader.quiz.response import Response, near
from grader.quiz.session import Attempt, Session

Role = Literal["head", "prompt", "code", "choice", "good", "bad", "part", "note", "blank"]
SURE = {"guess": "a guess", "unsure": "unsure", "sure": "sure"}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph: its role, its text, and how far it hangs in when it is wrapped. Code is not wrapped."""

    role: Role
    text: str
    hang: int = 0


def talk(session: Session) -> list[Line]:
    """Return what stands on a whole screen now."""
    stage = session.stage  # once: the time of an exam may be over a moment later
    if stage == "end":
        return [*_end(session)]
    if stage == "feedback":
        return [*_feedback(session, session.attempts[-1])]
    lines = [*_question(session)]
    return lines if stage == "question" else [*lines, Line("blank", ""), *sure(session)]


def sure(session: Session) -> list[Line]:
    """Return the question how sure somebody is of an answer that is not marked yet."""
    assert session.pending is not None  # the stage says so
    item, response = session.asked.item, session.pending
    if response.number is not None:
        given = f"{_number(response.number)} {item.answer.unit if item.answer else ''}".strip()
    else:
        letters = zip(LETTERS, session.choices, strict=False)
        given = ", ".join(letter for letter, choice in letters if choice.id in response.picks)
    return [Line("note", f"Your answer: {given}. How sure are you?")]


def _question(session: Session) -> Iterator[Line]:
    item = session.asked.item
    again = ", asked again" if session.asked.retry else ""
    clock = f", {_clock(session)} left" if session.left is not None else ""
    yield Line("head", f"{session.number} of {len(session.items)}{again} - {item.topic}, {item.level}{clock}")
    yield Line("blank", "")
    yield from asked(item, session.shown(item))
    if item.id in session.hinted:
        yield Line("blank", "")
        yield hint(item)


def hint(item: Item) -> Line:
    """Return the hint of a question that has one."""
    return Line("note", f"Hint: {item.hint}", 6)


def _clock(session: Session) -> str:
    seconds = int(session.left.total_seconds()) if session.left is not None else 0
    return f"{seconds // 60} min {seconds % 60:02} s" if seconds < 3600 else f"{seconds // 60} min"


def asked(item: Item, choices: tuple[Choice, ...]) -> Iterator[Line]:
    """Return a question as it is asked."""
    yield from _paragraphs("prompt", item.prompt)
    if item.code:
        yield Line("blank", "")
        yield from _code(item.code)
    yield Line("blank", "")
    for letter, choice in zip(LETTERS, choices, strict=False):
        yield Line("choice", f"  {letter}) {_flat(choice.text)}", 5)
    if item.type == "numeric":
        unit = f", in {item.answer.unit}" if item.answer and item.answer.unit else ""
        yield Line("note", f"Type a number{unit}.")
    elif item.type == "multi":
        yield Line("blank", "")
        yield Line("note", "More than one is right: type all their letters, as a c.")


def _code(code: Code) -> Iterator[Line]:
    return (Line("code", f"    {line}") for line in code.text.rstrip("\n").splitlines())


def _paragraphs(role: Role, text: str) -> Iterator[Line]:
    """Return a text by its blank lines; what is indented stays as it is."""
    for number, block in enumerate(text.strip().split("\n\n")):
        if number:
            yield Line("blank", "")
        lines = block.splitlines()
        if any(line.startswith((" ", "\t", "- ")) for line in lines):
            yield from (Line(role, line, len(line) - len(line.lstrip(" -"))) for line in lines)
        else:
            yield Line(role, _flat(block))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _feedback(session: Session, attempt: Attempt) -> Iterator[Line]:
    yield verdict(attempt)
    yield Line("blank", "")
    yield from explained(attempt, session.shown(attempt.item))
    if attempt.score < 1 and not attempt.retry:
        yield Line("blank", "")
        yield Line("note", "It comes again at the end of this session.")


def verdict(attempt: Attempt) -> Line:
    """Return the line that says whether an answer is right: a word and a sign, whatever the colour."""
    if attempt.score == 1:
        lucky = " - but a guess: it will come again soon" if attempt.confidence == "guess" else ""
        return Line("good", f"RIGHT ✓{lucky}")
    if attempt.score == 0:
        return Line("bad", "WRONG ✗")
    return Line("part", f"PARTLY RIGHT ~ {attempt.score} of the points")


def explained(attempt: Attempt, choices: tuple[Choice, ...]) -> Iterator[Line]:
    """Return everything that teaches: each choice with its reason, the explanation, the sources."""
    item = attempt.item
    for letter, choice in zip(LETTERS, choices, strict=False):
        picked = choice.id in attempt.response.picks
        sign = "✓" if choice.correct else "✗" if picked else " "
        yours = " (yours)" if picked else ""
        role: Role = "good" if choice.correct else "bad" if picked else "choice"
        yield Line(role, f"{sign} {letter}) {_flat(choice.text)}{yours}", 5)
        yield Line("note", f"     {_flat(choice.why)}", 5)
    if item.answer:
        unit = f" {item.answer.unit}" if item.answer.unit else ""
        given = attempt.response.number
        if attempt.score < 1 and given is not None:
            close = near(item, attempt.response)
            why = f": {_flat(close.why)}" if close else ""
            yield Line("bad", f"✗ {_number(given)}{unit} (yours){why}", 2)
        tolerance = item.answer.width
        width = f" (within {tolerance.normalize():f})" if tolerance else ""
        yield Line("good", f"✓ {item.answer.value}{unit}{width}", 2)
    yield Line("blank", "")
    yield from _paragraphs("prompt", item.explanation)
    yield from _further(item)


def _number(number: Fraction) -> str:
    if number.denominator == 1:
        return str(number.numerator)
    return f"{Decimal(number.numerator) / Decimal(number.denominator):.6g}"  # a float may be too small for it


def _further(item: Item) -> Iterator[Line]:
    if item.exercise:
        yield Line("blank", "")
        yield Line("note", f"Practise it: grader check {item.exercise}")
    if item.sources:
        yield Line("blank", "")
        yield from (Line("note", f"Source: {source}", 8) for source in item.sources)


def _end(session: Session) -> Iterator[Line]:
    """Say how it went; an exam gives its feedback now."""
    first = session.first
    worth = sum((first[item.id].score * item.points for item in session.items if item.id in first), Fraction(0))
    points = sum(item.points for item in session.items)
    if session.late:
        yield Line("head", "The time is over.")
    counted = session.items if session.mode == "exam" else [item for item in session.items if item.id in first]
    reached = points if session.mode == "exam" else sum(item.points for item in counted)
    if not counted:
        yield Line("head", "No question was answered.")
        return
    share = f", {float(worth / reached):.0%}" if reached else ""
    yield Line("head", f"{_number(worth)} of {reached} points{share}")
    for topic, group in by_topic(counted).items():
        right = sum(item.id in first and first[item.id].score == 1 for item in group)
        yield Line("note", f"  {topic}: {right} of {len(group)} right", 4)
    left = [item.id for item in session.items if item.id not in first]
    if left:
        yield Line("note", f"Not answered: {', '.join(left)}", 2)
    if session.mode == "exam":
        for item in session.items:
            yield from _late(session, item, first.get(item.id))
    yield from _exercises(session)


def _late(session: Session, item: Item, attempt: Attempt | None) -> Iterator[Line]:
    """Return a question of an exam with its feedback."""
    yield Line("blank", "")
    yield Line("head", f"{session.items.index(item) + 1} of {len(session.items)} - {item.topic}")
    choices = session.shown(item)
    yield from _paragraphs("prompt", item.prompt)
    if item.code:
        yield from _code(item.code)
    if attempt is None:
        yield Line("bad", "NOT ANSWERED ✗")
        attempt = Attempt(item, Response(), Fraction(0), None, hinted=False, retry=False)
    else:
        yield verdict(attempt)
    yield from explained(attempt, choices)


def _exercises(session: Session) -> Iterator[Line]:
    """Name the exercises of what was missed."""
    missed = [attempt.item for attempt in session.first.values() if attempt.score < 1]
    names = dict.fromkeys(item.exercise for item in missed if item.exercise)
    if names:
        yield Line("blank", "")
        yield Line("note", f"What you missed is practised in: {', '.join(str(name) for name in names)}", 2)
