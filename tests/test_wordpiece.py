"""WordPiece's reference: the figures of the task, properties that must hold, and a public implementation."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.load import load_file
from tests.conftest import ROOT

COURSE = Course(ROOT)
EXERCISE = COURSE.find("wordpiece")
PROGRAMS = [COURSE.reference(EXERCISE), COURSE.solution(EXERCISE), *COURSE.accepted(EXERCISE)]
REFERENCE = load_file(COURSE.reference(EXERCISE), "wordpiece_reference")

CORPUS = [
    "This is the Hugging Face Course.",
    "This chapter is about tokenization.",
    "This section shows several tokenizer algorithms.",
    "Hopefully, you will be able to understand how they are trained and generate tokens.",
]
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ALPHABET = (
    "##a ##b ##c ##d ##e ##f ##g ##h ##i ##k ##l ##m ##n ##o ##p ##r ##s ##t ##u ##v ##w ##y ##z "
    ", . C F H T a b c g h i s t u w y"
)
ADDITIONS = "ab ##fu Fa Fac ##ct ##ful ##full ##fully Th ch ##hm cha chap chapt ##thm Hu Hug Hugg sh th is ##thms ##za ##zat ##ut"
COURSE_SENTENCE = "Th ##i ##s is th ##e Hugg ##i ##n ##g Fac ##e c ##o ##u ##r ##s ##e [UNK]"

WORDS = st.text("abc", min_size=1, max_size=8)
COUNTS = st.dictionaries(WORDS, st.integers(1, 30), max_size=6)
TEXTS = st.text("abcé日 .,-'\n#", max_size=30)


@pytest.fixture(params=PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def wordpiece(request):
    return load_file(request.param, f"wordpiece_{request.param.stem}")


# --- figures ----------------------------------------------------------------------------------


def test_there_are_at_least_six_styles():
    assert len(PROGRAMS) >= 8


def test_the_four_sentences_give_the_25_additions_in_order(wordpiece):
    vocab = list(wordpiece.train(CORPUS, 70))
    assert vocab[:5] == SPECIALS
    assert vocab[5:45] == ALPHABET.split()
    assert vocab[45:] == ADDITIONS.split()


def test_the_first_pair_has_score_one_fifth(wordpiece):
    counts = wordpiece.word_counts(CORPUS)
    scores = wordpiece.pair_scores({word: wordpiece.split_word(word) for word in counts}, counts)
    assert wordpiece.best_pair(scores) == ("a", "##b")
    assert scores["a", "##b"] == Fraction(1, 5)


def test_nine_of_the_25_steps_tie():
    counts = REFERENCE.word_counts(CORPUS)
    splits = {word: REFERENCE.split_word(word) for word in counts}
    ties = 0
    for _ in range(25):
        scores = REFERENCE.pair_scores(splits, counts)
        pair = REFERENCE.best_pair(scores)
        ties += list(scores.values()).count(scores[pair]) > 1
        splits = {word: REFERENCE.merge(pair, split) for word, split in splits.items()}
    assert ties == 9


def test_words_and_the_sentence_of_the_task_are_encoded_as_promised(wordpiece):
    vocab = wordpiece.train(CORPUS, 70)
    assert list(wordpiece.encode_word("Hugging", vocab)) == ["Hugg", "##i", "##n", "##g"]
    assert list(wordpiece.encode_word("HOgging", vocab)) == ["[UNK]"]
    assert list(wordpiece.encode("This is the Hugging Face course!", vocab)) == COURSE_SENTENCE.split()


def test_the_worked_example_holds(wordpiece):
    texts = ["low lower low", "slow"]
    counts = wordpiece.word_counts(texts)
    assert dict(counts) == {"low": 2, "lower": 1, "slow": 1}
    assert wordpiece.alphabet(counts) == ["##e", "##l", "##o", "##r", "##w", "l", "s"]
    scores = wordpiece.pair_scores({word: wordpiece.split_word(word) for word in counts}, counts)
    assert list(map(str, scores.values())) == ["1/4", "1/4", "1/4", "1", "1", "1/4"]
    assert wordpiece.best_pair(scores) == ("##e", "##r")
    assert list(wordpiece.train(texts, 100)[12:]) == ["##er", "sl", "lo", "slo", "low", "slow", "lower"]


# --- floats -----------------------------------------------------------------------------------


def test_two_divisions_in_floats_break_a_tie_that_fractions_see():
    assert 1 / 3 / 11 < 1 / 11 / 3
    counts = {"ab": 1, "a": 2, "cb": 10, "c": 1000, "de": 1, "d": 10, "fe": 2, "f": 1000}
    assert REFERENCE.learn(counts, 7, ())[-1] == "ab"


def test_scores_that_are_the_same_float_are_told_apart():
    size = 10**15
    pair = size // 10  # places of (a, ##b) and of (d, ##e)
    assert pair / ((size + 1) * (size + 1)) == pair / (size * (size + 2))
    counts = {"ab": pair, "a": size + 1 - pair, "cb": size + 1 - pair, "c": 10**16}
    counts |= {"de": pair, "d": size - pair, "fe": size + 2 - pair, "f": 10**16}
    assert REFERENCE.learn(counts, 7, ())[-1] == "de"


# --- properties -------------------------------------------------------------------------------


@given(COUNTS, st.integers(0, 40))
def test_the_vocabulary_has_the_size_or_no_pair_is_left(counts, size):
    base = len(REFERENCE.alphabet(counts))
    vocab = REFERENCE.learn(counts, size, ())
    assert len(vocab) == len(set(vocab))
    assert len(vocab) == max(base, size) or all(word in vocab for word in counts)
    assert len(vocab) <= max(base, size)


@given(COUNTS, st.integers(0, 12))
def test_a_larger_vocabulary_begins_with_the_smaller_one(counts, steps):
    base = len(REFERENCE.alphabet(counts))
    small, large = (REFERENCE.learn(counts, base + more, ()) for more in (steps, steps + 3))
    assert large[: len(small)] == small


@given(COUNTS)
def test_multiplying_all_counts_does_not_change_what_is_learned(counts):
    many = {word: 10**6 * count for word, count in counts.items()}
    assert REFERENCE.learn(many, 30, ()) == REFERENCE.learn(counts, 30, ())


@given(COUNTS)
def test_a_score_is_what_counting_by_hand_gives(counts):
    splits = {word: REFERENCE.split_word(word) for word in counts}
    line = [symbol for word, count in counts.items() for symbol in [*splits[word], None] for _ in range(count)]
    pairs = [pair for word, count in counts.items() for _ in range(count) for pair in pairwise(splits[word])]
    for (left, right), score in REFERENCE.pair_scores(splits, counts).items():
        assert score * line.count(left) * line.count(right) == pairs.count((left, right))


@given(st.lists(st.sampled_from(["##a", "##b"]), max_size=9), st.sampled_from(["##a", "##b"]))
def test_a_merge_keeps_the_letters_and_leaves_no_pair(tail, right):
    split = ["a", *tail]
    merged = REFERENCE.merge(("##a", right), split)
    assert REFERENCE.decode(merged) == REFERENCE.decode(split)
    assert ("##a", right) not in pairwise(merged)


@given(WORDS, st.sets(WORDS.flatmap(lambda piece: st.sampled_from([piece, "##" + piece])), max_size=30))
def test_tokens_spell_the_word_and_each_is_the_longest(word, pieces):
    tokens = REFERENCE.encode_word(word, pieces)
    if tokens == ["[UNK]"]:
        return
    assert REFERENCE.decode(tokens) == word
    start = 0
    for token in tokens:
        mark = "##" if start else ""
        assert token in pieces
        assert not any(
            mark + word[start:end] in pieces for end in range(start + len(token) - len(mark) + 1, len(word) + 1)
        )
        start += len(token) - len(mark)


@given(st.lists(TEXTS, max_size=3))
def test_every_word_of_the_corpus_can_be_encoded_and_comes_back(texts):
    vocab = REFERENCE.train(texts, 60)
    for text in texts:
        tokens = REFERENCE.encode(text, vocab)
        assert "[UNK]" not in tokens
        assert REFERENCE.decode(tokens) == " ".join(REFERENCE.words_of(text))
        assert [vocab[number] for number in REFERENCE.ids(tokens, vocab)] == tokens


# --- a public implementation ------------------------------------------------------------------


def _public(vocab, max_chars=100):
    tokenizers = pytest.importorskip("tokenizers", reason="the tokenizers library is not installed")
    model = tokenizers.models.WordPiece(
        vocab={token: number for number, token in enumerate(vocab)},
        unk_token="[UNK]",
        max_input_chars_per_word=max_chars,
        continuing_subword_prefix="##",
    )
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return tokenizer


@pytest.mark.parametrize("limit", [100, 6])
def test_words_are_encoded_as_the_tokenizers_library_does(limit):
    vocab = REFERENCE.train([*CORPUS, "# é 日本"], 90)
    public = _public(vocab, limit)

    @settings(max_examples=300, deadline=None)
    @given(st.one_of(WORDS, st.sampled_from(REFERENCE.words_of(" ".join(CORPUS))), st.text("Hugabtc日é", max_size=9)))
    def agrees(word):
        expected = [token.value for token in public.model.tokenize(word)] if word else []
        assert REFERENCE.encode_word(word, vocab, limit) == expected

    agrees()


def test_texts_are_encoded_as_the_tokenizers_library_does():
    vocab = REFERENCE.train([*CORPUS, "# é 日本 ! - '"], 100)
    public = _public(vocab)

    @settings(max_examples=300, deadline=None)
    @given(st.one_of(TEXTS, st.sampled_from([*CORPUS, "This is the Hugging Face course!", "a" * 101, "# a#b"])))
    def agrees(text):
        found = public.encode(text)
        assert REFERENCE.encode(text, vocab) == found.tokens
        assert REFERENCE.ids(found.tokens, vocab) == found.ids

    agrees()
