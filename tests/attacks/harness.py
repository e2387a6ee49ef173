"""Runs attacks: one warm worker behind one fence, and what must be the same before and after each attack."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.case import Limits
from grader.fence import Fence
from grader.grade import Examined, Finding, Grader
from grader.mark import grade_of, verdict_of
from grader.ready import Ready, ready
from grader.sandbox import Sandbox
from grader.verdict import Grade, Outcome
from tests.attacks.attack import Attack
from tests.attacks.target import Target
from tests.conftest import family

TOOLS = (Path(__file__).parent / "tools.py").read_text("utf-8")
QUADRUPLE = "\n\ndef quadruple(x):\n    return 4 * x\n"
# Most attacks are over in no time, and get as much as a busy machine may need. Those that take forever get little.
PATIENT = Limits(case_seconds=20, check_seconds=40, load_seconds=20, memory_mib=512)
QUICK = Limits(case_seconds=0.7, check_seconds=4, load_seconds=3, memory_mib=512)
# memory that the grader may need for one attack: some copies of the largest message that it takes
GROWTH = 256 << 20
# the next submission: right, and it would notice what was left behind or changed in its process
NEXT = """
import math, os, random, signal, sys

LEFT = {left!r}


def double(x):
    assert not [name for name in LEFT if os.path.lexists(name)], "a file of the last submission"
    assert math.isclose(1.0, 1.0) and not math.isclose(1.0, 2.0) and len("ab") == 2, "a changed library"
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL and signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert "LD_PRELOAD" not in os.environ and sys.gettrace() is None, "a changed process"
    return 2 * x
"""
NEXT_TENSORS = """
import torch


def double(x):
    assert not torch.allclose(torch.zeros(2), torch.ones(2)) and torch.ones(1).add(1).item() == 2, "a changed torch"
    return 2 * x
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attack: the checks, the grade that is made of them, and all of it as one text."""

    examined: list[Examined]
    grade: Grade

    @property
    def finding(self) -> Finding:
        """What came of the first call of double()."""
        return self.examined[0].findings[0]

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes of the checks."""
        return [item.outcome for item in self.examined]

    def text(self) -> str:
        """Return everything that came back, and everything that a student is shown."""
        answers = [finding.got for item in self.examined for finding in item.findings]
        return f"{answers!r}\n{self.grade.model_dump_json()}"


class Bench:
    """One worker behind one fence, which all attacks share: so each must leave it as it was.

    Attributes:
        tier: of its fence.
        tensors: whether its worker has torch and its cases are tensors.
    """

    def __init__(self, made: Ready, aim: Target, tier: str, tensors: bool) -> None:
        self.tier = tier
        self.tensors = tensors
        self._made = made
        self._aim = aim
        self._left = _counted(self.sandbox)

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox of the worker."""
        return self._made.grader.sandbox

    def run(self, attack: Attack) -> Result:
        """Grade an attack, and check that the grader's memory stays small."""
        head = self._aim.constants(self.tensors, control=self.tier == "C")
        source = f"{head}\n{TOOLS}\n{attack.source}{QUADRUPLE}"
        with _bounded():
            return self._grade(source, QUICK if attack.quick else PATIENT)

    def next(self) -> Result:
        """Grade the next submission, which is right."""
        source = NEXT_TENSORS if self.tensors else NEXT.format(left=self._aim.left)
        return self._grade(source + QUADRUPLE, PATIENT)

    def _grade(self, source: str, limits: Limits) -> Result:
        grader, made = self._made.grader, self._made
        exercise = made.exercise.model_copy(update={"limits": limits})
        grader = Grader(exercise, grader.checks, grader.oracle, grader.sandbox, grader.probes)
        examined = grader.examine(source.encode("utf-8", "surrogatepass"))
        made.diagnosis.name(grader, examined)
        self.sandbox.leave()
        return Result(examined, grade_of(exercise, "double.py", [verdict_of(item) for item in examined]))

    def state(self) -> dict[str, object]:
        """Return what must be the same before and after an attack."""
        return self._aim.state() | {
            "processes": self.processes(),
            "killed by the worker": sum(self._left),
            "open files of the grader": len(os.listdir("/proc/self/fd")),
        }

    def processes(self) -> frozenset[tuple[int, str]]:
        """Return the worker and all that descends from it."""
        return frozenset(family(self.sandbox.pid).items())


@contextmanager
def bench(aim: Target, fence: Fence, tensors: bool = False) -> Iterator[Bench]:
    """Start a worker behind a fence."""
    course = aim.tensors if tensors else aim.course
    with ExitStack() as stack:
        made = stack.enter_context(ready(course, course.find("double"), 0, fence=fence))
        started = Bench(made, aim, fence.tier, tensors)
        # the first submission meets a worker that is not warm yet, and the mistakes are loaded once
        result = started.next()
        assert set(result.outcomes) == {Outcome.PASSED}, result.text()
        yield started


def _counted(sandbox: Sandbox) -> list[int]:
    """Return a list to which each reaping will add how many processes a submission had left behind."""
    left = []
    reap = sandbox._zygote.reap

    def counting(*arguments):
        ended = reap(*arguments)
        left.append(ended["left"])
        return ended

    sandbox._zygote.reap = counting
    return left


@contextmanager
def _bounded() -> Iterator[None]:
    """Check that the memory of this process does not grow much, where the kernel counts its peak anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:
        yield
        return
    before = _memory("VmRSS")
    yield
    assert _memory("VmHWM") - before < GROWTH, "the grader's own memory grew"


def _memory(name: str) -> int:
    """Return a number of bytes from this process's status."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    return 0
