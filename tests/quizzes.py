"""Quizzes for tests: any that the schema accepts, full of what some format takes for a mark of its own."""

import json
from decimal import Decimal

import pytest
from hypothesis import strategies as st

from grader.quiz.item import MOST, Answer, Item, Quiz
from grader.quiz.source import read
from tests.conftest import ROOT

FILES = sorted((ROOT / "quizzes").glob("*.yaml"))
BANK = FILES or [pytest.param(None, marks=pytest.mark.skip(reason="there are no quizzes in quizzes/ yet"))]

NASTY = [
    *"~=#{}:\\\"'`<>&%$*_[]()|^!+-.@/;,", "::", "####", "->", "\\n", "\\\\", "%50%", "[html]", "[plain]", "[ ]", "=%100%",
    "//", "$CATEGORY: x", "0", "1. one", "- one", "+ one", "* one", "# head", "> said", "    deep", "***", "---", "===", "~~~",
    "```", "`code`", "` the`", "`a  b`", "``", "...", "--", "$x$", "$$", "\\(x\\)", "\\num{3}", "<b>", "<script>alert(1)</script>",
    "<!-- x -->", "]]>", "<![CDATA[", "&amp;", "&nbsp;", "&#42;", "&&058;", "{{c1::x}}", "{{Prompt}}", "[sound:x.mp3]",
    "[a](b)", "![a](b)", "[^1]", "[^1]: note", ": defined", "a | b", "<http://x.org>", "x_y_z", "*a)", "[*]", "a)", "Title:",
    "END_GROUP", "COMMENT", "% comment", "\u00a0", "\u2028", "\u3000", "\ufeff", "\u200b", "\u05e9\u05dc\u05d5\u05dd",
    "\u202eabc\u202c", "👩‍🚀", "🇩🇪", "e\u0301", "Ġthe", "▁the", "\ufffd", "\n", "\n\n", "\n \n", " \n", "  ", "\t", " ", "word",
]  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
PIECES = st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, max_size=6))
URLS = [
    "https://arxiv.org/abs/1706.03762",
    "https://x.org/a_b*c?d=1&e='2'#f~g",
    'https://x.org/[a](b)?$c$d\\e`f`@"<b>',
]
SLUGS = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
NUMBERS = st.one_of(
    st.integers(-(10**6), 10**13).map(str),
    st.decimals(-1000, 1000, places=3).map(str),
    st.sampled_from(["0", "-0", "0.5", "1e-5", "2E+3", "5240000000", "1e30", "-1e-300", "0.3535533905932737622004221810524"]),
)  # fmt: skip
TOLERANCES = st.sampled_from(["0", "0", "0.001", "0.5", "2", "1e-9", "0.0000100", "1e5"])


def texts(least=1):
    """Return a strategy for texts as people write them, and as nobody should."""
    made = st.lists(PIECES, min_size=least, max_size=6).map("".join)
    return made.map(lambda text: text if text.strip() or not least else f"x{text}x")


def codes():
    """Return a strategy for code that is shown, with spaces at all ends of lines."""
    lines = st.lists(st.lists(PIECES, max_size=3).map("".join), min_size=1, max_size=5)
    texts = st.tuples(
        st.sampled_from(["", "  ", "\t", "\n"]), lines.map("\n".join), st.sampled_from(["", " ", "\n", "x"])
    )
    return st.fixed_dictionaries(
        {
            "lang": st.sampled_from(["python", "text", "c++", "<js>"]),
            "text": texts.map("".join).map(lambda text: text or "x"),
        }
    )


@st.composite
def _choices(draw, kind):
    number = draw(st.integers(2, MOST))
    right = (
        {draw(st.integers(0, number - 1))}
        if kind == "single"
        else draw(st.sets(st.integers(0, number - 1), min_size=1))
    )
    made = [{"id": f"c{place}", "text": draw(texts()), "why": draw(texts()), "correct": place in right} for place in range(number)]  # fmt: skip
    order, scoring = draw(st.sampled_from(["shuffle", "fixed"])), draw(st.sampled_from(["partial", "all_or_nothing"]))
    return {"choices": made, "order": order, "scoring": scoring}


@st.composite
def _numbers(draw):
    relative = draw(st.sampled_from(["0", "0", "0.01", "0.12345"]))
    given_ = {"value": draw(NUMBERS), "abs_tol": draw(TOLERANCES), "rel_tol": relative, "unit": draw(texts(least=0))}
    answer = Answer.model_validate(given_)
    near = [{"value": value, "why": draw(texts())} for value in draw(st.lists(NUMBERS, max_size=2))]
    return {"answer": given_, "near_misses": [one for one in near if not answer.holds(Decimal(one["value"]))]}


@st.composite
def items(draw, kinds=("single", "multi", "numeric")):
    """Return a strategy for valid questions."""
    kind = draw(st.sampled_from(kinds))
    parts = draw(_numbers() if kind == "numeric" else _choices(kind))
    some = {
        "code": codes(),
        "hint": texts(),
        "points": st.integers(1, 100),
        "tags": st.lists(SLUGS, max_size=3),
        "sources": st.lists(st.sampled_from(URLS), max_size=2),
    }
    needed = {
        "id": SLUGS,
        "rev": st.integers(1, 9),
        "topic": SLUGS,
        "level": st.sampled_from(["intro", "core", "stretch"]),
        "prompt": texts(),
        "explanation": texts(),
    }
    fields = draw(st.fixed_dictionaries(needed, optional=some))
    return Item.model_validate({"type": kind, **fields, **parts})


@st.composite
def quizzes(draw, most=3, **more):
    """Return a strategy for valid quizzes; the ids of their questions differ."""
    made = draw(st.lists(items(**more), min_size=1, max_size=most, unique_by=lambda item: item.id))
    fields = {"schema": "llm-quiz/1", "quiz": draw(SLUGS), "title": draw(texts()), "items": made}
    return Quiz.model_validate({**fields, "summary": draw(st.none() | texts())})


def single(**more):
    """Return a question with two choices."""
    choices = [
        {"id": "five", "text": "5", "why": "Three and two.", "correct": True},
        {"id": "six", "text": "6", "why": "One too many."},
    ]
    fields = {"id": "x-one", "rev": 1, "type": "single", "topic": "x", "level": "core", "choices": choices}
    return {**fields, "prompt": "How many?", "explanation": "3 + 2 = 5.", **more}


def numeric(value="5", **more):
    """Return a question for a number."""
    fields = {"type": "numeric", "choices": [], "answer": {"value": value, **more.pop("answer", {})}}
    return single(**{"id": "x-number", **fields, **more})


def quiz(*items, **more):
    """Return a quiz with questions."""
    return Quiz.model_validate({"schema": "llm-quiz/1", "quiz": "x", "title": "All of x", "items": list(items), **more})


def load(path):
    """Return the quiz of a file."""
    found = read(path)
    assert found.quiz, "\n".join(map(str, found.problems))
    return found.quiz


def edited(old, **more):
    """Return a quiz whose first question was changed."""
    fields = json.loads(old.model_dump_json(by_alias=True))
    fields["items"][0].update(more)
    return Quiz.model_validate(fields)
