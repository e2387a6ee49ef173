"""A GIFT file says all that a quiz says: read back by a parser written from GIFT's documentation."""

import re
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings

from grader.quiz import gift
from tests.quizzes import BANK, load, numeric, quiz, quizzes, single
from tests.reading import asked, blocks, explained, paragraphs, prose

SPACE = " \t\n\r\0\x0b"  # what Moodle trims


class Piece(NamedTuple):
    """Text, and in the same places the characters that are marks; what was escaped is none."""

    text: str
    marks: str

    def cut(self, start, stop=None):
        return Piece(self.text[start:stop], self.marks[start:stop])

    def parts(self, pattern):
        """Split where marks match, and keep what matched in front of what follows it."""
        places = [0, *(match.start() for match in re.finditer(pattern, self.marks)), len(self.marks)]
        return [self.cut(start, stop) for start, stop in pairwise(places)]

    def html(self):
        """Return a text, which must say that it is HTML."""
        text = self.text.strip(SPACE)
        assert text.startswith("[html]"), text
        return text.removeprefix("[html]").strip(SPACE)


def unescaped(text):
    found, marks, place = "", "", 0
    while place < len(text):
        if text[place] == "\\" and text[place + 1 : place + 2] in [*"\\~=#{}:n"]:
            found += "\n" if text[place + 1] == "n" else text[place + 1]
            marks += "\0"
            place += 2
        else:
            found += text[place]
            marks += text[place]
            place += 1
    return Piece(found, marks)


def read(text):
    """Return categories and questions of a GIFT file."""
    found, lines = [], []
    for line in [*text.split("\n"), ""]:
        trimmed = line.strip(SPACE)
        assert trimmed != "0", "PHP takes it for an empty line"
        if trimmed:
            lines.append(trimmed)
        elif lines:
            comments = "".join(line for line in lines if line.startswith("//"))
            content = "\n".join(line for line in lines if not line.startswith("//"))
            found += [_question(content, comments)] if content else []
            lines = []
    return found


def _question(content, comments):
    if content.startswith("$CATEGORY:"):
        names = re.split("(?<!/)/(?!/)", content.removeprefix("$CATEGORY:").replace("\\\\", "\\"))
        return {"category": [name.replace("//", "/").strip(SPACE) for name in names]}
    piece = unescaped(content)
    assert piece.marks.startswith("::")
    end = piece.marks.index("::", 2)
    start, stop = piece.marks.index("{"), piece.marks.index("}")
    assert stop == len(piece.marks) - 1
    answers, feedback = piece.cut(start + 1, stop), piece.marks.rindex("####")
    found = {
        "name": piece.text[2:end],
        "id": re.findall(r"\[id:([^\]]+)\]", comments),
        "tags": re.findall(r"\[tag:([^\]]+)\]", comments),
        "text": piece.cut(end + 2, start).html(),
        "feedback": piece.cut(feedback + 4, stop).html(),
    }
    answers = piece.cut(start + 1, feedback)
    if answers.marks.startswith("#"):
        return {**found, "type": "numeric", "answers": [_answer(part) for part in answers.cut(1).parts("=")[1:]]}
    kind = "single" if "=" in answers.marks else "multi"
    return {**found, "type": kind, "answers": [_answer(part) for part in answers.parts("[~=]")[1:]]}


def _answer(piece):
    weight = re.match(r"[~=]%(-*[0-9]{1,2}\.?[0-9]*)%", piece.marks)
    worth = weight[1] if weight else "100" if piece.marks[0] == "=" else "0"
    rest = piece.cut(weight.end() if weight else 1)
    place = rest.marks.find("#")
    why = rest.cut(place + 1).html() if place >= 0 else None
    return rest.cut(0, place if place >= 0 else None), Decimal(worth), why


def check(made):
    """Assert that a file gives a quiz back."""
    text = gift.dump(made)
    place, *questions = read(text)
    # names of categories are plain texts in Moodle, in which < would begin a tag
    title = " ".join(paragraphs(made.title)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert place == {"category": ["$course$", "top", title]}
    assert [found["name"] for found in questions] == [item.id for item in made.items]
    for item, found in zip(made.items, questions, strict=True):
        assert found["id"] == [item.id]
        assert set(found["tags"]) == {item.topic, item.level, *item.tags}
        assert found["type"] == item.type
        assert blocks(found["text"]) == asked(item)
        assert blocks(found["feedback"]) == explained(item)
        if item.type == "numeric":
            check_numbers(item, found["answers"])
        else:
            check_choices(item, found["answers"])


def check_choices(item, answers):
    assert [prose(piece.html()) for piece, _, _ in answers] == [paragraphs(choice.text) for choice in item.choices]
    assert [prose(why) for _, _, why in answers] == [paragraphs(choice.why) for choice in item.choices]
    assert [worth > 0 for _, worth, _ in answers] == [choice.correct for choice in item.choices]


def check_numbers(item, answers):
    pairs = [tuple(map(Fraction, piece.text.strip(SPACE).split(":"))) for piece, _, _ in answers]
    answer = item.answer
    width = max(Fraction(answer.abs_tol), Fraction(answer.rel_tol) * abs(Fraction(answer.value)))
    assert pairs == [(Fraction(value), width) for value in (answer.value, *(near.value for near in item.near_misses))]
    assert [worth for _, worth, _ in answers] == [100, *(0 for _ in item.near_misses)]
    assert [prose(why) for _, _, why in answers[1:]] == [paragraphs(near.why) for near in item.near_misses]


@settings(deadline=None)
@given(quizzes())
def test_any_quiz_comes_back_from_gift(made):
    check(made)


@pytest.mark.parametrize("path", BANK, ids=lambda path: path.stem if path else "none")
def test_the_bank_comes_back_from_gift(path):
    check(load(path))


def test_a_choice_with_an_equals_sign_survives_gift():
    item = single()
    item["choices"][0]["text"] = "y = x ~ {1: #2}"
    (_, found) = read(gift.dump(quiz(item)))
    assert found["answers"][0][0].html() == "y = x ~ {1: #2}"
    assert r"=[html]y \= x \~ \{1\: \#2\}#[html]Three and two." in gift.dump(quiz(item))


def test_a_choice_that_begins_like_a_weight_or_a_format_is_a_text():
    item = single()
    item["choices"][1]["text"] = "%50% [plain]"
    (_, found) = read(gift.dump(quiz(item)))
    assert (found["answers"][1][0].html(), found["answers"][1][1]) == ("%50% [plain]", 0)


def test_code_keeps_empty_lines_and_spaces_on_one_line_of_the_file():
    code = {"lang": "python", "text": "if x:\n    y = 1\n\n0\n// no\n$CATEGORY: no\n"}
    text = gift.dump(quiz(single(code=code)))
    assert r"if x\:\n    y \= 1\n\n0\n// no\n$CATEGORY\: no\n" in text
    assert [line for line in text.split("\n") if line.strip() in ("0", "// no")] == []


def test_a_file_looks_like_this():
    more = {"near_misses": [{"value": "6", "why": "One too many."}], "answer": {"abs_tol": "0.5", "unit": "bits"}}
    assert gift.dump(quiz(single(tags=["sums"]), numeric(**more), summary="Sums.")) == (
        """// All of x
// Sums.

$CATEGORY: $course$/top/All of x

// [id:x-one] [tag:x] [tag:core] [tag:sums]
::x-one::[html]<p>How many?</p>{
	=[html]5#[html]Three and two.
	~[html]6#[html]One too many.
	####[html]<p>3 + 2 \\= 5.</p>
}

// [id:x-number] [tag:x] [tag:core]
::x-number::[html]<p>How many?</p><p>Unit\\: bits</p>{#
	=%100%5:0.5
	=%0%6:0.5#[html]One too many.
	####[html]<p>3 + 2 \\= 5.</p>
}
"""
    )


def test_notes_say_what_gift_cannot_carry():
    several = single(id="x-two", type="multi", scoring="all_or_nothing", order="fixed")
    made = quiz(single(points=2, hint="Count."), several, numeric("0." + "3" * 20))
    assert gift.notes([made]) == [
        "GIFT has no points, so that each question counts 1: x-one",
        "GIFT has no hints, which are left out: x-one",
        "GIFT cannot keep choices in their order, so that Moodle may shuffle them: x-two",
        "Moodle cannot grade several choices all or nothing: a wrong one costs everything, a missing one its share: x-two",
        "Moodle compares numbers with 15 digits, fewer than the answer has: x-number",
    ]
    assert gift.notes([quiz(single())]) == []
