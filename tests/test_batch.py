"""A class is graded completely, whatever happens on the way, and the same class has the same results."""

import contextlib
import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.batch import run
from grader.errors import EmptyError, UsageError
from grader.fence import Fence
from grader.gradebook import filename
from grader.plan import Plan
from grader.tier import best
from grader.verdict import Result
from tests.conftest import descendants

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    return 4 * x\n"
HALF = RIGHT.replace("4 *", "5 *")
needs_fence = pytest.mark.skipif(best().tier == "C", reason="no fence works on this machine: see grader doctor")


def silent(*_):
    """Watch nothing."""


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Return a folder with sixty students: right, half right, crashing, not started, and one who loops."""
    folder = tmp_path_factory.mktemp("class")
    for number in range(60):
        student = folder / f"student{number:02d}"
        student.mkdir()
        kind = (RIGHT, HALF, "import os\nos._exit(0)\n", "x = 1\n", "def double(x:\n")[number % 5]
        (student / "double.py").write_text(f"{kind}\n# {number}\n")
    (folder / "student07" / "double.py").write_text("while True: pass\n")
    return folder


def contents(results):
    """Return what a batch produced; the journal beside it has measured times."""
    files = [results / "gradebook.csv", *sorted((results / "grades").iterdir())]
    return {path.name: path.read_bytes() for path in files}


def book(results):
    """Return the rows of the gradebook."""
    return list(csv.DictReader((results / "gradebook.csv").read_text("utf-8").splitlines()))


def command(tiny, members, results, *options):
    start = [sys.executable, "-c", "from grader.entry import main; main()", "batch", str(members)]
    return [*start, "-o", str(results), "--course", str(tiny.root), "-j", "2", *options]


def start(tiny, members, results, *options, **how):
    return subprocess.Popen(
        command(tiny, members, results, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
    )


@pytest.fixture(scope="module")
def undisturbed(tiny, members, tmp_path_factory):
    """Return the results of a batch that nothing disturbs."""
    results = tmp_path_factory.mktemp("undisturbed")
    process = start(tiny, members, results)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "60 students, 60 files of double: 60 graded" in out
    return results


@needs_fence
def test_every_student_has_a_result_and_a_row(undisturbed):
    rows = book(undisturbed)
    assert [row["student"] for row in rows] == [f"student{number:02d}" for number in range(60)]
    scores = [int(row["score"]) for row in rows]
    assert scores[:6] == [3, 1, 0, 0, 0, 3]
    assert all(int(row["double"]) == int(row["score"]) for row in rows)
    assert all(int(row["double.doubles_the_list"]) == (2 if row["score"] == "3" else 0) for row in rows)
    for row in rows:
        result = Result.model_validate_json((undisturbed / "grades" / filename(row["student"])).read_text("utf-8"))
        assert result.student == row["student"]
        assert result.score == int(row["score"])
        assert {grade.fence for grade in result.exercises} == {best().tier}


@needs_fence
def test_a_second_run_grades_nothing_and_changes_nothing(tiny, members, undisturbed):
    before = contents(undisturbed)
    stamps = {path: path.stat().st_mtime_ns for path in (undisturbed / "grades").iterdir()}
    process = start(tiny, members, undisturbed)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "0 graded, 60 were known already" in out
    assert contents(undisturbed) == before
    assert {path: path.stat().st_mtime_ns for path in (undisturbed / "grades").iterdir()} == stamps


def lines(results):
    path = results / "journal.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@needs_fence
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the processes to kill")
def test_kills_at_twenty_random_moments_change_nothing(tiny, members, undisturbed, tmp_path):
    rng = random.Random(0)
    process, killed, number = None, 0, 0
    while killed < 20:
        number += 1
        if process is None or process.poll() is not None:
            process = subprocess.Popen(
                command(tiny, members, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        wanted = lines(tmp_path) + rng.randrange(1, 4)
        while lines(tmp_path) < wanted and process.poll() is None:
            time.sleep(0.002)
        below = descendants(process.pid)
        # the coordinator, a process that grades, or whatever runs below one: a worker, a submission
        victim = process.pid if number % 3 == 0 or not below else rng.choice(below)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            killed += 1
        if victim == process.pid:
            process.wait()
    process.wait()
    last = start(tiny, members, tmp_path)
    _, err = last.communicate()
    assert last.returncode == 0, err
    assert contents(tmp_path) == contents(undisturbed)


@needs_fence
def test_an_interrupt_ends_it_with_a_word_and_the_next_run_goes_on(tiny, members, undisturbed, tmp_path):
    process = start(tiny, members, tmp_path, start_new_session=True)
    while lines(tmp_path) < 5 and process.poll() is None:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "interrupted" in err
    assert "of 60 students are done; run it again to go on" in err
    assert "Traceback" not in err
    begun = lines(tmp_path)
    assert 5 <= begun < 60
    last = start(tiny, members, tmp_path)
    out, err = last.communicate()
    assert last.returncode == 0, err
    assert f"{60 - begun} graded, {begun} were known already" in out
    assert contents(tmp_path) == contents(undisturbed)


@needs_fence
def test_a_full_disk_ends_it_with_a_sentence_and_loses_nothing(tiny, members, undisturbed, tmp_path):
    size = (undisturbed / "journal.jsonl").stat().st_size // 2

    def cramped():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    process = start(tiny, members, tmp_path, preexec_fn=cramped)
    _, err = process.communicate()
    assert process.returncode == 3
    assert "journal.jsonl cannot be written" in err
    assert "Traceback" not in err
    assert 0 < lines(tmp_path) < 60
    last = start(tiny, members, tmp_path)
    _, err = last.communicate()
    assert last.returncode == 0, err
    assert contents(tmp_path) == contents(undisturbed)


@needs_fence
def test_two_batches_do_not_write_to_the_same_results(tiny, members, tmp_path):
    process = start(tiny, members, tmp_path)
    while lines(tmp_path) < 2:
        time.sleep(0.002)
    second = start(tiny, members, tmp_path)
    _, err = second.communicate()
    assert second.returncode == 2
    assert "another batch is writing there" in err
    process.communicate()
    assert process.returncode == 0


@needs_fence
def test_events_are_lines_of_json(tiny, members, tmp_path):
    process = start(tiny, members, tmp_path, "--json")
    out, _ = process.communicate()
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["student"] * 60 + ["end"]
    assert {event["student"] for event in events[:-1]} == {f"student{number:02d}" for number in range(60)}
    assert events[-1]["students"] == 60


def small(tmp_path, files):
    """Return a folder with some students' files."""
    folder = tmp_path / "small"
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return folder


@needs_fence
def test_identical_files_are_graded_once_and_reported_for_each(tiny, tmp_path):
    folder = small(tmp_path, {f"{name}/double.py": HALF for name in ("ann", "bob", "cid")})
    summary = run(tiny, Plan(folder, tmp_path / "results"), silent, silent)
    assert (summary.students, summary.graded, summary.known) == (3, 1, 2)
    found = [json.loads((tmp_path / "results" / "grades" / f"{name}.json").read_text()) for name in ("ann", "bob")]
    assert found[0].pop("student") == "ann"
    assert found[1].pop("student") == "bob"
    assert [result.pop("identity")["name"] for result in found] == ["ann", "bob"]
    assert found[0] == found[1]


@needs_fence
def test_a_changed_file_is_graded_again_and_only_that(tiny, tmp_path):
    folder = small(tmp_path, {"ann/double.py": HALF, "bob/double.py": HALF + "#\n"})
    plan = Plan(folder, tmp_path / "results")
    run(tiny, plan, silent, silent)
    (folder / "ann" / "double.py").write_text(RIGHT)
    summary = run(tiny, plan, silent, silent)
    assert (summary.graded, summary.known) == (1, 1)
    assert json.loads((tmp_path / "results" / "grades" / "ann.json").read_text())["score"] == 3
    forced = run(tiny, Plan(folder, tmp_path / "results", force=True), silent, silent)
    assert (forced.graded, forced.known) == (2, 0)


@needs_fence
def test_a_missing_and_an_unreadable_file_have_a_sentence(tiny, tmp_path):
    folder = small(tmp_path, {"ann/other.txt": "", "bob/double.py": RIGHT})
    (folder / "cid").mkdir()
    (folder / "cid" / "double.py").symlink_to(folder / "bob" / "double.py")
    process = start(tiny, folder, tmp_path / "results")
    out, _ = process.communicate()
    assert process.returncode == 1, "one file could not be read"
    assert "could not be read: cid" in out
    rows = {row["student"]: row for row in book(tmp_path / "results")}
    assert rows["ann"]["score"] == "0"
    assert rows["bob"]["score"] == "3"
    assert "is a link" in rows["cid"]["status"]
    ann = Result.model_validate_json((tmp_path / "results" / "grades" / "ann.json").read_text())
    assert {verdict.outcome for verdict in ann.exercises[0].verdicts} == {"not started"}


@needs_fence
def test_our_own_fault_is_broken_never_a_zero_and_is_tried_again_next_time(tiny, tmp_path, monkeypatch):
    from grader import node

    folder = small(tmp_path, {"ann/double.py": RIGHT})
    failing = monkeypatch.context()
    with failing as patch:
        patch.setattr("grader.register.Local", InThisProcess)
        patch.setattr(node.Desk, "grade", broken_desk)
        summary = run(tiny, Plan(folder, tmp_path / "results"), silent, silent)
    assert summary.broken == ["ann"]
    result = Result.model_validate_json((tmp_path / "results" / "grades" / "ann.json").read_text())
    assert result.exercises[0].broken
    assert "the grader failed" in result.note
    assert "no such worker" in result.exercises[0].verdicts[0].message
    (row,) = book(tmp_path / "results")
    assert row["status"].startswith("broken")
    again = run(tiny, Plan(folder, tmp_path / "results"), silent, silent)
    assert (again.graded, again.known, again.broken) == (1, 0, [])


def broken_desk(desk, source):
    from grader.errors import FaultError

    raise FaultError("no such worker")


class InThisProcess:
    """A pool that grades where the test can reach it."""

    size = 1

    def __init__(self, bundles, jobs, plain):
        self.bundles = bundles

    def submit(self, task):
        from concurrent.futures import Future

        from grader import node

        future = Future()
        future.set_result(node.grade(task, self.bundles[task.slug]))
        return future

    def renew(self):
        raise AssertionError("nothing broke")

    def close(self, now=False):
        from grader import node

        node.end()


@needs_fence
def test_a_worker_found_wrong_puts_what_it_did_in_doubt(tiny, tmp_path, monkeypatch):
    from grader import node
    from grader.sandbox import Sandbox

    folder = small(tmp_path, {f"{name}/double.py": f"{RIGHT}# {name}\n" for name in ("ann", "bob", "cid", "dan")})
    monkeypatch.setattr("grader.register.Local", InThisProcess)
    monkeypatch.setattr(node, "CANARY_EVERY", 3)
    sound = Sandbox.sound
    calls = []

    def once_wrong(sandbox):
        calls.append(len(calls))
        return calls[-1] > 0 and sound(sandbox)

    monkeypatch.setattr(Sandbox, "sound", once_wrong)
    graded = []
    grade = node.Desk.grade
    monkeypatch.setattr(node.Desk, "grade", lambda desk, source: graded.append(source) or grade(desk, source))
    summary = run(tiny, Plan(folder, tmp_path / "results"), silent, silent)
    assert summary.broken == []
    assert summary.students == 4
    assert sorted(graded.count(f"{RIGHT}# {name}\n".encode()) for name in ("ann", "bob", "cid", "dan")) == [1, 2, 2, 2]
    assert (tmp_path / "results" / "gradebook.csv").read_text().count(",3,3,graded") == 4


# --- refusals ---------------------------------------------------------------------------------


def test_without_a_fence_the_files_of_others_are_refused(tiny, tmp_path, monkeypatch):
    folder = small(tmp_path, {"ann/double.py": RIGHT})
    monkeypatch.setattr("grader.batch.best", Fence)
    with pytest.raises(UsageError, match="--no-sandbox does it all the same"):
        run(tiny, Plan(folder, tmp_path / "results"), silent, silent)
    summary = run(tiny, Plan(folder, tmp_path / "results", fenced=False), silent, silent)
    assert summary.graded == 1
    result = Result.model_validate_json((tmp_path / "results" / "grades" / "ann.json").read_text())
    assert result.exercises[0].fence == "C"


def test_a_course_that_submissions_could_read_is_refused(tiny, tmp_path, monkeypatch):
    folder = small(tmp_path, {"ann/double.py": RIGHT})
    monkeypatch.setattr("grader.fence.readable", lambda: [str(tiny.root.parent)])
    with pytest.raises(UsageError, match="where this course lies: move it elsewhere"):
        run(tiny, Plan(folder, tmp_path / "results"), silent, silent)


def test_results_among_the_submissions_are_refused(tiny, tmp_path):
    folder = small(tmp_path, {"ann/double.py": RIGHT})
    with pytest.raises(UsageError, match="name a folder outside"):
        run(tiny, Plan(folder, folder / "results"), silent, silent)
    assert not (folder / "results").exists()


def test_an_empty_folder_is_nothing_to_grade(tiny, tmp_path):
    (tmp_path / "class").mkdir()
    with pytest.raises(EmptyError, match="nothing to grade"):
        run(tiny, Plan(tmp_path / "class", tmp_path / "results"), silent, silent)


def test_results_that_cannot_be_written_are_said_first(tiny, tmp_path):
    folder = small(tmp_path, {"ann/double.py": RIGHT})
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="results cannot be written there"):
        run(tiny, Plan(folder, tmp_path / "file" / "results"), silent, silent)
