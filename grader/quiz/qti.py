"""Quizzes as input of text2qti, which makes a QTI file for Canvas of it.

Its texts are Markdown, and a dollar begins LaTeX there. Whatever could be read so is written as a reference (`&#42;`),
which both leave alone. Code is HTML, because text2qti widens tabs and drops spaces at the ends of lines.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from grader.quiz.item import Answer, Item, Quiz
from grader.quiz.loss import Loss, fixed, strict
from grader.quiz.loss import notes as said
from grader.quiz.markup import inline, line, links, listing, paragraphs, unit
from grader.quiz.number import doubles, plain
from grader.quiz.order import LETTERS

NEAREST = 1e-4  # to 0 that text2qti takes a number
_TAG = re.compile(r"(<[^>]*>)")
_IN_TAG = re.compile(r"[\\`$\[\]]")
# . : = + - mean something at the start of a line, after a number, or in a row
_IN_TEXT = re.compile(r"[\\`$*_\[\]~#\"']|(?<![^\W_])[.:=+-]|(?<=\d)\.(?=\s|$)|[^\S ]")
_IN_CODE = re.compile(r"[\\`$~]|[^\S \n]| (?= *$)", re.MULTILINE)


class _Response(NamedTuple):
    """An answer as text2qti takes it, and whether it rounds what is right."""

    text: str
    rounded: bool


def dump(quiz: Quiz) -> str:
    """Return a quiz as a file for text2qti; questions that it cannot take are left out, and `notes` says which."""
    head = [f"Quiz title: {line(quiz.title)}"]
    if quiz.summary:
        head.append(f"Quiz description: {_markdown(inline(line(quiz.summary)))}")
    head.append(f"Shuffle answers: {str(_shuffled(quiz)).lower()}")
    items = [item for item in quiz.items if not _left_out(item)]
    texts = _apart([_question(item) for item in items])
    parts = [_item(number, item, text) for number, (item, text) in enumerate(zip(items, texts, strict=True), 1)]
    return "\n\n".join(["\n".join(head), *parts]) + "\n"


def notes(quizzes: Sequence[Quiz]) -> list[str]:
    """Return a sentence for each thing that text2qti or Canvas cannot carry."""
    mixed = [quiz.quiz for quiz in quizzes if not _shuffled(quiz) and not all(map(fixed, quiz.items))]
    what = "Canvas shuffles the choices of all questions of a quiz or of none; some have a fixed order, so none are"
    return said(quizzes, LOSSES) + ([f"{what}: {', '.join(mixed)}"] if mixed else [])


def _shuffled(quiz: Quiz) -> bool:
    return not any(map(fixed, quiz.items))


def _item(number: int, item: Item, text: str) -> str:
    explanation = _texts(item.explanation)
    if item.sources:
        explanation.append(f"Sources: {', '.join(map(_markdown, links(item)))}")
    lines = [f"Title: {item.id}", f"Points: {item.points}", _under(f"{number}. ", text)]
    lines.append(_under("... ", "\n\n".join(explanation)))
    return "\n".join([*lines, *(_number(item) if item.type == "numeric" else _choices(item))])


def _question(item: Item) -> str:
    code = [_safe(_IN_CODE, listing(item.code))] if item.code else []
    return "\n\n".join([*_texts(item.prompt), *code, *map(_markdown, unit(item))])


def _choices(item: Item) -> Iterator[str]:
    texts = _apart(["\n\n".join(_texts(choice.text)) for choice in item.choices])
    for letter, choice, text in zip(LETTERS, item.choices, texts, strict=False):
        if item.type == "multi":
            mark = "[*] " if choice.correct else "[ ] "
        else:
            mark = f"*{letter}) " if choice.correct else f"{letter}) "
        yield _under(mark, text)
        yield _under("... ", "\n\n".join(_texts(choice.why)))


def _number(item: Item) -> Iterator[str]:
    near = ["\n\n".join(_texts(f"{plain(one.value)}: {one.why}")) for one in item.near_misses]
    if near:
        yield _under("- ", "\n\n".join(near))
    response = item.answer and _response(item.answer)
    assert response  # what has none is left out
    yield f"= {response.text}"


def _response(answer: Answer) -> _Response | None:
    """Do to an answer what text2qti will do; return None if it does not take it, or makes another one of it."""
    width = answer.width
    if not doubles(answer):
        return None
    if not width and answer.value == answer.value.to_integral_value() != 0:
        return _Response(str(int(answer.value)), rounded=False)
    value, margin = float(answer.value), float(width)
    limits = (value - margin, value, value + margin)
    if min(abs(limits[0]), abs(limits[2])) < NEAREST:
        return None
    whole = all(limit.is_integer() for limit in limits)
    written = [Fraction(f"{limit}" if whole else f"{limit:.4f}") for limit in limits]
    exact = [Fraction(answer.value) + side * Fraction(width) for side in (-1, 0, 1)]
    moved = max(abs(one - other) for one, other in zip(written, exact, strict=True))
    # a tenth of the tolerance does no harm; more could make a right answer wrong
    return _Response(f"{plain(answer.value)} +- {plain(width)}", moved > 0) if moved * 10 <= width else None


def _left_out(item: Item) -> bool:
    return item.answer is not None and _response(item.answer) is None


def _rounds(item: Item) -> bool:
    response = item.answer and _response(item.answer)
    return bool(response and response.rounded)


def _apart(texts: list[str]) -> list[str]:
    """Mark texts that stand there twice, which text2qti refuses, by something that is not seen."""
    return [
        f'{text}<span class="repeat-{texts[:place].count(text)}"></span>' if text in texts[:place] else text
        for place, text in enumerate(texts)
    ]


def _under(mark: str, text: str) -> str:
    """Return a text whose lines stand below each other, behind a mark."""
    return mark + "\n".join(f"{' ' * len(mark)}{one}" if one else "" for one in text.split("\n")).lstrip(" ")


def _texts(text: str) -> list[str]:
    return [_markdown(inline(part)) for part in paragraphs(text)]


def _markdown(html: str) -> str:
    return "".join(_safe(_IN_TAG if part.startswith("<") else _IN_TEXT, part) for part in _TAG.split(html))


def _safe(active: re.Pattern[str], text: str) -> str:
    return active.sub(lambda match: f"&#{ord(match[0])};", text)


LOSSES = (
    Loss(
        "text2qti takes no number so near to 0, or of so many digits, so that these are left out",
        _left_out,
    ),
    Loss("text2qti rounds to 4 decimals what an answer may be", _rounds),
    Loss("text2qti has no hints, which are left out", lambda item: item.hint is not None),
    Loss("text2qti has no tags, so that topic, level and tags are left out", lambda _: True),
    Loss("Canvas gives a part of the points for a part of the right choices", strict),
)
