"""What is asked of bpe.py: the cases, what is run on them, and how the answers are compared."""

from pathlib import Path

from grader import cost, draw
from grader.check import check
from grader.compare import Close, Exact, Growth
from grader.merges import Merges

SENTENCES = [
    "This is the Hugging Face Course.",
    "This chapter is about tokenization.",
    "This section shows several tokenizer algorithms.",
    "Hopefully, you will be able to understand how they are trained and generate tokens.",
]
END = "<|endoftext|>"
# one special token is the beginning, the end or the double of another, two overlap, one is no ASCII
SPECIALS = ["<|e|>", "<|e|><|e|>", "<|end|>", "|>", "<|", "‹é›", "Ġ!"]


def _pairs(text):
    return [tuple(pair.split()) for pair in text.split(",")]


# Merges as they are learned, each list from one corpus: right programs that differ on lists that no
# training gives, such as (ab, c) before (a, b), agree on these. The start of such a list is learned too.
LEARNED = [
    _pairs("a a, aa aa, Ġ b, Ġ aaaa, aa a, Ġaaaa a, Ġ aa, Ġaaaa aaa, Ġb aa, Ġbaa b, Ġb a, Ġba b, Ġb aaa"),
    _pairs("b a, b ba, Ġ a, Ġ bba, Ġa bba, ba ba, b b, Ġbba a, Ġ baba, a b, Ġ b, Ġbbaa ba, Ġa baba, Ġababa a, Ġ ba"),
    _pairs("b c, Ġ c, Ġ bc, a c, Ġ b, a a, Ġbc c, Ġ ac, Ġc b, a b, Ġc bc, c c, Ġc c, Ġcc ac, Ġc aa, Ġbcc b, Ġac a"),
    _pairs(
        "u g, h ug, Ġ p, u n, Ġ hug, Ġp un, Ġp ug, Ġhug s, Ġ b, Ġb un, Ġ t, Ġt hug, Ġthug s, Ġt h, Ġth e, Ġ m, Ġm ug"
    ),
    _pairs("æ Ĺ, æĹ ¥, Ã ©, æĹ¥ æ, ľ ¬, ð Ł, ðŁ ĺ, ðŁĺ Ģ, æĹ¥æ ľ¬, Ġ Ã©, Ġ n, Ġn a, Ġna Ã, ĠnaÃ ¯, Ġ ðŁĺĢ, Ġ Ð, ĠÐ ¶"),
    _pairs("Ġ t, i s, e r, Ġ a, Ġt o, e n, T h, Th is, o u, s e, Ġto k, Ġtok en, n d, Ġ is, Ġt h, Ġth e, i n, Ġa b"),
]
MERGES = LEARNED[3]


# --- texts ------------------------------------------------------------------------------------


def texts():
    return draw.build(_text, text=draw.text())


def _text(text):
    return {"text": text}


def hard_texts():
    found = ["", "a", " ", "  a", "a  b", "a \n b", "Hello, how are  you?", "x\t\ty  ", "\n\na", "a_b __ c", "_"]
    found += [
        "don't We've I'LL 'tis y'all's",
        "'s",
        " 's",
        "it''s",
        "’s",
        "héllo naïve",
        "日本 語",
        "a😀b 👩‍🔬",
        "\u00a0x",
    ]
    found += ["!\u00a0", "a\u2003b", "2019 12345", "ab12cd"]
    found += ["3.14 x2 2x 100%", "e\u0301a", "...!? ...", "a\xadb", "end  ", " !a", "word\n", "1 2  3"]
    found += ["I'm we're he'd she'll it's don't I've", "'m", "'re 'll 'd", "\n!", " \n!?", "\r\na", "\ufeffa", "a𐐀 𝐀b"]
    found += ["\xa0\xa0", "\x85\x85", "\u2028\u2028", "\x85\x85a", "\u2028\u2028x", "\x1c\x1ca", "a\x00b"]
    return [{"text": text} for text in found]


@check(points=1, examples=lambda: [{}], compare=Exact())
def byte_symbols_are_256(module):
    """byte_symbols: one character for each byte, printable ones kept"""
    return module.byte_symbols()


@check(points=3, cases=texts, examples=hard_texts, draws=20, compare=Exact())
def pieces_have_their_places(module, text):
    """pre_tokenize: the pieces of a text and their places"""
    return module.pre_tokenize(text)


# --- special tokens and words -----------------------------------------------------------------


def special_texts():
    return draw.build(_special, parts=draw.lists(draw.choice("a", "<|e|>", "<|", "|>", "e", " b", "<|end|>"), 0, 7))


def _special(parts):
    return {"text": "".join(parts), "specials": SPECIALS}


def hard_specials():
    found = ["", "a", "<|e|><|e|>", "<|e|><|e|><|e|>", "a<|e|>b", "<|end|>", "<|en|>", "<|e|> <|e|>"]
    cases = [{"text": text, "specials": SPECIALS} for text in found]
    cases += [{"text": "a.b", "specials": ["."]}, {"text": "a+b++c", "specials": ["+", "++"]}]
    cases += [{"text": "abcd", "specials": ["ab", "bcd"]}, {"text": "<|E|> <|END|>", "specials": SPECIALS}]
    cases += [{"text": text, "specials": [" x", "y "]} for text in (" x", "x y  x", "  x x")]
    return [*cases, {"text": "", "specials": []}, {"text": "no specials <|e|>", "specials": []}]


@check(points=1, cases=special_texts, examples=hard_specials, compare=Exact())
def specials_are_cut_out_longest_first(module, text, specials):
    """split_specials: special tokens are cut out, the longest first"""
    return module.split_specials(text, specials)


def corpora():
    return draw.build(_corpus, corpus=draw.corpus(), tail=draw.choice("", END, " a" + END + "b"))


def _corpus(corpus, tail):
    return {"corpus": [text + tail for text in corpus], "specials": [END]}


def hard_corpora():
    return [
        {"corpus": [], "specials": [END]},
        {"corpus": [""], "specials": [END]},
        {"corpus": ["a", "b a", "a"], "specials": []},
        {"corpus": ["ab", "cd"], "specials": []},
        {"corpus": [f"b a{END}a b{END}"], "specials": [END]},
        {"corpus": ["x<|e|><|e|>y"], "specials": SPECIALS},
        {"corpus": ["a<s>b<e>c", "<e>a<s><e>", "a"], "specials": ["<s>", "<e>"]},
        {"corpus": [f"{letter} {letter}x" for letter in "abcdefgh"], "specials": []},
        {"corpus": ["naïve é", "日本 日本"], "specials": []},
        {"corpus": SENTENCES, "specials": [END]},
    ]


@check(points=1, cases=corpora, examples=hard_corpora, compare=Exact(ordered=True))
def words_are_counted_in_order(module, corpus, specials):
    """word_frequencies: words counted, special tokens left out, in order of first occurrence"""
    return module.word_frequencies(corpus, specials)


# --- pairs and merges -------------------------------------------------------------------------


def splits():
    words = draw.lists(draw.word("ab", 1, 6), 0, 5)
    return draw.build(
        _splits, words=words, counts=draw.lists(draw.integers(1, 50), 5, 5), joined=draw.choice(False, True)
    )


def _splits(words, counts, joined):
    words = list(dict.fromkeys(words))
    cut = {word: ["ab" if part == "\0" else part for part in word.replace("ab", "\0")] for word in words}
    return {
        "splits": cut if joined else {word: list(word) for word in words},
        # in another order than the splits: whose order counts must show
        "word_freqs": dict(sorted(zip(words, counts, strict=False), reverse=True)),
    }


def hard_splits():
    return [
        _splits([], [], False),
        _splits(["a"], [3], False),
        _splits(["aaa"], [1], False),
        _splits(["ab", "ba"], [7, 1], False),
        _splits(["abab", "aab", "b"], [1, 10, 100], True),
        _splits(["banana", "aaaa"], [2, 5], False),
    ]


@check(points=2, cases=splits, examples=hard_splits, compare=Exact(ordered=True))
def pairs_are_weighed_by_frequency(module, splits, word_freqs):
    """pair_frequencies: pairs weighed by the frequency of their word, overlaps included"""
    return module.pair_frequencies(splits, word_freqs)


def merges_to_make():
    pair = draw.choice(("a", "a"), ("a", "b"), ("b", "a"), ("ab", "a"), ("ab", "ab"), ("c", "a"))
    return draw.build(_merge, pair=pair, words=draw.lists(draw.word("ab", 1, 7), 0, 4), joined=draw.choice(False, True))


def _merge(pair, words, joined):
    return {"a": pair[0], "b": pair[1], "splits": _splits(words, [], joined)["splits"]}


def hard_merges():
    cases = [
        (("a", "a"), ["aaa"]),
        (("a", "a"), ["aaaa", "baab"]),
        (("a", "b"), ["abab", "b", "ba"]),
        (("a", "a"), ["a"]),
    ]
    # ('a', 'ba') and ('ab', 'a') spell the same text; only one of them is there
    odd = {"a": "a", "b": "ba", "splits": {"aba": ["ab", "a"], "abaa": ["a", "ba", "a"]}}
    return [odd, *(_merge(pair, words, False) for pair, words in cases)]


@check(points=2, cases=merges_to_make, examples=hard_merges, compare=Exact(ordered=True))
def merge_replaces_every_pair(module, a, b, splits):
    """merge_pair: every pair, left to right, nothing used twice, the input untouched"""
    return module.merge_pair(a, b, splits)


# --- training ---------------------------------------------------------------------------------


def trainings():
    tail = draw.choice("", END, "a" + END)
    size = draw.choice(0, 5, 8, 12, 60)
    return draw.build(_training, corpus=draw.corpus(), tail=tail, vocab_size=size)


def _training(corpus, vocab_size, tail="", specials=(END,)):
    return {"corpus": [text + tail for text in corpus], "vocab_size": vocab_size, "specials": list(specials)}


def hard_trainings():
    many = f"{END}ab{END} ab{END}"
    return [
        _training([], 10),
        _training([""], 10),
        _training(["a"], 10),
        _training(["a b a b", "a b"], 20),
        _training(["ab cd cd"], 7),
        _training(["ab ab ba"], 5),
        _training(["ab ab ba"], 4),
        _training(["ab ab ba"], 3),
        _training(["aaa aaa", "aaaa"], 9),
        _training(["abab abab b"], 30),
        _training(["bc abc bc xbc"], 30, specials=()),
        _training(["ab cd ab cd ef"], 300),
        _training(["hug " * 10 + "pug " * 5 + "pun " * 12 + "bun " * 4 + "hugs " * 5], 18),
        _training([many, "a b"], 9, specials=[END, "<|pad|>"]),
        _training(["é é ü", "日本 日本"], 20),
        _training(["aa<e>aa<s>aa", "<e>ab"], 9, specials=["<s>", "<e>"]),
        _training([f"{letter}x {letter}y" for letter in "abcdefg"], 40),
        _training(SENTENCES, 150),
        _training(["qq " * 3 + "z" + "xy" * 9], 12),
        _training(["ab", "cab", "abc"] * 2, 12),
        _training(["cd", "ba", "ba", "ba"], 6),
        _training(SENTENCES, 50),
    ]


def _train(module, corpus, vocab_size, specials):
    return module.train(corpus, vocab_size, tuple(specials))


def words_of(module, corpus, vocab_size, specials):
    return module.word_frequencies(corpus, specials)


@check(points=4, cases=trainings, examples=hard_trainings, draws=20, compare=Merges(ties="any"), witness=words_of)
def training_merges_most_frequent_pairs(module, corpus, vocab_size, specials):
    """train: every merge takes a most frequent pair, and the vocabulary is right"""
    return _train(module, corpus, vocab_size, specials)


@check(points=1, cases=trainings, examples=hard_trainings, draws=20, compare=Merges(ties="first"), witness=words_of)
def training_ties_go_to_the_first_pair(module, corpus, vocab_size, specials):
    """train: of equally frequent pairs the one met first is merged"""
    return _train(module, corpus, vocab_size, specials)


def _cost_of_merging(module, corpus, merges):
    """Return the steps that `merges` merges take beyond reading the corpus."""
    reading = cost.operations(module.train, corpus, 0, ())
    return cost.operations(module.train, corpus, 1000 if merges is None else merges, ()) - reading


def corpora_by_size():
    # the same words, 8 times as often: what merging looks at is the same
    return [{"sentences": SENTENCES, "times": 8, "vocab_size": 60}]


@check(
    points=1,
    examples=corpora_by_size,
    compare=Growth(
        2.0, "the words are the same, only more frequent: a merge needs the words and their counts, not the text"
    ),
)
def merging_does_not_reread_the_corpus(module, sentences, times, vocab_size):
    """train: the corpus is not gone through again for each merge"""
    once, often = list(sentences), list(sentences) * times
    return {
        "small": _cost_of_merging(module, once, vocab_size),
        "large": _cost_of_merging(module, often, vocab_size),
    }


# --- tokenizing, encoding, decoding -----------------------------------------------------------


def tokenizings():
    letters = draw.choice("ab ", "abc ", "a ", "abc d")
    parts = draw.choice("hug", " hugs", " thug", "the", " pun", "é", " 日本", "😀", "!", "  ", " is", " token")
    return draw.build(
        _tokenizing,
        number=draw.integers(0, len(LEARNED) - 1),
        length=draw.integers(0, 17),
        words=letters.flatmap(lambda alphabet: draw.word(alphabet, 0, 14)),
        parts=draw.lists(parts, 0, 4),
    )


def _tokenizing(number, length, words, parts):
    return {"text": words + "".join(parts), "merges": LEARNED[number][:length]}


def hard_tokenizings():
    texts = [
        ["", "a", "aa", "aaa", "aaaaa aaaaaaa", "baab baaab"],
        ["bba", "abba bbaa", "babab abab", "bbabba", "b bb a aa"],
        ["abc", "bcc bc", "acac cc", "aabbcc", "cbc cbcb"],
        ["hug", "thug thugs", "pun pug hugs", "the mug", "ug", "h u g"],
        ["日本語 日曜", "é éé naïve", "😀 😀😀", "жук"],
        ["This is not a token.", "Tokenization is the end", "tokens aboard"],
    ]
    cases = [{"text": text, "merges": LEARNED[number]} for number, group in enumerate(texts) for text in group]
    # both orders of two pairs that overlap, each order as a corpus of its own would give it
    for merges in ([("h", "u"), ("u", "g")], [("u", "g"), ("h", "u")], [("a", "b"), ("ab", "ab"), ("b", "c")]):
        cases += [{"text": text, "merges": merges} for text in ("hug", "abab", "abc", "a b")]
    # the piece ends inside what could be merged
    cases += [{"text": text, "merges": [("s", "t")]} for text in ("'st", "it'st stay")]
    cases += [{"text": "a" * 2500, "merges": LEARNED[0]}, {"text": "\ufeffa", "merges": []}]
    return [*cases, {"text": "abab", "merges": []}]


@check(points=3, cases=tokenizings, examples=hard_tokenizings, draws=20, compare=Exact())
def tokenizing_takes_the_earliest_merge_first(module, text, merges):
    """tokenize: the merge that was learned earliest comes first"""
    return module.tokenize(text, merges)


def vocabulary(order, merges=MERGES, specials=SPECIALS):
    """Return a vocabulary with all byte symbols, in one of several orders: ids are given, not chosen."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(byte) for byte in kept] + [chr(256 + n) for n in range(256 - len(kept))]
    merged = [a + b for a, b in merges]
    if order == "symbols first":
        return [*symbols, *specials, *merged]
    entries = [*specials, *symbols, *merged]
    return entries[::-1] if order == "reversed" else entries


def encodings():
    parts = draw.choice("the", " thug", "<|e|>", "<|e|><|e|>", "<|", "|>", "‹é›", "Ġ!", " !", "é", "😀", "\n", "hug")
    order = draw.choice("as listed", "reversed", "symbols first")
    return draw.build(_encoding, parts=draw.lists(parts, 0, 5), more=draw.text(), order=order)


def _encoding(parts, more="", order="as listed"):
    return {"text": "".join(parts) + more, "merges": MERGES, "vocab": vocabulary(order), "specials": SPECIALS}


def hard_encodings():
    texts = [
        "",
        "a",
        "the thug",
        "hugs hug",
        "‹é› é",
        "<|e|><|e|><|e|>",
        "the<|end|>the",
        "😀",
        "日本語",
        "\x00\x7f\xad",
        "naïve café",
        "\t\n  x",
        "the <|e|> the",
        "<|<|e|>|>",
        "<|end|><|e|><|e|>|>",
        "Ġ! !",
    ]
    return [_encoding([text], "", order) for text in texts for order in ("as listed", "reversed")]


@check(points=2, cases=encodings, examples=hard_encodings, compare=Exact())
def encoding_gives_ids_to_any_text(module, text, merges, vocab, specials):
    """encode: the ids of any text, special tokens included"""
    return module.encode(text, merges, vocab, specials)


def decodings():
    size = len(vocabulary("as listed"))
    order = draw.choice("as listed", "reversed")
    return draw.build(_decoding, ids=draw.lists(draw.integers(0, size - 1), 0, 12), order=order)


def _decoding(ids, order="as listed"):
    return {"ids": ids, "vocab": vocabulary(order), "specials": SPECIALS}


def _ids_of(*symbols):
    return [vocabulary("as listed").index(symbol) for symbol in symbols]


def hard_decodings():
    emoji = ["ð", "Ł", "ĺ", "Ģ"]  # the four bytes of U+1F600
    lists = [[], ["a"], emoji, emoji[:1], emoji[:2], emoji[1:], ["a", emoji[0], "b"], [*emoji[:2], "<|e|>", *emoji[2:]]]
    lists += [
        ["ÿ"],
        ["Ģ", "Ģ"],
        ["Ã", "©"],
        ["Ġthe", "Ġ", "hug"],
        ["‹é›", "Ã", "©"],
        ["Ã", "‹é›", "©"],
        ["<|e|>", "a", "<|end|>"],
        ["Ċ", "ĉ", "Ġ"],
        ["Ġ!", "Ġ", "!"],
        ["č", "Ċ", "a"],
        ["ï", "»", "¿", "a"],
        ["<|", "|>"],
    ]
    lists += [["a", "Ā"], ["Ā", "Ġ", "Ċ"], ["Ġ", "a", "Ġ"]]
    return [_decoding(_ids_of(*symbols)) for symbols in lists]


@check(points=2, cases=decodings, examples=hard_decodings, draws=20, compare=Exact())
def decoding_gives_every_text_back(module, ids, vocab, specials):
    """decode: every text comes back, and bytes that are no UTF-8 become U+FFFD"""
    return module.decode(ids, vocab, specials)


def texts_by_size():
    # words of three letters, all different, with many merges in each
    words = ["".join("abc"[n // 3**place % 3] for place in range(7)) for n in range(3, 2003, 8)]
    merges = LEARNED[2]
    return [
        {"words": words, "parts": 4, "merges": merges, "vocab": vocabulary("as listed", merges, []), "specials": []}
    ]


@check(
    points=1,
    examples=texts_by_size,
    compare=Growth(6.0, "four times the words should take about four times the work: merge inside one word at a time"),
)
def encoding_is_linear_in_words(module, words, parts, merges, vocab, specials):
    """encode: four times the words take about four times the work"""
    short, long = " ".join(words[: len(words) // parts]), " ".join(words)
    nothing = cost.operations(module.encode, "", merges, vocab, specials)
    return {
        "small": cost.operations(module.encode, short, merges, vocab, specials) - nothing,
        "large": cost.operations(module.encode, long, merges, vocab, specials) - nothing,
    }


# --- byte fallback ----------------------------------------------------------------------------

# learned as in training, from words of characters; the alphabet of each holds what its merges need
IN_CHARACTERS = [
    _pairs("t h, u g, th e, ▁ h, ▁h ug, ▁ the, i ñ, ▁ th, ▁th ug, ▁hug s, ▁ m, ▁m ug, ▁ o, ▁o f"),
    _pairs("▁ 日, ▁日 本, ▁日 曜, ï v, ïv e, 日 本, 日本 語, ▁日本 語, 本 日, n a, na ïve, ▁ ï"),
    _pairs("a a, ▁ aa, ▁ b, aa b, b a, ▁b aa, ▁aa b"),
]
# beside what the merges need; "q" and "é" are never known, a line feed and an emoji sometimes
KNOWN = ["esx0<>E2T.", "ebc!😀", "c'\n\u0301"]
FALLBACK_SPECIALS = ["<|e|>", "<|e|><|e|>", "<|", "‹é▁›", "<0x41>", "a b"]


def alphabet_of(number, length, space=True):
    """Return the alphabet for the first merges of a list, as a vocabulary would have it: in no order of use."""
    merges = IN_CHARACTERS[number][:length]
    needed = {char for pair in merges for symbol in pair for char in symbol} | set(KNOWN[number])
    return sorted(needed | {"▁"} if space else needed, reverse=True)


def fallbacks():
    parts = draw.choice(
        "the", " thug", " hugs", "日本語", " 日曜", "naïve", "aab", " ba", "é", " é", "q", "▁", "  ", "\n"
    )
    return draw.build(
        _fallback,
        parts=draw.lists(parts, 0, 5),
        special=draw.choice("", *FALLBACK_SPECIALS),
        more=draw.text(),
        number=draw.integers(0, len(IN_CHARACTERS) - 1),
        length=draw.integers(0, 14),
    )


def _fallback(parts, number, length=14, special="", more=""):
    return {
        "text": "".join(parts) + special + more,
        "merges": IN_CHARACTERS[number][:length],
        "alphabet": alphabet_of(number, length),
        "specials": FALLBACK_SPECIALS,
    }


def hard_fallbacks():
    texts = [
        [
            "",
            "the",
            "q",
            "é",
            "😀",
            "the hug",
            "thqe",
            "niñé ñ",
            "\n",
            "\t",
            "a▁b",
            "▁the",
            " the",
            "The <0xE2>",
            "'the hug'thug",
            " <|e|> ",
        ],
        [
            "日本語 日曜",
            "naïve",
            "本日 é日本",
            "na\u0308ive",
            "ñ\x00",
            "‹é▁›日",
            "<|<|e|><|e|>",
            "日 本 日本",
            "\xa0日",
            "😀é 😀",
        ],
        [
            "aab aa",
            "aaaa baab",
            " baab baabaa",
            "aa b<0x41>",
            "a b aa b",
            "👩‍🔬 aa",
            "\ufeffaa",
            "it's aa",
            "aa\naa\n\n b\t",
            "éa\u0301",
        ],
    ]
    cases = [_fallback([text], number) for number, group in enumerate(texts) for text in group]
    # no merges, no alphabet, nothing to write a space with
    cases += [{"text": text, "merges": [], "alphabet": [], "specials": []} for text in ("a", " a", "é ▁", "\n")]
    # a merge over the border of two pieces is never made
    cases += [{"text": text, "merges": [("x", "2")], "alphabet": ["x", "2"], "specials": []} for text in ("x2", "2x2")]
    cases += [
        {"text": text, "merges": [], "alphabet": ["▁", "a"], "specials": ["b", "bb", "a a"]}
        for text in ("bb", "a b", "ba a")
    ]
    known = {"merges": [("a", "a")], "alphabet": ["a", "Z"], "specials": []}
    return [*cases, *({"text": text, **known} for text in ("aa aa", "a▁aa", "Zz"))]


@check(points=1, cases=fallbacks, examples=hard_fallbacks, draws=16, compare=Exact())
def unknown_characters_become_bytes(module, text, merges, alphabet, specials):
    """fallback_tokenize: known characters and their merges, the bytes of all others"""
    return module.fallback_tokenize(text, merges, alphabet, specials)


def token_lists():
    half = draw.choice(
        "<0xE6>", "<0x97>", "<0xA5>", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "<0xC3>", "<0xA9>", "<0x0A>"
    )
    other = draw.choice("the", "▁hug", "▁", "é", "<0x41>", "‹é▁›", "<|e|>", "a b", "<", "0x", "日本")
    tokens = draw.lists(draw.choice(True, False, False).flatmap(lambda plain: other if plain else half), 0, 9)
    return draw.build(_token_list, tokens=tokens)


def _token_list(tokens):
    return {"tokens": tokens, "specials": FALLBACK_SPECIALS}


def hard_token_lists():
    emoji = ["<0xF0>", "<0x9F>", "<0x98>", "<0x80>"]
    lists = [[], ["the"], ["▁the", "▁hug"], ["▁"], ["▁▁a▁"], emoji, emoji[:1], emoji[:3], emoji[1:], emoji + emoji]
    lists += [
        [*emoji[:2], "a", *emoji[2:]],
        [*emoji[:2], "<|e|>", *emoji[2:]],
        ["<|e|>", *emoji, "<|"],
        ["<0xC3>", "é"],
    ]
    lists += [
        ["<0x0A>", "a"],
        ["<0x41>", "<0x42>"],
        ["<", "0", "x", "E", "2", ">"],
        ["<0x", "C3>"],
        ["<0xc3>", "<0xA9>"],
    ]
    lists += [
        ["‹é▁›", "▁"],
        ["<0xE2>", "<0x96>", "<0x81>"],
        ["<0xFF>", "<0x00>"],
        ["<0x20>", "a"],
        ["<0xEF>", "<0xBB>"],
    ]
    lists += [["<0xEF>", "<0xBB>", "<0xBF>", "a"], ["a b", "a", "▁b"], ["x<0x42>"], ["<0x0D>", "<0x0A>"], ["<0x042>"]]
    lists += [["▁", *emoji[:3], "▁", emoji[3]], ["<0xE6>", "<0x97>", "日"], ["<0xED>", "<0xA0>", "<0x80>"]]
    lists += [["<0xC3>", "<0xA9>", "<0xE6>", "<0x97>", "<0xA5>", "<0x0A>", *emoji, "<0xC3>"]]
    return [_token_list(tokens) for tokens in lists]


@check(points=1, cases=token_lists, examples=hard_token_lists, draws=16, compare=Exact())
def bytes_become_characters_again(module, tokens, specials):
    """fallback_decode: characters, spaces and special tokens; bytes are joined, broken ones become U+FFFD"""
    return module.fallback_decode(tokens, specials)


# --- merges as text ---------------------------------------------------------------------------

# a line break, a space and an end of line for functions that do not look closely
ODD_SYMBOLS = [
    "#",
    "##",
    "#version:",
    "0.2",
    "a",
    "b",
    "Ġ",
    "ab",
    '"',
    "'",
    "\\n",
    "\u00a0",
    "\u2028",
    "\x85",
    "\x0c",
    "\t",
    "日",
    ",",
]


def merge_lists():
    symbol = draw.choice(*ODD_SYMBOLS)
    return draw.build(_merge_list, lefts=draw.lists(symbol, 0, 6), rights=draw.lists(symbol, 6, 6))


def _merge_list(lefts, rights):
    return {"merges": list(zip(lefts, rights, strict=False))}


def hard_merge_lists():
    lists = [[], [("a", "b")], [("b", "a"), ("a", "b"), ("b", "a")], [("#", "#"), ("a", "#")], [("#version:", "0.2")]]
    lists += [[("\u00a0", "\u2028"), ("\x85", "a")], [("\t", "\x0c")], LEARNED[4], LEARNED[0]]
    # what could not be read again
    lists += [
        [("a", "b"), pair] for pair in ((" a", "b"), ("a", "b c"), ("a", ""), ("", "b"), ("a\n", "b"), ("a", "\r"))
    ]
    return [{"merges": merges} for merges in lists]


@check(points=1, cases=merge_lists, examples=hard_merge_lists, compare=Exact())
def merges_are_written_as_lines(module, merges):
    """merges_to_text: a header and a line for each merge; ValueError for what could not be read again"""
    try:
        return module.merges_to_text(merges)
    except ValueError:
        return ValueError.__name__


def merge_texts():
    line = draw.choice("a b", "# #", "#version: 0.2", "Ġ t", "\u00a0 \u2028", "\x85 \t", "", "a b", "ab c", "日 本")
    wrong = draw.choice("", "", "", "a", "a  b", "a b c", "a\tb")
    header = draw.choice("#version: 0.2", "", "#version: 0.2 - trained on code")
    return draw.build(
        _merge_text, header=header, lines=draw.lists(line, 0, 6), wrong=wrong, end=draw.choice("\n", "\r\n")
    )


def _merge_text(header, lines, wrong, end):
    return {"text": end.join([header, *lines, wrong])}


def hard_merge_texts():
    head = "#version: 0.2\n"
    texts = [
        "",
        head,
        "a b",
        "a b\n",
        head + "a b\nab c\n",
        head + "a b",
        "#version: 0.2",
        "#version\na b\n",
        "# version\n",
    ]
    texts += [
        head + "# #\n## a\n#a b\n",
        "# #\na b\n",
        head + "#version: 0.2\na b\n",
        "a #version\n",
        "a b\n#version: 0.2\n",
        "\n" + head,
    ]
    texts += [head + "\na b\n\n\nc d\n\n", head.replace("\n", "\r\n") + "a b\r\n\r\nc d\r\n", head + "a b\r\nc d\n"]
    texts += [
        head + "\u00a0 a\n\u2028 \x85\n\t \x0c\n\x1c \u3000\n",
        head + "b a\na b\nb a\n",
        '"a" \\n\n',
        "\ufeff a\n",
    ]
    wrong = ["a", " ", " a b", "a b ", "a  b", "a b c", "a\tb", "a\u00a0b", "#version: 0.2 x", "a ", " b"]
    texts += [f"{head}a b\n{line}\nc d\n" for line in wrong]
    return [{"text": text} for text in [*texts, "a\n", "a b\n\n\nb\na\n", head + "\r\nx y z"]]


@check(points=1, cases=merge_texts, examples=hard_merge_texts, draws=16, compare=Exact())
def merges_are_read_from_lines(module, text):
    """merges_from_text: the merges of a file in their order; ValueError names the first line that is none"""
    try:
        return module.merges_from_text(text)
    except ValueError as error:
        return ["ValueError", str(error).partition(":")[0]]


# --- compression ------------------------------------------------------------------------------


def measurements():
    words = draw.lists(draw.choice("hug", " hugs", " thug", "é", " 日本", "😀", "\n", "  ", "the", "<|e|>"), 0, 5).map(
        "".join
    )
    return draw.build(
        _measurement,
        texts=draw.lists(words, 0, 4),
        number=draw.integers(0, len(LEARNED) - 1),
        length=draw.integers(0, 17),
    )


def _measurement(texts, number=3, length=17):
    return {"texts": texts, "merges": LEARNED[number][:length]}


def hard_measurements():
    found = [
        [],
        [""],
        ["", ""],
        ["a"],
        ["hug"],
        ["hug", "hug"],
        ["hug", "hug", "é q"],
        ["thug"],
        ["thug", "", "the mug hugs h"],
        ["é"],
        ["日本", "a"],
    ]
    found += [
        ["h", "ug"],
        ["h", " hug"],
        [" ", "t"],
        ["hug " * 9, "x"],
        ["a <|endoftext|> b", END],
        ["\r\n\t"],
        ["  hug  "],
    ]
    cases = [_measurement(texts) for texts in found]
    cases += [_measurement(["thug"], 3, length) for length in (1, 2)]  # other merges for a text met before
    return [*cases, _measurement(["日本語 😀", "naïve"], 4), _measurement(SENTENCES, 5), _measurement(["h u g"], 3, 0)]


@check(points=1, cases=measurements, examples=hard_measurements, compare=Close(rtol=1e-12))
def compression_is_bytes_per_token(module, texts, merges):
    """bytes_per_token: the bytes of all texts divided by the number of all tokens"""
    return module.bytes_per_token(texts, merges)


HELD_OUT = "matrix.py.txt"


def code_corpus():
    """Return the texts of the folder corpus: those to train on, and the one that is kept for measurement."""
    files = sorted((Path(__file__).parent / "corpus").glob("*.py.txt"))
    texts = {path.name: path.read_bytes().decode("utf-8").replace("\r\n", "\n") for path in files}
    held_out = texts.pop(HELD_OUT)
    return list(texts.values()), held_out


def code_trainings():
    texts, held_out = code_corpus()
    first = [text.partition("\n\n\n")[0] for text in texts[:2]]
    small = ["x = x + 1\n", f"x += 1{END}x"]
    return [
        {"texts": small, "vocab_size": 14, "measured": [small, ["x = y + 10"]]},
        {"texts": first, "vocab_size": 60, "measured": [first, [texts[3][:200]]]},
        # not all that was trained on: a tokenizer that takes more than linear time shall fail elsewhere
        {"texts": texts, "vocab_size": 160, "measured": [texts[:1], [held_out]]},
    ]


@check(points=1, examples=code_trainings, compare=Close(rtol=1e-12))
def training_on_code_compresses_code(module, texts, vocab_size, measured):
    """train, bytes_per_token: merges of the corpus of code, and how they compress parts of it and other code"""
    merges, vocab = module.train(texts, vocab_size)  # the special token is the default
    ratios = [module.bytes_per_token(part, merges) for part in measured]
    return {"vocabulary": len(vocab), "merges": merges, "bytes per token": ratios}
