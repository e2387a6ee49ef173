"""A list of merges is judged by the rule: any most frequent pair is a legal step, no other is."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grader.case import Answer
from grader.merges import Merges
from grader.walk import Difference

ANY, FIRST = Merges(ties="any"), Merges(ties="first")
SPECIALS = ["<|end|>"]


def pair_counts(splits, words):
    counts = Counter()
    for word, symbols in splits.items():
        for pair in pairwise(symbols):
            counts[pair] += words[word]
    return counts


def merged(symbols, pair):
    result = []
    for symbol in symbols:
        if result and (result[-1], symbol) == pair and result[-1] is not None:
            result[-1:] = [symbol, None]  # the None keeps a merged symbol from being merged again
            result[-2] = pair[0] + pair[1]
        else:
            result.append(symbol)
    return [symbol for symbol in result if symbol is not None]


def train(words, size, choose):
    """Train by the book; choose(step, counts) picks a pair, None ends the training."""
    splits = {word: list(word) for word in words}
    vocab = SPECIALS + sorted({symbol for word in words for symbol in word})
    merges = []
    while len(vocab) < size:
        counts = pair_counts(splits, words)
        pair = choose(len(merges), counts) if counts else None
        if pair is None:
            break
        splits = {word: merged(symbols, pair) for word, symbols in splits.items()}
        merges.append(pair)
        vocab.append(pair[0] + pair[1])
    return merges, vocab


def most_frequent(counts):
    best = max(counts.values())
    return [pair for pair, count in counts.items() if count == best]


def first(_step, counts):
    return most_frequent(counts)[0]


def last(_step, counts):
    return most_frequent(counts)[-1]


def judge(compare, words, size, got):
    return compare.compare({"vocab_size": size}, Answer("value", train(words, size, first), witness=words), got)


HUGS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
TIED = {"ab": 3, "cd": 3, "ef": 1}  # a, b and c, d tie at the first step


# --- the rule -----------------------------------------------------------------------------------


def test_the_trainer_of_these_tests_knows_the_textbook_example():
    assert train(HUGS, 11, first)[0] == [("u", "g"), ("u", "n"), ("h", "ug")]


@pytest.mark.parametrize("words", [HUGS, TIED, {"aaaa": 1, "aaa": 2}, {"a": 3}, {}])
@pytest.mark.parametrize("size", [0, 1, 5, 8, 9, 30])
@pytest.mark.parametrize("compare", [ANY, FIRST], ids=["any", "first"])
def test_the_list_of_the_reference_passes(compare, words, size):
    assert judge(compare, words, size, train(words, size, first)) is None


def test_another_tie_rule_passes_any_and_fails_first_with_the_tie_named():
    got = train(TIED, 9, last)
    assert got[0] == [("c", "d"), ("a", "b")]
    assert judge(ANY, TIED, 9, got) is None
    wrong = judge(FIRST, TIED, 9, got)
    assert wrong.place == "[0][0]"
    assert "('c', 'd')" in wrong.got
    assert "('a', 'b')" in wrong.expected
    assert "both occur 3 times" in wrong.note
    assert "tie" in wrong.note


@pytest.mark.parametrize("compare", [ANY, FIRST], ids=["any", "first"])
def test_a_step_that_is_not_most_frequent_is_named_with_both_counts(compare):
    def choose(step, counts):
        return ("u", "n") if step == 1 else ("p", "u") if step == 0 else first(step, counts)

    wrong = judge(compare, HUGS, 11, train(HUGS, 11, choose))
    assert wrong.place == "[0][0]"
    assert (wrong.got, wrong.expected) == (
        "('p', 'u'), which occurs 17 times",
        "('u', 'g'), which occurs 20 times",
    )
    assert "most frequent" in wrong.note


def test_a_later_wrong_step_has_its_own_place():
    merges, vocab = train(HUGS, 11, first)
    wrong = judge(ANY, HUGS, 11, ([merges[0], merges[2], merges[1]], vocab))
    assert wrong.place == "[0][1]"
    assert "15 times" in wrong.got
    assert "16 times" in wrong.expected


def test_a_pair_that_is_not_there_is_told_so():
    wrong = judge(ANY, HUGS, 11, ([("x", "y"), ("u", "g"), ("u", "n")], []))
    assert "does not occur" in wrong.got


def test_a_pair_that_was_merged_before_is_not_there_any_more():
    wrong = judge(ANY, HUGS, 11, ([("u", "g"), ("u", "g"), ("u", "n")], []))
    assert wrong.place == "[0][1]"
    assert "does not occur" in wrong.got


def test_a_list_that_ends_too_early_is_wrong_at_its_end():
    merges, vocab = train(HUGS, 11, first)
    wrong = judge(ANY, HUGS, 11, (merges[:2], vocab[:-1]))
    assert wrong.place == "[0][2]"
    assert "list ends here" in wrong.got
    assert "('h', 'ug')" in wrong.expected


def test_an_empty_list_ends_too_early():
    assert judge(ANY, HUGS, 11, ([], train(HUGS, 0, first)[1])).place == "[0][0]"


def test_a_list_with_too_many_merges_is_wrong_at_the_first_of_them():
    wrong = judge(ANY, HUGS, 11, train(HUGS, 13, first))
    assert wrong.place == "[0][3]"
    assert wrong.expected == "nothing: 3 merges fill the vocabulary"


def test_a_vocabulary_that_is_full_from_the_start_leaves_no_merge():
    assert judge(ANY, HUGS, 3, ([], train(HUGS, 3, first)[1])) is None
    assert judge(ANY, HUGS, 3, train(HUGS, 11, first)).place == "[0][0]"


@pytest.mark.parametrize("compare", [ANY, FIRST], ids=["any", "first"])
def test_a_merge_after_the_last_pair_is_told_so(compare):
    merges, vocab = train({"ab": 1}, 30, first)
    wrong = judge(compare, {"ab": 1}, 30, ([*merges, ("ab", "ab")], vocab))
    assert wrong.place == "[0][1]"
    assert "no pair is left" in wrong.expected


def test_lists_may_stand_for_tuples():
    merges, vocab = train(HUGS, 11, first)
    assert judge(FIRST, HUGS, 11, [[list(pair) for pair in merges], tuple(vocab)]) is None


def test_overlapping_pairs_are_counted_as_often_as_they_stand_there():
    words = {"aaa": 2, "bc": 3}  # aaa holds (a, a) twice
    assert judge(ANY, words, 5, train(words, 5, first)) is None
    assert "4 times" in judge(ANY, words, 5, ([("b", "c")], [])).expected


# --- the vocabulary -----------------------------------------------------------------------------


def test_the_vocabulary_may_have_any_order():
    merges, vocab = train(HUGS, 11, first)
    assert judge(ANY, HUGS, 11, (merges, vocab[::-1])) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda vocab: vocab[1:], "missing"),
        (lambda vocab: [*vocab, "x"], "is in the vocabulary"),
        (lambda vocab: [*vocab, vocab[-1]], "is in the vocabulary"),
        (lambda vocab: [*vocab[:-1], "x"], "missing"),
        (lambda vocab: [], "missing"),
    ],
)
def test_a_wrong_vocabulary_is_named_by_its_entry(change, word):
    merges, vocab = train(HUGS, 11, first)
    wrong = judge(ANY, HUGS, 11, (merges, change(vocab)))
    assert wrong.place == "[1]"
    assert word in wrong.got


def test_an_entry_that_two_merges_make_is_wanted_twice():
    words = {"abc": 4, "xab": 2, "ybc": 3, "zabc": 1}

    def choose(step, counts):
        return first(step, counts)

    merges, vocab = train(words, 100, choose)
    doubled = [entry for entry, count in Counter(vocab).items() if count > 1]
    assert judge(ANY, words, 100, (merges, vocab)) is None
    for entry in doubled:
        short = list(vocab)
        short.remove(entry)
        assert "too seldom" in judge(ANY, words, 100, (merges, short)).got


# --- any corpus, any tie rule -------------------------------------------------------------------

corpora = st.dictionaries(st.text("abc", min_size=1, max_size=6), st.integers(1, 4), min_size=1, max_size=5)


@given(corpora, st.integers(0, 14), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_tie_rule_passes(words, size, random):
    got = train(words, size, lambda _, counts: random.choice(most_frequent(counts)))
    assert judge(ANY, words, size, got) is None
    wrong = judge(FIRST, words, size, got)
    assert (wrong is None) == (got[0] == train(words, size, first)[0])
    assert wrong is None or "tie" in wrong.note


@given(corpora, st.integers(5, 14), st.integers(0, 6), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_one_less_frequent_pair_fails_at_its_step(words, size, place, random):
    changed = []

    def choose(step, counts):
        rarer = [pair for pair in counts if counts[pair] < max(counts.values())]
        if step == place and rarer:
            changed.append(random.choice(rarer))
            return changed[-1]
        return random.choice(most_frequent(counts))

    got = train(words, size, choose)
    assume(changed)
    wrong = judge(ANY, words, size, got)
    assert wrong.place == f"[0][{place}]"
    assert repr(changed[0]) in wrong.got
    assert judge(FIRST, words, size, got) is not None


@given(corpora, st.integers(0, 14), st.data())
@settings(deadline=None)
def test_a_list_cut_short_or_continued_fails(words, size, data):
    merges, vocab = train(words, size, first)
    if merges:
        keep = data.draw(st.integers(0, len(merges) - 1))
        assert judge(ANY, words, size, (merges[:keep], vocab)).place == f"[0][{keep}]"
    assert judge(ANY, words, size, ([*merges, ("a", "b")], vocab)).place == f"[0][{len(merges)}]"


# --- wrong forms --------------------------------------------------------------------------------

FORMS = [
    None, 5, "ab", b"ab", {}, {1, 2}, [], [[]], ([], [], []), (None, None), ([], None), (None, []), ([], "ab"),
    ([], [1]), ([], [None]), ([], [["a"]]), ([], {"a": 1}), ([], {"a"}), ("ab", []), ({}, []), ({("a", "b"): 0}, []),
    ({("a", "b")}, []), ([None], []), (["ab"], []), ([("a",)], []), ([("a", "b", "c")], []), ([("a", 1)], []),
    ([("a", None)], []), ([(b"a", b"b")], []), ([{"a": "b"}], []), ([[["a"], ["b"]]], []), ([("u", "g"), 3], []),
    (["u", "g"], [("u", "g")]),
]  # fmt: skip


@pytest.mark.parametrize("got", FORMS, ids=repr)
@pytest.mark.parametrize("compare", [ANY, FIRST], ids=["any", "first"])
def test_a_wrong_form_is_a_difference(compare, got):
    wrong = judge(compare, HUGS, 11, got)
    assert isinstance(wrong, Difference)
    assert wrong.ratio > 1


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["a", "b", "u", "g"]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=12,
)


@given(json_like | st.tuples(json_like, json_like) | st.tuples(st.lists(st.tuples(json_like, json_like)), json_like))
@settings(max_examples=300, deadline=None)
def test_no_form_raises(got):
    for compare in (ANY, FIRST):
        assert isinstance(judge(compare, HUGS, 11, got), Difference)


@pytest.mark.parametrize("got", [5, "some text", {"k": 1}])
def test_what_stands_in_place_of_the_merges_is_shown(got):
    wrong = judge(ANY, HUGS, 11, (got, []))
    assert repr(got) in wrong.got


def test_a_wrong_pair_is_named_by_its_place():
    wrong = judge(ANY, HUGS, 11, ([("u", "g"), ("u", "n", "x")], []))
    assert (wrong.place, wrong.got) == ("[0][1]", "('u', 'n', 'x')")


@pytest.mark.parametrize(
    "got",
    [
        ([("x" * 10**5, "y")] * 3, []),
        ([("u", "g")] * 10**5, []),
        ([("u", "g"), ("u", "n"), ("h", "ug")], ["x" * 10**5]),
        ([("u", "g"), ("u", "n"), ("h", "ug")], [*train(HUGS, 11, first)[1], "x" * 10**5]),
        ("x" * 10**5, []),
        ([], [["x" * 10**5]]),
    ],
    ids=["pair", "many", "entry", "more", "merges", "vocab"],
)
def test_what_is_said_of_a_huge_answer_is_short(got):
    wrong = judge(ANY, HUGS, 11, got)
    assert len(wrong.place + wrong.got + wrong.expected + wrong.note) < 1000
