"""What is asked of bpe.py: the cases, what is run on them, and how the answers are compared."""

from grader import cost, draw
from grader.check import check
from grader.compare import Exact, Growth
from grader.merges import Merges

SENTENCES = [
    "This is the Hugging Face Course.",
    "This chapter is about tokenization.",
    "This section shows several tokenizer algorithms.",
    "Hopefully, you will be able to understand how they are trained and generate tokens.",
]
END = "<|endoftext|>"
# one special token is the beginning, the end or the double of another
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
    parts = draw.choice("the", " thug", "<|e|>", "<|e|><|e|>", "<|", "‹é›", " a", "é", "😀", "\n", "hug")
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
