"""A kit holds no answers of the course, grades with the wheel alone, and still names mistakes."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.course import Course
from grader.diagnose import misconceptions
from grader.errors import UsageError
from grader.kit import Contents, about, forms, make
from grader.ready import ready
from grader.shelf import Shelf
from grader.study import study
from tests.conftest import ROOT

SLUGS = ("bpe", "norms")
SHORTEST = 32  # characters; shorter lines are what anybody would write
# what is gone through and what an error says is in the task too
TRIVIAL = ("#", "for ", "raise ")


@pytest.fixture(scope="module")
def kit(course, tmp_path_factory):
    """Return a kit of two exercises, one of them with torch."""
    out = tmp_path_factory.mktemp("kit") / "kit"
    exercises = [course.find(slug) for slug in SLUGS]
    make(course, out, Contents(exercises, about(course, exercises)), lambda sentence: None)
    return Course(out)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return a folder with what the wheel installs."""
    pytest.importorskip("hatchling", reason="building the wheel needs hatchling, which no test downloads")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    (path,) = folder.glob("*.whl")
    zipfile.ZipFile(path).extractall(folder / "installed")
    return folder / "installed"


def telling(path):
    """Return the lines of a program that say how it is done: no imports, signatures, comments or texts."""
    text = path.read_text("utf-8")
    silent = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            silent |= set(range(node.lineno, node.end_lineno + 1))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            silent |= set(range(node.lineno, node.body[0].lineno))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent |= set(range(node.lineno, node.end_lineno + 1))
    lines = {line.strip() for number, line in enumerate(text.splitlines(), start=1) if number not in silent}
    return {line for line in lines if len(line) >= SHORTEST and not line.startswith(TRIVIAL)}


def contents(folder):
    """Yield every file of a folder as text, what is packed too."""
    import gzip

    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            yield path, (gzip.decompress(data) if path.suffix == ".bank" else data).decode("utf-8", "replace")


def test_no_line_of_the_answers_is_in_the_kit_or_in_the_wheel(kit, wheel):
    secret = {}
    for folder in ("reference", "solutions"):
        for path in (ROOT / folder).rglob("*.py"):
            secret |= dict.fromkeys(telling(path), path)
    for starter in (ROOT / "exercises").glob("*/*.py"):
        if starter.stem != "checks":  # a starter gives what a former exercise has built
            for line in starter.read_text("utf-8").splitlines():
                secret.pop(line.strip(), None)
    assert len(secret) > 1500
    for folder in (kit.root, wheel):
        for path, text in contents(folder):
            found = {line for line in secret if line in text}
            assert not found, f"{path} has what {secret[min(found)]} has: {min(found)}"


def test_a_kit_has_what_is_on_the_list_and_nothing_else(kit):
    tops = {path.relative_to(kit.root).parts[0] for path in kit.root.rglob("*")}
    assert tops == {"README.md", "banks", "exercises", "quizzes"}
    for exercise in kit.exercises():
        files = {path.name for path in exercise.folder.iterdir() if path.is_file()}
        assert files == {"README.md", "exercise.yaml", "checks.py", exercise.filename}
        assert (exercise.folder / exercise.filename).read_text() == (
            ROOT / "exercises" / exercise.folder.name / exercise.filename
        ).read_text()


def run(wheel, kit, *arguments):
    """Run a command of the wheel in the kit, where nothing of this repository is in reach; return code and output."""
    program = f"import sys; sys.path.insert(0, {str(wheel)!r}); from grader.entry import main; main()"
    command = [sys.executable, "-P", "-c", program, *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=kit.root, env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def test_the_untouched_kit_scores_nothing(kit, wheel):
    code, out, _ = run(wheel, kit, "check", "--json")
    result = json.loads(out)
    assert code == 1
    assert result["score"] == 0
    assert {verdict["outcome"] for grade in result["exercises"] for verdict in grade["verdicts"]} == {"not started"}


def test_a_solved_kit_scores_all_and_does_not_call_it_full_marks(kit, wheel):
    code, out, error = run(wheel, kit, "check", "--from", str(ROOT / "solutions"), "--json")
    assert code == 0, error
    result = json.loads(out)
    assert result["score"] == result["points"] == 55
    assert all(grade["public"] for grade in result["exercises"])
    _, shown, _ = run(wheel, kit, "check", "bpe", "--from", str(ROOT / "solutions"))
    text = " ".join(shown.split())
    assert "30 of 30 points in the public cases" in text
    assert "Your instructor grades with others" in text
    assert "all checks pass" not in text


@pytest.mark.parametrize("slug", SLUGS)
def test_known_mistakes_are_named_as_they_are_with_the_sources(course, kit, slug, tmp_path):
    exercise = course.find(slug)
    wrong = misconceptions(course.misconceptions(exercise), course.solution(exercise))[::20]
    path = tmp_path / f"{slug}.py"
    with ready(course, exercise, 0) as whole, ready(kit, kit.find(slug), 0) as made:
        for item in wrong:
            path.write_text(item.source, "utf-8")
            named = [
                {verdict.check: [mistake.name for mistake in verdict.mistakes] for verdict in study(one, path).verdicts}
                for one in (whole, made)
            ]
            for check, with_sources in named[0].items():
                # a fingerprint is finer than a tolerance: a second name may be missing, the mistake itself may not
                in_kit = named[1][check]
                assert set(in_kit) <= set(with_sources), (item.mistake.name, check)
                assert item.mistake.name in in_kit or item.mistake.name not in with_sources, check
                assert bool(in_kit) == bool(with_sources), (item.mistake.name, check)


def test_what_mistakes_answer_cannot_be_read(kit):
    shelf = Shelf.open(kit.shelf(kit.find("norms")))
    values = [
        value
        for checks in shelf.recording.answers.values()
        for cases in checks.values()
        for _, _, value in cases.values()
        if value is not None
    ]
    assert len(values) > 100
    assert all(len(value) == 2 and all(len(text) == 64 for text in value) for value in values)


def test_a_kit_of_another_version_says_what_to_do(kit, tmp_path, monkeypatch):
    monkeypatch.setattr("grader.shelf.__version__", "9.9")
    with pytest.raises(UsageError, match=r"made for version .* pip install"):
        Shelf.open(kit.shelf(kit.find("bpe")))


def test_a_kit_has_one_seed(kit):
    with pytest.raises(UsageError, match="its own cases"), ready(kit, kit.find("bpe"), 7):
        pass


def test_a_folder_in_use_is_left_alone(course, tmp_path):
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(UsageError, match="not empty"):
        make(course, tmp_path, Contents([course.find("bpe")]), lambda sentence: None)
    assert (tmp_path / "mine").read_text() == "keep"


def test_a_kit_cannot_be_made_from_a_kit_nor_audited_nor_shrunk(kit, wheel, tmp_path):
    with pytest.raises(UsageError, match="not from a kit"):
        make(kit, tmp_path / "out", Contents([kit.find("bpe")]), lambda sentence: None)
    for arguments in (["audit", "bpe"], ["check", "bpe", "--shrink", "--from", str(ROOT / "solutions")]):
        code, _, error = run(wheel, kit, *arguments)
        assert code == 2
        assert "kit" in error


def test_the_same_kit_is_the_same_bytes(course, kit, tmp_path):
    make(course, tmp_path / "kit", Contents([course.find("bpe")]), lambda sentence: None)
    first, second = (Course(root).shelf(course.find("bpe")).read_bytes() for root in (kit.root, tmp_path / "kit"))
    assert first == second


# --- quizzes ------------------------------------------------------------------------------------


def test_a_kit_has_the_quizzes_about_its_exercises_and_nothing_of_their_keys(course, kit):
    from grader.quiz.bank import files, load

    quizzes = about(course, kit.exercises())
    names = {path.name for path in (kit.root / "quizzes").iterdir()}
    assert names == {quiz.quiz for quiz in quizzes}
    assert {"bpe", "norms"} <= names
    assert "moe" not in names
    everything = load(files(course.quizzes)).quizzes
    assert about(course, course.exercises()) == list(everything)
    shown, secret = "", set()
    for item in (item for quiz in everything for item in quiz.items):
        shown += " ".join([item.prompt, *(choice.text for choice in item.choices), item.code.text if item.code else ""])
        texts = [
            item.explanation,
            item.hint,
            *(choice.why for choice in item.choices),
            *(one.why for one in item.near_misses),
        ]
        secret |= {line.strip() for text in texts if text for line in text.splitlines() if len(line.strip()) > 24}
    shown = " ".join(shown.split())
    secret = {line for line in secret if line not in shown}
    assert len(secret) > 1000
    for path, text in contents(kit.root):
        if "banks" not in path.parts:
            flat = " ".join(text.split())
            assert [line for line in secret if line in flat] == [], path
    for path in (kit.root / "quizzes").rglob("*.yaml"):
        for word in ("correct:", "why:", "explanation:", "near_misses:", "hint:", "misconception", "seed:", "abs_tol"):
            assert word not in path.read_text(), path


def test_what_is_answered_in_a_kit_is_marked_with_the_list_beside_it(course, kit, tmp_path):
    from grader.papers.form import choices
    from grader.papers.pile import pile
    from grader.papers.roster import load as load_forms
    from grader.quiz.order import LETTERS

    (quiz,) = (quiz for quiz in about(course, kit.exercises()) if quiz.quiz == "bpe")
    roster = load_forms(forms(kit.root) / "bpe.csv")
    assert not list(kit.root.rglob("*.csv"))
    seed = roster.everyone.seed
    lines = (kit.root / "quizzes" / "bpe" / "answers.yaml").read_text()
    for item in quiz.items:
        letters = [letter for letter, one in zip(LETTERS, choices(item, seed), strict=False) if one.correct]
        answer = ", ".join(letters) if letters else str(item.answer.value)
        assert lines.count(f"\n{item.id}: \n") == 1
        lines = lines.replace(f"\n{item.id}: \n", f"\n{item.id}: {answer}\n")
    (tmp_path / "papers" / "ada").mkdir(parents=True)
    (tmp_path / "papers" / "ada" / "answers.yaml").write_text(lines)
    made = pile([quiz], tmp_path / "papers", tmp_path / "out", roster)
    assert [(one.student, one.error, one.score == one.points) for one in made.results] == [("ada", "", True)]


def test_what_staff_need_lies_beside_the_kit_wherever_that_is_made(tmp_path, monkeypatch):
    (tmp_path / "kit").mkdir()
    monkeypatch.chdir(tmp_path / "kit")
    assert forms(Path(".")) == tmp_path / "kit-forms"


def test_studying_in_a_kit_says_what_its_quizzes_are_for(kit, wheel):
    code, _, error = run(wheel, kit, "quiz")
    assert code == 2
    assert "has quizzes to hand in, without their answers: fill in answers.yaml" in error


# --- the instructor's cases -------------------------------------------------------------------


def test_a_secret_seed_draws_other_cases_and_is_written_nowhere(course, tmp_path):
    from grader.secret import seed_of

    path = tmp_path / "seed"
    seed, made = seed_of(path)
    assert made
    assert path.stat().st_mode & 0o077 == 0
    assert seed_of(path) == (seed, False)
    exercise = course.find("bpe")
    with ready(course, exercise, 0) as public, ready(course, exercise, seed) as hidden:
        name = next(check.name for check in public.grader.checks if check.draws)
        drawn = [[case.inputs for case in one.grader.oracle.cases(name)] for one in (public, hidden)]
    assert drawn[0] != drawn[1]

    students, results = tmp_path / "class", tmp_path / "results"
    (students / "ada").mkdir(parents=True)
    (students / "ada" / "bpe.py").write_text(course.solution(exercise).read_text())
    command = [
        sys.executable,
        "-c",
        "from grader.entry import main; main()",
        "batch",
        str(students),
        "-o",
        str(results),
    ]
    done = subprocess.run(
        [*command, "-e", "bpe", "-j", "1", "--seed-file", str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads((results / "grades" / "ada.json").read_text())
    assert result["seed"] is None
    assert result["score"] == result["points"]
    texts = [done.stdout, done.stderr, *(file.read_text() for file in results.rglob("*") if file.is_file())]
    for secret in (str(seed), f"{seed:x}", path.read_text().strip()):
        assert all(secret not in text for text in texts)


def test_a_seed_that_can_be_guessed_is_refused(tmp_path):
    from grader.secret import seed_of

    (tmp_path / "seed").write_text("2026")
    with pytest.raises(UsageError, match="could be guessed"):
        seed_of(tmp_path / "seed")
    with pytest.raises(UsageError, match="cannot be read or made"):
        seed_of(Path(tmp_path / "missing" / "seed"))


def test_fingerprints_agree_where_rounding_differs_and_differ_where_values_do():
    from hypothesis import given, settings
    from hypothesis import strategies as st

    from grader.case import Array
    from grader.draw import as_array
    from grader.prints import prints

    numbers = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)

    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(st.lists(numbers, min_size=1, max_size=1), st.floats(-1e-7, 1e-7))
    def same(values, move):
        import numpy as np

        near = [x * (1 + move) for x in values]
        assert set(prints(values)) & set(prints(near))
        assert set(prints(as_array(np.array(values), "float64"))) & set(prints(as_array(np.array(near), "float64")))
        other = [x * 1.01 + 1 for x in values]
        assert not set(prints(values)) & set(prints(other))

    same()
    assert prints([1, "a", {2}, (3,)]) == prints([1, "a", {2}, [3]])
    assert not set(prints([1])) & set(prints([True]))
    assert not set(prints({"a": 1})) & set(prints({"a": 2}))
    assert prints(Array("int64", (1,), b"\1" * 8)) != prints(Array("int64", (1,), b"\2" * 8))


def test_what_a_kit_knows_of_mistakes_stays_fingerprints_in_a_file(kit, tmp_path):
    from grader.bundle import bundle
    from grader.desk.parcel import dump, open_

    with ready(kit, kit.find("bpe"), 0) as made:
        (tmp_path / "bpe").write_bytes(dump(bundle(made)))
    assert open_(tmp_path / "bpe").recording.hashed
