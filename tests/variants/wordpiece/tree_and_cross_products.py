"""Style: a tree of characters for encoding; scores are compared by cross-multiplying whole numbers."""

import string
import unicodedata
from collections import Counter
from fractions import Fraction
from functools import cmp_to_key

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
    return list(word[:1]) + [f"##{char}" for char in word[1:]]


def word_counts(texts):
    counts = Counter()
    for text in texts:
        counts.update(words_of(text))
    return counts


def alphabet(counts):
    return sorted(set().union(*map(split_word, counts)))


def _frequencies(splits, counts):
    symbols, pairs = Counter(), Counter()
    for word, split in splits.items():
        times = counts[word]
        for left, right in zip(split, split[1:] + [None]):
            symbols[left] += times
            if right is not None:
                pairs[left, right] += times
    return symbols, pairs


def pair_scores(splits, counts):
    symbols, pairs = _frequencies(splits, counts)
    return {pair: Fraction(n, symbols[pair[0]]) / symbols[pair[1]] for pair, n in pairs.items()}


def best_pair(scores):
    best = (None, None)
    for pair, score in scores.items():
        if best[0] is None or score.numerator * best[1].denominator > best[1].numerator * score.denominator:
            best = (pair, score)
    return best[0]


def merge(pair, split):
    out = []
    fresh = False  # the last symbol of out has just been joined and is used up
    for symbol in split:
        if out and not fresh and (out[-1], symbol) == pair:
            out[-1] += symbol[2:]
            fresh = True
        else:
            out.append(symbol)
            fresh = False
    return out


def _compare(symbols, pairs):
    def cross(one, two):
        mine = pairs[one] * symbols[two[0]] * symbols[two[1]]
        yours = pairs[two] * symbols[one[0]] * symbols[one[1]]
        return (mine > yours) - (mine < yours)

    return cmp_to_key(cross)


def learn(counts, vocab_size, specials=SPECIALS):
    splits = {word: split_word(word) for word in counts}
    vocab = list(specials)
    vocab += alphabet(counts)
    room = vocab_size - len(vocab)
    while room > 0:
        symbols, pairs = _frequencies(splits, counts)
        if not pairs:
            break
        pair = max(pairs, key=_compare(symbols, pairs))
        for word, split in splits.items():
            if pair[0] in split:
                splits[word] = merge(pair, split)
        vocab.append(pair[0] + pair[1].removeprefix("##"))
        room -= 1
    return vocab


def train(texts, vocab_size, specials=SPECIALS):
    return learn(word_counts(texts), vocab_size, specials)


class Node:
    __slots__ = ("children", "is_token")

    def __init__(self):
        self.children = {}
        self.is_token = False


def _grow(tokens):
    root = Node()
    for token in tokens:
        node = root
        for char in token:
            node = node.children.setdefault(char, Node())
        node.is_token = True
    return root


def _walk(word, root, max_chars):
    if len(word) > max_chars:
        return [UNK]
    inner = root
    for char in "##":
        inner = inner.children.get(char, Node())
    tokens = []
    start = 0
    while start < len(word):
        node = inner if start else root
        end = start
        for place in range(start, len(word)):
            node = node.children.get(word[place])
            if node is None:
                break
            if node.is_token:
                end = place + 1
        if end == start:
            return [UNK]
        tokens.append(("##" if start else "") + word[start:end])
        start = end
    return tokens


def encode_word(word, vocab, max_chars=100):
    return _walk(word, _grow(vocab), max_chars)


def encode(text, vocab):
    root = _grow(vocab)
    tokens = []
    for word in words_of(text):
        tokens += _walk(word, root, 100)
    return tokens


def ids(tokens, vocab):
    table = {UNK: vocab.index(UNK)}
    for number, token in enumerate(vocab):
        table[token] = number
    return [table[token if token in table else UNK] for token in tokens]


def decode(tokens):
    out = []
    for token in tokens:
        if not token.startswith("##"):
            out.append([token])
        elif out:
            out[-1].append(token[2:])
        else:
            out.append([token[2:]])
    return " ".join("".join(word) for word in out)
