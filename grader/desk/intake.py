"""Takes in what a class handed in, from the folder or archive that a platform gives.

Nothing in it is trusted, executed or written, and what is wrong with one submission is said to that student alone.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.course import LARGEST, unfit
from grader.desk import notebook
from grader.desk.archive import inside, open_class
from grader.desk.attempt import Arrived, Attempt, Part
from grader.desk.choose import Choice, Found, choose
from grader.desk.folder import Folder
from grader.desk.item import LONGEST, Item, Tree, Unreadable, odd, shown
from grader.desk.layout import ENDINGS, KNOWN, LAYOUTS, alone, arrange
from grader.desk.notebook import Source
from grader.errors import UsageError
from grader.exercise import Exercise
from grader.show import clean, listed
from grader.verdict import Student

LEVELS = 2  # archives within each other
ARCHIVES = 20  # that one student may hand in
PROBLEMS = 3  # that one student is told of
# packed in ways that are not opened
PACKED = (".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")

Tell = Callable[[str], None]  # says a sentence to the instructor


@dataclass(frozen=True, slots=True)
class File:
    """What a student handed in for one exercise.

    Attributes:
        label: where it lies in what was handed in.
        item: the file, or why none is graded.
    """

    label: str
    item: Item | Unreadable

    def read(self) -> Source | Unreadable:
        """Return a snapshot of the source that is graded."""
        if isinstance(self.item, Unreadable):
            return self.item
        name = shown(self.label)
        is_notebook = self.label.lower().endswith(".ipynb")
        content = self.item.read(notebook.LARGEST if is_notebook else LARGEST)
        if isinstance(content, Unreadable):
            return content
        source = notebook.convert(content, name) if is_notebook else Source(content)
        if isinstance(source, Source) and (why := unfit(source.content)):
            return Unreadable(f"{name} {why}")
        return source


@dataclass(frozen=True, slots=True)
class Submission:
    """What one student, or one group, handed in.

    Attributes:
        student: under which the result is filed: readable, never that of another.
        files: exercise -> its file; one that is missing is not there.
        who: the student, as far as the platform tells.
        submitted: when, ISO 8601 in UTC; "" if the platform does not tell.
        late: whether the platform marked it.
        notes: sentences for the student.
        lost: why some of it could not be looked at, "" if all could: then no file can be called missing.
    """

    student: str
    files: dict[str, File] = field(default_factory=dict)
    who: Student = field(default_factory=Student)
    submitted: str = ""
    late: bool = False
    notes: tuple[str, ...] = ()
    lost: str = ""

    def source(self, slug: str) -> Source | Unreadable | None:
        """Return what was handed in for an exercise, as it is now; None if nothing was."""
        if slug in self.files:
            return self.files[slug].read()
        # what could not be looked at may have held it
        return Unreadable(f"{self.lost}.") if self.lost else None


def submissions(
    path: Path,
    exercises: Sequence[Exercise],
    layout: str = "",
    tell: Tell = lambda _: None,
    known: Sequence[str] = (),
) -> list[Submission]:
    """Return the submissions of a class, sorted by student.

    Args:
        path: a folder, a .zip, or one .py or .ipynb.
        exercises: that are graded.
        layout: how the class lies there, "" to find it out; see `layout.LAYOUTS`.
        tell: is told what was found out, and what was left out.
        known: slugs of all exercises of the course.

    Raises:
        UsageError: there is no such folder or file, or it cannot be read as asked.
        EmptyError: there is nothing in it.
    """
    tree, what, arrived = _arrived(path, exercises, layout)
    found = [_submission(tree, attempt, exercises, known) for attempt in called(latest(arrived.attempts))]
    if not layout and path.suffix.lower() not in ENDINGS:  # one file can be read in one way only
        other = "folder" if what != "folder" else "NAME"
        names = "" if what != "folder" else f" ({KNOWN})"
        students = f"{len(found)} student{'s' * (len(found) != 1)}"
        # a team's number may be that of a participant, who would then get its marks
        team = " If teams handed in, say --layout moodle-teams." if what == "moodle" else ""
        tell(f"this looks like {LAYOUTS[what].what} ({students}); --layout {other} reads it otherwise{names}.{team}")
    if arrived.left:
        names = listed([shown(name) for name in arrived.left], PROBLEMS)
        tell(f"left out, as their names belong to no student: {names}.")
    if any(file.label.lower().endswith(".ipynb") for item in found for file in item.files.values()):
        notebook.insist()
    return sorted(found, key=lambda item: item.student)


def lone(path: Path, exercises: Sequence[Exercise]) -> Submission:
    """Return what one student handed in: all that lies in a folder is theirs.

    Raises:
        UsageError: there is a notebook, and what reads it is not installed.
    """
    attempt = Attempt(ident="", name="", who=Student(), parts=(Part(""),))
    found = _submission(Folder(path), attempt, exercises, ())
    if any(file.label.lower().endswith(".ipynb") for file in found.files.values()):
        notebook.insist()
    return found


def _arrived(path: Path, exercises: Sequence[Exercise], layout: str) -> tuple[Tree, str, Arrived]:
    """Return the tree at a path, its layout, and what arrived.

    Raises:
        UsageError, EmptyError: see `submissions`.
    """
    if path.is_dir():
        folder = Folder(path)
        return folder, *arrange(folder, exercises, layout, zipped=False)
    if not path.exists():
        raise UsageError(f"{path}: there is no such folder or file; name the one that has what the class handed in")
    if path.suffix.lower() in ENDINGS:
        if layout not in ("", "single"):
            raise UsageError(f"--layout {layout}: {path} is one file; name the folder or zip of the class")
        folder = Folder(path.parent)
        return folder, "single", alone(folder, path.name, exercises)
    if path.name.lower().endswith(PACKED):
        raise UsageError(f"{path}: of archives only .zip is opened; unpack it and name the folder")
    archive = open_class(path)
    return archive, *arrange(archive, exercises, layout, zipped=True)


# --- who ----------------------------------------------------------------------------------------


def latest(attempts: Sequence[Attempt]) -> Iterator[Attempt]:
    """Yield the latest attempt of each student; if that cannot be told, all of them as one."""
    by_student: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_student[attempt.ident].append(attempt)
    for tries in by_student.values():
        newest = max((attempt.submitted, attempt.order) for attempt in tries)
        last = [attempt for attempt in tries if (attempt.submitted, attempt.order) == newest]
        if len(tries) == 1:
            yield last[0]
        elif len(last) == 1:
            yield replace(last[0], notes=(*last[0].notes, f"Graded is the latest of {len(tries)} attempts."))
        else:
            parts = dict.fromkeys(part for attempt in last for part in attempt.parts)
            yield replace(last[0], parts=tuple(parts))


def called(attempts: Iterator[Attempt]) -> Iterator[Attempt]:
    """Yield the attempts with names under which results can be filed; those who share one get their id too."""
    named = [(attempt, _readable(attempt.name)) for attempt in attempts]
    named.sort(key=lambda pair: (pair[1], pair[0].ident))
    shared = Counter(name for _, name in named)
    taken: set[str] = set()
    for attempt, name in named:
        ident = attempt.ident.removesuffix(attempt.name).strip()
        wanted = f"{name} ({_readable(ident)})" if shared[name] > 1 and ident else name
        unique, number = wanted, 1
        while unique in taken:
            number += 1
            unique = f"{wanted} ({number})"
        taken.add(unique)
        yield replace(attempt, name=unique, who=_shown(attempt.who))


def _readable(name: str) -> str:
    text = unicodedata.normalize("NFC", " ".join(clean(name).split()))
    return (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…") or "unnamed"


def _shown(who: Student) -> Student:
    """Return a student whose names stand on one line, without anything that a terminal obeys."""
    texts = who.model_dump(exclude={"members"})
    return who.model_copy(update={key: " ".join(clean(value).split()) for key, value in texts.items()})


# --- what ---------------------------------------------------------------------------------------


def _submission(tree: Tree, attempt: Attempt, exercises: Sequence[Exercise], known: Sequence[str]) -> Submission:
    """Return what a student handed in, file by file."""
    gathered = _Gathered()
    for part in attempt.parts:
        items = tree.items(part.path)
        if isinstance(items, Unreadable):
            gathered.problems.append(items.sentence)
            continue
        folder = part.path.rpartition("/")[0].rpartition("/")[2] if part.path.endswith("/") else ""
        for item in items:
            name = part.name or item.path
            # which of several folders it lies in is of no weight, but must be said
            label = f"{folder}/{name}" if folder and len(attempt.parts) > 1 else name
            gathered.take(Found(name, label, replace(item, path=label), part.order))
    files, notes = {}, list(attempt.notes)
    for exercise in exercises:
        choice = choose(gathered.found, exercise, known or [item.slug for item in exercises], len(exercises) == 1)
        notes += choice.notes
        if (file := _file(choice, exercise)) is not None:
            files[exercise.slug] = file
    lost = "; ".join(dict.fromkeys(gathered.problems[:PROBLEMS]))
    if lost:
        notes.append(f"{lost}.")
    return Submission(attempt.name, files, attempt.who, attempt.submitted, attempt.late, tuple(notes), lost)


def _file(choice: Choice, exercise: Exercise) -> File | None:
    if choice.why:
        return File(exercise.filename, choice.why)
    return File(choice.file.label, choice.file.item) if choice.file else None


class _Gathered:
    """The files of one student, archives in it opened."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.problems: list[str] = []
        self._archives = 0

    def take(self, file: Found, level: int = 0) -> None:
        """Take a file, or what is in it."""
        ending = file.place.lower()
        if not ending.endswith((*ENDINGS, ".zip", *PACKED)):
            return
        if why := file.item.why or odd(file.place):
            self.problems.append(f"{shown(file.label)} {why}")
        elif ending.endswith(ENDINGS):
            self.found.append(file)
        elif ending.endswith(PACKED):
            self.problems.append(f"{shown(file.label)} is not opened; hand in a .zip, or the files themselves")
        elif level == LEVELS:
            self.problems.append(f"{shown(file.label)} lies too deep in other archives; hand in the files themselves")
        else:
            self._open(file, level)

    def _open(self, file: Found, level: int) -> None:
        self._archives += 1
        if self._archives > ARCHIVES:
            self.problems.append(f"there are more than {ARCHIVES} archives; hand in the files themselves")
            return
        items = inside(file.item)
        if isinstance(items, Unreadable):
            self.problems.append(items.sentence)
            return
        top = file.place.rpartition("/")[0] + "/" if "/" in file.place else ""
        for item in items:
            label = f"{file.label}/{item.path}"
            self.take(Found(top + item.path, label, replace(item, path=label), file.order), level + 1)
