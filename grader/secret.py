"""The instructor's secret seed: a file that decides which cases a class is graded with."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from grader.errors import UsageError

SHORTEST = 16  # characters; a shorter text could be guessed


def seed_of(path: Path) -> tuple[int, bool]:
    """Return the seed that a file stands for, and whether the file was made just now.

    The seed is never printed or written. Whoever knows it can draw the cases.

    Raises:
        UsageError: the file cannot be read or made, or is too short to be a secret.
    """
    made = False
    try:
        with contextlib.suppress(FileExistsError):
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
            made = True
        text = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"--seed-file {path} cannot be read or made: {error.strerror}") from None
    if len(text) < SHORTEST:
        raise UsageError(
            f"--seed-file {path} has {len(text)} characters and could be guessed; at least {SHORTEST} are asked for. "
            "Name a file that is not there, and it is made"
        )
    return int.from_bytes(hashlib.sha256(text).digest()[:16], "big"), made
