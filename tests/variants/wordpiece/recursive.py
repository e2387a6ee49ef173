"""Style: recursion and functions without state."""

import string
import unicodedata
from collections import Counter
from fractions import Fraction
from functools import reduce
from itertools import chain, groupby

UNK = "[UNK]"
SPECIALS = ("[PAD]", UNK, "[CLS]", "[SEP]", "[MASK]")


def words_of(text: str) -> list[str]:
    """Cut a text into words as BERT does: at whitespace, and each punctuation character is a word.

    This function is given; use it as it is. Case and accents stay as they are.
    """
    return "".join(f" {char} " if _is_punctuation(char) else char for char in text).split()


def _is_punctuation(char: str) -> bool:
    """Say whether BERT takes a character as punctuation: all ASCII signs, and what Unicode calls so."""
    return char in string.punctuation or unicodedata.category(char).startswith("P")


def split_word(word):
    if len(word) < 2:
        return [word] if word else []
    return split_word(word[:-1]) + ["##" + word[-1]]


def word_counts(texts):
    return reduce(
        lambda counts, word: {**counts, word: counts.get(word, 0) + 1}, chain.from_iterable(map(words_of, texts)), {}
    )


def alphabet(counts):
    symbols = sorted(chain.from_iterable(split_word(word) for word in counts))
    return [symbol for symbol, _ in groupby(symbols)]


def pair_scores(splits, counts):
    places = [(word, place) for word, split in splits.items() for place in range(len(split))]
    pairs = [(splits[w][p], splits[w][p + 1], counts[w]) for w, p in places if p + 1 < len(splits[w])]

    def freq(symbol):
        return sum(counts[w] for w, p in places if splits[w][p] == symbol)

    freqs = {symbol: freq(symbol) for symbol in {s for split in splits.values() for s in split}}
    totals = reduce(lambda all_, one: {**all_, one[:2]: all_.get(one[:2], 0) + one[2]}, pairs, {})
    return {(a, b): Fraction(total, freqs[a] * freqs[b]) for (a, b), total in totals.items()}


def best_pair(scores):
    # sorted is stable: equal scores stay in the order of the dict, also when it is reversed
    ranked = sorted(scores.items(), key=lambda item: item[1], reverse=True)
    return ranked[0][0] if ranked else None


def merge(pair, split):
    match split:
        case [a, b, *rest] if (a, b) == tuple(pair):
            return [a + b[2:], *merge(pair, rest)]
        case [a, *rest]:
            return [a, *merge(pair, rest)]
        case _:
            return []


def _additions(splits, counts, room):
    pair = best_pair(pair_scores(splits, counts)) if room > 0 else None
    if pair is None:
        return []
    merged = {word: merge(pair, split) for word, split in splits.items()}
    return [pair[0] + pair[1][2:], *_additions(merged, counts, room - 1)]


def learn(counts, vocab_size, specials=SPECIALS):
    base = [*specials, *alphabet(counts)]
    return base + _additions({word: split_word(word) for word in counts}, counts, vocab_size - len(base))


def train(texts, vocab_size, specials=SPECIALS):
    return learn(word_counts(texts), vocab_size, specials)


def _rest(word, start, known):
    """Return the tokens of word[start:], None if there are none."""
    if start == len(word):
        return ()
    mark = "##" if start else ""
    ends = (end for end in range(len(word), start, -1) if mark + word[start:end] in known)
    end = next(ends, None)
    behind = None if end is None else _rest(word, end, known)
    return None if behind is None else (mark + word[start:end], *behind)


def encode_word(word, vocab, max_chars=100):
    tokens = _rest(word, 0, frozenset(vocab)) if len(word) <= max_chars else None
    return [UNK] if tokens is None else list(tokens)


def encode(text, vocab):
    known = frozenset(vocab)
    return list(chain.from_iterable(encode_word(word, known) for word in words_of(text)))


def ids(tokens, vocab):
    return list(map({**dict.fromkeys(tokens, vocab.index(UNK)), **{t: n for n, t in enumerate(vocab)}}.get, tokens))


def decode(tokens):
    if not tokens:
        return ""
    *before, last = tokens
    if last.startswith("##"):
        return decode(before) + last[2:]
    return decode(before) + " " + last if before else last
