"""Every numeric key is computed, every number in a key too, and every piece of code is run."""

import importlib
import re
from decimal import Decimal
from fractions import Fraction

import pytest

from grader.errors import UsageError
from grader.quiz import snippet
from grader.quiz.bank import files, load
from grader.quiz.proof import known, proof
from grader.sandbox import Sandbox
from tests.conftest import ROOT

QUIZZES = files(ROOT / "quizzes")
BANK = load(QUIZZES)
NAMES = [path.stem for path in QUIZZES]
ITEMS = list(BANK.items.values())
TOPICS = (
    "unicode pretokenization bpe wordpiece sentencepiece embeddings norms attention kv-cache cross-entropy lora "
    "quantization pretraining scaling moe distributed alignment benchmarks"
).split()


def computed(name):
    """Return what tests/keys/<quiz>.py computes, by the id of the question."""
    module = importlib.import_module(f"tests.keys.{name.replace('-', '_')}")
    functions = {
        key: value for key, value in vars(module).items() if callable(value) and value.__module__ == module.__name__
    }
    return {key.replace("_", "-"): value for key, value in functions.items() if not key.startswith("_")}


def fraction(value):
    """Return a computed value exactly as it is."""
    return Fraction(Decimal(value)) if isinstance(value, str) else Fraction(value)


def plain(text):
    """Return a text without what only groups digits."""
    return text.replace(",", "").replace(" ", "")


@pytest.mark.parametrize("name", NAMES)
def test_every_numeric_key_is_computed_and_right(name):
    functions = computed(name)
    for item in (item for item in ITEMS if item.topic == name and item.type == "numeric"):
        assert item.id in functions, f"nothing computes {item.id}"
        assert item.answer.holds(fraction(functions[item.id]())), item.id


@pytest.mark.parametrize("name", NAMES)
def test_every_number_that_is_computed_for_a_choice_is_in_the_key_and_in_no_other_choice(name):
    for key, function in computed(name).items():
        item = BANK.items[key]  # a function whose question is gone is a KeyError
        if item.type != "numeric":
            right = plain(" ".join(choice.text for choice in item.choices if choice.correct))
            assert plain(str(function())) in right, item.id


@pytest.fixture(scope="module")
def sandbox():
    """Return a worker that has imported torch, for the code of all quizzes."""
    with Sandbox(snippet.PRELOAD) as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_every_piece_of_python_prints_what_the_file_says(name, sandbox):
    for item in ITEMS:
        if item.topic == name and item.code and item.code.lang == "python":
            printed, wrong = snippet.run(sandbox, item.code)
            assert wrong == "", item.id
            assert printed.strip() == item.code.expect.strip(), item.id


def test_the_bank_is_clean():
    found = proof(ROOT, [], run=False, note=print)
    assert [str(one) for one in found.problems if one.level != "info"] == []


def test_the_bank_covers_every_topic_with_ten_questions_or_more():
    assert set(BANK.topics) == set(TOPICS)
    for topic in TOPICS:
        assert len(BANK.of([topic])) >= 10, topic
    assert [quiz.number for quiz in BANK.quizzes] == list(range(1, 19))
    assert [quiz.quiz for quiz in BANK.quizzes] == TOPICS


def test_the_questions_of_the_first_courses_are_among_them():
    seeds = {(item.seed.doc, item.seed.ref) for item in ITEMS if item.seed}
    assert {("002", f"self-evaluation {number}") for number in range(1, 13)} <= seeds
    assert {("003", f"quiz {number}") for number in range(1, 6)} <= seeds


# papers, standards, and the documentation of what a question is about
HOSTS = {
    *("arxiv.org", "pytorch.org", "docs.pytorch.org", "huggingface.co", "docs.python.org", "www.unicode.org"),
    *("www.rfc-editor.org", "google.github.io", "developer.mozilla.org", "github.com", "cdn.openai.com"),
}


def test_every_source_is_a_paper_a_standard_or_documentation():
    for item in ITEMS:
        assert item.sources, item.id
        for source in item.sources:
            host, _, path = source.removeprefix("https://").partition("/")
            assert host in HOSTS, source
            assert host != "huggingface.co" or path.startswith("docs/"), source
            assert host != "arxiv.org" or re.fullmatch(r"abs/\d{4}\.\d{4,5}", path), source


def test_wrong_choices_and_exercises_know_each_other():
    mistakes = known(__import__("grader.course").course.Course(ROOT))
    named = set().union(*(item.wrongs for item in ITEMS))
    assert named <= mistakes
    assert {name.partition("/")[0] for name in named} == {name.partition("/")[0] for name in mistakes}


def test_a_topic_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(UsageError, match="there is no topic 'atention'; there are: unicode, pretok"):
        BANK.of(["atention"])


@pytest.mark.parametrize("name", ["README.md", "docs/quizzes.md", "CHANGELOG.md"])
def test_the_documentation_counts_the_questions_right(name):
    text = " ".join((ROOT / name).read_text().split())
    assert re.search(rf"{len(ITEMS)} questions in {len(QUIZZES)} (quizzes|topics)", text)
