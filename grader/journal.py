"""The finished grades of a batch, one line each, appended to a file: what is in it survives whatever comes."""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

from grader.errors import FaultError, UsageError

SYNC_SECONDS = 1.0  # a grade that only a loss of power takes away may be this old


class Journal:
    """A file of records, found by key. A line that was cut off by a sudden end is dropped when it is opened.

    Use it as a context manager; it is locked against a second batch meanwhile.
    """

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        self._synced = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise UsageError(f"{path}: the results cannot be written there: {error.strerror}") from None
        self._lock(path)
        if fresh:
            self._file.truncate(0)
        self._read()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def read(self, key: str) -> Any:
        """Return a record."""
        place, size = self._places[key]
        return json.loads(os.pread(self._file.fileno(), size, place))

    def append(self, key: str, record: dict[str, Any]) -> None:
        """Add a record, or replace the one with this key.

        Raises:
            FaultError: the disk is full, say. What was written before is kept.
        """
        line = json.dumps({"key": key, **record}, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
        place = os.fstat(self._file.fileno()).st_size
        try:
            written = 0
            while written < len(line):
                written += self._file.write(line[written:]) or 0
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(place)
            raise FaultError(f"{self._file.name} cannot be written: {error.strerror}; run it again to go on") from None
        self._places[key] = (place, len(line))

    def forget(self, key: str) -> None:
        """Take a record for missing, until another one is appended."""
        self._places.pop(key, None)

    def _lock(self, path: Path) -> None:
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise UsageError(
                f"{path.parent}: another batch is writing there; wait for it, or name another folder"
            ) from None

    def _read(self) -> None:
        place = 0
        self._file.seek(0)
        with os.fdopen(os.dup(self._file.fileno()), "rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                with contextlib.suppress(ValueError, KeyError, TypeError):  # a damaged line is graded again
                    self._places[json.loads(line)["key"]] = (place, len(line))
                place += len(line)
        self._file.truncate(place)
