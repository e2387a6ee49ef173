"""Who grades again learns whose mark moved, on which check, and why."""

import csv
import json
import shutil
import subprocess
import sys

import pytest

from grader import regrade as module
from grader.course import Course
from grader.errors import UsageError
from grader.moved import moves
from grader.plan import Plan
from grader.regrade import regrade
from grader.results import results
from tests.conftest import ROOT
from tests.klass import grade, lay_out, result, verdict

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    return 4 * x\n"
NEARLY = RIGHT.replace("4 * x", "4 * x * (1 + 1e-3)")


def silent(*_):
    """Watch nothing."""


def told(found):
    return [(move.student, move.exercise, move.check, move.difference, move.why) for move in found]


def test_the_same_results_have_not_moved():
    results = [result("ann"), result("bob")]
    assert moves(results, results) == []


def test_what_moved_is_told_check_by_check_with_its_reason():
    before = [
        result("ann", grade(verdict("adds"), verdict("carries"))),
        result("bob", grade(verdict("adds"), verdict("gone"))),
        result("cid", grade(verdict("adds")), grade(verdict("doubles"), exercise="doubles")),
        result("dan"),
    ]
    after = [
        result("ann", grade(verdict("adds"), verdict("carries", outcome="failed"))),
        result("bob", grade(verdict("adds", 5), verdict("new", 3))),
        result("cid", grade(verdict("adds"))),
        result("eve"),
    ]
    assert told(moves(before, after)) == [
        ("ann", "sums", "carries", -10, "passed, now failed: a wrong value; this equals a sum that is off by one"),
        ("bob", "sums", "adds", -5, "the check is worth 5 points, before 10"),
        ("bob", "sums", "gone", -10, "the check was removed"),
        ("bob", "sums", "new", 3, "the check is new"),
        ("cid", "doubles", "", -10, "the exercise is not graded any more"),
        ("dan", "", "", -20, "is not graded any more"),
        ("eve", "", "", 20, "was not graded before"),
    ]


def test_another_kind_of_failure_is_told_although_no_point_moved():
    before, after = (result("ann", grade(verdict(outcome=outcome))) for outcome in ("failed", "timeout"))
    assert told(moves([before], [after]))[0][3:] == (
        0, "failed, now timeout: a wrong value; this equals a sum that is off by one",
    )  # fmt: skip


def test_another_file_is_given_as_the_reason():
    def with_digest(digest, outcome):
        return result("ann", grade(verdict(outcome=outcome)).model_copy(update={"digest": digest}))

    (move,) = moves([with_digest("a", "passed")], [with_digest("b", "failed")])
    assert move.why.startswith("another file was graded; passed, now failed")


@pytest.fixture
def graded(tiny, tmp_path):
    """Return a course of its own, a class of three, and where its results are."""
    course = Course(tmp_path / "course")
    shutil.copytree(tiny.root, course.root)
    for student, source in (("ann", RIGHT), ("bob", NEARLY), ("cid", RIGHT.replace("2 * x", "x"))):
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "double.py").write_text(source)
    plan = Plan(tmp_path / "class", tmp_path / "results", ["double"], fenced=False)
    module.run(course, plan, silent, silent)
    return course, plan


def loosen(course):
    """Let a check pass what is nearly right, and another be worth more."""
    checks = course.checks(course.find("double"))
    text = checks.read_text().replace("compare=Close()", "compare=Close(rtol=0.01)")
    checks.write_text(text)


def test_a_changed_check_moves_those_whom_it_concerns(graded):
    course, plan = graded
    loosen(course)
    summary, found = regrade(course, plan, silent, silent)
    assert summary.students == 3
    assert told(found) == [("bob", "double", "doubles_the_list", 2, "failed, now passed")]
    (row,) = csv.DictReader((plan.results / "moved.csv").read_text().splitlines())
    assert (row["student"], row["difference"]) == ("bob", "+2")
    assert not (plan.results / "before").exists()


def test_an_interrupted_regrade_still_compares_with_what_was_before(graded, monkeypatch):
    course, plan = graded
    loosen(course)

    def interrupted(*arguments):
        real(*arguments)
        raise KeyboardInterrupt  # everything is graded, nothing was compared

    real = module.run
    monkeypatch.setattr(module, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        regrade(course, plan, silent, silent)
    monkeypatch.setattr(module, "run", real)
    _, found = regrade(course, plan, silent, silent)
    assert [move.student for move in found] == ["bob"]


def test_what_was_never_graded_cannot_be_graded_again(graded, tmp_path):
    course, plan = graded
    with pytest.raises(UsageError, match="holds no results"):
        regrade(course, Plan(plan.submissions, tmp_path / "new", ["double"], fenced=False), silent, silent)


def test_the_command_compares_two_folders(tmp_path):
    before = lay_out(tmp_path / "a", [result("ann", grade(verdict(outcome="failed"))), result("bob")])
    after = lay_out(tmp_path / "b", [result("ann", grade(verdict())), result("bob")])

    def compare(*options):
        command = [sys.executable, "-c", "from grader.entry import main; main()", "compare", str(before), str(after)]
        done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (move,) = json.loads(compare("--json"))
    assert (move["student"], move["before"], move["after"]) == ("ann", 0, 10)
    shown = compare("--output", str(tmp_path / "moved.csv"))
    assert "failed, now passed" in shown
    assert "1 students: 1 checks gained points, 0 lost some" in " ".join(shown.split())
    assert (tmp_path / "moved.csv").read_text().startswith("student,exercise,check")


def test_those_who_are_no_longer_in_the_class_are_not_read(graded):
    course, plan = graded
    shutil.rmtree(plan.submissions / "cid")
    module.run(course, plan, silent, silent)
    assert (plan.results / "grades" / "cid.json").exists()
    assert [result.student for result in results(plan.results)] == ["ann", "bob"]
