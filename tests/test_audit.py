"""The audit proves the shipped exercises, and finds each fault that is planted in one."""

import shutil

import pytest

from grader.audit import ROOM, Margin, _narrow, audit
from grader.course import Course
from tests.conftest import ROOT, SLUGS


@pytest.mark.parametrize("slug", SLUGS)
def test_a_shipped_exercise_is_proven(course, slug):
    # a seed that no one tuned the checks with; docs/audit.md has the first ten
    result = audit(course, course.find(slug), seeds=[1000])
    assert result.problems == []
    assert result.misconceptions >= 20
    assert result.variants >= 5
    assert all(result.killed_by.values())
    for margin in result.margins:
        assert margin.right * ROOM <= 1
        assert margin.wrong is None or margin.wrong >= ROOM


@pytest.mark.parametrize("slug", SLUGS)
def test_every_line_of_the_catalogue_has_its_misconception(course, slug):
    from grader.diagnose import misconceptions

    exercise = course.find(slug)
    codes = {item.code for item in misconceptions(course.misconceptions(exercise), course.solution(exercise))}
    lines = {
        "pretokenize": "W16 B18 B19",
        "bpe": "B01 B02 B03 B05 B06 B07 B09 B10 B11 B12 B14 B15 B16 B18 B19 B20 B21",
        "wordpiece": "W01 W02 W04 W06 W07 W08 W09 W10 W11 W12 W14 W15",
        "norms": "N01 N02 N03 N04 N05 N07 N08 N09 N11 N12 N15 N16 N17",
        "attention": "A01 A02 A03 A05 A06 A07 A08 A10 A11 A13 A15 A16 A18 A19 A22 A23 A24 A25 A26 A27 A28",
        "kv_cache": "K01 K02 K03 K04 K06 K07 K08 K11 K12 K14 K15 K16 K17 K18",
        "cross_entropy": "C01 C03 C04 C06 C07 C09 C10 C11 C14 C16",
        "lora": "L01 L03 L04 L05 L06 L08 L09 L11 L13 L15 L16 L17 L18",
        "arithmetic": "R01 R02 R04 R05 R07 R08 R09 R13 R14",
    }
    assert set(lines[slug].split()) <= codes
    assert len({code for code in codes if code.startswith("X")}) >= 10


def test_the_published_audit_is_that_of_the_shipped_exercises(course):
    from grader.diagnose import misconceptions
    from grader.oracle import load_checks

    text = (ROOT / "docs" / "audit.md").read_text()
    for slug in SLUGS:
        exercise = course.find(slug)
        wrong = len(misconceptions(course.misconceptions(exercise), course.solution(exercise)))
        right = len(course.accepted(exercise)) + 1
        checks = len(load_checks(course.checks(exercise), slug))
        assert f"| {slug} | {checks} | {right} | {wrong} | 0 | 0 |" in text


@pytest.mark.parametrize(
    ("margin", "problem"),
    [
        (Margin(check="c", right=0.3, wrong=3.1, wrong_program="w"), ""),
        (Margin(check="c", right=0.0, wrong=None, wrong_program=""), ""),
        (Margin(check="c", right=0.4, wrong=3.1, wrong_program="w"), "a right program has 0.4 of the tolerance"),
        (Margin(check="c", right=0.3, wrong=2.9, wrong_program="w"), "the wrong program w fails by 2.9 times"),
    ],
)
def test_a_program_too_near_to_the_tolerance_is_a_problem(margin, problem):
    found = "".join(_narrow(margin))
    assert problem in found
    assert bool(problem) == bool(found)


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
