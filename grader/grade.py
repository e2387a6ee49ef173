"""Grades one submission: compares the oracle's answers with the program's, check by check."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grader.case import Answer, Case, Job
from grader.check import Check
from grader.compare import Growth
from grader.errors import FaultError
from grader.exercise import Exercise, Refused
from grader.oracle import Oracle, on_meta
from grader.reach import asked
from grader.round import question
from grader.sandbox import Sandbox
from grader.shortcut import Shortcut, shortcuts
from grader.verdict import Outcome
from grader.walk import Difference

# what an answer of each kind is worth; "value" is compared, "violation" is the program's doing
OUTCOMES = {
    "not_started": Outcome.NOT_STARTED,
    "missing": Outcome.ERROR,
    "raised": Outcome.ERROR,
    "unsendable": Outcome.ERROR,
    "died": Outcome.ERROR,
    "violation": Outcome.ERROR,
    "timeout": Outcome.TIMEOUT,
    "memory": Outcome.MEMORY,
    "broken": Outcome.BROKEN,
}
# what a difference says was got when the value is right and the inputs are not what they were
CHANGED = "changed inputs"
# after these the process is gone or each further case costs a deadline: the check ends
FATAL = frozenset({"died", "violation", "timeout", "memory", "broken", "not_started", "missing"})

REMEMBERED = 256  # different right answers to a check that are kept

# what torch says where a program asks the meta device for a value, or for a shape that depends on values
VALUES_WANTED = (
    "on meta tensors",
    "_local_scalar_dense",
    "data-dependent",
    "data-independent",
    "no fake impl or Meta kernel",
    "meta device type tensor to numpy",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one case showed. `difference` is None if the case passed."""

    case: Case
    expected: Answer
    got: Answer
    outcome: Outcome
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """All findings of one check, in the order of its cases. The last may have ended the check.

    `ran` is False if the file could not be loaded: then the one finding says why.
    """

    check: Check
    findings: tuple[Finding, ...]
    device: Literal["cpu", "cuda", "meta"] = "cpu"
    ran: bool = True

    @property
    def failure(self) -> Finding | None:
        """The first case that did not pass, which is the smallest."""
        return next((finding for finding in self.findings if finding.outcome is not Outcome.PASSED), None)

    @property
    def outcome(self) -> Outcome:
        """The outcome of the check."""
        return self.failure.outcome if self.failure else Outcome.PASSED


class Grader:
    """Examines submissions of one exercise.

    Attributes:
        exercise, checks: what is asked.
        oracle: has the cases and the true answers.
        sandbox: runs the submission.
        probes: source of the probes, all that the worker gets of checks.py.
        remember: whether a program whose answers to a check are those of one that passed is not judged
            again; its findings are those of the other then. For a class.
    """

    def __init__(
        self, exercise: Exercise, checks: Sequence[Check], oracle: Oracle, sandbox: Sandbox, probes: str
    ) -> None:
        self.exercise = exercise
        self.checks = list(checks)
        self.oracle = oracle
        self.sandbox = sandbox
        self.probes = probes
        self.remember = False
        self.asked = asked(probes)
        # check, whether on meta -> its cases with the true answers, and the message that asks for them
        self._asked: dict[tuple[str, bool], tuple[list[tuple[Case, Answer]], bytes]] = {}
        # check, whether on meta -> seal -> what was found: the same answers need not be judged twice
        self._passed: dict[tuple[str, bool], dict[bytes, tuple[Finding, ...]]] = {}

    def examine(
        self, source: bytes, device: Literal["cpu", "cuda"] = "cpu", checks: Sequence[Check] | None = None
    ) -> list[Examined]:
        """Run the checks on a submission.

        Args:
            source: the student's file.
            device: where the tensors of the cases are moved.
            checks: some of them, None for all.

        Raises:
            FaultError: the worker or the oracle failed before anything could be said.
        """
        wanted = self.checks if checks is None else list(checks)
        loaded = self.open(source, device)
        if loaded.kind == "value" and (refusal := _refusal(self.exercise.refused, _packages(loaded))):
            loaded = Answer("value", refusal, message=refusal, calls=_packages(loaded))
            return [self._stopped(check, Outcome.REFUSED, loaded) for check in wanted]
        if loaded.kind != "value":
            return [self._stopped(check, OUTCOMES[loaded.kind], loaded) for check in wanted]
        named = shortcuts(source, self.exercise.refused)
        examined = [self._refused(check, named) or self.check(check, device) for check in wanted]
        self.sandbox.leave()
        return examined

    def _refused(self, check: Check, named: dict[str, Shortcut]) -> Examined | None:
        """Return the refusal of a check whose probe asks for something that a shortcut stands behind."""
        names = sorted({"", *self.asked.get(check.name, ())} & named.keys())
        if not names:
            return None
        sentence = named[names[0]].sentence
        return self._stopped(check, Outcome.REFUSED, Answer("value", sentence, message=sentence))

    def open(self, source: bytes, device: Literal["cpu", "cuda"] = "cpu", fresh: bool = True) -> Answer:
        """Load a submission into the sandbox; the answer says whether it can be loaded."""
        return self.sandbox.open(
            Job(self.exercise.slug, source, self.probes, device=device, limits=self.exercise.limits), fresh
        )

    def check(self, check: Check, device: Literal["cpu", "cuda"] = "cpu") -> Examined:
        """Run one check on the submission that is open in the sandbox."""
        meta = check.device == "portable" and device == "cpu"
        findings: list[Finding] = []
        try:
            if (meta or isinstance(check.compare, Growth)) and not self.sandbox.warm:
                self.sandbox.leave()  # the next fork has what makes the meta device and counting quick
            together = self._together(check, meta)
            if together is not None:
                return Examined(check, together, "meta" if meta else device)
            self.sandbox.leave()  # one by one, as if nothing had been asked before
            for case in self.oracle.cases(check.name):
                findings.append(self.case(check, case, meta))
                if findings[-1].got.kind in FATAL:
                    break
        except FaultError as error:
            findings.append(_broken(str(error)))
        return Examined(check, tuple(findings), "meta" if meta else device)

    def _together(self, check: Check, meta: bool) -> tuple[Finding, ...] | None:
        """Ask for all cases of a check at once; None if they must be asked one by one."""
        key = (check.name, meta)
        if key not in self._asked:
            pairs = [(case, self.oracle.answer(check.name, case)) for case in self.oracle.cases(check.name)]
            pairs = [on_meta(*pair) for pair in pairs] if meta else pairs
            self._asked[key] = pairs, question(check.name, [case for case, _ in pairs])
        pairs, asked_for = self._asked[key]
        known = self._passed.setdefault(key, {})
        found = self.sandbox.round(asked_for, len(pairs), known)
        if found is None:
            return None
        if found.seal in known:
            return known[found.seal]
        if meta and any(map(_reads_values, found.answers)):
            return None
        findings = []
        for (case, expected), got in zip(pairs, found.answers, strict=False):
            findings.append(self._judged(check, case, expected, got))
            if got.kind in FATAL:
                break
        passed = all(finding.outcome is Outcome.PASSED for finding in findings)
        if not passed and findings[-1].got.output:
            return None  # whoever prints wants to see what belongs to the failing case
        if self.remember and passed and len(known) < REMEMBERED:
            known[found.seal] = tuple(findings)
        return tuple(findings)

    def case(self, check: Check, case: Case, meta: bool = False) -> Finding:
        """Run one case of a check on the submission that is open in the sandbox."""
        whole, expected = case, self.oracle.answer(check.name, case)
        if meta:
            case, expected = on_meta(case, expected)
        got = self.sandbox.answer(check.name, case)
        if meta and _reads_values(got):
            # a program that looks at values cannot be followed without a GPU; that is no mistake if they are right
            return self.case(check, whole)
        return self._judged(check, case, expected, got)

    def _judged(self, check: Check, case: Case, expected: Answer, got: Answer) -> Finding:
        """Return what an answer is worth."""
        refusal = _refusal(self.exercise.refused, got.calls)
        if refusal:
            return Finding(case, expected, got, Outcome.REFUSED, Difference("", refusal, "", note=refusal))
        if got.kind != "value":
            return Finding(case, expected, got, OUTCOMES[got.kind])
        difference = check.compare.compare(case.inputs, expected, got.value)
        if difference is None and check.keeps_inputs and got.touched != expected.touched:
            note = "the result is right, but the inputs were changed: work on a copy"
            difference = Difference("", CHANGED, "inputs as they were", note=note)
        return Finding(case, expected, got, Outcome.FAILED if difference else Outcome.PASSED, difference)

    @staticmethod
    def _stopped(check: Check, outcome: Outcome, loaded: Answer) -> Examined:
        """Return what is said of a check when the file could not even be loaded."""
        return Examined(check, (Finding(Case({}), Answer("value"), loaded, outcome),), ran=False)


def _broken(message: str) -> Finding:
    return Finding(Case({}), Answer("value"), Answer("broken", message=message), Outcome.BROKEN)


def _packages(loaded: Answer) -> tuple[str, ...]:
    listed = loaded.value if isinstance(loaded.value, (list, set)) else ()
    return tuple(name for name in listed if isinstance(name, str))


def _refusal(refused: Refused, names: Sequence[str]) -> str:
    """Return the sentence for the first shortcut among the names, "" if there is none."""
    for name in names:
        if name.startswith("import "):
            package = name.removeprefix("import ")
            if package in refused.modules:
                return f"the file imports {package}, which does the exercise for you"
        elif found := refused.functions.intersection(re.split("[.:]+", name)):  # also "aten::layer_norm"
            return f"the program calls torch's {min(found)}, which does the exercise for you"
    return ""


def _reads_values(answer: Answer) -> bool:
    """Say whether a program failed on the meta device only because it wanted to see a value."""
    if answer.kind != "raised":
        return False
    # copying a tensor to another device ("Cannot copy out of meta tensor") is a mistake; reading it is none
    if "Cannot copy out of meta tensor" in answer.message:
        return ".tolist(" in answer.traceback
    return any(sign in answer.message for sign in VALUES_WANTED)
