"""What a student is told: shrunk cases, named mistakes, the next step; and how a course is read."""

import pytest

from grader import diagnose
from grader.course import Course, find_course, read_submission
from grader.diagnose import Diagnosis, misconceptions
from grader.errors import EmptyError, UsageError
from grader.exercise import read
from grader.ready import ready
from grader.shrink import SMALL, weigh
from grader.study import study
from grader.verdict import Outcome
from tests.conftest import SLUGS

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    return 4 * x\n"


def verdicts(grade):
    return {verdict.check: verdict for verdict in grade.verdicts}


# --- naming the mistake -----------------------------------------------------------------------


def test_a_known_mistake_is_named(grade_text):
    grade = grade_text("def double(x):\n    return x ** 2\n\n\ndef quadruple(x):\n    return 4 * x\n")
    (mistake,) = verdicts(grade)["doubles_any_number"].mistakes
    assert mistake.name == "square_for_double"
    assert mistake.what == "the square of x"
    assert "Both give 4 for 2" in mistake.why


def test_an_unknown_mistake_is_not_named(grade_text):
    grade = grade_text("def double(x):\n    return x ** 2 + (x == 1.5)\n\n\ndef quadruple(x):\n    return 4 * x\n")
    failed = verdicts(grade)["doubles_any_number"]
    assert failed.outcome is Outcome.FAILED
    assert failed.mistakes == ()


def test_a_right_program_has_no_mistakes(grade_text):
    assert all(not verdict.mistakes and not verdict.evidence for verdict in grade_text(RIGHT).verdicts)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_named_wrong_programs_are_named_when_they_are_handed_in(course, slug, tmp_path):
    exercise = course.find(slug)
    wrong = misconceptions(course.misconceptions(exercise), course.solution(exercise))
    with ready(course, exercise, 0) as made:
        for item in wrong[::30]:
            path = tmp_path / f"{item.mistake.name}.py"
            path.write_text(item.source)
            named = {m.name for v in study(made, path, smallest=False).verdicts for m in v.mistakes}
            assert item.mistake.name in named, item.mistake.name


# --- shrinking --------------------------------------------------------------------------------


def test_a_drawn_failing_case_is_shrunk_through_the_fence(course, tmp_path, monkeypatch):
    monkeypatch.setattr("grader.shrink.SMALL", 0)
    exercise = course.find("bpe")
    source = course.solution(exercise).read_text()
    # wrong only for corpora of three texts, of which no example has one
    wrong = source.replace("    return merges, vocab\n", "    return merges[len(corpus) == 3 :], vocab\n")
    assert wrong != source
    path = tmp_path / "bpe.py"
    path.write_text(wrong)
    name = "training_merges_most_frequent_pairs"
    with ready(course, exercise, 0) as made:
        plain = verdicts(study(made, path, smallest=False))[name]
        small = verdicts(study(made, path, smallest=True))[name]
    assert not plain.evidence.shrunk
    assert small.evidence.shrunk
    assert small.outcome is plain.outcome is Outcome.FAILED
    assert len(small.evidence.inputs["corpus"]) < len(plain.evidence.inputs["corpus"])
    assert small.evidence.inputs["corpus"].count("'") == 6  # still three texts


@pytest.mark.parametrize("tries", [2, 9, 40])
def test_a_search_that_runs_out_of_tries_keeps_what_it_has(course, tmp_path, monkeypatch, tries):
    monkeypatch.setattr("grader.shrink.SMALL", 0)
    monkeypatch.setattr("grader.shrink.TRIES", tries)
    exercise = course.find("bpe")
    path = tmp_path / "bpe.py"
    source = course.solution(exercise).read_text()
    path.write_text(source.replace("    return merges, vocab\n", "    return merges[len(corpus) == 3 :], vocab\n"))
    with ready(course, exercise, 0) as made:
        found = verdicts(study(made, path, smallest=True))["training_merges_most_frequent_pairs"]
    assert found.outcome is Outcome.FAILED


def test_the_weight_of_a_case_counts_numbers_and_characters():
    from grader.draw import values

    assert weigh({"x": values(0, (3, 4))}) == 1 + 12
    assert weigh({"ab": ["cd", 1]}) == 2 + 1 + 2 + 1
    assert weigh({}) == 0 < SMALL


# --- the next step ----------------------------------------------------------------------------


def test_the_next_step_is_the_first_started_check_and_its_hint(grade_text):
    source = "def double(x):\n    raise NotImplementedError\n\n\ndef quadruple(x):\n    return 5 * x\n"
    assert "quadruple: twice the double" in grade_text(source).next_step
    assert "grader hint double doubles_any_number" in grade_text("def double(x):\n    return 0\n").next_step
    assert grade_text(RIGHT).next_step == "all checks pass"


# --- broken is never a point lost or gained in silence ------------------------------------------


def test_a_fault_of_the_oracle_is_broken_and_neither_passed_nor_zero_in_silence(tiny_ready, tmp_path):
    from grader.errors import FaultError
    from grader.grade import Grader
    from grader.mark import verdict_of

    class Faulty:
        def cases(self, check):
            raise FaultError("the disk is gone")

        def answer(self, check, case):
            raise AssertionError

    made = tiny_ready.grader
    grader = Grader(made.exercise, made.checks, Faulty(), made.sandbox, made.probes)
    for item in grader.examine(RIGHT.encode()):
        verdict = verdict_of(item)
        assert verdict.outcome is Outcome.BROKEN
        assert verdict.earned == 0
        assert "not your fault" in verdict.message
        assert "the disk is gone" in verdict.message


# --- the course -------------------------------------------------------------------------------


def test_a_slug_is_found_in_every_spelling(course):
    for spelling in ("bpe", "02_bpe", "bpe.py", "exercises/02_bpe/", "02_bpe/bpe.py"):
        assert course.find(spelling).slug == "bpe"


def test_the_course_around_is_found_from_within(course, monkeypatch):
    monkeypatch.chdir(course.root / "exercises" / "02_bpe")
    assert find_course().root == course.root


def test_outside_of_any_course_the_one_of_the_package_is_taken(course, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert find_course().root == course.root


FAULTY = {
    "points: 0": "points",
    "points: many": "points",
    "colour: red": "colour",
    "limits: {case_second: 1}": "unknown limit 'case_second'; known are",
    "hints: {a: [one, two]}": "hints",
    "title: [": "not a valid exercise.yaml",
    "- a list": "not a valid exercise.yaml",
}


@pytest.mark.parametrize("line", FAULTY)
def test_a_faulty_exercise_file_names_the_field(tmp_path, line):
    folder = tmp_path / "07_thing"
    folder.mkdir()
    (folder / "exercise.yaml").write_text(
        line
        if line.startswith("-")
        else f"title: T\nsummary: S\npoints: 1\n{line}\n".replace("points: 1\npoints", "points")
    )
    with pytest.raises(UsageError) as caught:
        read(folder)
    assert FAULTY[line] in str(caught.value)
    assert "exercise.yaml" in str(caught.value)


def test_a_file_is_read_as_bytes_and_a_missing_one_is_nothing_to_grade(course, tmp_path):
    exercise = course.find("bpe")
    path = tmp_path / "bpe.py"
    with pytest.raises(EmptyError):
        read_submission(path, exercise)
    path.write_bytes(b"\xff")
    assert read_submission(path, exercise) == b"\xff"


def test_a_course_without_secrets_still_has_its_files_by_place(tmp_path):
    course = Course(tmp_path)
    assert list(tmp_path.glob("*")) == []
    assert course.exercises() == []


# --- documents --------------------------------------------------------------------------------


def test_the_published_schema_is_that_of_the_models(course):
    import json

    from grader.verdict import Result

    published = json.loads((course.root / "docs" / "result.schema.json").read_text())
    assert published == Result.model_json_schema()


def test_a_changed_corpus_makes_new_answers(course, tmp_path):
    import shutil

    from grader.bank import key_of

    shutil.copytree(course.root / "exercises", tmp_path / "exercises")
    copy = Course(tmp_path)
    exercise = copy.find("bpe")
    files = copy.data(exercise)
    assert len(files) >= 5
    before = key_of(files, 0)
    files[0].write_text(files[0].read_text() + "# more\n")
    assert key_of(copy.data(exercise), 0) != before


@pytest.mark.parametrize("slug", SLUGS)
def test_the_table_of_points_in_the_task_is_that_of_the_checks(course, slug):
    import re

    from grader.oracle import load_checks

    exercise = course.find(slug)
    text = (exercise.folder / "README.md").read_text().split("## What is graded")[1]
    points = [int(n) for n in re.findall(r"^\| .* \| (\d+) \|$", text, re.M)]
    assert points == [check.points for check in load_checks(course.checks(exercise), slug)]


def test_the_readme_is_short_and_its_numbers_are_true(course):
    text = (course.root / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    total = 0
    for slug in SLUGS:
        exercise = course.find(slug)
        count = len(misconceptions(course.misconceptions(exercise), course.solution(exercise)))
        total += count
        assert f"| `{slug}` | {exercise.points} | {count} |" in text
    assert f"{total:,} named wrong programs" in text


def test_a_recording_of_mistakes_that_was_interrupted_goes_on_where_it_was(course, tmp_path, monkeypatch):
    exercise = course.find("bpe")
    wrong = misconceptions(course.misconceptions(exercise), course.solution(exercise))[:3]
    monkeypatch.setattr(diagnose, "KEPT", 1)
    with ready(course, exercise, 0) as made:
        opened, real = [], made.grader.open

        def open_or_stop(source, **options):
            opened.append(source)
            if len(opened) == 3:
                raise KeyboardInterrupt
            return real(source, **options)

        monkeypatch.setattr(made.grader, "open", open_or_stop)
        with pytest.raises(KeyboardInterrupt):
            Diagnosis(lambda: wrong, tmp_path / "mistakes", lambda: "key").record(made.grader)
        recording = Diagnosis(lambda: wrong, tmp_path / "mistakes", lambda: "key").record(made.grader)
    sources = [item.source.encode() for item in wrong]
    assert opened == [*sources, sources[2]]
    assert all(recording.answers[item.mistake.name] for item in wrong)
