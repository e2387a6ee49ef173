"""Files that are there whole or not at all, whatever ends the program that writes them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PART = ".part"  # how a file ends that is not whole yet


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file in a folder that is there; at the end it takes the place of another one, if nothing goes wrong.

    Raises:
        OSError: the disk is full, say; what was there before is still there.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=PART, delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
