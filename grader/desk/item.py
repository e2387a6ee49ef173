"""One file that was handed in, wherever it lies, and what is not accepted of it. Names and sizes are hostile."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from grader.show import clean

ENTRIES = 10_000  # files and folders that one student may hand in
DEPTH = 30  # folders within each other
LONGEST = 255  # characters of a name, as file systems have it
SHOWN = 60  # characters of a name in a sentence

# what machines leave behind, and what belongs to a program rather than to its author
NOISE = {"__macosx", "__pycache__", "node_modules", "site-packages", "venv", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is not graded, and the sentence for the student that says why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Item:
    """A file.

    Attributes:
        path: below the folder that was asked for, with "/" between names.
        size: as its folder or archive claims.
        read: returns its bytes as they are now, but at most one more than the number that it is given.
        why: why its name is not accepted, "" if it is; completes "the file ...".
    """

    path: str
    size: int
    read: Callable[[int], bytes | Unreadable]
    why: str = ""


class Tree(Protocol):
    """A folder or an archive that holds a class."""

    name: str

    def names(self, below: str = "") -> list[str]:
        """Return what lies directly in a folder, sorted; names of folders end in "/". Noise is left out."""
        ...

    def items(self, below: str) -> list[Item] | Unreadable:
        """Return all files below a folder, or the file of this path; those on top first, noise left out."""
        ...


def is_noise(name: str) -> bool:
    """Say whether a file or folder of this name is nothing that a student wrote."""
    return name.startswith(".") or name.casefold() in NOISE


def shown(path: str) -> str:
    """Return a path as it stands in a sentence: short, on one line, with nothing in it that a terminal obeys."""
    text = " ".join(clean(path).split())
    return text if len(text) <= SHOWN else f"…{text[1 - SHOWN :]}"


def odd(path: str) -> str:
    """Return why a path is not accepted, "" if it is; completes "the file ..."."""
    if clean(path) != path or any(char in path for char in "\n\t"):
        return "has a name with characters that cannot be seen; rename it"
    if any(len(part) > LONGEST for part in path.split("/")):
        return f"has a name of more than {LONGEST} characters; rename it"
    return ""


def folded(text: str) -> str:
    """Return a name as a file system sees it that knows neither case nor Unicode forms."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
