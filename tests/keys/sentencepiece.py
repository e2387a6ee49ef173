"""Computes the numeric keys of quizzes/sentencepiece.yaml from first principles."""

from fractions import Fraction
from math import prod, sqrt


def _segmentations(word: str, pieces: dict[str, Fraction]) -> list[list[str]]:
    """Return all ways to write a word with some pieces."""
    if not word:
        return [[]]
    return [
        [word[:end], *rest]
        for end in range(1, len(word) + 1)
        if word[:end] in pieces
        for rest in _segmentations(word[end:], pieces)
    ]


def sp_best_segmentation() -> str:
    texts = {"h": "0.05", "u": "0.1", "g": "0.05", "s": "0.1", "hu": "0.04", "ug": "0.06", "gs": "0.02", "hug": "0.006"}
    pieces = {piece: Fraction(text) for piece, text in texts.items()}
    return " ".join(max(_segmentations("hugs", pieces), key=lambda cut: prod(pieces[piece] for piece in cut)))


def sp_expected_count() -> Fraction:
    texts = {"a": "0.2", "b": "0.1", "c": "0.2", "ab": "0.05", "bc": "0.1"}
    pieces = {piece: Fraction(text) for piece, text in texts.items()}
    cuts = _segmentations("abc", pieces)
    weights = [prod(pieces[piece] for piece in cut) for cut in cuts]
    return 10 * sum(weight * cut.count("bc") for weight, cut in zip(weights, cuts, strict=True)) / sum(weights)


def sp_sampling_alpha() -> float:
    weights = [sqrt(0.0008), sqrt(0.0002)]
    return weights[0] / sum(weights)


def sp_byte_pieces() -> int:
    return len("\u00e9\u65e5\U0001f600".encode())
