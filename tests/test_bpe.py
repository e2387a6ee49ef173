"""The reference of bpe beyond its figures: byte fallback, merges as text, compression; independent programs agree."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.load import load_file
from tests.conftest import ROOT

BPE = load_file(ROOT / "reference" / "bpe.py", "bpe_reference")
CHECKS = load_file(ROOT / "exercises" / "02_bpe" / "checks.py", "bpe_checks")
FOLDER = ROOT / "exercises" / "02_bpe"
README = (FOLDER / "README.md").read_text("utf-8")
SPECIALS = ["<|e|>", "<|e|><|e|>", "‹é▁›"]
LETTERS = [*"▁,.CFHTabcdefghiklmnoprstuvwyz"]

symbols = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \n\r"), min_size=1, max_size=4)
texts = st.text(
    st.one_of(st.sampled_from("the hug▁é日😀'\n <0xE2>"), st.characters(exclude_categories=["Cs"])), max_size=30
)


@pytest.fixture(scope="module")
def merges():
    """Return the 19 merges of the four sentences."""
    return BPE.train(CHECKS.SENTENCES, 50)[0]


@pytest.fixture(scope="module")
def in_characters(merges):
    """Return the same merges, with the sign that byte fallback writes for a space."""
    return [(a.replace("Ġ", "▁"), b.replace("Ġ", "▁")) for a, b in merges]


@pytest.fixture(scope="module")
def code():
    return CHECKS.code_corpus()


# --- byte fallback ----------------------------------------------------------------------------


def test_the_example_of_byte_fallback_in_the_readme_holds(in_characters):
    tokens = BPE.fallback_tokenize("This is a café.", in_characters, LETTERS, [])
    assert tokens == ["This", "▁is", "▁a", "▁", "c", "a", "f", "<0xC3>", "<0xA9>", "."]
    assert "`" + " ".join(tokens) + "`" in README


@given(text=texts, length=st.integers(0, 19), has_space=st.booleans())
def test_every_text_comes_back_from_byte_fallback(text, length, has_space):
    found = [(a.replace("Ġ", "▁"), b.replace("Ġ", "▁")) for a, b in BPE.train(CHECKS.SENTENCES, 31 + length)[0]]
    if not has_space:
        found = [pair for pair in found if "▁" not in "".join(pair)]
    alphabet = LETTERS if has_space else LETTERS[1:]
    assert BPE.fallback_decode(BPE.fallback_tokenize(text, found, alphabet, SPECIALS), SPECIALS) == text


@given(text=texts)
def test_without_an_alphabet_there_are_only_bytes(text):
    tokens = BPE.fallback_tokenize(text, [], [], [])
    assert tokens == [f"<0x{byte:02X}>" for byte in text.encode()]


@given(text=st.text(st.sampled_from("Ttheisa tokenz."), max_size=30))
def test_a_text_of_known_characters_has_the_tokens_of_the_byte_level(text):
    found = BPE.train(CHECKS.SENTENCES, 50)[0]
    swapped = [(a.replace("Ġ", "▁"), b.replace("Ġ", "▁")) for a, b in found]
    expected = [token.replace("Ġ", "▁") for token in BPE.tokenize(text, found)]
    assert BPE.fallback_tokenize(text, swapped, LETTERS, []) == expected


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["<0xE6>", "<0x97>", "<0xA5>"], "日"),
        (["<0xE6>", "<0x97>", "a", "<0xA5>"], "\ufffda\ufffd"),
        (["<0xE6>", "<0x97>", "<|e|>", "<0xA5>"], "\ufffd<|e|>\ufffd"),
        (["<", "0", "x", "4", "1", ">"], "<0x41>"),
        (["<0xc3>", "‹é▁›", "▁▁"], "<0xc3>‹é▁›  "),
        (["<0xE2>", "<0x96>", "<0x81>", "▁"], "▁ "),
    ],
)
def test_bytes_words_and_special_tokens_are_told_apart(tokens, text):
    assert BPE.fallback_decode(tokens, SPECIALS) == text


def test_byte_fallback_agrees_with_the_library_tokenizers(in_characters):
    tokenizers = pytest.importorskip("tokenizers", reason="the library tokenizers is not installed")
    vocab = [*LETTERS, *(a + b for a, b in in_characters), *(f"<0x{byte:02X}>" for byte in range(256))]
    numbers = {token: number for number, token in enumerate(dict.fromkeys(vocab))}
    model = tokenizers.models.BPE(vocab=numbers, merges=in_characters, byte_fallback=True)
    for text in ["This is a café.", "日本語 tokens", "\tthe  token\n", "Hopefully 😀, them", "a", "", "éthe éis é"]:
        theirs = []
        for _, (start, end) in BPE.pre_tokenize(text):
            theirs += [token.value for token in model.tokenize(text[start:end].replace(" ", "▁"))]
        assert BPE.fallback_tokenize(text, in_characters, LETTERS, []) == theirs
        fallback = tokenizers.decoders.Sequence(
            [tokenizers.decoders.ByteFallback(), tokenizers.decoders.Fuse(), tokenizers.decoders.Replace("▁", " ")]
        )
        assert BPE.fallback_decode(theirs, []) == fallback.decode(theirs) == text


# --- merges as text ---------------------------------------------------------------------------


def test_the_text_of_merges_in_the_readme_holds(merges):
    assert BPE.merges_to_text(merges[:2]) == "#version: 0.2\nĠ t\ni s\n"
    assert repr(BPE.merges_to_text(merges[:2])).replace("'", '"') in README


@given(pairs=st.lists(st.tuples(symbols, symbols), max_size=9), end=st.sampled_from(["\n", "\r\n"]))
def test_merges_that_are_written_are_read_again(pairs, end):
    text = BPE.merges_to_text(pairs)
    assert BPE.merges_from_text(text.replace("\n", end)) == pairs
    assert BPE.merges_from_text(text.rstrip("\n")) == pairs
    assert BPE.merges_from_text("\n" + text.partition("\n")[2]) == pairs


@given(text=st.text(st.sampled_from("ab# \n\t\u00a0"), max_size=20))
def test_what_is_read_can_be_written_and_what_cannot_names_its_line(text):
    try:
        pairs = BPE.merges_from_text(text)
    except ValueError as error:
        number = int(re.match("line ([0-9]+):", str(error))[1])
        assert not re.fullmatch("[^ ]+ [^ ]+", text.split("\n")[number - 1])
        BPE.merges_from_text("\n".join(text.split("\n")[: number - 1]))  # all lines before it are right
    else:
        assert BPE.merges_from_text(BPE.merges_to_text(pairs)) == pairs


@pytest.mark.parametrize("symbol", ["", " ", "a b", "a\n", "\r"])
def test_a_symbol_that_could_not_be_read_again_is_not_written(symbol):
    for pair in ((symbol, "a"), ("a", symbol)):
        with pytest.raises(ValueError, match=re.escape(repr(symbol))):
            BPE.merges_to_text([("a", "b"), pair])


def test_the_library_tokenizers_reads_the_merges_that_are_written(merges, tmp_path):
    tokenizers = pytest.importorskip("tokenizers", reason="the library tokenizers is not installed")
    entries = dict.fromkeys([*BPE.byte_symbols().values(), *(a + b for a, b in merges)])
    numbers = {token: number for number, token in enumerate(entries)}
    names = str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")
    Path(names[0]).write_text(json.dumps(numbers), "utf-8")
    Path(names[1]).write_text(BPE.merges_to_text(merges), "utf-8", newline="\n")
    model = tokenizers.models.BPE.from_file(*names)
    for text in [*CHECKS.SENTENCES, "This is not a token.", "  the  theses\n é日"]:
        theirs = [token.value for piece, _ in BPE.pre_tokenize(text) for token in model.tokenize(piece)]
        assert BPE.tokenize(text, merges) == theirs
    # and what the library writes is read
    model.save(str(tmp_path))
    assert BPE.merges_from_text(Path(names[1]).read_text("utf-8")) == merges


# --- compression ------------------------------------------------------------------------------


@given(parts=st.lists(texts, max_size=4))
def test_without_merges_a_token_is_a_byte(parts):
    assert BPE.bytes_per_token(parts, []) == (1.0 if any(parts) else 0.0)


@given(parts=st.lists(texts, min_size=1, max_size=4), times=st.integers(2, 4))
def test_repeating_texts_does_not_change_their_compression(parts, times):
    found = BPE.train(CHECKS.SENTENCES, 50)[0]
    assert BPE.bytes_per_token(parts * times, found) == pytest.approx(BPE.bytes_per_token(parts, found), rel=1e-12)


def test_the_table_of_the_readme_is_computed(code):
    corpus, held_out = code
    rows = re.findall(r"^\| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", README, re.MULTILINE)
    assert [row[0] for row in rows] == ["102", "200", "400", "1000"]
    for size, count, *expected in rows:
        found, vocab = BPE.train(corpus, int(size))
        assert (len(vocab), len(found)) == (int(size), int(count))
        measured = [BPE.bytes_per_token(some, found) for some in (corpus, [held_out], CHECKS.SENTENCES)]
        assert [f"{value:.3f}" for value in measured] == expected


def test_the_first_merges_of_the_readme_and_its_sizes_are_those_of_the_corpus(code):
    corpus, _ = code
    found, vocab = BPE.train(corpus, 107)
    assert "The first merges are " + ", ".join(f"{a}+{b}" for a, b in found[:5]) + ":" in README
    assert f"The four have {sum(len(text.encode()) for text in corpus)} bytes" in README
    assert f"an alphabet of {len(vocab) - len(found) - 1} symbols" in README


def test_the_corpus_is_python_that_runs(code):
    for path in sorted((FOLDER / "corpus").glob("*.py.txt")):
        load_file(path, path.name.partition(".")[0] + "_of_the_corpus")
    assert len(code[0]) == 4


def test_training_agrees_with_the_library_tokenizers_where_nothing_ties():
    tokenizers = pytest.importorskip("tokenizers", reason="the library tokenizers is not installed")
    corpus = ["ab"] * 9 + ["abc"] * 5 + ["abcd"] * 2 + ["xy"] * 4 + ["é"] * 11
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.train_from_iterator(corpus, tokenizers.trainers.BpeTrainer(vocab_size=13, show_progress=False))
    theirs = [tuple(pair) for pair in json.loads(model.to_str())["model"]["merges"]]
    assert BPE.train(corpus, 13, ())[0] == theirs == [("a", "b"), ("Ã", "©"), ("ab", "c"), ("x", "y"), ("abc", "d")]


# --- tiktoken ---------------------------------------------------------------------------------

GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def test_tiktoken_cuts_with_our_merges_as_the_reference_does(merges, code):
    tiktoken = pytest.importorskip("tiktoken", reason="tiktoken is not installed")
    byte_of = {symbol: byte for byte, symbol in BPE.byte_symbols().items()}

    def spelled(token):
        return bytes(byte_of[symbol] for symbol in token)

    training, held_out = code
    texts = [*CHECKS.SENTENCES, "This is not a token.", "  a  b\n\n c", "naïve 日本 😀 don't", held_out, *training]
    for learned in (merges, BPE.train(training, 200)[0]):
        ranks = {bytes([byte]): byte for byte in range(256)}
        ranks |= {spelled(a + b): 256 + rank for rank, (a, b) in enumerate(learned)}
        other = tiktoken.Encoding("course", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens={})
        for text in texts:
            found = [other.decode_single_token_bytes(number) for number in other.encode(text)]
            assert found == [spelled(token) for token in BPE.tokenize(text, learned)], text[:40]
