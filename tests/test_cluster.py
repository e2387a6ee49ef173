"""A dask cluster grades a class as this machine does, also when one of its workers is killed half-way."""

import contextlib
import json
import signal
import subprocess
import sys
import time

import pytest

from grader.gradebook import filename
from grader.tier import best

pytest.importorskip("distributed", reason="needs dask: pip install 'llm-fundamentals-grader[cluster]'")
pytestmark = pytest.mark.skipif(best().tier == "C", reason="no fence works on this machine: see grader doctor")

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    return 4 * x\n"


def started(*command):
    """Return a process whose words nobody needs."""
    return subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def cluster(tmp_path):
    """Return the address of a real scheduler, and its two worker processes."""
    file = tmp_path / "scheduler.json"
    quiet = ["--no-dashboard", "--scheduler-file", str(file)]
    with contextlib.ExitStack() as stack:
        begun = [started("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *quiet)]

        def end():
            for process in begun:
                process.kill()
                process.wait()

        stack.callback(end)
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        worker = ["distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        begun += [started(*worker, "--local-directory", str(tmp_path / f"node{number}")) for number in range(2)]
        yield address, begun[1:]


def batch(tiny, folder, results, *options):
    command = [sys.executable, "-c", "from grader.entry import main; main()", "batch", str(folder)]
    command += ["-o", str(results), "--course", str(tiny.root), "-j", "1", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def contents(results):
    files = [results / "gradebook.csv", *sorted((results / "grades").iterdir())]
    return {path.name: path.read_bytes() for path in files}


def test_a_cluster_has_the_same_results_although_a_worker_is_killed(tiny, cluster, tmp_path):
    address, (victim, _) = cluster
    folder = tmp_path / "class"
    for number in range(80):
        (folder / f"s{number:02d}").mkdir(parents=True)
        source = RIGHT if number % 2 else RIGHT.replace("4 *", "5 *")
        (folder / f"s{number:02d}" / "double.py").write_text(f"{source}# {number}\n")
    here = batch(tiny, folder, tmp_path / "here")
    assert here.wait() == 0, here.communicate()
    here.communicate()
    there = batch(tiny, folder, tmp_path / "there", "--scheduler", address)
    journal = tmp_path / "there" / "journal.jsonl"
    while there.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") >= 20):
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    _, err = there.communicate()
    assert there.returncode == 0, err
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    result = json.loads((tmp_path / "there" / "grades" / filename("s01")).read_text())
    assert result["exercises"][0]["fence"] == best().tier


def test_an_address_where_nothing_answers_is_said(tiny, tmp_path):
    (tmp_path / "class" / "ann").mkdir(parents=True)
    (tmp_path / "class" / "ann" / "double.py").write_text(RIGHT)
    process = batch(tiny, tmp_path / "class", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    _, err = process.communicate()
    assert process.returncode == 2
    assert "no dask scheduler answers there" in err
