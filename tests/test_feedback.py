"""A student reads what was found, and nothing that is not for them: no hidden check, no secret case, no page of others."""

import base64
import hashlib
import re
import subprocess
import sys

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from grader.desk.feedback import page, publish, sheet, text
from grader.desk.page import block, plain
from grader.errors import UsageError
from grader.gradebook import filename
from grader.publish import app
from grader.show import clean
from grader.verdict import Evidence, Mistake, Outcome, Student
from tests.conftest import ROOT
from tests.samples import MISTAKE, grade, result, verdict, write

HTML = "{http://www.w3.org/1999/xhtml}"
NASTY = "<script>alert(1)</script> \" ' & `x` **y** [z](http://a.b) | # $x$ {{ 7 * 7 }} {% x %}"
texts = st.text(max_size=60) | st.sampled_from([NASTY, "שלום עולם", "\u202eabc", "`" * 9, "a\n\n# b\n---\n", "x" * 200])
lines = MarkdownIt("commonmark", {"html": True}).enable("table")
FAILED = [outcome for outcome in Outcome if outcome is not Outcome.PASSED]


def parsed(made):
    """Return the tree of a page as a browser sees it."""
    return html5lib.parse(made)


def skeleton(made):
    """Return the elements of a page with their attributes that mean something, in order, without any text."""
    return [
        (item.tag, item.get("class"), item.get("href")) for item in parsed(made).iter() if isinstance(item.tag, str)
    ]


def words(made):
    """Return the text of a page without its style."""
    body = parsed(made).find(f"{HTML}body")
    return " ".join(" ".join(body.itertext()).split())


def both(made, published=False):
    """Return what a student reads of a result, as a page and as a text."""
    shown = sheet(made, published)
    return page(shown), text(shown)


# --- what is told -----------------------------------------------------------------------------


def test_a_failed_check_tells_all_that_was_found():
    made = result(grade(verdict(), verdict("halves", Outcome.FAILED)), late=True, submitted="2026-03-02T10:00:00+01:00")
    for shown in (words(page(sheet(made))), text(sheet(made))):
        for expected in (
            *("PASS", "FAIL", "2 of 4 points", "the second is too large", "half of the double"),
            *(MISTAKE.why, "smallest case", "x = [1, 2]", "result[1]", "7.5", "4.25", "± 0.001", "4 of 9 cases"),
            *("line 3, in double", "trying 1, trying 2", "look at this check first", "Late", "2026-03-02T10:00"),
        ):
            assert expected in shown.replace("\\", ""), expected


def test_a_real_grade_becomes_a_page(grade_text):
    real = grade_text(
        "def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    print('here I am')\n    return 5 * x\n"
    )
    made = result(real, student="Ann")
    for shown in (words(page(sheet(made))), text(sheet(made))):
        assert "here I am" in shown
        assert "1 of 3 points" in shown
        assert "twice the double" in shown


def test_an_outcome_is_a_word_and_a_shape_and_not_only_a_colour():
    made = page(sheet(result(grade(*(verdict(str(item), item) for item in Outcome)))))
    assert {"PASS", "FAIL", "FAIL (error)", "NOT STARTED"} <= set(re.findall(r'class="word">([^<]+)<', made))
    assert {"#pass", "#fail", "#open", "#broken"} == set(re.findall(r'use href="([^"]+)"', made))
    style = (ROOT / "grader" / "desk" / "pages" / "style.css").read_text("utf-8")
    assert "--pass: #0072b2; --fail: #d55e00" in style


def test_what_all_checks_say_is_said_once():
    unread = {"message": "double.py is a link", "evidence": Evidence(inputs={}), "mistakes": (), "cases": 1}
    made = result(grade(*(verdict(name, Outcome.ERROR, **unread) for name in "abcd")))
    for shown in both(made):
        assert shown.count("double.py is a link") == 1


def test_a_mistake_is_explained_once():
    made = result(grade(verdict("a", Outcome.FAILED), verdict("b", Outcome.FAILED)))
    for shown in both(made):
        assert shown.count("half of the double") == 2
        assert shown.replace("\\", "").count("Is something divided") == 1


def test_a_group_is_named():
    group = Student(name="Red", members=(Student(name="Ann"), Student(login="bob7")))
    for shown in both(result(grade(verdict()), identity=group)):
        assert "Red" in shown
        assert "Ann" in shown
        assert "bob7" in shown


# --- what is not ------------------------------------------------------------------------------

found = st.builds(
    lambda outcome, message, value: verdict(
        "secret",
        outcome,
        message=message,
        evidence=Evidence(inputs={"x": value}, got=value, expected=value, output=value, traceback=value, error=value),
        mistakes=(Mistake(name="m", what=value, why=value),),
        cases=len(value),
    ),
    st.sampled_from(Outcome),
    texts,
    texts,
)


def hidden(item, how):
    return item.model_copy(update={"visibility": how})


@settings(deadline=None)
@given(found, found, st.sampled_from(FAILED), st.sampled_from(["hidden", "after_due_date", "after_published"]))
def test_a_hidden_check_changes_nothing_that_a_student_can_read(one, other, outcome, how):
    def read(item):
        # next_step speaks of whatever check failed first
        made = grade(verdict(), hidden(item, how), verdict("halves", outcome), next_step=f"next {item.outcome}")
        return both(result(made), published=how == "hidden")

    assert read(one) == read(other)
    assert "secret: every number" in words(read(one)[0])


def test_what_comes_later_is_shown_when_it_is_published():
    later = [hidden(verdict(how, Outcome.FAILED, message=f"seen {how}"), how) for how in ("after_due_date", "hidden")]
    made = result(grade(verdict(), *later))
    before, after = words(page(sheet(made))), words(page(sheet(made, published=True)))
    assert "shown after the due date" in before
    assert "seen" not in before
    assert "seen after_due_date" in after
    assert "seen hidden" not in after
    assert "2 of 2 points in the checks shown" in before
    assert "2 of 4 points in the checks shown" in after


@pytest.mark.parametrize("outcome", Outcome)
def test_all_checks_shown_pass_is_not_full_marks_where_hidden_checks_count(outcome):
    made = result(grade(verdict(), hidden(verdict("more", outcome), "hidden"), next_step="all checks pass"))
    for shown in both(made):
        assert "not yet full marks" in shown
        assert "1 more check counts too" in shown
        assert "All checks pass: full marks" not in shown
        assert "all checks pass" not in shown.replace("all checks shown pass", "")
    assert "full marks." in words(page(sheet(result(grade(verdict(), next_step="all checks pass")))))


values = st.text(min_size=12, max_size=40)


@settings(deadline=None)
@given(st.sampled_from([item for item in FAILED if item is not Outcome.REFUSED]), values, values)
def test_a_secret_case_reaches_no_student(outcome, one, other):
    def read(value):
        shown = dict.fromkeys(("got", "expected", "allowed", "note", "traceback", "output", "place"), value)
        evidence = Evidence(inputs={"x": value}, error=f"E{value}", **shown)
        item = verdict("halves", outcome, message=value, evidence=evidence, cases=len(value), wrong=len(value) // 2)
        return both(result(grade(item, item), seed=None), published=True)

    assert read(one) == read(other)
    shown = words(read(one)[0])
    assert "halves: every number" in shown
    assert "half of the double" in shown


def test_a_secret_case_leaves_the_kind_of_an_error():
    raised = verdict("a", Outcome.ERROR, message="ValueError: 77", evidence=Evidence(inputs={}, error="ValueError"))
    shown = words(page(sheet(result(grade(raised), seed=None))))
    assert "ended with ValueError" in shown
    assert "77" not in shown


def test_two_students_of_one_name_do_not_read_each_other(tmp_path):
    with pytest.raises(UsageError, match="rename one"):
        publish([result(grade(verdict())), result(grade(verdict("other")))], tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- hostile texts ----------------------------------------------------------------------------


@settings(deadline=None)
@given(texts.filter(str.strip), texts, texts)
def test_no_text_becomes_part_of_a_page(name, message, value):
    def made(name, message, value):
        evidence = Evidence(inputs={"x": f"1{value}"}, got=f"2{value}", traceback=f"3{value}.", output=f"4{value}.")
        mistake = Mistake(name="m", what=f"5{value}", why=f"6{value}")
        item = verdict("a", Outcome.FAILED, title=f"7{value}", message=f"8{message}", evidence=evidence)
        item = item.model_copy(update={"mistakes": (mistake,)})
        return sheet(
            result(grade(item, title=f"9{value}", next_step=f"0{value}"), student=f"x{name}", note=f"x{message}")
        )

    shown, harmless = made(name, message, value), made("a", "b", "c")
    assert skeleton(page(shown)) == skeleton(page(harmless))
    heading = parsed(page(shown)).find(f".//{HTML}h1/{HTML}bdi")
    assert " ".join((heading.text or "").split()) == " ".join(clean(f"x{name}").split())
    kinds = [[token.type for token in lines.parse(text(item))] for item in (shown, harmless)]
    assert kinds[0] == kinds[1]


@given(texts)
def test_plain_text_means_itself_in_markdown(said):
    first = lines.parseInline(f"a {plain(said)}")[0]
    assert {token.type for token in first.children} == {"text"} or not said.strip()
    assert "".join(token.content for token in first.children).split() == ["a", *clean(said).split()]


@given(texts)
def test_nothing_ends_a_block_of_code(said):
    tokens = lines.parse(f"{block(said)}\n\nafter")
    assert [token.type for token in tokens][:2] == ["fence", "paragraph_open"]


@pytest.mark.parametrize("seed", [0, None])
def test_a_page_needs_nothing_and_allows_nothing(seed):
    made = page(sheet(result(grade(verdict("a", Outcome.FAILED)), seed=seed)))
    tree = html5lib.HTMLParser(strict=True).parse(made)  # valid, too
    for item in tree.iter():
        assert item.get("style") is None
        assert item.get("src") is None
        assert (item.get("href") or "#").startswith("#")
    assert tree.find(f".//{HTML}script") is None
    (policy,) = (item.get("content") for item in tree.iter(f"{HTML}meta") if item.get("http-equiv"))
    assert "default-src 'none'" in policy
    style = tree.find(f".//{HTML}style").text
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert tree.get("lang") == "en"


# --- the command ------------------------------------------------------------------------------


def test_the_command_writes_a_page_and_a_text_for_each(tmp_path):
    names = ["ann", "Ann", "a/b", "<script>", "x" * 200]
    folder = write(tmp_path / "results", [result(grade(verdict()), student=name) for name in names])
    called = CliRunner().invoke(app, ["feedback", str(folder), "-o", str(tmp_path / "out")])
    assert called.exit_code == 0, called.output
    assert "5 students" in called.output
    stems = {filename(name).removesuffix(".json") for name in names}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{s}.{end}" for s in stems for end in ("html", "md")
    }
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "out").iterdir()}
    CliRunner().invoke(app, ["feedback", str(folder), "-o", str(tmp_path / "out")])
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "out").iterdir()} == before


def test_without_results_or_jinja_there_is_a_sentence(tmp_path):
    def run(*arguments):
        start = "import sys; sys.modules['jinja2'] = None; from grader.entry import main; main()"
        return subprocess.run([sys.executable, "-c", start, "feedback", *arguments], capture_output=True, text=True)

    missing = run(str(tmp_path), "-o", str(tmp_path / "out"))
    assert missing.returncode == 2
    assert "holds no results" in missing.stderr
    (tmp_path / "grades").mkdir()
    assert run(str(tmp_path), "-o", str(tmp_path / "out")).returncode == 4
    folder = write(tmp_path / "more", [result(grade(verdict()))])
    bare = run(str(folder), "-o", str(tmp_path / "out"))
    assert bare.returncode == 2
    assert "pip install 'llm-fundamentals-grader[report]'" in bare.stderr
    assert "Traceback" not in bare.stderr


def test_a_grade_knows_its_file_and_how_many_cases_are_wrong(grade_text):
    source = b"def double(x):\n    return 2 * x if x else 1\n"
    made = grade_text(source)
    assert made.digest == hashlib.sha256(source).hexdigest()
    for item in made.verdicts:
        assert (item.wrong == 0) == (item.outcome is Outcome.PASSED)
        assert item.wrong <= item.cases
    assert grade_text(b"\x00").digest == ""
