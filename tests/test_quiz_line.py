"""The line front-end in real terminals and pipes: nothing moves the cursor, nothing is lost, nothing crashes."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios

import pytest

from grader.quiz.log import Event, Log
from tests.conftest import ROOT

COMMAND = [sys.executable, "-m", "grader", "quiz", "--course", str(ROOT)]
ITEMS = ["--item", "attn-why-scale", "--item", "bpe-two-trainers"]


def piped(text, *arguments, log, **environment):
    """Run the command with this input; return what came of it."""
    return subprocess.run(
        [*COMMAND, "--log", str(log), *arguments],
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=60,
    )


class Window:
    """The command in a terminal of its own."""

    def __init__(self, *arguments, columns=80, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        own = {**os.environ, "TERM": "xterm-256color", **environment}
        for name in ("COLUMNS", "NO_COLOR"):
            if name not in environment:
                own.pop(name, None)
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=own, start_new_session=True
        )
        os.close(slave)
        self.screen = ""

    def read(self, end="> "):
        """Read until the screen ends with a prompt, or the command ends; return what is new."""
        new = ""
        while not new.endswith(end):
            assert select.select([self.master], [], [], 30)[0], f"nothing more came after {self.screen + new!r}"
            try:
                got = os.read(self.master, 65536).decode()
            except OSError:  # the other side is closed
                break
            new += got
        self.screen += new
        return new.replace("\r\n", "\n")

    def type(self, text):
        """Type a line; return what is printed then."""
        os.write(self.master, f"{text}\n".encode())
        return self.read()

    def close(self):
        """Wait for the end; return the exit code."""
        code = self.process.wait(timeout=30)
        os.close(self.master)
        return code


def visible(text):
    """Return a text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def whole_session(window):
    """Study two questions in every way that there is; return the exit code."""
    assert "attention" in visible(window.read())
    assert "Hint: " in visible(window.type("?"))
    assert "pick a to " in visible(window.type("z"))
    assert "How sure are you?" in visible(window.type("a"))
    assert "attention" in visible(window.type("b"))
    window.type("a")
    assert re.search("RIGHT|WRONG", visible(window.type("3")))
    assert "flagged for the author" in visible(window.type("f"))
    assert "bpe" in visible(window.type(""))
    assert "Every confirmed answer is kept. Go on with: grader quiz" in " ".join(visible(window.type("q")).split())
    return window.close()


@pytest.mark.parametrize("columns", [80, 40])
def test_a_session_in_a_terminal_uses_colours_and_never_moves_the_cursor(columns, tmp_path):
    window = Window("--log", str(tmp_path / "log"), *ITEMS, columns=columns)
    assert whole_session(window) == 0
    assert set(re.findall(r"\x1b\[[^a-zA-Z]*([a-zA-Z])", window.screen)) == {"m"}
    assert window.screen.count("\x1b") == len(re.findall(r"\x1b\[[0-9;]*m", window.screen))
    rows = visible(window.screen).replace("\r\n", "\n").splitlines()
    assert max(map(len, (row for row in rows if "http" not in row))) <= columns


@pytest.mark.parametrize(
    ("arguments", "environment"), [(["--plain"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})]
)
def test_without_colours_there_is_no_escape_sequence_that_is_a_colour(arguments, environment, tmp_path):
    window = Window("--log", str(tmp_path / "log"), *ITEMS, *arguments, **environment)
    assert whole_session(window) == 0
    assert re.findall(r"\x1b\[[0-9;]*[34][0-9][0-9;]*m", window.screen) == []
    if arguments:
        assert "\x1b" not in window.screen  # what a screen reader gets is text alone


def test_a_session_works_in_a_pipe_and_ends_with_its_input(tmp_path):
    done = piped("a\n3\n\n", *ITEMS, log=tmp_path / "log")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert done.stdout.decode().endswith("Every confirmed answer is kept. Go on with: grader quiz\n")
    assert [event.kind for event in Log(tmp_path / "log").events()] == ["begin", "answer"]
    again = piped("q\n", log=tmp_path / "log")
    assert b"going on with the session of" in again.stderr
    assert b"2 of 2 - bpe" in again.stdout


def test_a_terminal_that_has_neither_signs_nor_greek_shows_something_else(tmp_path):
    done = piped("a\n3\n", "--item", "bpe-first-merge", log=tmp_path / "log", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert re.search(r"^(RIGHT \+|WRONG x)", done.stdout.decode("ascii"), re.MULTILINE)
    assert "\\u0120" in done.stdout.decode("ascii")


def test_what_is_typed_in_another_encoding_is_no_crash(tmp_path):
    done = piped(b"\xff\xfe\x00\n\xe9\nq\n", *ITEMS, log=tmp_path / "log")
    assert done.returncode == 0
    assert done.stderr == b""


def test_without_any_input_the_session_is_left_like_at_the_end_of_it(tmp_path):
    command = f"exec {' '.join(COMMAND)} --log {tmp_path / 'log'} --item attn-why-scale <&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Every confirmed answer is kept." in done.stdout


def test_an_interrupt_says_how_to_go_on_and_exits_with_130(tmp_path):
    window = Window("--log", str(tmp_path / "log"), *ITEMS)
    window.read()
    window.type("a")
    window.type("2")
    while not select.select([window.master], [], [], 0.5)[0]:
        # as a person presses it: one that comes just before Python waits for a line is seen at the next key
        os.killpg(window.process.pid, signal.SIGINT)
    said = " ".join(visible(window.read(end="\0")).split())
    assert "Every confirmed answer is kept. Go on with: grader quiz" in said
    assert "grader: interrupted" in said
    assert window.close() == 130
    assert [event.kind for event in Log(tmp_path / "log").events()] == ["begin", "answer"]


def test_an_exam_goes_to_its_end_and_tells_everything_then(tmp_path):
    done = piped("a\nb\n", "--mode", "exam", *ITEMS, "--seed", "1", log=tmp_path / "log")
    text = done.stdout.decode()
    assert done.returncode == 0
    assert text.index("of 2 points") < text.index("Source: ")
    assert "How sure" not in text
    kinds = [event.kind for event in Log(tmp_path / "log").events()]
    assert kinds == ["begin", "answer", "answer", "end"]


def test_answers_that_cannot_be_written_end_the_session_with_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    log = tmp_path / "log"
    piped("", *ITEMS, log=log)
    here = {"cwd": ROOT, "capture_output": True}
    # a limit on the size of files stands for a full disk, also where root may write anywhere
    limited = f"ulimit -f {log.stat().st_size // 1024 + 1}; exec {' '.join(COMMAND)} --plain --log {log}"
    done = subprocess.run(["bash", "-c", limited], input=b"a\nb\n3\n" + b"f\n" * 40, **here)
    assert done.returncode == 2
    assert b"could not be written" in done.stderr
    assert b"Traceback" not in done.stderr
    done = piped("a\n", *ITEMS, log=tmp_path / "log" / "log")
    assert done.returncode == 2
    assert b"cannot be read: Not a directory" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--topic", "atention"], 2, "there is no topic 'atention'; there are: unicode"),
        (["--item", "nothing"], 2, "there is no question 'nothing'"),
        (["--mode", "review"], 4, "nothing is due and nothing was missed"),
        (["--minutes", "3"], 2, "--minutes is for grader quiz --mode exam"),
        (["--tui"], 2, "--tui needs a terminal"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(arguments, code, said, tmp_path):
    done = piped("", *arguments, log=tmp_path / "log")
    assert done.returncode == code
    assert said in done.stderr.decode()


def test_a_question_that_has_changed_is_not_waited_for(tmp_path):
    log = Log(tmp_path / "log")
    log.append(Event(kind="answer", time="2020-01-01T00:00:00+00:00", session="s", item="attn-why-scale", rev=999))
    done = subprocess.run([*COMMAND[:4], "due", "--log", str(log.path)], capture_output=True, cwd=ROOT, check=True)
    assert done.stdout == b"nothing was answered yet\n"


def test_stats_due_and_flagged_tell_what_the_log_holds(tmp_path):
    import json

    log = tmp_path / "log"
    piped("a\n3\nf\n\nq\n", *ITEMS, log=log)

    def told(name):
        done = subprocess.run(
            [*COMMAND[:4], name, "--json", "--log", str(log)], capture_output=True, cwd=ROOT, check=True
        )
        return json.loads(done.stdout)

    rows = {row["topic"]: row for row in told("stats")}
    assert rows["attention"]["answered"] == 1
    assert rows["bpe"]["answered"] == 0
    (event,) = [event for event in Log(log).events() if event.kind == "answer"]
    assert [row["item"] for row in told("due")] == ([] if event.score == "1" else ["attn-why-scale"])
    assert [row["item"] for row in told("flagged")] == ["attn-why-scale"]
    for name, words in (
        ("stats", "When you said 'sure', "),
        ("flagged", "attn-why-scale: "),
        ("due", "attn-why-scale: missed"),
    ):
        done = subprocess.run(
            [*COMMAND[:4], name, "--log", str(log)], capture_output=True, cwd=ROOT, check=True, text=True
        )
        assert words in done.stdout or (name == "due" and event.score == "1")
