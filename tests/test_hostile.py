"""What a submission can try on the grader itself, through its file, its name, its folder and its words."""

import io
import json

import pytest

from grader.batch import run
from grader.gradebook import cell
from grader.plan import Plan
from grader.ready import ready
from grader.report import show_result
from grader.shortcut import shortcuts
from grader.tier import best
from grader.verdict import Result

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    return 4 * x\n"
needs_fence = pytest.mark.skipif(best().tier == "C", reason="no fence works on this machine: see grader doctor")
MANY = 100_000


@pytest.mark.parametrize(
    "expression",
    [
        "1+" * MANY + "1",
        "-" * MANY + "1",
        "(" * MANY,
        "not " * MANY + "1",
        "a" + ".a" * MANY,
        "a" + "()" * MANY,
        "lambda:" * MANY,
    ],
    ids=["sum", "minus", "parentheses", "not", "attributes", "calls", "lambdas"],
)
def test_a_source_made_to_break_a_parser_does_not_break_the_grader(course, expression):
    assert shortcuts(f"layer_norm = {expression}\n".encode(), course.find("norms").refused) == {}


@needs_fence
def test_modules_beside_a_submission_are_not_imported_by_the_grader(tiny, tmp_path):
    folder = tmp_path / "class" / "ann"
    folder.mkdir(parents=True)
    for name in ("json.py", "numpy.py", "torch.py", "conftest.py", "sitecustomize.py", "grader.py"):
        (folder / name).write_text(f"open({str(tmp_path / 'touched')!r}, 'w')\nraise SystemExit('taken')\n")
    (folder / "double.py").write_text(RIGHT)
    summary = run(tiny, Plan(tmp_path / "class", tmp_path / "out"), lambda _: None, lambda _: None)
    assert (summary.graded, summary.mean) == (1, 1.0)
    assert not (tmp_path / "touched").exists()


NAMES = [
    "a\nb",
    "\x1b[31mred",
    "\u202efdp.exe",
    "=cmd|'/c calc'!A1",
    "<script>alert(1)</script>",
    "[bold]x[/bold]",
    "é" * 80,
    "nul",
]


@needs_fence
def test_names_do_nothing_but_name(tiny, tmp_path):
    for name in NAMES:
        folder = tmp_path / "class" / name.replace("/", "_")
        folder.mkdir(parents=True)
        (folder / "double.py").write_text(RIGHT)
    events = []
    summary = run(tiny, Plan(tmp_path / "class", tmp_path / "out"), lambda _: None, events.append)
    assert summary.students == len(NAMES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class", "out"]
    assert len(list((tmp_path / "out" / "grades").iterdir())) == len(NAMES)
    book = (tmp_path / "out" / "gradebook.csv").read_text("utf-8")
    assert book.count("\n") == len(NAMES) + 1, "a name is no line"
    for shown in (book, "".join(event.student for event in events)):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert "'=cmd" in book


@needs_fence
def test_words_of_a_program_reach_no_terminal(tiny, tmp_path):
    folder = tmp_path / "class" / "ann"
    folder.mkdir(parents=True)
    evil = "\\x1b]0;title\\x07\\x1b[2J\\u202e[bold red]x[/]"
    (folder / "double.py").write_text(
        f"def double(x):\n    print('{evil}')\n    raise ValueError('{evil}')\n\n\ndef quadruple(x):\n    return '{evil}'\n"
    )
    run(tiny, Plan(tmp_path / "class", tmp_path / "out"), lambda _: None, lambda _: None)
    text = (tmp_path / "out" / "grades" / "ann.json").read_text("utf-8")
    result = Result.model_validate_json(text)
    for shown in (text, json.dumps(json.loads(text), ensure_ascii=False), printed(result)):
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "\u202e" not in shown
    assert "[bold red]x[/]" in printed(result), "markup is text"


def printed(result):
    from rich.console import Console

    console = Console(width=200, record=True, file=io.StringIO(), markup=False, highlight=False)
    show_result(console, result)
    return console.export_text()


def test_a_cell_that_was_a_formula_is_still_readable():
    assert cell("=1+1") == "'=1+1"
    assert cell("O'Neil-Smith") == "O'Neil-Smith"


def test_yaml_of_a_course_makes_no_objects(tiny, tmp_path):
    import shutil

    from grader.course import Course
    from grader.errors import UsageError

    shutil.copytree(tiny.root, tmp_path / "course")
    path = next((tmp_path / "course").glob("exercises/*/exercise.yaml"))
    path.write_text(f"{path.read_text()}\nsummary: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n")
    with pytest.raises(UsageError, match=r"exercise\.yaml"):
        Course(tmp_path / "course").exercises()
    assert not (tmp_path / "made").exists()


def test_a_seed_of_one_s_own_defeats_a_table_of_the_public_answers(tiny):
    exercise = tiny.find("double")
    with ready(tiny, exercise, 0) as made:
        table = {case.inputs["x"]: 2 * case.inputs["x"] for case in made.grader.oracle.cases("doubles_any_number")}
        source = f"TABLE = {table!r}\n\n\ndef double(x):\n    return TABLE.get(x, 0.0)\n".encode()
        assert made.grader.examine(source)[0].outcome == "passed"
    with ready(tiny, exercise, 12345) as made:
        assert made.grader.examine(source)[0].outcome == "failed"
