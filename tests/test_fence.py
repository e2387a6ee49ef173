"""Whatever a student's file does, each check has a clear verdict in bounded time, and the next one still runs."""

import os
import time

import pytest

from grader.errors import FaultError
from grader.fence import Fence
from grader.ready import ready
from grader.sandbox import Sandbox
from grader.study import study
from grader.verdict import Outcome

GOOD = "def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    return 4 * x\n"


@pytest.fixture
def grade_plain(tiny, tmp_path):
    """Return a function that grades the source of double.py behind no fence, where more can happen."""

    def grade(source):
        path = tmp_path / "double.py"
        path.write_text(source)
        with ready(tiny, tiny.find("double"), 0, fence=Fence()) as made:
            return study(made, path)

    return grade


def outcomes(grade):
    return [verdict.outcome for verdict in grade.verdicts]


def test_a_right_file_passes(grade_text):
    assert outcomes(grade_text(GOOD)) == [Outcome.PASSED, Outcome.PASSED]


def broken(body):
    """Return a file whose double() misbehaves and whose quadruple() is right."""
    return f"import os, sys, time\n\n\ndef double(x):\n    {body}\n\n\ndef quadruple(x):\n    return 4 * x\n"


IN_A_CALL = {
    "return 3 * x": (Outcome.FAILED, ""),
    "raise NotImplementedError": (Outcome.NOT_STARTED, "double is not written yet"),
    "return [][0]": (Outcome.ERROR, "IndexError"),
    "sys.exit(0)": (Outcome.ERROR, "sys.exit"),
    "raise KeyboardInterrupt": (Outcome.ERROR, "KeyboardInterrupt"),
    "os._exit(0)": (Outcome.ERROR, "ended the process (exit status 0)"),
    "os.abort()": (Outcome.ERROR, ""),  # a signal, or a crash where signals are forbidden
    "import ctypes; ctypes.string_at(0)": (Outcome.ERROR, "crashed"),
    "return double(x)": (Outcome.ERROR, "RecursionError"),
    "sys.setrecursionlimit(10**9); return double(x)": (None, ""),  # how it dies depends on the Python
    "while True: pass": (Outcome.TIMEOUT, "no answer within 1 s"),
    "time.sleep(1000)": (Outcome.TIMEOUT, "no answer within"),
    "return bytearray(10**12)": (Outcome.MEMORY, "more memory"),
    "a = []\n    while True: a.append(bytearray(10**7))": (Outcome.MEMORY, "more memory"),
    "return (n for n in [x])": (Outcome.ERROR, "generator objects cannot be sent"),
    "return object()": (Outcome.ERROR, "object objects cannot be sent"),
    "a = []\n    a.append(a)\n    return a": (Outcome.ERROR, "nested deeper"),
    "return 'x' * 10**7": (Outcome.ERROR, "a text of 10,000,000 characters cannot be sent; at most"),
    "return 'x' * 10**8": (Outcome.ERROR, "larger than 64 MiB"),
    "import missing_package": (Outcome.ERROR, "missing_package"),
    "for fd in range(3, 60):\n        try: os.write(fd, b'LLMG' + bytes(40))\n        except OSError: pass\n    return 2 * x": (
        None,
        "",
    ),
    "class M(type):\n        def __getattribute__(c, n): raise ValueError\n    class E(Exception, metaclass=M): pass\n    raise E": (
        Outcome.ERROR,
        "",
    ),
    "os.closerange(0, 60)": (Outcome.ERROR, "ended the process"),
    "os.closerange(0, 60); time.sleep(30)": (Outcome.ERROR, "cut its connection"),
    "class E(Exception):\n        def __str__(self): raise ValueError\n    raise E": (Outcome.ERROR, "cannot be shown"),
}


@pytest.mark.parametrize("body", IN_A_CALL)
def test_a_misbehaving_function_costs_its_own_check_only(grade_text, body):
    outcome, message = IN_A_CALL[body]
    begun = time.monotonic()
    grade = grade_text(broken(body))
    assert grade.verdicts[1].outcome is Outcome.PASSED, "the next check runs in a fresh process"
    first = grade.verdicts[0]
    assert first.outcome is (outcome or first.outcome)
    assert message in first.message + (first.evidence.error if first.evidence else "")
    assert first.outcome is not Outcome.BROKEN
    assert time.monotonic() - begun < 60  # bounded, whatever it does


KILLS = {
    "os.kill(os.getppid(), 9); os._exit(0)": (Outcome.ERROR, "cut its connection"),
    "os.kill(os.getppid(), 9); time.sleep(5)": (Outcome.TIMEOUT, "no answer within"),
}


@pytest.mark.parametrize("body", KILLS)
def test_a_submission_that_kills_its_worker_costs_its_own_check_only(grade_plain, body):
    outcome, message = KILLS[body]
    grade = grade_plain(broken(body))
    assert outcomes(grade) == [outcome, Outcome.PASSED]
    assert message in grade.verdicts[0].message


ON_LOADING = {
    "def double(x:\n": (Outcome.ERROR, "SyntaxError"),
    "x = 1\n\x00": (Outcome.ERROR, "save it as UTF-8"),
    "import missing_package": (Outcome.ERROR, "ModuleNotFoundError"),
    "import sys; sys.exit(3)": (Outcome.ERROR, "sys.exit"),
    "import os; os._exit(0)": (Outcome.ERROR, "exit status 0"),
    "while True: pass": (Outcome.TIMEOUT, "no answer within 2 s"),
    "x = bytearray(10**12)": (Outcome.MEMORY, "more memory"),
    "1/0": (Outcome.ERROR, "ZeroDivisionError"),
    "raise NotImplementedError": (Outcome.NOT_STARTED, ""),
    "(" * 5000 + ")" * 5000: (Outcome.ERROR, ""),
    "": (Outcome.ERROR, "is empty"),
    "  \n\n": (Outcome.ERROR, "is empty"),
}


@pytest.mark.parametrize("source", ON_LOADING, ids=[str(n) for n in range(len(ON_LOADING))])
def test_a_file_that_cannot_be_loaded_says_so_for_each_check(grade_text, source):
    outcome, message = ON_LOADING[source]
    grade = grade_text(source)
    assert outcomes(grade) == [outcome, outcome]
    assert message in grade.verdicts[0].message


def test_a_file_that_is_not_utf8_says_so(grade_text):
    grade = grade_text(b"x = '\xff\xfe'\n")
    assert outcomes(grade) == [Outcome.ERROR] * 2
    assert "utf-8" in grade.verdicts[0].message


def test_a_folder_in_place_of_the_file_says_so(tiny_ready, tmp_path):
    (tmp_path / "double.py").mkdir()
    grade = study(tiny_ready, tmp_path / "double.py")
    assert outcomes(grade) == [Outcome.ERROR] * 2
    assert "is a folder" in grade.verdicts[0].message


def test_a_missing_file_is_not_started(tiny_ready, tmp_path):
    grade = study(tiny_ready, tmp_path / "double.py")
    assert outcomes(grade) == [Outcome.NOT_STARTED] * 2
    assert "there is no file" in grade.verdicts[0].message


def test_a_huge_file_is_not_read(tiny_ready, tmp_path):
    (tmp_path / "double.py").write_bytes(b"#" * (2 << 20))
    grade = study(tiny_ready, tmp_path / "double.py")
    assert "larger than 1 MiB" in grade.verdicts[0].message


def test_a_missing_function_is_named_with_its_nearest(grade_text):
    grade = grade_text("def doubel(x):\n    return 2 * x\n")
    assert grade.verdicts[0].outcome is Outcome.ERROR
    assert grade.verdicts[0].message.endswith("double.py has no double; it has doubel: is that it?")


def test_the_traceback_has_only_frames_of_the_students_file(grade_text):
    source = "import json\n\n\ndef double(x):\n    return helper(x)\n\n\ndef helper(x):\n    return json.loads('{')\n"
    evidence = grade_text(source).verdicts[0].evidence
    assert 'File "double.py", line 5, in double\n    return helper(x)' in evidence.traceback
    assert 'File "double.py", line 9, in helper' in evidence.traceback
    assert evidence.traceback.count("File ") == 2
    assert "/" not in evidence.traceback


def test_output_is_kept_bounded_and_harmless(grade_text):
    source = "import sys\ndef double(x):\n    print('A' * 10**6 + '\\x1b[31mred\\x1b]0;title\\x07 end\\u202e')\n    return 0\n"
    output = grade_text(source).verdicts[0].evidence.output
    assert output.endswith("red end\\u202e\n")
    assert len(output) < 10_000
    assert "\x1b" not in output


def test_printing_does_not_disturb_the_protocol(grade_text):
    source = "import sys\nprint('LLMG' * 1000)\n" + GOOD.replace(
        "return 2", "sys.stdout.write('LLMG'); sys.stderr.write('x'); return 2"
    )
    assert outcomes(grade_text(source)) == [Outcome.PASSED, Outcome.PASSED]


def test_a_changed_input_is_a_failure_even_if_the_result_is_right(tmp_path, course):
    exercise = course.find("bpe")
    source = course.solution(exercise).read_text()
    right = "return {word: _merge(a, b, symbols) for word, symbols in splits.items()}"
    wrong = "splits.update({word: _merge(a, b, symbols) for word, symbols in splits.items()})\n    return dict(splits)"
    assert right in source
    path = tmp_path / "bpe.py"
    path.write_text(source.replace(right, wrong))
    with ready(course, exercise, 0) as made:
        verdict = next(v for v in study(made, path, smallest=False).verdicts if v.check == "merge_replaces_every_pair")
    assert verdict.outcome is Outcome.FAILED
    assert "inputs were changed" in verdict.message


def test_a_right_number_of_another_kind_fails(grade_text):
    assert outcomes(grade_text("def double(x):\n    return str(2 * x)\n\n\ndef quadruple(x):\n    return True\n")) == [
        Outcome.FAILED,
        Outcome.FAILED,
    ]


def test_state_that_one_check_spoils_is_gone_after_a_crash(grade_text):
    source = (
        "import os\ncalls = 0\ndef double(x):\n    os._exit(1)\ndef quadruple(x):\n    global calls\n    calls += 1\n"
    )
    source += "    return 4 * x if calls < 3 else 0\n"
    assert grade_text(source).verdicts[1].outcome is Outcome.PASSED


def test_nothing_is_left_behind(grade_text, tmp_path):
    marker = f"marker-{os.getpid()}-{time.monotonic_ns()}"
    grade_text(f"import os, time\nopen({marker!r}, 'w').close()\nwhile True: time.sleep(1)\n")
    leftovers = [path for path in tmp_path.parent.rglob(marker)]
    assert not leftovers
    for process in os.listdir("/proc"):
        if process.isdigit():
            try:
                with open(f"/proc/{process}/environ", "rb") as file:
                    assert marker.encode() not in file.read()
            except OSError:
                continue


def test_a_daemon_in_a_session_of_its_own_is_killed_too(grade_plain):
    name = f"daemon{time.monotonic_ns()}"
    body = f"""if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open('/proc/self/comm', 'w').write({name[:15]!r})
            time.sleep(300)
        os._exit(0)
    time.sleep(0.2)
    raise ValueError"""
    grade_plain(broken(body))
    alive = []
    for process in os.listdir("/proc"):
        if process.isdigit():
            try:
                with open(f"/proc/{process}/comm") as file:
                    alive += [process] if file.read().strip() == name[:15] else []
            except OSError:
                continue
    assert alive == []


def test_closing_the_sandbox_ends_its_processes_and_removes_its_folder():
    from grader.case import Case, Job

    with Sandbox() as sandbox:
        folder = sandbox._zygote.home
        worker = sandbox.pid
        assert (
            sandbox.open(Job("x", b"import os\nPID = os.getpid()\n", "def pid(m):\n    return m.PID\n")).kind == "value"
        )
        runner = sandbox.answer("pid", Case({})).value
        assert os.path.isdir(folder)
    assert not os.path.exists(folder)
    for pid in (worker, runner):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_worker_that_cannot_start_is_our_fault():
    with Sandbox(("no_such_library",)) as sandbox, pytest.raises(FaultError, match="no_such_library"):
        sandbox.has_cuda()


def test_a_worker_that_was_killed_under_a_submission_is_replaced():
    from grader.case import Case, Job

    job = Job("x", b"", "def f(m):\n    return 1\n")
    with Sandbox() as sandbox:
        sandbox.open(job)
        os.killpg(sandbox.pid, 9)
        sandbox._zygote._process.wait()
        assert sandbox.open(job).kind == "value"
        assert sandbox.answer("f", Case({})).value == 1
