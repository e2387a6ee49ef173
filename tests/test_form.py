"""A form shows what was asked and nothing that tells; its order depends on its seed alone."""

import csv
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.papers import render
from grader.papers.form import code, derived, redact, write, write_class, write_common
from grader.papers.redacted import Form
from grader.papers.roster import Roster, Row, load
from grader.quiz import bank
from grader.quiz.item import Quiz
from tests.conftest import ROOT
from tests.papers import IDS, QUIZ, SECRET, quizzes

visible = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.just("\n"), min_size=1).filter(
    str.strip
)


@st.composite
def secretive(draw):
    """Return a quiz whose secrets are words that stand nowhere else, and these words."""
    words = [f"kqz{number}x" for number in range(200)]
    spare = iter(words)
    made = []
    for number in range(draw(st.integers(1, 4))):
        item = {
            "id": f"item-{number}",
            "rev": 1,
            "type": draw(st.sampled_from(["single", "multi", "numeric"])),
            "topic": "t",
            "level": "core",
            "prompt": draw(visible),
            "explanation": next(spare),
            "hint": next(spare),
            "tags": [next(spare)],
            "misconceptions": [f"sums/{next(spare)}"],
            "sources": [f"https://{next(spare)}"],
            "waived": {"Q001": next(spare)},
            "seed": {"doc": next(spare), "ref": next(spare)},
            "exercise": next(spare),
        }
        if draw(st.booleans()):
            item["code"] = {"lang": "python", "text": draw(visible), "setup": next(spare), "after": next(spare)}
            item["code"]["expect"] = next(spare)
        if item["type"] == "numeric":
            item["answer"] = {"value": f"48151623{number}", "abs_tol": f"0.000{number}7731"}
            item["near_misses"] = [{"value": f"77{number}7754321", "why": next(spare)}]
        else:
            count = draw(st.integers(2, 5))
            right = draw(st.integers(0, count - 1))
            item["choices"] = [
                {"id": next(spare), "text": draw(visible), "why": next(spare), "correct": place == right}
                for place in range(count)
            ]
            item["choices"][0]["misconception"] = f"sums/{next(spare)}"
        made.append(item)
    tree = {"schema": "llm-quiz/1", "quiz": "sums", "title": draw(visible), "summary": next(spare), "items": made}
    secrets = [*words, *re.findall(r"48151623\d|0\.000\d7731|77\d7754321", repr(tree))]
    return Quiz.model_validate(tree), secrets


def texts(form):
    return [render.source(form), render.page(form), render.answers(form)]


# --- nothing tells ----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(secretive(), st.text(max_size=20))
def test_no_secret_of_a_quiz_is_in_its_form(made, seed):
    quiz, secrets = made
    for text in texts(redact([quiz], seed)):
        assert [word for word in secrets if word in text] == []


@settings(max_examples=40, deadline=None)
@given(secretive(), st.text(max_size=20), st.randoms(use_true_random=False))
def test_a_form_is_the_same_whatever_the_key_is(made, seed, chance):
    quiz, _ = made
    tree = quiz.model_dump(by_alias=True)
    for item in tree["items"]:
        if item["type"] == "single":
            right = chance.randrange(len(item["choices"]))
            item["choices"] = [{**one, "correct": at == right} for at, one in enumerate(item["choices"])]
        elif item["type"] == "multi":
            item["choices"] = [{**one, "correct": True} for one in item["choices"]]
        else:
            item["answer"]["value"], item["near_misses"] = "1", []
        for part in item["choices"]:
            part.update(why="another", misconception=None)
        item.update(explanation="another", hint=None, tags=[], misconceptions=[], sources=[], waived={}, seed=None)
        item.update(rev=item["rev"] + 1, exercise=None)
    assert texts(redact([Quiz.model_validate(tree)], seed)) == texts(redact([quiz], seed))


def test_a_form_has_these_fields_and_no_others():
    form = redact(quizzes(), "seed", "Ann")
    assert set(yaml.safe_load(render.source(form))) == {"schema", "form", "student", "quizzes", "items"}
    fields = {key for item in yaml.safe_load(render.source(form))["items"] for key in item}
    assert fields == {"id", "type", "topic", "level", "points", "scoring", "unit", "prompt", "code", "choices"}
    (question,) = [item for item in form.items if item.id == "one-plus-one"]
    assert question.code.model_dump() == {"lang": "python", "text": "print(1 + 1)\n"}


def test_choice_ids_and_the_seed_are_not_in_a_form():
    for text in texts(redact(quizzes(), "a-very-own-seed")):
        assert not re.search(r"\b(p2|p9|s8|eleven|a-very-own-seed)\b", text)


def test_forms_of_the_course_tell_nothing():
    """What stands in a why or an explanation word for word, and in no question, must not be in a form."""
    asked = list(bank.load(bank.files(ROOT / "quizzes")).quizzes)
    form = redact(asked, "seed")
    found = texts(form)
    open_ = " ".join(text for item in form.items for text in (item.prompt, *item.choices.values()))
    for item in (item for quiz in asked for item in quiz.items):
        secrets = [item.explanation, item.hint, *(one.why for one in (*item.choices, *item.near_misses))]
        for secret in (secret for secret in secrets if secret and secret not in open_):
            assert not any(secret in text for text in found), item.id
    assert Form.model_validate(yaml.safe_load(found[0]), strict=False) == form


# --- order ------------------------------------------------------------------------------------


@given(st.text(max_size=30))
def test_every_question_and_every_choice_is_there_once(seed):
    asked = quizzes()
    form = redact(asked, seed)
    assert sorted(item.id for item in form.items) == sorted(IDS)
    for question in form.items:
        item = next(item for item in asked[0].items if item.id == question.id)
        assert sorted(question.choices.values()) == sorted(choice.text for choice in item.choices)
        assert list(question.choices) == list("abcdefghij"[: len(item.choices)])


def test_the_order_of_a_seed_is_the_same_for_ever():
    form = redact(quizzes(), "2024")
    assert [item.id for item in form.items] == ORDER
    assert [list(item.choices.values()) for item in form.items if item.id == "small-primes"] == [PRIMES]


ORDER = ["one-plus-one", "kilobyte", "all-squares", "small-primes", "is-even"]
PRIMES = ["9", "2", "3", "4"]


def test_seeds_differ_in_order_and_a_fixed_order_stays():
    made = [redact(quizzes(), str(number)) for number in range(40)]
    assert len({tuple(item.id for item in form.items) for form in made}) > 20
    fixed = [list(item.choices.values()) for form in made for item in form.items if item.id == "is-even"]
    assert fixed == [["no", "yes"]] * 40


# --- the code ---------------------------------------------------------------------------------


def test_a_code_changes_with_what_letters_mean_and_with_nothing_else():
    first = code(quizzes(), "seed")
    assert re.fullmatch("[2-9b-z]{5}-[2-9b-z]{5}", first)
    assert code(quizzes(), "seeds") != first
    same = QUIZ.replace("rev: 1", "rev: 7").replace("One too far", "Far").replace("points: 2", "points: 9")
    assert code(quizzes(same), "seed") == first
    for old, new in [("id: p9", "id: p8"), ("order: fixed", "order: shuffle"), ("id: kilobyte", "id: kibibyte")]:
        assert code(quizzes(QUIZ.replace(old, new)), "seed") != first
    assert code(quizzes(), None) == ""


def test_a_seed_comes_from_a_secret_and_a_name():
    assert derived(SECRET, "Ann") == derived(SECRET, "Ann")
    assert len({derived(SECRET, name) for name in ("Ann", "ann", "", "Bob")}) == 4
    assert derived(SECRET, "Zoe\u0308") == derived(SECRET, "Zo\u00eb")
    assert derived(SECRET + "!", "Ann") != derived(SECRET, "Ann")
    with pytest.raises(UsageError, match="has 5 characters and could be guessed"):
        derived("short", "Ann")


# --- files ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(secretive(), st.text(max_size=30))
def test_a_form_is_read_back_from_its_yaml(made, name):
    form = redact([made[0]], "seed", name)
    tree = yaml.safe_load(render.source(form))
    assert Form.model_validate({**tree, "quizzes": tuple(tree["quizzes"]), "items": tuple(tree["items"])}) == form
    blank = yaml.safe_load(render.answers(form))
    assert blank.pop("form") == form.form
    assert (blank.pop("student") or "") == form.student
    assert blank == {item.id: None for item in form.items}


def test_long_texts_are_blocks():
    text = render.source(redact(quizzes(), "seed"))
    assert "    prompt: |-\n      Somebody adds 1 and 1.\n\n      What comes out?\n" in text
    assert "      text: |\n        print(1 + 1)\n" in text


def test_a_blank_answer_file_says_what_is_expected():
    lines = render.answers(redact(quizzes(), "seed", "O'Neil: #1")).splitlines()
    assert lines[:2] == [f"form: {code(quizzes(), 'seed')}", "student: 'O''Neil: #1'"]
    said = {lines[at + 1].removesuffix(": "): line for at, line in enumerate(lines) if line.startswith("# ")}
    assert said["one-plus-one"] == "# one letter a-c"
    assert said["is-even"] == "# one letter a-b"
    assert said["small-primes"] == "# letters, as a, c; a wrong one costs what a right one earns"
    assert said["all-squares"] == "# letters, as a, c; they count only if all are right"
    assert said["kilobyte"] == "# a number, in bytes"
    assert any(re.fullmatch(r"# \d\. Somebody adds 1 and 1. What comes out\?", line) for line in lines)


def test_a_long_question_is_shortened_in_a_comment():
    asked = quizzes(QUIZ.replace('"Is 2 even?"', '"Is ' + "very " * 50 + '2 even?"'))
    assert all(len(line) <= 80 for line in render.answers(redact(asked, "seed")).splitlines())


def test_a_page_numbers_the_questions_as_the_form_has_them():
    form = redact(quizzes(), "seed")
    text = render.page(form)
    heads = re.findall(r"^## (\d+)\. (\S+) \((\d points?)\)$", text, re.MULTILINE)
    assert heads == [
        (str(at), item.id, f"{item.points} point{'s' * (item.points > 1)}") for at, item in enumerate(form.items, 1)
    ]
    assert "```python\nprint(1 + 1)\n```" in text


def test_markdown_between_backticks_is_code_and_elsewhere_text():
    assert render.prose("W_q * `a_b * c` <i>") == r"W\_q \* `a_b * c` \<i\>"
    assert render.fenced("a\n````\n", "text") == "`````text\na\n````\n`````"


def test_a_form_for_all_needs_no_students(tmp_path):
    paths = write(redact(quizzes(), derived(SECRET)), tmp_path)
    assert [path.name for path in paths] == ["quiz.yaml", "quiz.md", "answers.yaml"]
    assert "student" not in yaml.safe_load(paths[0].read_text("utf-8"))
    assert yaml.safe_load(paths[2].read_text("utf-8"))["student"] is None


def test_answers_that_somebody_wrote_are_not_written_over(tmp_path):
    form = redact(quizzes(), "seed")
    write(form, tmp_path)
    write(form, tmp_path)
    path = tmp_path / "answers.yaml"
    path.write_text(path.read_text().replace("is-even: ", "is-even: b"))
    with pytest.raises(UsageError, match="is not blank; somebody's answers may be in it"):
        write(form, tmp_path)
    assert "is-even: b" in path.read_text()


def test_a_class_has_a_folder_each_and_a_list_for_staff(tmp_path):
    roster = write_class(quizzes(), ["Ann", "=Bob", "../Eve", "Zoë"], SECRET, tmp_path / "out")
    with (tmp_path / "out" / "forms.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["student", "form", "seed"]
    assert [row[0] for row in rows[1:]] == ["Ann", "'=Bob", "../Eve", "Zoë"]
    assert load(tmp_path / "out" / "forms.csv").rows == roster.rows
    assert len({row[1] for row in rows}) == 5
    folders = sorted((tmp_path / "out" / "students").iterdir())
    assert len(folders) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    seeds = {row.seed for row in roster.rows}
    for path in (path for folder in folders for path in folder.iterdir()):
        assert not any(seed in path.read_text("utf-8") for seed in seeds)


@pytest.mark.parametrize(
    ("students", "message"),
    [
        (["Ann", "ann "], "the student ann is there twice"),
        (["Ann", " "], "1 of 2 students have no name"),
    ],
)
def test_students_who_cannot_be_told_apart_are_refused(tmp_path, students, message):
    with pytest.raises(UsageError, match=message):
        write_class(quizzes(), students, SECRET, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_id_that_answer_files_use_and_one_that_is_there_twice_are_refused():
    with pytest.raises(UsageError, match="a question cannot be called form"):
        redact(quizzes(QUIZ.replace("id: kilobyte", "id: form")), "seed")
    with pytest.raises(UsageError, match="one-plus-one stands in two of the quizzes"):
        redact(quizzes() * 2, "seed")


# --- the list ---------------------------------------------------------------------------------


def test_a_list_knows_names_and_codes_however_they_are_typed():
    roster = Roster([Row("Ann O'Neil", "bcdfg-23456", "s1"), Row("=Bob", "hjkmn-23456", "s2")])
    assert roster.named(" ann  o'neil ") is roster.rows[0]
    assert roster.named("=bob") is roster.rows[1]
    assert roster.named("") is roster.named(" ") is None
    assert roster.coded("BCDFG 23456") is roster.rows[0]
    assert roster.everyone is None
    assert Roster([Row("", "x", "s")]).everyone.seed == "s"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has other columns"),
        (b"student,form\n", "has other columns"),
        (b"student,form,seed\nann,x\n", ":2: a row has"),
        (b"student,form,seed\nann,,x\n", ":2: a row has"),
        (b"student,form,seed\nann,x,1\nann,y,2\n", "ann is there twice"),
        (b"student,form,seed\nann,x,1\nbob,X,2\n", "bob and ann have the same form"),
        (b"\xff\xfe\xfa", "is no CSV in UTF-8"),
    ],
)
def test_a_damaged_list_is_refused_with_a_sentence(tmp_path, content, message):
    path = tmp_path / "forms.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "none.csv")


def test_who_got_a_form_is_not_forgotten(tmp_path):
    write_class(quizzes(), ["Ann"], SECRET, tmp_path)
    for again in (
        lambda: write_class(quizzes(), ["Bob"], SECRET, tmp_path),
        lambda: write_common(quizzes(), SECRET, tmp_path),
    ):
        with pytest.raises(UsageError, match="has the form of Ann, which would be lost: list all students"):
            again()
        assert load(tmp_path / "forms.csv").students == ("Ann",)
        assert not (tmp_path / "form").exists()
    write_class(quizzes(), ["Ann", "Bob"], SECRET, tmp_path)
    assert load(tmp_path / "forms.csv").students == ("Ann", "Bob")
