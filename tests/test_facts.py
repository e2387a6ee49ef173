"""The figures that the exercises promise, for the reference, the solution and every accepted variant."""

import math

import pytest

from grader.course import Course
from grader.load import load_file
from tests.conftest import ROOT

COURSE = Course(ROOT)
BPE = [COURSE.reference(COURSE.find("bpe")), COURSE.solution(COURSE.find("bpe")), *COURSE.accepted(COURSE.find("bpe"))]
NORMS = [COURSE.reference(COURSE.find("norms")), COURSE.solution(COURSE.find("norms"))]
NORMS += COURSE.accepted(COURSE.find("norms"))

CORPUS = [
    "This is the Hugging Face Course.",
    "This chapter is about tokenization.",
    "This section shows several tokenizer algorithms.",
    "Hopefully, you will be able to understand how they are trained and generate tokens.",
]
MERGES = (
    "Ġ+t, i+s, e+r, Ġ+a, Ġt+o, e+n, T+h, Th+is, o+u, s+e, Ġto+k, Ġtok+en, n+d, Ġ+is, Ġt+h, Ġth+e, i+n, Ġa+b, Ġtoken+i"
)
COUNTS = [7, 5, 5, 5, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2]
ALPHABET = [
    ",",
    ".",
    "C",
    "F",
    "H",
    "T",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "k",
    "l",
    "m",
    "n",
    "o",
    "p",
    "r",
    "s",
    "t",
    "u",
    "v",
    "w",
    "y",
    "z",
    "Ġ",
]


@pytest.fixture(params=BPE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def bpe(request):
    return load_file(request.param, f"bpe_{request.param.stem}")


@pytest.fixture(params=NORMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def norms(request):
    return load_file(request.param, f"norms_{request.param.stem}")


def test_there_are_at_least_five_styles_of_each_exercise():
    assert len(BPE) >= 7
    assert len(NORMS) >= 7


def test_the_four_sentences_give_the_19_merges(bpe):
    merges, vocab = bpe.train(CORPUS, 50)
    assert [tuple(pair) for pair in merges] == [tuple(pair.split("+")) for pair in MERGES.split(", ")]
    assert len(vocab) == 50
    assert set(vocab) == {"<|endoftext|>", *ALPHABET, *(a + b for a, b in merges)}


def test_the_merges_have_the_counts_of_the_facts_and_15_of_them_tie(bpe):
    words = bpe.word_frequencies(CORPUS, ["<|endoftext|>"])
    splits = {word: list(word) for word in words}
    found, ties = [], 0
    for a, b in bpe.train(CORPUS, 50)[0]:
        counts = bpe.pair_frequencies(splits, words)
        found.append(counts[a, b])
        ties += list(counts.values()).count(counts[a, b]) > 1
        splits = bpe.merge_pair(a, b, splits)
    assert found == COUNTS
    assert ties == 15


def test_the_example_sentence_is_tokenized_as_in_the_task(bpe):
    merges = bpe.train(CORPUS, 50)[0]
    tokens = bpe.tokenize("This is not a token.", [tuple(pair) for pair in merges])
    assert tokens == ["This", "Ġis", "Ġ", "n", "o", "t", "Ġa", "Ġtoken", "."]


def test_two_spaces_are_cut_as_in_the_task(bpe):
    pieces = [(piece, tuple(place)) for piece, place in bpe.pre_tokenize("Hello, how are  you?")]
    assert pieces == [
        ("Hello", (0, 5)),
        (",", (5, 6)),
        ("Ġhow", (6, 10)),
        ("Ġare", (10, 14)),
        ("Ġ", (14, 15)),
        ("Ġyou", (15, 19)),
        ("?", (19, 20)),
    ]


def test_the_small_example_of_the_readme_holds(bpe):
    merges, vocab = bpe.train(["aab", "aab", "b"], 100)
    assert [tuple(pair) for pair in merges] == [("a", "a"), ("aa", "b")]
    assert set(vocab) == {"<|endoftext|>", "a", "b", "aa", "aab"}


def test_the_worked_example_of_the_norms_holds(norms):
    import torch

    x, gain = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([1.0, 1.0, 2.0])
    normed = norms.layer_norm(x, gain, torch.tensor([0.0, 0.0, 1.0]), 0.0)
    torch.testing.assert_close(normed, torch.tensor([-0.9258, -0.4629, 3.7775]), atol=1e-4, rtol=0)
    torch.testing.assert_close(norms.rms_norm(x, gain, 0.0), torch.tensor([0.2705, 0.5410, 3.2461]), atol=1e-4, rtol=0)


def test_layer_norm_agrees_with_torch(norms):
    import torch

    x, gain, bias = torch.randn(4, 5, 7), torch.randn(7), torch.randn(7)
    expected = torch.nn.functional.layer_norm(x, (7,), gain, bias, 1e-3)
    torch.testing.assert_close(norms.layer_norm(x, gain, bias, 1e-3), expected)
    torch.testing.assert_close(norms.rms_norm(x, gain, 1e-3), torch.nn.functional.rms_norm(x, (7,), gain, 1e-3))


def test_batch_norm_agrees_with_torch_in_training_and_evaluation(norms):
    import torch

    ours, theirs = norms.BatchNorm(5), torch.nn.BatchNorm1d(5)
    for _ in range(3):
        x = torch.randn(6, 5)
        torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_deep_norm_constants_are_those_of_decoders(norms):
    alpha, beta = norms.deep_norm_constants(18)
    assert math.isclose(alpha, 36**0.25)
    assert math.isclose(beta, 144**-0.25)
