"""What a probe cannot reach is not run for it, and nothing that it can reach is missed."""

import ast

import pytest

from grader.diagnose import misconceptions
from grader.grade import Grader
from grader.load import probes
from grader.oracle import load_checks, reference_of
from grader.reach import asked, reached, uses
from grader.sandbox import Sandbox

PROGRAM = """
import torch
TABLE = build()
def build():
    return scale
def scale(x):
    return x
def norm(x):
    return scale(x)
class Norm(Base):
    def forward(self, x):
        return norm(x)
class Base:
    pass
def alone():
    return torch
print(alone)
"""


def leads(*names):
    return reached(names, uses(ast.parse(PROGRAM).body)) - {"", "alone"}


def test_what_leads_to_what():
    assert leads("norm") == {"norm", "scale"}
    assert leads("Norm") == {"Norm", "Base", "norm", "scale"}
    assert leads("TABLE") == {"TABLE", "build", "scale"}
    assert leads("missing") == set()


def test_what_runs_when_the_file_is_loaded_is_always_reached():
    assert "alone" in reached([], uses(ast.parse(PROGRAM).body))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def probe(module, x):\n    return module.norm(x)\n", {"norm"}),
        ("def probe(module):\n    return use(module.Norm)\ndef use(make):\n    return make()\n", {"Norm"}),
        ("def probe(module):\n    return use(module, 1)\ndef use(module, n):\n    return module.norm(n)\n", {"norm"}),
        ("def probe(module, name):\n    return getattr(module, name)\n", {"*"}),
        ("def probe(module):\n    return use(module)\ndef use(other):\n    return other.norm\n", {"*"}),
        ("def probe(module):\n    return [module.a, vars(module)]\n", {"a", "*"}),
        ("def probe(module):\n    return lambda: module.norm\n", {"norm"}),
    ],
)
def test_what_a_probe_asks_for(source, names):
    assert asked(source)["probe"] == names


@pytest.mark.parametrize("slug", ["bpe", "norms"])
def test_a_wrong_program_passes_the_checks_that_it_does_not_concern(course, slug):
    exercise = course.find(slug)
    checks = load_checks(course.checks(exercise), slug)
    oracle = reference_of(course.checks(exercise), course.reference(exercise), slug, 0)
    programs = misconceptions(course.misconceptions(exercise), course.solution(exercise))
    with Sandbox(exercise.preload) as sandbox:
        grader = Grader(exercise, checks, oracle, sandbox, probes(course.checks(exercise).read_text()))
        skipped = 0
        for program in programs[::40]:
            others = [check for check in checks if not program.concerns(grader.asked[check.name])]
            skipped += len(others)
            for item in grader.examine(program.source.encode(), checks=others):
                assert item.failure is None, (program.mistake.name, item.check.name)
    assert skipped > len(checks)


def test_a_wrong_program_concerns_whoever_uses_a_name_that_was_unpacked_or_imported(tmp_path):
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text("from math import exp\nA, B = 1, 2\ndef f(x):\n    return exp(x) + A\ndef g(x):\n    return x\n")
    text = '"""W."""\nclass w{n}:\n    """X01. w\n\n    Why.\n    """\n    {body}\n'
    for body in ("A = 7", "def exp(x):\n        return x"):
        wrong.write_text(text.format(n=1, body=body))
        (program,) = misconceptions(wrong, right)
        assert program.concerns({"f"})
        assert not program.concerns({"g"})
