"""The numbers of an item analysis are right, and none is shown that the class is too small for."""

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import EmptyError, UsageError
from grader.papers.analysis import KEY, analyse
from grader.papers.marking import mark, unmarked
from grader.papers.paper import read
from grader.papers.scatter import svg
from grader.papers.statistic import alpha, bonett, correlation, edges, fisher, wilson
from grader.papers.table import lines, rows
from tests.papers import IDS, RIGHT, choice_quiz, marked, noise, paper, quizzes

SVG = "{http://www.w3.org/2000/svg}"


def made_up(students, questions=8, turned=(), points=1):
    """Return a quiz and a class: who knows more is right more often, but for the questions that are turned round."""
    asked = choice_quiz(questions, points)
    picks = []
    for student in range(students):
        row = []
        for question in range(questions):
            chance = 0.15 + 0.75 * noise("ability", student)
            good = noise(student, question) < (1 - chance if question in turned else chance)
            row.append("a" if good else "b" if noise("wrong", student, question) < 0.97 else "c")
        picks.append(row)
    return asked, marked(asked, picks)


def analysed(students, **more):
    asked, results = made_up(students, **more)
    return analyse(results, asked)


def fractions(values):
    return [Fraction(value) for value in values]


# --- by hand ----------------------------------------------------------------------------------


def test_four_students_and_two_questions_by_hand():
    """Marks (1,1), (1,1), (1,0), (0,0): r of either question with the other is 1 / sqrt(3)."""
    asked = choice_quiz(2)
    found = analyse(marked(asked, ["aa", "aa", "ab", "bc"]), asked)
    first, second = found.items
    assert (first.p, second.p) == (Fraction(3, 4), Fraction(1, 2))
    assert first.r == second.r == pytest.approx(1 / math.sqrt(3))
    assert (first.right, first.n, second.right) == (3, 4, 2)
    # variances 3/16 and 1/4, of the totals (2, 2, 1, 0) 11/16: 2 * (1 - 7/11)
    assert found.alpha == pytest.approx(8 / 11)
    assert found.binary
    # the best 27 % of four is one: of the two best each counts half
    assert (first.d, second.d) == (1, 1)
    assert [(one.name, one.count, one.share) for one in second.options] == [
        ("a", 2, Fraction(1, 2)),
        ("b", 1, Fraction(1, 4)),
        ("c", 1, Fraction(1, 4)),
    ]
    assert (found.mean, found.deviation) == (Fraction(5, 4), pytest.approx(math.sqrt(11 / 12)))


def test_the_question_itself_is_left_out_of_the_total():
    asked = choice_quiz(3)
    found = analyse(marked(asked, ["aab", "aba", "baa", "bbb"]), asked)
    scores = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [0, 0, 0]])
    rest = scores[:, 1] + scores[:, 2]
    assert found.items[0].r == pytest.approx(np.corrcoef(scores[:, 0], rest)[0, 1], abs=1e-15)
    assert found.items[0].r == 0
    assert np.corrcoef(scores[:, 0], scores.sum(1))[0, 1] > 0.5


def test_what_has_no_variance_is_undefined_and_that_is_said():
    asked = choice_quiz(3)
    found = analyse(marked(asked, ["aab", "aaa"] * 20), asked)
    assert [one.r for one in found.items] == [None, None, None]
    assert found.items[0].discrimination == "undefined, no variance"
    assert found.alpha == 0
    text = "\n".join(lines(found))
    assert "q-00  p 1.00 (0.91 to 1.00), r undefined, no variance, D 0.00; right 40 of 40" in text
    same = analyse(marked(asked, ["aab"] * 40), asked)
    assert (same.alpha, same.items[0].d, same.alpha_interval) == (None, None, None)
    assert "KR-20 is undefined: all totals are equal, or there is one question" in "\n".join(lines(same))
    one = choice_quiz(1)
    assert analyse(marked(one, ["a", "b"] * 20), one).alpha is None


def test_intervals_are_those_of_the_books():
    assert wilson(Fraction(1, 2), 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(Fraction(0), 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(Fraction(1), 30) == pytest.approx((0.8865, 1), abs=1e-4)
    assert fisher(0.5, 30) == pytest.approx((0.1704, 0.7290), abs=1e-4)
    assert fisher(1.0, 30) == (1, 1)
    assert fisher(0.5, 3) is None
    low, high = bonett(0.75, 12, 50)
    width = 1.959964 * math.sqrt(2 * 12 / (11 * 48))
    assert (low, high) == pytest.approx((1 - 0.25 * math.exp(width), 1 - 0.25 * math.exp(-width)), abs=1e-6)
    assert bonett(1.0, 12, 50) is bonett(0.5, 1, 50) is bonett(0.5, 5, 2) is None


def test_the_interval_of_alpha_covers_what_it_should():
    chance = np.random.default_rng(1)
    true, hits = 12 / 16, 0  # twelve parallel items whose errors have four times the variance of what they measure
    for _ in range(400):
        table = chance.normal(size=(60, 1)) + 2 * chance.normal(size=(60, 12))
        found = 12 / 11 * (1 - table.var(0, ddof=1).sum() / table.sum(1).var(ddof=1))
        low, high = bonett(found, 12, 60)
        hits += low <= true <= high
    assert 0.92 <= hits / 400 <= 0.98


# --- against another computation --------------------------------------------------------------

numbers = st.lists(st.fractions(0, 1, max_denominator=6), min_size=2, max_size=40)


@settings(max_examples=100)
@given(numbers, st.randoms(use_true_random=False))
def test_a_correlation_is_numpys(one, chance):
    other = [chance.choice(one) + Fraction(chance.randrange(3), 2) for _ in one]
    found = correlation(one, other)
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert found is None
        return
    expected = np.corrcoef(np.array(one, float), np.array(other, float))[0, 1]
    assert found == pytest.approx(expected, abs=1e-9)
    assert -1 <= found <= 1
    assert correlation(one, one) == 1
    assert correlation(one, [-value for value in one]) == -1


@settings(max_examples=60)
@given(st.integers(2, 6), st.integers(2, 30), st.randoms(use_true_random=False))
def test_alpha_is_what_covariances_say(items, students, chance):
    """Alpha from the mean covariance and variance: k c / (v + (k - 1) c)."""
    table = np.array([[chance.randrange(2) for _ in range(students)] for _ in range(items)])
    found = alpha([fractions(map(int, row)) for row in table])
    if len(set(table.sum(0))) == 1:
        assert found is None
        return
    matrix = np.cov(table)
    mean_variance = np.diag(matrix).mean()
    mean_covariance = (matrix.sum() - np.trace(matrix)) / (items * (items - 1))
    assert found == pytest.approx(items * mean_covariance / (mean_variance + (items - 1) * mean_covariance), abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=2, max_size=40), st.randoms())
def test_d_does_not_depend_on_the_order_of_students(pairs, chance):
    marks, totals = fractions(one for one, _ in pairs), fractions(total for _, total in pairs)
    found = edges(marks, totals)
    shuffled = pairs[:]
    chance.shuffle(shuffled)
    assert edges(fractions(one for one, _ in shuffled), fractions(total for _, total in shuffled)) == found
    if found is not None and len(set(totals)) == len(totals):
        size = math.floor(0.27 * len(pairs) + 0.5)
        ranked = [one for _, one in sorted(zip(totals, marks, strict=True))]
        assert found == (sum(ranked[-size:]) - sum(ranked[:size])) / size


@pytest.mark.parametrize("points", [1, 3])
def test_a_made_up_class_is_analysed_as_numpy_does(points):
    asked, results = made_up(137, turned=(5,), points=points)
    found = analyse(results, asked)
    table = np.array([[float(one.earned) for one in result.marks] for result in results])
    totals = table.sum(1)
    for number, one in enumerate(found.items):
        assert float(one.p) == pytest.approx(table[:, number].mean() / points)
        assert one.r == pytest.approx(np.corrcoef(table[:, number], totals - table[:, number])[0, 1])
    k = table.shape[1]
    shares = table.mean(0) / points
    kr20 = k / (k - 1) * (1 - (shares * (1 - shares)).sum() * points**2 / totals.var())
    assert found.alpha == pytest.approx(kr20)
    assert found.binary == (points == 1)
    assert found.items[5].r < 0


# --- what is flagged --------------------------------------------------------------------------


def test_a_turned_key_is_the_first_thing_to_check():
    found = analysed(150, turned=(3,))
    assert found.items[3].flags[0] == KEY
    assert all(one.flags[:1] != (KEY,) for one in found.items if one.item.id != "q-03")
    assert {one.discrimination for one in found.items} <= {"good", "fair", "weak", KEY}


def test_cut_offs_are_those_of_the_literature():
    one = analysed(200).items[0]
    words = [replace(one, r=r).discrimination for r in (0.31, 0.3, 0.29, 0.2, 0.19, 0.0, -0.01, None)]
    assert words == ["good", "good", "fair", "fair", "weak", "weak", KEY, "undefined, no variance"]
    reviews = [replace(one, r=0.5, p=Fraction(p, 100), options=()).flags for p in (19, 20, 90, 91)]
    assert reviews == [("too hard? review",), (), (), ("too easy? review",)]


def test_a_distractor_works_from_five_in_a_hundred():
    asked = choice_quiz(1)
    picks = ["a"] * 160 + ["b"] * 31 + ["c"] * 9
    one = analyse(marked(asked, picks), asked).items[0]
    assert [option.working for option in one.options] == [False, True, False]
    assert "1 distractor picked by under 5 %" in one.flags
    picks = ["a"] * 160 + ["b"] * 30 + ["c"] * 10
    assert [option.working for option in analyse(marked(asked, picks), asked).items[0].options] == [False, True, True]


def test_unanswered_and_unclear_answers_count_as_wrong():
    texts = [paper(None), paper(None, {"is-even": "perhaps"}), ""]
    results = [mark(quizzes(), None, read(text.encode(), IDS), student=str(at)) for at, text in enumerate(texts)]
    found = {one.item.id: one for one in analyse(results, quizzes()).items}
    assert (found["is-even"].unclear, found["is-even"].unanswered, found["is-even"].right) == (1, 1, 1)
    assert found["is-even"].p == Fraction(1, 3)


def test_partial_marks_near_misses_and_misconceptions_are_counted():
    texts = [
        paper(None, {**RIGHT, "small-primes": {"p2"}, "kilobyte": "1000"}),
        paper(None, {**RIGHT, "one-plus-one": {"eleven"}}),
    ]
    results = [mark(quizzes(), None, read(text.encode(), IDS), student=str(at)) for at, text in enumerate(texts)]
    found = analyse(results, quizzes())
    by_id = {one.item.id: one for one in found.items}
    assert by_id["small-primes"].p == Fraction(3, 4)
    assert by_id["small-primes"].right == 1
    assert [(one.name, one.count) for one in by_id["kilobyte"].options] == [("1000", 1)]
    assert found.wrongs == {"sums/Beside": 1, "sums/Kilo": 1}
    assert not found.binary


def test_papers_that_could_not_be_marked_are_not_counted():
    asked, results = made_up(40)
    more = [*results, unmarked(asked, "no form", student="x")]
    assert analyse(more, asked).n == 40
    assert "not counted: 1 paper that could not be marked" in "\n".join(lines(analyse(more, asked)))
    with pytest.raises(EmptyError, match="no paper was marked"):
        analyse(more[-1:], asked)


def test_results_of_other_quizzes_are_refused():
    _, results = made_up(40)
    with pytest.raises(UsageError, match=r"s0000 was marked with other quizzes: sums\. Name these with --quiz"):
        analyse(results, choice_quiz(9))
    with pytest.raises(UsageError, match="mark the class again"):
        analyse(results, choice_quiz(8, points=2))


# --- what is shown ----------------------------------------------------------------------------


def test_below_thirty_nothing_but_counts_is_shown():
    found = analysed(29, turned=(3,))
    text = "\n".join(lines(found))
    assert "below 30 students only counts are shown" in text
    assert re.search(r"^q-00  right \d+ of 29$", text, re.MULTILINE)
    assert not re.search(r"%|\bp \d|\br -?\d|KR-20|look:|0\.\d", text)
    head, *table = rows(found)
    for row in table:
        cells = dict(zip(head, row, strict=True))
        assert {cells[name] for name in ("p", "p low", "r", "r high", "D", "discrimination", "look at")} == {""}
        assert "%" not in cells["picked"]
        assert cells["students"] == "29"
    with pytest.raises(UsageError, match="29 students are too few to draw"):
        svg(found)


def test_below_a_hundred_intervals_are_shown_and_that_they_are_wide():
    found = analysed(30)
    text = "\n".join(lines(found))
    assert "unstable: below 100 students numbers are shown with their 95 % intervals" in text
    assert re.search(r"KR-20 -?\d\.\d\d \(-?\d\.\d\d to \d\.\d\d\)", text)
    assert re.search(
        r"^q-00  p \d\.\d\d \(\d\.\d\d to \d\.\d\d\), r -?\d\.\d\d \(.* to .*\) \w+, D", text, re.MULTILINE
    )


def test_from_a_hundred_on_numbers_stand_alone():
    text = "\n".join(lines(analysed(100)))
    assert "unstable" not in text
    assert " to " not in text


def test_a_table_has_a_row_a_question_and_numbers_with_their_intervals():
    found = analysed(120)
    head, *table = rows(found)
    assert len(table) == 8
    assert all(len(row) == len(head) for row in table)
    for row, one in zip(table, found.items, strict=True):
        cells = dict(zip(head, row, strict=True))
        assert float(cells["p low"]) < float(cells["p"]) < float(cells["p high"])
        assert float(cells["r"]) == pytest.approx(one.r, abs=6e-4)
        assert cells["working distractors"] == f"{sum(option.working for option in one.options)} of 2"
        assert cells["picked"].startswith(f"a: {one.right} (key, ")


def test_no_number_is_a_negative_zero():
    one = replace(analysed(120).items[0], r=-1e-9, d=Fraction(-1, 10**6))
    found = replace(analysed(120), items=(one,))
    assert "-0.0" not in "\n".join(lines(found))
    assert "-0.0" not in repr([*rows(found)])


def test_a_drawing_names_what_is_to_be_looked_at_and_is_the_same_on_every_run():
    found = analysed(60, turned=(3,))
    text = svg(found)
    assert text == svg(analysed(60, turned=(3,)))
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    written = [element.text for element in root.iter(f"{SVG}text")]
    assert "q-03: check the key first" in written
    assert any("60 students; unstable" in line for line in written)
    assert "q-03, p " in root.find(f"{SVG}desc").text
    large = [element.text for element in ET.fromstring(svg(analysed(120))).iter(f"{SVG}text")]
    assert any(line.endswith("(120 students)") for line in large)


def test_labels_of_questions_at_one_place_do_not_lie_on_each_other():
    asked = choice_quiz(30)
    rest = [["a" if number % 2 else "b"] * 30 for number in range(100)]
    found = analyse(marked(asked, rest), asked)
    weak = replace(found, items=tuple(replace(one, r=0.1) for one in found.items))
    root = ET.fromstring(svg(weak))
    places = [
        (float(element.get("x")), float(element.get("y")))
        for element in root.iter(f"{SVG}text")
        if "q-" in element.text
    ]
    assert len(set(places)) == len(places) > 10
    assert all(y <= 460 for _, y in places)
    undefined = replace(found, items=tuple(replace(one, r=None) for one in found.items))
    assert "Not drawn, as all marks are equal: q-00, q-01" in svg(undefined)
