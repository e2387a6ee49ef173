"""Quizzes for a class by the commands that an instructor types: forms, papers, marks, item analysis, exports."""

import csv
import json
import random

import pytest

from grader.papers.form import choices
from grader.papers.result import Result
from grader.papers.roster import load as load_forms
from grader.quiz.bank import chosen
from grader.quiz.order import LETTERS
from tests.conftest import ROOT
from tests.test_cli import run

QUIZ = chosen(ROOT / "quizzes", ["bpe"]).quizzes[0]
STUDENTS = [f"Student {number:02}" for number in range(32)] + ["Ørsted, Åse", "=SUM(A1)"]


def letters(item, seed, right=True):
    """Return what stands in the paper of somebody who knows the answer, or does not."""
    if item.type == "numeric":
        return str(item.answer.value) if right else "-1"
    shown = list(zip(LETTERS, choices(item, seed), strict=False))
    return ", ".join(letter for letter, choice in shown if choice.correct is right)


@pytest.fixture(scope="module")
def klass(tmp_path_factory):
    """Return a folder with forms, and papers of students who know more or less."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "students.txt").write_text("\n".join(STUDENTS) + "\n\n")
    made = run("quiz", "form", "out", "-q", "bpe", "--students", "students.txt", "--seed-file", "secret", cwd=folder)
    assert made.returncode == 0, made.stderr
    assert "wrote 34 forms to out/students; keep out/forms.csv for marking" in made.stdout
    dice = random.Random(1)
    roster = load_forms(folder / "out" / "forms.csv")
    for number, row in enumerate(roster.rows[:-1]):  # the last hands in nothing
        lines = [f"form: {row.form}", f"student: {row.student}"]
        for item in QUIZ.items:
            lines.append(f"{item.id}: {letters(item, row.seed, dice.random() < number / 33)}")
        paper = folder / "papers" / f"s{number}"
        paper.mkdir(parents=True)
        (paper / "answers.yaml").write_text("\n".join(lines) + "\n")
    return folder


def test_a_form_has_neither_keys_nor_seeds(klass):
    seeds = [row.seed for row in load_forms(klass / "out" / "forms.csv").rows]
    assert len(set(seeds)) == len(seeds)
    for path in (klass / "out" / "students").rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not any(seed in text for seed in seeds)
            assert "correct" not in text
            assert QUIZ.items[0].explanation.strip()[:40] not in text
    orders = {(path / "answers.yaml").read_text().split("\n", 3)[3] for path in (klass / "out" / "students").iterdir()}
    assert len(orders) == len(seeds)


def test_a_class_is_marked_and_its_questions_are_judged(klass):
    done = run("quiz", "mark", "papers", "-o", "res", "-q", "bpe", "--forms", "out/forms.csv", "--published", cwd=klass)
    assert done.returncode == 0, done.stderr
    assert "33 papers were marked" in done.stdout
    assert "handed in nothing: =SUM(A1)" in done.stdout
    rows = list(csv.DictReader((klass / "res" / "quiz-grades.csv").read_text().splitlines()))
    assert len(rows) == 34
    marks = [float(row["score"]) for row in rows if row["status"] == "marked" and row["student"].startswith("Student")]
    assert marks[0] < 4 < 10 < max(marks)
    assert next(row for row in rows if "SUM" in row["student"])["student"].startswith("'")
    assert len(list((klass / "res" / "quiz-feedback").glob("*.md"))) == 33
    for path in (klass / "res" / "quiz-results").glob("*.json"):
        Result.model_validate_json(path.read_text())
    first = {path: path.read_bytes() for path in (klass / "res").rglob("*") if path.is_file()}
    run("quiz", "mark", "papers", "-o", "res", "-q", "bpe", "--forms", "out/forms.csv", "--published", cwd=klass)
    assert first == {path: path.read_bytes() for path in (klass / "res").rglob("*") if path.is_file()}

    shown = run("quiz", "items", "res", "-q", "bpe", "--csv", "items.csv", "--plot", "items.svg", cwd=klass)
    assert shown.returncode == 0, shown.stderr
    assert "unstable: below 100 students numbers are shown with their 95 % intervals" in " ".join(shown.stdout.split())
    table = list(csv.DictReader((klass / "items.csv").read_text().splitlines()))
    assert [row["question"] for row in table] == [item.id for item in QUIZ.items]
    assert sum(float(row["r"]) > 0.3 for row in table) > 8  # those who know more answer each question better
    assert (klass / "items.svg").read_text().startswith("<svg")
    assert len(json.loads(run("quiz", "items", "res", "-q", "bpe", "--json", cwd=klass).stdout)) == len(QUIZ.items)


def test_a_broken_paper_is_named_and_costs_the_others_nothing(klass, tmp_path):
    papers = tmp_path / "papers"
    for number in (0, 1):
        (papers / f"s{number}").mkdir(parents=True)
        (papers / f"s{number}" / "answers.yaml").write_text(
            (klass / "papers" / f"s{number}" / "answers.yaml").read_text()
        )
    (papers / "s1" / "answers.yaml").write_text("form: nobody-s\nbpe-first-merge: a\n")
    done = run(
        "quiz", "mark", str(papers), "-o", "res", "-q", "bpe", "--forms", str(klass / "out" / "forms.csv"), cwd=tmp_path
    )
    assert done.returncode == 1
    assert "1 papers were marked" in done.stdout
    assert "not marked: s1: answers.yaml: the form code nobody-s is in no list of forms" in done.stdout


def test_papers_with_forms_need_the_list_of_forms(klass, tmp_path):
    done = run("quiz", "mark", str(klass / "papers"), "-o", "res", "-q", "bpe", cwd=tmp_path)
    assert done.returncode == 1
    assert "0 papers were marked" in done.stdout
    assert "name the forms.csv that was written with the forms: --forms forms.csv" in done.stdout


def test_one_file_is_marked_without_a_prompt(tmp_path):
    right = "\n".join(f"{item.id}: {letters(item, None)}" for item in QUIZ.items)
    (tmp_path / "answers.yaml").write_text(right)
    done = run("quiz", "run", "bpe", "--answers", "answers.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = Result.model_validate_json(done.stdout)
    assert result.score == result.points
    path = str(ROOT / "quizzes" / "bpe.yaml")
    (tmp_path / "answers.yaml").write_text(right.replace(f"{QUIZ.items[0].id}: ", f"{QUIZ.items[0].id}: zz"))
    done = run("quiz", "run", path, "--answers", "answers.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert f"wrong   {QUIZ.items[0].id}  0 of 1  unclear: " in done.stdout
    assert done.stdout.endswith(f"{result.points - QUIZ.items[0].points} of {result.points} points\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "bpe"], "grader quiz run needs the answers: --answers FILE"),
        (["run", "bqe", "--answers", "x"], "there is no quiz 'bqe'; did you mean 'bpe'?"),
        (["run", "bpe", "--answers", "none.yaml"], "none.yaml"),
        (
            ["form", "out", "-q", "bpe"],
            "name the file of the secret that orders are drawn from: --seed-file secret.seed",
        ),
        (["form", "out", "--students", "none", "--seed-file", "s"], "--students none cannot be read"),
        (["items", "none", "-q", "bpe"], "none holds no marked papers"),
        (["export", "word", "out"], "there is no format 'word'; there are: gift, moodle, qti, anki"),
        (["mark", "papers", "-o", "out", "--forms", "none.csv"], "none.csv cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(arguments, said, tmp_path):
    done = run("quiz", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_one_form_for_all_is_marked_by_its_list(tmp_path):
    made = run("quiz", "form", "out", "-q", "bpe", "--seed-file", "secret", cwd=tmp_path)
    assert "wrote a form for all to out/form" in made.stdout
    roster = load_forms(tmp_path / "out" / "forms.csv")
    lines = (tmp_path / "out" / "form" / "answers.yaml").read_text()
    for item in QUIZ.items:
        lines = lines.replace(f"\n{item.id}: \n", f"\n{item.id}: {letters(item, roster.everyone.seed)}\n")
    (tmp_path / "answers.yaml").write_text(lines)
    done = run("quiz", "run", "bpe", "--answers", "answers.yaml", "--forms", "out/forms.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "file"), [("gift", "bpe.gift"), ("moodle", "bpe.xml"), ("qti", "bpe.txt"), ("anki", "quizzes.apkg")]
)
def test_quizzes_are_exported_and_what_is_lost_is_said(name, file, tmp_path):
    done = run("quiz", "export", name, "out", "-q", "bpe", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / file).stat().st_size > 1000
    assert "wrote 1 quizzes to out; they hold the keys" in done.stdout
    if name in ("gift", "qti"):
        assert "has no hints, which are left out" in done.stderr
