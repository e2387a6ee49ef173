"""The format of a quiz without its keys (schema llm-quiz-form/1): what a student may see, and nothing else."""

from typing import Annotated, Literal

from pydantic import Field

from grader.quiz.item import Level, Part


class Snippet(Part):
    """Code that a question is about."""

    lang: str
    text: str


class Question(Part):
    """A question without its key. `choices` are texts by the letter that they have in this form."""

    id: str
    type: Literal["single", "multi", "numeric"]
    topic: str
    level: Level
    points: int
    scoring: Literal["partial", "all_or_nothing"] | None = None
    unit: str = ""
    prompt: str
    code: Snippet | None = None
    choices: dict[str, str] = Field(default_factory=dict)


class Form(Part):
    """What a student gets: `form` stands for the order of questions and choices."""

    schema_: Annotated[Literal["llm-quiz-form/1"], Field(alias="schema")] = "llm-quiz-form/1"
    form: str
    student: str = ""
    quizzes: tuple[str, ...]
    items: tuple[Question, ...]
