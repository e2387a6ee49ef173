"""What a kit has of an exercise instead of its reference: the bank of public cases, and what known mistakes answer.

kit.py writes it, ready.py reads it. The answers of the mistakes are fingerprints (prints.py): they name a mistake and
tell nothing else.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import __version__
from grader.bank import Bank
from grader.errors import FaultError, UsageError, WireError
from grader.recording import Recording
from grader.verdict import Mistake
from grader.whole import whole
from grader.wire import TRUSTED, pack, unpack


@dataclass(frozen=True, slots=True)
class Shelf:
    """The public part of an exercise.

    Attributes:
        seed: that the cases were drawn with.
        bank: cases and true answers.
        recording: what known mistakes answer, as fingerprints.
    """

    seed: int
    bank: Bank
    recording: Recording

    def save(self, path: Path) -> None:
        """Write it to a file, all of it or nothing."""
        tree = {
            "version": __version__,
            "seed": self.seed,
            "bank": self.bank.dump(),
            "mistakes": [[mistake.name, mistake.what, mistake.why] for mistake in self.recording.mistakes.values()],
            "answers": self.recording.printed().answers,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as file:
            file.write(gzip.compress(pack(tree, TRUSTED), mtime=0))  # no time: the same kit is the same bytes

    @classmethod
    def open(cls, path: Path) -> "Shelf":
        """Return what a file holds.

        Raises:
            FaultError: it is damaged.
            UsageError: another version of the grader wrote it.
        """
        try:
            tree: Any = unpack(gzip.decompress(path.read_bytes()), TRUSTED)
            version = tree["version"]
        except (OSError, EOFError, WireError, TypeError, KeyError, ValueError) as error:
            raise FaultError(f"{path} is damaged, take it from the kit again: {error}") from None
        if version != __version__:
            raise UsageError(
                f"this kit was made for version {version} of the grader, and this is {__version__}: "
                f"pip install llm-fundamentals-grader=={version}, or take a newer kit"
            )
        mistakes = {name: Mistake(name=name, what=what, why=why) for name, what, why in tree["mistakes"]}
        return cls(tree["seed"], Bank.of(tree["bank"]), Recording(mistakes, tree["answers"], hashed=True))
