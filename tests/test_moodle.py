"""A grading worksheet of Moodle comes back with grades filled in, and nothing else touched."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from grader import staff
from grader.desk.moodle import Columns, export
from grader.desk.points import marks
from grader.errors import UsageError
from tests.klass import grade, lay_out, result, verdict

HEADER = [
    "Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade", "Grade can be changed",
    "Last modified (submission)", "Last modified (grade)", "Feedback comments",
]  # fmt: skip
GERMAN = ["ID", "Vollständiger Name", "E-Mail-Adresse", "Status", "Bewertung", "Bestwertung", "Änderbar", "a", "b", "Kommentar"]  # fmt: skip


def row(number, name="Ann Arendt", email="ann@x.org", points="30.00", open_="Yes", word="Participant"):
    submitted = "Submitted, for grading"
    return [f"{word} {number}", name, email, submitted, "", points, open_, "Monday, 1 May 2023, 1:00 PM", "-", ""]


def write(path, *rows, bom=False, newline="\r\n"):
    file = io.StringIO()
    # with line feeds alone the csv module would leave a carriage return without quotes
    quoting = csv.QUOTE_ALL if newline == "\n" else csv.QUOTE_MINIMAL
    csv.writer(file, lineterminator=newline, quoting=quoting).writerows(rows)
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + file.getvalue().encode())
    return path


def parsed(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def grades(content, column=4):
    return [cells[column] for cells in parsed(content)[1:]]


@pytest.fixture
def sheet(tmp_path):
    return write(
        tmp_path / "sheet.csv", HEADER, row(7), row(8, "Bob", "bob@x.org"), row(9, "Cid", "c@x.org", open_="No")
    )


@pytest.mark.parametrize("who", [{"moodle": "7"}, {"email": "ANN@x.org"}, {"name": "Ann Arendt"}])
def test_a_student_is_found_by_participant_address_and_name(sheet, who):
    content, report = export(sheet, marks([result("x", **who)]))
    assert grades(content) == ["20", "", ""]
    assert report.without == ["Bob", "Cid"]


def test_the_number_of_a_participant_outweighs_the_name(sheet):
    content, report = export(sheet, marks([result("x", moodle="70", name="Ann Arendt")]))
    assert content == sheet.read_bytes()
    assert report.unmatched == [{"student": "x", "why": "the only row that fits has another Identifier"}]


def test_a_grade_that_cannot_be_changed_is_left_and_listed(sheet):
    content, report = export(sheet, marks([result("cid", moodle="9"), result("bob", moodle="8")]))
    assert grades(content) == ["", "20", ""]
    assert report.left == [{"student": "cid", "why": "has a grade that cannot be changed"}]


def test_another_maximum_is_an_error_that_says_both_and_scaled_only_if_asked(tmp_path):
    sheet = write(tmp_path / "sheet.csv", HEADER, row(7, points="100,00"))
    found = marks([result("x", moodle="7")])
    with pytest.raises(UsageError, match=r"out of 30 points.*out of 100;"):
        export(sheet, found)
    assert grades(export(sheet, found, scale=True)[0]) == ["66.67"]


def test_feedback_is_filled_in_only_if_asked_and_says_nothing_of_hidden_checks(sheet):
    hidden = verdict("secret", 10, "failed", visibility="hidden")
    found = marks([result("x", grade(verdict("adds", 15), verdict("carries", 5, "failed"), hidden), moodle="7")])
    assert grades(export(sheet, found)[0], 9) == ["", "", ""]
    text = grades(export(sheet, found, comments=True)[0], 9)[0]
    assert text == "sums: 15 of 30 points, not passed: carries"


def test_a_sheet_without_feedback_gets_grades_alone(tmp_path):
    sheet = write(tmp_path / "sheet.csv", HEADER[:-1], row(7)[:-1])
    content, _ = export(sheet, marks([result("x", moodle="7")]), comments=True)
    assert grades(content) == ["20"]


def test_headers_in_another_language_are_named(tmp_path):
    sheet = write(tmp_path / "sheet.csv", GERMAN, row(7, word="Teilnehmer/in"))
    columns = Columns("ID", "Bewertung", "Bestwertung", "Änderbar", "Kommentar")
    content, report = export(sheet, marks([result("x", moodle="7")]), columns, comments=True)
    assert grades(content) == ["20"]
    assert grades(content, 9) == ["sums: 20 of 30 points, not passed: carries"]
    assert report.column == "Bewertung"
    with pytest.raises(UsageError, match=r"no column 'Identifier'.*'Bewertung'"):
        export(sheet, marks([result("x", moodle="7")]))


@pytest.mark.parametrize(
    ("missing", "words"),
    [("Grade", "--column-grade"), ("Maximum Grade", "--column-maximum"), ("Last modified (grade)", "Moodle would not take it")],
)  # fmt: skip
def test_a_column_that_is_missing_is_named(tmp_path, missing, words):
    place = HEADER.index(missing)
    sheet = write(tmp_path / "sheet.csv", HEADER[:place] + HEADER[place + 1 :], row(7)[:place] + row(7)[place + 1 :])
    with pytest.raises(UsageError, match=words):
        export(sheet, marks([result("x", moodle="7")]))


def test_a_scale_of_words_is_refused(tmp_path):
    sheet = write(tmp_path / "sheet.csv", HEADER, row(7, points="Scale"))
    with pytest.raises(UsageError, match="row 2: 'Maximum Grade' is 'Scale'"):
        export(sheet, marks([result("x", moodle="7")]))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_any_cell_survives_an_edit(tmp_path_factory, names, bom, newline):
    path = tmp_path_factory.mktemp("any") / "sheet.csv"
    write(
        path, HEADER, *(row(number, name, mail) for number, (name, mail) in enumerate(names)), bom=bom, newline=newline
    )
    before = path.read_bytes()
    content, report = export(path, marks([result(f"s{n}", moodle=str(n)) for n in range(len(names))]))
    assert len(report.filled) == len(names)
    assert grades(content) == ["20"] * len(names)
    assert [cells[:4] + cells[5:] for cells in parsed(content)] == [cells[:4] + cells[5:] for cells in parsed(before)]
    assert len(content) == len(before) + 2 * len(names)


def test_the_command_fills_a_sheet_and_lists_what_it_left(tmp_path, sheet):
    folder = lay_out(
        tmp_path / "results", [result("=cmd", moodle="9"), result("b", moodle="8"), result("z", moodle="1")]
    )
    arguments = ["export", "moodle", folder, sheet, "-o", tmp_path / "out.csv", "--feedback", "--json"]
    found = CliRunner().invoke(staff.app, [str(item) for item in arguments])
    assert found.exit_code == 1
    said = json.loads(found.stdout)
    assert [item["student"] for item in said["left"]] == ["=cmd"]
    assert [item["student"] for item in said["unmatched"]] == ["z"]
    assert said["without"] == ["Ann Arendt"]
    assert grades((tmp_path / "out.csv").read_bytes()) == ["", "20", ""]
