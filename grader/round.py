"""What is asked of a submission at a time, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from grader.case import Answer, Case, Job
from grader.wire import TRUSTED, pack

CANARY = Job("canary", b"def twice(x):\n    return x + x\n", "def twice(module, x):\n    return module.twice(x)\n")


# an answer after which the cases that follow are not asked
LAST = ("not_started", "missing")


def question(check: str, cases: Sequence[Case]) -> bytes:
    """Return the message that asks for the answers to some cases of a check."""
    return pack({"check": check, "cases": [case.inputs for case in cases]}, TRUSTED)


@dataclass(frozen=True, slots=True)
class Round:
    """The answers to several cases.

    Attributes:
        seal: digest of the reply. The same seal is the same answers.
        answers: in the order of the cases, none if the seal was known. The last may have ended the round.
    """

    seal: bytes
    answers: tuple[Answer, ...] = ()


@dataclass(slots=True)
class Used:
    """What submissions used, as the kernel counted it: processor seconds, and the most memory (KiB)."""

    seconds: float = 0.0
    kib: int = 0
