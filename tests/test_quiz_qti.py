"""text2qti, the real one, takes what we write for it, and its QTI file says all that a quiz says."""

import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from fractions import Fraction

import pytest
from hypothesis import given, settings

from grader.quiz import qti
from tests.quizzes import BANK, load, numeric, quiz, quizzes, single
from tests.reading import asked, blocks, paragraphs, prose

text2qti = pytest.importorskip("text2qti.qti", reason="needs text2qti")
from text2qti.config import Config  # noqa: E402  after what may skip all
from text2qti.quiz import Quiz as Input  # noqa: E402

NS = {"q": "http://www.imsglobal.org/xsd/ims_qtiasiv1p2", "c": "http://canvas.instructure.com/xsd/cccv1p0"}
KINDS = {
    "multiple_choice_question": "single",
    "true_false_question": "single",
    "multiple_answers_question": "multi",
    "numerical_question": "numeric",
}


def converted(text):
    """Return the QTI file that text2qti makes."""
    return text2qti.QTI(Input(text, config=Config())).zip_bytes()


def read(package):
    """Return title, description, whether choices are shuffled, and the questions of a QTI file."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        (meta,) = [name for name in archive.namelist() if name.endswith("assessment_meta.xml")]
        (main,) = [
            name for name in archive.namelist() if re.search(r"assessment_\w+/text2qti_assessment_\w+\.xml$", name)
        ]
        about, root = ET.fromstring(archive.read(meta)), ET.fromstring(archive.read(main))
    found = {name: about.findtext(f"c:{name}", namespaces=NS) for name in ("title", "description", "shuffle_answers")}
    return {**found, "items": [_question(element) for element in root.iterfind(".//q:item", NS)]}


def _question(element):
    fields = {
        field.findtext("q:fieldlabel", namespaces=NS): field.findtext("q:fieldentry", namespaces=NS)
        for field in element.iterfind(".//q:qtimetadatafield", NS)
    }
    feedback = {
        part.get("ident"): part.findtext(".//q:mattext", namespaces=NS)
        for part in element.iterfind("q:itemfeedback", NS)
    }
    right = {
        name.text
        for condition in element.iterfind(".//q:respcondition", NS)
        if condition.find("q:setvar", NS) is not None
        for name in [
            *condition.iterfind("q:conditionvar/q:varequal", NS),
            *condition.iterfind(".//q:and/q:varequal", NS),
        ]
    }
    answers = [
        (
            label.findtext(".//q:mattext", namespaces=NS),
            label.get("ident") in right,
            feedback.get(f"{label.get('ident')}_fb"),
        )
        for label in element.iterfind(".//q:render_choice/q:response_label", NS)
    ]
    limits = [element.findtext(f".//q:{name}", namespaces=NS) for name in ("vargte", "varequal", "varlte")]
    return {
        "name": element.get("title"),
        "type": KINDS[fields["question_type"]],
        "points": fields["points_possible"],
        "text": element.findtext("q:presentation/q:material/q:mattext", namespaces=NS),
        "feedback": feedback["general_fb"],
        "wrong": feedback.get("general_incorrect_fb", ""),
        "answers": answers,
        "limits": limits if fields["question_type"] == "numerical_question" else None,
    }


def check(made):
    """Assert that a QTI file gives a quiz back, but for the questions that are left out."""
    (left,) = [note.partition(": ")[2] for note in qti.notes([made]) if "these are left out" in note] or [""]
    everything = left == f"all {len(made.items)} questions"
    kept = [item for item in made.items if not everything and item.id not in left.split(", ")]
    if not kept:
        return
    found = read(converted(qti.dump(made)))
    assert found["title"] == " ".join(paragraphs(made.title))
    assert prose(found["description"] or "") == ([" ".join(paragraphs(made.summary))] if made.summary else [])
    fixed = any(item.choices and item.order == "fixed" for item in made.items)
    assert found["shuffle_answers"] == ("false" if fixed else "true")
    for item, one in zip(kept, found["items"], strict=True):
        assert (one["name"], one["type"], one["points"]) == (item.id, item.type, str(item.points))
        assert blocks(one["text"]) == asked(item)
        assert prose(one["feedback"]) == explanation(item)
        assert [(prose(text), right, prose(why)) for text, right, why in one["answers"]] == [
            (paragraphs(choice.text), choice.correct, paragraphs(choice.why)) for choice in item.choices
        ]
        if item.type == "numeric":
            check_numbers(item, one)


def explanation(item):
    return paragraphs(item.explanation) + ([f"Sources: {', '.join(item.sources)}"] if item.sources else [])


def check_numbers(item, found):
    answer = item.answer
    value, width = (
        Fraction(answer.value),
        max(Fraction(answer.abs_tol), Fraction(answer.rel_tol) * abs(Fraction(answer.value))),
    )
    limits = [Fraction(limit) for limit in found["limits"]]
    exact = [value - width, value, value + width]
    rounded = any(item.id in note for note in qti.notes([quiz(item)]) if "rounds" in note)
    assert (limits != exact) == rounded
    assert all(abs(one - other) <= width / 10 for one, other in zip(limits, exact, strict=True))
    lines = iter(prose(found["wrong"]))
    for near in item.near_misses:
        first, *rest = paragraphs(near.why)
        number, _, why = next(lines).partition(": ")
        assert (Fraction(number), why, [next(lines) for _ in rest]) == (Fraction(near.value), first, rest)
    assert list(lines) == []


@settings(deadline=None)
@given(quizzes())
def test_any_quiz_comes_back_from_text2qti(made):
    check(made)


@pytest.mark.parametrize("path", BANK, ids=lambda path: path.stem if path else "none")
def test_the_bank_comes_back_from_text2qti(path):
    check(load(path))


def test_questions_and_choices_that_say_the_same_are_kept_apart():
    """text2qti refuses both, though other choices or other feedback may make them different."""
    item = single()
    item["choices"][1]["text"] = "5"
    made = quiz(item, {**item, "id": "x-two"}, {**item, "id": "x-three"})
    assert len(read(converted(qti.dump(made)))["items"]) == 3
    check(made)


@pytest.mark.parametrize("fence", ["~~~", "```"])
def test_fences_are_no_code_of_markdown(fence):
    code = {"lang": "text", "text": f"{fence}\nx\n{fence}\n"}
    check(quiz(single(prompt=f"{fence}\n\nx\n\n{fence}", code=code)))


@pytest.mark.parametrize(
    "prompt",
    [
        "a -- b --- c...",
        "x{.a} \\num{3}",
        "a | b\n\n- | -\n\nc | d",
        "[^1]\n\n[^1]: x",
        "A\n\n: b",
        "![a](b)",
        "[a]: b",
        "y\n\n===",
    ],
)
def test_what_markdown_would_change_is_kept(prompt):
    check(quiz(single(prompt=prompt)))


def test_a_file_looks_like_this():
    more = {
        "near_misses": [{"value": "6", "why": "One too many."}],
        "answer": {"abs_tol": "0.5"},
        "prompt": "How much?",
    }
    several = single(
        id="x-two", type="multi", prompt="Which?\n\nOf d_k and W", code={"lang": "python", "text": "x = 5 \n\nx\n"}
    )
    assert qti.dump(quiz(single(points=2), several, numeric(**more), summary="Sums.")) == (
        """Quiz title: All of x
Quiz description: Sums.
Shuffle answers: true

Title: x-one
Points: 2
1. How many?
... 3 &#43; 2 &#61; 5&#46;
*a) 5
... Three and two.
b) 6
... One too many.

Title: x-two
Points: 1
2. Which?

   Of d&#95;k and W

   <pre><code class="language-python">x = 5&#32;

   x
   </code></pre>
... 3 &#43; 2 &#61; 5&#46;
[*] 5
... Three and two.
[ ] 6
... One too many.

Title: x-number
Points: 1
3. How much?
... 3 &#43; 2 &#61; 5&#46;
- 6: One too many.
= 5 +- 0.5
"""
    )


@pytest.mark.parametrize(
    ("value", "tolerance", "written"),
    [
        ("24576", "0", "24576"),
        ("5240000000", "0", "5240000000"),
        ("-0.354", "0.001", "-0.354 +- 0.001"),
        ("2", "0.5", "2 +- 0.5"),
        ("2E+3", "0", "2000"),
        ("0.3", "0", "0.3 +- 0"),
    ],
)
def test_a_number_is_written_as_text2qti_reads_it(value, tolerance, written):
    made = quiz(numeric(value, answer={"abs_tol": tolerance}))
    assert qti.dump(made).endswith(f"\n= {written}\n")
    check(made)


@pytest.mark.parametrize(
    ("value", "tolerance"), [("0", "0"), ("1e-5", "0"), ("1", "1"), ("0.35355", "0.00001"), ("1" * 17, "0")]
)
def test_a_number_that_text2qti_would_change_is_left_out_and_named(value, tolerance):
    made = quiz(single(), numeric(value, answer={"abs_tol": tolerance}))
    assert "x-number" not in qti.dump(made)
    assert (
        "text2qti takes no number so near to 0, or of so many digits, so that these are left out: x-number"
        in qti.notes([made])
    )


def test_a_number_whose_limits_are_rounded_is_named():
    made = quiz(single(), numeric("24.576", answer={"rel_tol": "0.01"}))
    assert "text2qti rounds to 4 decimals what an answer may be: x-number" in qti.notes([made])
    check(made)


def test_notes_say_what_canvas_cannot_do():
    several = single(id="x-two", type="multi", scoring="all_or_nothing")
    assert qti.notes([quiz(single(hint="Count.", order="fixed"), several), quiz(single(), quiz="y")]) == [
        "text2qti has no hints, which are left out: x-one",
        "text2qti has no tags, so that topic, level and tags are left out: all 3 questions",
        "Canvas gives a part of the points for a part of the right choices: x-two",
        "Canvas shuffles the choices of all questions of a quiz or of none; some have a fixed order, so none are: x",
    ]


def test_the_command_of_text2qti_takes_the_file(tmp_path):
    (tmp_path / "x.txt").write_text(qti.dump(quiz(single(), numeric())), "utf-8")
    run = [sys.executable, "-c", "import sys; from text2qti.cmdline import main; sys.exit(main())", "x.txt"]
    subprocess.run(run, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}, check=True)
    assert [one["name"] for one in read((tmp_path / "x.zip").read_bytes())["items"]] == ["x-one", "x-number"]
