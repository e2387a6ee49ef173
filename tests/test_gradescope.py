"""Gradescope gets a results.json that fits its description, and an autograder that really grades.

The schema is written from Gradescope's description of results.json, not from what this package writes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from grader import staff
from grader.desk.autograder import NEEDED, Wish, build, requirements
from grader.desk.gradescope import about, failure, report
from grader.desk.intake import lone
from grader.desk.item import Unreadable
from grader.errors import FaultError, UsageError
from tests.conftest import ROOT
from tests.klass import grade, result, verdict

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}
METADATA = {
    "id": 1,
    "created_at": "2026-05-02T14:00:00.000000-07:00",
    "assignment": {"due_date": "2026-05-01T23:00:00.000000-07:00", "late_due_date": None, "total_points": "30.0"},
    "users": [{"name": "Ann", "email": "a@x.org", "id": 1}, {"name": "Bob\x1b[31m", "email": "b@x.org", "id": 2}],
    "previous_submissions": [],
}


def test_each_check_is_a_test_with_its_points():
    found = report(result("ann", grade(verdict("adds", 3)), grade(verdict("reads", 4, "failed"), exercise="text")))
    jsonschema.validate(found, SCHEMA)
    first, second = found["tests"]
    assert (first["number"], first["score"], first["max_score"], first["status"]) == ("1.1", 3, 3, "passed")
    assert (second["number"], second["score"], second["max_score"], second["status"]) == ("2.1", 0, 4, "failed")
    assert second["tags"] == ["text", "failed"]
    assert second["output_format"] == "text"
    assert "got: 3\nexpected: 4" in second["output"]
    assert "score" not in found  # it would override the sum of the tests


@pytest.mark.parametrize("name", ["visible", "after_due_date", "after_published"])
def test_what_students_see_later_is_written_with_its_visibility(name):
    (test,) = report(result("ann", grade(verdict("adds", 3, "failed", visibility=name))))["tests"]
    assert test["visibility"] == name
    assert "expected: 4" in test["output"]


def test_a_hidden_check_has_no_evidence():
    found = report(result("ann", grade(verdict("adds", 3, "failed", visibility="hidden"))))
    jsonschema.validate(found, SCHEMA)
    assert found["tests"][0]["visibility"] == "hidden"
    assert "expected" not in json.dumps(found)
    assert "off by one" not in json.dumps(found)


def test_a_failure_of_ours_has_no_score_at_all():
    for found in (failure(), report(result("ann", grade(verdict("a", 3), verdict("b", 3, "broken"))))):
        jsonschema.validate(found, SCHEMA)
        assert not {"score", "tests"} & set(found)
        assert "not the fault of the submission" in found["output"]


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_of_a_submission_reaches_a_terminal_or_breaks_the_file(message, printed):
    seen = verdict("a", 1, "failed").evidence.model_copy(update={"output": printed})
    found = report(result("ann", grade(verdict("a", 1, "failed", message=message, evidence=seen))))
    assert "\x1b" not in found["tests"][0]["output"]
    assert json.loads(json.dumps(found)) == found


def test_lateness_and_the_group_are_told_and_nothing_odd_is_believed():
    lines = about(METADATA)
    assert lines[0].startswith("Handed in by a group: Ann, Bob")
    assert lines[1].startswith("Handed in late: 2026-05-02")
    early = {**METADATA, "created_at": "2026-05-01T14:00:00-07:00", "users": METADATA["users"][:1]}
    assert about(early) == []
    for odd in (
        None,
        [],
        {"users": 3, "assignment": []},
        {"created_at": "x", "assignment": {"due_date": 3}, "users": [1]},
    ):
        assert about(odd) == []


def test_the_command_writes_one_result_and_fails_where_the_grader_had(tmp_path):
    for name, outcome in (("ann", "passed"), ("bob", "broken")):
        (tmp_path / f"{name}.json").write_text(result(name, grade(verdict("a", 3, outcome))).model_dump_json())
    invoke = CliRunner().invoke
    found = invoke(staff.app, ["export", "gradescope", str(tmp_path / "ann.json"), "-o", str(tmp_path / "r.json")])
    assert found.exit_code == 0
    jsonschema.validate(json.loads((tmp_path / "r.json").read_text()), SCHEMA)
    found = invoke(staff.app, ["export", "gradescope", str(tmp_path / "bob.json"), "-o", str(tmp_path / "r.json")])
    assert isinstance(found.exception, FaultError)
    assert "tests" not in json.loads((tmp_path / "r.json").read_text())


# --- the autograder -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packed():
    """Return the autograder of bpe as a zip, made by the command, in a folder that other users may enter."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "autograder.zip"
        found = CliRunner().invoke(staff.app, ["gradescope", str(path), "-e", "bpe", "--course", str(ROOT)])
        assert found.exit_code == 0, found.output
        assert "30 points" in found.stdout
        yield path


@pytest.fixture
def room(packed):
    """Return a folder laid out as Gradescope's /autograder, with what setup.sh would have installed."""
    root = Path(tempfile.mkdtemp(prefix="room-", dir=packed.parent))
    root.chmod(0o755)
    for name in ("submission", "results", "venv/bin"):
        (root / name).mkdir(parents=True)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(root / "source")
    shutil.copy(root / "source" / "run_autograder", root)
    (root / "run_autograder").chmod(0o755)
    (root / "submission_metadata.json").write_text(json.dumps(METADATA))
    python(root, f'exec "{sys.executable}" "$@"')
    yield root
    shutil.rmtree(root)


def python(root, line):
    """Let a line of shell stand for the Python that the autograder installed."""
    (root / "venv/bin/python").write_text(f"#!/bin/sh\n{line}\n")
    (root / "venv/bin/python").chmod(0o755)


def grade_there(root):
    """Run run_autograder and return its exit code, what it wrote, and what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [root / "run_autograder"],
        cwd=root,
        env={**environment, "AUTOGRADER_ROOT": str(root)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert [path.name for path in (root / "results").iterdir()] == ["results.json"]
    made = json.loads((root / "results" / "results.json").read_text())
    jsonschema.validate(made, SCHEMA)
    return found.returncode, made, found.stdout + found.stderr


def test_the_zip_has_both_scripts_at_its_root_and_no_program_that_is_secret(packed):
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
        assert {"setup.sh", "run_autograder"} <= set(names)
        assert all(archive.getinfo(name).external_attr >> 16 & 0o111 for name in ("setup.sh", "run_autograder"))
        assert not [name for name in names if "reference" in name or "solutions" in name or "misconceptions" in name]
        content = b"".join(archive.read(name) for name in names)
    lines = (ROOT / "reference" / "bpe.py").read_bytes().splitlines()
    telling = [
        line
        for line in lines
        if len(line.strip()) > 40 and line not in (ROOT / "exercises/02_bpe/checks.py").read_bytes()
    ]
    assert telling
    assert not [line for line in telling if line in content]


def test_the_same_course_makes_the_same_zip(packed, tmp_path):
    again = tmp_path / "again.zip"
    assert CliRunner().invoke(staff.app, ["gradescope", str(again), "-e", "bpe", "--course", str(ROOT)]).exit_code == 0
    assert again.read_bytes() == packed.read_bytes()


def test_the_scripts_are_shell_that_can_be_read(room):
    for name in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", room / "source" / name]).returncode == 0
    assert b"\r" not in (room / "source" / "setup.sh").read_bytes()


def test_a_right_file_has_all_points_and_a_group_that_is_late_is_told(room):
    shutil.copy(ROOT / "solutions" / "bpe.py", room / "submission")
    code, made, printed = grade_there(room)
    assert code == 0, printed
    assert sum(test["score"] for test in made["tests"]) == sum(test["max_score"] for test in made["tests"]) == 30
    assert "Handed in by a group: Ann, Bob" in made["output"]
    assert "Handed in late" in made["output"]
    assert made["execution_time"] > 0


def test_a_wrong_file_loses_points_and_is_told_its_mistake(room):
    source = (ROOT / "solutions" / "bpe.py").read_text()
    wrong = source.replace("counts[pair] += word_freqs[word]", "counts[pair] += 1")
    assert wrong != source
    # it tries to write its own results as well, and prints some
    target = str(room / "results" / "results.json")
    forging = f"\n\nprint('{{\"score\": 30}}')\ntry:\n    open({target!r}, 'w').write('x')\nexcept OSError:\n    pass\n"
    (room / "submission" / "hw").mkdir()
    (room / "submission" / "hw" / "bpe.py").write_text(wrong + forging)
    code, made, printed = grade_there(room)
    assert code == 0, printed
    failed = [test for test in made["tests"] if test["status"] == "failed"]
    assert 0 < sum(test["score"] for test in made["tests"]) < 30
    assert any("pair counts that ignore how often a word occurs" in test["output"] for test in failed)


def test_nothing_handed_in_is_no_failure_of_ours(room):
    (room / "submission" / "notes.txt").write_text("hello")
    code, made, _ = grade_there(room)
    assert code == 0
    assert sum(test["score"] for test in made["tests"]) == 0
    assert "there is no file bpe.py; what was handed in: notes.txt" in made["tests"][0]["output"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda room: (room / "source/bundles/bpe").write_bytes(b"no frame"),
        lambda room: (room / "source/plan.json").unlink(),
        lambda room: (room / "source/engine/grader/desk/harness.py").write_text("raise SystemExit(1)"),
        lambda room: python(room, "kill -9 $$"),
        lambda room: (room / "venv/bin/python").unlink(),
    ],
    ids=["bundle", "plan", "engine", "killed", "python"],
)
def test_whatever_fails_with_us_is_said_and_is_no_zero(room, spoil):
    shutil.copy(ROOT / "solutions" / "bpe.py", room / "submission")
    (room / "results" / "results.json").write_text('{"score": 30}')  # of an earlier run
    spoil(room)
    code, made, printed = grade_there(room)
    assert code != 0
    assert not {"score", "tests"} & set(made)
    assert "not the fault of the submission" in made["output"]
    assert "grader: " in printed


def test_without_a_fence_nothing_is_graded_unless_the_zip_was_made_so(room):
    shutil.copy(ROOT / "solutions" / "bpe.py", room / "submission")
    tier = room / "source/engine/grader/tier.py"
    tier.write_text(tier.read_text() + "\n\ndef best():\n    return Fence()\n")
    code, made, printed = grade_there(room)
    assert code == 3
    assert "tests" not in made
    assert "only tier C" in printed
    (room / "source/plan.json").write_text('{"exercises": ["bpe"], "lowest": "C"}')
    code, made, _ = grade_there(room)
    assert code == 0
    assert sum(test["score"] for test in made["tests"]) == 30


# --- what was handed in -------------------------------------------------------------------------


def handed(course, folder):
    """Return what is graded of a folder that was handed in."""
    return lone(folder, [course.find("bpe")]).source("bpe")


@pytest.mark.parametrize("place", ["bpe.py", "02_bpe/bpe.py", "exercises/02_bpe/bpe.py", "a/b/c/bpe.py", "bpe-1.py"])
def test_a_file_is_found_where_it_may_lie(course, tmp_path, place):
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("x = 1\n")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "bpe.py").write_text("noise")
    assert handed(course, tmp_path).content == b"x = 1\n"


def test_a_notebook_and_a_zip_are_taken_as_they_are_in_a_batch(course, tmp_path):
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%matplotlib inline\nx = 1")])
    nbformat.write(book, tmp_path / "bpe.ipynb")
    found = handed(course, tmp_path)
    assert b"x = 1" in found.content
    assert found.notes
    (tmp_path / "bpe.ipynb").unlink()
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("work/bpe.py", "x = 2\n")
    assert handed(course, tmp_path).content == b"x = 2\n"


def test_two_files_of_the_name_are_not_chosen_from_and_links_are_not_followed(course, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bpe.py").write_text(f"x = '{name}'\n")
    assert isinstance(handed(course, tmp_path), Unreadable)
    (tmp_path / "none").mkdir()
    assert handed(course, tmp_path / "none") is None
    (tmp_path / "bpe.py").symlink_to(ROOT / "solutions" / "bpe.py")
    found = handed(course, tmp_path)
    assert isinstance(found, Unreadable)
    assert "link" in found.sentence


# --- what it installs ---------------------------------------------------------------------------


def test_what_is_installed_is_what_the_package_declares_without_the_command_line():
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + project["optional-dependencies"]["desk"]  # students hand in notebooks
    names = {re.split(r"[^A-Za-z0-9_]", line, maxsplit=1)[0] for line in declared}
    assert set(NEEDED) | {"torch", "typer", "rich", "plotext", "hypothesis", "fsrs"} == names
    assert all("==" in line for line in requirements(True))
    assert [line.partition("==")[0] for line in requirements(False)] == list(NEEDED)
    assert requirements(True)[-1].startswith("torch==")


def test_wheels_are_packed_and_those_that_are_missing_are_named(course, tmp_path):
    with pytest.raises(UsageError, match=r"no wheel of ml_dtypes==.*fill it with: pip download"):
        build(course, Wish(["bpe"], tmp_path), print)
    for name in NEEDED:
        (tmp_path / f"{name.replace('_', '-').title().replace('-', '_')}-1-py3-none-any.whl").write_bytes(b"wheel")
    files = build(course, Wish(["bpe"], tmp_path), print)
    assert len([name for name in files if name.startswith("wheels/")]) == len(NEEDED)
    with pytest.raises(UsageError, match="there is no such folder"):
        build(course, Wish(["bpe"], tmp_path / "none"), print)
