"""All cases of a check in one message: the same verdicts as one by one, and the same answers are judged once."""

import dataclasses

import pytest

from grader.compare import Close
from grader.diagnose import misconceptions
from grader.grade import Grader
from grader.mark import verdict_of
from grader.ready import ready
from grader.sandbox import Sandbox

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef quadruple(x):\n    return 4 * x\n"
PROGRAMS = {
    "right": RIGHT,
    "wrong": RIGHT.replace("2 *", "3 *"),
    "not started": RIGHT.replace("return 4 * x", "raise NotImplementedError"),
    "missing": "def double(x):\n    return 2 * x\n",
    "raises at the second": RIGHT.replace("return 4 * x", "return 4 * x if x < 3 else [][0]"),
    "ends at the second": RIGHT.replace("return 4 * x", "return 4 * x if x < 3 else __import__('os')._exit(0)"),
    "loops at the second": RIGHT.replace("return 4 * x", "\n    while x > 2: pass\n    return 4 * x"),
    "cannot be sent": RIGHT.replace("return 4 * x", "return 4 * x if x < 3 else object()"),
    "remembers": "n = []\n" + RIGHT.replace("return 4 * x", "n.append(x)\n    return 4 * x if len(n) < 2 else 0"),
    "forges": RIGHT.replace(
        "return 4 * x", "[__import__('os').write(fd, b'LLMG' * 9) for fd in range(3, 9)]\n    return 4 * x"
    ),
}


def verdicts(grader, source):
    """Return the verdicts; what was printed belongs to the check or to the case."""
    found = [verdict_of(item) for item in grader.examine(source.encode())]
    return [verdict.model_copy(update={"evidence": None}) for verdict in found]


def one_by_one(monkeypatch):
    monkeypatch.setattr(Sandbox, "round", lambda *_: None)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_the_same_verdicts_either_way(tiny_ready, monkeypatch, name):
    together = verdicts(tiny_ready.grader, PROGRAMS[name])
    one_by_one(monkeypatch)
    assert verdicts(tiny_ready.grader, PROGRAMS[name]) == together


@pytest.mark.parametrize("slug", ["bpe", "norms", "cross_entropy"])
def test_real_programs_have_the_same_verdicts_either_way(course, slug, monkeypatch):
    # the first of them in a worker that has done nothing before, which once made a difference
    exercise = course.find(slug)
    wrong = misconceptions(course.misconceptions(exercise), course.solution(exercise))
    with ready(course, exercise, 0) as made:
        programs = [course.solution(exercise).read_text("utf-8"), *(item.source for item in wrong[7::60])]
        together = [verdicts(made.grader, program) for program in programs]
        one_by_one(monkeypatch)
        assert [verdicts(made.grader, program) for program in programs] == together


def test_the_same_right_answers_are_judged_once_and_others_each_time(tiny_ready, monkeypatch):
    made = tiny_ready.grader
    judged = []

    @dataclasses.dataclass(frozen=True)
    class Counting(Close):
        def compare(self, inputs, expected, got):
            judged.append(got)
            return super().compare(inputs, expected, got)

    checks = [dataclasses.replace(check, compare=Counting()) for check in made.checks]
    grader = Grader(made.exercise, checks, made.oracle, made.sandbox, made.probes)
    grader.remember = True
    first = verdicts(grader, RIGHT)
    count = len(judged)
    assert count == sum(verdict.cases for verdict in first)
    assert verdicts(grader, RIGHT + "# another file\n") == first
    assert len(judged) == count
    wrong = verdicts(grader, PROGRAMS["wrong"])
    assert [verdict.outcome for verdict in wrong] == ["failed", "passed"]
    assert len(judged) > count
    again = len(judged)
    verdicts(grader, PROGRAMS["wrong"])
    assert len(judged) > again, "wrong answers are judged each time: their evidence is wanted"


def test_what_is_printed_belongs_to_the_failing_case(tiny_ready):
    source = RIGHT.replace("return 4 * x", "print('x is', x)\n    return 4 * x if x < 3 else 0")
    (verdict,) = [verdict_of(item) for item in tiny_ready.grader.examine(source.encode())][1:]
    assert verdict.evidence.output.strip() == "x is 3.0"


def test_a_reply_that_differs_in_anything_is_judged(tiny_ready):
    made = tiny_ready.grader
    grader = Grader(made.exercise, made.checks, made.oracle, made.sandbox, made.probes)
    grader.remember = True
    assert {verdict.outcome for verdict in verdicts(grader, RIGHT)} == {"passed"}
    changed = RIGHT.replace("return 4 * x", "return 4 * x + 1e-13")
    assert [verdict.outcome for verdict in verdicts(grader, changed)] == ["passed", "failed"]
