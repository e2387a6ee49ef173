"""The audit's lint finds inputs that let wrong programs pass, and takes a waiver only where it is needed."""

import pytest

from grader import draw
from grader.case import Answer, Array, Case
from grader.check import check
from grader.compare import Close, Exact
from grader.lint import lint, waive


class Fixed:
    """An oracle of written-down cases."""

    def __init__(self, pairs):
        self.pairs = pairs

    def cases(self, name):
        return [case for case, _ in self.pairs]

    def answer(self, name, case):
        return next(answer for known, answer in self.pairs if known is case)


def keys(pairs, compare=None, device="any"):
    @check(points=1, compare=compare or Exact(), examples=list, device=device)
    def probe(module, **inputs):
        """a title"""

    made = [(Case(inputs), Answer("value", value)) for inputs, value in pairs]
    return {key.removeprefix("probe: ") for key, _ in lint([probe], Fixed(made))}


@pytest.fixture(autouse=True)
def scales(monkeypatch):
    """Let single tensors pass the rules about the exercise as a whole, which have tests of their own."""
    monkeypatch.setattr("grader.lint.LARGE", 0.0)
    monkeypatch.setattr("grader.lint.SMALL", 1e9)


def tensor(*shape, seed=0):
    return draw.values(seed, shape)


def test_axes_of_one_size_are_found_and_different_ones_are_not():
    square, flat = tensor(3, 3), tensor(3, 4)
    assert "equal axes x[0,1]" in keys([({"x": square}, 1), ({"x": tensor(2, 2)}, 2)])
    assert not keys([({"x": square}, 1), ({"x": flat}, 2)])
    assert "equal axes x[1,2]" in keys([({"x": tensor(2, 3, 3)}, 1), ({"x": flat}, 2)])


def test_equal_numbers_are_found():
    assert "equal numbers rank, alpha" in keys([({"rank": 4, "alpha": 4}, 1), ({"rank": 8, "alpha": 8}, 2)])
    assert not keys([({"rank": 4, "alpha": 4}, 1), ({"rank": 8, "alpha": 16}, 2)])
    assert not keys([({"rank": 4, "flag": True}, 1), ({"rank": 1, "flag": True}, 2)])


def test_an_eps_that_nobody_sees_is_found():
    assert keys([({"eps": 1e-5}, 1), ({"eps": 1e-6}, 2)]) == {"invisible eps"}
    assert keys([({"eps": 0.1}, 1), ({"eps": None}, 2)]) == {"one eps"}
    assert not keys([({"eps": 0.1}, 1), ({"eps": 1e-5}, 2)])


def test_on_the_meta_device_values_are_not_asked_for():
    assert not keys([({"eps": 1e-5}, 0), ({"eps": 1e-5}, 0)], device="portable")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([0, 0], {"zeros passes", "the first answer passes"}),
        ([None, None], {"nothing passes", "zeros passes", "the first answer passes"}),
        ([[0, ""], [0.0, b""]], {"zeros passes"}),
        ([5, 5], {"the first answer passes"}),
        ([5, 6], set()),
        ([{"a": float("nan")}, {"a": float("nan")}], {"NaN passes", "the first answer passes"}),
    ],
)
def test_answers_without_thought_are_found(answers, expected):
    assert keys([({"n": n}, answer) for n, answer in enumerate(answers)]) == expected


def test_tensors_of_zeros_are_found():
    zero = draw.values(0, (2, 3), "float32", "zero")
    assert "zeros passes" in keys([({"n": 1}, zero)], Close())
    assert not keys([({"n": 1}, tensor(2, 3)), ({"n": 2}, tensor(2, 3, seed=1))], Close())


def test_texts_of_an_exercise_must_hold_what_is_hard():
    assert keys([({"t": "a b"}, 1), ({"t": ["ba"]}, 2)]) == {"no empty text", "no repeat", "only ASCII"}
    assert not keys([({"t": "float32"}, 1), ({"t": "q_proj.weight"}, 2)])  # names are no texts
    assert not keys([({"t": ""}, 1), ({"t": ["aab", "é"]}, 2)])


def test_tensors_of_an_exercise_must_be_large_and_small(monkeypatch):
    monkeypatch.undo()
    assert keys([({"x": tensor(3)}, 1), ({"x": tensor(2)}, 2)]) == {"nothing large", "nothing small"}
    large, small = draw.values(0, (3,), "float32", "huge"), draw.values(0, (2,), "float32", "tiny")
    assert not keys([({"x": large}, 1), ({"x": small}, 2)])
    zero = draw.values(0, (2,), "float32", "zero")
    assert keys([({"x": large}, 1), ({"x": zero}, 2)]) == {"nothing small"}


def test_a_waiver_silences_one_finding_and_an_idle_one_is_a_problem():
    found = [("c: zeros passes", "c: a program that always answers zeros would pass")]
    (sentence,) = waive(found, {})
    assert "waive it as 'c: zeros passes'" in sentence
    assert waive(found, {"c: zeros passes": "because"}) == []
    assert waive([], {"c: zeros passes": "because"}) == ["exercise.yaml waives 'c: zeros passes', which was not found"]


def test_integers_are_no_floats():
    whole = Array("int64", (1,), (5).to_bytes(8, "little"))
    assert not keys([({"n": 1}, whole), ({"n": 2}, 7)])
