"""The result of one check on one submission, and of all checks of an exercise.

These models are the published format of a result (docs/result.schema.json is made from them).
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA_VERSION: Literal[1] = 1


# of the fence (fence.py) that a submission ran behind; empty if nothing was run
Tier = Literal["A", "B", "C", ""]


# when a student may see what a check found; the words are Gradescope's
Visibility = Literal["visible", "after_due_date", "after_published", "hidden"]


class Outcome(StrEnum):
    """What a check found. Only `passed` earns points."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_STARTED = "not started"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    REFUSED = "refused"
    BROKEN = "broken"


class Model(BaseModel):
    """A record of the result: closed and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Mistake(Model):
    """A known wrong program whose answers equal the student's on the same cases."""

    name: str = Field(description="slug of the misconception")
    what: str = Field(description='noun phrase that completes "this equals"')
    why: str = Field(description="what goes wrong, for the student")
    questions: tuple[str, ...] = Field(default=(), description="ids of quiz questions about it")


class Evidence(Model):
    """The smallest failing case and the first place where its answer is wrong."""

    inputs: dict[str, str] = Field(description="the case, argument by argument, as text")
    shrunk: bool = Field(default=False, description="whether the case was searched for and minimised for this program")
    place: str = Field(default="", description='where in the answer, "[0][2]"; empty at the top')
    got: str = ""
    expected: str = ""
    allowed: str = Field(default="", description="largest accepted distance; empty if only the same will do")
    note: str = ""
    error: str = Field(default="", description="type of the exception, if one was raised")
    traceback: str = Field(default="", description="frames of the student's file only")
    output: str = Field(default="", description="tail of what the program printed")


class Verdict(Model):
    """The result of one check."""

    check: str
    title: str
    outcome: Outcome
    points: int = Field(ge=0, description="points that the check is worth")
    earned: int = Field(ge=0)
    message: str = Field(default="", description="one sentence that says what was found")
    evidence: Evidence | None = None
    mistakes: tuple[Mistake, ...] = ()
    cases: int = Field(default=0, ge=0, description="cases that were run")
    wrong: int = Field(default=0, ge=0, description="those that did not pass")
    device: Literal["cpu", "cuda", "meta"] = "cpu"
    visibility: Visibility = Field(default="visible", description="when the student may see it")


class Student(Model):
    """Who handed something in, as far as the platform tells; what is not known is empty."""

    name: str = ""
    email: str = ""
    number: str = Field(default="", description="student id of the school: Gradescope's SID, Canvas's SIS User ID")
    login: str = Field(default="", description="account name: GitHub login, Canvas's SIS Login ID")
    canvas: str = Field(default="", description="number of the user in Canvas")
    moodle: str = Field(default="", description="number of the participant in Moodle")
    members: tuple["Student", ...] = Field(default=(), description="of a group that handed in together")


class Grade(Model):
    """The result of one submission for one exercise: a verdict for each check, none missing."""

    exercise: str
    title: str
    file: str
    score: int = Field(ge=0)
    points: int = Field(ge=0)
    verdicts: tuple[Verdict, ...]
    next_step: str = ""
    public: bool = Field(default=False, description="whether only public cases were run: then this is no mark")
    fence: Tier = Field(
        default="", description="tier of the fence that it ran behind (C: none); empty if it did not run"
    )
    digest: str = Field(default="", description="SHA-256 of the file that was graded; empty if it was not read")

    @property
    def complete(self) -> bool:
        """Whether every point was earned."""
        return self.score == self.points

    @property
    def broken(self) -> bool:
        """Whether the grader failed at some check: then the score says less than it should."""
        return any(verdict.outcome is Outcome.BROKEN for verdict in self.verdicts)


class Result(Model):
    """What `grader check --json` prints, and what `grader batch` writes for each student."""

    schema_version: Literal[1] = SCHEMA_VERSION
    grader: str = Field(description="version of the grader")
    seed: int | None = Field(description="of the cases; null if it is secret")
    device: str = Field(description="device asked for: cpu, cuda, auto or all")
    student: str = Field(default="", description="who handed it in, in a batch: as the folder names them")
    identity: Student = Field(default=Student(), description="the same, as the platform knows them")
    submitted: str = Field(default="", description="when, ISO 8601 with a zone, if the platform tells")
    late: bool = Field(default=False, description="whether the platform marked it as late")
    note: str = Field(default="", description="what the user should know about the run")
    score: int
    points: int
    exercises: tuple[Grade, ...]


def first_problem(error: ValidationError) -> str:
    """Return the place and the message of the first thing that is wrong with a file."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
