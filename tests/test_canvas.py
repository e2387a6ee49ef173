"""A Canvas gradebook comes back with one column filled, and nothing else touched."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from grader import staff
from grader.desk.canvas import export
from grader.desk.match import exact, match
from grader.desk.points import marks, number
from grader.desk.sheet import read
from grader.errors import UsageError
from tests.klass import grade, lay_out, result, verdict

BOM = "\ufeff"
HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Sums (77)", "Essay (78)", "Final Score"]
POSSIBLE = ["    Points Possible", "", "", "", "", "30.00", "5.00", "(read only)"]
ANN = ["Arendt, Ann", "101", "s1", "ann@example.org", "A", "", "4", "80"]
BOB = ['"Bob" Brown', "102", "s2", "bob", "A", "1", "", ""]
CID = ["Ceccato, Cid", "103", "s3", "cid", "B", "EX", "", ""]


def write(path, *rows, delimiter=",", bom=False, newline="\r\n", quoting=csv.QUOTE_MINIMAL):
    file = io.StringIO()
    if newline == "\n":  # the csv module would leave a carriage return without quotes, and read it as the end of a line
        quoting = csv.QUOTE_ALL
    csv.writer(file, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows(rows)
    path.write_bytes(((BOM if bom else "") + file.getvalue()).encode())
    return path


def parsed(content, delimiter=","):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def filled(path, *results, **options):
    return export(path, marks(results), **options)


def column(content, delimiter=","):
    return [row[5] for row in parsed(content, delimiter)[2:]]


@pytest.fixture
def book(tmp_path):
    return write(tmp_path / "book.csv", HEADER, POSSIBLE, ANN, BOB, CID)


@pytest.mark.parametrize(
    "who", [{"canvas": "101"}, {"number": "s1"}, {"login": "ann@example.org"}, {"email": "Ann@Example.org"},
            {"name": "Ann Arendt"}, {"name": "Arendt, Ann"}, {"canvas": "101", "name": "married since"}]
)  # fmt: skip
def test_a_student_is_found_by_each_of_canvas_s_keys(book, who):
    content, report = filled(book, result("x", **who))
    assert column(content) == ["20", "1", "EX"]
    assert report.complete
    assert report.without == ['"Bob" Brown', "Ceccato, Cid"]


def test_a_student_of_whom_no_platform_told_is_found_by_the_name_of_the_folder(book):
    assert column(filled(book, result("bob"), result("s1"))[0]) == ["20", "20", "EX"]


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ({"name": "Ann"}, "no row is theirs"),
        ({"canvas": "101", "number": "s2"}, "ID and SIS User ID lead to different rows"),
        ({"canvas": "999", "name": "Ann Arendt"}, "the only row that fits has another ID"),
    ],
)
def test_nobody_is_guessed(book, who, why):
    content, report = filled(book, result("x", **who))
    assert content == book.read_bytes()
    assert report.unmatched == [{"student": "x", "why": why}]
    assert not report.complete


def test_two_students_never_get_one_row(book):
    content, report = filled(book, result("x", canvas="101"), result("y", number="s1"), result("z", canvas="102"))
    assert column(content) == ["", "20", "EX"]
    assert [item["student"] for item in report.unmatched] == ["x", "y"]


def test_a_name_that_two_rows_have_is_nobody_s(tmp_path):
    twin = ["Arendt, Ann", "104", "s4", "ann2", "B", "", "", ""]
    book = write(tmp_path / "book.csv", HEADER, POSSIBLE, ANN, twin)
    content, report = filled(book, result("x", name="Ann Arendt"), result("y", number="s4"))
    assert column(content) == ["", "20"]
    assert report.unmatched == [{"student": "x", "why": "2 rows have their name"}]


def test_each_member_of_a_group_gets_its_points(book):
    group = result("team", members=({"canvas": "101", "name": "Ann"}, {"login": "BOB"}, {"name": "Zoe"}))
    content, report = filled(book, group)
    assert column(content) == ["20", "20", "EX"]
    assert report.unmatched == [{"student": "Zoe of team", "why": "no row is theirs"}]


def test_who_is_excused_stays_excused(book):
    content, report = filled(book, result("cid"))
    assert column(content) == ["", "1", "EX"]
    assert report.left == [{"student": "cid", "why": "is excused"}]


def test_a_result_at_which_the_grader_failed_has_no_points(book):
    broken = result("ann", grade(verdict("adds", 20), verdict("carries", 10, "broken")), canvas="101")
    content, report = filled(book, broken, result("bob"))
    assert column(content) == ["", "20", "EX"]
    assert report.broken == ["ann"]
    assert not report.complete


def test_the_only_column_that_fits_is_taken(book):
    assert filled(book, result("bob"))[1].column == "Sums (77)"


@pytest.mark.parametrize("name", ["Sums (77)", "Sums"])
def test_a_column_is_named_with_or_without_its_number(book, name):
    assert filled(book, result("bob"), assignment=name)[1].column == "Sums (77)"


@pytest.mark.parametrize(
    ("name", "words"),
    [("Final Score", "not read back by Canvas"), ("ID", "not read back"), ("Sum", "no assignment 'Sum'.*'Essay")],
)
def test_a_column_that_canvas_skips_is_not_filled(book, name, words):
    with pytest.raises(UsageError, match=words):
        filled(book, result("bob"), assignment=name)


def test_a_column_that_is_read_only_is_not_filled(tmp_path):
    locked = [*POSSIBLE[:5], "30 (read only)", *POSSIBLE[6:]]
    book = write(tmp_path / "book.csv", HEADER, locked, ANN)
    with pytest.raises(UsageError, match="not read back"):
        filled(book, result("x", canvas="101"), assignment="Sums (77)")


def test_two_columns_that_fit_are_listed(tmp_path):
    both = [*POSSIBLE[:5], "30", "30", ""]
    book = write(tmp_path / "book.csv", HEADER, both, ANN)
    with pytest.raises(UsageError, match=r"--assignment.*'Sums \(77\)', 'Essay \(78\)'"):
        filled(book, result("x", canvas="101"))


def test_other_points_are_an_error_that_says_both_and_scaled_only_if_asked(book):
    with pytest.raises(UsageError, match=r"out of 30 points.*out of 5;"):
        filled(book, result("bob"), assignment="Essay")
    content, _ = filled(book, result("bob"), assignment="Essay", scale=True)
    assert [row[6] for row in parsed(content)] == ["Essay (78)", "5.00", "4", "3.33", ""]


def test_rows_about_posting_and_empty_lines_are_no_students(tmp_path):
    policy = ["", "", "", "", "", "Manual Posting", "", ""]
    book = write(tmp_path / "book.csv", HEADER, policy, POSSIBLE, ANN)
    book.write_bytes(book.read_bytes() + b"\r\n")
    content, report = filled(book, result("x", canvas="101"))
    assert parsed(content)[3][5] == "20"
    assert content.endswith(b"\r\n\r\n")
    assert report.without == []


def test_separate_columns_for_names_are_understood(tmp_path):
    header = ["LastName", "FirstName", "ID", "SIS Login ID", "Section", "Sums (77)"]
    book = write(tmp_path / "book.csv", header, ["Arendt", "Ann", "1", "a", "S", ""])
    content, _ = filled(book, result("x", name="Ann Arendt"))
    assert parsed(content)[1] == ["Arendt", "Ann", "1", "a", "S", "20"]


@pytest.mark.parametrize(("text", "value"), [("30", 30), ("30.00", 30), ("30,00", 30), ("1.234,5", 1234.5), ("1,234", 1234), ("", None), ("nan", None)])  # fmt: skip
def test_points_possible_are_read_as_canvas_writes_them(text, value):
    assert number(text) == value


# --- what is not changed ------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
dialects = st.tuples(
    st.sampled_from(",;\t"), st.booleans(), st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
)  # fmt: skip


@settings(deadline=None)
@given(names=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=6), dialect=dialects)
def test_any_cell_survives_an_edit_and_all_bytes_around_it(tmp_path_factory, names, dialect):
    path = tmp_path_factory.mktemp("any") / "book.csv"
    delimiter, bom, newline, quoting = dialect
    rows = [
        [name, str(number), text, f"login{number}", text, "", more, ""]
        for number, (name, text, more) in enumerate(names)
    ]
    write(path, HEADER, POSSIBLE, *rows, delimiter=delimiter, bom=bom, newline=newline, quoting=quoting)
    before = path.read_bytes()
    results = [result(f"s{number}", canvas=str(number)) for number in range(len(names))]
    content, report = filled(path, *results)
    assert len(report.filled) == len(names)
    found = parsed(content, delimiter)
    assert [row[:5] + row[6:] for row in found] == [row[:5] + row[6:] for row in parsed(before, delimiter)]
    assert [row[5] for row in found] == ["Sums (77)", "30.00", *(["20"] * len(names))]
    # nothing was added but the points, and what is not filled is the same file
    assert len(content) == len(before) + 2 * len(names)
    assert export(path, marks([result("nobody", canvas="none")]), "Sums")[0] == before


@given(rows=st.lists(st.lists(texts, min_size=2, max_size=5), min_size=1, max_size=5), dialect=dialects)
@settings(deadline=None)
def test_a_sheet_reads_what_the_csv_module_reads(tmp_path_factory, rows, dialect):
    path = tmp_path_factory.mktemp("any") / "any.csv"
    delimiter, bom, newline, quoting = dialect
    write(path, ["ID", "x"], *rows, delimiter=delimiter, bom=bom, newline=newline, quoting=quoting)
    sheet = read(path, "ID")
    assert [[cell.text for cell in row] for row in sheet.rows] == parsed(path.read_bytes(), delimiter)
    assert sheet.dump() == path.read_bytes()


@given(st.lists(st.sets(st.sampled_from("abcde")), max_size=6), st.lists(st.sets(st.sampled_from("abcde")), max_size=6))
def test_no_row_is_ever_given_twice(people, rows):
    found = match([{"k": exact(*person)} for person in people], {n: {"k": exact(*row)} for n, row in enumerate(rows)})
    assert len(set(found.rows.values())) == len(found.rows)
    assert set(found.rows) | set(found.why) == set(range(len(people)))
    assert all(people[person] & rows[row] for person, row in found.rows.items())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'Student,ID,Section,Sums (1)\n"Ann,1,A,\n', "line 2: a quote is opened and never closed"),
        (b'Student,ID,Section,Sums (1)\n"Ann"x,1,A,\n', "line 2: there is text after a closing quote"),
        (b"Student,ID,Section,Sums (1)\nAnn,1,A\n", "row 2 has 3 columns, the header has 4"),
        ("Student,ID,Section,Sums (1)\nÄnn,1,A,\n".encode("cp1252"), "is not in UTF-8"),
        (b"name,points\nAnn,3\n", "no column 'ID'.*'name', 'points'"),
        (b"ID,x\n1,2\n", "no gradebook of Canvas"),
        (b"", "no column 'ID'"),
    ],
)
def test_what_is_no_gradebook_is_refused_with_a_sentence(tmp_path, content, words):
    (tmp_path / "book.csv").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        filled(tmp_path / "book.csv", result("x", canvas="1"))


# --- the command --------------------------------------------------------------------------------


def command(*arguments):
    return CliRunner().invoke(staff.app, ["export", "canvas", *map(str, arguments)])


def test_the_command_writes_the_file_and_lists_who_is_missing(tmp_path, book):
    folder = lay_out(tmp_path / "results", [result("a", canvas="101"), result("evil\x1b[31m", name="nobody")])
    found = command(folder, book, "-o", tmp_path / "out.csv", "--json")
    assert found.exit_code == 1
    said = json.loads(found.stdout)
    assert said["column"] == "Sums (77)"
    assert said["filled"] == [{"row": 3, "name": "Arendt, Ann", "points": "20", "before": ""}]
    assert [item["why"] for item in said["unmatched"]] == ["no row is theirs"]
    assert said["without"] == ['"Bob" Brown', "Ceccato, Cid"]
    assert "evil" in found.stderr
    assert "\x1b" not in found.output
    assert column((tmp_path / "out.csv").read_bytes()) == ["20", "1", "EX"]


def test_the_command_says_which_column_it_took_and_ends_with_0_if_all_were_found(tmp_path, book):
    folder = lay_out(tmp_path / "results", [result("a", canvas="101")])
    found = command(folder, book, "-o", tmp_path / "out.csv")
    assert found.exit_code == 0
    assert "'Sums (77)'" in found.stdout


def test_a_note_about_a_result_reaches_the_instructor(tmp_path, book):
    folder = lay_out(tmp_path / "results", [result("a", note="bpe.py is a link", canvas="101")])
    found = command(folder, book, "-o", tmp_path / "out.csv")
    assert found.exit_code == 0
    assert "a: bpe.py is a link" in found.stderr


def test_one_exercise_of_several_can_be_exported(tmp_path, book):
    more = grade(verdict("more", 5), exercise="essay")
    both = result("a", grade(verdict("adds", 30)), more, canvas="101")
    with pytest.raises(UsageError, match="name the column"):
        filled(book, both)
    content, report = export(book, marks([both], ["essay"]))
    assert report.column == "Essay (78)"
    assert parsed(content)[2][6] == "5"
    with pytest.raises(UsageError, match="no exercise 'x'; it has sums, essay"):
        marks([both], ["x"])


def test_the_file_that_is_read_is_not_overwritten(tmp_path, book):
    folder = lay_out(tmp_path / "results", [result("a", canvas="101")])
    before = book.read_bytes()
    found = command(folder, book, "-o", book)
    assert isinstance(found.exception, UsageError)
    assert book.read_bytes() == before
