"""Style: classes for symbols, words and the tokenizer; the functions only call them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction
from string import punctuation

UNK = "[UNK]"
SPECIALS = ("[PAD]", UNK, "[CLS]", "[SEP]", "[MASK]")


def words_of(text):
    for char in set(text):
        if char in punctuation or unicodedata.category(char).startswith("P"):
            text = text.replace(char, f" {char} ")
    return text.split()


@dataclass(frozen=True)
class Symbol:
    body: str
    inside: bool

    @classmethod
    def read(cls, token):
        return cls(token[2:], True) if token.startswith("##") else cls(token, False)

    def __str__(self):
        return ("##" if self.inside else "") + self.body

    def __add__(self, other):
        return Symbol(self.body + other.body, self.inside)


@dataclass
class Word:
    text: str
    times: int
    symbols: list[Symbol] = field(default_factory=list)

    def __post_init__(self):
        self.symbols = self.symbols or [Symbol(char, place > 0) for place, char in enumerate(self.text)]

    @property
    def pairs(self):
        return list(zip(self.symbols, self.symbols[1:]))

    def join(self, left, right):
        out = []
        waiting = list(reversed(self.symbols))
        while waiting:
            one = waiting.pop()
            if one == left and waiting and waiting[-1] == right:
                one = one + waiting.pop()
            out.append(one)
        self.symbols = out


@dataclass
class Trainer:
    words: list[Word]

    def scores(self):
        single, double = {}, {}
        for word in self.words:
            for symbol in word.symbols:
                single[symbol] = single.get(symbol, 0) + word.times
            for pair in word.pairs:
                double[pair] = double.get(pair, 0) + word.times
        return {(a, b): Fraction(n, single[a]) * Fraction(1, single[b]) for (a, b), n in double.items()}

    def step(self):
        scores = self.scores()
        if not scores:
            return None
        top = max(scores.values())
        left, right = [pair for pair, score in scores.items() if score == top][0]
        for word in self.words:
            word.join(left, right)
        return left + right


@dataclass
class Encoder:
    vocab: frozenset[str]
    max_chars: int = 100

    def __post_init__(self):
        self.begin = {token for token in self.vocab}
        self.inside = {token[2:] for token in self.vocab if token.startswith("##")}
        self.longest = max(map(len, self.vocab), default=0)

    def word(self, text):
        return [UNK] if len(text) > self.max_chars else self.pieces(text) or ([UNK] if text else [])

    def pieces(self, text):
        found = []
        known = self.begin
        while text:
            size = min(self.longest, len(text))
            while size and text[:size] not in known:
                size -= 1
            if not size:
                return None
            found.append(str(Symbol(text[:size], bool(found))))
            text, known = text[size:], self.inside
        return found


def split_word(word):
    return list(map(str, Word(word, 1).symbols))


def word_counts(texts):
    counts = {}
    for text in texts:
        for word in words_of(text):
            if word in counts:
                counts[word] += 1
            else:
                counts[word] = 1
    return counts


def alphabet(counts):
    return sorted({str(symbol) for word in counts for symbol in Word(word, 1).symbols})


def pair_scores(splits, counts):
    words = [Word(word, counts[word], list(map(Symbol.read, split))) for word, split in splits.items()]
    return {(str(a), str(b)): score for (a, b), score in Trainer(words).scores().items()}


def best_pair(scores):
    items = list(enumerate(scores.items()))
    if not items:
        return None
    return max(items, key=lambda item: (item[1][1], -item[0]))[1][0]


def merge(pair, split):
    if not split:
        return []
    word = Word("", 1, list(map(Symbol.read, split)))
    word.join(*map(Symbol.read, pair))
    return [str(symbol) for symbol in word.symbols]


def learn(counts, vocab_size, specials=SPECIALS):
    vocab = [*specials, *alphabet(counts)]
    trainer = Trainer([Word(word, times) for word, times in counts.items()])
    while len(vocab) < vocab_size:
        symbol = trainer.step()
        if symbol is None:
            break
        vocab.append(str(symbol))
    return vocab


def train(texts, vocab_size, specials=SPECIALS):
    return learn(word_counts(texts), vocab_size, specials)


def encode_word(word, vocab, max_chars=100):
    return Encoder(frozenset(vocab), max_chars).word(word)


def encode(text, vocab):
    encoder = Encoder(frozenset(vocab))
    tokens = []
    for word in words_of(text):
        tokens.extend(encoder.word(word))
    return tokens


class _Ids(dict):
    def __missing__(self, token):
        return self[UNK]


def ids(tokens, vocab):
    table = _Ids((token, number) for number, token in enumerate(vocab))
    return [table[token] for token in tokens]


def decode(tokens):
    symbols = [Symbol.read(token) for token in tokens]
    return "".join(s.body if s.inside or n == 0 else " " + s.body for n, s in enumerate(symbols))
