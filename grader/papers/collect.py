"""Finds the papers of a class: files, a folder or zip for each student, or what a platform gives."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.desk.archive import inside, open_class
from grader.desk.attempt import Attempt, Part
from grader.desk.folder import Folder
from grader.desk.intake import PACKED, called, latest
from grader.desk.item import Item, Tree, Unreadable, odd, shown
from grader.desk.layout import LAYOUTS, platform
from grader.errors import EmptyError, UsageError
from grader.papers.form import PAGE, QUIZ
from grader.papers.paper import LARGEST
from grader.show import listed
from grader.verdict import Student

ENDINGS = (".yaml", ".yml", ".json", ".txt", ".md")
MANY = 20  # files of one student that may be answers
_DIGITS = re.compile(r"\d+")

Tell = Callable[[str], None]  # says a sentence to the instructor
Order = tuple[str, int, str]  # the larger, the newer: as a platform says, time of change, name


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be an answer file."""

    label: str
    order: Order
    item: Item

    def read(self) -> bytes | Unreadable:
        """Return its bytes, at most one more than are read of a paper."""
        return Unreadable(f"{shown(self.label)} {self.item.why}") if self.item.why else self.item.read(LARGEST)


@dataclass(frozen=True, slots=True)
class Handed:
    """What one student handed in, as far as the names of files and folders tell.

    Attributes:
        name: readable, and that of nobody else.
        names: by which a list of the class may have the student.
        loose: whether it is a file among files, whose name may be anything.
        files: that may be answers.
        problem: why there is none, or what could not be looked at.
    """

    name: str
    names: tuple[str, ...]
    loose: bool
    files: tuple[File, ...]
    problem: str = ""


def collect(path: Path, layout: str, tell: Tell) -> list[Handed]:
    """Return what a class handed in, sorted by name.

    Args:
        path: a folder, a .zip, or one file.
        layout: how the class lies there, "" to find it out; see `desk.layout.LAYOUTS`.
        tell: is told what was found out, and what was left out.

    Raises:
        UsageError: there is no such folder or file, or it cannot be read as asked.
        EmptyError: there is nothing in it.
    """
    if layout and layout not in LAYOUTS:
        raise UsageError(f"--layout {layout}: there is no such layout; there are {', '.join(LAYOUTS)}")
    tree, only = _tree(path)
    found = None if layout in ("folder", "single") or only else platform(tree, layout)
    attempts, left = (found[1].attempts, found[1].left) if found else _folder(tree, only)
    if found and not layout:
        tell(f"this looks like {LAYOUTS[found[0]].what}; --layout folder reads it otherwise.")
    if left:
        tell(f"left out, as they are no answer files: {listed([shown(name) for name in left], 3)}.")
    handed = [_handed(tree, attempt, loose=not found) for attempt in called(latest(attempts))]
    if not handed:
        raise EmptyError(f"there are no answer files in {path}: no folder, no file in {' '.join(ENDINGS)}")
    return sorted(handed, key=lambda one: one.name)


def _tree(path: Path) -> tuple[Tree, str]:
    """Return a tree, and the name of the only file of it that is meant."""
    if path.is_dir():
        return Folder(path), ""
    if not path.exists():
        raise UsageError(f"{path}: there is no such folder or file; name the one that has what the class handed in")
    if path.suffix.lower() == ".zip":
        return open_class(path), ""
    if path.suffix.lower() in ENDINGS:
        return Folder(path.parent), path.name
    raise UsageError(f"{path}: name a folder, a .zip, or an answer file ({' '.join(ENDINGS)})")


def _folder(tree: Tree, only: str) -> tuple[list[Attempt], list[str]]:
    """Read a folder in which each folder, .zip or file is a student."""
    at = ""
    names = [only] if only else tree.names()
    # what was packed is often a folder, with the students in it
    while len(names) == 1 and any(name.endswith("/") for name in tree.names(at + names[0])):
        at += names[0]
        names = tree.names(at)
    attempts, left = [], []
    for name in names:
        stem = name.rstrip("/") if name.endswith("/") else name.rpartition(".")[0]
        if name.endswith("/") or (name.lower().endswith((*ENDINGS, ".zip")) and name not in (QUIZ, PAGE)):
            attempts.append(Attempt(name, stem, Student(name=shown(stem)), (Part(at + name),)))
        else:
            left.append(name)
    return attempts, left


def _handed(tree: Tree, attempt: Attempt, loose: bool) -> Handed:
    problems: list[str] = []
    files = [file for part in attempt.parts for file in _files(tree, part, problems)]
    files = [file for file in files if _name(file) not in (QUIZ, PAGE)] or files
    if len(files) > 1:
        files = [file for file in files if "answer" in _name(file)] or files
    if len(files) > MANY:
        problems.append(f"there are {len(files)} files that may be answers; hand in answers.yaml alone")
        files = []
    who = attempt.who
    names = dict.fromkeys((attempt.name, who.name, who.login, who.email, who.number))
    loose = loose and attempt.parts[0].path.lower().endswith(ENDINGS)
    problem = "; ".join(problems[:3]) or ("" if files else f"no answer file is in it ({' '.join(ENDINGS)})")
    return Handed(attempt.name, tuple(name for name in names if name), loose, tuple(files), problem)


def _name(file: File) -> str:
    return file.label.rpartition("/")[2].casefold()


def _files(tree: Tree, part: Part, problems: list[str]) -> Iterator[File]:
    items = tree.items(part.path)
    if isinstance(items, Unreadable):
        problems.append(items.sentence)
        return
    for item in items:
        path = part.path + item.path if part.path.endswith("/") or not part.path else part.path
        name = part.name or (item.path if part.path.endswith("/") else part.path.rpartition("/")[2])
        for label, one in _opened(name, item, problems):
            if label.lower().endswith(PACKED):
                problems.append(f"{shown(label)} is not opened; hand in a .zip, or the file itself")
            elif label.lower().endswith(ENDINGS):
                yield File(label, (part.order, _changed(tree, path), _sorted(label)), one)


def _opened(name: str, item: Item, problems: list[str]) -> Sequence[tuple[str, Item]]:
    """Return a file, or the files of a zip."""
    if not name.lower().endswith(".zip"):
        return [(name, replace(item, why=item.why or odd(name)))]
    found = inside(item)
    if isinstance(found, Unreadable):
        problems.append(found.sentence)
        return []
    return [(f"{name}/{one.path}", one) for one in found]


def _changed(tree: Tree, path: str) -> int:
    """Return when a file on disk was changed; a zip's times are those of who packed it."""
    try:
        return (tree.path / path).lstat().st_mtime_ns if isinstance(tree, Folder) else 0
    except OSError:  # gone meanwhile; reading it says so
        return 0


def _sorted(label: str) -> str:
    """Return a name as it sorts: the copy (10) after (9), and both after the name alone."""
    stem, _, ending = label.casefold().rpartition(".")
    return _DIGITS.sub(lambda match: match[0].zfill(20), stem) + f"\0{ending}"
