"""A bank: cases and true answers, recorded once to a file and replayed for every submission.

It holds inputs and answers, never only a seed: the same seed draws other cases as soon as a library
or a module changes. A machine that only grades needs the bank and no reference.
"""

import contextlib
import hashlib
import importlib.metadata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from grader.case import Answer, Case
from grader.errors import FaultError, WireError
from grader.oracle import Oracle
from grader.whole import whole
from grader.wire import TRUSTED, digest, pack, unpack

FORMAT = 2
# code that decides what is drawn and what is true: a change of it makes every bank old
ENGINE = (
    "array.py",
    "case.py",
    "check.py",
    "compare.py",
    "draw.py",
    "merges.py",
    "oracle.py",
    "tree.py",
    "wire.py",
    "cost.py",
)
LIBRARIES = ("torch", "numpy", "hypothesis", "ml_dtypes", "safetensors")


class Bank:
    """Answers the cases that were recorded, and no others."""

    def __init__(self, entries: dict[str, list[tuple[Case, Answer]]]) -> None:
        self._entries = entries
        # the cases handed out are found by identity: packing them to compare would cost more than grading
        self._answers = {id(case): answer for pairs in entries.values() for case, answer in pairs}

    def cases(self, check: str) -> list[Case]:
        """Return the cases of a check; see `Oracle`."""
        return [case for case, _ in self._find(check)]

    def answer(self, check: str, case: Case) -> Answer:
        """Return the recorded answer; see `Oracle`."""
        pairs = self._find(check)
        if id(case) in self._answers:
            return self._answers[id(case)]
        wanted = digest(case.inputs)
        for _, answer in pairs:
            if answer.touched == wanted:
                return answer
        raise FaultError(f"the bank has no such case of {check}")

    def _find(self, check: str) -> list[tuple[Case, Answer]]:
        if check not in self._entries:
            raise FaultError(f"the bank knows no check {check!r}")
        return self._entries[check]

    @classmethod
    def record(cls, oracle: Oracle, checks: Iterable[str]) -> Self:
        """Return a bank of all that an oracle knows about some checks."""
        return cls({check: [(case, oracle.answer(check, case)) for case in oracle.cases(check)] for check in checks})

    def dump(self) -> Any:
        """Return the bank as a tree that the wire carries."""
        return {
            check: [[case.inputs, answer.value, answer.witness, answer.touched] for case, answer in pairs]
            for check, pairs in self._entries.items()
        }

    @classmethod
    def of(cls, tree: Any) -> Self:
        """Return the bank of such a tree."""
        return cls(
            {
                check: [
                    (Case(inputs), Answer("value", value, witness=witness, touched=touched))
                    for inputs, value, witness, touched in rows
                ]
                for check, rows in tree.items()
            }
        )

    def save(self, path: Path, key: str) -> None:
        """Write the bank to a file, all of it or nothing."""
        write(path, key, self.dump())

    @classmethod
    def open(cls, path: Path, key: str) -> Self | None:
        """Return the bank of a file, None if there is none with this key or it is damaged."""
        tree = read(path, key)
        return None if tree is None else cls.of(tree)


def key_of(files: Iterable[Path], seed: int) -> str:
    """Return the key of a bank: a digest of the course's files, our own code, libraries and seed."""
    engine = Path(__file__).parent
    total = hashlib.sha256(f"{FORMAT}/{seed}".encode())
    for path in [*files, *(engine / name for name in ENGINE)]:
        total.update(hashlib.sha256(path.read_bytes() if path.exists() else b"").digest())
    for name in LIBRARIES:
        total.update(f"{name}={_version(name)}".encode())
    return total.hexdigest()[:32]


def write(path: Path, key: str, tree: Any) -> None:
    """Write a tree to a cache file. A cache that cannot be written is no error: it is recorded anew."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as file:
            file.write(pack({"key": key, "tree": tree}, TRUSTED))


def read(path: Path, key: str) -> Any:
    """Return the tree of a cache file, None if there is none with this key or it is damaged."""
    try:
        content = unpack(path.read_bytes(), TRUSTED)
    except (OSError, WireError):
        return None
    return content["tree"] if isinstance(content, dict) and content.get("key") == key else None


def cached(path: Path, key: str, make: Callable[[], Bank]) -> Bank:
    """Return the bank of a file, or make and save it."""
    bank = Bank.open(path, key)
    if bank is None:
        bank = make()
        bank.save(path, key)
    return bank


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"
