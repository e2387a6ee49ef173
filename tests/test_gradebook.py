"""Names become files that never meet, cells never become formulas, files are whole or not there."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import FaultError
from grader.gradebook import cell, filename, save, sweep, write

names = st.text(min_size=1, max_size=300)


@given(names)
def test_a_file_name_is_safe(name):
    made = filename(name)
    assert len(made.encode()) <= 140
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-%")
    assert not made.startswith(".")
    assert made.endswith(".json")


@given(names, names)
def test_two_students_never_share_a_file(one, other):
    if one != other:
        assert filename(one).lower() != filename(other).lower()


def test_a_plain_name_stays_readable_and_case_is_told_apart():
    assert filename("ann-b.2") == "ann-b.2.json"
    assert filename("Ann").lower() != filename("ann").lower()
    assert filename("../x") == filename("../x").replace("/", "")
    assert filename("con" * 100).startswith("concon")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "|calc", "%x", "\n=1"])
def test_a_cell_is_no_formula(text):
    assert cell(text).startswith("'")


def test_a_cell_is_one_line_without_escapes():
    assert cell("a\nb\x1b[31mc") == "a bc"
    assert cell("Zoë O'Neil") == "Zoë O'Neil"


def test_a_file_that_is_right_is_not_touched_and_a_half_one_is_swept(tmp_path):
    path = tmp_path / "a.json"
    write(path, "1\n")
    stamp = path.stat().st_mtime_ns
    write(path, "1\n")
    assert path.stat().st_mtime_ns == stamp
    write(path, "2\n")
    assert path.read_text() == "2\n"
    (tmp_path / ".x.part").write_text("half")
    sweep(tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["a.json"]


def test_a_table_is_read_back_by_the_csv_module(tmp_path):
    rows = [["student", "note"], ['a "quoted", name', "ü"], ["x", ""]]
    save(tmp_path / "t.csv", rows)
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == rows


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FaultError, match="cannot be written"):
        write(tmp_path / "file" / "a.json", "1")
    with pytest.raises(FaultError, match="cannot be written"):
        save(tmp_path / "none" / "t.csv", [])
