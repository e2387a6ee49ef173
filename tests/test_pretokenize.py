"""The reference of the pre-tokenization exercise: known figures, other implementations, properties."""

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.load import load_file
from tests.conftest import ROOT

COURSE = Course(ROOT)
R = load_file(COURSE.reference(COURSE.find("pretokenize")), "pretokenize_reference")
BPE = load_file(COURSE.reference(COURSE.find("bpe")), "bpe_reference_beside_pretokenize")

HARD = [
    "e\u0301",
    "\u0301",
    "É",
    "한국",
    "각\u0301",
    "İ",
    "Σ",
    "≠",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "की",
    "ো",
    "ﬁ",
    "½",
    "²",
]
HARD += ["'s", "'ll", "'S", "’s", "  ", "\n", "\t", "\u00a0", "\u3000", "日本", "😀", "👩‍🔬", "“", "$", "_", "€", "..."]
HARD += ["one", "Two", "3", " ", " four", ",", "Ⅷ", "٣", "一"]
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEXTS = st.one_of(ANY, st.lists(st.sampled_from(HARD), max_size=9).map("".join))
QUICK = settings(max_examples=150, deadline=None, database=None, derandomize=True)


# one Chinese character is decomposed like another; the compatibility ones do decompose
def many_characters():
    codes = [*range(0x3400), *range(0xA000, 0xD7A4, 3), *range(0xE000, 0x13000), *range(0x1D000, 0x20000)]
    return map(chr, [*codes, *range(0x20000, sys.maxunicode + 1, 997), *range(0x2F800, 0x2FA20), sys.maxunicode])


# --- figures ----------------------------------------------------------------------------------


def test_the_sentence_with_two_spaces_is_cut_as_in_the_task():
    text = "Hello, how are  you?"
    assert R.split_bert(text) == [
        ("Hello", (0, 5)),
        (",", (5, 6)),
        ("how", (7, 10)),
        ("are", (11, 14)),
        ("you", (16, 19)),
        ("?", (19, 20)),
    ]
    assert R.split_gpt2(text) == [
        ("Hello", (0, 5)),
        (",", (5, 6)),
        ("Ġhow", (6, 10)),
        ("Ġare", (10, 14)),
        ("Ġ", (14, 15)),
        ("Ġyou", (15, 19)),
        ("?", (19, 20)),
    ]
    assert R.split_sentencepiece(text) == [
        ("▁Hello,", (0, 6)),
        ("▁how", (6, 10)),
        ("▁are", (10, 14)),
        ("▁", (14, 15)),
        ("▁you?", (15, 20)),
    ]


def test_the_accents_of_the_example_are_dropped():
    assert R.normalize("Héllò hów are ü?") == "hello how are u?"


def test_the_examples_of_the_task_hold():
    places = [("hello", (0, 6)), ("how", (8, 11)), (",", (11, 12)), ("u", (13, 14)), ("?", (14, 15))]
    assert R.bert_pieces("Héllo\u0300  hów, ü?") == places
    assert R.normalize_with_offsets("한e\u0301") == ("\u1112\u1161\u11abe", [(0, 1), (0, 1), (0, 1), (1, 3)])
    assert R.split_sentencepiece(" a") == [("▁", (0, 0)), ("▁a", (0, 2))]
    assert R.from_utf8_bytes([0xE2, 0x82, 0x61]) == "\ufffda"
    assert R.from_utf8_bytes([0xC0, 0xAF]) == "\ufffd\ufffd"
    assert R.from_utf8_bytes([0xF0, 0x9F, 0x98, 0xC3, 0xA9]) == "\ufffdé"


def test_68_bytes_get_another_character_and_the_space_becomes_g_with_a_dot():
    chars = R.byte_to_char()
    assert len(set(chars.values())) == 256
    assert sum(char != chr(byte) for byte, char in chars.items()) == 68
    assert (chars[32], chars[10], chars[173]) == ("Ġ", "Ċ", "Ń")


# --- Python's own -----------------------------------------------------------------------------


def test_characters_of_all_kinds_are_encoded_as_python_does():
    for char in many_characters():
        assert R.utf8_bytes(char) == list(char.encode())


BYTES = st.one_of(
    st.binary(max_size=9), st.lists(st.sampled_from(list(b"a\x80\x9f\xa0\xbf\xc0\xc3\xe0\xed\xf0\xf4\xf5")))
)


@QUICK
@given(BYTES)
def test_bytes_are_decoded_as_python_does(values):
    assert R.from_utf8_bytes(list(values)) == bytes(values).decode("utf-8", errors="replace")


@pytest.mark.parametrize("values", [[256], [-1], [97, 1000]])
def test_numbers_that_are_no_bytes_are_refused(values):
    with pytest.raises(ValueError, match="no byte"):
        R.from_utf8_bytes(values)


def test_characters_of_all_kinds_are_normalized_as_the_tables_of_python_say():
    for char in many_characters():
        marks = [part for part in unicodedata.normalize("NFD", char) if unicodedata.category(part) != "Mn"]
        assert R.normalize(char) == "".join(part.lower() for part in marks)


# --- properties -------------------------------------------------------------------------------


@QUICK
@given(TEXTS)
def test_bytes_give_the_text_back(text):
    assert R.from_utf8_bytes(R.utf8_bytes(text)) == text


@QUICK
@given(TEXTS)
def test_a_character_is_what_its_span_normalizes_to(text):
    normalized, origins = R.normalize_with_offsets(text)
    assert normalized == R.normalize(text)
    assert len(normalized) == len(origins)
    for char, (start, end) in zip(normalized, origins, strict=True):
        assert char in R.normalize(text[start:end])
        assert not R.normalize(text[start + 1 : end])


@QUICK
@given(TEXTS)
def test_spans_leave_nothing_out_but_marks_at_the_beginning(text):
    spans = sorted(set(R.normalize_with_offsets(text)[1]))
    assert not R.normalize(text[: spans[0][0]] if spans else text)
    assert [end for _, end in spans] == [start for start, _ in spans[1:]] + [len(text)] * bool(spans)


@QUICK
@given(TEXTS)
def test_a_piece_of_bert_is_what_its_slice_of_the_original_normalizes_to(text):
    for piece, (start, end) in R.bert_pieces(text):
        assert R.normalize(text[start:end]) == piece
    assert [piece for piece, _ in R.bert_pieces(text)] == [piece for piece, _ in R.split_bert(R.normalize(text))]


@QUICK
@given(TEXTS)
def test_bert_loses_nothing_but_whitespace(text):
    pieces = R.split_bert(text)
    assert all(text[start:end] == piece and piece for piece, (start, end) in pieces)
    assert "".join(piece for piece, _ in pieces) == "".join(text.split())


@QUICK
@given(TEXTS)
def test_the_pieces_of_gpt2_cover_the_text_and_are_its_bytes(text):
    back = {char: byte for byte, char in R.byte_to_char().items()}
    pieces = R.split_gpt2(text)
    assert [place for _, place in pieces] == [
        (a, b) for a, b in zip([0, *(b for _, (_, b) in pieces)], [b for _, (_, b) in pieces], strict=False)
    ]
    assert R.from_utf8_bytes([back[char] for piece, _ in pieces for char in piece]) == text


@QUICK
@given(TEXTS)
def test_the_two_exercises_cut_as_gpt2_does_alike(text):
    assert R.split_gpt2(text) == BPE.pre_tokenize(text)


@QUICK
@given(TEXTS)
def test_escaped_texts_come_back(text):
    text = text.replace("▁", "_")
    escaped = R.escape_spaces(text)
    assert R.unescape_spaces(escaped) == text
    assert " " not in escaped
    pieces = R.split_sentencepiece(text)
    assert "".join(piece for piece, _ in pieces) == escaped
    for number, (piece, (start, end)) in enumerate(pieces):
        # the prefix of the first piece stands for nothing
        assert text[start:end] == piece[number == 0 :].replace("▁", " ")


def test_a_mark_in_the_text_is_refused():
    for function in (R.escape_spaces, R.split_sentencepiece):
        with pytest.raises(ValueError, match="U\\+2581"):
            function("a▁b")


# --- other implementations --------------------------------------------------------------------

# Rust's idea of whitespace has no U+001C to U+001F; all else is the same
SHARED = TEXTS.filter(lambda text: not set(text) & set("\x1c\x1d\x1e\x1f"))


@pytest.fixture(scope="module")
def hf():
    return pytest.importorskip("tokenizers", reason="compares with the tokenizers library")


def settled(text):
    """Whether no character is new or has changed its category: both sides have tables of different years."""
    return all(unicodedata.ucd_3_2_0.category(char) == unicodedata.category(char) != "Cn" for char in text)


OLD = SHARED.filter(settled)


@QUICK
@given(text=OLD)
def test_normalizing_agrees_with_tokenizers(hf, text):
    theirs = hf.normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=True
    )
    assert R.normalize(text) == theirs.normalize_str(text)


@QUICK
@given(text=OLD)
def test_splitting_at_punctuation_agrees_with_tokenizers(hf, text):
    assert R.split_bert(text) == hf.pre_tokenizers.BertPreTokenizer().pre_tokenize_str(text)


@QUICK
@given(text=OLD)
def test_places_in_the_original_agree_with_tokenizers_but_for_marks_at_the_end(hf, text):
    theirs = hf.PreTokenizedString(text)
    theirs.normalize(
        hf.normalizers.BertNormalizer(
            clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=True
        ).normalize
    )
    hf.pre_tokenizers.BertPreTokenizer().pre_tokenize(theirs)
    ours = R.bert_pieces(text)
    expected = [(piece, place) for piece, place, _ in theirs.get_splits("original", "char")]
    assert len(ours) == len(expected)
    for (piece, (start, end)), (other, (first, last)) in zip(ours, expected, strict=True):
        assert unicodedata.normalize("NFC", piece) == unicodedata.normalize("NFC", other)
        assert start == first
        assert last <= end
        assert not R.normalize(text[last:end])


@QUICK
@given(text=OLD)
def test_gpt2_agrees_with_tokenizers(hf, text):
    theirs = hf.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    assert R.split_gpt2(text) == theirs.pre_tokenize_str(text)


def test_the_alphabet_is_that_of_tokenizers(hf):
    assert set(R.byte_to_char().values()) == set(hf.pre_tokenizers.ByteLevel.alphabet())


@QUICK
@given(text=SHARED.filter(lambda text: text and text[0] != " " and "▁" not in text))
def test_sentencepiece_agrees_with_tokenizers_where_no_space_leads(hf, text):
    theirs = hf.pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    assert R.split_sentencepiece(text) == theirs.pre_tokenize_str(text)


@pytest.fixture(scope="module")
def piece_model(tmp_path_factory):
    library = pytest.importorskip("sentencepiece", reason="compares with the sentencepiece library")
    prefix = str(tmp_path_factory.mktemp("model") / "char")
    library.SentencePieceTrainer.train(
        sentence_iterator=iter(["abc de", "  ab", "c  d e"]),
        model_prefix=prefix,
        model_type="char",
        vocab_size=10,
        hard_vocab_limit=False,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    return library.SentencePieceProcessor(model_file=prefix + ".model")


@QUICK
@given(text=st.text("abcde ", max_size=9))
def test_escaping_agrees_with_sentencepiece(piece_model, text):
    pieces = piece_model.encode(text, out_type=str)
    assert R.escape_spaces(text) == "".join(pieces)
    assert R.unescape_spaces("".join(pieces)) == piece_model.decode(pieces)
