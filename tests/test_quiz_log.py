"""The review log: no answer that was confirmed is lost, and cards follow from it alone."""

import os
import random
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.quiz.log import Event, Log
from grader.quiz.memory import cards, rating, rebuilt
from grader.quiz.progress import calibration, flagged, progress
from tests.conftest import ROOT
from tests.test_quiz_session import START, answered, item


def event(number=0, **more):
    """Return an answer."""
    return Event(kind="answer", time=START.isoformat(), session="s", item=f"q{number}", rev=1, **more)


def test_what_was_appended_is_read_again(tmp_path):
    log = Log(tmp_path / "deep" / "folder" / "log.jsonl")
    assert log.events() == []
    told = [event(n, picks=("ä", "b"), score="1/2", confidence="sure", seconds=1.5, hinted=True) for n in range(3)]
    for one in told:
        log.append(one)
    assert log.events() == told
    assert log.path.stat().st_mode & 0o777 == 0o600


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), junk=st.binary(max_size=30))
def test_a_line_that_was_cut_off_costs_itself_alone(tmp_path_factory, cut, junk):
    log = Log(tmp_path_factory.mktemp("log") / "log.jsonl")
    for number in range(3):
        log.append(event(number))
    whole = log.path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == 10]
    log.path.write_bytes(whole[:cut] + junk.replace(b"\n", b"").replace(b"\r", b""))
    log.append(event(9))
    kept = [one.item for one in log.events()]
    assert kept[-1] == "q9"
    assert kept[: sum(end <= cut for end in ends)] == [f"q{number}" for number, end in enumerate(ends) if end <= cut]
    assert log.broken <= 1


@pytest.mark.parametrize(
    "change",
    [
        {"time": "yesterday"},
        {"time": "2026-01-01T00:00:00"},
        {"time": "2026-01-01T00:00:00+01:00"},
        {"time": "9999-12-31T00:00:00+00:00"},
        {"number": "1/0"},
        {"number": "half"},
        {"minutes": 1e300},
    ],
)
def test_a_line_that_somebody_broke_is_counted_and_left_out(change, tmp_path):
    import json

    log = Log(tmp_path / "log.jsonl")
    log.append(event(1))
    line = {**json.loads(log.path.read_bytes()), **change}
    log.path.write_bytes(log.path.read_bytes() + json.dumps(line).encode() + b"\n")
    assert log.events() == [event(1)]
    assert log.broken == 1
    assert list(cards(log)) == ["q1"]


def test_a_log_that_cannot_be_written_is_an_error_that_says_what_is_kept(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"could not be written: .* Nothing that was confirmed is lost"):
        Log(tmp_path / "file" / "log.jsonl").append(event())
    with pytest.raises(UsageError, match="cannot be read"):
        Log(tmp_path).events()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is Linux's")
def test_a_full_disk_is_an_error_and_not_a_lost_answer():
    with pytest.raises(UsageError, match="No space left"):
        Log(type(ROOT)("/dev/full")).append(event())


def test_the_answer_is_on_the_disk_before_append_returns(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(os, "fsync", lambda file: done.append(os.readlink(f"/proc/self/fd/{file}")))
    Log(tmp_path / "log.jsonl").append(event())
    assert done == [str(tmp_path / "log.jsonl"), str(tmp_path)]  # the file, then the name of the new file


# --- killed at any moment --------------------------------------------------------------------------------

COMMAND = [sys.executable, "-m", "grader", "quiz", "--plain", "--course", str(ROOT)]


def typed(screen):
    """Return what a person would type at a prompt."""
    keys = screen.removesuffix("> ").rstrip().splitlines()[-1]
    for key, answer in (("number answer", "1"), ("1 guess", "3"), ("Enter go on", "")):
        if key in keys:
            return answer
    return "a"


def until_prompt(process):
    """Return what a process prints until it asks for something, or ends."""
    screen = ""
    while not screen.endswith("> "):
        got = os.read(process.stdout.fileno(), 65536).decode()
        if not got:
            break
        screen += got
    return screen


def play(log, answers, dice, environment):
    """Answer questions, kill the process soon after the last answer; return all that reached the screen, and the rest."""
    command = [*COMMAND, "--log", str(log)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, bufsize=0) as process:
        screens = [until_prompt(process)]
        for number in range(answers + 1):
            if not screens[-1].endswith("> "):  # the session is over
                break
            process.stdin.write(f"{typed(screens[-1])}\n".encode())
            if number < answers:
                screens.append(until_prompt(process))
            else:
                time.sleep(dice.random() * 0.004)  # anywhere between the answer and its confirmation
        process.kill()
        screens.append(process.stdout.read().decode())
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    return "".join(screens), said


@pytest.mark.slow
def test_fifty_kills_lose_no_answer_that_was_confirmed_on_screen(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    dice = random.Random(50)
    environment = {**os.environ, "COLUMNS": "80"}
    confirmed = kept = resumed = 0
    for _ in range(50):
        screen, said = play(log.path, dice.randrange(9), dice, environment)
        confirmed += len(re.findall(r"^(?:RIGHT|WRONG|PARTLY)", screen, re.MULTILINE))
        kept = [one for one in log.events() if one.kind == "answer"]
        assert log.broken == 0
        # each that was shown is there; at most one in each life was written and not shown any more
        assert confirmed <= len(kept)
        resumed += "going on with the session" in said
        confirmed = len(kept)
    assert len(kept) > 30
    assert resumed > 30
    firsts = [(one.session, one.item) for one in kept if not one.retry]
    assert len(firsts) == len(set(firsts))  # nothing was asked again that had been answered


# --- what follows from the log ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"score": "1", "confidence": "sure"}, Rating.Good),
        ({"score": "1", "confidence": "unsure"}, Rating.Good),
        ({"score": "1"}, Rating.Good),  # an exam asks not how sure
        ({"score": "1", "confidence": "guess"}, Rating.Again),
        ({"score": "1", "confidence": "guess", "hinted": True}, Rating.Again),
        ({"score": "1", "confidence": "sure", "hinted": True}, Rating.Hard),
        ({"score": "0", "confidence": "sure"}, Rating.Again),
        ({"score": "2/3", "confidence": "sure", "hinted": True}, Rating.Again),
    ],
)
def test_what_an_answer_says_about_memory(more, expected):
    assert rating(event(**more)) is expected


def test_what_is_known_better_is_asked_later():
    sure, hinted = (rebuilt([event(score="1", hinted=flag)])["q0"] for flag in (False, True))
    assert sure.due > hinted.due > START
    missed = rebuilt([event(score="0")])["q0"]
    assert missed.missed
    assert missed.due <= hinted.due
    twice = rebuilt([answered("one"), answered("one", day=3)])["one"]
    assert twice.reviews == 2
    assert twice.due - twice.last > timedelta(days=3)


def test_a_session_rates_a_question_once_and_a_retry_never():
    once = rebuilt([event(score="0")])
    assert rebuilt([event(score="0"), event(score="1", retry=True), event(score="1")]) == once


def test_a_changed_question_begins_anew_and_a_clock_that_was_set_back_is_survived():
    known = rebuilt([answered("one", rev=1), answered("one", day=5, rev=2)])
    assert (known["one"].rev, known["one"].reviews) == (2, 1)
    back = rebuilt([answered("one", day=5), answered("one", day=0)])
    assert back["one"].reviews == 2
    assert back["one"].last == START + timedelta(days=5)


def test_cards_are_a_cache_that_may_be_lost_broken_or_of_another_log(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    assert cards(log) == {}
    for number in range(3):
        log.append(event(number, score="1"))
    made = cards(log)
    kept = tmp_path / "log.cards.json"
    assert cards(log) == made
    for damage in (b"", b"{", b'{"digest": "x", "cards": {}}'):
        kept.write_bytes(damage)
        assert cards(log) == made
    kept.unlink()
    assert cards(log) == made
    log.append(event(9, score="1"))
    assert set(cards(log)) == {"q0", "q1", "q2", "q9"}


def test_the_cache_saves_the_import_of_fsrs(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    log.append(event(score="1"))
    program = f"import sys; from pathlib import Path; from grader.quiz.log import Log; from grader.quiz.memory import cards; cards(Log(Path({str(log.path)!r}))); print('fsrs' in sys.modules)"
    first, second = (
        subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).strip() for _ in "12"
    )
    assert (first, second) == ("True", "False")


def test_progress_counts_topics_and_what_is_due():
    items = [item("one"), item("two"), item("three", topic="u")]
    known = rebuilt([answered("one"), answered("two", "0")])
    rows = progress(items, known, START + timedelta(hours=1))
    assert [(row.topic, row.questions, row.answered, row.right, row.due) for row in rows] == [
        ("t", 2, 2, 1, 1),
        ("u", 1, 0, 0, 0),
    ]
    events = [answered("one"), answered("two", "0"), answered("two", "1", confidence="guess")]
    assert calibration(events) == {"guess": (1, 1), "unsure": (0, 0), "sure": (1, 2)}
    flags = [event(n).model_copy(update={"kind": kind}) for n, kind in [(1, "flag"), (2, "flag"), (1, "unflag")]]
    assert list(flagged(flags)) == ["q2"]
    assert datetime.now(UTC) > START
