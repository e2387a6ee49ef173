"""The lint of quizzes: every fault that is planted is found, where it stands, and nothing else is."""

import re

import pytest

from grader.quiz.census import at_least, unknown
from grader.quiz.lint import lint
from grader.quiz.proof import proof
from grader.quiz.snippet import problems as run_all
from grader.quiz.source import parse
from grader.sandbox import Sandbox
from tests.conftest import ROOT


def choice(number, text, more="", why="It is explained at length why this is so."):
    """Return a choice as a line of YAML."""
    return f'      - {{id: c{number}, text: "{text}", why: "{why}"{more}}}\n'


def question(name="one", level="core", prompt="Which one is meant?", choices=None, more="", kind="single"):
    """Return a question as YAML; without choices it has three that nobody can object to."""
    if choices is None:
        choices = choice(1, "the first of them") + choice(2, "the second one", ", correct: true") + choice(3, "a third")
    return (
        f"  - id: {name}\n    rev: 1\n    type: {kind}\n    topic: small\n    level: {level}\n    prompt: {prompt}\n"
        f"    choices:\n{choices}    explanation: Because it is so.\n"
        f'    sources: ["https://arxiv.org/abs/1706.03762"]\n{more}'
    )


def quiz(*questions, more=""):
    """Return a file with these questions and two that are fine."""
    rest = [question("fine", "intro"), question("good", "stretch")]
    return f"schema: llm-quiz/1\nquiz: small\ntitle: Small\n{more}items:\n" + "".join([*questions, *rest])


def found(*texts):
    """Return what the lint says to files that are called small.yaml, small1.yaml ..."""
    names = ["small" + (str(number) if number else "") for number in range(len(texts))]
    files = [parse(text, f"{name}.yaml", name) for name, text in zip(names, texts, strict=True)]
    return [str(one) for one in lint(files)]


KEY = ", correct: true"
LONG = "the second one, which is so much longer than the others that nobody who looks can miss that it is the key"
# fault, the question, where it must be found and what is said
FAULTS = {
    "Q002 the same choice": (
        question(choices=choice(1, "The  ＡＢＣ") + choice(2, "the abc", KEY) + choice(3, "another")),
        r"^small.yaml:13:\d+: Q002 one: c2 and c1 are the same$",
    ),
    "Q002 the same number": (
        question(choices=choice(1, "0.5") + choice(2, "1/2", KEY) + choice(3, "2"), more="    order: fixed\n"),
        r"^small.yaml:13:\d+: Q002 warning: one: c2 and c1 are the same number$",
    ),
    "Q002 nearly the same choice": (
        question(choices=choice(1, "it is divided by the mean") + choice(2, "it is divided by a mean", KEY)),
        r"^small.yaml:13:\d+: Q002 warning: one: c2 and c1 are nearly the same$",
    ),
    "Q003 no explanation": (
        question().replace("    explanation: Because it is so.\n", ""),
        r"^small.yaml:5:5: Q003 explanation is missing$",
    ),
    "Q003 no why": (
        question().replace(', why: "It is explained at length why this is so."', "", 1),
        r"^small.yaml:12:9: Q003 why is missing$",
    ),
    "Q003 a why that repeats the choice": (
        question(choices=choice(1, "the first of them", why="The first of them.") + choice(2, "other", KEY)),
        r"^small.yaml:12:\d+: Q003 warning: one: why of c1 only repeats the choice$",
    ),
    "Q010 a long key": (
        question(choices=choice(1, "the first of them") + choice(2, LONG, KEY) + choice(3, "a third")),
        r"^small.yaml:11:5: Q010 warning: one: the key has 105 characters, the others 12 on average$",
    ),
    "Q013 none of the above": (
        question(choices=choice(1, "the first") + choice(2, "the second", KEY) + choice(3, "None of the above")),
        r"^small.yaml:14:\d+: Q013 warning: one: c3 speaks of other choices \('None of the above'\)$",
    ),
    "Q013 both": (
        question(choices=choice(1, "the first") + choice(2, "the second", KEY) + choice(3, "Both A and B")),
        r"^small.yaml:14:\d+: Q013 warning: one: c3 speaks of other choices",
    ),
    "Q013 a letter in a why": (
        question(choices=choice(1, "the first", why="See option B, which is better.") + choice(2, "the second", KEY)),
        r"^small.yaml:12:\d+: Q013 one: c1 names a letter \('option B'\), and choices are shuffled$",
    ),
    "Q013 a letter in the explanation": (
        question().replace("Because it is so.", "Because choice A is nonsense."),
        r"^small.yaml:15:5: Q013 one: names a letter",
    ),
    "Q014 a small not": (
        question(prompt="Which of these is not a norm?"),
        r"^small.yaml:10:5: Q014 warning: one: asks for what is not so; write NOT or EXCEPT in capitals$",
    ),
    "Q014 an absolute": (
        question(choices=choice(1, "it always holds") + choice(2, "it may hold", KEY)),
        r"^small.yaml:12:\d+: Q014 warning: 'always' and its like stand in wrong choices and in no key",
    ),
    "Q014 a small n't": (
        question(prompt="Which of these isn't one?"),
        r"^small.yaml:10:5: Q014 warning: one: asks for what is not so; write NOT or EXCEPT in capitals$",
    ),
    "Q014 a not that stands late": (
        question(prompt="Which part does LoRA not train?"),
        r"^small.yaml:10:5: Q014 warning: one: asks for what is not so",
    ),
    "Q013 a letter in a fixed order": (
        question(choices=choice(1, "the first") + choice(2, "as option A", KEY), more="    order: fixed\n"),
        r"^small.yaml:13:\d+: Q013 warning: one: c2 names a letter \('option A'\), and speaks so of another choice$",
    ),
    "Q015 clang": (
        question(prompt="What does quantization save?", choices=choice(1, "time") + choice(2, "quantization of it", KEY)),
        r"^small.yaml:11:5: Q015 note: one: the question and the key alone share quantization$",
    ),
    "Q015 an article": (question(prompt="A tensor is an"), r"^small.yaml:10:5: Q015 note: one: ends with 'an'"),
    "Q016 numbers that do not ascend": (
        question(choices=choice(1, "3") + choice(2, "2", KEY) + choice(3, "5"), more="    order: fixed\n"),
        r"^small.yaml:11:5: Q016 warning: one: numbers in a fixed order must ascend$",
    ),
    "Q016 several, and one key": (
        question(kind="multi"),
        r"^small.yaml:11:5: Q016 warning: one: one choice is correct in a question of type multi$",
    ),
    "Q016 several, and nothing else": (
        question(kind="multi", choices=choice(1, "one thing", KEY) + choice(2, "another", KEY)),
        r"^small.yaml:11:5: Q016 warning: one: all choices are correct in a question of type multi$",
    ),
    "Q017 an id that tells": (
        question().replace("id: c2", "id: correct-one"),
        r"^small.yaml:13:\d+: Q017 warning: one: the id 'correct-one' tells what the choice is worth$",
    ),
    "Q017 an id that names the key": (
        question("one-second"),
        r"^small.yaml:5:5: Q017 note: one-second: second stands in the id and in the key alone$",
    ),
    "Q020 python that nobody runs": (
        question(more='    code: {lang: python, text: "print(1)"}\n'),
        r"^small.yaml:17:5: Q020 one: python code without expect: say what running it prints$",
    ),
    "Q020 python that shows nothing": (
        question(more='    code: {lang: python, text: "print(7)", expect: "7"}\n'),
        r"^small.yaml:17:\d+: Q020 warning: one: what the code prints occurs neither in the key nor",
    ),
    "Q021 no source": (
        question().replace('    sources: ["https://arxiv.org/abs/1706.03762"]\n', ""),
        r"^small.yaml:5:5: Q021 warning: one: has no sources$",
    ),
    "Q023 a waiver that nothing needs": (
        question(more="    waived: {Q010: it must be long}\n"),
        r"^small.yaml:17:14: Q023 warning: one: nothing needs the waiver of Q010$",
    ),
}  # fmt: skip


def test_a_file_without_faults_is_clean():
    assert found(quiz(question())) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(name):
    text, pattern = FAULTS[name]
    said = found(quiz(text))
    assert any(re.search(pattern, line) for line in said), said
    assert {line.split()[1] for line in said} == {name.split()[0]}


def test_a_waiver_with_a_reason_silences_a_warning_and_no_error():
    long = question(choices=choice(1, "the first") + choice(2, LONG, KEY), more="    waived: {Q010: a formula}\n")
    assert found(quiz(long)) == []
    twice = question(choices=choice(1, "the same") + choice(2, "the same", KEY), more="    waived: {Q002: it is so}\n")
    assert any("Q002 one: c2 and c1 are the same" in line for line in found(quiz(twice)))
    absolute = question(choices=choice(1, "it always holds") + choice(2, "it may hold", KEY))
    assert found(quiz(absolute, more="waived: {Q014: a law}\n")) == []
    assert "Q023" in found(quiz(question(), more="waived: {Q014: a law}\n"))[0]
    rows = choice(1, "first") + choice(2, "the second", KEY) + choice(3, "third")
    lengths = [question(f"q{n}", choices=rows) for n in range(10)]
    assert found(quiz(*lengths, more="waived: {Q011: formulas}\n")) == []


def test_an_id_in_two_files_is_found_in_the_second():
    said = found(
        quiz(question()),
        quiz(question("one"))
        .replace("quiz: small", "quiz: small1")
        .replace("id: fine", "id: fin")
        .replace("id: good", "id: goo"),
    )
    assert said == ["small1.yaml:5:5: Q001 the id 'one' is also in small.yaml"]


def test_a_key_that_is_the_longest_too_often_is_found():
    many = [
        question(f"q{n}", choices=choice(1, "first") + choice(2, "the second", KEY) + choice(3, "third"))
        for n in range(10)
    ]
    said = found(quiz(*many), quiz().replace("id: ", "id: x").replace("quiz: small", "quiz: small1"))[0]
    assert said.startswith("small.yaml:1:1: Q011 warning: the key is the longest choice in 10 of 14")
    assert any(line.startswith("small.yaml:4:1: Q011 warning") for line in found(quiz(*many)))


@pytest.mark.parametrize(
    ("hits", "total", "choices", "unlikely"),
    [(10, 17, 4, True), (9, 17, 4, False), (14, 30, 4, True), (13, 30, 4, False), (24, 60, 4, True),
     (23, 60, 4, False), (17, 30, 3, True), (16, 30, 3, False)],
)  # fmt: skip
def test_the_thresholds_of_the_length_cue_are_those_of_the_binomial(hits, total, choices, unlikely):
    from math import comb

    exact = sum(comb(total, k) * (choices - 1) ** (total - k) for k in range(hits, total + 1)) / choices**total
    assert at_least(hits, [1 / choices] * total) == pytest.approx(exact)
    assert (exact < 0.01) is unlikely


@pytest.mark.parametrize(("places", "level"), [((14, 8, 5, 3), "note: "), ((16, 8, 4, 2), "warning: ")])
def test_places_of_keys_in_a_fixed_order_are_counted(places, level):
    words = ["one thing", "another", "a third", "a fourth"]
    several = []
    for place, count in enumerate(places):
        for number in range(count):
            rows = "".join(choice(n, word, KEY if n == place else "") for n, word in enumerate(words))
            several.append(question(f"q{place}-{number}", choices=rows, more="    order: fixed\n"))
    said = [line for line in found(quiz(*several)) if "Q012" in line]
    assert len(said) == 1
    assert f"Q012 {level}keys of questions in fixed order stand at {'/'.join(map(str, places))} of 4 places" in said[0]


def test_a_topic_with_few_questions_or_one_level_is_found():
    other = question("other").replace("topic: small", "topic: lonely")
    assert found(quiz(other)) == [
        "small.yaml:8:5: Q021 warning: the topic 'lonely' has 1 questions; fewer than 3 say little",
        "small.yaml:20:5: Q021 warning: the topic 'small' has 2 questions; fewer than 3 say little",
    ]
    flat = quiz(question()).replace("level: intro", "level: core").replace("level: stretch", "level: core")
    assert found(flat) == ["small.yaml:9:5: Q021 warning: all questions of the topic 'small' are of level core"]


def test_a_misconception_or_an_exercise_that_the_course_does_not_have_is_found():
    text = quiz(question(more="    exercise: atention\n    misconceptions: [bpe/nonsense, bpe/known]\n"))
    said = [str(one) for one in unknown([parse(text, "small.yaml", "small")], {"bpe"}, {"bpe/known"})]
    assert said == [
        "small.yaml:17:5: Q022 one: there is no exercise 'atention'",
        "small.yaml:5:5: Q022 one: there is no misconception 'bpe/nonsense'",
    ]


def test_code_that_prints_something_else_or_does_not_run_is_found():
    text = quiz(
        question("one", more='    code: {lang: python, text: "print(1)", after: "print(2)", expect: "1\\n2"}\n'),
        question("two", more='    code: {lang: python, text: "print(1)", expect: "3"}\n'),
        question("three", more='    code: {lang: python, text: "print(undefined)", expect: "3"}\n'),
        question("four", more='    code: {lang: c, text: "int i;"}\n'),
    )
    with Sandbox() as sandbox:
        said = [str(one) for one in run_all(sandbox, parse(text, "small.yaml", "small"))]
    assert said == [
        "small.yaml:30:44: Q020 the code of two prints '1', not '3'",
        "small.yaml:43:52: Q020 the code of three does not run: name 'undefined' is not defined",
    ]


def test_the_command_counts_and_says_by_its_exit_code_whether_all_is_well(tmp_path):
    from tests.test_cli import run

    path = tmp_path / "small.yaml"
    path.write_text(quiz(FAULTS["Q010 a long key"][0]))
    result = run("quiz", "lint", str(path), "--course", str(ROOT))
    assert result.returncode == 1
    assert "Q010 warning: one: the key has 105 characters" in result.stdout
    assert result.stdout.endswith("3 questions in 1 files: 0 errors, 1 warnings, 0 notes\n")
    path.write_text(quiz(question()))
    assert run("quiz", "lint", str(path), "--course", str(ROOT)).returncode == 0
    assert run("quiz", "lint", str(tmp_path / "none.yaml")).returncode == 2
    assert proof(ROOT, [path], run=False, note=print).items == 3
