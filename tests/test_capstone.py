"""The capstone reaches its mark with right parts, misses it with wrong ones, and believes nothing it is told."""

import io
import json
import shutil

import pytest
from rich.console import Console

from grader import capstone
from grader.capstone import Progress, draw_exam, plan, run
from grader.case import Answer
from grader.chart import png, smooth, terminal
from grader.course import Course
from grader.diagnose import misconceptions
from grader.errors import EmptyError, UsageError
from grader.report import training_bar
from tests.test_cli import run as command


@pytest.fixture
def parts(course, tmp_path):
    """Return a folder with the four right parts, to change them."""
    for slug in plan(course)[0].parts:
        shutil.copy(course.root / "solutions" / f"{slug}.py", tmp_path)
    return tmp_path


def misconceive(course, parts, slug, name):
    exercise = course.find(slug)
    found = misconceptions(course.misconceptions(exercise), course.solution(exercise))
    (source,) = (item.source for item in found if item.mistake.name == name)
    (parts / f"{slug}.py").write_text(source)


def test_the_solutions_reach_the_mark_within_the_budget(course):
    steps = []
    result = run(course, course.root / "solutions", 0, lambda now: steps.append(now.step))
    assert result.reached, result
    assert result.accuracy >= result.mark >= 0.9
    assert result.steps <= result.budget
    assert len(result.losses) == result.steps == steps[-1]
    assert result.losses[-1] < 0.1 * result.losses[0]
    assert len(result.samples) == capstone.SAMPLE
    assert not any(item.before == item.wanted for item in result.samples)


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("attention", "heads_see_the_future"),
        ("arithmetic", "labels_not_shifted"),
        ("arithmetic", "reversed_in_writing_only"),
    ],
)
def test_a_misconception_in_a_part_misses_the_mark(course, parts, slug, name):
    misconceive(course, parts, slug, name)
    result = run(course, parts, 0)
    assert not result.reached
    assert not result.message  # it trained to the end, and learnt the wrong thing
    assert result.steps == result.budget
    assert result.accuracy < 0.5


def small(course, tmp_path, **changes):
    """Return a course whose capstone has few steps."""
    folder = tmp_path / "course"
    shutil.copytree(course.root / "exercises", folder / "exercises")
    path = next(folder.glob("exercises/*/capstone.yaml"))
    text = path.read_text()
    for name, value in changes.items():
        lines = [f"{name}: {value}" if line.startswith(f"{name}:") else line for line in text.splitlines()]
        text = "\n".join(lines)
    path.write_text(text)
    return Course(folder)


def test_the_same_seed_trains_the_same(course, tmp_path):
    short = small(course, tmp_path, steps=7, every=5, exam=11)
    one, other = (run(short, course.root / "solutions", 3) for _ in range(2))
    assert one == other
    assert list(one.marks) == [5, 7]
    assert run(short, course.root / "solutions", 4).losses != one.losses


def test_no_sum_of_the_exam_was_trained_on_in_either_order(course):
    wanted = plan(course)[0]
    seen = {(a, b) for a in range(100) for b in range(100) if (a * 7 + b) % 3}
    exam = draw_exam(seen, wanted, 0)
    assert len(set(exam)) == wanted.exam
    assert not any({(a, b), (b, a)} & seen for a, b in exam)
    assert len({frozenset(pair) for pair in exam}) == wanted.exam
    assert exam == draw_exam(seen, wanted, 0) != draw_exam(seen, wanted, 1)


def test_a_part_that_is_not_there_is_named(course, parts):
    (parts / "norms.py").unlink()
    with pytest.raises(EmptyError, match=r"norms, attention, cross_entropy, arithmetic: .*norms\.py"):
        run(course, parts, 0)


def test_a_part_that_is_not_written_is_named(course, parts):
    exercise = course.find("attention")
    shutil.copy(exercise.folder / exercise.filename, parts)
    result = run(course, parts, 0)
    assert not result.reached
    assert "is not written yet" in result.message
    assert "attention.py" in result.traceback


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("def split_problems(problems, share, seed=0):\n    return [1, 2], []\n", "non-iterable int"),
        ("def split_problems(problems, share, seed=0):\n    return 7\n", "unpack"),
        (
            "def split_problems(problems, share, seed=0):\n"
            "    return [(a, b, '+') for a in range(100) for b in range(100)], []\n",
            "only 0 sums",
        ),
        ("import os\ndef answer_labels(*a, **k):\n    os._exit(0)\n", "ended the process"),
        ("raise ValueError('bad part')\n", "bad part"),
    ],
)
def test_a_part_that_misbehaves_ends_the_run_with_a_sentence(course, parts, change, message):
    path = parts / "arithmetic.py"
    path.write_text(path.read_text() + "\n\n" + change)
    result = run(course, parts, 0)
    assert not result.reached
    assert message in result.message
    assert not result.broken


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (capstone._problems, 7),
        (capstone._problems, [(1, 2)]),
        (capstone._problems, [(1.5, 2, "+")]),
        (capstone._problems, [(True, 2, "+")]),
        (lambda value: capstone._losses(value, 2), [0.5, "low"]),
        (lambda value: capstone._losses(value, 2), None),
        (lambda value: capstone._answers(value, [(1, 2), (3, 4)]), [("3", 3)]),
        (lambda value: capstone._answers(value, [(1, 2)]), {"3": 3}),
    ],
)
def test_what_comes_back_is_not_believed(parse, value):
    with pytest.raises(capstone._StoppedError):
        parse(value)


def test_an_answer_of_the_wrong_kind_is_no_answer():
    assert capstone._answers([("3", True), 5], [(1, 2), (3, 4)]) == [("3", None), ("", None)]
    assert isinstance(capstone._wrong("x").answer, Answer)


@pytest.mark.parametrize("text", ["[]", "title: x\nsteps: many\n", "title: [", "title: x\nstep: 3\n"])
def test_a_wrong_plan_is_a_clear_error(course, tmp_path, text):
    copy = small(course, tmp_path)
    next(copy.root.glob("exercises/*/capstone.yaml")).write_text(text)
    with pytest.raises(UsageError, match=r"capstone\.yaml is not a valid"):
        plan(copy)


def test_a_course_without_a_capstone_says_so(tiny):
    with pytest.raises(UsageError, match="has no capstone"):
        plan(tiny)


def test_the_chart_of_the_terminal_is_plain_text():
    drawn = terminal([3.0 * 0.97**step for step in range(200)], 60)
    assert "\x1b" not in drawn
    assert max(map(len, drawn.splitlines())) <= 60
    assert "step" in drawn
    assert terminal([1.0], 40)


def test_smoothing_is_the_mean_of_what_came_before():
    assert smooth([4.0, 2.0, 0.0], 2) == [4.0, 3.0, 1.0]


def test_the_png_is_a_picture_and_a_wrong_path_is_a_sentence(tmp_path):
    pytest.importorskip("matplotlib", reason="the PNG needs matplotlib (extra plot)")
    png([3.0, 2.0, 1.0], {2: 0.5}, tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="cannot be written"):
        png([1.0], {}, tmp_path / "no" / "loss.png")


@pytest.mark.parametrize("width", [40, 80])
def test_a_terminal_sees_a_bar_and_a_pipe_sees_lines(width):
    def shown(terminal):
        text = io.StringIO()
        with training_bar(Console(file=text, force_terminal=terminal, width=width)) as watch:
            watch(Progress(40, 200, 2.5, None))
            watch(Progress(200, 200, 0.5, 0.875))
        return text.getvalue()

    bar = shown(True)
    assert "200/200" in bar
    assert "loss 0.500" in bar
    assert shown(False) == "step 200 of 200: loss 0.500, exam 88%\n"


def test_the_command_prints_the_run_and_its_exit_code(course, tmp_path):
    short = small(course, tmp_path, steps=20, every=10, exam=20)
    solutions = course.root / "solutions"
    shown = command("capstone", "--from", solutions, "--course", short.root, "--png", tmp_path / "loss.png")
    assert shown.returncode == 1, shown.stderr
    assert "the mark of 95% is not reached" in shown.stdout
    assert "before" in shown.stdout
    assert "step 20 of 20: loss" in shown.stderr
    assert (tmp_path / "loss.png").stat().st_size > 10_000
    told = command("capstone", "--from", solutions, "--course", short.root, "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["steps"] == 20
    assert command("capstone", "--from", tmp_path / "nothing").returncode == 4
