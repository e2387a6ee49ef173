"""Style: words as arrays of symbol numbers, merged in place on buffers of their own; integer scores scaled exactly."""

import string
import unicodedata
from array import array
from collections import Counter
from fractions import Fraction
from math import lcm

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
    return (word[:1] + "".join("\0##" + char for char in word[1:])).split("\0") if word else []


def word_counts(texts):
    flat = []
    for text in texts:
        flat += words_of(text)
    order = {}
    for place, word in enumerate(flat):
        order.setdefault(word, place)
    counted = Counter(sorted(flat))
    return {word: counted[word] for word in sorted(order, key=order.__getitem__)}


def alphabet(counts):
    found = dict.fromkeys(symbol for word in counts for symbol in split_word(word))
    return sorted(found)


def pair_scores(splits, counts):
    table = Table()
    buffers = [(table.numbers(split), counts[word]) for word, split in splits.items()]
    single, double = count(buffers)
    return {
        (table.names[a], table.names[b]): Fraction(times, single[a] * single[b]) for (a, b), times in double.items()
    }


def best_pair(scores):
    if not scores:
        return None
    # on a common denominator fractions are whole numbers
    below = lcm(*(score.denominator for score in scores.values()))
    scaled = [score.numerator * (below // score.denominator) for score in scores.values()]
    return list(scores)[scaled.index(max(scaled))]


def merge(pair, split):
    table = Table()
    left, right = table.number(pair[0]), table.number(pair[1])
    buffer = table.numbers(split)
    join(buffer, left, right, table.number(pair[0] + pair[1][len("##") :]))
    return [table.names[number] for number in buffer]


class Table:
    """Numbers the symbols in the order in which they come."""

    def __init__(self):
        self.names = []
        self._numbers = {}

    def number(self, name):
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]

    def numbers(self, names):
        return array("l", map(self.number, names))


def count(buffers):
    single, double = {}, {}
    for buffer, times in buffers:
        before = None
        for number in buffer:
            single[number] = single.get(number, 0) + times
            if before is not None:
                double[before, number] = double.get((before, number), 0) + times
            before = number
    return single, double


def join(buffer, left, right, joined):
    """Close the gaps of a merge inside the buffer."""
    read = write = 0
    while read < len(buffer):
        if buffer[read] == left and read + 1 < len(buffer) and buffer[read + 1] == right:
            buffer[write] = joined
            read += 2
        else:
            buffer[write] = buffer[read]
            read += 1
        write += 1
    del buffer[write:]


def learn(counts, vocab_size, specials=SPECIALS):
    table = Table()
    buffers = [(table.numbers(split_word(word)), times) for word, times in counts.items()]
    vocab = [*specials, *alphabet(counts)]
    while len(vocab) < vocab_size:
        single, double = count(buffers)
        pair = best_pair({(a, b): Fraction(times, single[a] * single[b]) for (a, b), times in double.items()})
        if pair is None:
            return vocab
        left, right = (table.names[number] for number in pair)
        vocab.append(left + right[2:])
        for buffer, _ in buffers:
            join(buffer, *pair, table.number(vocab[-1]))
    return vocab


def train(texts, vocab_size, specials=SPECIALS):
    return learn(word_counts(texts), vocab_size, specials=specials)


def encode_word(word, vocab, max_chars=100):
    vocab = vocab if isinstance(vocab, (set, dict)) else dict.fromkeys(vocab)
    if len(word) > max_chars:
        return [UNK]
    # next_end[start]: where the longest token that begins at start ends
    next_end = [0] * len(word)
    for start in range(len(word)):
        for end in range(start + 1, len(word) + 1):
            if word[start:end] in vocab if start == 0 else "##" + word[start:end] in vocab:
                next_end[start] = end
    tokens, start = [], 0
    while start < len(word) and next_end[start]:
        tokens.append(word[: next_end[0]] if start == 0 else "##" + word[start : next_end[start]])
        start = next_end[start]
    return tokens if start == len(word) else [UNK]


def encode(text, vocab):
    table = dict.fromkeys(vocab)
    tokens = []
    for word in words_of(text):
        tokens[len(tokens) :] = encode_word(word, table)
    return tokens


def ids(tokens, vocab):
    numbers = {}
    for number in range(len(vocab)):
        numbers[vocab[number]] = number
    found = []
    for token in tokens:
        try:
            found.append(numbers[token])
        except KeyError:
            found.append(numbers[UNK])
    return found


def decode(tokens):
    out = []
    for token in tokens:
        if token[:2] == "##":
            out.append(token[2:])
        else:
            out.extend((" ", token) if out else (token,))
    return "".join(out)
