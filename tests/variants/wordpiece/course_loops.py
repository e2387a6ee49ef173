"""Style: loops with while and a rest that gets shorter, as a first course writes it."""

import string
import unicodedata
from collections import defaultdict
from fractions import Fraction

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
    split = []
    for i in range(len(word)):
        if i == 0:
            split.append(word[i])
        else:
            split.append("##" + word[i])
    return split


def word_counts(texts):
    freqs = defaultdict(int)
    for text in texts:
        for word in words_of(text):
            freqs[word] += 1
    return freqs


def alphabet(counts):
    found = []
    for word in counts:
        if word == "":
            continue
        if word[0] not in found:
            found.append(word[0])
        for letter in word[1:]:
            if f"##{letter}" not in found:
                found.append(f"##{letter}")
    found.sort()
    return found


def pair_scores(splits, counts):
    letter_freqs = defaultdict(int)
    pair_freqs = defaultdict(int)
    for word, split in splits.items():
        freq = counts[word]
        if len(split) == 1:
            letter_freqs[split[0]] += freq
            continue
        for i in range(len(split) - 1):
            letter_freqs[split[i]] += freq
            pair_freqs[(split[i], split[i + 1])] += freq
        if split:
            letter_freqs[split[-1]] += freq
    return {pair: Fraction(freq, letter_freqs[pair[0]] * letter_freqs[pair[1]]) for pair, freq in pair_freqs.items()}


def best_pair(scores):
    best, max_score = None, None
    for pair, score in scores.items():
        if max_score is None or max_score < score:
            best, max_score = pair, score
    return best


def merge(pair, split):
    a, b = pair
    split = list(split)
    i = 0
    while i < len(split) - 1:
        if split[i] == a and split[i + 1] == b:
            split = split[:i] + [a + b[2:] if b.startswith("##") else a + b] + split[i + 2 :]
        i += 1
    return split


def learn(counts, vocab_size, specials=SPECIALS):
    vocab = list(specials).copy() + alphabet(counts)
    splits = {}
    for word in counts:
        splits[word] = split_word(word)
    while len(vocab) < vocab_size:
        scores = pair_scores(splits, counts)
        if len(scores) == 0:
            break
        pair = best_pair(scores)
        for word in splits:
            splits[word] = merge(pair, splits[word])
        vocab.append(pair[0] + pair[1][2:])
    return vocab


def train(texts, vocab_size, specials=SPECIALS):
    return learn(word_counts(texts), vocab_size, specials)


def encode_word(word, vocab, max_chars=100):
    if len(word) > max_chars:
        return ["[UNK]"]
    tokens = []
    # the marks in front of the rest are never cut: a token has at least one character behind them
    marks = 0
    while len(word) > marks:
        i = len(word)
        while i > marks and word[:i] not in vocab:
            i -= 1
        if i == marks:
            return ["[UNK]"]
        tokens.append(word[:i])
        word = "##" + word[i:]
        marks = 2
    return tokens


def encode(text, vocab):
    vocab = set(vocab)
    encoded = [encode_word(word, vocab) for word in words_of(text)]
    return sum(encoded, [])


def ids(tokens, vocab):
    result = []
    for token in tokens:
        if token in vocab:
            result.append(vocab.index(token))
        else:
            result.append(vocab.index("[UNK]"))
    return result


def decode(tokens):
    text = " ".join(tokens).replace(" ##", "")
    return text[2:] if tokens and tokens[0].startswith("##") else text
