"""Quizzes are written for a platform: files for all of them, and a sentence for each thing that is lost."""

import sys

import pytest

from grader.errors import UsageError
from grader.quiz.export import FORMATS, export
from tests.quizzes import numeric, quiz, single

TWO = [quiz(single(points=2)), quiz(numeric(), quiz="numbers")]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("gift", ["numbers.gift", "x.gift"]),
        ("moodle", ["numbers.xml", "x.xml"]),
        ("qti", ["numbers.txt", "x.txt"]),
        ("anki", ["quizzes.apkg"]),
    ],
)
def test_each_format_writes_its_files_and_says_what_is_lost(tmp_path, name, files):
    if name == "anki":
        pytest.importorskip("genanki", reason="needs genanki")
    notes = export(TWO, name, tmp_path / "new" / "folder")
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == files
    assert notes == FORMATS[name].notes(TWO)


def test_no_two_formats_write_the_same_file():
    assert len({one.suffix for one in FORMATS.values()}) == len(FORMATS)


def test_texts_are_written_as_utf_8(tmp_path):
    export([quiz(single(prompt="Ġthe 👩‍🚀"))], "gift", tmp_path)
    assert "Ġthe 👩‍🚀" in (tmp_path / "x.gift").read_text("utf-8")


def test_an_unknown_format_is_an_error_that_names_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match="no format 'kahoot'; there are: gift, moodle, qti, anki"):
        export(TWO, "kahoot", tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file cannot be written: File exists"):
        export(TWO, "gift", tmp_path / "file")


def test_formats_of_text_need_nothing_that_is_not_installed(tmp_path, monkeypatch):
    for module in ("genanki", "text2qti"):
        monkeypatch.setitem(sys.modules, module, None)
    for name in ("gift", "moodle", "qti"):
        export(TWO, name, tmp_path)
    assert len(list(tmp_path.iterdir())) == 6
