"""What a quiz is: the schema of quizzes/<slug>.yaml, and the questions as the rest of the grader handles them."""

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

SCHEMA = "llm-quiz/1"
LARGEST = 400  # power of ten
MOST = 5  # choices; more than four or five are padding (Rodriguez 2005), and further letters are keys of the terminal

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
ChoiceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=24)]
Wrong = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*/[A-Za-z0-9_]+$")]  # exercise/misconception
Source = Annotated[str, StringConstraints(pattern=r"^https://\S+$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^Q\d{3}$")]


def _exact(value: Any) -> Decimal:
    """Read a quoted number: YAML's own numbers are floats, and some of them are texts or times."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("unquoted", "must be a number in quotes, so that it is read exactly")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise PydanticCustomError("number", 'must be a number, as "0.354" or "1e-5"') from None
    if not number.is_finite() or abs(number.adjusted()) > LARGEST:
        raise PydanticCustomError("number", "must be finite, and neither huge nor tiny beyond sense")
    return number


Number = Annotated[Decimal, BeforeValidator(_exact), WithJsonSchema({"type": "string", "pattern": r"^[-+0-9.eE]+$"})]


class Part(BaseModel):
    """What a part of a quiz file has in common: unknown keys are refused, nothing is converted, nothing changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Choice(Part):
    """One choice. `why` tells who picked it what is right or wrong about it."""

    id: ChoiceId
    text: Text
    why: Text
    correct: bool = False
    misconception: Wrong | None = None  # who picks it believes what this wrong program does


class Code(Part):
    """Code that a question is about. What surrounds it is run, not shown.

    Attributes:
        lang: "python" is run by the lint; other languages are only shown.
        text: what is shown.
        setup: run before it.
        after: run after it, to print what shows that the key is right.
        expect: what all that prints.
    """

    lang: Text
    text: Annotated[str, StringConstraints(min_length=1)]
    setup: str = ""
    after: str = ""
    expect: str | None = None


class Answer(Part):
    """The answer to a numeric question: right within abs_tol, or within rel_tol times the value."""

    value: Number
    abs_tol: Annotated[Number, Field(ge=0)] = Decimal(0)
    rel_tol: Annotated[Number, Field(ge=0, lt=1)] = Decimal(0)
    unit: str = ""

    @property
    def width(self) -> Decimal:
        """How far from the value an answer may lie; exactly, whatever the number of digits."""
        digits = len(self.value.as_tuple().digits) + len(self.rel_tol.as_tuple().digits)
        return max(self.abs_tol, Context(prec=digits).multiply(self.rel_tol, self.value.copy_abs()))

    def holds(self, given: Decimal | Fraction) -> bool:
        """Say whether an answer is right."""
        return abs(Fraction(given) - Fraction(self.value)) <= Fraction(self.width)


class Near(Part):
    """A wrong number that people really find, and how they find it."""

    value: Number
    why: Text
    misconception: Wrong | None = None


class Seed(Part):
    """Where a question was first asked."""

    doc: Text
    ref: Text


Level = Literal["intro", "core", "stretch"]


class Item(Part):
    """A question. Progress is keyed on `id`; `rev` is raised when the key or the meaning changes."""

    id: Slug
    rev: Annotated[int, Field(ge=1)]
    type: Literal["single", "multi", "numeric"]
    topic: Slug
    level: Level
    prompt: Text
    explanation: Text
    code: Code | None = None
    choices: Annotated[tuple[Choice, ...], Field(strict=False)] = ()
    order: Literal["shuffle", "fixed"] = "shuffle"
    scoring: Literal["partial", "all_or_nothing"] = "partial"
    answer: Answer | None = None
    near_misses: Annotated[tuple[Near, ...], Field(strict=False)] = ()
    points: Annotated[int, Field(ge=1, le=100)] = 1
    hint: Text | None = None
    sources: Annotated[tuple[Source, ...], Field(strict=False)] = ()
    tags: Annotated[tuple[Slug, ...], Field(strict=False)] = ()
    exercise: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,23}$")] | None = None
    misconceptions: Annotated[tuple[Wrong, ...], Field(strict=False)] = ()  # wrong programs that it speaks of
    seed: Seed | None = None
    waived: dict[RuleId, Text] = {}  # warnings of the lint that must be, each with its reason

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse what fits no kind of question."""
        if problem := _unlike(self):
            raise PydanticCustomError("item", "{problem}", {"problem": problem})
        return self

    @property
    def keys(self) -> frozenset[str]:
        """Ids of the correct choices."""
        return frozenset(choice.id for choice in self.choices if choice.correct)

    @property
    def wrongs(self) -> frozenset[str]:
        """All misconceptions that the question speaks of, as exercise/name."""
        parts: tuple[Choice | Near, ...] = (*self.choices, *self.near_misses)
        return frozenset({part.misconception for part in parts if part.misconception}.union(self.misconceptions))

    def choice(self, name: str) -> Choice:
        """Return a choice by its id."""
        return next(choice for choice in self.choices if choice.id == name)


def by_topic(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Return questions by topic, both in the order in which they come."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.topic, []).append(item)
    return found


def _unlike(item: Item) -> str:
    """Return what does not fit the type of a question, "" if all does."""
    right = sum(choice.correct for choice in item.choices)
    if item.type == "numeric":
        return _unlike_numeric(item)
    if item.answer is not None or item.near_misses:
        return f"a question of type {item.type} has choices, no answer or near_misses"
    if not 2 <= len(item.choices) <= MOST:
        return f"a question of type {item.type} needs 2 to {MOST} choices, and here are {len(item.choices)}"
    if item.type == "single" and right != 1:
        return f"exactly one choice of a question of type single is correct, and here are {right}"
    if item.type == "multi" and right == 0:
        return "no choice is correct"
    return ""


def _unlike_numeric(item: Item) -> str:
    if item.answer is None:
        return "a numeric question needs an answer"
    if item.choices:
        return "a numeric question has no choices"
    if any(item.answer.holds(near.value) for near in item.near_misses):
        return "a near miss lies within the tolerance of the answer"
    return ""


class Quiz(Part):
    """A file of questions."""

    schema_: Annotated[Literal["llm-quiz/1"], Field(alias="schema")]
    quiz: Slug
    title: Text
    summary: Text | None = None
    number: Annotated[int, Field(ge=1)] = 1000  # place in the order of study
    items: Annotated[tuple[Item, ...], Field(strict=False, min_length=1)]
    waived: dict[RuleId, Text] = {}  # warnings about the whole file
