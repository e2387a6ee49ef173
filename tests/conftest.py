"""Fixtures: the real course, a tiny one, and a cache folder that belongs to the test run alone."""

import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from grader.course import Course
from grader.new import create
from grader.ready import ready
from grader.study import study
from grader.verdict import Grade

ROOT = Path(__file__).parent.parent
SLUGS = [path.parent.name.partition("_")[2] for path in sorted(ROOT.glob("exercises/*/exercise.yaml"))]


def pytest_addoption(parser):
    """Offer to draw the pictures of docs/images anew."""
    parser.addoption("--screenshots", action="store_true", help="write docs/images/*.png from a class graded for it")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Keep the banks of the tests, and what they answer to questions, away from the user's."""
    base = tmp_path_factory.getbasetemp()
    # one for all test processes: what known mistakes answer takes a minute an exercise to record
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield folder


@pytest.fixture(scope="session")
def course() -> Course:
    """Return the course of this repository."""
    return Course(ROOT)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Course:
    """Return a course with one exercise, `double`, and short limits."""
    root = tmp_path_factory.mktemp("course")
    (root / "exercises").mkdir()
    made = Course(root)
    create(made, "double", "Double")
    path = made.find("double").folder / "exercise.yaml"
    limits = "limits: {case_seconds: 1, check_seconds: 2, load_seconds: 2, memory_mib: 256}\n"
    path.write_text(path.read_text() + limits)
    checks = made.find("double").folder / "checks.py"
    second = '''

@check(points=2, examples=lambda: [{"x": 2.0}, {"x": 3.0}], compare=Close())
def doubles_the_list(module, x):
    """quadruple: twice the double"""
    return module.quadruple(x)
'''
    checks.write_text(checks.read_text() + second)
    more = "\n\ndef quadruple(x):\n    return 4 * x\n"
    for path in (root / "reference" / "double.py", root / "solutions" / "double.py"):
        path.write_text(path.read_text() + more)
    return made


@pytest.fixture(scope="session")
def tiny_ready(tiny):
    """Return the tiny exercise, ready to grade; one worker for all tests that use it."""
    with ready(tiny, tiny.find("double"), seed=0) as made:
        yield made


@pytest.fixture
def grade_text(tiny_ready, tmp_path):
    """Return a function that grades the source of double.py."""

    def grade(source: str | bytes, **options) -> Grade:
        path = tmp_path / "double.py"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        return study(tiny_ready, path, **options)

    return grade


def family(pid: int) -> dict[int, str]:
    """Return a process and all that descend from it, with their names, as the machine sees them."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            name, _, rest = path.read_text("utf-8", "replace").rpartition(")")
            parents[int(path.parent.name)] = int(rest.split()[1]), name.partition("(")[2]
    found = {pid}
    while more := {child for child, (parent, _) in parents.items() if parent in found} - found:
        found |= more
    return {pid: parents[pid][1] for pid in sorted(found) if pid in parents}


def descendants(pid: int) -> list[int]:
    """Return the processes below a process."""
    return [child for child in family(pid) if child != pid]


def zipped(files: dict[str, str | bytes]) -> bytes:
    """Return a zip with these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()
