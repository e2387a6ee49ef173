"""A course: a folder with exercises/ in it, and what belongs to each exercise."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from grader.errors import EmptyError, UsageError
from grader.exercise import Exercise, read

LARGEST = 1 << 20  # bytes of a file that is graded


@dataclass(frozen=True, slots=True)
class Course:
    """The files of a course, found by their place. Reference and solutions may be absent (a kit)."""

    root: Path

    @property
    def quizzes(self) -> Path:
        """The folder of quiz files."""
        return self.root / "quizzes"

    def exercises(self) -> list[Exercise]:
        """Return all exercises in order of study."""
        return [read(path.parent) for path in sorted(self.root.glob("exercises/*/exercise.yaml"))]

    def find(self, slug: str) -> Exercise:
        """Return the exercise with this slug; "02_bpe" and "bpe.py" are understood too.

        Raises:
            UsageError: there is none; the message suggests the nearest.
        """
        wanted = slug.rstrip("/").split("/")[-1].removesuffix(".py")
        found = [path.parent for path in self.root.glob("exercises/*/exercise.yaml")]
        folders = {folder.name.partition("_")[2]: folder for folder in found}
        names = {**{folder.name: folder for folder in folders.values()}, **folders}
        if wanted in names:
            return read(names[wanted])
        near = difflib.get_close_matches(wanted, folders, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(folders)) or 'none'}."
        raise UsageError(f"there is no exercise {slug!r}; {hint}")

    def checks(self, exercise: Exercise) -> Path:
        """Return the path of the exercise's checks."""
        return exercise.folder / "checks.py"

    def data(self, exercise: Exercise) -> list[Path]:
        """Return the paths of what the checks read: all files in folders beside them."""
        return sorted(path for path in exercise.folder.glob("*/*") if path.is_file() and path.suffix != ".pyc")

    def reference(self, exercise: Exercise) -> Path:
        """Return the path of the hidden reference."""
        return self.root / "reference" / exercise.filename

    def misconceptions(self, exercise: Exercise) -> Path:
        """Return the path of the named wrong programs."""
        return self.root / "reference" / "misconceptions" / exercise.filename

    def shelf(self, exercise: Exercise) -> Path:
        """Return the path of what a kit has instead of the reference (shelf.py)."""
        return self.root / "banks" / f"{exercise.slug}.bank"

    def public(self, exercise: Exercise) -> bool:
        """Say whether only public cases can be graded here: this is a kit."""
        return not self.reference(exercise).exists() and self.shelf(exercise).exists()

    def solution(self, exercise: Exercise) -> Path:
        """Return the path of the shipped solution."""
        return self.root / "solutions" / exercise.filename

    def accepted(self, exercise: Exercise) -> list[Path]:
        """Return the paths of the right programs in other styles."""
        return sorted((self.root / "tests" / "variants" / exercise.slug).glob("*.py"))

    def submission(self, exercise: Exercise, folder: Path | None) -> Path:
        """Return the path of the student's file; it need not exist.

        Args:
            exercise: whose file is wanted.
            folder: where the student works, None for the course itself. A file counts as the
                submission. In a folder, <slug>.py and <number>_<slug>/<slug>.py are looked for.
        """
        if folder is None:
            return exercise.folder / exercise.filename
        if folder.is_file():
            return folder
        places = [folder / exercise.filename, folder / exercise.folder.name / exercise.filename]
        return next((place for place in places if place.exists() or place.is_symlink()), places[0])


def find_course(start: Path | None = None) -> Course:
    """Return the course around a folder, else the one that this package is part of.

    Raises:
        UsageError: `start` was given and holds no course, or there is no course anywhere.
    """
    if start is not None:
        if not (start / "exercises").is_dir():
            raise UsageError(f"{start} is no course: it has no folder exercises/")
        return Course(start.resolve())
    here = Path.cwd()
    for folder in [here, *here.parents, Path(__file__).parent.parent]:
        if any(folder.glob("exercises/*/exercise.yaml")):
            return Course(folder)
    raise UsageError("no course was found here; run this in a course folder or name one with --course")


def read_submission(path: Path, exercise: Exercise) -> bytes:
    """Return the bytes of a student's file.

    Raises:
        EmptyError: there is no such file.
        ValueError: it is something that is not graded; the message is a sentence for the student.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; a file {exercise.filename} is graded")
    try:
        with path.open("rb") as file:
            source = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise EmptyError(f"there is no file {path}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if why := unfit(source):
        raise ValueError(f"{path} {why}")
    return source


def unfit(source: bytes) -> str:
    """Return why the content of a file is not graded, "" if it is; completes "the file ..."."""
    if len(source) > LARGEST:
        return f"is larger than {LARGEST >> 20} MiB; that is no solution of this exercise"
    if b"\0" in source:
        return "contains null bytes, as a file saved as UTF-16 does; save it as UTF-8"
    if not source.strip():
        return "is empty"
    return ""
