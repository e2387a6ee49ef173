"""Hidden reference for grading the WordPiece exercise: plain, readable, and not shown to students.

Nothing is kept up to date from one step to the next: every score is counted anew from the present
splits, place by place, so that each line can be compared with the rule in the task.
"""

import string
import unicodedata
from collections.abc import Collection
from fractions import Fraction

UNK = "[UNK]"
SPECIALS = ("[PAD]", UNK, "[CLS]", "[SEP]", "[MASK]")

Pair = tuple[str, str]


def words_of(text: str) -> list[str]:
    """Cut a text into words: at whitespace, and each punctuation character is a word."""
    words = []
    open_word = ""
    for char in text:
        sign = char in string.punctuation or unicodedata.category(char)[0] == "P"
        if open_word and (sign or char.isspace()):
            words.append(open_word)
            open_word = ""
        if sign:
            words.append(char)
        elif not char.isspace():
            open_word += char
    if open_word:
        words.append(open_word)
    return words


def split_word(word: str) -> list[str]:
    """Return one symbol for each character, all but the first with ## in front."""
    if word == "":
        return []
    first, rest = word[0], word[1:]
    return [first] + ["##" + char for char in rest]


def word_counts(texts: list[str]) -> dict[str, int]:
    """Count the words; a dict keeps the order in which its keys were entered."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in words_of(text):
            counts[word] = counts.get(word, 0) + 1
    return counts


def alphabet(counts: dict[str, int]) -> list[str]:
    """Return the symbols of all words, each once, sorted."""
    symbols: list[str] = []
    for word in counts:
        for symbol in split_word(word):
            if symbol not in symbols:
                symbols.append(symbol)
    symbols.sort()
    return symbols


def pair_scores(splits: dict[str, list[str]], counts: dict[str, int]) -> dict[Pair, Fraction]:
    """Return freq(pair) / (freq(left) * freq(right)) for every pair, in the order in which it is met."""
    symbol_freq: dict[str, int] = {}
    pair_freq: dict[Pair, int] = {}
    for word, split in splits.items():
        for place in range(len(split)):
            symbol = split[place]
            symbol_freq[symbol] = symbol_freq.get(symbol, 0) + counts[word]
            if place + 1 < len(split):
                pair = (symbol, split[place + 1])
                pair_freq[pair] = pair_freq.get(pair, 0) + counts[word]
    scores = {}
    for (left, right), freq in pair_freq.items():
        scores[left, right] = Fraction(freq, symbol_freq[left] * symbol_freq[right])
    return scores


def best_pair(scores: dict[Pair, Fraction]) -> Pair | None:
    """Return the first of the pairs with the highest score, None if there is no pair."""
    best = None
    for pair, score in scores.items():
        # only a higher score replaces the best so far: of equal ones the first stays
        if best is None or score > scores[best]:
            best = pair
    return best


def merge(pair: Pair, split: list[str]) -> list[str]:
    """Return the split with the pair joined wherever it stands, from left to right."""
    left, right = pair
    merged = []
    rest = list(split)
    while rest:
        if rest[:2] == [left, right]:
            merged.append(joined(pair))
            rest = rest[2:]
        else:
            merged.append(rest[0])
            rest = rest[1:]
    return merged


def joined(pair: Pair) -> str:
    """Return the joined symbol: the left one, then the right one without its first two characters, ##."""
    left, right = pair
    return left + right[2:]


def learn(counts: dict[str, int], vocab_size: int, specials: tuple[str, ...] = SPECIALS) -> list[str]:
    """Merge the best pair until the vocabulary is full or no pair is left."""
    splits = {word: split_word(word) for word in counts}
    vocab = list(specials) + alphabet(counts)
    while len(vocab) < vocab_size:
        pair = best_pair(pair_scores(splits, counts))
        if pair is None:
            return vocab
        splits = {word: merge(pair, split) for word, split in splits.items()}
        vocab.append(joined(pair))
    return vocab


def train(texts: list[str], vocab_size: int, specials: tuple[str, ...] = SPECIALS) -> list[str]:
    """Learn a vocabulary from the counted words of the texts."""
    return learn(word_counts(texts), vocab_size, specials)


def encode_word(word: str, vocab: Collection[str], max_chars: int = 100) -> list[str]:
    """Cut a word into tokens: the longest beginning, then the same with what is left of the word."""
    if len(word) > max_chars:
        return [UNK]
    tokens = []
    mark = ""
    rest = word
    while rest:
        fitting = [length for length in range(1, len(rest) + 1) if mark + rest[:length] in vocab]
        if not fitting:
            return [UNK]
        longest = max(fitting)
        tokens.append(mark + rest[:longest])
        rest = rest[longest:]
        mark = "##"
    return tokens


def encode(text: str, vocab: list[str]) -> list[str]:
    """Return the tokens of all words of a text."""
    known = frozenset(vocab)
    tokens: list[str] = []
    for word in words_of(text):
        tokens.extend(encode_word(word, known))
    return tokens


def ids(tokens: list[str], vocab: list[str]) -> list[int]:
    """Return the place of each token in the vocabulary, that of [UNK] for those that it does not have."""
    return [vocab.index(token if token in vocab else UNK) for token in tokens]


def decode(tokens: list[str]) -> str:
    """Join tokens: what begins with ## is glued, anything else has a space in front, unless it is first."""
    parts = []
    for place, token in enumerate(tokens):
        if token[:2] == "##":
            parts.append(token[2:])
        elif place == 0:
            parts.append(token)
        else:
            parts.append(" " + token)
    return "".join(parts)
