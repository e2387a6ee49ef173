"""The engine of self-study: its state is what its events say, and leaving it costs nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import EmptyError, UsageError
from grader.quiz.agenda import agenda
from grader.quiz.bank import Bank
from grader.quiz.item import Answer, Choice, Item, Quiz
from grader.quiz.lesson import Wish, lesson, resume, unfinished
from grader.quiz.log import Event, Log
from grader.quiz.memory import rebuilt
from grader.quiz.order import shown
from grader.quiz.session import Session
from grader.quiz.talk import talk

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.time = START

    def __call__(self):
        self.time += timedelta(seconds=1)
        return self.time


def item(name, kind="single", topic="t", level="core", rev=1):
    """Return a question whose right choices are those whose id begins with r."""
    if kind == "numeric":
        parts = {"answer": Answer(value="7")}
    else:
        names = ("r1", "w1", "w2") if kind == "single" else ("r1", "r2", "w1", "w2")
        parts = {"choices": tuple(Choice(id=n, text=f"choice {n}", why=f"why {n}", correct=n[0] == "r") for n in names)}
    more = {"hint": "Think.", "sources": ("https://arxiv.org/abs/1",), "exercise": "bpe"}
    return Item(
        id=name, rev=rev, type=kind, topic=topic, level=level, prompt=f"{name}?", explanation="E.", **more, **parts
    )


ITEMS = (item("one"), item("two", "multi"), item("three", "numeric"))


def session(items=ITEMS, mode="study", minutes=None):
    """Return a session, the events it records, and its clock."""
    events, clock = [], Clock()
    made = Session("s", mode, "seed", items, START, events.append, clock, minutes)
    return made, events, clock


def right(made):
    """Return what must be typed to answer the question that is asked."""
    asked = made.asked.item
    if asked.type == "numeric":
        return "7"
    letters = zip("abcde", shown(asked, made.seed), strict=False)
    return " ".join(letter for letter, choice in letters if choice.correct)


def wrong(made):
    """Return what must be typed to answer wrongly."""
    if made.asked.item.type == "numeric":
        return "8"
    return next(
        letter for letter, choice in zip("abcde", shown(made.asked.item, made.seed), strict=False) if not choice.correct
    )


def texts(made):
    """Return what is on the screen."""
    return "\n".join(line.text for line in talk(made))


def test_a_study_session_asks_how_sure_before_it_shows_what_is_right():
    made, events, _ = session()
    assert made.stage == "question"
    assert "one?" in texts(made)
    assert "why" not in texts(made)
    assert made.do(right(made)) == ""
    assert made.stage == "confidence"
    assert "why" not in texts(made)
    assert events == []  # nothing is recorded that is not confirmed
    assert made.do("3") == ""
    assert made.stage == "feedback"
    assert events[0].picks == ("r1",)
    assert (events[0].score, events[0].confidence, events[0].kind) == ("1", "sure", "answer")
    for part in ("RIGHT", "why r1", "why w1", "why w2", "E.", "grader check bpe", "https://arxiv.org/abs/1"):
        assert part in texts(made)
    made.do("")
    assert made.asked.item.id == "two"


def test_an_answer_can_be_taken_back_before_it_is_marked():
    made, events, _ = session()
    made.do(wrong(made))
    made.do("b")
    assert made.stage == "question"
    made.do(right(made))
    assert made.do("4") == "type 1 if it is a guess, 2 if you are unsure, 3 if you are sure"
    made.do("1")
    assert [event.score for event in events] == ["1"]
    assert "a guess: it will come again soon" in texts(made)


def test_what_was_missed_comes_again_at_the_end_once_in_the_same_order_and_counts_once():
    made, events, _ = session(ITEMS[:1])
    before = made.choices
    made.do(wrong(made))
    made.do("2")
    assert "WRONG" in texts(made)
    assert "comes again at the end" in texts(made)
    made.do("")
    assert made.asked.retry
    assert made.choices == before
    assert "asked again" in texts(made)
    made.do(right(made))  # without being asked how sure
    assert made.stage == "feedback"
    assert events[-1].retry
    made.do("")
    assert made.stage == "end"
    assert made.first["one"].score == 0
    assert "0 of 1 points, 0%" in texts(made)
    assert "What you missed is practised in: bpe" in texts(made)


def test_a_hint_is_shown_and_remembered():
    made, events, _ = session()
    made.do("?")
    made.do("?")
    assert "Hint: Think." in texts(made)
    made.do(right(made))
    made.do("3")
    assert [(event.kind, event.hinted) for event in events] == [("hint", False), ("answer", True)]


def test_flagging_is_said_and_can_be_taken_back():
    made, events, _ = session()
    assert made.do("f") == "flagged for the author"
    assert made.do("F") == "no longer flagged"
    assert [event.kind for event in events] == ["flag", "unflag"]


def test_an_exam_says_nothing_until_its_end_and_then_everything():
    made, events, _ = session(mode="exam")
    assert made.do("?") == "an exam has no hints"
    assert "?" not in dict(made.keys)
    while made.stage == "question":
        made.do(right(made) if made.asked.item.id != "three" else wrong(made))
        assert made.stage in ("question", "end")
    assert made.queue == made.queue.__class__()
    for part in ("2 of 3 points, 67%", "why w2", "✗ 8 (yours)", "✓ 7", "RIGHT", "WRONG", "E."):
        assert part in texts(made)
    made.finish()
    made.finish()
    assert [event.kind for event in events] == ["answer", "answer", "answer", "end"]


def test_a_question_that_is_skipped_in_an_exam_comes_once_more():
    made, _, _ = session(mode="exam")
    made.do("s")
    assert [asked.item.id for asked in made.queue] == ["two", "three", "one"]
    made.do("s")
    made.do("s")
    made.do("s")
    assert [asked.item.id for asked in made.queue] == ["two", "three"]
    made.do("s")
    made.do("s")
    assert made.stage == "end"
    assert "Not answered: one, two, three" in texts(made)
    assert texts(made).count("NOT ANSWERED") == 3


def test_the_time_of_an_exam_ends_it_and_no_answer_counts_after_it():
    made, events, clock = session(mode="exam", minutes=1)
    made.do(right(made))
    assert "0 min 5" in texts(made)
    clock.time += timedelta(minutes=2)
    assert made.stage == "end"
    assert made.do("a") == "the time is over"
    made.finish()
    assert [event.kind for event in events] == ["answer", "end"]
    assert "The time is over." in texts(made)
    assert "1 of 3 points" in texts(made)


@pytest.mark.parametrize("looks", range(1, 12))
def test_the_time_may_be_over_between_any_two_looks_at_the_clock(looks):
    made, _, clock = session(mode="exam", minutes=1)
    clock.time = START + timedelta(seconds=60 - looks)
    assert texts(made)
    assert made.keys


WORDS = st.sampled_from(["right", "wrong", "a", "b c", "1", "2", "3", "", "?", "s", "f", "b", "x", "7"])


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=25), st.sampled_from(["study", "exam", "review"]), st.integers(0, 25))
def test_a_session_that_is_left_anywhere_goes_on_as_if_it_had_not_been_left(words, mode, place):
    made, events, _ = session(mode=mode)
    head = Event(
        kind="begin",
        time=START.isoformat(),
        session="s",
        mode=mode,
        seed="seed",
        items=tuple((i.id, i.rev) for i in ITEMS),
    )
    for number, word in enumerate(words):
        if number == place:  # left here, and taken up again
            again, gone = resume([head, *events], {i.id: i for i in ITEMS}, events.append, made.now)
            assert gone == []
            assert again.queue == made.queue
            assert again.attempts == made.attempts
            assert (again.skipped, again.flagged, again.hinted) == (made.skipped, made.flagged, made.hinted)
            again.pending, again.explained = made.pending, made.explained
            made = again
        if made.stage == "end":
            break
        made.do(right(made) if word == "right" else wrong(made) if word == "wrong" else word)
        talk(made)
        assert made.keys
    assert len({a.item.id for a in made.attempts if not a.retry}) == len([a for a in made.attempts if not a.retry])


def test_what_changed_since_is_left_out_when_a_session_goes_on():
    made, events, _ = session()
    made.do(right(made))
    made.do("3")
    head = Event(
        kind="begin", time=START.isoformat(), session="s", seed="seed", items=(("one", 1), ("two", 1), ("three", 1))
    )
    bank = {"one": ITEMS[0], "two": item("two", "multi", rev=2)}
    again, gone = resume([head, *events], bank, events.append, made.now)
    assert gone == ["two", "three"]
    assert again.stage == "end"


def test_the_last_session_that_did_not_end_is_found():
    def event(kind, name):
        return Event(kind=kind, time=START.isoformat(), session=name)

    first, second = [event("begin", "1"), event("answer", "1")], [event("begin", "2"), event("end", "2")]
    assert unfinished([*first, *second], "study") == first
    assert unfinished([*first, *second], "exam") == []
    assert unfinished(second, "study") == []
    assert unfinished([*second, event("answer", "2")], "study") == []  # from another window
    assert unfinished([event("answer", "3")], "study") == []  # its beginning was lost


# --- what is asked ---------------------------------------------------------------------------------------


def answered(name, score="1", day=0, rev=1, confidence="sure", session="x"):
    """Return an answer to a question on a day."""
    time = (START + timedelta(days=day)).isoformat()
    return Event(
        kind="answer", time=time, session=f"{session}{day}", item=name, rev=rev, score=score, confidence=confidence
    )


def test_study_begins_with_what_was_missed_then_what_is_due_then_what_is_new_and_easy():
    items = [item("s", level="stretch"), item("i", level="intro"), item("old"), item("miss"), item("later")]
    known = rebuilt([answered("old"), answered("miss", "0", 1), answered("later", day=29)])
    now = START + timedelta(days=30)
    assert [one.id for one in agenda("study", items, known, "s", now)] == ["miss", "old", "i", "s"]
    assert [one.id for one in agenda("review", items, known, "s", now)] == ["miss", "old"]


def test_a_changed_question_is_new_again():
    known = rebuilt([answered("one", "0", rev=1)])
    assert [one.id for one in agenda("review", [item("one", rev=2)], known, "s", START)] == []
    assert [one.id for one in agenda("study", [item("one", rev=2)], known, "s", START)] == ["one"]


def test_an_exam_is_drawn_by_its_seed_alone():
    items = [item(f"q{number}") for number in range(30)]
    one, two, other = (agenda("exam", items, {}, seed, START) for seed in ("1", "1", "2"))
    assert one == two != other
    assert sorted(i.id for i in one) == sorted(i.id for i in other) == sorted(i.id for i in items)


@pytest.fixture
def bank():
    return Bank((Quiz(schema="llm-quiz/1", quiz="q", title="Q", items=ITEMS),))


def test_a_lesson_goes_on_unless_something_else_is_asked_for(bank, tmp_path):
    log = Log(tmp_path / "log.jsonl")
    made, notes = lesson(bank, log, Wish("study"))
    assert notes == []
    made.do(right(made))
    made.do("3")
    again, notes = lesson(bank, log, Wish("study"))
    assert again.name == made.name
    assert again.asked.item.id == "two"
    assert notes[0].startswith("going on with the session of ")
    for wish in (Wish("study", fresh=True), Wish("exam"), Wish("study", limit=1), Wish("study", items=("three",))):
        assert lesson(bank, log, wish)[0].name != made.name
    assert [i.id for i in lesson(bank, log, Wish("study", items=("three", "one", "three")))[0].items] == [
        "three",
        "one",
    ]


def test_an_exam_and_a_study_session_that_were_left_both_go_on(bank, tmp_path):
    log = Log(tmp_path / "log.jsonl")
    names = [lesson(bank, log, Wish(mode))[0].name for mode in ("study", "exam")]
    assert [lesson(bank, log, Wish(mode))[0].name for mode in ("study", "exam")] == names


def test_a_lesson_takes_a_seed_in_any_encoding(bank, tmp_path):
    log = Log(tmp_path / "log.jsonl")
    made, _ = lesson(bank, log, Wish("exam", seed="caf\udce9"))
    assert lesson(bank, log, Wish("exam"))[0].seed == made.seed


@pytest.mark.parametrize("typed", ["1e999", "-1e-999", "9" * 400 + ".5", "1/" + "3" * 30, "0." + "7" * 1900 + "e-900"])
def test_every_number_that_is_read_can_be_shown_and_kept(typed, tmp_path):
    made, events, _ = session((item("n", "numeric"),))
    assert made.do(typed) == ""
    assert "Your answer: " in texts(made)
    made.do("3")
    assert "(yours)" in texts(made)
    log = Log(tmp_path / "log.jsonl")
    log.append(events[0])
    assert log.events() == events


def test_a_lesson_says_why_there_is_nothing_to_ask_and_what_cannot_be_asked(bank, tmp_path):
    log = Log(tmp_path / "log.jsonl")
    with pytest.raises(EmptyError, match="nothing is due and nothing was missed"):
        lesson(bank, log, Wish("review"))
    with pytest.raises(UsageError, match="no topic 'x'"):
        lesson(bank, log, Wish("study", topics=("x",)))
    with pytest.raises(UsageError, match="there is no question 'tree'; did you mean 'three'"):
        lesson(bank, log, Wish("study", items=("tree",)))
    with pytest.raises(UsageError, match="--item names the questions that are asked; leave out --topic and --limit"):
        lesson(bank, log, Wish("study", items=("three",), limit=1))
    for minutes in (1e10, float("inf")):
        with pytest.raises(UsageError, match="an exam takes at most 1000000; 0 is for one without"):
            lesson(bank, log, Wish("exam", minutes=minutes))
    with pytest.raises(UsageError, match="--minutes is for"):
        lesson(bank, log, Wish("study", minutes=5))
    for name in ("one", "two", "three"):
        log.append(Event(kind="answer", time=datetime.now(UTC).isoformat(), session="s", item=name, rev=1, score="1"))
    with pytest.raises(EmptyError, match="all questions were answered, and none is due"):
        lesson(bank, log, Wish("study"))


def test_an_exam_has_a_clock_unless_none_is_wanted_and_ends_while_one_is_away(bank, tmp_path):
    log = Log(tmp_path / "log.jsonl")
    assert lesson(bank, log, Wish("exam"))[0].minutes == 4.5
    assert lesson(bank, log, Wish("exam", minutes=0))[0].minutes is None
    assert lesson(bank, log, Wish("study"))[0].minutes is None
    made, _ = lesson(bank, log, Wish("exam", minutes=1e-9))
    again, notes = lesson(bank, log, Wish("exam"))
    assert again.name == made.name
    assert again.stage == "end"
    assert "is over; this is how it ended" in notes[0]
    again.finish()
    assert lesson(bank, log, Wish("exam"))[0].name != made.name


def test_an_exam_that_was_left_after_its_last_answer_still_tells_everything(bank, tmp_path):
    log = Log(tmp_path / "log.jsonl")
    made, _ = lesson(bank, log, Wish("exam"))
    while made.stage == "question":
        made.do(right(made))
    again, notes = lesson(bank, log, Wish("exam"))
    assert (again.name, again.stage) == (made.name, "end")
    assert "is over; this is how it ended" in notes[0]
    assert "3 of 3 points" in texts(again)
