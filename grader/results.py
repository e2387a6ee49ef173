"""Reads what a batch has left behind: the results of a class."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from grader.errors import EmptyError, UsageError
from grader.verdict import Result, first_problem

CLASS = "class.json"  # the files of the class that was graded last; grades/ may have those of others too


def results(folder: Path) -> list[Result]:
    """Return the results of a class, sorted by student.

    Args:
        folder: that `grader batch --output` was given.

    Raises:
        UsageError: there is no such folder, or a file in it is no result of this version.
        EmptyError: nothing was graded.
    """
    if not (folder / "grades").is_dir():
        raise UsageError(f"{folder} holds no results; name the folder that grader batch --output was given")
    found = [read(path) for path in _files(folder)]
    if not found:
        raise EmptyError(f"there are no results in {folder / 'grades'}")
    return sorted(found, key=lambda result: result.student)


def index(files: Sequence[str]) -> str:
    """Return what stands in the index of a class: the names of its results."""
    return json.dumps({"results": sorted(files)}, indent=1) + "\n"


def _files(folder: Path) -> list[Path]:
    try:
        names = json.loads((folder / CLASS).read_text("utf-8"))["results"]
    except FileNotFoundError:
        return [path for path in sorted((folder / "grades").glob("*.json")) if not path.name.startswith(".")]
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{folder / CLASS} is damaged; run the batch again") from None
    return [folder / "grades" / Path(name).name for name in names]


def read(path: Path) -> Result:
    """Return the result in a file.

    Raises:
        UsageError: it is none.
    """
    try:
        return Result.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise UsageError(f"{path} is no result of a batch: {first_problem(error)}; grade the class again") from None
