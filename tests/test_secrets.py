"""The student's process has no answers: a file that searches everything within its reach finds none."""

import pytest

from grader.fence import Fence
from grader.ready import ready
from grader.study import study

# Marks that stand in the reference, the solution, a check's points and tolerance, a title, an example's
# expected value and a misconception. The search knows each in two halves and never joins them, so
# that it does not find itself.
MARKS = {
    "reference": ("zx81", "reference"),
    "solution": ("zx81", "solution"),
    "misconception": ("zx81", "mistake"),
    "title": ("zx81", "title"),
    "points": ("9187", "3465"),
    "tolerance": ("7134", "9021"),
    "answer": ("5551", "77313"),
}

HUNT = '''
import gc, os, sys, inspect, pathlib

MARKS = {marks!r}
HALVES = [(name, a.encode(), b.encode()) for name, (a, b) in MARKS.items()]


def holds(data, a, b):
    place = data.find(a)
    while place >= 0:
        if data[place + len(a) : place + len(a) + len(b)] == b:
            return True
        place = data.find(a, place + 1)
    return False


def texts(value, depth=0):
    """Yield whatever a value shows of itself."""
    try:
        yield repr(value)[:20000]
        if isinstance(value, (int, float)):
            yield str(value)
        code = getattr(value, "__code__", None)
        if code is not None:
            yield repr(code.co_consts) + repr(code.co_names)
        if depth < 2 and hasattr(value, "__dict__"):
            for item in list(vars(value).values()):
                yield from texts(item, depth + 1)
    except Exception:
        return


def memory():
    """Yield all writable memory of this process."""
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as mem:
        for line in maps:
            place, rights = line.split()[:2]
            if not rights.startswith("rw") or "[v" in line:
                continue
            begin, end = (int(part, 16) for part in place.split("-"))
            try:
                mem.seek(begin)
                yield mem.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue


def places():
    frame = sys._getframe()
    while frame:
        for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
            for text in texts(value):
                yield "frames", text.encode("utf-8", "replace")
        frame = frame.f_back
    for value in gc.get_objects():
        for text in texts(value, 2):
            yield "gc", text.encode("utf-8", "replace")
    for module in list(sys.modules.values()):
        for text in texts(module, 1):
            yield "modules", text.encode("utf-8", "replace")
    yield "environment", repr(dict(os.environ)).encode() + open("/proc/self/environ", "rb").read()
    yield "arguments", repr(sys.argv).encode() + open("/proc/self/cmdline", "rb").read()
    parent = os.getppid()
    for _ in range(2):
        yield "command line of a parent", open(f"/proc/{{parent}}/cmdline", "rb").read()
        parent = int(open(f"/proc/{{parent}}/stat").read().rsplit(")", 1)[1].split()[1])
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{{fd}}")
            yield "open files", target.encode()
            if os.path.isfile(target):
                yield "open files", open(target, "rb").read()
        except OSError:
            continue
    for data in memory():
        yield "memory", data


def double(x):
    found = set()
    for place, data in places():
        for name, a, b in HALVES:
            if holds(data, a, b):
                found.add((place, name))
    print("searched")
    return sorted(found)


def quadruple(x):
    return 4 * x
'''


@pytest.fixture
def marked(tiny, tmp_path):
    """Return the tiny course with a mark in everything that is secret."""
    import shutil

    from grader.course import Course

    root = tmp_path / "marked"
    shutil.copytree(tiny.root, root)
    mark = {name: a + b for name, (a, b) in MARKS.items()}
    (root / "exercises" / "01_double" / "checks.py").write_text(
        f'''from grader.check import check
from grader.compare import Close

EXPECTED = {mark["answer"]}


@check(points={mark["points"]}, examples=lambda: [{{"x": 1.25}}], compare=Close(rtol={mark["tolerance"]}e-20))
def doubles_any_number(module, x):
    """{mark["title"]}"""
    return module.double(x)


@check(points=1, examples=lambda: [{{"x": {mark["answer"]} / 4}}], compare=Close())
def quadruples(module, x):
    """quadruple"""
    return module.quadruple(x)
'''
    )
    for path in (root / "reference" / "double.py", root / "solutions" / "double.py"):
        name = "reference" if path.parent.name == "reference" else "solution"
        path.write_text(path.read_text() + f'\nMARK = "{mark[name]}"\n')
    wrong = root / "reference" / "misconceptions" / "double.py"
    wrong.write_text(wrong.read_text().replace("the square of x", mark["misconception"]))
    return Course(root)


def hunt(course, tmp_path, extra=""):
    path = tmp_path / "double.py"
    path.write_text(HUNT.format(marks=MARKS) + extra)
    exercise = course.find("double")
    exercise = exercise.model_copy(update={"limits": type(exercise.limits)(60, 60, 60, 4096)})
    # behind no fence: there a program can search its own memory, and nothing is hidden but by design
    with ready(course, exercise, 0, fence=Fence()) as made:
        return study(made, path, smallest=False).verdicts[0].evidence


def test_a_file_that_searches_its_process_finds_no_secret(marked, tmp_path):
    evidence = hunt(marked, tmp_path)
    assert "searched" in evidence.output
    assert evidence.got == "[]"


@pytest.mark.parametrize("name", MARKS)
def test_the_search_would_find_a_secret_that_is_there(marked, tmp_path, name):
    a, b = MARKS[name]
    evidence = hunt(marked, tmp_path, f"\nLEAK = '{a}' + '{b}'\n")
    assert f"'{name}')" in evidence.got


def test_no_module_of_the_course_can_be_imported(grade_text):
    source = "def double(x):\n    import {}\n    return 2 * x\n"
    for name in ("reference.double", "solutions.double", "exercises", "tests"):
        assert grade_text(source.format(name)).verdicts[0].evidence.error == "ModuleNotFoundError"
