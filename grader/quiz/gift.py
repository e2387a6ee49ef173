r"""Quizzes as Moodle GIFT: a question is a block without a blank line, all its texts are HTML on one line each.

What GIFT takes for its own marks is escaped with a backslash, a line end in code is written as \n. Points, hints and
the order of choices have no place in GIFT; `notes` says so.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape

from grader.quiz.item import Item, Quiz
from grader.quiz.loss import Loss, fixed, strict
from grader.quiz.loss import notes as said
from grader.quiz.markup import explanation, line, prose, question
from grader.quiz.number import doubles, plain

# of Moodle's questions, however they come to it
LIMITS = (
    Loss(
        "Moodle cannot grade several choices all or nothing: a wrong one costs everything, a missing one its share",
        strict,
    ),
    Loss(
        "Moodle compares numbers with 15 digits, fewer than the answer has",
        lambda item: item.answer is not None and not doubles(item.answer),
    ),
)
LOSSES = (
    Loss("GIFT has no points, so that each question counts 1", lambda item: item.points != 1),
    Loss("GIFT has no hints, which are left out", lambda item: item.hint is not None),
    Loss("GIFT cannot keep choices in their order, so that Moodle may shuffle them", fixed),
    *LIMITS,
)


def dump(quiz: Quiz) -> str:
    """Return a quiz as a GIFT file, which becomes a category of its own in Moodle's question bank."""
    about = "".join(f"// {line(text)}\n" for text in (quiz.title, quiz.summary) if text)
    place = f"$CATEGORY: {category(quiz)}".replace("\\", "\\\\")  # no other escape is read in this line
    return "\n".join([about, f"{place}\n", *(_item(item) for item in quiz.items)])


def notes(quizzes: Sequence[Quiz]) -> list[str]:
    """Return a sentence for each thing that GIFT cannot carry."""
    return said(quizzes, LOSSES)


def category(quiz: Quiz) -> str:
    """Return the path of a quiz's category in Moodle: names between slashes, their own slashes doubled."""
    name = escape(line(quiz.title), quote=False).replace("/", "//")
    between = "/ " if name.startswith("/") else "/"  # three slashes could be parted in two ways
    return f"$course$/top{between}{name}"


def weights(item: Item) -> dict[bool, str]:
    """Return what a right and a wrong choice are worth, in percent, as Moodle accepts it.

    Several right choices share 100, and a wrong one takes away as much. With no less than 0 in all, as Moodle has it,
    that is `response.score`. Where parts are worth nothing, a wrong choice takes away all: Moodle comes no nearer.
    """
    if item.type == "single":
        return {True: "100", False: "0"}
    share = f"{100 / len(item.keys):.5f}".rstrip("0").rstrip(".")
    return {True: share, False: "-100" if strict(item) else f"-{share}"}


def _item(item: Item) -> str:
    tags = "".join(f" [tag:{tag}]" for tag in dict.fromkeys([item.topic, item.level, *item.tags]))
    answers = _numbers(item) if item.type == "numeric" else _choices(item)
    lines = [*answers, f"####{_html(explanation(item))}"]
    opening = "{#" if item.type == "numeric" else "{"
    head = f"// [id:{item.id}]{tags}\n::{item.id}::{_html(question(item))}{opening}\n"
    return head + "".join(f"\t{text}\n" for text in lines) + "}\n"


def _choices(item: Item) -> Iterator[str]:
    worth = weights(item)
    for choice in item.choices:
        mark = f"~%{worth[choice.correct]}%" if item.type == "multi" else "=" if choice.correct else "~"
        yield f"{mark}{_html(prose(choice.text))}#{_html(prose(choice.why))}"


def _numbers(item: Item) -> Iterator[str]:
    assert item.answer is not None  # the schema wants one
    width = plain(item.answer.width)
    yield f"=%100%{plain(item.answer.value)}:{width}"
    for near in item.near_misses:
        yield f"=%0%{plain(near.value)}:{width}#{_html(prose(near.why))}"


def _html(text: str) -> str:
    escaped = re.sub(r"[\\~=#{}:]", r"\\\g<0>", text)
    return "[html]" + escaped.replace("\n", "\\n")
