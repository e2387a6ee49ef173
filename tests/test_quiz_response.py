"""Answers as people type them, and what they are worth."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.quiz.item import Answer, Choice, Item, Near
from grader.quiz.order import shown
from grader.quiz.response import Response, UnclearError, near, number, read, score


def item(kind="single", keys=("b",), names="abcd", **more):
    """Return a question whose choices have letters as ids; those of `keys` are right."""
    choices = tuple(Choice(id=name, text=f"the {name} thing", why="It is so.", correct=name in keys) for name in names)
    parts = {"choices": choices} if kind != "numeric" else {"answer": Answer(value="0.5", abs_tol="0.01", unit="GB")}
    return Item(id="one", rev=1, type=kind, topic="t", level="core", prompt="?", explanation="!", **parts | more)


@pytest.mark.parametrize(
    "text", ["b", "B", "b)", "(b)", " b. ", "[b]", "'b'", "the b thing", "THE  B THING"]
)  # fmt: skip
def test_one_letter_is_read_however_it_is_written(text):
    assert read(item(), item().choices, text).picks == {"b"}


@pytest.mark.parametrize("text", ["a c", "ac", "a,c", "A, C", "a and c", "c;a", "a/c", "a & c", "[a, c]", "(a) (c)"])
def test_several_letters_are_read_however_they_are_written(text):
    assert read(item("multi"), item("multi").choices, text).picks == {"a", "c"}


def test_letters_that_may_be_a_range_are_asked_for_again():
    with pytest.raises(UnclearError, match="a-c can be read as a to c or as a and c; type all letters"):
        read(item("multi"), item("multi").choices, "A - C")
    assert read(item("multi"), item("multi").choices, "a-b").picks == {"a", "b"}
    with pytest.raises(UnclearError):
        read(item("multi"), item("multi").choices, "a-b-d")


def test_a_letter_is_that_of_a_choice_even_if_another_choice_is_called_so():
    choices = tuple(
        Choice(id=name, text=text, why="So.") for name, text in (("one", "B"), ("two", "A"), ("three", "add"))
    )
    assert [[*read(item(), choices, text).picks] for text in ("a", "B", "add")] == [["one"], ["two"], ["three"]]


@pytest.mark.parametrize("text", ["", "  ", "e", "the", "1", "ab", "?" * 3000])
def test_what_is_no_answer_is_said_to_be_none(text):
    with pytest.raises(UnclearError):
        read(item(), item().choices, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1024", 1024), ("24,576", None), ("24 576", 24576), ("1,024,000", 1024000), ("24'576", 24576), ("0,354", "0.354"),
        ("12,288,000.5", "12288000.5"), ("1/20", Fraction(1, 20)), ("-1e-3", "-0.001"), (".5", "0.5"), ("5.", 5),
        ("−3", -3), ("5.24 GB", "5.24"), ("5.24gb", "5.24"), ("2.5,1", None), ("abc", None), ("1/0", None),
        ("1e99999", None), ("0x10", None), ("nan", None), ("inf", None), ("1_000", 1000), ("12:30:45", None), ("", None),
        ("1 1/2", None), ("1 / 2", "0.5"), ("5 1000", None), ("1024 2048", None), ("1,024e3", None), ("1/20 000", "0.00005"),
        ("1e5000", None), ("-5 240 000", -5240000), ("1 024.5", "1024.5"), ("1024 204", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them_or_refused(text, value):
    if value is None:
        with pytest.raises(UnclearError):
            number(text, "GB")
    else:
        assert number(text, "GB") == (Fraction(Decimal(value)) if isinstance(value, str) else value)


def test_a_number_that_can_be_read_in_two_ways_is_asked_for_again():
    with pytest.raises(UnclearError, match=r"5,240 can be read as 5240 or as 5\.240; write one of these"):
        number("5,240")


@given(st.fractions(min_value=-(10**9), max_value=10**9), st.integers(0, 6))
def test_every_decimal_that_is_written_is_read_exactly(value, digits):
    rounded = round(value, digits)
    text = f"{Decimal(rounded.numerator) / Decimal(rounded.denominator):f}"
    assert number(text) == Fraction(text)


@pytest.mark.parametrize(
    ("kind", "keys", "picks", "worth"),
    [
        ("single", "b", "b", 1), ("single", "b", "a", 0), ("single", "b", "", 0),
        ("multi", "ab", "ab", 1), ("multi", "ab", "a", Fraction(1, 2)), ("multi", "ab", "ac", 0), ("multi", "ab", "abc", Fraction(1, 2)),
        ("multi", "ab", "abcd", 0), ("multi", "ab", "cd", 0), ("multi", "abc", "ab", Fraction(2, 3)), ("multi", "ab", "", 0),
    ],
)  # fmt: skip
def test_marks(kind, keys, picks, worth):
    assert score(item(kind, keys), Response(frozenset(picks))) == worth
    everything = item(kind, keys, scoring="all_or_nothing")
    assert score(everything, Response(frozenset(picks))) == (worth == 1)


@given(st.sets(st.sampled_from("abcde"), min_size=1), st.sets(st.sampled_from("abcde")), st.text(), st.text())
def test_the_mark_never_depends_on_the_order_in_which_choices_were_shown(keys, picks, seed, other):
    question = item("multi", tuple(sorted(keys)), "abcde")
    marks = set()
    for word in (seed, other):
        choices = shown(question, word)
        assert {choice.id for choice in choices} == set("abcde")
        letters = [letter for letter, choice in zip("abcde", choices, strict=True) if choice.id in picks]
        response = read(question, choices, " ".join(letters)) if letters else Response()
        assert response.picks == picks
        marks.add(score(question, response))
    assert len(marks) == 1


def test_the_order_is_the_same_on_every_machine_and_for_each_question_another():
    names = ["".join(choice.id for choice in shown(item(), seed)) for seed in ("1", "2", "3", "1")]
    assert names == ["dabc", "adcb", "cabd", "dabc"]
    assert {"".join(c.id for c in shown(item(order="fixed"), seed)) for seed in "123"} == {"abcd"}


def test_a_number_within_the_tolerance_is_right_exactly_to_its_edge():
    question = item("numeric", near_misses=(Near(value="2", why="Upside down."),))
    assert [score(question, Response(number=Fraction(text))) for text in ("0.49", "0.51", "0.5100001", "0.4899")] == [
        1,
        1,
        0,
        0,
    ]
    relative = item("numeric", answer=Answer(value="-200", rel_tol="0.01"))
    assert [score(relative, Response(number=Fraction(n))) for n in (-202, -198, -203, 200)] == [1, 1, 0, 0]
    assert near(question, Response(number=Fraction("2.005"))).why == "Upside down."
    assert near(question, Response(number=Fraction(3))) is None
    assert near(item(), Response(frozenset("a"))) is None


@given(st.permutations("abcd"), st.text())
def test_the_order_says_nothing_about_the_order_in_the_file(names, seed):
    assert shown(item(names="".join(names)), seed) == shown(item(), seed)
