"""What a student gets to read: each check, what was found, and nothing that is not for them to see."""

import builtins
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.desk.page import html, markdown
from grader.errors import UsageError
from grader.grade import CHANGED
from grader.gradebook import filename, write
from grader.show import clean
from grader.verdict import Evidence, Grade, Mistake, Outcome, Result, Verdict

LONGEST = 2000  # characters of a traceback or of what a program printed
# kind (its sign and colour) and word of an outcome
WORDS = {
    Outcome.PASSED: ("pass", "PASS"),
    Outcome.FAILED: ("fail", "FAIL"),
    Outcome.ERROR: ("fail", "FAIL (error)"),
    Outcome.TIMEOUT: ("fail", "FAIL (timeout)"),
    Outcome.MEMORY: ("fail", "FAIL (memory)"),
    Outcome.REFUSED: ("fail", "FAIL (refused)"),
    Outcome.NOT_STARTED: ("open", "NOT STARTED"),
    Outcome.BROKEN: ("broken", "OPEN (grader's fault)"),
}
WITHHELD = {
    "hidden": "hidden; it counts too",
    "after_due_date": "shown after the due date; it counts too",
    "after_published": "shown when the grades are published; it counts too",
}
# what may be said of a case that is secret
SECRET = {
    Outcome.PASSED: "",
    Outcome.FAILED: "an answer is wrong; the case is secret",
    Outcome.NOT_STARTED: "what this check asks for is not written yet",
    Outcome.ERROR: "the program ended with an error; the case is secret",
    Outcome.TIMEOUT: "it took longer than a case may take",
    Outcome.MEMORY: "it took more memory than there is",
    Outcome.BROKEN: "the grader failed here, this is not your fault",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A check as a student may see it.

    Attributes:
        title: of the check.
        kind, word: what was found; kind is "pass", "fail", "open", "broken" or "held".
        points: "2 of 3", empty if they are not shown.
        message: a sentence, if there is more to say.
        mistakes: that were recognised.
        lines: what was asked, got and expected: label and text.
        traceback, output: of the student's program.
    """

    title: str
    kind: str
    word: str
    points: str = ""
    message: str = ""
    mistakes: tuple[Mistake, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    traceback: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """An exercise as a student may see it.

    Attributes:
        exercise, title, file: which.
        items: its checks.
        reason: why no check could be run, if that is so.
        score, points: of the checks shown.
        held: how many are not shown.
        next_step: what to do next.
    """

    exercise: str
    title: str
    file: str
    items: tuple[Item, ...]
    reason: str
    score: int
    points: int
    held: int
    next_step: str

    @property
    def passed(self) -> int:
        """How many of the checks shown pass."""
        return sum(item.kind == "pass" for item in self.items)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that a student gets to read: nothing that is not in it can reach a page."""

    name: str
    result: Result
    parts: tuple[Part, ...]
    published: bool

    @property
    def score(self) -> int:
        """Points earned by the checks shown."""
        return sum(part.score for part in self.parts)

    @property
    def points(self) -> int:
        """Points of the checks shown."""
        return sum(part.points for part in self.parts)

    @property
    def held(self) -> int:
        """How many checks are not shown."""
        return sum(part.held for part in self.parts)

    @property
    def verdict(self) -> str:
        """What the points mean, in a sentence; empty if they speak for themselves."""
        if self.held:
            more = "1 more check counts" if self.held == 1 else f"{self.held} more checks count"
            all_pass = "All checks shown here pass, which is not yet full marks. " if self.score == self.points else ""
            return f"{all_pass}{more} too and not shown here: the final score is another."
        return "All checks pass: full marks." if self.score == self.points else ""


def sheet(result: Result, published: bool = False) -> Sheet:
    """Return what a student may see of a result.

    Checks that are hidden show their title alone; so do those for after the due date or after publication,
    unless `published`. If the seed is secret, no case is shown, nor anything that could carry one.
    """
    parts = tuple(_part(grade, published, result.seed is None) for grade in result.exercises)
    return Sheet(result.identity.name or result.student, result, parts, published)


def page(shown: Sheet) -> str:
    """Return a sheet as a page."""
    return html("feedback.html", sheet=shown)


def text(shown: Sheet) -> str:
    """Return a sheet as Markdown."""
    return markdown("feedback.md", sheet=shown)


def _part(grade: Grade, published: bool, secret: bool) -> Part:
    seen = [verdict for verdict in grade.verdicts if not _withheld(verdict, published)]
    items: list[Item] = []
    said: set[str] = set()
    explained: set[str] = set()
    for verdict in grade.verdicts:
        if _withheld(verdict, published):
            items.append(Item(verdict.title, "held", "NOT SHOWN", message=WITHHELD[verdict.visibility]))
            continue
        item = _item(verdict, secret)
        if item.message in said and not secret and not item.lines and verdict.cases <= 1:
            item = replace(item, message="for the same reason as above", traceback="", output="")
        said |= {item.message} - {""}
        known = {mistake.name for mistake in item.mistakes} & explained
        explained |= {mistake.name for mistake in item.mistakes}
        items.append(replace(item, mistakes=tuple(_shortened(mistake, known) for mistake in item.mistakes)))
    reason = "" if secret else _reason(seen)
    if reason:
        items = [item if item.kind == "held" else replace(item, message="") for item in items]
    return Part(
        grade.exercise,
        grade.title,
        grade.file,
        tuple(items),
        reason,
        score=sum(verdict.earned for verdict in seen),
        points=sum(verdict.points for verdict in seen),
        held=len(grade.verdicts) - len(seen),
        next_step=_next_step(grade, seen),
    )


def _reason(seen: Sequence[Verdict]) -> str:
    """Return what all checks say if that is the same: there is no file, say, or it cannot be loaded."""
    said = {verdict.message for verdict in seen}
    inputs = any(verdict.evidence and verdict.evidence.inputs for verdict in seen)
    return said.pop() if len(seen) > 1 and len(said) == 1 and not inputs else ""


def _withheld(verdict: Verdict, published: bool) -> bool:
    return verdict.visibility == "hidden" or (verdict.visibility != "visible" and not published)


def _shortened(mistake: Mistake, known: set[str]) -> Mistake:
    return mistake.model_copy(update={"why": "explained above"}) if mistake.name in known else mistake


def _next_step(grade: Grade, seen: Sequence[Verdict]) -> str:
    """Return what to do next, without a word about a check that is not shown."""
    open_ones = [verdict for verdict in seen if verdict.outcome is not Outcome.PASSED]
    if len(seen) == len(grade.verdicts):
        return grade.next_step
    if not open_ones:
        return "all checks shown pass; think of the cases that they do not try"
    started = [verdict for verdict in open_ones if verdict.outcome is not Outcome.NOT_STARTED]
    return f"look at this check first: {(started or open_ones)[0].title}"


def _item(verdict: Verdict, secret: bool) -> Item:
    kind, word = WORDS[verdict.outcome]
    evidence = verdict.evidence or Evidence(inputs={})
    points = f"{verdict.earned} of {verdict.points}"
    if secret:
        said = _secret(verdict, evidence)
        return Item(verdict.title, kind, word, points, said, verdict.mistakes)
    return Item(
        verdict.title,
        kind,
        word,
        points,
        verdict.message,
        verdict.mistakes,
        tuple(_lines(verdict, evidence)),
        evidence.traceback.rstrip()[-LONGEST:],
        evidence.output.rstrip()[-LONGEST:],
    )


def _secret(verdict: Verdict, evidence: Evidence) -> str:
    """Return the kind of what was found: a message may quote the case, and a program may put it anywhere."""
    if verdict.outcome is Outcome.REFUSED:
        return verdict.message  # our own sentence
    if verdict.outcome is Outcome.FAILED and evidence.got == CHANGED:
        return "the result is right, but the inputs were changed"
    # even the name of an exception can be made of a case, so only Python's own are named
    known: Any = getattr(builtins, evidence.error, None)
    if verdict.outcome is Outcome.ERROR and isinstance(known, type) and issubclass(known, BaseException):
        return f"the program ended with {evidence.error}; the case is secret"
    return SECRET[verdict.outcome]


def _lines(verdict: Verdict, evidence: Evidence) -> list[tuple[str, str]]:
    label = "smallest case" if evidence.shrunk else "failing case"
    found = [(label, "\n".join(f"{name} = {value}" for name, value in evidence.inputs.items()))]
    found.append(("first wrong at", f"result{evidence.place}" if evidence.place else ""))
    found.append(("got", evidence.got))
    found.append(("expected", evidence.expected))
    allowed = evidence.allowed
    found.append(("allowed", f"± {allowed}" if allowed[:1].isdigit() else allowed))
    if evidence.note not in ("", verdict.message):
        found.append(("note", evidence.note))
    if verdict.outcome is Outcome.FAILED and verdict.cases > 1:
        found.append(("how often", f"{verdict.wrong} of {verdict.cases} cases"))
    return [(name, value) for name, value in found if value]


def publish(results: Sequence[Result], folder: Path, published: bool = False) -> int:
    """Write the feedback of a class into a folder: a page and a text for each student; return how many.

    Raises:
        UsageError: two students have the same name, so that one would get to read what is the other's.
        FaultError: a file cannot be written.
    """
    twice = [name for name, count in Counter(result.student for result in results).items() if count > 1]
    if twice:
        raise UsageError(
            f"there are two results of {clean(twice[0])}: hidden characters are written out, so two folders can "
            "have names that look the same; rename one and grade the class again"
        )
    for result in results:
        shown = sheet(result, published)
        path = folder / filename(result.student)  # ends in .json
        write(path.with_suffix(".html"), page(shown))
        write(path.with_suffix(".md"), text(shown))
    return len(results)
