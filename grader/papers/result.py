"""A marked paper, in the format that is kept and published (schema llm-quiz-result/1)."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from grader import __version__
from grader.errors import UsageError
from grader.papers.paper import Remark
from grader.quiz.item import Part
from grader.verdict import first_problem

_EXACT = re.compile(r"\d{1,12}(/[1-9]\d{0,11})?", re.ASCII)


def _exact(value: Any) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str) and _EXACT.fullmatch(value):
        return Fraction(value)
    raise PydanticCustomError("exact", 'must be a mark as "2" or "2/3"')


Exact = Annotated[
    Fraction,
    PlainValidator(_exact),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _EXACT.pattern}),
]
Status = Literal["answered", "unclear", "unanswered"]


class Mark(Part):
    """What one question was answered, and what that is worth."""

    item: str
    rev: int = Field(description="of the question, at the time of marking")
    type: Literal["single", "multi", "numeric"]
    status: Status = Field(description="unclear: it could not be read; a person should look")
    score: Exact = Field(description='from 0 to 1, exact: "2/3"')
    points: int
    earned: Exact
    line: int = Field(default=0, ge=0, description="of the paper; 0 if it says nothing about the question")
    given: str = Field(default="", description="as it was written")
    picks: tuple[str, ...] = Field(default=(), description="ids of the choices that were picked")
    near: str = Field(default="", description="the known wrong number that was given")
    wrongs: tuple[str, ...] = Field(default=(), description="misconceptions that go with the answer")
    message: str = Field(default="", description="why it is unclear")

    @property
    def right(self) -> bool:
        """Whether it has full marks."""
        return self.score == 1


class Result(Part):
    """A marked paper, as quiz-results/ has it for each student."""

    schema_: Annotated[Literal["llm-quiz-result/1"], Field(alias="schema")] = "llm-quiz-result/1"
    grader: str = __version__
    student: str = ""
    quizzes: tuple[str, ...]
    form: str = Field(default="", description="code of the form that was answered")
    file: str = Field(default="", description="that was marked")
    error: str = Field(default="", description="why nothing was marked; then there are no marks")
    score: Exact
    points: int
    marks: tuple[Mark, ...] = Field(description="in the order of the quizzes, not of the form")
    remarks: tuple[Remark, ...] = Field(default=(), description="on lines of the paper")
    notes: tuple[str, ...] = ()

    @property
    def unclear(self) -> int:
        """How many answers a person should look at."""
        return sum(mark.status == "unclear" for mark in self.marks)


def load(path: Path) -> Result:
    """Return the result in a file.

    Raises:
        UsageError: it is none.
    """
    try:
        return Result.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise UsageError(f"{path} is no marked paper: {first_problem(error)}; mark the class again") from None


def dump(result: Result) -> str:
    """Return a result as JSON."""
    return json.dumps(result.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False) + "\n"


def decimal(exact: Fraction) -> str:
    """Return a mark as people write it: 2, 0.5, 0.6667."""
    return f"{float(exact):.4f}".rstrip("0").rstrip(".")
