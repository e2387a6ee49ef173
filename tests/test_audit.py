"""The audit proves the shipped exercises, and finds each fault that is planted in one."""

import shutil

import pytest

from grader.audit import audit
from grader.course import Course


@pytest.mark.parametrize("slug", ["bpe", "norms"])
def test_a_shipped_exercise_is_proven(course, slug):
    # a seed that no one tuned the checks with; `grader audit --seeds 5` does the first five
    result = audit(course, course.find(slug), seeds=[1000])
    assert result.problems == []
    assert result.misconceptions >= 20
    assert result.variants >= 5
    assert all(result.killed_by.values())
    for margin in result.margins:
        assert margin.right < 1
        assert margin.wrong is None or margin.wrong > 1


@pytest.mark.parametrize("slug", ["bpe", "norms"])
def test_every_line_of_the_catalogue_has_its_misconception(course, slug):
    from grader.diagnose import misconceptions

    exercise = course.find(slug)
    codes = {item.code for item in misconceptions(course.misconceptions(exercise), course.solution(exercise))}
    lines = {
        "bpe": "B01 B02 B03 B05 B06 B07 B09 B10 B11 B12 B14 B15 B16 B18 B19 B20 B21",
        "norms": "N01 N02 N03 N04 N05 N07 N08 N09 N11 N12 N15 N16 N17",
    }
    assert set(lines[slug].split()) <= codes
    assert len([code for code in codes if code.startswith("X")]) >= 10


@pytest.fixture
def copy(tiny, tmp_path):
    shutil.copytree(tiny.root, tmp_path / "course")
    return Course(tmp_path / "course")


def problems(course):
    return "\n".join(audit(course, course.find("double"), seeds=[0]).problems)


def test_a_variant_that_fails_is_found(copy):
    path = copy.root / "tests" / "variants" / "double" / "wrong.py"
    path.write_text("def double(x):\n    return 2 * x + 1e-9\n\n\ndef quadruple(x):\n    return 4 * x\n")
    assert "wrong.py is right, but failed at doubles_any_number" in problems(copy)


def test_a_misconception_that_passes_is_found(copy):
    path = copy.misconceptions(copy.find("double"))
    text = '\n\nclass harmless:\n    """X02. nothing wrong\n\n    Nothing.\n    """\n\n    def double(x):\n        return x + x\n'
    path.write_text(path.read_text() + text)
    assert "the wrong program harmless passes every check" in problems(copy)


def test_a_misconception_that_does_not_run_is_found(copy):
    path = copy.misconceptions(copy.find("double"))
    text = '\n\nclass crashes:\n    """X02. a crash\n\n    Nothing.\n    """\n\n    VALUE = 1 / 0\n'
    path.write_text(path.read_text() + text)
    assert "the wrong program crashes does not run" in problems(copy)


def test_a_starter_that_does_something_is_found(copy):
    exercise = copy.find("double")
    (exercise.folder / "double.py").write_text("def double(x):\n    return 2 * x\n")
    assert "the starter is passed, not 'not started', at doubles_any_number" in problems(copy)


def test_a_solution_that_fails_is_found(copy):
    path = copy.solution(copy.find("double"))
    path.write_text(path.read_text().replace("2 * x", "3 * x"))
    assert "the solution is right, but failed at doubles_any_number" in problems(copy)


def test_wrong_points_and_missing_hints_are_found(copy):
    found = problems(copy)
    assert "exercise.yaml says 1 points, the checks sum up to 3" in found
    assert "there must be hints for each check and for nothing else; look at doubles_the_list" in found


def test_an_exercise_without_wrong_programs_proves_nothing(copy):
    path = copy.misconceptions(copy.find("double"))
    path.write_text('"""None."""\n')
    shutil.rmtree(copy.root / "tests" / "variants" / "double")
    found = problems(copy)
    assert "there are no misconceptions" in found
    assert "there are no accepted variants" in found
