"""Quizzes as an Anki package: a deck for each quiz, a note for each question.

What Anki knows a note, a deck and a kind of note by comes from ids alone, so that a package written after an edit
changes the notes that are there, and whoever learns with them keeps what Anki knows about it.
"""

import hashlib
import io
import re
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import UsageError
from grader.quiz.item import Choice, Item, Near, Quiz
from grader.quiz.loss import Loss, strict
from grader.quiz.loss import notes as said
from grader.quiz.markup import block, inline, line, links, listing, prose, unit
from grader.quiz.number import plain
from grader.quiz.order import shown
from grader.whole import whole

if TYPE_CHECKING:
    import genanki

KIND = "llm-quiz/1"  # of notes; other fields need another name, or Anki keeps both
FIELDS = ("Id", "Type", "Prompt", "Code", "Choices", "Hint", "Key", "Reasons", "Explanation", "Sources")
FRONT = """<div class="{{Type}}">{{Prompt}}{{Code}}{{Choices}}</div>
{{#Hint}}<div class="hint">{{hint:Hint}}</div>{{/Hint}}"""
BACK = """{{FrontSide}}
<hr id="answer">
<div class="key">{{Key}}</div>
{{Reasons}}{{Explanation}}{{Sources}}"""
STYLE = """.card { font: 18px/1.45 sans-serif; max-width: 42em; margin: 0 auto; text-align: left; }
pre { font-size: 15px; line-height: 1.3; overflow-x: auto; }
.multi ol::before { content: "Choose all that are right."; font-style: italic; }
.key, .right > .what::before, .wrong > .what::before { font-weight: bold; }
.right > .what::before { content: "✓ right: "; }
.wrong > .what::before { content: "✗ wrong: "; }
"""
NEVER = (1980, 1, 1, 0, 0, 0)  # the time of files in a package: the earliest that a zip can say

LOSSES = (
    Loss("Anki shows choices in one order, which is drawn from the id", lambda item: bool(item.choices)),
    Loss("Anki marks nothing, so that points are left out", lambda item: item.points != 1),
    Loss("Anki marks nothing, so that all or nothing is left out", strict),
)


def write(quizzes: Sequence[Quiz], path: Path, timestamp: float | None = None) -> None:
    """Write an Anki package.

    Args:
        quizzes: a deck each.
        path: of the package.
        timestamp: seconds since 1970. Anki takes over changed notes only if they are later than those it has. With the
            same time and the same quizzes, packages are the same bytes.

    Raises:
        UsageError: genanki is not installed.
        OSError: the file cannot be written.
    """
    library = _library()
    model = library.Model(
        _number(f"kind {KIND}"),
        KIND,
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Question", "qfmt": FRONT, "afmt": BACK}],
        css=STYLE,
    )
    package = library.Package([_deck(library, model, quiz) for quiz in quizzes])
    made = io.BytesIO()
    package.write_to_file(made, time.time() if timestamp is None else timestamp)
    with whole(path) as file:
        file.write(_dateless(made))


def notes(quizzes: Sequence[Quiz]) -> list[str]:
    """Return a sentence for each thing that Anki cannot carry."""
    return said(quizzes, LOSSES)


def _deck(library: Any, model: "genanki.Model", quiz: Quiz) -> "genanki.Deck":
    name = re.sub(":{2,}", ":", line(quiz.title))  # two would begin a deck below another
    deck = library.Deck(_number(f"quiz {quiz.quiz}"), name, block(quiz.summary) if quiz.summary else "")
    for item in quiz.items:
        tags = list(dict.fromkeys([item.topic, item.level, *item.tags]))
        deck.add_note(library.Note(model, list(_fields(item)), tags=tags, guid=f"llm-quiz/{item.id}"))
    return deck


def _fields(item: Item) -> tuple[str, ...]:
    """Return the fields of a note, in the order of FIELDS."""
    choices = shown(item, KIND)
    right = [prose(choice.text) for choice in choices if choice.correct] or [_value(item)]
    parts: Sequence[Choice | Near] = choices or item.near_misses
    sources = "".join(f"<li>{link}</li>" for link in links(item))
    return (
        item.id,
        item.type,
        block(item.prompt) + "".join(f"<p>{text}</p>" for text in unit(item)),
        listing(item.code) if item.code else "",
        f'<ol type="a">{_entries([prose(choice.text) for choice in choices])}</ol>' if choices else "",
        prose(item.hint) if item.hint else "",
        f"<ul>{_entries(right)}</ul>",
        f"<ul>{''.join(map(_reason, parts))}</ul>" if parts else "",
        block(item.explanation),
        f"<p>Sources:</p><ul>{sources}</ul>" if sources else "",
    )


def _value(item: Item) -> str:
    """Return the answer to a numeric question with its unit, and how far from it others may lie."""
    assert item.answer is not None  # the schema wants one
    width, name = item.answer.width, inline(line(item.answer.unit))
    return " ".join([plain(item.answer.value), *([f"± {plain(width)}"] if width else []), *([name] if name else [])])


def _reason(part: Choice | Near) -> str:
    """Return why a choice is right or wrong, or a number wrong."""
    mark = "right" if isinstance(part, Choice) and part.correct else "wrong"
    what = prose(part.text) if isinstance(part, Choice) else plain(part.value)
    return f'<li class="{mark}"><div class="what">{what}</div><div class="why">{prose(part.why)}</div></li>'


def _entries(texts: Sequence[str]) -> str:
    return "".join(f"<li>{text}</li>" for text in texts)


def _number(name: str) -> int:
    """Return a number for a name, in the range that Anki's own have."""
    return (1 << 40) + int.from_bytes(hashlib.sha256(name.encode()).digest()[:5], "big")


def _dateless(package: io.BytesIO) -> bytes:
    """Return a package without the times at which its files were made."""
    result = io.BytesIO()
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, NEVER), old.read(name), zipfile.ZIP_DEFLATED)
    return result.getvalue()


def _library() -> Any:
    try:
        import genanki
    except ImportError:
        raise UsageError("packages for Anki need genanki: pip install 'llm-fundamentals-grader[anki]'") from None
    return genanki
