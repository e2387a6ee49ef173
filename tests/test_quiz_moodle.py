"""A Moodle XML file says all that a quiz says, and Moodle marks it as we do."""

import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings

from grader.quiz import moodle
from grader.quiz.response import Response, score
from tests.quizzes import BANK, items, load, numeric, quiz, quizzes, single
from tests.reading import asked, blocks, explained, paragraphs, prose

# what Moodle accepts as a grade of an answer; an import stops at any other that is not as near as 0.00001
GRADES = [
    *(1, 0.9, 0.8333333, 0.8, 0.75, 0.7, 0.6666667, 0.6, 0.5, 0.4, 0.3333333, 0.3, 0.25, 0.2),
    *(0.1666667, 0.1428571, 0.125, 0.1111111, 0.1, 0.05, 0),
]


def text(element, path):
    """Return the text at a path, trimmed as Moodle does."""
    found = element.findall(f"{path}/text")
    assert len(found) == 1, path
    assert len(found[0]) == 0
    return (found[0].text or "").strip(" \t\n\r\0\x0b")


def read(content):
    """Return the category and the questions of a file."""
    root = ET.fromstring(content)
    assert root.tag == "quiz"
    place, *questions = root.findall("question")
    assert place.get("type") == "category"
    return place, [_question(element) for element in questions]


def _question(element):
    found = {
        "type": element.get("type"),
        "name": text(element, "name"),
        "id": element.findtext("idnumber"),
        "points": element.findtext("defaultgrade"),
        "text": text(element, "questiontext"),
        "feedback": text(element, "generalfeedback"),
        "hints": [text(element, f"hint[{number}]") for number in range(1, 1 + len(element.findall("hint")))],
        "tags": [tag.findtext("text") for tag in element.findall("tags/tag")],
        "single": element.findtext("single"),
        "shuffled": element.findtext("shuffleanswers"),
        "units": [(unit.findtext("unit_name"), unit.findtext("multiplier")) for unit in element.findall("units/unit")],
        "answers": [_answer(answer) for answer in element.findall("answer")],
    }
    for name in ("questiontext", "generalfeedback", "hint", "answer/feedback"):
        assert all(part.get("format") == "html" for part in element.findall(name))
    return found


def _answer(element):
    feedback = text(element, "feedback") if element.find("feedback") is not None else ""
    return text(element, "."), float(element.get("fraction")) / 100, element.findtext("tolerance"), feedback


def check(made):
    """Assert that a file gives a quiz back."""
    place, questions = read(moodle.dump(made))
    title = " ".join(paragraphs(made.title)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    path = text(place, "category").removeprefix("$course$/top/").replace("//", "/")
    assert path.lstrip(" ") == title
    assert prose(text(place, "info")) == paragraphs(made.summary or "")
    assert place.findtext("idnumber") == made.quiz
    for item, found in zip(made.items, questions, strict=True):
        check_item(item, found)


def check_item(item, found):
    assert (found["name"], found["id"], found["points"]) == (item.id, item.id, str(item.points))
    assert set(found["tags"]) == {item.topic, item.level, *item.tags}
    assert blocks(found["text"]) == asked(item)
    assert blocks(found["feedback"]) == explained(item)
    assert [prose(hint) for hint in found["hints"]] == ([paragraphs(item.hint)] if item.hint else [])
    for _, fraction, _, _ in found["answers"]:
        assert min(abs(abs(fraction) - grade) for grade in GRADES) < 0.00001
    if item.type == "numeric":
        check_numbers(item, found)
        return
    assert found["type"] == "multichoice"
    assert found["single"] == ("true" if item.type == "single" else "false")
    assert found["shuffled"] == ("true" if item.order == "shuffle" else "false")
    assert [prose(what) for what, _, _, _ in found["answers"]] == [paragraphs(choice.text) for choice in item.choices]
    assert [prose(why) for _, _, _, why in found["answers"]] == [paragraphs(choice.why) for choice in item.choices]
    assert [fraction > 0 for _, fraction, _, _ in found["answers"]] == [choice.correct for choice in item.choices]
    # Moodle warns if what is positive is not 100 % in all
    assert round(sum(fraction for _, fraction, _, _ in found["answers"] if fraction > 0), 2) == 1


def check_numbers(item, found):
    answer = item.answer
    width = max(Fraction(answer.abs_tol), Fraction(answer.rel_tol) * abs(Fraction(answer.value)))
    assert found["type"] == "numerical"
    numbers = [answer.value, *(near.value for near in item.near_misses)]
    assert [Fraction(what) for what, _, _, _ in found["answers"]] == [Fraction(number) for number in numbers]
    assert [Fraction(tolerance) for _, _, tolerance, _ in found["answers"]] == [width] * len(numbers)
    assert [fraction for _, fraction, _, _ in found["answers"]] == [1, *(0 for _ in item.near_misses)]
    assert [prose(why) for _, _, _, why in found["answers"][1:]] == [paragraphs(near.why) for near in item.near_misses]
    unit = " ".join(paragraphs(answer.unit))
    assert found["units"] == ([(unit, "1")] if unit else [])


@settings(deadline=None)
@given(quizzes())
def test_any_quiz_comes_back_from_moodle(made):
    check(made)


@pytest.mark.parametrize("path", BANK, ids=lambda path: path.stem if path else "none")
def test_the_bank_comes_back_from_moodle(path):
    check(load(path))


@settings(deadline=None)
@given(items(kinds=("single", "multi")))
def test_moodle_marks_every_selection_as_we_do(item):
    """All that Moodle does is to add the fractions of what was picked; less than nothing is nothing."""
    fractions = [fraction for _, fraction, _, _ in read(moodle.dump(quiz(item)))[1][0]["answers"]]
    several = range(min(len(fractions), 4) + 1) if item.type == "multi" else [1]
    for places in [places for number in several for places in combinations(range(len(fractions)), number)]:
        moodles = min(1, max(0, sum(fractions[place] for place in places)))
        ours = score(item, Response(picks=frozenset(item.choices[place].id for place in places)))
        if item.type == "multi" and item.scoring == "all_or_nothing" and ours == 0:
            # a missing one cannot cost all, a wrong one does: the note says so
            assert moodles < 0.99999 if all(item.choices[place].correct for place in places) else moodles == 0
        else:
            assert moodles == pytest.approx(float(ours), abs=1e-5)


def test_nothing_in_a_text_ends_the_section_that_it_stands_in():
    item = single(prompt="a ]]> b <script>x</script> &amp;")
    content = moodle.dump(quiz(item))
    assert content.count(b"]]>") == content.count(b"<![CDATA[")
    assert b"a ]]&gt; b &lt;script&gt;x&lt;/script&gt; &amp;amp;" in content


def test_control_characters_are_written_out_because_no_xml_may_hold_them():
    item = single(prompt="a\x07b", code={"lang": "text", "text": "x\x00y\r\nz\x9b"})
    (found,) = read(moodle.dump(quiz(item)))[1]
    assert blocks(found["text"]) == [
        ("p", "a\\u0007b", None),
        ("pre", "x\\u0000y\nz\\u009b", "language-text"),
    ]


def test_a_title_with_slashes_is_one_category():
    place, _ = read(moodle.dump(quiz(single(), title="/ and // and/or")))
    assert text(place, "category") == "$course$/top/ // and //// and//or"


def test_a_unit_may_be_left_out_of_an_answer():
    (found,) = read(moodle.dump(quiz(numeric(answer={"unit": "bytes"}))))[1]
    assert found["units"] == [("bytes", "1")]
    assert blocks(found["text"]) == [("p", "How many?", None), ("p", "Unit: bytes", None)]


def test_notes_say_what_moodle_cannot_do():
    several = single(id="x-two", type="multi", scoring="all_or_nothing")
    assert moodle.notes([quiz(single(points=2, hint="Count.", order="fixed"))]) == []
    assert moodle.notes([quiz(single(), several), quiz(numeric("1" * 16))]) == [
        "Moodle cannot grade several choices all or nothing: a wrong one costs everything, a missing one its share: x-two",
        "Moodle compares numbers with 15 digits, fewer than the answer has: x-number",
    ]
