"""Style: regular expressions for words, merging, encoding and decoding."""

import re
import sys
import unicodedata
from collections import Counter
from fractions import Fraction

UNK = "[UNK]"
SPECIALS = ("[PAD]", UNK, "[CLS]", "[SEP]", "[MASK]")

_SIGNS = [chr(n) for n in range(33, 127) if not chr(n).isalnum()]
_SIGNS += [chr(n) for n in range(127, sys.maxunicode + 1) if unicodedata.category(chr(n))[0] == "P"]
_CLASS = "".join(map(re.escape, _SIGNS))
_WORD = re.compile(f"[{_CLASS}]|[^\\s{_CLASS}]+")


def words_of(text):
    # \x1c to \x1f are whitespace to str.split and to re alike
    return _WORD.findall(text)


def split_word(word):
    return re.sub(r"(?s)(?<=.)(.)", "\n##\\1", word).split("\n") if word else []


def word_counts(texts):
    return dict(Counter(match for text in texts for match in words_of(text)))


def alphabet(counts):
    return sorted(
        {symbol for symbol in "\n".join("\n".join(split_word(word)) for word in counts).split("\n") if symbol}
    )


def pair_scores(splits, counts):
    symbols, pairs = {}, {}
    for word, split in splits.items():
        for symbol in split:
            symbols[symbol] = symbols.get(symbol, 0) + counts[word]
        line = " ".join(split)
        for match in re.finditer(r"(?<!\S)(\S+) (?=(\S+))", line):
            pairs[match.groups()] = pairs.get(match.groups(), 0) + counts[word]
    scores = {}
    for pair in pairs:
        left, right = (symbols[symbol] for symbol in pair)
        scores[pair] = Fraction(pairs[pair]) / (left * right)
    return scores


def best_pair(scores):
    top = max(scores.values(), default=None)
    return next((pair for pair in scores if scores[pair] == top), None)


def merge(pair, split):
    left, right = pair
    pattern = rf"(?<!\S){re.escape(left)} {re.escape(right)}(?!\S)"
    # a function as replacement: a backslash in a symbol means nothing
    return re.sub(pattern, lambda _: left + re.sub("^##", "", right), " ".join(split)).split()


def learn(counts, vocab_size, specials=SPECIALS):
    splits = {word: split_word(word) for word in counts}
    vocab = [*specials, *alphabet(counts)]
    for _ in range(vocab_size - len(vocab)):
        pair = best_pair(pair_scores(splits, counts))
        if not pair:
            break
        splits = {word: merge(pair, split) for word, split in splits.items()}
        (token,) = merge(pair, list(pair))
        vocab.append(token)
    return vocab


def train(texts, vocab_size, specials=SPECIALS):
    return learn(word_counts(texts), vocab_size, specials)


def _patterns(vocab):
    longest_first = sorted(vocab, key=len, reverse=True)
    first = "|".join(map(re.escape, longest_first)) or r"(?!)"
    later = "|".join(re.escape(token[2:]) for token in longest_first if token[:2] == "##") or r"(?!)"
    return re.compile(first), re.compile(later)


def _cut(word, patterns, max_chars):
    if len(word) > max_chars:
        return [UNK]
    tokens, place = [], 0
    while place < len(word):
        match = patterns[place > 0].match(word, place)
        if match is None:
            return [UNK]
        tokens.append("##" * (place > 0) + match[0])
        place = match.end()
    return tokens


def encode_word(word, vocab, max_chars=100):
    return _cut(word, _patterns(vocab), max_chars)


def encode(text, vocab):
    patterns = _patterns(vocab)
    return [token for word in words_of(text) for token in _cut(word, patterns, 100)]


def ids(tokens, vocab):
    place = dict(zip(vocab, range(len(vocab))))
    return [place[token] if token in place else place[UNK] for token in tokens]


def decode(tokens):
    return re.sub(r"(?:^| )##", "", " ".join(tokens))
