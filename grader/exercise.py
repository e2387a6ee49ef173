"""An exercise: what its exercise.yaml says. Reading it needs neither torch nor hypothesis."""

import dataclasses
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from grader.case import Limits
from grader.errors import UsageError
from grader.verdict import Visibility, first_problem


class Refused(BaseModel):
    """Shortcuts that an exercise does not accept.

    `functions` are names of torch functions, whatever stands before them: "layer_norm" refuses
    torch.nn.functional.layer_norm and torch.ops.aten.layer_norm. `modules` are names of packages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    functions: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()


class Exercise(BaseModel):
    """One exercise of the course. The fields are those of exercise.yaml, then where it lies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    summary: str
    points: int = Field(gt=0)
    prerequisites: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    limits: Limits = Limits()
    refused: Refused = Refused()
    hints: dict[str, tuple[str, str, str]] = {}
    visibility: dict[str, Visibility] = {}  # of checks that students do not see at once
    waived: dict[str, str] = {}  # findings of the audit's lint (lint.py) that must be, each with its reason
    slug: str = Field(pattern=r"^[a-z][a-z0-9_]{0,23}$")
    number: int
    folder: Path

    @field_validator("limits", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        names = {field.name for field in dataclasses.fields(Limits)}
        if isinstance(value, dict) and (unknown := set(value) - names):
            raise ValueError(f"unknown limit {sorted(unknown)[0]!r}; known are {', '.join(sorted(names))}")
        return value

    @property
    def filename(self) -> str:
        """Name of the file that a student fills in."""
        return f"{self.slug}.py"


def read(folder: Path) -> Exercise:
    """Read an exercise from its folder, whose name is <number>_<slug>.

    Raises:
        UsageError: exercise.yaml is missing or wrong; the message names the field.
    """
    import yaml  # late: the quizzes need a course, and no exercise

    path = folder / "exercise.yaml"
    number, _, slug = folder.name.partition("_")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Exercise(**content, slug=slug, number=int(number), folder=folder)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error)}") from None
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is not a valid exercise.yaml: {error}") from None
