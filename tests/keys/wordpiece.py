"""Computes the numeric keys of quizzes/wordpiece.yaml from first principles."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

Split = list[str]
HUGS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}


def _split(word: str) -> Split:
    return [char if place == 0 else "##" + char for place, char in enumerate(word)]


def _scores(splits: dict[str, Split], counts: dict[str, int]) -> dict[tuple[str, str], Fraction]:
    symbols: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for word, split in splits.items():
        for symbol in split:
            symbols[symbol] += counts[word]
        for pair in pairwise(split):
            pairs[pair] += counts[word]
    return {(a, b): Fraction(count, symbols[a] * symbols[b]) for (a, b), count in pairs.items()}


def _merge(pair: tuple[str, str], split: Split) -> Split:
    merged: Split = []
    place = 0
    while place < len(split):
        if tuple(split[place : place + 2]) == pair:
            merged.append(pair[0] + pair[1][2:])
            place += 2
        else:
            merged.append(split[place])
            place += 1
    return merged


def _train(counts: dict[str, int], steps: int) -> tuple[list[str], dict[str, Split]]:
    """Return the new symbols and the splits after some merges; of equal scores the pair met first wins."""
    splits = {word: _split(word) for word in counts}
    made = []
    for _ in range(steps):
        scores = _scores(splits, counts)
        pair = max(scores, key=lambda pair: scores[pair])
        splits = {word: _merge(pair, split) for word, split in splits.items()}
        made.append(pair[0] + pair[1][2:])
    return made, splits


def _encode(word: str, vocab: set[str]) -> Split:
    tokens: Split = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        ends = [end for end in range(len(word), start, -1) if mark + word[start:end] in vocab]
        if not ends:
            return ["[UNK]"]
        tokens.append(mark + word[start : ends[0]])
        start = ends[0]
    return tokens


def wp_score_prefers() -> str:
    scores = {"first pair": Fraction(50, 60 * 55), "second pair": Fraction(50, 4000 * 3000)}
    return max(scores, key=lambda name: scores[name])


def wp_first_merge() -> str:
    scores = _scores({word: _split(word) for word in HUGS}, HUGS)
    best = max(scores.values())
    (pair,) = (pair for pair, score in scores.items() if score == best)  # no tie
    return f"({', '.join(pair)})"


def wp_score_value() -> Fraction:
    counts = {"data": 6, "date": 3, "tag": 2, "at": 4}
    return _scores({word: _split(word) for word in counts}, counts)["##t", "##a"]


def wp_alphabet_size() -> int:
    return len({symbol for word in ("banana", "band", "nab") for symbol in _split(word)})


def wp_missing_letter() -> str:
    found = _encode("bum", {"b", "h", "p", "##g", "##n", "##s", "##u", "##gs"})
    characters = [char if char in "bghnpsu" else "[UNK]" for char in "bum"]
    return f"`{' '.join(found)}` by WordPiece, but `{' '.join(characters)}` by BPE"


def wp_no_way_back() -> str:
    tokens = _encode("superbug", {"super", "superb", "##bug", "##g", "##s"})
    return f"`{' '.join(tokens)}`"


def wp_training_split() -> str:
    counts = {"pen": 5, "pens": 5, "pet": 1}
    made, splits = _train(counts, 3)
    if made != ["##ns", "pe", "pen"] or splits["pens"] != ["pe", "##ns"]:
        raise ValueError("the prompt says something else about training")
    return " ".join(_encode("pens", {*made, *(symbol for word in counts for symbol in _split(word))}))


def wp_third_score() -> Fraction:
    made, splits = _train(HUGS, 2)
    if made != ["##gs", "hu"]:
        raise ValueError("the prompt says something else about training")
    return _scores(splits, HUGS)["hu", "##g"]


def wp_equal_scores() -> str:
    return f"{1 / 3 / 11 == 1 / 11 / 3} {Fraction(1, 3 * 11) == Fraction(1, 11 * 3)}"
