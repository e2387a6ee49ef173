"""Quizzes as Moodle XML: what GIFT says, and points, hints, the order of choices and units besides."""

from collections.abc import Iterator, Sequence
from html import escape

from grader.quiz.gift import LIMITS, category, weights
from grader.quiz.item import Item, Quiz
from grader.quiz.loss import notes as said
from grader.quiz.markup import block, explanation, line, prose, question
from grader.quiz.number import plain


def dump(quiz: Quiz) -> bytes:
    """Return a quiz as a Moodle XML file, which becomes a category of its own in Moodle's question bank."""
    summary = block(quiz.summary) if quiz.summary else ""
    place = [_nest("category", _text(category(quiz))), _html("info", summary), _tag("idnumber", quiz.quiz)]
    questions = [_nest("question", *place, type="category"), *(_item(item) for item in quiz.items)]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_nest("quiz", *questions)}\n'.encode()


def notes(quizzes: Sequence[Quiz]) -> list[str]:
    """Return a sentence for each thing that Moodle's questions cannot say."""
    return said(quizzes, LIMITS)


def _item(item: Item) -> str:
    parts = [
        _nest("name", _text(item.id)),
        _html("questiontext", question(item)),
        _html("generalfeedback", explanation(item)),
        _tag("defaultgrade", str(item.points)),
        _tag("idnumber", item.id),
        *(_numbers(item) if item.type == "numeric" else _choices(item)),
    ]
    if item.hint:
        parts.append(_html("hint", prose(item.hint)))
    tags = dict.fromkeys([item.topic, item.level, *item.tags])
    parts.append(_nest("tags", *(_nest("tag", _text(tag)) for tag in tags)))
    return _nest("question", *parts, type="numerical" if item.type == "numeric" else "multichoice")


def _choices(item: Item) -> Iterator[str]:
    yield _tag("single", str(item.type == "single").lower())
    yield _tag("shuffleanswers", str(item.order == "shuffle").lower())
    yield _tag("answernumbering", "abc")
    worth = weights(item)
    for choice in item.choices:
        feedback = _html("feedback", prose(choice.why))
        text = _text(prose(choice.text), cdata=True)
        yield _nest("answer", text, feedback, fraction=worth[choice.correct], format="html")


def _numbers(item: Item) -> Iterator[str]:
    assert item.answer is not None  # the schema wants one
    width = _tag("tolerance", plain(item.answer.width))
    yield _nest("answer", _text(plain(item.answer.value)), width, fraction="100", format="plain_text")
    for near in item.near_misses:
        feedback = _html("feedback", prose(near.why))
        yield _nest("answer", _text(plain(near.value)), width, feedback, fraction="0", format="plain_text")
    if unit := line(item.answer.unit):
        # graded 0: who leaves the unit out loses nothing
        yield _tag("unitgradingtype", "0")
        yield _nest("units", _nest("unit", _tag("multiplier", "1"), _tag("unit_name", escape(unit, quote=False))))


def _html(name: str, content: str) -> str:
    return _nest(name, _text(content, cdata=True), format="html")


def _text(content: str, *, cdata: bool = False) -> str:
    # HTML has no ]]> that could end it, because its texts are escaped
    return _tag("text", f"<![CDATA[{content}]]>" if cdata else escape(content, quote=False))


def _nest(name: str, *parts: str, **attributes: str) -> str:
    return _tag(name, "".join(f"\n{part}" for part in parts) + "\n", **attributes)


def _tag(name: str, content: str, **attributes: str) -> str:
    said = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{said}>{content}</{name}>"
