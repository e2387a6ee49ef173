"""The full-screen front-end, driven by Textual's Pilot: the same engine, the same answers."""

import asyncio
from datetime import UTC, datetime

import pytest

from grader.quiz.bank import files, load
from grader.quiz.screen import Screen
from grader.quiz.session import Session
from grader.quiz.talk import talk
from tests.conftest import ROOT
from tests.test_quiz_session import item, right, wrong

BANK = load(files(ROOT / "quizzes"))
WIDE, NARROW = (80, 24), (40, 24)


def now():
    return datetime(2026, 1, 1, tzinfo=UTC)


def made(*items, mode="study", record=None, minutes=None):
    """Return a screen with a session of these questions, and what it records."""
    events = []
    return Screen(Session("s", mode, "7", items, now(), record or events.append, now, minutes)), events


def drive(screen, act, size=WIDE):
    """Run a screen and a coroutine that presses its keys."""

    async def run():
        async with screen.run_test(size=size) as pilot:
            await act(pilot)

    asyncio.run(run())


ONE, TWO, THREE = item("one"), item("two", "multi"), item("three", "numeric")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_whole_session_by_keys(size):
    screen, events = made(ONE, TWO, THREE)
    session = screen.session

    async def act(pilot):
        await pilot.press("question_mark")
        assert "one" in session.hinted
        await pilot.press(right(session), "3")
        assert session.stage == "feedback"
        await pilot.press("f", "enter")
        for letter in right(session).split():
            await pilot.press(letter)
        assert len(screen.picked) == 2
        await pilot.press("enter")
        assert session.stage == "confidence"
        await pilot.press("b")
        assert screen.picked == set()
        await pilot.press(wrong(session), "enter", "1", "enter")
        await pilot.press("8", "enter", "2", "enter")  # typed into the field for numbers
        assert session.asked.retry
        await pilot.press(*right(session).split(), "enter", "enter")
        await pilot.press("7", "enter", "enter")
        assert session.stage == "end"
        assert session.over

    drive(screen, act, size)
    assert [event.kind for event in events] == ["hint", "answer", "flag", "answer", "answer", "answer", "answer", "end"]
    assert [event.score for event in events if event.kind == "answer"] == ["1", "0", "0", "1", "1"]


def test_letters_that_were_collected_are_marked_and_can_be_taken_back():
    screen, _ = made(TWO)

    async def act(pilot):
        await pilot.press("a", "c")
        lines = [screen.marked(line) for line in talk(screen.session)]
        assert [line.text[:4] for line in lines if line.role == "part"] == ["* a)", "* c)"]
        await pilot.press("a")
        assert screen.picked == {"c"}
        await pilot.press("enter")
        assert screen.session.pending.picks == {screen.session.choices[2].id}

    drive(screen, act)


@pytest.mark.parametrize("key", ["q", "escape", "ctrl+c"])
@pytest.mark.parametrize("kind", ["single", "numeric"])
def test_quitting_works_at_every_stage(key, kind):
    one = item("x", kind)
    for presses in ([], [*right(made(one)[0].session), *(["enter"] if kind == "numeric" else [])]):
        screen, _ = made(one)

        async def act(pilot, presses=presses):
            await pilot.press(*presses, key)
            if kind == "numeric" and not presses and key == "q":
                await pilot.press("enter")  # where a number is typed, a command is typed too
            await pilot.pause()
            assert not pilot.app.is_running or pilot.app._exit

        drive(screen, act)


def test_a_word_that_is_no_number_is_answered_with_a_sentence():
    screen, events = made(THREE)

    async def act(pilot):
        await pilot.press(*"abc", "enter")
        assert screen.said == "'abc' is no number; write it as 1024, 0.5, 1e-3 or 1/20"
        await pilot.press("s", "enter")
        assert screen.session.stage == "end"

    drive(screen, act)
    assert [event.kind for event in events] == ["skip", "end"]


def test_an_answer_that_cannot_be_written_ends_the_screen_with_the_error():
    from grader.errors import UsageError

    def full(event):
        raise UsageError("the answer could not be written")

    screen, _ = made(ONE, record=full)

    async def act(pilot):
        await pilot.press("a", "3")

    drive(screen, act)
    assert isinstance(screen.return_value, UsageError)


def test_an_exam_shows_its_clock_and_ends_by_it():
    times = [now()]
    session = Session("s", "exam", "7", (ONE,), now(), [].append, lambda: times[0], 1)
    screen = Screen(session)

    async def act(pilot):
        times[0] = now().replace(minute=2)
        screen.tick()
        await pilot.pause()
        assert session.over

    drive(screen, act)


SHOTS = {
    "question": ([], WIDE),
    "answer": (["a", "3"], WIDE),
    "narrow": (["question_mark"], NARROW),
}


@pytest.mark.parametrize("name", SHOTS)
def test_the_screen_can_be_drawn(name, pytestconfig, tmp_path):
    presses, size = SHOTS[name]
    screen, _ = made(BANK.items["attn-why-scale"], BANK.items["bpe-two-trainers"])
    folder = ROOT / "docs" / "images" if pytestconfig.getoption("--screenshots") else tmp_path

    async def act(pilot):
        await pilot.press(*presses)
        screen.save_screenshot(f"quiz-{name}.svg", path=str(folder))

    drive(screen, act, size)
    drawing = (folder / f"quiz-{name}.svg").read_text()
    assert drawing.startswith("<svg")
    assert "save&#160;and&#160;quit" in drawing
    shipped = ROOT / "docs" / "images" / f"quiz-{name}.svg"
    assert shipped.is_file(), "draw it: pytest tests/test_quiz_screen.py --screenshots"


@pytest.mark.parametrize("presses", [["question_mark"], ["a"]])
def test_what_is_new_at_the_end_of_a_long_question_comes_into_sight(presses):
    screen, _ = made(BANK.items["attn-why-scale"])

    async def act(pilot):
        body = screen.query_one("#body")
        assert body.max_scroll_y > 0
        assert body.scroll_y == 0
        await pilot.press(*presses)
        await pilot.pause()
        assert body.scroll_y == body.max_scroll_y

    drive(screen, act, NARROW)
