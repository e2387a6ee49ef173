"""Those who teach see what cost the class most and whom to look at; the page is the same for the same results."""

import os
import re
import subprocess
import sys

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from grader.desk.overview import LARGE, looks, page
from grader.publish import app
from grader.show import clean
from grader.verdict import Mistake, Outcome
from tests.samples import grade, result, verdict, write
from tests.test_feedback import HTML, texts

SVG = "{http://www.w3.org/2000/svg}"


def parsed(made):
    """Return the tree of a page as a browser sees it."""
    return html5lib.parse(made)


def rows(made, section):
    """Return the texts of the cells of the first table in a section, row by row."""
    (found,) = (item for item in parsed(made).iter(f"{HTML}section") if item.get("id") == section)
    body = found.find(f".//{HTML}tbody")
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in body]


def seen(results, reason):
    """Return who is to be looked at for a reason."""
    return [(item.student, item.exercise) for item in looks(results) if item.reason == reason]


def few(count, outcome=Outcome.FAILED, **more):
    """Return a number of students with one check each."""
    return [result(grade(verdict("a", outcome, **more)), student=f"s{number:03}") for number in range(count)]


# --- what is counted --------------------------------------------------------------------------


def test_scores_are_counted_in_tenths_and_full_marks_apart():
    parts = [0, 1, 9, 10, 55, 99, 100, 100]
    made = [
        result(grade(verdict("a", points=part), verdict("b", Outcome.FAILED, points=100 - part)), student=f"s{number}")
        for number, part in enumerate(parts)
    ]
    counts = [int(count) for _, count in rows(page(made), "scores")]
    assert counts == [3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 2]


def test_a_check_costs_its_points_for_each_student_but_not_for_faults_of_ours():
    made = [
        *few(3, Outcome.FAILED),
        *[item.model_copy(update={"student": f"t{item.student}"}) for item in few(2, Outcome.NOT_STARTED)],
        *[item.model_copy(update={"student": f"u{item.student}"}) for item in few(4, Outcome.BROKEN)],
    ]
    table = parsed(page(made)).findall(f".//{HTML}details//{HTML}tbody")[0]
    (row,) = [["".join(cell.itertext()) for cell in row] for row in table]
    assert row[:7] == ["double", "1", "a: every number", "2", "3", "2", "10"]
    assert row[7] == "half of the double (9)"


def test_a_mistake_counts_its_students_and_their_points():
    other = Mistake(name="sign", what="the sign turned", why="Plus or minus?")
    both = few(2)
    both.append(result(grade(verdict("a", Outcome.FAILED), verdict("b", Outcome.FAILED, mistakes=(other,)))))
    made = page(both)
    tables = parsed(made).findall(f".//{HTML}details//{HTML}tbody")
    found = [["".join(cell.itertext()) for cell in row] for row in tables[1]]
    assert [(row[1], row[3], row[4]) for row in found] == [
        ("half of the double", "3", "6"),
        ("the sign turned", "1", "2"),
    ]


# --- whom to look at --------------------------------------------------------------------------


def test_identical_files_are_found_and_an_untouched_starter_is_no_copy():
    def handed(student, digest, outcome=Outcome.PASSED, exercise="double"):
        return result(grade(verdict("a", outcome), exercise=exercise, digest=digest), student=student)

    made = [
        *(handed("ann", "1"), handed("bob", "1"), handed("cid", "2"), handed("dan", ""), handed("eve", "")),
        *(handed("fay", "3", Outcome.NOT_STARTED), handed("gil", "3", Outcome.NOT_STARTED)),
        handed("hal", "2", exercise="halve"),
    ]
    assert seen(made, "identical file") == [("ann", "double"), ("bob", "double")]


def test_refused_and_broken_are_named_once_for_each_file():
    made = [
        result(grade(verdict("a", Outcome.REFUSED), verdict("b", Outcome.REFUSED)), student="ann"),
        result(grade(verdict("a", Outcome.BROKEN), verdict("b")), student="bob"),
    ]
    assert seen(made, "refused shortcut") == [("ann", "double")]
    assert seen(made, "the grader failed") == [("bob", "double")]


def test_wrong_on_hidden_checks_only():
    def handed(student, open_one, hidden, how="hidden"):
        return result(grade(verdict("a", open_one), verdict("b", hidden, visibility=how)), student=student)

    passed, failed = Outcome.PASSED, Outcome.FAILED
    made = [
        *(handed("ann", passed, failed), handed("bob", failed, failed), handed("cid", passed, passed)),
        *(handed("dan", passed, failed, "after_due_date"), handed("eve", passed, failed, "visible")),
    ]
    assert seen(made, "wrong on hidden checks only") == [("ann", "double"), ("dan", "double")]


@pytest.mark.parametrize(
    ("cases", "wrong", "outcome", "few"),
    [
        *((40, 4, Outcome.FAILED, True), (40, 5, Outcome.FAILED, False), (5, 1, Outcome.FAILED, True)),
        *((4, 1, Outcome.FAILED, False), (5, 2, Outcome.FAILED, False), (40, 1, Outcome.ERROR, False)),
    ],
)
def test_wrong_on_few_cases_only(cases, wrong, outcome, few):
    made = [result(grade(verdict("a", outcome, cases=cases, wrong=wrong)))]
    assert seen(made, "wrong on few cases only") == ([("ann", "double")] if few else [])


def test_timeouts_errors_and_faults_are_listed_with_what_was_said():
    made = [
        result(
            grade(
                verdict("a", Outcome.TIMEOUT, message="no answer"), verdict("b", Outcome.TIMEOUT, message="no answer")
            )
        )
    ]
    assert rows(page(made), "faults") == [["ann", "double", "timeout", "2", "no answer"]]


# --- the page ---------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(texts.filter(str.strip), texts)
def test_no_text_becomes_part_of_the_page(name, message):
    def made(name, message):
        item = verdict("a", Outcome.ERROR, title=f"1{message}", message=f"2{message}")
        item = item.model_copy(update={"mistakes": (Mistake(name="m", what=f"3{message}", why=f"4{message}"),)})
        return page([result(grade(item), student=f"x{name}", note=f"5{message}"), *few(2)])

    def skeleton(shown):
        return [(item.tag, item.get("class")) for item in parsed(shown).iter()]

    shown = made(name, message)
    assert skeleton(shown) == skeleton(made("a", "b"))
    drawn = [item.text for item in parsed(shown).iter(f"{SVG}text")]
    line = " ".join(clean(f"x{name}").split())
    assert any(text and text.rstrip("…") and line.startswith(text.rstrip("…")) for text in drawn)


def test_a_page_needs_nothing_and_allows_nothing():
    made = page(few(3))
    tree = html5lib.HTMLParser(strict=True).parse(made)  # valid, too
    ids = [item.get("id") for item in tree.iter() if item.get("id")]
    assert len(ids) == len(set(ids))
    for item in tree.iter():
        assert item.get("style") is None
        assert item.get("src") is None
        assert (item.get("href") or "#").startswith("#")
    assert "'unsafe" not in made
    assert made.count("<script>") == 1


def test_every_drawing_has_words_for_those_who_do_not_see_it():
    tree = parsed(page(few(3)))
    drawings = [item for item in tree.iter(f"{SVG}svg") if item.get("role") == "img"]
    assert len(drawings) == 4
    for item in drawings:
        title, description = item.find(f"{SVG}title"), item.find(f"{SVG}desc")
        assert len(title.text) > 10
        assert len(description.text) > 10
        assert item.get("aria-labelledby").split() == [title.get("id"), description.get("id")]


def test_the_map_shows_each_student_until_there_are_too_many():
    small, large = page(few(LARGE)), page(few(LARGE + 1))

    def drawn(made):
        (found,) = (item for item in parsed(made).iter(f"{HTML}section") if item.get("id") == "map")
        return [item.text for item in found.iter(f"{SVG}text")]

    assert {f"s{number:03}" for number in range(LARGE)} <= set(drawn(small))
    assert not [text for text in drawn(large) if re.fullmatch(r"s\d+", text or "")]
    assert "100%" in drawn(large)


def test_students_who_were_given_different_exercises_share_a_map():
    made = [result(grade(verdict("a"))), result(grade(verdict("b"), exercise="halve"), student="bob")]
    assert "halve" in page(made)


@given(st.permutations(range(5)))
@settings(max_examples=5, deadline=None)
def test_the_page_does_not_depend_on_how_it_came_about(order):
    made = few(5)
    assert page([made[number] for number in sorted(order)]) == page(made)


def test_the_command_writes_the_same_bytes_whatever_hashes_are(tmp_path):
    folder = write(tmp_path / "results", few(7))
    for seed in ("1", "2"):
        start = [sys.executable, "-c", "from grader.entry import main; main()", "overview", str(folder)]
        subprocess.run([*start, "-o", str(tmp_path / seed)], env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    called = CliRunner().invoke(app, ["overview", str(folder), "-o", str(tmp_path / "new" / "3.html")])
    assert called.exit_code == 0
    assert "it is for staff" in called.output


def test_without_matplotlib_there_is_a_sentence(tmp_path):
    folder = write(tmp_path / "results", few(1))
    start = "import sys; sys.modules['matplotlib'] = None; from grader.entry import main; main()"
    command = [sys.executable, "-c", start, "overview", str(folder), "-o", str(tmp_path / "page.html")]
    called = subprocess.run(command, capture_output=True, text=True)
    assert called.returncode == 2
    assert "drawings need matplotlib: pip install 'llm-fundamentals-grader[report]'" in called.stderr
    assert not (tmp_path / "page.html").exists()
