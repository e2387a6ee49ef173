"""What a student gets to read when the marks are published: what was right, what was picked and why it is wrong."""

from collections.abc import Iterator, Sequence

from grader.desk.page import plain
from grader.papers.form import choices, items
from grader.papers.render import fenced, paragraphs, prose
from grader.papers.result import Mark, Result, decimal
from grader.quiz.item import Choice, Item, Quiz
from grader.quiz.order import LETTERS

WORDS = {"answered": "✗ WRONG", "unclear": "? UNCLEAR", "unanswered": "○ NOT ANSWERED"}


def text(result: Result, quizzes: Sequence[Quiz], seed: str | None) -> str:
    """Return the feedback on a paper as Markdown, with the letters and the numbers of its form."""
    lines = [f"# Feedback for {plain(result.student) or 'you'}", ""]
    if result.error:
        return "\n".join([*lines, f"**Nothing was marked:** {plain(result.error)}", ""])
    lines += [f"**{decimal(result.score)} of {_points(result.points)}.**", ""]
    lines += [f"Note: {plain(note)}\n" for note in result.notes]
    lines += [f"Line {one.line} of your file: {plain(one.message)}\n" for one in result.remarks]
    marks = {mark.item: mark for mark in result.marks}
    for number, item in enumerate(items(quizzes, seed), start=1):
        lines += [*_item(number, item, marks[item.id], choices(item, seed)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _item(number: int, item: Item, mark: Mark, shown: Sequence[Choice]) -> Iterator[str]:
    word = "✓ RIGHT" if mark.right else "± PARTLY RIGHT" if mark.score else WORDS[mark.status]
    yield f"## {number}. {item.id}: {word} ({decimal(mark.earned)} of {_points(mark.points)})"
    yield f"\n{paragraphs(item.prompt)}"
    if item.code:
        yield f"\n{fenced(item.code.text, item.code.lang)}"
    yield ""
    if mark.status == "unclear":
        yield f"- You wrote {plain(mark.given)}: {plain(mark.message)}"
    yield from _number(item, mark) if item.type == "numeric" else _choices(mark, shown)
    yield f"\n{paragraphs(item.explanation)}"


def _number(item: Item, mark: Mark) -> Iterator[str]:
    assert item.answer is not None  # the schema wants one
    if mark.status == "answered":
        why = next((f": {prose(near.why)}" for near in item.near_misses if str(near.value) == mark.near), "")
        yield f"- You wrote {plain(mark.given)}{why}"
    if not mark.right:
        yield f"- Right is {plain(f'{item.answer.value} {item.answer.unit}')}"


def _choices(mark: Mark, shown: Sequence[Choice]) -> Iterator[str]:
    for letter, choice in zip(LETTERS, shown, strict=False):
        picked = choice.id in mark.picks
        if not picked and not choice.correct:
            continue
        word = "picked, right" if picked and choice.correct else "picked, wrong" if picked else "right, not picked"
        yield f"- **{letter})** {prose(choice.text)} ({word}): {prose(choice.why)}"


def _points(points: int) -> str:
    return "1 point" if points == 1 else f"{points} points"
