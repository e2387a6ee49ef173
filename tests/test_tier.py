"""Which fence works is found by attacking it, said with a remedy, and remembered."""

import os

import pytest

from grader import syscalls, tier
from grader.case import Case, Job
from grader.errors import FaultError
from grader.fence import FIRST_UID, Fence, exposed, readable
from grader.sandbox import Sandbox


def test_the_last_fence_always_works_and_the_best_comes_first():
    found = list(tier.findings())
    assert [finding.fence.tier for finding in found] == ["A", "B", "C"]
    assert found[-1].works
    assert tier.best() == next(finding.fence for finding in found if finding.works)
    assert all(bool(finding.problem) != finding.works for finding in found)
    assert all(finding.fix for finding in found if not finding.works)


def test_what_was_found_is_kept_until_the_grader_changes(monkeypatch, tmp_path):
    monkeypatch.setattr(tier, "cache_folder", lambda: tmp_path)
    asked = []
    findings = tier.findings
    monkeypatch.setattr(tier, "findings", lambda: asked.append(1) or findings())
    first = tier.best()
    assert tier.best() == first
    assert len(asked) == 1
    monkeypatch.setattr(tier, "_key", lambda: "another machine")
    tier.best()
    assert len(asked) == 2
    (tmp_path / "fence.json").write_text('{"key": "another machine"')
    assert tier.best() == first
    assert len(asked) == 3


def test_a_fence_with_a_hole_is_found_out():
    found = tier._tried(Fence("B"))  # neither seccomp nor Landlock
    assert not found.works
    for attempt in (
        "reads a file of yours",
        "reaches a port of this machine",
        "leaves a file behind",
        "starts a process",
    ):
        assert attempt in found.problem


def test_without_bubblewrap_or_libseccomp_the_remedy_is_one_line(monkeypatch):
    monkeypatch.setattr(tier.shutil, "which", lambda name: None)
    found = next(tier.findings())
    if found.problem != "the command bwrap is not there":
        pytest.skip(f"no seccomp here: {found.problem}")
    assert "apt install bubblewrap" in found.fix

    def missing():
        raise OSError(38, "libseccomp cannot be loaded")

    monkeypatch.setattr(syscalls, "program", missing)
    found = list(tier.findings())
    assert [finding.works for finding in found] == [False, False, True]
    assert "libseccomp2" in found[0].fix


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        ("bwrap: setting up uid map: Permission denied", "AppArmor"),
        ("bwrap: No permissions to create new namespace", "docs/security.md"),
        ("Landlock: Function not implemented", "/sys/kernel/security/lsm"),
        ("anything else", "Linux 6.1"),
    ],
)
def test_each_known_problem_has_a_remedy(problem, remedy):
    assert remedy in tier._fix(problem)


def test_a_worker_of_root_becomes_a_user_of_its_own():
    if os.getuid() != 0:
        pytest.skip("only root must become someone else")
    job = Job("who", b"import os\n", "def who(module):\n    return [module.os.getuid(), module.os.getgroups()]\n")
    users = set()
    for finding in tier.findings():
        if finding.works and finding.fence.tier != "C":
            for _ in range(2):
                with Sandbox((), finding.fence) as sandbox:
                    sandbox.open(job)
                    user, groups = sandbox.answer("who", Case({})).value
                    assert user >= FIRST_UID
                    assert groups == []
                    users.add(user)
    assert len(users) > 1 or not users


def test_nothing_of_the_environment_but_python_s_own_reaches_a_fenced_worker(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/x")
    for name in ("A", "B", "C"):
        environment = Fence(name).environment("/")
        assert "SECRET_TOKEN" not in environment
        assert ("LD_LIBRARY_PATH" in environment) == (name == "C")


def test_a_course_among_the_packages_is_exposed(tmp_path):
    assert exposed(tmp_path) == ""
    assert exposed(tmp_path.joinpath(readable()[0], "share", "course")) == readable()[0]


def test_a_worker_that_is_killed_behind_a_fence_is_our_fault_and_replaced():
    fence = tier.best()
    if fence.tier == "C":
        pytest.skip("no fence works on this machine: see grader doctor")
    job = Job("x", b"import time\n", "def f(module):\n    return 1\n\ndef g(module):\n    module.time.sleep(60)\n")
    with Sandbox((), fence) as sandbox:
        sandbox.open(job)
        os.killpg(sandbox.pid, 9)
        with pytest.raises(FaultError, match="which no submission can do"):
            sandbox.answer("g", Case({}))
        assert sandbox.alarms
        assert sandbox.open(job).kind == "value"
        assert sandbox.answer("f", Case({})).value == 1
        assert sandbox.sound()


def test_a_stopped_worker_is_not_sound(monkeypatch):
    monkeypatch.setattr("grader.zygote.START_SECONDS", 0.5)
    with Sandbox() as sandbox:
        assert sandbox.sound()
        os.kill(sandbox.pid, 19)
        assert not sandbox.sound()


def test_the_program_is_the_same_each_time_and_small():
    try:
        program = syscalls.program()
    except OSError as error:
        pytest.skip(f"no libseccomp: {error}")
    assert program == syscalls.program()
    assert len(program) % 8 == 0
    assert len(program) < 4096


def test_python_s_own_sockets_between_threads_still_work():
    fence = tier.best()
    source = b"import socket, threading\n\ndef go():\n    a, b = socket.socketpair()\n"
    source += b"    thread = threading.Thread(target=a.send, args=(b'x',))\n    thread.start()\n"
    source += b"    thread.join()\n    return b.recv(1)\n"
    with Sandbox((), fence) as sandbox:
        sandbox.open(Job("x", source, "def f(module):\n    return module.go()\n"))
        assert sandbox.answer("f", Case({})).value == b"x"
