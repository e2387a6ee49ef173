"""Looks at the machine and says what each finding means for the user."""

import importlib.metadata
import sys
import tempfile
from pathlib import Path
from typing import Any

from grader.cache import cache_folder
from grader.case import Case, Job
from grader.errors import GraderError
from grader.sandbox import Sandbox
from grader.tier import findings

Row = dict[str, Any]

WALLS = {"A": "bubblewrap, seccomp and Landlock", "B": "seccomp and Landlock", "C": "a plain process with limits"}
MEANINGS = {
    "A": "hostile submissions are contained",
    "B": "hostile submissions are contained; they can see which files exist, not what is in them",
    "C": "good enough for files of your own; grader batch needs A or B, or --no-sandbox",
}


def examine(course: Path | None) -> list[Row]:
    """Return a row for each thing looked at: what, found, ok, meaning."""
    return [_python(), _torch(), *_worker(), *_fence(), _cache(), _course(course)]


def _row(what: str, found: str, ok: bool | None, meaning: str) -> Row:
    """Return a row; `ok` is None for what is not there and need not be."""
    return {"what": what, "found": found, "ok": ok, "meaning": meaning}


def _python() -> Row:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= (3, 11)
    return _row("python", version, ok, "the grader runs" if ok else "Python 3.11 or newer is needed: install one")


def _torch() -> Row:
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        cure = "exercises with tensors cannot be graded: pip install 'torch>=2.6,<2.14'"
        return _row("torch", "not installed", False, cure)
    return _row("torch", version, True, "exercises with tensors can be graded")


def _worker() -> list[Row]:
    """Start a worker and let it load a file, and ask it for a GPU."""
    try:
        with Sandbox(("torch",)) as sandbox:
            answer = sandbox.open(Job("doctor", b"VALUE = 1\n", "def value(module):\n    return module.VALUE\n"))
            fine = answer.kind == "value" and sandbox.answer("value", Case({})).value == 1
            cuda = sandbox.has_cuda()
    except GraderError as error:
        return [_row("worker", f"does not work: {error}", False, "nothing can be graded; the line above says why")]
    limits = "" if sys.platform == "linux" else "; this system does not enforce memory limits, only the clock"
    if not fine:
        return [_row("worker", f"does not work: {answer.message}", False, "nothing can be graded")]
    found = "a GPU is found" if cuda else "no GPU is found"
    meaning = "--device cuda and all work, behind no fence" if cuda else "portability is checked on torch's meta device"
    return [
        _row("worker", f"a process of its own with limits{limits}", True, "submissions can be graded"),
        _row("cuda", found, True, meaning),
    ]


def _fence() -> list[Row]:
    """Try the fences, best first, until one works."""
    rows = []
    for finding in findings():
        name = f"fence {finding.fence.tier}"
        if finding.works:
            rows.append(_row(name, WALLS[finding.fence.tier], True, MEANINGS[finding.fence.tier]))
            break
        rows.append(_row(name, finding.problem, None, finding.fix))
    return rows


def _cache() -> Row:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        slow = "answers are recorded anew at each run, which takes seconds"
        return _row("cache", f"{folder}: {error.strerror}", False, slow)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    once = "answers are recorded once; the folder can be deleted at any time"
    return _row("cache", f"{folder}, {size / 1e6:.1f} MB", True, once)


def _course(start: Path | None) -> Row:
    from grader.course import find_course

    try:
        course = find_course(start)
        names = [exercise.slug for exercise in course.exercises()]
    except GraderError as error:
        return _row("course", str(error), False, "there is nothing to grade here")
    reference = (course.root / "reference").is_dir()
    meaning = "cases can be recorded and shrunk" if reference else "a kit: recorded cases are replayed"
    return _row("course", f"{course.root}: {', '.join(names)}", True, meaning)
