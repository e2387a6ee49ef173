"""Measures `grader batch` on a class of made-up students, beside pytest and gradescope-utils on the same cases.

    python benchmarks/batch.py --n 500                 # a table of docs/performance.md
    python benchmarks/batch.py --n 500 --write whole   # and write it there
    python benchmarks/batch.py --check layer_norm_normalizes_each_row --write few
    python benchmarks/batch.py --growth 200 2000 --write growth

The peers grade the same submissions with the same checks on the same recorded cases, each submission in a fresh
process, as they are used; `--peers` of them, since each takes seconds. gradescope-utils is left out if it is not
installed.
"""

import argparse
import ast
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from grader.bundle import bundle
from grader.course import Course, find_course
from grader.diagnose import misconceptions
from grader.exercise import Exercise
from grader.ready import ready
from grader.wire import TRUSTED, pack

ROOT = Path(__file__).parent.parent
SHARES = {"right": 0.62, "wrong": 0.30, "slow": 0.02, "crashing": 0.04, "not started": 0.02}
GRADER = [sys.executable, "-c", "from grader.entry import main; main()"]

LOOK_SECONDS = 1.0  # between two looks at the memory of all processes
ALONE = 100  # submissions that one process grades alone, to see what each costs

# What a course without a grader would write: the same checks as tests of its own, in the student's process.
PEER = """
import sys
from pathlib import Path

sys.path.insert(0, {root!r})
from grader.array import native
from grader.bank import Bank
from grader.load import load, probes
from grader.oracle import _map, load_checks
from grader.wire import TRUSTED, pack, unpack

CHECKS = {{check.name: check for check in load_checks(Path({checks!r}), {slug!r})}}
BANK = Bank.of(unpack(Path({bank!r}).read_bytes(), TRUSTED))
SUBMISSION = Path(__file__).parent / {filename!r}


def run(name):
    module = load(SUBMISSION.read_bytes(), {slug!r}, {filename!r})
    check = CHECKS[name]
    for case in BANK.cases(name):
        got = unpack(pack(check.probe(module, **_map(native, case.inputs))))
        assert check.compare.compare(case.inputs, BANK.answer(name, case), got) is None
"""
PYTEST = "import pytest\n\n\n@pytest.mark.parametrize('name', list(CHECKS))\ndef test_check(name):\n    run(name)\n"
GRADESCOPE = """
import unittest

from gradescope_utils.autograder_utils.decorators import weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner


class TestChecks(unittest.TestCase):
    pass


for name, check in CHECKS.items():
    setattr(TestChecks, f"test_{name}", weight(check.points)(lambda self, name=name: run(name)))

if __name__ == "__main__":
    JSONTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(TestChecks))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one batch cost.

    Attributes:
        seconds: from start to end; `first` until the first grade was in the journal.
        own: processor seconds of the submissions themselves.
        graded: submissions.
        coordinator, workers: the most resident memory, in MiB.
    """

    seconds: float
    first: float
    own: float
    graded: int
    coordinator: float
    workers: float

    def rate(self) -> float:
        """Return the milliseconds for each submission after the first."""
        return 1000 * (self.seconds - self.first) / (self.graded - 1)

    def overhead(self) -> float:
        """Return our own milliseconds for each submission, for a run with one process."""
        return 1000 * (self.seconds - self.first - self.own * (1 - 1 / self.graded)) / self.graded


def programs(course: Course, exercise: Exercise) -> dict[str, list[str]]:
    """Return the sources of each kind of student."""
    solution = course.solution(exercise)
    right = [path.read_text("utf-8") for path in [solution, *course.accepted(exercise)]]
    wrong = [item.source for item in misconceptions(course.misconceptions(exercise), solution)]
    return {
        "right": right,
        "wrong": wrong,
        "slow": [source + "\nwhile True:\n    pass\n" for source in right[:1]],
        "crashing": ["import os\nos._exit(0)\n", right[0] + "\nraise ValueError(1)\n"],
        "not started": [(exercise.folder / exercise.filename).read_text("utf-8")],
    }


def klass(course: Course, exercise: Exercise, folder: Path, seeds: range, only: str = "") -> None:
    """Write a class: everyone has a file of their own. `seeds` has a number for each student."""
    kinds, rng = programs(course, exercise), random.Random(seeds.start)
    for index in seeds:
        (kind,) = [only] if only else rng.choices(list(SHARES), list(SHARES.values()))
        # one kind in turns: one of the right programs takes three times as long as the others
        source = kinds[kind][index % len(kinds[kind])] if only else rng.choice(kinds[kind])
        student = folder / f"student{index:06d}"
        student.mkdir(parents=True)
        (student / exercise.filename).write_text(f"{source}\n# {index}\n", "utf-8")


def cut(course: Course, exercise: Exercise, folder: Path, names: Sequence[str]) -> Course:
    """Return a course that has some checks of one exercise only; all of it if none is named."""
    if not names:
        return course
    made = Course(folder)
    for path in (exercise.folder, course.root / "reference", course.root / "solutions", course.root / "tests/variants"):
        shutil.copytree(path, folder / path.relative_to(course.root))
    checks = made.checks(made.find(exercise.slug))
    tree = ast.parse(checks.read_text("utf-8"))
    tree.body = [node for node in tree.body if not _is_check(node) or node.name in names]  # type: ignore[attr-defined]
    checks.write_text(ast.unparse(tree), "utf-8")
    return made


def _is_check(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(isinstance(item, ast.Call) for item in node.decorator_list)


def grade(course: Course, folder: Path, results: Path, slug: str, jobs: int) -> Run:
    """Grade a class and measure it from outside."""
    begun = time.perf_counter()
    first, workers = 0.0, 0.0
    process = subprocess.Popen(
        [*GRADER, "batch", str(folder), "-o", str(results), "-e", slug, "-j", str(jobs), "--course", str(course.root)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    journal = results / "journal.jsonl"
    coordinator = look = 0.0
    while process.poll() is None:
        if not first and journal.exists() and journal.stat().st_size:
            first = time.perf_counter() - begun
        if time.perf_counter() >= look:  # the kernel takes milliseconds to add up a process's pages
            coordinator = max(coordinator, peak(process.pid))
            workers = max(workers, sum(peak(pid) for pid in below(process.pid)))
            look = time.perf_counter() + LOOK_SECONDS
        time.sleep(0.02)
    seconds = time.perf_counter() - begun
    if process.returncode:
        sys.exit(f"the batch ended with {process.returncode}")
    own = [json.loads(line)["seconds"] for line in journal.read_bytes().splitlines()]
    return Run(seconds, first, sum(own), len(own), coordinator, workers)


def below(pid: int) -> Iterator[int]:
    """Yield the processes below a process; one may end while it is looked at."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return
    for task in tasks:
        try:
            children = (task / "children").read_text("ascii").split()
        except OSError:
            continue
        for child in children:
            yield int(child)
            yield from below(int(child))


def peak(pid: int) -> float:
    """Return a process's own memory in MiB: what it shares with others counts for them in parts."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


def peers(course: Course, exercise: Exercise, folder: Path, number: int, jobs: int) -> dict[str, float]:
    """Return the seconds that each peer needs for a submission, in as many processes at a time."""
    with ready(course, exercise, 0) as made:
        bank = folder / "bank"
        bank.write_bytes(pack(made.grader.oracle.dump(), TRUSTED))  # type: ignore[attr-defined]  # it is a bank
    head = PEER.format(
        root=str(ROOT),
        checks=str(course.checks(exercise)),
        bank=str(bank),
        slug=exercise.slug,
        filename=exercise.filename,
    )
    klass(course, exercise, folder / "peers", range(number), "right")
    students = sorted((folder / "peers").iterdir())
    for student in students:
        (student / "test_submission.py").write_text(head + PYTEST, "utf-8")
        (student / "run.py").write_text(head + GRADESCOPE, "utf-8")
    commands = {
        "pytest": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_submission.py"],
        "gradescope-utils": [sys.executable, "run.py"],
    }
    return {name: rate(command, students, jobs) for name, command in commands.items() if there(name)}


def there(name: str) -> bool:
    """Say whether a peer is installed."""
    import importlib.util

    return importlib.util.find_spec(name.replace("-", "_")) is not None


def rate(command: Sequence[str], students: Sequence[Path], jobs: int) -> float:
    """Return the seconds for each submission."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}

    def one(student: Path) -> None:
        subprocess.run(command, cwd=student, env=environment, check=True, capture_output=True)

    one(students[0])  # the files are in memory then, as they are for us
    begun = time.perf_counter()
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, students))
    return (time.perf_counter() - begun) / len(students)


def table(course: Course, exercise: Exercise, number: int, arguments: argparse.Namespace) -> str:
    """Measure and return the table."""
    jobs = arguments.jobs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ready(course, exercise, 0) as made:
            bundle(made)  # record what is recorded once, before the clock starts
        klass(course, exercise, folder / "alone", range(-min(number, ALONE), 0), "right")
        alone = grade(course, folder / "alone", folder / "out0", exercise.slug, 1)
        klass(course, exercise, folder / "right", range(arguments.seed, arguments.seed + number), "right")
        right = grade(course, folder / "right", folder / "out1", exercise.slug, jobs)
        klass(course, exercise, folder / "mixed", range(arguments.seed, arguments.seed + number))
        mixed = grade(course, folder / "mixed", folder / "out2", exercise.slug, jobs)
        others = peers(course, exercise, folder, arguments.peers, jobs)
    each = right.seconds / number
    count = sum(len(made.grader.oracle.cases(check.name)) for check in made.grader.checks)
    machine = f"{cpu()}, Python {platform.python_version()}, torch {torch_version()}"
    rows = [
        f"{number} submissions of `{exercise.slug}` ({count} cases each), {jobs} processes, {machine}.",
        "",
        "| right programs | submissions a minute | ms a submission | times as fast as |",
        "|---|---|---|---|",
        f"| grader batch | {60 / each:,.0f} | {1000 * each:.0f} | |",
    ]
    rows += [
        f"| {name}, a fresh process each | {60 / seconds:,.0f} | {1000 * seconds:.0f} | {seconds / each:.0f} |"
        for name, seconds in others.items()
    ]
    shares = ", ".join(f"{share:.0%} {kind}" for kind, share in SHARES.items())
    rows += [
        "",
        f"The mixed class: {shares}.",
        "",
        "| class | processes | seconds | before the first grade | ms of the submission itself | ms of ours beyond "
        "| coordinator MiB | workers MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, run, processes in (("right", alone, 1), ("right", right, jobs), ("mixed", mixed, jobs)):
        ours = f"{run.overhead():.0f}" if processes == 1 else ""
        rows.append(
            f"| {name}, {run.graded} | {processes} | {run.seconds:.1f} | {run.first:.1f} "
            f"| {1000 * run.own / run.graded:.0f} | {ours} | {run.coordinator:.0f} | {run.workers:.0f} |"
        )
    return "\n".join(rows) + "\n"


def growth(course: Course, exercise: Exercise, sizes: Sequence[int], arguments: argparse.Namespace) -> str:
    """Measure classes of several sizes in turns, some times, and return the table of medians."""
    found: dict[int, list[Run]] = {number: [] for number in sizes}
    for repeat in range(arguments.repeats):
        for number in sizes:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                klass(course, exercise, folder / "class", range(repeat, repeat + number), "right")
                run = grade(course, folder / "class", folder / "out", exercise.slug, arguments.jobs)
                found[number].append(run)
                print(f"{number}: {run.rate():.1f} ms a submission", file=sys.stderr)
    rows = [
        f"Medians of {arguments.repeats}.",
        "",
        "| students | ms a submission, after the first | coordinator MiB |",
        "|---|---|---|",
    ]
    for number, runs in found.items():
        coordinator = median(run.coordinator for run in runs)
        rows.append(f"| {number} | {median(run.rate() for run in runs):.1f} | {coordinator:.0f} |")
    return "\n".join(rows) + "\n"


def cpu() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text("ascii").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def torch_version() -> str:
    """Return the version of torch, without importing it."""
    import importlib.metadata

    return importlib.metadata.version("torch")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=500, help="students")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--exercise", default="norms")
    parser.add_argument("--check", action="append", default=[], metavar="NAME", help="only these checks of it")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--peers", type=int, default=8, help="submissions that the peers grade")
    parser.add_argument("--growth", type=int, nargs="+", metavar="N", help="measure classes of these sizes instead")
    parser.add_argument("--repeats", type=int, default=1, help="of each size")
    parser.add_argument("--write", metavar="PART", help="put the table into this part of docs/performance.md")
    arguments = parser.parse_args()
    course = find_course(ROOT)
    with tempfile.TemporaryDirectory() as name:
        course = cut(course, course.find(arguments.exercise), Path(name), arguments.check)
        exercise = course.find(arguments.exercise)
        if arguments.growth:
            text = growth(course, exercise, arguments.growth, arguments)
        else:
            text = table(course, exercise, arguments.n, arguments)
    print(text)
    if arguments.write:
        path = ROOT / "docs" / "performance.md"
        before, mark, after = path.read_text("utf-8").partition(f"<!-- generated: {arguments.write} -->\n")
        rest = after[after.index("<!-- end -->") :]
        path.write_text(f"{before}{mark}\n{text}\n{rest}", "utf-8")


if __name__ == "__main__":
    main()
