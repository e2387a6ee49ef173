"""What is asked of wordpiece.py: the cases, what is run on them, and how the answers are compared."""

from fractions import Fraction

from grader import cost, draw
from grader.check import check
from grader.compare import Exact, Growth

SENTENCES = [
    "This is the Hugging Face Course.",
    "This chapter is about tokenization.",
    "This section shows several tokenizer algorithms.",
    "Hopefully, you will be able to understand how they are trained and generate tokens.",
]


def _cut(*lines):
    return [token for line in lines for token in line.split()]


# a vocabulary as training makes it, with signs, other scripts, and one # that is a word
VOCAB = _cut(
    "[PAD] [UNK] [CLS] [SEP] [MASK] ##a ##c ##e ##g ##h ##i ##k ##l ##n ##o ##r ##s ##t ##u ##z ##é ##本",
    "! # , . 4 C F H T a c h i s t u é 日 😀 ab ##fu Fa Fac ##ct ##ful ##fully",
    "Th ch cha ##thm Hu Hug Hugg sh th is ##ut",
)
# first met, then met later: (places of the pair, of its left symbol, of its right symbol). Their scores are
# equal, but f / a / b, f * (1 / a) * (1 / b) or a sum of logarithms makes the later one larger.
SAME = [
    ((1, 3, 11), (1, 11, 3)),
    ((1, 3, 25), (1, 25, 3)),
    ((2, 9, 10), (2, 10, 9)),
    ((1, 3, 15), (1, 5, 9)),
    ((2, 3, 15), (2, 5, 9)),
    ((1, 3, 4), (2, 6, 4)),
    ((1, 4, 7), (2, 8, 7)),
    ((1, 7, 10), (3, 21, 10)),
]


def _close(size, places):
    """Return two triples as above; the score of the later is larger, by one part in size squared."""
    return (places, size + 1, size + 1), (places, size, size + 2)


# scores that a double, a rounded number or a decimal number of 28 digits cannot tell from each other
CLOSE = [_close(60, 2), _close(1000, 3), _close(10**5, 7), _close(3 * 10**8, 10**8), _close(10**15, 10**14)]


# --- symbols and words ------------------------------------------------------------------------


def words():
    return draw.build(_word, word=draw.word("abé😀#", 0, 7))


def _word(word):
    return {"word": word}


def some_words():
    found = [
        "",
        "a",
        "ab",
        "cat",
        "aaa",
        "banana",
        "Hugging",
        "été",
        "e\u0301te\u0301",
        "日本語",
        "👩‍🔬",
        "#",
        "c#",
        "1.5",
    ]
    return [_word(word) for word in found]


@check(points=1, cases=words, examples=some_words, draws=6, compare=Exact())
def words_become_symbols(module, word):
    """split_word: the symbols of a word"""
    return module.split_word(word)


def texts():
    return draw.build(_texts, texts=draw.lists(draw.text(), 0, 4))


def _texts(texts):
    return {"texts": texts}


def some_texts():
    found = [[], [""], ["a", "b a", "a"], ["ab", "cd"], ["b b b a", "c c a"], [" a  b\n\tb "], ["The the THE"]]
    found += [
        ["a_b a-b 'a' ...", "don't x..."],
        ["5€ a+b=c $3 <x>", "«a» a—b 。a"],
        ["é e\u0301 É", "😀😀 👩‍🔬"],
        ["#a ## a"],
    ]
    return [*map(_texts, found), _texts(["z y x z", "y"]), _texts(["[CLS] a [SEP]"]), _texts(SENTENCES)]


@check(points=1, cases=texts, examples=some_texts, draws=6, compare=Exact(ordered=True))
def words_are_counted_in_order(module, texts):
    """word_counts: words counted, in the order in which they first occur"""
    return module.word_counts(texts)


def countings():
    return draw.build(_counts, words=draw.lists(draw.word("abcB", 0, 6), 0, 6), numbers=_numbers(1, 50))


def _numbers(low, high):
    return draw.lists(draw.integers(low, high), 8, 8)


def _counts(words, numbers=(7, 1, 30, 2, 11, 3, 5, 4)):
    return {"counts": dict(zip(dict.fromkeys(words), numbers, strict=False))}


def some_countings():
    found = [
        [],
        ["a"],
        ["aa"],
        ["ba", "b"],
        ["cab", "ab"],
        ["zebra", "Apple", "é"],
        ["b", "aB", "Ab"],
        ["#", "日本", "本"],
    ]
    return [_counts(words) for words in found] + [_counts(_cut("the quick brown fox jumps over it"))]


@check(points=1, cases=countings, examples=some_countings, draws=6, compare=Exact())
def alphabet_is_sorted(module, counts):
    """alphabet: the symbols of all words, each once, sorted"""
    return module.alphabet(counts)


# --- scores -----------------------------------------------------------------------------------


def scorings():
    return draw.build(
        _scoring,
        words=draw.lists(draw.word("ab", 1, 6), 0, 5),
        numbers=_numbers(1, 50),
        joined=draw.choice("", "a", "ab"),
    )


def _scoring(words, numbers=(7, 1, 30, 2, 11, 3, 5, 4), joined=""):
    words = list(dict.fromkeys(words))
    return {
        "splits": {word: _split(word, joined) for word in words},
        # in another order than the splits: whose order counts must show
        "counts": dict(sorted(zip(words, numbers, strict=False), reverse=True)),
    }


def _split(word, joined=""):
    """Return a word as symbols, with `joined` as one symbol at its first place."""
    at = word.find(joined) if joined else -1
    cut = [*word] if at < 0 else [*word[:at], joined, *word[at + len(joined) :]]
    return [part if n == 0 else "##" + part for n, part in enumerate(cut)]


def some_scorings():
    found = [_scoring(words) for words in ([], ["a"], ["ab"], ["a", "ab"], ["aaa"], ["aaaa", "aa"], ["abab", "ba"])]
    found += [_scoring(["ba", "ab", "b", "a", "bb"]), _scoring(["abab", "aab", "b"], joined="ab")]
    found += [_scoring(["ca", "bc"], (3, 4)), _scoring(["banana", "nab", "ban"], joined="an")]
    found += [_scoring(["hug", "pug", "pun", "bun", "hugs"], (10, 5, 12, 4, 5))]
    found += [_scoring(["ab", "a", "cb"], (10**15 + 3, 10**16 - 1, 3 * 10**14 + 7))]
    return [*found, _scoring(["ab", "a", "cb"], (1234577, 7654321, 1000003))]


@check(points=3, cases=scorings, examples=some_scorings, draws=6, compare=Exact(ordered=True))
def scores_count_every_place(module, splits, counts):
    """pair_scores: exact scores of all pairs, in the order in which they are met"""
    # as text: a Fraction is "1/3", a float is not
    return {pair: str(score) for pair, score in module.pair_scores(splits, counts).items()}


def choices():
    pairs = draw.lists(draw.choice(*((x, "##" + y) for x in ("b", "##a", "c", "ab", "##b") for y in "cab")), 0, 7)
    scores = draw.choice((1, 2), (1, 3), (2, 3), (1, 3), (1, 2), (333333, 10**6))
    return draw.build(_choice, pairs=pairs, scores=draw.lists(scores, 7, 7))


def _choice(pairs, scores):
    return {"scores": dict(zip(dict.fromkeys(pairs), scores, strict=False))}


def some_choices():
    pairs = [("c", "##c"), ("b", "##b"), ("##a", "##d"), ("a", "##z"), ("##zz", "##a")]
    third = 333333333333333333333
    found = [
        [],
        [(1, 7)],
        [(1, 3), (1, 2), (1, 5)],
        [(1, 3), (1, 3)],
        [(1, 5), (1, 4), (1, 4)],
        [(1, 4), (1, 5), (1, 4)],
        [(1, 9), (2, 9), (1, 9), (2, 9), (2, 9)],
        [(1, 10**12), (2, 10**12)],
        [(1, 10**400), (2, 10**400)],
        [(5, 1), (7, 1), (7, 1)],
        [(third, 10**21), (1, 3), (1, 3)],
        [(1, 3), (third, 10**21)],
        [(1, 3), (third + 1, 10**21), (1, 3)],
        [(2**60, 2**60 + 1), (2**60 + 1, 2**60 + 2)],
    ]
    cases = [_choice(pairs, scores) for scores in found]
    return [*cases, *(_choice(reversed(pairs), scores) for scores in found[3:6])]


@check(points=2, cases=choices, examples=some_choices, draws=6, compare=Exact())
def best_pair_is_the_first_of_the_highest(module, scores):
    """best_pair: the highest score, and of equal ones the first"""
    given = {pair: Fraction(*score) for pair, score in scores.items()}
    best = module.best_pair(given)
    return {"best": best, "scores left": list(given)}


# --- merging ----------------------------------------------------------------------------------


def merges():
    pairs = [(x, y) for x in ("a", "##a", "##b", "##ab", "ab") for y in ("##a", "##b", "##ab")]
    return draw.build(_merge, pair=draw.choice(*pairs), word=draw.word("ab", 0, 8), joined=draw.choice("", "ab"))


def _merge(pair, word, joined=""):
    return {"pair": pair, "split": _split(word, joined)}


def some_merges():
    found = [(("a", "##b"), "ab"), (("##a", "##b"), "cab"), (("a", "##b"), "abab"), (("##a", "##b"), "abab")]
    found += [(("##a", "##a"), "aaaa"), (("##a", "##a"), "aaaaa"), (("##a", "##a"), "baabaa"), (("a", "##a"), "aaa")]
    found += [(("##b", "##a"), "xbaxba"), (("a", "##b"), ""), (("a", "##b"), "a"), (("a", "##b"), "ba")]
    found += [(("c", "###"), "c##"), (("##c", "###"), "cc##"), (("#", "##a"), "#a"), (("##é", "##日"), "aé日")]
    cases = [_merge(pair, word) for pair, word in found]
    # the same letters, another pair; and symbols that end or begin as those of the pair do
    cases.append({"pair": ("c", "####"), "split": ["c", "####", "##d"]})
    cases.append({"pair": ("a", "##bc"), "split": ["ab", "##c", "##a", "##bc"]})
    cases.append({"pair": ("##b", "##c"), "split": ["b", "##c", "##ab", "##c", "##b", "##cd", "##b", "##c"]})
    return cases


@check(points=2, cases=merges, examples=some_merges, draws=4, compare=Exact())
def merge_joins_continuations(module, pair, split):
    """merge: a pair joined everywhere, left to right, with ## only in front"""
    merged = module.merge(pair, split)
    return _emptied(merged)  # what becomes of the result does not concern the split that was given


def _emptied(found):
    """Return a copy of a list and empty the list itself, as a caller may do who owns it."""
    if not isinstance(found, list):
        return found
    kept = list(found)
    found.clear()
    return kept


# --- learning ---------------------------------------------------------------------------------


def learnings():
    return draw.build(
        _learning,
        words=draw.word("abc", 1, 7).flatmap(
            lambda first: draw.lists(draw.word("abc", 1, 5), 0, 6).map([first].__add__)
        ),
        numbers=_numbers(1, 9),
        vocab_size=draw.choice(3, 8, 10, 13, 60),
        specials=draw.choice(None, ["[UNK]"], []),
    )


def _learning(words, numbers=(7, 1, 30, 2, 11, 3, 5, 4), vocab_size=60, specials=("[UNK]",)):
    specials = None if specials is None else list(specials)  # None: the default
    return {**_counts(words, numbers), "vocab_size": vocab_size, "specials": specials}


def some_learnings():
    return [
        _learning([]),
        _learning(["a"]),
        _learning(["ab"], vocab_size=4),
        _learning(["abc"], (1,)),
        _learning(["ba", "ab"], vocab_size=3),
        _learning(["ba", "ab"], vocab_size=5),
        _learning(["ba", "ab"], vocab_size=6),
        _learning(["ba", "ab"], vocab_size=0),
        _learning(["b", "ab", "cd"], (1, 2, 2), vocab_size=7),
        _learning(["a", "aaaa"], (1, 1)),
        _learning(["a", "aaaaa"], (1, 1)),
        _learning(["a", "aaaaaa"], (1, 2)),
        _learning(["aaaa", "aaa"], vocab_size=9),
        _learning(["abab", "bab", "ab"], (1, 1, 1)),
        _learning(["ab", "a"], vocab_size=8, specials=None),
        _learning(["zyx", "abc", "xab"], (2, 2, 2), specials=()),
        _learning(["zyx", "abc", "xab"], (2, 2, 2), 14, ("[PAD]", "[UNK]", "<s>")),
        _learning(["aa", "aaaaa", "a"], (1, 2, 5)),
        _learning(["aaa", "ab", "abab"], (1, 2, 5)),
        _learning(["b", "ba", "aab", "baaba"], (3, 5, 1, 3)),
        _learning(["low", "lower", "slow"], (2, 1, 1), 11),
        _learning(["hug", "pug", "pun", "bun", "hugs"], (10, 5, 12, 4, 5), 15),
    ]


@check(points=3, cases=learnings, examples=some_learnings, draws=6, compare=Exact())
def learning_gives_the_vocabulary(module, counts, vocab_size, specials):
    """learn: the right tokens in the right order, as many as asked for"""
    given = () if specials is None else (tuple(specials),)
    return module.learn(counts, vocab_size, *given)


def confusions():
    return draw.build(
        _confusion,
        triples=draw.lists(draw.choice(*SAME, *CLOSE), 1, 3).map(lambda pairs: [one for pair in pairs for one in pair]),
        times=draw.choice(1, 3, 10),
        more=draw.integers(1, 6),
    )


def _confusion(triples, times=1, more=1):
    """Return words in which each triple is a pair: its places, those of its left and of its right symbol."""
    counts = {}
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    for both, left, right in triples:
        one, two, three = next(letters), next(letters), next(letters)
        counts[one + two] = both * times
        counts[one] = (left - both) * times
        # its first letter is frequent, so that this pair has a low score
        counts[three + two] = (right - both) * times
        counts[three] = 10**16
    counts = {word: count for word, count in counts.items() if count}
    # on top of the alphabet
    room = len({symbol for word in counts for symbol in _split(word)}) + more
    return {"counts": counts, "vocab_size": room}


def some_confusions():
    found = [_confusion(pair) for pair in (*SAME, *CLOSE)]
    found += [_confusion(pair[::-1]) for pair in (SAME[0], CLOSE[0], CLOSE[3], CLOSE[4])]
    return found


@check(points=2, cases=confusions, examples=some_confusions, draws=4, compare=Exact())
def learning_compares_scores_exactly(module, counts, vocab_size):
    """learn: scores that are equal, or nearly so, are told apart exactly"""
    return module.learn(counts, vocab_size, ())


def trainings():
    return draw.build(_training, texts=draw.corpus(), vocab_size=draw.choice(5, 9, 12, 60))


def _training(texts, vocab_size, specials=None):
    return {"texts": texts, "vocab_size": vocab_size, "specials": specials}


def some_trainings():
    return [
        _training([], 10),
        _training(["", " "], 10),
        _training(["a"], 3),
        _training(["b ab b", "ab"], 9, ["[UNK]"]),
        _training(["ab", "cd ab"], 20, []),
        _training(["Ab aB ab", "x.y, x! y"], 40, ["[UNK]", "[END]"]),
        _training(["zz y x zz y", "y y x xy"], 17),
        _training(["[UNK] ab [UNK]"], 16),
        _training(["b ab", "b ab", "ba", "cb c"], 20),
        _training(["a aaaa"], 9),
        _training(["cb ab ab", "ab"], 10),
        _training(["é e\u0301 e"], 14),
        _training(["low lower low", "slow"], 30),
        _training(SENTENCES, 45),
        _training(SENTENCES, 70),
        _training(SENTENCES, 300),
    ]


@check(points=2, cases=trainings, examples=some_trainings, draws=6, compare=Exact())
def training_starts_from_texts(module, texts, vocab_size, specials):
    """train: the vocabulary of a corpus, with the special tokens asked for"""
    given = () if specials is None else (tuple(specials),)
    first = module.train(texts, vocab_size, *given)
    # training something else must not change what is returned, and nothing may be left behind
    module.train(["q qq"], 9)
    return first


# --- encoding ---------------------------------------------------------------------------------


def cuttings():
    pieces = draw.lists(draw.word("ab", 2, 5).flatmap(lambda piece: draw.choice(piece, "##" + piece)), 0, 9)
    return draw.build(_cutting, word=draw.word("ab", 0, 9), pieces=pieces, missing=draw.choice(""))


def unknowns():
    pieces = draw.lists(draw.word("abc", 1, 4).flatmap(lambda piece: draw.choice(piece, "##" + piece)), 0, 9)
    missing = draw.choice("##b", "##a", "a", "b")
    return draw.build(_cutting, word=draw.word("ab", 1, 7), pieces=pieces, missing=missing)


def _cutting(word, pieces, missing="", letters="ab"):
    """Return a word and a vocabulary with all single letters but the missing ones, and the pieces."""
    single = [mark + letter for letter in letters for mark in ("", "##")]
    kept = [token for token in ["[UNK]", *pieces, *single] if token not in missing.split()]
    return {"word": word, "vocab": list(dict.fromkeys(kept))}


def some_cuttings():
    found = [
        ("", []),
        ("a", []),
        ("ab", []),
        ("ab", ["ab"]),
        ("aab", ["ab"]),
        ("aaab", ["##aa"]),
        ("bab", ["ab", "##ab"]),
    ]
    # several lengths fit; the right end has a longer one; a longer one with a gap below it
    found += [("abab", ["ab", "aba", "##ab"]), ("ababb", ["ab", "##abb", "aba"]), ("aabba", ["##abb", "aabb"])]
    found += [("abbbb", ["abbbb"]), ("babab", ["bab", "##abab", "baba"]), ("aaaaa", ["aaa", "##aaa", "##aa"])]
    found += [("abaab", ["ab", "##aab", "aba"]), ("aaaa", ["##aaa", "##aa"])]
    cases = [_cutting(word, pieces) for word, pieces in found]
    cases.append(_cutting("hugs", ["hug", "hu", "##gs", "##ug", "##s"], letters="hugs"))
    cases.append(_cutting("Hugging", ["Hu", "Hug", "Hugg", "##ing", "##in", "hug"], letters="HhUugin"))
    cases.append(_cutting("a" * 90 + "b", ["a" * 60, "##" + "a" * 25]))
    return [*cases, _cutting("abaaaabaab", ["##aaaabaa"]), _cutting("日本本é", ["##本本", "日本"], letters="日本é")]


@check(points=2, cases=cuttings, examples=some_cuttings, draws=5, compare=Exact())
def the_longest_token_comes_first(module, word, vocab):
    """encode_word: the longest token that fits, from the beginning of the word"""
    first = _emptied(module.encode_word(word, vocab))
    return [first, module.encode_word(word, set(vocab))]


def some_unknowns():
    found = [
        ("x", []),
        ("ax", []),
        ("xa", []),
        ("axb", ["ab"]),
        ("abx", ["ab"]),
        ("a b", []),
        ("A", []),
        ("ab\u0301", ["ab"]),
    ]
    cases = [_cutting(word, pieces) for word, pieces in found]
    # there is another way, but the longest token first does not find it
    cases += [_cutting("abb", ["ab", "##bb"], "##b"), _cutting("aab", ["aa", "##ab"], "##b")]
    cases += [_cutting("abab", ["aba", "##bab", "##ba"], "##b"), _cutting("abba", ["ab", "##ba", "##bba"], "##b")]
    # what is there only without ##, or only with it
    cases += [_cutting("ab", [], "##b"), _cutting("ab", ["ba"], "a"), _cutting("bab", ["ab"], "##a")]
    # a # that is a word is no beginning of ##
    cases += [_cutting("ab", ["#"], "##b"), _cutting("aab", ["#", "###"], "##b"), _cutting("ab", ["a#", "####"], "##b")]
    return [*cases, {"word": "HOgging", "vocab": VOCAB}, {"word": "a", "vocab": ["[PAD]", "[UNK]"]}]


@check(points=1, cases=unknowns, examples=some_unknowns, draws=4, compare=Exact())
def unknown_words_are_unknown_as_a_whole(module, word, vocab):
    """encode_word: a word that cannot be cut"""
    return module.encode_word(word, vocab)


def some_long_words():
    vocab = ["[UNK]", "a", "##a", "é", "##é", "😀", "##😀", "##aaaa", "a" * 101, "a" * 5]
    lengths = ((5, 5), (5, 4), (5, 6), (1, 0), (0, 0), (1, 1), (100, None), (101, None), (99, None), (250, None))
    cases = [{"word": "a" * length, "vocab": vocab, "max_chars": limit} for length, limit in lengths]
    cases += [
        {"word": "a" * 101, "vocab": vocab, "max_chars": 101},
        {"word": "a" * 150, "vocab": vocab, "max_chars": 200},
    ]
    # two bytes a character; an unknown character beyond the limit
    cases += [
        {"word": "é" * 100, "vocab": vocab, "max_chars": None},
        {"word": "é😀" * 3, "vocab": vocab, "max_chars": 6},
    ]
    return [
        *cases,
        {"word": "a" * 5 + "x", "vocab": vocab, "max_chars": 5},
        {"word": "b" * 5, "vocab": vocab, "max_chars": 9},
    ]


@check(points=1, examples=some_long_words, compare=Exact())
def long_words_are_unknown(module, word, vocab, max_chars):
    """encode_word: a word that is too long"""
    given = () if max_chars is None else (max_chars,)
    return module.encode_word(word, vocab, *given)


def encodings():
    parts = draw.choice(
        "Hugging", " Face", " the", "!", " ", ",ab", "é", " 日本", "😀", "#", " This is", "x", " careful", "\n"
    )
    return draw.build(_encoding, parts=draw.lists(parts, 0, 7), more=draw.text(), turned=draw.choice(False, True))


def _encoding(parts, more="", turned=False):
    return {"text": "".join(parts) + more, "vocab": VOCAB[::-1] if turned else VOCAB}


def some_encodings():
    found = ["", " ", "a", "ab ab", "x y ab", "a.", "ab!ab", "!!", "# #a a#", "This is the Hugging Face course!"]
    found += [
        "Th is",
        "HUGGING hugging Hugging",
        "[CLS] a [SEP]",
        "[UNK]",
        "a\tcha\n\nut",
        "e\u0301 ae\u0301",
        "é日本 😀é 4,4",
        "a" * 100 + " " + "a" * 101,
    ]
    return [_encoding([text], turned=len(text) % 2 == 1) for text in found]


@check(points=1, cases=encodings, examples=some_encodings, draws=5, compare=Exact())
def encoding_takes_word_by_word(module, text, vocab):
    """encode: the tokens of a text"""
    # the same text with less of the vocabulary: nothing may be left over from the call before
    less = [entry for entry in vocab if entry == "[UNK]" or len(entry) < 4]
    return [module.encode(text, vocab), module.encode(text, less)]


def lists_of_tokens():
    tokens = draw.lists(
        draw.choice("a", "##a", "[UNK]", "[CLS]", "Hugg", "##Hugg", "ful", "##ful", "never", "##never", "#", "."), 0, 9
    )
    return draw.build(_tokens, tokens=tokens, turned=draw.choice(False, True))


def _tokens(tokens, turned=False):
    return {"tokens": tokens, "vocab": VOCAB[::-1] if turned else VOCAB}


def some_tokens():
    found = [
        "",
        "[PAD]",
        "a",
        "##a a ##a",
        "Hugg ##i ##n ##g",
        "never",
        "a never ##never a",
        "##Hugg ut ##never",
        "[CLS] [UNK] [SEP] [MASK]",
    ]
    return [_tokens(text.split(), turned) for text in found for turned in (False, True)]


@check(points=1, cases=lists_of_tokens, examples=some_tokens, draws=4, compare=Exact())
def ids_are_places_in_the_vocabulary(module, tokens, vocab):
    """ids: the ids of tokens, known and unknown ones"""
    return module.ids(tokens, vocab)


def decodings():
    tokens = draw.choice("a", "##a", "ab", "##ful", "[CLS]", ".", "###", "#", "##é", "##😀", "##a##")
    return draw.build(lambda tokens: {"tokens": tokens}, tokens=draw.lists(tokens, 0, 9))


def some_decodings():
    found = [
        "",
        "a",
        "##a",
        "a b",
        "a ##b",
        "##a ##b c",
        "Hugg ##i ##n ##g Fac ##e",
        "a . b , c !",
        "[CLS] a [UNK] ##b [SEP]",
    ]
    found += [
        "# a",
        "a ###",
        "### a",
        "# ### #",
        "a#b ##c#d",
        "a# ##b",
        "a ##b## c",
        "[PAD] [PAD]",
        "日 ##本 語",
        "a##b c",
    ]
    return [{"tokens": text.split()} for text in found]


@check(points=1, cases=decodings, examples=some_decodings, draws=6, compare=Exact())
def decoding_glues_continuations(module, tokens):
    """decode: tokens joined to a text"""
    return module.decode(tokens)


def vocabularies_by_size():
    letters = "abcdefgh"
    single = [mark + letter for letter in letters for mark in ("", "##")]
    words = [x + y + z for x in letters for y in "abc" for z in "bad"]
    # of the same lengths and with the same letters at their beginning, but none of them fits
    others = [mark + x + y + z for mark in ("", "##") for x in letters for y in letters for z in "qrstuvwxyz"]
    return [{"text": " ".join(words), "few": ["[UNK]", *single, *others[::40]], "many": ["[UNK]", *single, *others]}]


def _steps(module, text, vocab):
    """Return the steps that a text takes beyond those of its first word."""
    module.encode(text, vocab)  # what is kept from one call to the next is there in both counts
    return cost.operations(module.encode, text, vocab) - cost.operations(module.encode, text.split()[0], vocab)


@check(
    points=1,
    examples=vocabularies_by_size,
    compare=Growth(2.0, "a token is looked up, so a word does not take longer if the vocabulary is larger"),
)
def encoding_does_not_search_the_vocabulary(module, text, few, many):
    """encode: the work for a word does not grow with the vocabulary"""
    return {"small": _steps(module, text, few), "large": _steps(module, text, many)}
