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
from grader.sandbox import Sandbox
from grader.shortcut import Shortcut, shortcuts
from grader.show import show
from grader.verdict import Evidence, Grade, Outcome, Tier, Verdict
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
    """

    def __init__(
        self, exercise: Exercise, checks: Sequence[Check], oracle: Oracle, sandbox: Sandbox, probes: str
    ) -> None:
        self.exercise = exercise
        self.checks = list(checks)
        self.oracle = oracle
        self.sandbox = sandbox
        self.probes = probes
        self.asked = asked(probes)

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
            for case in self.oracle.cases(check.name):
                findings.append(self.case(check, case, meta))
                if findings[-1].got.kind in FATAL:
                    break
        except FaultError as error:
            findings.append(_broken(str(error)))
        return Examined(check, tuple(findings), "meta" if meta else device)

    def case(self, check: Check, case: Case, meta: bool = False) -> Finding:
        """Run one case of a check on the submission that is open in the sandbox."""
        expected = self.oracle.answer(check.name, case)
        if meta:
            case, expected = on_meta(case, expected)
        got = self.sandbox.answer(check.name, case)
        if meta and _reads_values(got):
            # a program that looks at values cannot be followed without a GPU; that is no mistake
            return Finding(case, expected, got, Outcome.PASSED)
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
    return tuple(name for name in loaded.value or () if isinstance(name, str))


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


# --- verdicts ---------------------------------------------------------------------------------


def verdict_of(examined: Examined) -> Verdict:
    """Return the verdict of a check; mistakes are added by diagnose.py."""
    check, failure = examined.check, examined.failure
    outcome = examined.outcome
    return Verdict(
        check=check.name,
        title=check.title,
        outcome=outcome,
        points=check.points,
        earned=check.points if outcome is Outcome.PASSED else 0,
        message=message_of(failure) if failure else "",
        evidence=evidence_of(failure) if failure else None,
        cases=len(examined.findings),
        device=examined.device,
    )


def unread(checks: Sequence[Check], outcome: Outcome, message: str) -> list[Verdict]:
    """Return the verdicts on what could not be examined: the same for each check."""
    finding = Finding(Case({}), Answer("value"), Answer("raised", message=message), outcome)
    return [verdict_of(Examined(check, (finding,), ran=False)) for check in checks]


def message_of(finding: Finding) -> str:
    """Return the sentence that says what a finding is."""
    if finding.outcome is Outcome.BROKEN:
        return f"the grader failed here, this is not your fault: {finding.got.message}"
    if finding.outcome is Outcome.REFUSED:
        return finding.difference.note if finding.difference else finding.got.message
    if finding.difference:
        return finding.difference.note
    if finding.got.error:
        return f"{finding.got.error}: {finding.got.message}" if finding.got.message else finding.got.error
    return finding.got.message


def evidence_of(finding: Finding, shrunk: bool = False) -> Evidence:
    """Return the case of a finding and what is wrong with its answer, as text."""
    difference = finding.difference or Difference("", "", "")
    refused = finding.outcome is Outcome.REFUSED
    return Evidence(
        inputs={name: show(value, 160) for name, value in finding.case.inputs.items()},
        shrunk=shrunk,
        place=difference.place,
        got="" if refused else difference.got,
        expected=difference.expected,
        allowed=difference.allowed,
        note=difference.note,
        error=finding.got.error,
        traceback=finding.got.traceback,
        output=finding.got.output,
    )


def grade_of(exercise: Exercise, file: str, verdicts: Sequence[Verdict], fence: Tier = "") -> Grade:
    """Return the grade: a verdict for each check, and their sum. `fence` is the tier that it was examined in."""
    return Grade(
        exercise=exercise.slug,
        title=exercise.title,
        file=file,
        score=sum(verdict.earned for verdict in verdicts),
        points=sum(verdict.points for verdict in verdicts),
        verdicts=tuple(verdicts),
        next_step=_next_step(exercise, verdicts),
        fence=fence,
    )


def _next_step(exercise: Exercise, verdicts: Sequence[Verdict]) -> str:
    open_ones = [verdict for verdict in verdicts if verdict.outcome is not Outcome.PASSED]
    if not open_ones:
        return "all checks pass"
    started = [verdict for verdict in open_ones if verdict.outcome is not Outcome.NOT_STARTED]
    first = (started or open_ones)[0]
    if first.outcome is Outcome.NOT_STARTED:
        what = f"write what this check asks for: {first.title}"
    else:
        what = f"look at this check first: {first.title}"
    hint = f" (a hint: grader hint {exercise.slug} {first.check})" if first.check in exercise.hints else ""
    return what + hint
