"""A bundle as a file, for a machine that grades and has no course.

It is a frame of the wire, so nothing in it is code but the checks, which are ours.
"""

from pathlib import Path
from typing import Any

from grader.bundle import Bundle
from grader.errors import FaultError, WireError
from grader.exercise import Exercise
from grader.recording import Recording
from grader.verdict import Mistake
from grader.wire import TRUSTED, pack, unpack


def dump(bundle: Bundle) -> bytes:
    """Return a bundle as bytes; where the course lies on this machine is not in it."""
    exercise = bundle.exercise.model_copy(update={"folder": Path(bundle.exercise.folder.name)})
    recording = bundle.recording
    tree = {
        "version": bundle.version,
        "key": bundle.key,
        "exercise": exercise.model_dump_json(),
        "checks": bundle.checks,
        "bank": bundle.bank,
        "mistakes": {name: mistake.model_dump() for name, mistake in recording.mistakes.items()},
        "answers": recording.answers,
        "hashed": recording.hashed,
    }
    return pack(tree, TRUSTED)


def open_(path: Path) -> Bundle:
    """Return the bundle of a file.

    Raises:
        FaultError: it cannot be read.
    """
    try:
        tree: Any = unpack(path.read_bytes(), TRUSTED)
        mistakes = {name: Mistake.model_validate(fields) for name, fields in tree["mistakes"].items()}
        return Bundle(
            exercise=Exercise.model_validate_json(tree["exercise"]),
            checks=tree["checks"],
            bank=tree["bank"],
            recording=Recording(mistakes, tree["answers"], tree["hashed"]),
            key=tree["key"],
            version=tree["version"],
        )
    except (OSError, WireError, KeyError, TypeError, ValueError) as error:
        raise FaultError(f"{path} is no bundle that can be read: {error}") from None
