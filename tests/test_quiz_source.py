"""Quiz files: what is wrong with one is said with file, line and column, and nothing makes reading it fail."""

import json
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grader.errors import UsageError
from grader.quiz.bank import chosen, load
from grader.quiz.source import parse, read
from tests.conftest import ROOT

GOOD = """\
schema: llm-quiz/1
quiz: small
title: A small quiz
items:
  - id: one
    rev: 1
    type: single
    topic: small
    level: intro
    prompt: How many?
    choices:
      - {id: c1, text: "1", why: "That is the start."}
      - {id: c2, text: "2", correct: true, why: "Counted twice."}
    order: fixed
    explanation: Count them.
    sources: ["https://arxiv.org/abs/1706.03762"]
  - id: two
    rev: 1
    type: numeric
    topic: small
    level: core
    prompt: What is a half?
    answer: {value: "0.5", abs_tol: "0.01"}
    near_misses: [{value: "2", why: "Upside down."}]
    explanation: One divided by two.
"""


def problems(text):
    """Return what is wrong with a text, as it is printed."""
    return [str(one) for one in parse(text, "small.yaml", "small").problems]


def test_a_good_file_is_read():
    found = parse(GOOD, "small.yaml", "small")
    assert found.problems == []
    assert [item.id for item in found.quiz.items] == ["one", "two"]
    assert found.quiz.items[1].answer.holds(found.quiz.items[1].answer.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("prompt: How", "promt: How", "5:5: Q001 prompt is missing"),
        ("prompt: How", "promt: How", "10:5: Q001 unknown key 'promt' (did you mean 'prompt'?)"),
        ("title:", "titel:", "3:1: Q001 unknown key 'titel' (did you mean 'title'?)"),
        ("type: single", "type: singel", "7:5: Q001 type is 'singel'; it must be 'single', 'multi' or 'numeric' "
         "(did you mean 'single'?)"),
        ('why: "That is the start."', 'whi: "x"', "12:9: Q003 why is missing"),
        ('why: "That is the start."', 'whi: "x"', "12:29: Q001 unknown key 'whi' (did you mean 'why'?)"),
        ("    explanation: Count them.\n", "", "5:5: Q003 explanation is missing"),
        ("explanation: Count them.", "explanation: ' '", "15:5: Q003 explanation is empty"),
        ('text: "1"', "text: 1", "12:18: Q001 text must be a text, and YAML reads a int here: put it in quotes"),
        ("How many?", "no", "10:5: Q001 prompt must be a text, and YAML reads a bool here: put it in quotes"),
        ("    rev: 1\n    type: s", "    rev: 0\n    type: s", "6:5: Q001 rev: input should be greater than or equal to 1"),
        ("    rev: 1\n    type: s", "    rev: '1'\n    type: s", "6:5: Q001 rev: input should be a valid integer"),
        ("id: two", "id: one", "17:5: Q001 the id 'one' stands twice"),
        ("id: c2", "id: c1", "13:10: Q001 the id 'c1' stands twice in one"),
        ("    level: intro\n", "    level: intro\n    level: core\n", "10:5: Q001 the key 'level' stands twice"),
        ("correct: true, ", "", "5:5: Q001 exactly one choice of a question of type single is correct, and here are 0"),
        ('"2", correct', '"2", corect', "13:29: Q001 unknown key 'corect' (did you mean 'correct'?)"),
        ('value: "0.5"', "value: 0.5", "23:14: Q001 value: must be a number in quotes, so that it is read exactly"),
        ('value: "0.5"', 'value: "half"', '23:14: Q001 value: must be a number, as "0.354" or "1e-5"'),
        ('value: "0.5"', 'value: "1e99999"', "23:14: Q001 value: must be finite, and neither huge nor tiny beyond sense"),
        ('value: "2"', 'value: "0.505"', "17:5: Q001 a near miss lies within the tolerance of the answer"),
        ("prompt: How many?", "prompt: How many # are there?", "10:13: Q018 a comment cuts off prompt: put the text in quotes"),
        ("quiz: small", "quiz: other", "2:1: Q001 quiz: must be 'small', the name of the file"),
        ("https://", "http://", "16:15: Q001 sources: 'http://arxiv.org/abs/1706.03762' does not match"),
        ("id: one", "id: One!", "5:5: Q001 id: 'One!' does not match"),
        ("topic: small\n    level: intro", "topic: &t small\n    level: intro", "8:12: Q001 is no YAML: anchors"),
        ("title: A", "title: 'A", "Q001 is no YAML: "),
        ("llm-quiz/1", "llm-quiz/2", "1:1: Q001 schema is 'llm-quiz/2'; it must be 'llm-quiz/1' (did you mean"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(old, new, said):
    assert GOOD.count(old) == 1
    assert any(said in line for line in problems(GOOD.replace(old, new))), problems(GOOD.replace(old, new))


def test_a_file_that_is_not_utf8_or_not_there_is_a_problem_of_that_file(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"schema: llm-quiz/1\ntitle: caf\xe9\n")
    (problem,) = read(tmp_path / "x.yaml", "x.yaml").problems
    assert str(problem) == "x.yaml:2:1: Q001 is no UTF-8: byte 29 is 0xe9"
    (problem,) = read(tmp_path / "y.yaml", "y.yaml").problems
    assert "cannot be read: No such file" in problem.message


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 5000, "a: &x [*x]", "? [1]\n: 2", "\0", "%",
     "title: !!bool x", "title: !!int ''", "title: !!timestamp x"])  # fmt: skip
def test_what_would_end_a_careless_reader_is_a_problem(text):
    assert problems(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("abc:-{}[]\"'#&*!|> \n\t%@`,?0189é😀\x00\x85"), max_size=60))
def test_no_text_makes_reading_fail(text):
    assert problems(text)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 40), st.sampled_from(["", ":", "\n", "  ", "'", "[", "null", "~"]))
def test_no_damage_to_a_good_file_makes_reading_fail(start, length, new):
    for line in problems(GOOD[:start] + new + GOOD[start + length :]):
        assert line.startswith("small.yaml:")


def test_the_json_schema_accepts_the_bank_and_refuses_an_unknown_key():
    import yaml

    from grader.quiz.item import Quiz

    schema = Quiz.model_json_schema(by_alias=True)
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    for path in sorted((ROOT / "quizzes").glob("*.yaml")):
        assert list(check.iter_errors(yaml.safe_load(path.read_text()))) == [], path
    wrong = yaml.safe_load(GOOD)
    wrong["items"][0]["promt"] = "?"
    assert list(check.iter_errors(wrong))
    assert json.loads((ROOT / "docs" / "quiz.schema.json").read_text()) == schema


def test_a_bank_is_kept_and_read_anew_when_a_file_changes(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(GOOD)
    assert load([path]).items["one"].prompt == "How many?"
    assert load([path]).items["one"].prompt == "How many?"  # from the cache
    path.write_text(GOOD.replace("How many?", "How much?"))
    assert load([path]).items["one"].prompt == "How much?"


def test_a_quiz_that_is_named_twice_is_read_once():
    assert [quiz.quiz for quiz in chosen(ROOT / "quizzes", ["bpe", "lora", "bpe"]).quizzes] == ["bpe", "lora"]


def test_a_broken_bank_is_named_with_its_first_problems(tmp_path):
    (tmp_path / "small.yaml").write_text(GOOD.replace("prompt:", "promt:"))
    with pytest.raises(UsageError, match=r"small.yaml:5:5: Q001 prompt is missing"):
        load([tmp_path / "small.yaml"])
    (tmp_path / "small.yaml").write_text(GOOD)
    (tmp_path / "other.yaml").write_text(textwrap.dedent(GOOD).replace("quiz: small", "quiz: other"))
    with pytest.raises(UsageError, match="an id stands in two quiz files"):
        load([tmp_path / "small.yaml", tmp_path / "other.yaml"])
