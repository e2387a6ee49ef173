"""What was written stays, whatever ends the grader; what was cut off is written again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.journal import Journal


def test_records_come_back_in_the_next_run(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append("a", {"grade": "1"})
        journal.append("b", {"grade": "ü\n"})
        journal.append("a", {"grade": "2"})
    with Journal(tmp_path / "j") as journal:
        assert journal.read("a") == {"key": "a", "grade": "2"}
        assert journal.read("b")["grade"] == "ü\n"
        assert "c" not in journal
        assert len(journal) == 2


@given(cut=st.integers(min_value=0, max_value=200))
def test_a_line_that_was_cut_off_is_dropped_and_nothing_else(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path) as journal:
        for number in range(5):
            journal.append(str(number), {"grade": "x" * 10})
    whole = path.read_bytes()
    cut = min(cut, len(whole))
    path.write_bytes(whole[:cut])
    kept = whole[:cut].count(b"\n")
    with Journal(path) as journal:
        assert [str(number) in journal for number in range(5)] == [number < kept for number in range(5)]
        journal.append("new", {"grade": "y"})
        assert journal.read("new")["grade"] == "y"
    assert [json.loads(line)["key"] for line in path.read_bytes().splitlines()][-1] == "new"


def test_a_damaged_line_is_graded_again(tmp_path):
    path = tmp_path / "j"
    path.write_bytes(b'{"key": "a", "grade": "1"}\n\xff\xfe{{\n[1]\n{"key": "b", "grade": "2"}\n')
    with Journal(path) as journal:
        assert "a" in journal
        assert journal.read("b")["grade"] == "2"
        assert len(journal) == 2


def test_fresh_forgets_and_a_forgotten_record_is_missing(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append("a", {})
        journal.forget("a")
        assert "a" not in journal
        journal.append("b", {})
    with Journal(tmp_path / "j", fresh=True) as journal:
        assert len(journal) == 0
    assert (tmp_path / "j").read_bytes() == b""


def test_a_second_batch_is_kept_out_and_loses_nothing(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append("a", {})
        with pytest.raises(UsageError, match="another batch is writing there"):
            Journal(tmp_path / "j", fresh=True)
        assert journal.read("a") == {"key": "a"}
