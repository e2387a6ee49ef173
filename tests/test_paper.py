"""No paper is lost: whatever people write is read, or said with its line, and costs nothing but itself."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.papers.decoding import decoded, plain
from grader.papers.marking import mark, unmarked
from grader.papers.paper import LARGEST, MANY, read
from grader.papers.result import Result, decimal, dump, load
from tests.papers import IDS, RIGHT, answers, letters, paper, quizzes

ORDER = IDS  # numbers of questions, where letters are those of the file


def given_(text, order=ORDER, encoding="utf-8"):
    """Return what a paper answers: texts by question, and remarks as (line, message)."""
    data = text if isinstance(text, bytes) else text.encode(encoding)
    found, remarks = read(data, IDS).answers(order)
    return {name: one.text for name, one in found.items()}, [(one.line, one.message) for one in remarks]


def said(text):
    """Return the answer to is-even, which must be all that a paper says."""
    found, remarks = given_(text)
    assert remarks == []
    assert [*found] == ["is-even"]
    return found["is-even"]


# --- what people write ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "is-even: b",
        "is-even : b",
        "is-even:b",
        "is-even = b",
        "is-even=b",
        "is-even - b",
        "is-even – b",
        "is-even -> b",
        "is-even → b",
        "is-even\tb",
        "is-even b",
        "2. b",
        "2) b",
        "(2) b",
        "2: b",
        "2\tb",
        "Q2: b",
        "q2. b",
        "Question 2: b",
        "IS_EVEN: b",
        "Is even: b",
        "- is-even: b",
        "* **is-even**: b",
        "> is-even: b",
        "| is-even | b |",
        "`is-even`: b",
        '"is-even": "b"',
        "“is-even”: “b”",
        "‘is-even’ = ‘b’",
        "is-even：b",
        "is-even: 'b'",
        "is-even: 'b",
        'is-even: b"',
        "is-even: b # I am sure",
        "is-even: b,",
        "is-even: [b]",
        "is-even:\n  - b",
        "is-even:\n- b",
        "is-even:\n  b",
        "is-even: |\n  b",
        "is-even: {b}",
        "is-even: !!str b",
        "is-even:\nb\n\n= 3",
        "---\nis-even: b\n---\n",
        "# a comment\n\nis-even: b\n",
        "is-even: b\n\n\n\n",
        "answers:\n  is-even: b",
        "answers:\n  - is-even: b",
        "- is-even: b\n",
        '{"is-even": "b"}',
        '{"answers": {"is-even": ["b"]}}',
        '{\n\t"is-even":\t"b"\n}',
        '[{"is-even": "b"}]',
        '{"is-even": "b", "student": "\\ud83d\\ude00"}',
        '{"is-even": "b",}',
        '{"is-even": "b"',
        "is-even: *b*",
        "```yaml\nis-even: b\n```",
    ],
)
def test_each_of_these_is_b(text):
    if text.endswith("= 3"):
        found, remarks = given_(text)
        assert found["is-even"] == "b"
        assert [line for line, _ in remarks] == [4]
    else:
        assert plain(said(text)).strip("[]'\",") == "b"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_every_line_end_is_read(encoding, end):
    text = end.join(["# naïve “quotes” – é", "student: Zoë", "is-even: b", "kilobyte: ’1024’", ""])
    data = text.encode(encoding)
    assert given_(data)[0] == {"is-even": "b", "kilobyte": "’1024’"}
    assert read(data, IDS).student == "Zoë"


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "on", "off", "y", "12:30:45", "2024-01-01", "1e-5", "0x10", "010", "1_000", "0.10", "NaN", "~"],
)
def test_the_text_of_an_answer_is_kept_not_what_yaml_makes_of_it(text):
    assert said(f"is-even: {text}\n") == text
    assert said(f"is-even = {text}\n") == text


def test_json_numbers_and_words_are_kept_as_texts():
    found, _ = given_('{"kilobyte": 1.0e3, "is-even": true, "one-plus-one": null, "small-primes": [1, "b"]}')
    assert found == {"kilobyte": "1.0e3", "is-even": "true", "one-plus-one": "null", "small-primes": "1, b"}
    found, _ = given_('{"\\ud83d\\ude00": 1, "kilobyte": 1.0e3, "is-even": true, "one-plus-one": null}')
    assert found == {"kilobyte": "1.0e3", "is-even": "true", "one-plus-one": ""}


@pytest.mark.parametrize(
    "text",
    ["small-primes: [a, c]", "small-primes:\n  - a\n  - c", "small-primes: a, c", "small-primes = a, c", "3) a, c"],
)
def test_a_list_is_a_list_however_it_is_written(text):
    assert given_(text) == ({"small-primes": "a, c"}, [])
    assert given_(text + "\nis-even: @\n")[0]["small-primes"].strip("[]") == "a, c"


def test_a_line_that_yaml_would_take_for_a_part_of_the_one_above_is_an_answer():
    assert given_("is-even: b\n  kilobyte = 5\n")[0] == {"is-even": "b", "kilobyte": "5"}
    assert given_('is-even: "b\nkilobyte: 5\none-plus-one: c"\n')[0] == {
        "is-even": "b",
        "kilobyte": "5",
        "one-plus-one": "c",
    }


def test_a_text_goes_on_below():
    found, remarks = given_("one-plus-one: Two,\n  of course\nis-even = b\n")
    assert (found, remarks) == ({"one-plus-one": "Two of course", "is-even": "b"}, [])


# --- what is said -----------------------------------------------------------------------------


def test_of_two_answers_the_last_counts_and_that_is_said():
    found, remarks = given_("is-even: a\nis-even: b\n")
    assert found == {"is-even": "b"}
    assert remarks == [(2, "is-even is answered twice; the last answer counts")]
    assert given_("is-even: b\n2. b\nis-even:\n") == ({"is-even": "b"}, [])


def test_json_that_yaml_cannot_read_has_its_lines_too():
    text = '{"student": "\\ud83d\\ude00",\n"is-even": "a",\n"is-even": "b",\n"k\\u0069lobyte": 1, "foo": 1}'
    found, remarks = given_(text)
    assert found == {"is-even": "b", "kilobyte": "1"}
    assert remarks == [
        (3, "is-even is answered twice; the last answer counts"),
        (4, "'foo' is no question of this quiz"),
    ]


def test_a_question_that_is_not_there_is_said_with_what_was_meant():
    found, remarks = given_("is-evn: b\ntomatoes: c\n9: a\nkilobyte: 5\n")
    assert remarks == [
        (1, "'is-evn' is no question of this quiz; did you mean 'is-even'?"),
        (2, "'tomatoes' is no question of this quiz"),
        (3, "there is no question 9; there are 5"),
    ]
    assert found == {"kilobyte": "5", "is-even": "b"}
    result = mark(quizzes(), None, read(b"is-evn: b\nkilobyte: 1024\n", IDS))
    states = {one.item: one.status for one in result.marks}
    assert states["is-even"] == "unclear"
    assert states["one-plus-one"] == "unanswered"
    assert result.score == 3


def test_an_answer_to_a_misspelt_question_is_not_needed_if_there_is_another():
    result = mark(quizzes(), None, read(b"is-evn: a\nis-even: b\n", IDS))
    assert next(one for one in result.marks if one.item == "is-even").right
    assert len(result.remarks) == 1


@pytest.mark.parametrize("line", ["b", "!!!", "just a sentence.", "- c", "[[[[[[", "\ufffd\ufffd", "3.5", "12 apples"])
def test_a_line_that_says_nothing_is_said_and_the_rest_is_marked(line):
    found, remarks = given_(f"is-even: b\n\n{line}\n\nkilobyte = 5\n")
    assert found == {"is-even": "b", "kilobyte": "5"}
    assert [place for place, _ in remarks] == [3]
    assert "cannot be read as a question and its answer" in remarks[0][1]


def test_an_answer_that_cannot_be_read_is_unclear_and_costs_itself_alone():
    text = "\n".join(answers(None, {**RIGHT, "is-even": "perhaps", "kilobyte": "5,240"}))
    result = mark(quizzes(), None, read(text.encode(), IDS))
    unclear = {one.item: one.message for one in result.marks if one.status == "unclear"}
    assert unclear["is-even"] == "'perhaps' is no answer; pick a to b"
    assert unclear["kilobyte"].startswith("5,240 can be read as 5240 or as 5.240")
    assert result.unclear == 2
    assert result.score == result.points - 4


def test_a_list_in_a_list_is_unclear():
    result = mark(quizzes(), None, read(b"small-primes: [[a], b]\nis-even: {a: {b: c}}\n", IDS))
    assert [one.status for one in result.marks] == ["unanswered", "unclear", "unclear", "unanswered", "unanswered"]
    assert [one.line for one in result.remarks] == [1, 2]


def test_nothing_is_unanswered():
    for text in ("", "\n", "# only\n", "is-even:\n", "is-even: ~\n", "is-even: null\n", "{}", "[]", "\ufeff", "null"):
        result = mark(quizzes(), None, read(text.encode(), IDS))
        assert {one.status for one in result.marks} == {"unanswered"}, text
        assert result.score == 0


def test_anchors_nesting_and_tags_do_no_harm():
    found, _ = given_("is-even: &x b\nkilobyte: *x\nsmall-primes: !!python/object/apply:os.system [a]\n")
    assert set(found) == {"is-even", "kilobyte", "small-primes"}
    for text in ("[" * 100_000, "{" * 100_000, "- " * 50_000, "a: " * 50_000, "is-even: " + "[" * 100_000, "? " * 9999):
        assert given_(text + "\nkilobyte: 5\n")[0].get("kilobyte") == "5"
    deep = '{"\\ud83d\\ude00": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert given_(deep)[0] == {}


def test_laughing_is_refused():
    laugh = "a: &a [x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found, remarks = given_(laugh + "is-even: b\n")
    assert found == {"is-even": "b"}
    assert len(remarks) == 9


def test_a_huge_file_is_read_as_far_as_is_sensible():
    found, remarks = given_("is-even: b\n" + "# nothing\n" * (LARGEST // 10) + "kilobyte: 5\n")
    assert found == {"is-even": "b"}
    assert remarks == [(1, "only the first 256 KiB of the file were read")]
    found, remarks = given_("is-even: b\n" + "what is this\n" * 9999)
    assert found == {"is-even": "b"}
    assert len(remarks) == MANY + 1
    assert remarks[-1][1] == f"and {9999 - MANY} more from here on"
    for line in (
        "*" * LARGEST,
        " " * LARGEST,
        "a" * LARGEST,
        '"' * LARGEST,
        "- " * (LARGEST // 2),
        "a-" * (LARGEST // 2),
    ):
        assert given_(f"is-even = b\n{line}")[0] == {"is-even": "b"}


def test_what_a_terminal_obeys_is_written_out_in_what_is_said():
    result = mark(quizzes(), None, read("is-even: \x1b[31mred\u202e\nfo\u202eo: 1\n".encode(), IDS))
    assert "\x1b" not in dump(result)
    assert "\u202e" not in dump(result)


# --- marks ------------------------------------------------------------------------------------


def test_letters_are_those_of_the_form():
    asked = quizzes()
    for seed in ["1", "2", "3", None]:
        result = mark(asked, seed, read(paper(seed).encode(), IDS))
        assert result.score == result.points == 8
        assert [one.item for one in result.marks] == IDS
    assert [mark(asked, seed, read(paper("1").encode(), IDS)).score < 8 for seed in "123456"].count(True) >= 4


@given(st.data(), st.sampled_from([None, "x", "seed 7"]))
@settings(max_examples=60)
def test_picks_are_what_was_picked_in_every_form(data, seed):
    asked = quizzes()
    wanted = {}
    for item in asked[0].items[:-1]:
        ids = [choice.id for choice in item.choices]
        wanted[item.id] = data.draw(
            st.sets(st.sampled_from(ids), min_size=1, max_size=1 if item.type == "single" else 4)
        )
    result = mark(asked, seed, read(paper(seed, wanted).encode(), IDS))
    assert {one.item: set(one.picks) for one in result.marks if one.picks} == wanted
    assert result.remarks == ()


def test_numbers_of_questions_are_those_of_the_form():
    from grader.papers.form import items

    asked = quizzes()
    lines = []
    for number, item in enumerate(items(asked, "s"), start=1):
        right = RIGHT[item.id]
        lines.append(f"{number}. {right if isinstance(right, str) else ' '.join(letters(item, right, 's'))}")
    assert mark(asked, "s", read("\n".join(lines).encode(), IDS)).score == 8


@pytest.mark.parametrize(
    ("name", "text", "score"),
    [
        ("small-primes", "a", Fraction(1, 2)),
        ("small-primes", "a b c", Fraction(1, 2)),
        ("small-primes", "c d", 0),
        ("all-squares", "a", 0),
        ("all-squares", "ab", 1),
        ("is-even", "Yes", 1),
        ("is-even", "b) yes", 1),
        ("is-even", "(b) YES", 1),
        ("is-even", "no", 0),
        ("one-plus-one", "Two,   of course", 1),
        ("one-plus-one", "A: “two, of course”", None),
        ("one-plus-one", "b) Two, of course", None),
        ("kilobyte", "1 024 bytes", 1),
        ("kilobyte", "‘1024’", None),
        ("kilobyte", "1024.0", 1),
        ("kilobyte", "1000", 0),
    ],
)
def test_an_answer_is_worth(name, text, score):
    (found,) = [one for one in mark(quizzes(), None, read(f"{name}: {text}".encode(), IDS)).marks if one.given]
    if score is None:
        assert found.status == "unclear"
    assert (found.score, found.status == "unclear") == (score or 0, score is None)
    assert found.earned == found.score * found.points


def test_a_known_wrong_answer_is_named():
    result = mark(quizzes(), None, read(b"kilobyte: 1000\none-plus-one: c\n", IDS))
    found = {one.item: (one.near, one.wrongs) for one in result.marks if one.status == "answered"}
    assert found == {"kilobyte": ("1000", ("sums/Kilo",)), "one-plus-one": ("", ("sums/Beside",))}


def test_a_result_is_read_back_exactly(tmp_path):
    result = mark(quizzes(), "s", read(paper("s", {**RIGHT, "small-primes": {"p2"}}).encode(), IDS), student="Ann")
    path = tmp_path / "r.json"
    path.write_text(dump(result), "utf-8")
    assert load(path) == result
    assert json.loads(dump(result))["schema"] == "llm-quiz-result/1"
    assert json.loads(dump(result))["score"] == "7"
    failed = unmarked(quizzes(), "no form", student="Bob")
    assert Result.model_validate_json(dump(failed)) == failed


@pytest.mark.parametrize("score", ['"1/0"', '"1e9"', '"-1"', "1", '"0.5"', '"9999999999999"', '"١"', "null"])
def test_a_mark_that_is_none_is_refused(tmp_path, score):
    from grader.errors import UsageError

    path = tmp_path / "r.json"
    path.write_text(dump(mark(quizzes(), None, read(b"", IDS))).replace('"score": "0"', f'"score": {score}', 1))
    with pytest.raises(UsageError, match=r"is no marked paper: .*mark the class again"):
        load(path)


def test_marks_are_written_as_people_write_them():
    assert [decimal(Fraction(*pair)) for pair in ((0, 1), (2, 3), (1, 2), (20, 1))] == ["0", "0.6667", "0.5", "20"]


# --- whatever comes ---------------------------------------------------------------------------

keys = st.sampled_from(
    [*IDS, "form", "student", "answers", "1", "2.", "Q3", "is evn", "zzz", "<<", "?", "", "-", "[", "&a"]
)
values = st.sampled_from(
    [
        "a",
        "b)",
        "[a, c]",
        "- a",
        "no",
        "~",
        "|",
        ">-",
        "'",
        '"',
        "{",
        "}",
        "*a",
        "!!x",
        "12:30",
        "1e-5",
        "#",
        "%",
        "@",
        "\ud7ff",
        "“b”",
    ]
) | st.text(max_size=12)
marks = st.sampled_from([":", ": ", " = ", " - ", "\t", ". ", ") ", ":\n  ", ":\n  - ", "", " "])
lines = st.builds("{}{}{}{}".format, st.sampled_from(["", "  ", "- ", "# ", "\t", "| "]), keys, marks, values)
papers = (
    st.lists(lines, max_size=12).map("\n".join).map(lambda text: text.encode("utf-8", "replace"))
    | st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-16", "replace"))
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    ).map(lambda tree: json.dumps(tree).encode())
)


@settings(max_examples=700, deadline=None)
@given(papers, st.sampled_from([None, "seed"]))
def test_no_paper_ends_in_an_error(data, seed):
    found = read(data, IDS)
    result = mark(quizzes_once(), seed, found, student=found.student)
    assert Result.model_validate_json(dump(result)) == result
    assert 0 <= result.score <= result.points
    assert all(one.status != "unclear" or one.message for one in result.marks)


@settings(max_examples=100)
@given(st.binary(max_size=100) | st.text(max_size=60).map(lambda text: text.encode("utf-16-le", "replace")))
def test_every_file_is_a_text_of_lines(data):
    text = decoded(data)
    assert "\r" not in text
    assert "\0" not in text
    assert text.split("\n") == text.splitlines() or text.endswith("\n") or not text
    assert len(plain(text)) == len(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from("ab")), unique_by=lambda pair: pair[0]), papers)
def test_noise_around_answers_costs_no_answer(pairs, noise):
    """Lines that are read one by one do not depend on those before them, once a line is blank."""
    good = "".join(f"{name} = {letter}\n\n" for name, letter in pairs)
    found, _ = read(
        b"%PDF not yaml: [\n\n" + decoded(noise).encode("utf-8", "replace") + b"\n\n" + good.encode(), IDS
    ).answers(IDS)
    assert {name: found[name].text for name, _ in pairs} == dict(pairs)


def quizzes_once(made=quizzes()):  # noqa: B008  reading it for each example takes longer than the test
    return made
