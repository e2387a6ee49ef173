"""Proves an exercise: right programs pass every check, every named wrong program fails one.

Everything is run the way a submission is, in the sandbox, with freshly drawn cases for each seed.
"""

import math
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.bank import Bank
from grader.check import Check
from grader.compare import Derived, Growth
from grader.course import Course
from grader.diagnose import Misconception, misconceptions
from grader.errors import UsageError
from grader.exercise import Exercise
from grader.grade import Examined, Finding, Grader
from grader.lint import lint, waive
from grader.load import probes
from grader.oracle import load_checks, reference_of
from grader.sandbox import Sandbox
from grader.tier import best
from grader.verdict import Outcome

Note = Callable[[str], None]
# The least distance from the tolerance on either side: a right program's error times this is allowed, a
# wrong program's error divided by this is not. What is nearer would depend on the machine.
ROOM = 3.0


class Margin(BaseModel):
    """How far programs stay from the tolerance of a numeric check, in units of the tolerance.

    `right` is the largest error of a right program (below 1), `wrong` the smallest error by which a
    wrong program fails (above 1; infinite where shapes or NaN differ, None if none fails it).
    """

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")

    check: str
    right: float
    wrong: float | None
    wrong_program: str


class Audit(BaseModel):
    """What an audit found; `problems` is empty if the exercise is proven."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")

    exercise: str
    seeds: list[int]
    checks: int
    misconceptions: int
    variants: int
    problems: list[str]
    killed_by: dict[str, list[str]]
    unnamed: list[str]
    margins: list[Margin]

    @property
    def green(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class Findings(BaseModel):
    """What one seed showed; findings of several seeds add up."""

    problems: list[str] = []
    killed: dict[str, set[str]] = {}
    named: set[str] = set()
    right: dict[str, float] = {}
    wrong: dict[str, tuple[float, str]] = {}

    def add(self, other: "Findings") -> None:
        """Take in the findings of another seed."""
        self.problems += other.problems
        self.named |= other.named
        for name, checks in other.killed.items():
            self.killed.setdefault(name, set()).update(checks)
        for check, error in other.right.items():
            self.right[check] = max(error, self.right.get(check, 0.0))
        for check, pair in other.wrong.items():
            self.wrong[check] = min(pair, self.wrong.get(check, (math.inf, "")))


class _Auditor:
    """Runs right and wrong programs on the cases of one seed and notes what they show."""

    def __init__(self, grader: Grader, seed: int) -> None:
        self.grader = grader
        self.prefix = f"seed {seed}: "
        self.found = Findings()

    def problem(self, text: str) -> None:
        self.found.problems.append(self.prefix + text)

    def starter(self, source: bytes) -> None:
        for item in self.grader.examine(source):
            if item.outcome is not Outcome.NOT_STARTED:
                self.problem(f"the starter is {item.outcome}, not 'not started', at {item.check.name}")

    def right(self, name: str, source: bytes) -> None:
        for item in self.grader.examine(source):
            if item.failure:
                self.problem(f"{name} is right, but {item.outcome} at {item.check.name}: {_why(item.failure)}")
            error = max((_error(item.check, finding) for finding in item.findings), default=0.0)
            self.found.right[item.check.name] = max(self.found.right.get(item.check.name, 0.0), error)

    def wrong(self, item: Misconception) -> None:
        name = item.mistake.name
        # to the others it is the right program, which has passed
        concerned = [check for check in self.grader.checks if item.concerns(self.grader.asked[check.name])]
        examined = self.grader.examine(item.source.encode(), checks=concerned or self.grader.checks)
        failed = [one for one in examined if one.outcome is not Outcome.PASSED]
        if not failed:
            self.problem(f"the wrong program {name} passes every check")
        if any(one.outcome in (Outcome.BROKEN, Outcome.NOT_STARTED) or not one.ran for one in failed):
            self.problem(f"the wrong program {name} does not run: {_why(failed[0].failure)}")
        self.found.killed[name] = {one.check.name for one in failed}
        if any(not isinstance(one.check.compare, Growth) for one in failed):
            self.found.named.add(name)
        for one in failed:
            self.fails(one, name)

    def fails(self, item: Examined, name: str) -> None:
        """Note by how much a wrong program fails a check."""
        if _numeric(item.check):
            errors = [finding.difference.ratio for finding in item.findings if finding.difference]
            pair = (max(errors, default=math.inf), name)
            self.found.wrong[item.check.name] = min(pair, self.found.wrong.get(item.check.name, (math.inf, "")))


def _seed(course: Course, exercise: Exercise, seed: int) -> Findings:
    """Audit one exercise with the cases of one seed; runs in a process of its own."""
    checks = load_checks(course.checks(exercise), exercise.slug)
    reference = reference_of(course.checks(exercise), course.reference(exercise), exercise.slug, seed)
    with Sandbox(exercise.preload, best()) as sandbox:
        bank = Bank.record(reference, [check.name for check in checks])
        source = probes(course.checks(exercise).read_text("utf-8"))
        auditor = _Auditor(Grader(exercise, checks, bank, sandbox, source), seed)
        for sentence in waive(lint(checks, bank), exercise.waived):
            auditor.problem(sentence)
        auditor.starter((exercise.folder / exercise.filename).read_bytes())
        auditor.right("the solution", course.solution(exercise).read_bytes())
        for path in course.accepted(exercise):
            auditor.right(path.name, path.read_bytes())
        for item in misconceptions(course.misconceptions(exercise), course.solution(exercise)):
            auditor.wrong(item)
    return auditor.found


def audit(course: Course, exercise: Exercise, seeds: Sequence[int], jobs: int = 1, note: Note | None = None) -> Audit:
    """Audit one exercise.

    Args:
        course: that has the exercise.
        exercise: to prove.
        seeds: to draw cases with, one after the other.
        jobs: how many seeds at a time.
        note: called with a sentence after each seed.

    Raises:
        FaultError: a file of the course or the worker does not work.
        UsageError: this is a kit, which has nothing to prove the checks with.
    """
    if course.public(exercise):
        raise UsageError(f"{exercise.slug} cannot be audited: a kit has no reference and no wrong programs")
    checks = load_checks(course.checks(exercise), exercise.slug)
    wrong = misconceptions(course.misconceptions(exercise), course.solution(exercise))
    found = Findings(problems=_content(course, exercise, checks, wrong))
    # spawned, not forked: a fork of a process that has loaded torch may hang
    with ProcessPoolExecutor(min(jobs, len(seeds)), multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(_seed, course, exercise, seed) for seed in seeds]
        for number, task in enumerate(tasks, start=1):
            found.add(task.result())
            if note:
                note(f"{exercise.slug}: {number} of {len(seeds)} seeds, {len(wrong)} wrong programs each")
    margins = [_margin(check.name, found) for check in checks if _numeric(check)]
    return Audit(
        exercise=exercise.slug,
        seeds=list(seeds),
        checks=len(checks),
        misconceptions=len(wrong),
        variants=len(course.accepted(exercise)),
        problems=found.problems + [sentence for margin in margins for sentence in _narrow(margin)],
        killed_by={name: sorted(killed) for name, killed in found.killed.items()},
        unnamed=sorted(set(found.killed) - found.named),
        margins=margins,
    )


def _margin(check: str, found: Findings) -> Margin:
    wrong, name = found.wrong.get(check, (None, ""))
    return Margin(check=check, right=found.right.get(check, 0.0), wrong=wrong, wrong_program=name)


def _narrow(margin: Margin) -> list[str]:
    """Return what is wrong with a margin: a program that is too near to the tolerance."""
    problems = []
    if margin.right * ROOM > 1:
        problems.append(
            f"{margin.check}: a right program has {margin.right:.2g} of the tolerance, more than 1/{ROOM:g}"
        )
    if margin.wrong is not None and margin.wrong < ROOM:
        problems.append(
            f"{margin.check}: the wrong program {margin.wrong_program} fails by {margin.wrong:.2g} times the tolerance"
            f", less than {ROOM:g}: its inputs should show it clearly, or not at all"
        )
    return problems


def _content(course: Course, exercise: Exercise, checks: Sequence[Check], wrong: Sequence[Misconception]) -> list[str]:
    """Return what is wrong with the files themselves: points, hints, texts."""
    problems = []
    points = sum(check.points for check in checks)
    if points != exercise.points:
        problems.append(f"exercise.yaml says {exercise.points} points, the checks sum up to {points}")
    for name in sorted(set(exercise.visibility) - {check.name for check in checks}):
        problems.append(f"exercise.yaml: visibility names {name}, and there is no such check")
    for name in sorted(set(exercise.hints) ^ {check.name for check in checks}):
        problems.append(f"exercise.yaml: there must be hints for each check and for nothing else; look at {name}")
    if not wrong:
        problems.append("there are no misconceptions: nothing proves that the checks can fail")
    if not course.accepted(exercise):
        problems.append("there are no accepted variants: nothing proves that another style passes")
    for item in wrong:
        if not item.mistake.what or not item.mistake.why:
            problems.append(f"the misconception {item.mistake.name} does not say what it is and why it is wrong")
    return problems


def _numeric(check: Check) -> bool:
    return isinstance(check.compare, Derived)


def _why(finding: Finding | None) -> str:
    if finding is None:
        return ""
    difference = finding.difference
    if difference is None:
        return f"{finding.got.error} {finding.got.message} {finding.got.traceback}".strip()
    return f"result{difference.place}: got {difference.got}, expected {difference.expected} {difference.note}"


def _error(check: Check, finding: Finding) -> float:
    """Return the largest error of an answer in units of the tolerance, 0 where none is allowed."""
    if not isinstance(check.compare, Derived) or finding.got.kind != "value":
        return 0.0
    return max(check.compare.errors(finding.case.inputs, finding.expected.value, finding.got.value), default=0.0)


def show_audit(console: Console, result: Audit) -> None:
    """Print what an audit found."""
    state = "proven" if result.green else f"{len(result.problems)} problems"
    console.print(Text(f"{result.exercise}: {state}", "bold"))
    console.print(
        f"  {result.checks} checks, {len(result.seeds)} seeds; the starter fails all, the solution and "
        f"{result.variants} variants pass, {sum(map(bool, result.killed_by.values()))} of {result.misconceptions} "
        "wrong programs fail"
        if result.green
        else f"  {result.checks} checks, {len(result.seeds)} seeds"
    )
    for problem in result.problems:
        console.print(Text(f"  {problem}"))
    if result.unnamed:
        console.print(Text(f"  told by counts alone, so not named: {', '.join(result.unnamed)}", "dim"))
    if result.margins:
        console.print("  errors in units of the tolerance: the largest of a right program, the smallest of a wrong one")
        table = Table(box=None, padding=(0, 1))
        table.add_column("  check", no_wrap=True)
        table.add_column("right", justify="right", no_wrap=True)
        table.add_column("wrong", justify="right", no_wrap=True)
        table.add_column("by", overflow="fold")
        for margin in result.margins:
            wrong = "-" if margin.wrong is None else f"{margin.wrong:.3g}"
            table.add_row(f"  {margin.check}", f"{margin.right:.2g}", wrong, margin.wrong_program)
        console.print(table)
    console.print()
