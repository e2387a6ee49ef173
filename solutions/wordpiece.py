"""WordPiece, as BERT uses it."""

import string
import unicodedata
from collections import Counter
from collections.abc import Collection
from fractions import Fraction
from itertools import pairwise

UNK = "[UNK]"
SPECIALS = ("[PAD]", UNK, "[CLS]", "[SEP]", "[MASK]")

Pair = tuple[str, str]


def words_of(text: str) -> list[str]:
    """Cut a text into words as BERT does: at whitespace, and each punctuation character is a word."""
    return "".join(f" {char} " if _is_punctuation(char) else char for char in text).split()


def _is_punctuation(char: str) -> bool:
    """Say whether BERT takes a character as punctuation: all ASCII signs, and what Unicode calls so."""
    return char in string.punctuation or unicodedata.category(char).startswith("P")


def split_word(word: str) -> list[str]:
    """Return the symbols of a word: the first character as it is, each other one with ## in front."""
    return [char if place == 0 else "##" + char for place, char in enumerate(word)]


def word_counts(texts: list[str]) -> dict[str, int]:
    """Count the words of some texts, in the order in which they first occur."""
    return dict(Counter(word for text in texts for word in words_of(text)))


def alphabet(counts: dict[str, int]) -> list[str]:
    """Return the symbols of all words, each once, sorted."""
    return sorted({symbol for word in counts for symbol in split_word(word)})


def pair_scores(splits: dict[str, list[str]], counts: dict[str, int]) -> dict[Pair, Fraction]:
    """Score the pairs of neighbouring symbols, in the order in which they are met."""
    symbols: Counter[str] = Counter()
    pairs: Counter[Pair] = Counter()
    for word, split in splits.items():
        for symbol in split:
            symbols[symbol] += counts[word]
        for pair in pairwise(split):
            pairs[pair] += counts[word]
    return {(left, right): Fraction(count, symbols[left] * symbols[right]) for (left, right), count in pairs.items()}


def best_pair(scores: dict[Pair, Fraction]) -> Pair | None:
    """Return the pair with the highest score, of equal ones the first."""
    # max returns the first of equals; fractions are compared exactly
    return max(scores, key=lambda pair: scores[pair], default=None)


def merge(pair: Pair, split: list[str]) -> list[str]:
    """Return a split with every occurrence of the pair joined into one symbol."""
    merged: list[str] = []
    place = 0
    while place < len(split):
        if tuple(split[place : place + 2]) == pair:
            merged.append(_joined(pair))
            place += 2
        else:
            merged.append(split[place])
            place += 1
    return merged


def _joined(pair: Pair) -> str:
    """Return the symbol of a pair: the right one loses the two signs in front, the left one keeps what it has."""
    return pair[0] + pair[1][2:]


def learn(counts: dict[str, int], vocab_size: int, specials: tuple[str, ...] = SPECIALS) -> list[str]:
    """Learn a vocabulary from counted words."""
    splits = {word: split_word(word) for word in counts}
    vocab = [*specials, *alphabet(counts)]
    while len(vocab) < vocab_size:
        pair = best_pair(pair_scores(splits, counts))
        if pair is None:
            break
        splits = {word: merge(pair, split) for word, split in splits.items()}
        vocab.append(_joined(pair))
    return vocab


def train(texts: list[str], vocab_size: int, specials: tuple[str, ...] = SPECIALS) -> list[str]:
    """Learn a vocabulary from texts."""
    return learn(word_counts(texts), vocab_size, specials)


def encode_word(word: str, vocab: Collection[str], max_chars: int = 100) -> list[str]:
    """Cut a word into tokens, the longest first; [UNK] if that does not work out."""
    if len(word) > max_chars:
        return [UNK]
    tokens: list[str] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in vocab:
                tokens.append(prefix + word[start:end])
                start = end
                break
        else:
            return [UNK]  # nothing fits here: all of the word is unknown, also what did fit
    return tokens


def encode(text: str, vocab: list[str]) -> list[str]:
    """Cut a text into tokens."""
    known = set(vocab)
    return [token for word in words_of(text) for token in encode_word(word, known)]


def ids(tokens: list[str], vocab: list[str]) -> list[int]:
    """Return the ids of tokens, that of [UNK] for those that are not in the vocabulary."""
    id_of = {token: number for number, token in enumerate(vocab)}
    return [id_of.get(token, id_of[UNK]) for token in tokens]


def decode(tokens: list[str]) -> str:
    """Join tokens to a text: a space in front of each word, none in front of what continues one."""
    parts = [token[2:] if token.startswith("##") else " " + token for token in tokens]
    return "".join(parts).removeprefix(" ")
