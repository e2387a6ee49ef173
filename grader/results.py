"""Reads what a batch has left behind: the results of a class."""

from pathlib import Path

from pydantic import ValidationError

from grader.errors import EmptyError, UsageError
from grader.verdict import Result


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
    found = [read(path) for path in sorted((folder / "grades").glob("*.json")) if not path.name.startswith(".")]
    if not found:
        raise EmptyError(f"there are no results in {folder / 'grades'}")
    return sorted(found, key=lambda result: result.student)


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
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"{path} is no result of a batch: {place}: {first['msg']}; grade the class again") from None
