"""Whose paper a file is: the form code says so, and a name that says something else is never overruled."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from grader.desk.item import Unreadable, shown
from grader.papers.collect import File, Handed
from grader.papers.paper import Paper, read
from grader.papers.roster import Roster, Row, alike
from grader.show import listed

PERSON = "a person must say whose it is"
LISTED = 3  # files that a sentence names


class DoubtError(ValueError):
    """It cannot be told whose paper it is, or which form it answers; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is some student's paper.

    Attributes:
        handed: what it was handed in with.
        file: where it lies.
        paper: what stands in it.
        row: the form that it answers.
        student: whose it is.
        note: what is odd about that, "" if nothing.
    """

    handed: Handed
    file: File
    paper: Paper
    row: Row
    student: str
    note: str

    @property
    def answered(self) -> bool:
        """Whether there is any answer in it."""
        return any(entry.text and entry.key not in ("form", "student") for entry in self.paper.entries)


@dataclass(frozen=True, slots=True)
class Settled:
    """A student's paper, or why none is marked."""

    student: str
    claim: Claim | None
    error: str = ""
    notes: tuple[str, ...] = ()


def identify(paper: Paper, names: Sequence[str], otherwise: str, roster: Roster) -> tuple[Row, str, str]:
    """Return the form of a paper, the student, and what is odd about it.

    Args:
        paper: that was read.
        names: that its folder or platform gives it.
        otherwise: the student, if all students have one form.
        roster: who got which form.

    Raises:
        DoubtError: it cannot be told.
    """
    found = dict.fromkeys(row for name in (*names, paper.student) if (row := roster.named(name)))
    if len(found) > 1:
        raise DoubtError(f"it has the names of {' and '.join(row.student for row in found)}; {PERSON}")
    own = next(iter(found), None)
    coded = roster.coded(paper.form) if paper.form else None
    if coded is not None and coded.student:
        if own not in (None, coded):
            assert own is not None  # what mypy cannot see
            raise DoubtError(f"it has the form of {coded.student} and the name of {own.student}; {PERSON}")
        return coded, coded.student, ""
    if coded is not None:
        return coded, otherwise, ""
    if paper.form:  # it was drawn otherwise, or for other quizzes
        raise DoubtError(f"the form code {paper.form} is in no list of forms; its letters cannot be read without")
    if own is not None:
        return own, own.student, f"The form code is missing; it is read as the form of {own.student}, by name."
    if roster.everyone is not None:
        note = "" if roster.everyone.seed is None else "The form code is missing; all have one form."
        return roster.everyone, otherwise, note
    raise DoubtError("the form code is missing, and no name on it has a form; its letters cannot be read without")


def settle(handed: Sequence[Handed], known: Collection[str], roster: Roster) -> Iterator[Settled]:
    """Yield each student's paper.

    Args:
        handed: by a class.
        known: ids of all questions.
        roster: who got which form.
    """
    claims: defaultdict[str, list[Claim]] = defaultdict(list)
    asides: defaultdict[str, list[str]] = defaultdict(list)
    for one in handed:
        found, problems = _claims(one, known, roster)
        students = {claim.student for claim in found}
        if len(students) == 1:
            claims[found[0].student] += found
            asides[found[0].student] += [f"Not marked: {problem}." for problem in problems]
        elif students:
            yield _unsettled(one, f"it has the forms of {' and '.join(sorted(students))}; {PERSON}", roster)
        else:
            yield _unsettled(one, "; ".join(problems) or one.problem, roster)
    for student, found in claims.items():
        kept, others = _own(found)
        for one in others:
            yield _unsettled(one, f"it has the form of {student}, which others have handed in too; {PERSON}", roster)
        if kept:
            yield _latest(student, kept, asides[student])


def _claims(one: Handed, known: Collection[str], roster: Roster) -> tuple[list[Claim], list[str]]:
    """Return the files that may be the paper, and what is wrong with the others."""
    claims, problems = [], [one.problem] if one.problem and one.files else []
    for file in one.files:
        data = file.read()
        if isinstance(data, Unreadable):
            problems.append(data.sentence)
            continue
        paper = read(data, known)
        try:
            claims.append(Claim(one, file, paper, *identify(paper, one.names, one.name, roster)))
        except DoubtError as doubt:
            problems.append(f"{shown(file.label)}: {doubt}")
    return claims, problems


def _unsettled(one: Handed, error: str, roster: Roster) -> Settled:
    row = next((row for name in one.names if (row := roster.named(name))), None)
    return Settled(row.student if row else one.name, None, error)


def _own(claims: Sequence[Claim]) -> tuple[list[Claim], list[Handed]]:
    """Return those of a student's claims that are the student's, and what others have handed in.

    Files among files are all the student's; of several folders the one that has the name.
    """
    folders = list(dict.fromkeys(claim.handed for claim in claims))
    if len(folders) == 1 or all(one.loose for one in folders):
        return list(claims), []
    student = claims[0].student
    named = [one for one in folders if any(alike(name, student) for name in one.names)]
    own = named if len(named) == 1 else []
    return [claim for claim in claims if claim.handed in own], [one for one in folders if one not in own]


def _latest(student: str, claims: Sequence[Claim], asides: Sequence[str]) -> Settled:
    best = max(claims, key=lambda claim: (claim.answered, claim.file.order))
    notes = [best.note] if best.note else []
    if others := [shown(claim.file.label) for claim in claims if claim is not best]:
        what = "the latest" if all(claim.answered for claim in claims) else "the latest with answers"
        notes.append(
            f"Marked is {shown(best.file.label)}, {what} of {len(claims)} files. Not marked: {listed(others, LISTED)}."
        )
    return Settled(student, best, notes=(*notes, *asides))
