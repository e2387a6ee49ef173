"""What is asked of pretokenize.py: the cases, what is run on them, and how the answers are compared."""

from grader import draw
from grader.check import check
from grader.compare import Exact

# What BERT's normalization and splitting find hard: composed and combining accents, marks of the
# categories Mn, Mc and Me, characters that become several, compatibility forms, punctuation and symbols.
WORDS = ("Héllò", "ab", "X9", "ÇA", "ΣΑΣ", "İx", "straße", "日本", "한국", "की", "ﬁn", "A½", "don't", "a_b")
MARKED = ("e\u0301", "A\u0323\u0302", "각\u0301", "n\u0303o", "❤\ufe0f", "1\ufe0f\u20e3", "คำ", "!\u0301", "\u0301")
SIGNS = ("!", "?!", "...", "$5", "+", "^", "`", "~|", "_", "“É”", "¿", "—", "€", "°", "×", "≠", "≮", "、", "¡", "・")
BLANKS = (" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\x85", "\x1c", "\u2028")
ODD = ("\u200b", "\xad", "\x00", "\ufeff", "👩‍🔬", "😀")


def _text_of(*parts):
    """Return a strategy of {"text": text}: texts made of these parts and spaces."""
    return draw.lists(draw.choice(" ", *parts), 0, 7).map(lambda chosen: {"text": "".join(chosen)})


def _texts(found):
    return [{"text": text} for text in found]


def _twice(function, text):
    """Return the result of the first of two calls: the second must not change it."""
    result = function(text)
    function("É " + text)
    return result


def _or_error(function, argument):
    try:
        return function(argument)
    except ValueError:
        return {"raised": "ValueError"}


# --- bytes ------------------------------------------------------------------------------------


def hard_bytes():
    found = ["", "a", "é", "ä日😀", "e\u0301", "\x00\x7f\x80", "ÿ\u0100\u07ff\u0800", "\ufeffa", "\ufffd"]
    found += ["\r\n a", "\uffff\U00010000\U0010ffff", "\ud7ff\ue000", "👩‍🔬", "жук € ¼ ß", "é日😀" * 1000]
    return _texts(found)


@check(points=1, cases=lambda: _text_of(*WORDS, *ODD, "€", "\U0010ffff"), examples=hard_bytes, draws=6, compare=Exact())
def text_becomes_utf8_bytes(module, text):
    """utf8_bytes: one to four bytes for each character"""
    return _twice(module.utf8_bytes, text)


def _bytes(text):
    return {"values": list(text.encode())}


def byte_lists():
    return _text_of(*WORDS, *ODD, *MARKED, "\r\n", "€").map(lambda case: _bytes(case["text"]))


@check(
    points=1,
    cases=byte_lists,
    examples=lambda: [_bytes(case["text"]) for case in hard_bytes()],
    draws=6,
    compare=Exact(),
)
def bytes_become_text(module, values):
    """from_utf8_bytes: the bytes of a text give the text back"""
    return module.from_utf8_bytes(values)


def broken_bytes():
    # starts of sequences, bytes that follow, and what is never valid
    values = draw.choice(97, 10, 0x80, 0xBF, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0xED, 0xA0, 0xC0, 0xF5)
    return draw.lists(values, 1, 7).map(lambda found: {"values": found})


def hard_broken_bytes():
    found = [[0x80], [0xC3], [0xFF, 97], [0xE2, 0x82], [97, 0xF0, 0x9F, 0x98, 98], [0xF0, 0x9F, 0x98, 0x80, 0x80]]
    # longer than needed, half of a pair, above U+10FFFF, a sequence that another interrupts
    found += [[0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0xC3, 0xA9]]
    found += [[0xC3, 97], [0xFE, 0xFF, 97], [97, 0x82, 0xAC, 0xE2], [0xF0, 0x80, 0x80, 0x41], [0xE9]]
    found += [[256], [97, -1], [300, 97], [0xC3, -87]]
    return [{"values": values} for values in found]


@check(points=1, cases=broken_bytes, examples=hard_broken_bytes, draws=10, compare=Exact())
def broken_bytes_are_replaced(module, values):
    """from_utf8_bytes: what becomes of bytes that are no UTF-8, and of numbers that are no bytes"""
    return _or_error(module.from_utf8_bytes, values)


@check(points=1, examples=lambda: [{}], compare=Exact())
def bytes_have_printable_characters(module):
    """byte_to_char: one character for each byte, a new dict at each call"""
    module.byte_to_char().clear()
    return module.byte_to_char()


# --- normalizing ------------------------------------------------------------------------------


def accented_texts():
    found = ["", "a", "Héllò hów are ü?", "He\u0301llo\u0300", "É", "E\u0301", "İx", "ΣΑΣ ΟΔΟΣ", "Tiếng Việt"]
    found += ["Å \u212b", "A\u0323\u0302b a\u0302\u0323", "\u0301a", "ÀÉÎÕÜ àéîõü", "Ж жЙ ё", "\u0958"]
    found += ["คำ สวัสดี", "❤\ufe0f", "ᾼ ά Ά", "𐐀 Ａ", "Ǖ", "שָׁלוֹם", "مُحَمَّد", "a\u0301" * 1500]
    return _texts(found)


@check(points=2, cases=lambda: _text_of(*WORDS, *MARKED), examples=accented_texts, draws=8, compare=Exact())
def normalizing_drops_accents_and_case(module, text):
    """normalize: accents and capital letters, in composed and in decomposed texts"""
    return _twice(module.normalize, text)


def plain_texts():
    found = ["ﬁ", "½ ² ①", "straße ẞ", "øłđ ØŁĐ", "ʼn ĳ Ǆ ǅ", "Ａｂ１", "™ ℃", "a\u00a0b  c\t\n", "की कः"]
    found += ["1\ufe0f\u20e3", "한국", "\u09cb", "日本 ・ 語", "e\u200bx\xad", "\x00a\x1c\u3000", " Ab "]
    found += ["ð æ œ ŋ", "“X” … ¿", "≠ ≮", "😀👩‍🔬", "ｶﾞ ガ が", "\u2126 \u212a", "\ufeffa", "\u200da\u200d", "𝐀 𝔸"]
    return _texts(found)


@check(points=1, cases=lambda: _text_of(*WORDS, *ODD, *BLANKS), examples=plain_texts, draws=8, compare=Exact())
def normalizing_changes_nothing_else(module, text):
    """normalize: what is neither accent nor capital letter, and what becomes several characters"""
    return module.normalize(text)


def composed_texts():
    found = ["", "a", "é", "Héllò", "É à", "한", "A한é", "\u09cb Ç", "각국 X", "İx ΣΑΣ", "ﬁ½", "😀É", "𝐀é b"]
    found += [" é  ", "ÖÄ\n\u3000Ü", "가나다 abc 라마", "ᄒ\u1161x"]
    return _texts(found)


@check(
    points=2,
    cases=lambda: _text_of("É", "ab", "한국", "\u09cb", "각", "Ü", "X", "日", "😀", "\n"),
    examples=composed_texts,
    draws=8,
    compare=Exact(),
)
def origins_of_each_character(module, text):
    """normalize_with_offsets: composed characters, and some that become several"""
    return _twice(module.normalize_with_offsets, text)


def marked_texts():
    found = ["e\u0301", "\u0301", "\u0301a", "\u0301\u0323", "a\u0323\u0301b", "He\u0301llo\u0300 ho\u0302w"]
    found += ["ab\u0301", "각\u0301a", "a \u0301b", "!\u0301a", "é\u0301", "❤\ufe0f x", "1\ufe0f\u20e3"]
    found += ["\u0301 a", "క\u0c48b", "คำ", "\u0958\u094d", "a\u0301\u0302\u0303\u0304", "e\u0301e\u0300e"]
    found += ["的\u0301😀\ufe0f", "की\u0902", "a\u0301" * 1500]
    return _texts(found)


@check(points=2, cases=lambda: _text_of(*MARKED, "é", "b", "한"), examples=marked_texts, draws=8, compare=Exact())
def origins_have_dropped_marks(module, text):
    """normalize_with_offsets: where marks are dropped"""
    return _twice(module.normalize_with_offsets, text)


# --- BERT -------------------------------------------------------------------------------------


def spaced_texts():
    found = ["", " ", "a", " a", "a ", "a  b", "ab cd\tef\ngh", "\n\n a \t", "a\u00a0b\u2003c\u3000d"]
    found += ["a\x85b\x1cc\u2028d", "the the", "a a a", "é 日本 语", "a\u200bb c\xadd", "a\x00b \ufeffc", "AB ab"]
    found += ["e\u0301 \u0301 x", "aa a aaa", "😀 👩‍🔬", "ab a b", "word " * 600]
    return _texts(found)


@check(points=1, cases=lambda: _text_of(*WORDS[:8], *BLANKS, *ODD), examples=spaced_texts, draws=8, compare=Exact())
def bert_splits_at_whitespace(module, text):
    """split_bert: words and whitespace of all kinds"""
    return _twice(module.split_bert, text)


def punctuated_texts():
    found = ["Hello, how are  you?", "!", "...", "a.b", "don't", "a_b", "$5 + 3 < 10^2", "`x` ~ {y} | [z] \\"]
    found += ["“É”, —x…", "¿qué? ¡sí!", "10€ 20£ 5° 3×4 ±1", "a≠b ≤", "日本、語。", "x=1;y@z#%&*", "a-b‐c"]
    found += ["!!a!!", "({[<>]})", ".a. .", "©® ™ ¬ ´ ¨ ¯", "«a» ‹b›", "·‧・", "😀!", ":/\"'", "§ ¶ †"]
    found += ["!\u0301 ?\ufe0f", "٪ ، ؟", "a.\n.b", "a\x7fb", "「a」b（c）", "a‿b﹏", "༺x༻ ៚"]
    return _texts(found)


@check(points=2, cases=lambda: _text_of(*WORDS, *SIGNS), examples=punctuated_texts, draws=8, compare=Exact())
def bert_isolates_punctuation(module, text):
    """split_bert: punctuation and what only looks like it"""
    return _twice(module.split_bert, text)


def original_texts():
    found = ["", "\u0301", "É", "Héllò hôw", "He\u0301llo\u0300, ho\u0302w", "\u0301a b", "a \u0301b"]
    found += ["ab\u0301 c", "한국 x", "x 각\u0301, y", "a≠b c≮d", "!\u0301?\u0301 a", "“É”\u0301 ÇA"]
    found += ["the the thé THE\u0301", "a a\u0301 a", "İİ x", "日本 é、語", "😀\ufe0f é 👩‍🔬 x"]
    found += ["1\ufe0f\u20e3 a", "\u09cb\u0301 x", "ΟΔΟΣ, ΣΣ", "\u3000é\u00a0x", "\u0958 की x", "$é + ü"]
    found += ["Tiếng Việt: ất", "\u037e\u0387 a", "He\u0301llo\u0300, " * 400]
    return _texts(found)


@check(
    points=3,
    cases=lambda: _text_of(*MARKED, *WORDS, *SIGNS[:16], *BLANKS[:6]),
    examples=original_texts,
    draws=16,
    compare=Exact(),
)
def bert_pieces_point_into_the_original(module, text):
    """bert_pieces: normalized pieces, places in the text as it was"""
    return _twice(module.bert_pieces, text)


# --- GPT-2 ------------------------------------------------------------------------------------


def texts():
    return draw.build(_text, text=draw.text())


def _text(text):
    return {"text": text}


def gpt2_texts():
    found = ["", "a", " ", "  a", "a  b", "a \n b", "Hello, how are  you?", "x\t\ty  ", "\n\na", "a_b __ c"]
    found += ["   ", " \t ", "don't We've I'LL y'all's", "it''s 's", "’s", "naïve 日本 語", "a😀b 👩‍🔬"]
    found += ["!\u00a0a", "a\u2003b", "\r\n!", "ab12cd 3.14", "...!? ...", "e\u0301a", "end  ", "\xa0\xa0a"]
    found += ["\x85\x85", "\ufeffa\x00b", "'re've'm'll'd'ts", "é  é", "'x 'S", "a\xadb", "ÿĀ", "\x1c\x1ca"]
    found += ["a' '", "\ue000a 1\x7f", "\u2028\u2028x", "  !  1  é", "a b " * 700]
    return _texts(found)


@check(points=3, cases=texts, examples=gpt2_texts, draws=16, compare=Exact())
def gpt2_pieces_have_their_places(module, text):
    """split_gpt2: the pieces of a text and their places"""
    return _twice(module.split_gpt2, text)


def classified_texts():
    # each beside a letter, a number and what is neither
    odd = "²½Ⅷ٣一〇ªʰ①ǅⒶ𝟏९ー゛㊀𐐀𒐀\u0301\u0940_ⅻ"
    found = ["x²", "½ 1½", "Ⅷa", "一二三", "की 1", "12345 2024", "_1_", "é² ½é", "1\ufe0f\u20e3", "¼¾x ³"]
    return _texts([*found, *(f"a{char}1{char}! {char}" for char in odd)])


@check(
    points=1,
    cases=lambda: _text_of("²", "½", "Ⅷ", "٣", "一", "〇", "ª", "ʰ", "a", "1", "é", "_", "की", "①", "!"),
    examples=classified_texts,
    draws=8,
    compare=Exact(),
)
def gpt2_knows_letters_and_numbers(module, text):
    """split_gpt2: letters, numbers and the rest, beyond the usual ones"""
    return module.split_gpt2(text)


# --- SentencePiece ----------------------------------------------------------------------------

PLAIN = ("a", "Hello", "é", "  ", "\t", "\n", "\u00a0", "_", "日本", "😀", ",", "e\u0301", "ﬁ")


def spaces():
    found = ["", "a", " ", "a b", " a", "  a", "a  b ", "   ", "a\tb\nc", "a\u00a0b\u3000c", "_a _", "é 日本"]
    found += ["Hello, you", "▁", "a▁b", " ▁", "\u2582 \u2580", "😀 a b", "e\u0301 e\u0301 a", "ﬁ Ａ½"]
    found += ["\u200ba \ufeff"]
    return _texts(found)


@check(points=1, cases=lambda: _text_of(*PLAIN, "▁"), examples=spaces, draws=8, compare=Exact())
def spaces_are_escaped(module, text):
    """escape_spaces: spaces at every place, and texts that cannot be escaped"""
    return _or_error(module.escape_spaces, text)


def escaped_texts():
    found = ["", "▁", "▁▁", "▁a", "a", "a▁", "a▁b", "▁a▁b", "▁▁a", "▁▁▁a▁▁", "▁▁▁", "a b", " ▁a", " ", "▁ a"]
    found += ["▁a\t▁b\n", "▁_▁é", "▁日本▁\u00a0▁", "\n▁a"]
    return [{"escaped": text} for text in found]


@check(
    points=1,
    cases=lambda: draw.word("▁▁ aé\n_", 0, 8).map(lambda text: {"escaped": text}),
    examples=escaped_texts,
    draws=8,
    compare=Exact(),
)
def spaces_come_back(module, escaped):
    """unescape_spaces: escaped texts, and texts that nobody escaped"""
    return module.unescape_spaces(escaped)


@check(
    points=2,
    cases=lambda: _text_of(*PLAIN, "b ", " b"),
    examples=lambda: _texts(
        [*(case["text"] for case in spaces()), "the  the", "a a a", "Hello,  world ", "ab cd" * 600]
    ),
    draws=8,
    compare=Exact(),
)
def sentencepiece_pieces_have_their_places(module, text):
    """split_sentencepiece: the pieces of a text and their places"""
    return _or_error(lambda given: _twice(module.split_sentencepiece, given), text)
