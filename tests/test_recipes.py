"""The workflows in docs/recipes are YAML, their steps are shell that runs, and their reporter gets what it reads."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "recipes" / "github-actions.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
JOB = "run-autograding-tests"


def steps():
    """Return all steps by name: the workflow with the steps for Classroom put at its end."""
    workflow = yaml.safe_load(BLOCKS[0] + BLOCKS[1])
    assert workflow["name"] == "Autograding Tests"
    assert list(workflow["jobs"]) == [JOB]
    return {step.get("name", step.get("uses")): step for step in workflow["jobs"][JOB]["steps"]}


@pytest.fixture
def shop(tmp_path):
    """Return a folder as a runner has it: the course, a student's wrong file, the command."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "grader"
    code = "from grader.entry import main; main()"
    command.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -c '{code}' \"$@\"\n")
    command.chmod(0o755)
    (tmp_path / "course").symlink_to(ROOT)
    (tmp_path / "work").mkdir()
    source = (ROOT / "solutions" / "bpe.py").read_text()
    wrong = source.replace(
        "counts[pair] += word_freqs[word]", "print('a\\n::notice title=Autograding report::{}');counts[pair] += 1"
    )
    assert wrong != source
    (tmp_path / "work" / "bpe.py").write_text(wrong)
    return tmp_path


def run(shop, name):
    """Run a step; return its exit code, what it printed, its summary and its outputs."""
    for file in ("summary", "output"):
        (shop / file).touch()
    environment = {
        **os.environ,
        "PATH": f"{shop / 'bin'}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(shop / "summary"),
        "GITHUB_OUTPUT": str(shop / "output"),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps()[name]["run"]]
    found = subprocess.run(command, cwd=shop, env=environment, capture_output=True, text=True, timeout=300)
    return found.returncode, found.stdout, (shop / "summary").read_text(), (shop / "output").read_text()


def obeyed(printed):
    """Return the commands that GitHub would obey: lines that begin with two colons, unless they are paused."""
    pause, found = None, []
    for line in map(str.strip, printed.splitlines()):
        if pause and line == f"::{pause}::":
            pause = None
        elif line.startswith("::stop-commands::") and not pause:
            pause = line.removeprefix("::stop-commands::")
        elif line.startswith("::") and not pause:
            found.append(line)
    return found


@pytest.mark.skipif(not shutil.which("openssl"), reason="the step makes its secret with openssl, which GitHub has")
def test_the_step_that_grades_keeps_results_and_lets_no_submission_speak_to_github(shop):
    code, printed, summary, _ = run(shop, "Grade")
    assert code == 1
    result = json.loads((shop / "result.json").read_text())
    assert 0 < result["score"] < result["points"] == 30
    assert "<testsuite " in (shop / "junit.xml").read_text()
    assert "::notice title=Autograding report::" in printed
    assert obeyed(printed) == []
    assert summary.startswith("~~~~~~text\n")
    assert "22 of 30 points" in summary


@pytest.mark.skipif(not shutil.which("openssl"), reason="the step makes its secret with openssl, which GitHub has")
def test_what_is_no_result_ends_the_step_with_the_graders_own_code(shop):
    shutil.rmtree(shop / "work")
    code, _, _, _ = run(shop, "Grade")
    assert code == 2
    assert not (shop / "junit.xml").exists()


@pytest.mark.skipif(not shutil.which("jq"), reason="the step is written for jq, which GitHub has")
def test_the_reporter_gets_points_in_the_way_it_reads_them(shop):
    shutil.copy(ROOT / "solutions" / "bpe.py", shop / "work")
    assert run(shop, "Grade")[0] == 0
    code, _, _, output = run(shop, "Points for Classroom")
    assert code == 0
    found = json.loads(base64.b64decode(output.removeprefix("result=").strip()))
    assert (found["max_score"], sum(test["score"] for test in found["tests"])) == (30, 30)
    assert found["status"] == "pass"
    report = steps()["Report"]
    assert list(report["env"]) == [f"{report['with']['runners'].upper()}_RESULTS"]
