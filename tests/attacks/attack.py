"""What an attack is: a hostile double.py, and what must become of it."""

import re
from dataclasses import dataclass
from typing import Any

from grader.grade import Finding


@dataclass(frozen=True, slots=True)
class Ends:
    """What becomes of a call, where not a value itself tells it.

    Attributes:
        kinds: one of these the answer has (grader.case.Kind). Several where chance decides, as between
            running out of time and out of memory.
        message: part of what the student is told.
    """

    kinds: tuple[str, ...]
    message: str = ""

    def fits(self, finding: Finding) -> bool:
        """Whether an answer is so."""
        got = finding.got
        return got.kind in self.kinds and self.message in f"{got.error}: {got.message} {finding.difference}"

    def __str__(self) -> str:
        words = [] if self.kinds == ("value",) else [" or ".join(self.kinds)]
        return ": ".join([*words, *([self.message] if self.message else [])])


@dataclass(frozen=True, slots=True)
class Per:
    """What is seen in tier A and in tier B, where that differs."""

    a: Any
    b: Any


class Either:
    """Equal to each of some values: for what depends on the kernel or on the owner of a file."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return other in self.values

    def __hash__(self) -> int:
        return hash(self.values)

    def __repr__(self) -> str:
        return " or ".join(map(str, self.values))


class Leak:
    """Equal to no value: the test looks for the secret in all that came back."""

    def __repr__(self) -> str:
        return "the secret"


ENDS_IN_VIOLATION = Ends(("violation",), "cannot be read")
LEAK = Leak()
# A path of the machine: in tier A it is not there, in tier B it may not be opened.
HIDDEN = Per("ENOENT", "EACCES")


@dataclass(frozen=True, slots=True)
class Attack:
    """A hostile submission.

    Attributes:
        number: in the list of attacks; those from 201 on are this project's own.
        name: noun phrase.
        source: of double.py, after tools.py; `quadruple` is added and is right. What double()
            returns is evidence of what the attack achieved.
        stops: what stops it.
        sees: the evidence behind a fence: a value, `Ends` or `Per` tier.
        control: the evidence where there is no fence: a value, `Ends` or `LEAK`. The source may ask
            `CONTROL` to be harmless there.
        uncontrolled: why there is no control.
        naive: an expression with which a careless grader would have been fooled.
        text: `sees` in words, where the value itself says too little.
        loads: whether the file can be loaded; if not, every check of it fails.
        honest: whether double() is right, so that it may pass.
        quick: whether a call has little time only, because the attack is to take forever.
        torch: whether it needs torch: then x is a tensor.
        portable: whether it is aimed at the check of portability, which tensors have beside the others.
        intel: whether it is made of machine code for x86_64.
    """

    number: int
    name: str
    source: str
    stops: str
    sees: Any
    control: Any = None
    uncontrolled: str = ""
    naive: str = ""
    text: str = ""
    loads: bool = True
    honest: bool = False
    quick: bool = False
    torch: bool = False
    portable: bool = False
    intel: bool = False

    def expected(self, tier: str) -> Any:
        """Return the evidence that is expected in a tier."""
        if tier == "C":
            return self.control
        if isinstance(self.sees, Per):
            return self.sees.a if tier == "A" else self.sees.b
        return self.sees

    def shown(self) -> str:
        """Return what the student's process sees, for people."""
        if self.text:
            return self.text
        if isinstance(self.sees, Per):
            return f"{_words(self.sees.a)} (A), {_words(self.sees.b)} (B)"
        return _words(self.sees)

    def __str__(self) -> str:
        return f"{self.number:03d}-{re.sub('[^a-z0-9]+', '_', self.name.lower()).strip('_')}"


def _words(value: Any) -> str:
    if isinstance(value, (dict, list, tuple)) and value:
        items = [_words(item) for item in (value.values() if isinstance(value, dict) else value)]
        if len(set(items)) == 1:
            return items[0]
        return ", ".join(map(": ".join, zip(value, items, strict=True)) if isinstance(value, dict) else items)
    return "nothing" if value in ([], {}) else str(value)
