"""Marks papers: what was answered, read with the letters of a form, against the keys."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from grader.papers.decoding import plain
from grader.papers.form import choices, code, items
from grader.papers.paper import Given, Paper
from grader.papers.result import Mark, Result
from grader.quiz import response
from grader.quiz.item import Choice, Item, Quiz
from grader.quiz.order import LETTERS
from grader.quiz.response import Response, UnclearError
from grader.show import clean

SHOWN = 200  # characters of an answer that are kept
NOTHING = ("", "~", "null")  # what YAML has for nothing
_COPIED = re.compile(r"\(?([a-j])\s*[).:-]\s*(\S.*)", re.IGNORECASE | re.DOTALL)


def mark(quizzes: Sequence[Quiz], seed: str | None, paper: Paper, **about: Any) -> Result:
    """Return the marks of a paper.

    Args:
        quizzes: that were asked.
        seed: of the form; None if the letters are those of the files.
        paper: the answers.
        about: more fields of the result: student, file, notes.
    """
    given, remarks = paper.answers([item.id for item in items(quizzes, seed)])
    marks = tuple(_mark(item, choices(item, seed), given.get(item.id)) for item in items(quizzes, None))
    return Result(
        quizzes=tuple(quiz.quiz for quiz in quizzes),
        form=code(quizzes, seed),
        score=sum((mark.earned for mark in marks), Fraction(0)),
        points=sum(mark.points for mark in marks),
        marks=marks,
        remarks=remarks,
        **about,
    )


def unmarked(quizzes: Sequence[Quiz], error: str, **about: Any) -> Result:
    """Return the result of a paper that cannot be marked, and why."""
    points = sum(item.points for item in items(quizzes, None))
    names = tuple(quiz.quiz for quiz in quizzes)
    return Result(quizzes=names, error=error, score=Fraction(0), points=points, marks=(), **about)


def _mark(item: Item, shown: Sequence[Choice], given: Given | None) -> Mark:
    text = clean(given.text)[:SHOWN] if given else ""
    base: dict[str, Any] = {"item": item.id, "rev": item.rev, "type": item.type, "points": item.points, "given": text}
    base["line"] = given.line if given else 0
    nothing: dict[str, Any] = {"score": Fraction(0), "earned": Fraction(0)}
    if given is None or (not given.problem and not given.text.strip()):
        return Mark(status="unanswered", **base, **nothing)
    try:
        if given.problem:
            raise UnclearError(given.problem)
        found = answer(item, shown, given.text)
    except UnclearError as error:
        if not given.problem and given.text.strip() in NOTHING:
            return Mark(status="unanswered", **base, **nothing)
        return Mark(status="unclear", message=clean(str(error)), **base, **nothing)
    score = response.score(item, found)
    near = response.near(item, found) if score < 1 else None
    picked = [choice for choice in item.choices if choice.id in found.picks]
    wrongs = {choice.misconception for choice in picked} | {near.misconception if near else None}
    return Mark(
        status="answered",
        score=score,
        earned=score * item.points,
        picks=tuple(choice.id for choice in picked),
        near=str(near.value) if near else "",
        wrongs=tuple(sorted(name for name in wrongs if name)),
        **base,
    )


def answer(item: Item, shown: Sequence[Choice], text: str) -> Response:
    """Read an answer as it was written, or else as typewriters write it, or a choice copied with its letter.

    Raises:
        UnclearError: it cannot be read, or could be read in two ways.
    """
    try:
        return response.read(item, shown, text)
    except UnclearError:
        for other in _otherwise(shown, text):
            try:
                return response.read(item, shown, other)
            except UnclearError:
                continue
        raise


def _otherwise(shown: Sequence[Choice], text: str) -> Iterator[str]:
    yield plain(text)
    copied = _COPIED.fullmatch(plain(text).strip())
    place = LETTERS.index(copied[1].lower()) if copied else len(shown)
    if copied and place < len(shown) and _same(shown[place].text, copied[2]):
        yield copied[1]


def _same(one: str, other: str) -> bool:
    return plain(" ".join(one.split())).casefold() == plain(" ".join(other.split())).casefold()
