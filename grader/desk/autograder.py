"""Packs an autograder for Gradescope: a zip with setup.sh and run_autograder at its root.

It holds bundles, not the course: cases, true answers and the checks, but no reference, no solution and no wrong
program. The answers make it secret all the same: it is for Gradescope, never for students.
"""

import importlib.metadata
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.bundle import Bundle, bundle
from grader.course import Course
from grader.desk.parcel import dump
from grader.errors import FaultError, UsageError
from grader.exercise import Exercise
from grader.ready import Note, ready
from grader.whole import whole

# of what this package depends on: not what the command line and the drawing of cases need
NEEDED = ("ml_dtypes", "nbformat", "numpy", "platformdirs", "pydantic", "pyseccomp", "pyyaml", "safetensors")
SCRIPTS = Path(__file__).parent / "scripts"
STAMP = (1980, 1, 1, 0, 0, 0)  # of every file, so that the same course makes the same zip


@dataclass(frozen=True, slots=True)
class Wish:
    """What an autograder is asked to be.

    Attributes:
        names: slugs of exercises.
        wheels: folder with wheels of all that is needed, None to download it where the autograder is set up.
        fenced: whether it refuses to grade where submissions would run without a fence.
        seed: of the cases.
    """

    names: Sequence[str]
    wheels: Path | None = None
    fenced: bool = True
    seed: int = 0


def build(course: Course, wish: Wish, note: Note) -> dict[str, bytes]:
    """Return the files of an autograder by their names; `note` is told of what takes long.

    Raises:
        UsageError: an exercise is not there, or a wheel.
        FaultError: an exercise cannot be recorded.
    """
    exercises = [course.find(name) for name in wish.names]
    if not exercises:
        raise UsageError(f"{course.root} has no exercises")
    needed = requirements(any("torch" in exercise.preload for exercise in exercises))
    files = {f"wheels/{path.name}": path.read_bytes() for path in _wheels(wish.wheels, needed)} if wish.wheels else {}
    for exercise in exercises:
        files[f"bundles/{exercise.slug}"] = dump(_bundle(course, exercise, wish.seed, note))
    plan = {"exercises": [exercise.slug for exercise in exercises], "lowest": "B" if wish.fenced else "C"}
    files["plan.json"] = json.dumps(plan).encode()
    files["requirements.txt"] = "".join(f"{line}\n" for line in needed).encode()
    engine = Path(__file__).parent.parent
    for path in sorted(engine.rglob("*.py")):
        files[f"engine/grader/{path.relative_to(engine).as_posix()}"] = path.read_bytes()
    for name in ("setup.sh", "run_autograder"):
        files[name] = (SCRIPTS / name).read_bytes()
    return files


def save(path: Path, files: dict[str, bytes]) -> None:
    """Write a zip, whole or not at all; the scripts in it may be executed.

    Raises:
        FaultError: the disk is full, say.
    """
    try:
        with whole(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                info = zipfile.ZipInfo(name, STAMP)
                info.external_attr = (0o100755 if name in ("setup.sh", "run_autograder") else 0o100644) << 16
                info.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
    except OSError as error:
        raise FaultError(f"{path} cannot be written: {error.strerror}") from None


def _bundle(course: Course, exercise: Exercise, seed: int, note: Note) -> Bundle:
    with ready(course, exercise, seed, note) as made:
        return bundle(made, note)


def requirements(torch: bool) -> list[str]:
    """Return what an autograder installs, each in the version that is installed here.

    Args:
        torch: whether an exercise needs it; it is large.
    """
    return [_pinned(name) for name in (*NEEDED, *(["torch"] if torch else []))]


def _pinned(name: str) -> str:
    try:
        # a version such as "2.13.0+cpu" is known to one index only
        return f"{name}=={importlib.metadata.version(name).partition('+')[0]}"
    except importlib.metadata.PackageNotFoundError:
        return name  # what only Linux needs, asked for on another system


def _wheels(folder: Path, needed: Iterable[str]) -> Iterator[Path]:
    """Yield the wheels of a folder, all that is named among them."""
    if not folder.is_dir():
        raise UsageError(f"--wheels {folder}: there is no such folder")
    found = sorted(folder.glob("*.whl"))
    have = {_plain(path.name.split("-")[0]) for path in found}
    missing = [line for line in needed if _plain(line.partition("==")[0]) not in have]
    if missing:
        how = f"pip download --only-binary :all: -d {folder} {' '.join(needed)}"
        raise UsageError(f"{folder} has no wheel of {', '.join(missing)}; fill it with: {how}")
    yield from found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
