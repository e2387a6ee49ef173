"""The reference of the arithmetic exercise against figures, other libraries and what must hold for any input."""

import ast
import itertools
import math
import os
import subprocess
import sys
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.load import load_file
from tests.conftest import ROOT

COURSE = Course(ROOT)
EXERCISE = COURSE.find("arithmetic")
PATHS = [COURSE.reference(EXERCISE), COURSE.solution(EXERCISE), *COURSE.accepted(EXERCISE)]
REFERENCE = load_file(PATHS[0], "arithmetic_reference")
CHARACTERS = "0123456789+-*= "

few = settings(max_examples=60, deadline=None)
numbers = st.integers(0, 10**12)
operators = st.sampled_from("+-*")
problems = st.tuples(st.integers(0, 6), st.integers(0, 6), operators)


@pytest.fixture(params=PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def right(request):
    return load_file(request.param, f"arithmetic_{request.param.stem}")


# --- the figures of the task ------------------------------------------------------------------


def test_the_worked_example_holds(right):
    tokenizer = right.ArithmeticTokenizer()
    rows = [tokenizer.encode("12+34=46"), tokenizer.encode("3-10=-7")]
    assert rows == [[1, 4, 5, 13, 6, 7, 16, 7, 9, 2], [1, 6, 14, 4, 3, 16, 14, 10, 2]]
    ids, mask = right.pad_batch(rows, tokenizer.pad_id)
    labels = right.answer_labels(ids, mask, tokenizer.vocab["="])
    assert ids[1].tolist() == [1, 6, 14, 4, 3, 16, 14, 10, 2, 0]
    assert mask[1].tolist() == [True] * 9 + [False]
    assert labels.tolist() == [[-100] * 6 + [7, 9, 2, -100], [-100] * 5 + [14, 10, 2, -100, -100]]


def test_answers_are_reversed_as_in_the_task(right):
    written = [right.format_problem(a, b, op, True) for a, b, op in [(12, 34, "+"), (1, 25, "-"), (60, 40, "+")]]
    assert written == ["12+34=64", "1-25=-42", "60+40=001"]
    assert [right.parse_answer(text, True) for text in written] == [46, -24, 100]
    assert right.carries(57, 68) == 2


def test_the_probabilities_of_the_task(right):
    logits = torch.tensor([2.0, 1.0, 0.0])
    expected = torch.tensor([[0.8668, 0.1173, 0.0159], [0.8808, 0.1192, 0.0]])
    found = [right.next_token_probabilities(logits, 0.5), right.next_token_probabilities(logits, 0.5, 2)]
    torch.testing.assert_close(torch.stack(found), expected, atol=1e-4, rtol=0)


def test_pass_at_3_of_2_right_ones_among_5(right):
    assert math.isclose(right.pass_at_k(5, 2, 3), 0.9)


def test_ids_and_data_are_the_same_whatever_the_hash_seed_is():
    program = """
import sys
from pathlib import Path
from grader.load import load_file
for path in sys.argv[1:]:
    module = load_file(Path(path), "module")
    made = module.make_problems(30, (1, 2), "+", 3)
    print([module.ArithmeticTokenizer().encode("1+2 = 3"), made, module.split_problems(made, 0.5, 3)])
"""
    outputs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", program, *map(str, PATHS)]
        outputs.append(subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True))
    assert outputs[0].stdout == outputs[1].stdout
    assert len(outputs[0].stdout.splitlines()) == len(PATHS)


# --- texts ------------------------------------------------------------------------------------


@few
@given(st.text(st.sampled_from(CHARACTERS)), st.booleans(), st.booleans())
def test_every_text_of_known_characters_comes_back(text, bos, eos):
    tokenizer = REFERENCE.ArithmeticTokenizer()
    ids = tokenizer.encode(text, bos, eos)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode([*ids, 0, 0]) == text
    assert len(ids) == len(text) + bos + eos


@few
@given(st.text())
def test_a_text_is_encoded_or_refused_with_its_first_unknown_character(text):
    unknown = [place for place, character in enumerate(text) if character not in CHARACTERS]
    tokenizer = REFERENCE.ArithmeticTokenizer()
    if not unknown:
        assert max(tokenizer.encode(text)) < 18
        return
    with pytest.raises(ValueError, match=f"place {unknown[0]}$") as caught:
        tokenizer.encode(text)
    assert repr(text[unknown[0]]) in str(caught.value)


@few
@given(numbers, numbers, operators, st.booleans())
def test_written_answers_are_read_back(a, b, op, reverse):
    text = REFERENCE.format_problem(a, b, op, reverse)
    expected = eval(f"{a}{op}{b}")  # Python's own arithmetic
    assert REFERENCE.parse_answer(text, reverse) == expected
    problem, _, answer = text.partition("=")
    assert problem == f"{a}{op}{b}"
    assert answer == str(expected) or reverse
    assert sorted(answer) == sorted(str(expected))


@few
@given(st.text(st.sampled_from("0123-=+ ٣_")))
def test_only_plain_numbers_behind_the_first_equals_sign_are_answers(text):
    behind = text.split("=", 1)[1] if "=" in text else ""
    digits = behind[1:] if behind[:1] == "-" else behind
    plain = digits != "" and set(digits) <= set("0123456789")
    assert REFERENCE.parse_answer(text) == (int(behind) if plain else None)


@few
@given(numbers, numbers)
def test_each_carry_takes_nine_from_the_sum_of_digits(a, b):
    lost = sum(map(int, str(a))) + sum(map(int, str(b))) - sum(map(int, str(a + b)))
    assert REFERENCE.carries(a, b) * 9 == lost


# --- drawing and splitting --------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), operators, st.integers(0, 10**6))
def test_problems_have_only_the_chosen_digits(digits, op, seed):
    made = REFERENCE.make_problems(200, tuple(digits), op, seed)
    assert len(made) == 200
    assert {len(str(number)) for problem in made for number in problem[:2]} <= set(digits)
    assert made == REFERENCE.make_problems(200, tuple(digits), op, seed)
    assert made != REFERENCE.make_problems(200, tuple(digits), op, seed + 1)


def test_all_pairs_of_one_digit_come_equally_often():
    counts = Counter(REFERENCE.make_problems(40_000, (1,), "-", 1))
    assert len(counts) == 100
    # 400 each, with a standard deviation of 20
    assert min(counts.values()) > 300
    assert max(counts.values()) < 500


def test_nearly_half_of_the_differences_are_negative_and_carries_are_common():
    made = REFERENCE.make_problems(20_000, (1, 2), "-", 5)
    negative = sum(a < b for a, b, _ in made) / len(made)
    carrying = sum(REFERENCE.carries(a, b) > 0 for a, b, _ in made) / len(made)
    assert 0.45 < negative < 0.5
    assert 0.4 < carrying < 0.7


@few
@given(st.lists(problems, max_size=40), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(0, 1000))
def test_a_split_loses_nothing_and_shares_nothing(given_problems, share, seed):
    train, test = REFERENCE.split_problems(given_problems, share, seed)
    assert sorted(train + test) == sorted(set(given_problems))
    for (a, b, op), other in itertools.product(train, test):
        assert other != (a, b, op)
        assert op == "-" or other != (b, a, op)
    groups = {(op, min(a, b), max(a, b)) if op != "-" else (op, a, b) for a, b, op in given_problems}
    tested = {(op, min(a, b), max(a, b)) if op != "-" else (op, a, b) for a, b, op in test}
    assert len(tested) == int(share * len(groups))


# --- batches ----------------------------------------------------------------------------------


@few
@given(st.lists(st.lists(st.integers(0, 17), max_size=8), min_size=1, max_size=6), st.integers(0, 17))
def test_padding_agrees_with_torch(sequences, pad_id):
    ids, mask = REFERENCE.pad_batch(sequences, pad_id)
    tensors = [torch.tensor(sequence, dtype=torch.int64) for sequence in sequences]
    assert torch.equal(ids, torch.nn.utils.rnn.pad_sequence(tensors, True, pad_id))
    assert mask.sum(1).tolist() == [len(sequence) for sequence in sequences]
    assert [row[keep].tolist() for row, keep in zip(ids, mask, strict=True)] == sequences


@few
@given(st.lists(st.lists(st.sampled_from([1, 2, 3, 4, 16]), max_size=8), min_size=1, max_size=5))
def test_labels_are_what_stands_behind_the_first_equals_sign(sequences):
    ids, mask = REFERENCE.pad_batch(sequences, 0)
    labels = REFERENCE.answer_labels(ids, mask, 16)
    for sequence, row in zip(sequences, labels.tolist(), strict=True):
        first = sequence.index(16) if 16 in sequence else len(sequence)
        scored = sequence[first + 1 :]
        assert row[first : first + len(scored)] == scored
        assert set(row[:first] + row[first + len(scored) :]) <= {-100}


# --- sampling ---------------------------------------------------------------------------------


@few
@given(st.integers(0, 10**6), st.floats(0.05, 20), st.integers(1, 9))
def test_probabilities_agree_with_softmax_and_topk_of_torch(seed, temperature, top_k):
    logits = torch.randn(3, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    expected = torch.softmax(logits / temperature, -1)
    torch.testing.assert_close(REFERENCE.next_token_probabilities(logits, temperature), expected)
    values, places = expected.topk(min(top_k, 7))
    kept = torch.zeros_like(logits).scatter(-1, places, values / values.sum(-1, keepdim=True))
    torch.testing.assert_close(REFERENCE.next_token_probabilities(logits, temperature, top_k), kept)


def test_top_k_agrees_with_transformers_ties_included():
    logits_process = pytest.importorskip(
        "transformers.generation.logits_process", reason="transformers has the same rule for ties"
    )
    logits = torch.tensor([[3.0, 1.0, 3.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0, 1.0]])
    for top_k in range(1, 6):
        filtered = logits_process.TopKLogitsWarper(top_k)(None, logits)
        expected = torch.softmax(filtered / 0.7, -1)
        torch.testing.assert_close(REFERENCE.next_token_probabilities(logits, 0.7, top_k), expected)


def test_draws_fit_their_probabilities_by_chi_squared():
    logits = torch.tensor([0.0, 1.0, -1.0, 0.5, 2.0])
    generator = torch.Generator().manual_seed(7)
    drawn = REFERENCE.sample_next(logits.expand(40_000, 5), 1.5, generator=generator)
    expected = 40_000 * torch.softmax(logits / 1.5, -1)
    squares = (torch.bincount(drawn, minlength=5) - expected) ** 2 / expected
    assert squares.sum() < 18.5  # exceeded once in a thousand with four degrees of freedom


def test_temperature_zero_is_the_limit_of_small_temperatures():
    logits = torch.tensor([[1.0, 3.0, 2.0], [0.5, 0.25, 0.0]])
    certain = REFERENCE.next_token_probabilities(logits, 0.0)
    torch.testing.assert_close(certain, REFERENCE.next_token_probabilities(logits, 1e-3))
    assert REFERENCE.sample_next(logits, 0.0).tolist() == [1, 0]


@few
@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=4), st.integers(0, 8))
def test_a_batch_is_continued_as_each_of_its_rows_alone(prompts, most):
    follows = torch.nn.functional.one_hot(torch.tensor([3, 4, 1, 2, 0]), 5).float()

    def model(ids):
        return follows[ids.cumsum(1) % 5]

    together = REFERENCE.generate(model, torch.tensor(prompts), most, 2, 0).tolist()
    for prompt, row in zip(prompts, together, strict=True):
        alone = REFERENCE.generate(model, torch.tensor([prompt]), most, 2, 0)[0].tolist()
        assert row == alone + [0] * (len(row) - len(alone))
        assert row[:3] == prompt
        assert 2 in alone[3:] or len(alone) == 3 + most


# --- scores -----------------------------------------------------------------------------------


@few
@given(st.integers(-999, 999), st.integers(-999, 999))
def test_only_the_answer_with_its_end_is_right(answer, other):
    tokenizer = REFERENCE.ArithmeticTokenizer()
    prompt = tokenizer.encode("1+1=", eos=False)
    generated = tokenizer.encode(str(other), bos=False)
    score = REFERENCE.score_generated(prompt + generated + [5], len(prompt), str(answer), tokenizer)
    assert score is (answer == other)
    assert not REFERENCE.score_generated(prompt + generated[:-1], len(prompt), str(other), tokenizer)
    assert REFERENCE.exact_match([str(other)], [str(answer)]) == float(answer == other)


@few
@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_choices_that_hold_a_right_sample(sizes):
    n, c, k = sizes
    choices = list(itertools.combinations(range(n), k))
    share = sum(min(choice) < c for choice in choices) / len(choices)
    assert math.isclose(REFERENCE.pass_at_k(n, c, k), share)


def test_impossible_arguments_are_refused(right):
    calls = [
        lambda: right.pass_at_k(5, 6, 1),
        lambda: right.exact_match(["1"], []),
        lambda: right.ArithmeticTokenizer().decode([18]),
        lambda: right.format_problem(1, 2, ""),
        lambda: right.next_token_probabilities(torch.zeros(3), -1.0),
    ]
    assert [_refuses(call) for call in calls] == [True] * len(calls)


def _refuses(call):
    try:
        call()
    except ValueError:
        return True
    return False


def test_the_starter_has_every_name_of_the_reference():
    starter = ast.parse((EXERCISE.folder / EXERCISE.filename).read_text())
    names = {node.name for node in starter.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert names == {
        name for name, value in vars(REFERENCE).items() if getattr(value, "__module__", "") == REFERENCE.__name__
    }
