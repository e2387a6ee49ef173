"""What must start at once loads nothing heavy, and no process loads torch that does not need it."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = {"torch", "hypothesis", "numpy", "safetensors"}


def imported(*arguments):
    """Return the top-level packages that a command imports."""
    command = [sys.executable, "-X", "importtime", "-c", "from grader.entry import main; main()", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["--help"], ["check", "--help"], ["hint", "bpe"], ["list", "bpe"], ["quiz", "stats"], ["quiz", "lint"]],
)
def test_quick_commands_import_nothing_heavy(arguments):
    assert imported(*arguments).isdisjoint(HEAVY)


def test_the_first_question_is_asked_without_anything_heavy(tmp_path):
    arguments = ["quiz", "--log", str(tmp_path / "log"), "--limit", "1"]
    assert imported(*arguments).isdisjoint({*HEAVY, "textual", "matplotlib"})  # reads the bank from its files
    assert imported(*arguments).isdisjoint({*HEAVY, "textual", "matplotlib", "yaml", "fsrs"})


def test_checking_a_pure_python_exercise_imports_no_torch_and_with_a_bank_no_hypothesis():
    imported("check", "bpe", "--from", "solutions")  # records the bank, if need be
    assert imported("check", "bpe", "--from", "solutions").isdisjoint({"torch", "hypothesis"})


def test_the_parent_that_compares_tensors_needs_no_torch():
    imported("check", "norms", "--from", "solutions")
    assert imported("check", "norms", "--from", "solutions").isdisjoint({"torch", "hypothesis"})


def test_the_worker_of_a_pure_python_exercise_has_no_torch(grade_text):
    source = "import sys\ndef double(x):\n    print([name for name in ('torch', 'numpy', 'hypothesis', 'pydantic') if name in sys.modules])\n"
    assert grade_text(source).verdicts[0].evidence.output.strip() == "[]"
