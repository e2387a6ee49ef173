"""Style: learn keeps frequencies and the words of each pair up to date; whole-number scores, caches."""

import unicodedata
from collections import OrderedDict, defaultdict
from fractions import Fraction
from functools import lru_cache

UNK = "[UNK]"
SPECIALS = ("[PAD]", UNK, "[CLS]", "[SEP]", "[MASK]")


@lru_cache(maxsize=None)
def _sign(char):
    return (char.isascii() and char.isprintable() and not char.isalnum() and char != " ") or unicodedata.category(char)[
        0
    ] == "P"


def words_of(text):
    words, start = [], None
    for place, char in enumerate(text):
        if char.isspace() or _sign(char):
            if start is not None:
                words.append(text[start:place])
                start = None
            if not char.isspace():
                words.append(char)
        elif start is None:
            start = place
    if start is not None:
        words.append(text[start:])
    return words


def split_word(word):
    symbols = ["##" + char for char in word]
    if symbols:
        symbols[0] = word[0]
    return symbols


def word_counts(texts):
    counts = OrderedDict()
    for text in texts:
        for word in words_of(text):
            counts[word] = counts.setdefault(word, 0) + 1
    return counts


def alphabet(counts):
    firsts = {word[0] for word in counts if word}
    others = {"##" + char for word in counts for char in word[1:]}
    return sorted(firsts | others)


def pair_scores(splits, counts):
    bag = _Bag(splits, counts)
    scores = OrderedDict()
    for split in splits.values():
        for pair in zip(split, split[1:]):
            if pair not in scores:
                scores[pair] = Fraction(bag.pairs[pair], bag.symbols[pair[0]] * bag.symbols[pair[1]])
    return scores


def best_pair(scores):
    if not scores:
        return None
    pairs = list(scores)
    # from the back, so that of equal ones the first is the last to be taken
    best = pairs.pop()
    while pairs:
        pair = pairs.pop()
        if scores[pair] >= scores[best]:
            best = pair
    return best


def merge(pair, split):
    out, places = [], iter(range(len(split)))
    for place in places:
        if split[place : place + 2] == list(pair):
            out.append(pair[0] + pair[1][2:])
            next(places)
        else:
            out.append(split[place])
    return out


class _Bag:
    """Words with the frequencies of their symbols and pairs."""

    def __init__(self, splits, counts):
        self.words = [list(split) for split in splits.values()]
        self.times = [counts[word] for word in splits]
        self.symbols = defaultdict(int)
        self.pairs = defaultdict(int)
        self.where = defaultdict(set)
        for number in range(len(self.words)):
            self.enter(number, 1)

    def enter(self, number, sign):
        split, times = self.words[number], sign * self.times[number]
        for symbol in split:
            self.symbols[symbol] += times
        for pair in zip(split, split[1:]):
            self.pairs[pair] += times
            if sign > 0:
                self.where[pair].add(number)
            else:
                self.where[pair].discard(number)
            if not self.pairs[pair]:
                del self.pairs[pair]

    def best(self):
        top, ties = (0, 1), []
        for pair, times in self.pairs.items():
            below = self.symbols[pair[0]] * self.symbols[pair[1]]
            difference = times * top[1] - top[0] * below
            if difference > 0:
                top, ties = (times, below), [pair]
            elif difference == 0:
                ties.append(pair)
        return min(ties, key=self.place, default=None)

    def place(self, pair):
        number = min(self.where[pair])
        split = self.words[number]
        return number, list(zip(split, split[1:])).index(pair)

    def join(self, pair):
        for number in sorted(self.where[pair]):
            self.enter(number, -1)
            self.words[number] = merge(pair, self.words[number])
            self.enter(number, 1)


def learn(counts, vocab_size, specials=SPECIALS):
    bag = _Bag({word: split_word(word) for word in counts}, counts)
    vocab = (*specials, *alphabet(counts))
    while len(vocab) < vocab_size and (pair := bag.best()):
        bag.join(pair)
        vocab += (pair[0] + pair[1][2:],)
    return vocab


def train(texts, vocab_size, specials=SPECIALS):
    return learn(word_counts(texts), vocab_size, specials)


_memory = {}


def encode_word(word, vocab, max_chars=100):
    key = (word, frozenset(vocab), max_chars)
    if key not in _memory:
        _memory[key] = tuple(_cut(*key, _sizes(vocab)))
    return _memory[key]


def _sizes(vocab):
    return sorted({len(token) for token in vocab}, reverse=True)


def _cut(word, known, max_chars, sizes):
    if len(word) > max_chars:
        return [UNK]
    tokens, start = [], 0
    while start < len(word):
        for size in sizes:
            size -= 2 if start else 0
            if 0 < size <= len(word) - start and "##" * bool(start) + word[start : start + size] in known:
                tokens.append("##" * bool(start) + word[start : start + size])
                start += size
                break
        else:
            return [UNK]
    return tokens


def encode(text, vocab):
    known, sizes = frozenset(vocab), _sizes(vocab)
    return tuple(token for word in words_of(text) for token in _cut(word, known, 100, sizes))


def ids(tokens, vocab):
    numbers = defaultdict(lambda: vocab.index(UNK))
    numbers.update((token, number) for number, token in enumerate(vocab))
    return tuple(numbers[token] for token in tokens)


def decode(tokens):
    text = ""
    for number, token in enumerate(tokens):
        text += token[2:] if token[:2] == "##" else token if number == 0 else f" {token}"
    return text
