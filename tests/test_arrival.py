"""A class goes from what a platform gives to results, whole, and the results say whose they are."""

import json
import subprocess
import sys

import pytest

from grader.results import results
from grader.tier import best
from tests.conftest import ROOT, zipped
from tests.test_batch import book, contents

needs_fence = pytest.mark.skipif(best().tier == "C", reason="no fence works on this machine: see grader doctor")
RIGHT = (ROOT / "solutions" / "bpe.py").read_text("utf-8")


def cell(source):
    return {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": source}


def batch(path, folder, *options):
    command = [sys.executable, "-c", "from grader.entry import main; main()", "batch", str(path), "-o", str(folder)]
    return subprocess.run([*command, "-e", "bpe", "-j", "1", *options], capture_output=True, text=True, cwd=ROOT)


@needs_fence
def test_a_canvas_zip_is_graded_and_its_results_name_students_lateness_and_choices(tmp_path):
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell("%time"), cell(RIGHT)]}
    files = {
        "doejane_123_1001_bpe.py": "x = 1\n",
        "doejane_123_1002_bpe-1.py": RIGHT,
        "poeann_LATE_124_1003_work.zip": zipped({"work/02_bpe/bpe.py": RIGHT, "work/data.tar.gz": ""}),
        "roebob_125_1004_bpe.ipynb": json.dumps(notebook),
        "zoeeve_126_1005_bpe.zip": b"no zip",
        "moetim_127_text.html": "<p>I have no file</p>",
    }
    (tmp_path / "class.zip").write_bytes(zipped(files))
    found = batch(tmp_path / "class.zip", tmp_path / "a")
    assert found.returncode == 1, found.stderr  # one could not be read
    assert "this looks like a Canvas zip (5 students); --layout folder reads it otherwise.\n" in found.stderr
    assert "could not be read: zoeeve\n" in found.stdout
    made = {result.student: result for result in results(tmp_path / "a")}
    points = made["doejane"].points
    assert {name: result.score for name, result in made.items()} == {
        **dict.fromkeys(("doejane", "poeann", "roebob"), points),
        **dict.fromkeys(("moetim", "zoeeve"), 0),
    }
    assert [result.identity.canvas for result in made.values()] == ["123", "127", "124", "125", "126"]
    assert [name for name, result in made.items() if result.late] == ["poeann"]
    assert made["doejane"].note == "Graded is bpe-1.py, the newest. Not graded: bpe.py."
    assert "work.zip/work/data.tar.gz is not opened" in made["poeann"].note
    assert "1 line for notebooks alone" in made["roebob"].note
    assert made["zoeeve"].note == "bpe.zip is no zip, or a damaged one; make it anew."
    assert {verdict.outcome for verdict in made["moetim"].exercises[0].verdicts} == {"not started"}
    assert [row["status"].split()[0] for row in book(tmp_path / "a")] == [
        "Graded",
        "What",
        "Graded",
        "Graded",
        "bpe.zip",
    ]
    # the same class elsewhere, as a folder, has the same results
    for name, content in files.items():
        place = tmp_path / "elsewhere" / "class" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    again = batch(tmp_path / "elsewhere", tmp_path / "b")
    assert again.returncode == 1, again.stderr
    assert contents(tmp_path / "b") == contents(tmp_path / "a")


@needs_fence
def test_each_member_of_a_gradescope_group_has_a_result_and_the_time(tmp_path):
    record = (
        "  :submitters:\n  - :name: Jane Doe\n    :sid: 007\n    :email: j@x\n  - :name: Ann Poe\n    :email: a@x\n"
    )
    text = f"submission_1:\n{record}  :created_at: 2020-01-02 03:04:05.000000000 Z\n"
    (tmp_path / "x.zip").write_bytes(zipped({"e/submission_metadata.yml": text, "e/submission_1/bpe.py": RIGHT}))
    found = batch(tmp_path / "x.zip", tmp_path / "out")
    assert found.returncode == 0, found.stderr
    ann, jane = results(tmp_path / "out")
    assert (ann.student, jane.student) == ("Ann Poe", "Jane Doe")
    assert ann.score == jane.score == ann.points
    assert jane.identity.model_dump(exclude_defaults=True) == {"name": "Jane Doe", "email": "j@x", "number": "007"}
    assert jane.submitted == "2020-01-02T03:04:05+00:00"
    assert ann.note == "Handed in together with Jane Doe."


def test_a_layout_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(zipped({"ann/bpe.py": RIGHT}))
    found = batch(tmp_path / "x.zip", tmp_path / "out", "--layout", "canvas")
    assert found.returncode == 2
    assert "--layout canvas: nothing in x.zip is named <name>_<user>_<attachment>_<file>" in found.stderr
    assert "Traceback" not in found.stderr
