"""Turns what was found into verdicts and a grade: points, sentences, evidence, what to do next."""

import hashlib
from collections.abc import Sequence

from grader.case import Answer, Case
from grader.check import Check
from grader.exercise import Exercise
from grader.grade import Examined, Finding
from grader.show import show
from grader.verdict import Evidence, Grade, Outcome, Tier, Verdict
from grader.walk import Difference


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
        wrong=sum(finding.outcome is not Outcome.PASSED for finding in examined.findings),
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


def grade_of(
    exercise: Exercise, file: str, verdicts: Sequence[Verdict], fence: Tier = "", source: bytes | None = None
) -> Grade:
    """Return the grade: a verdict for each check, and their sum.

    Args:
        exercise: what was graded.
        file: name of the file.
        verdicts: in the order of the checks.
        fence: tier that it was examined in.
        source: the file itself, None if it could not be read.
    """
    verdicts = [
        verdict.model_copy(update={"visibility": exercise.visibility.get(verdict.check, "visible")})
        for verdict in verdicts
    ]
    return Grade(
        exercise=exercise.slug,
        title=exercise.title,
        file=file,
        score=sum(verdict.earned for verdict in verdicts),
        points=sum(verdict.points for verdict in verdicts),
        verdicts=tuple(verdicts),
        next_step=_next_step(exercise, verdicts),
        fence=fence,
        digest="" if source is None else hashlib.sha256(source).hexdigest(),
    )


def in_public(grade: Grade) -> Grade:
    """Return the grade of a program that met public cases only: it is no mark, and says so."""
    step = "all public cases pass, others decide; hand it in" if grade.complete else grade.next_step
    return grade.model_copy(update={"public": True, "next_step": step})


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
