"""Computes the numeric keys of quizzes/bpe.yaml from first principles."""

import re
from collections import Counter
from itertools import pairwise

_SENTENCES = (
    "This is the Hugging Face Course.",
    "This chapter is about tokenization.",
    "This section shows several tokenizer algorithms.",
    "Hopefully, you will be able to understand how they are trained and generate tokens.",
)


def bpe_first_merge() -> str:
    (left, right), count, _ = _steps(_words(), 1)[0]
    return f"{left} + {right} ({count} times)"


def bpe_ties() -> str:
    steps = _steps(_words(), 19)
    return f"{sum(rivals > 1 for _, _, rivals in steps)} of the {len(steps)}"


def bpe_gpt2_merges() -> int:
    special_tokens = 1
    return 50257 - len(bytes(range(256))) - special_tokens


def bpe_pair_count() -> int:
    words = {"banana": 3, "ban": 2, "nab": 4}
    return _counts({word: tuple(word) for word in words}, words)["a", "n"]


def bpe_second_merge() -> str:
    (left, right), count, _ = _steps({"sun": 5, "bun": 4, "bug": 10, "hug": 5, "hugs": 2}, 2)[1]
    return f"{left} + {right}, {count} times"


def bpe_encode_by_rank() -> str:
    symbols = tuple("Ġthen")
    for pair, _, _ in _steps(_words(), 19):
        symbols = _merged(symbols, pair)
    return " | ".join(symbols)


def bpe_exhausted() -> int:
    words = {"low": 2, "lower": 1}
    return len(set("".join(words))) + len(_steps(words, 1000))


def bpe_bytes_per_token() -> float:
    tokens = ("This", "Ġis", "Ġa", "Ġ", "c", "a", "f", "Ã", "©", ".")
    return len("This is a caf\u00e9.".encode()) / len(tokens)


def _words() -> Counter[str]:
    pieces = (piece for text in _SENTENCES for piece in re.findall(r" ?[A-Za-z]+|[^\sA-Za-z]", text))
    return Counter(piece.replace(" ", "Ġ") for piece in pieces)


def _counts(splits: dict[str, tuple[str, ...]], words: dict[str, int]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for word, symbols in splits.items():
        for pair in pairwise(symbols):
            counts[pair] += words[word]
    return counts


def _merged(symbols: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    place = 0
    while place < len(symbols):
        width = 2 if symbols[place : place + 2] == pair else 1
        merged.append("".join(symbols[place : place + width]))
        place += width
    return tuple(merged)


def _steps(words: dict[str, int], most: int) -> list[tuple[tuple[str, str], int, int]]:
    """Return for each step the pair that was merged (ties: the one met first), its count, and how many had it."""
    splits = {word: tuple(word) for word in words}
    steps: list[tuple[tuple[str, str], int, int]] = []
    while len(steps) < most and (counts := _counts(splits, words)):
        pair, count = max(counts.items(), key=lambda item: item[1])
        steps.append((pair, count, sum(value == count for value in counts.values())))
        splits = {word: _merged(symbols, pair) for word, symbols in splits.items()}
    return steps
