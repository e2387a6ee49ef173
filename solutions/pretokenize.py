"""Normalizing and splitting a text, with places in the original."""

import re
import unicodedata

SPACE_MARK = "▁"  # U+2581, not an underscore

# Both splitters match on a mask of the text: one letter for the class of each character, same length.
BERT_PIECE = re.compile(r"w+|p")
SHORT_FORM = re.compile(r"'(?:s|t|re|ve|m|ll|d)")
GPT2_PIECE = re.compile(r" ?l+| ?n+| ?o+|\s+(?!\S)|\s+")

Pieces = list[tuple[str, tuple[int, int]]]


def utf8_bytes(text: str) -> list[int]:
    """Return the UTF-8 bytes of a text."""
    return list(text.encode("utf-8"))


def from_utf8_bytes(values: list[int]) -> str:
    """Return the text that UTF-8 bytes stand for; `bytes` raises ValueError for what is no byte."""
    return bytes(values).decode("utf-8", errors="replace")


def byte_to_char() -> dict[int, str]:
    """Return one printable character for each of the 256 byte values."""
    kept = {*range(33, 127), *range(161, 173), *range(174, 256)}
    moved = [byte for byte in range(256) if byte not in kept]
    return {byte: chr(byte) for byte in kept} | {byte: chr(256 + n) for n, byte in enumerate(moved)}


BYTE_CHARS = byte_to_char()


def _normalize_char(char: str) -> str:
    """Return what is left of one character: nothing, one character, or (Hangul) several."""
    parts = unicodedata.normalize("NFD", char)
    return "".join(part.lower() for part in parts if unicodedata.category(part) != "Mn")


def normalize(text: str) -> str:
    """Take accents and capital letters out of a text, as BERT uncased does."""
    return "".join(map(_normalize_char, text))


def normalize_with_offsets(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Normalize a text and say where each character comes from."""
    groups: list[tuple[str, int, int]] = []  # what one character became, start and end of its span
    for place, char in enumerate(text):
        left = _normalize_char(char)
        if left:
            groups.append((left, place, place + 1))
        elif groups:  # a dropped mark belongs to the character before it
            before, start, _ = groups[-1]
            groups[-1] = (before, start, place + 1)
    normalized = "".join(left for left, _, _ in groups)
    return normalized, [(start, end) for left, start, end in groups for _ in left]


def _is_punctuation(char: str) -> bool:
    # In ASCII also what Unicode calls a symbol, such as $ + < ^ `
    if char.isascii():
        return char.isprintable() and not char.isalnum() and char != " "
    return unicodedata.category(char).startswith("P")


def split_bert(text: str) -> Pieces:
    """Split a text at whitespace, every punctuation character being a piece of its own."""
    mask = "".join(" " if c.isspace() else "p" if _is_punctuation(c) else "w" for c in text)
    return [(text[slice(*match.span())], match.span()) for match in BERT_PIECE.finditer(mask)]


def bert_pieces(text: str) -> Pieces:
    """Normalize a text, then split it; places are those in the text as it was."""
    normalized, origins = normalize_with_offsets(text)
    return [(piece, (origins[start][0], origins[end - 1][1])) for piece, (start, end) in split_bert(normalized)]


def _gpt2_class(char: str) -> str:
    if char.isspace():
        return char  # the rules tell the space from other whitespace
    return {"L": "l", "N": "n"}.get(unicodedata.category(char)[0], "o")


def split_gpt2(text: str) -> Pieces:
    """Split a text as GPT-2 does, a space going with the word after it."""
    mask = "".join(map(_gpt2_class, text))
    pieces: Pieces = []
    start = 0
    while start < len(text):
        match = SHORT_FORM.match(text, start) or GPT2_PIECE.match(mask, start)
        assert match, "every character is in a class"
        end = match.end()
        pieces.append(("".join(BYTE_CHARS[byte] for byte in utf8_bytes(text[start:end])), (start, end)))
        start = end
    return pieces


def escape_spaces(text: str) -> str:
    """Write spaces as U+2581, as SentencePiece does."""
    if SPACE_MARK in text:
        raise ValueError(f"{SPACE_MARK} in the text would come back as a space")
    return SPACE_MARK + text.replace(" ", SPACE_MARK) if text else ""


def unescape_spaces(escaped: str) -> str:
    """Turn U+2581 back into spaces, the prefix into nothing."""
    return escaped.removeprefix(SPACE_MARK).replace(SPACE_MARK, " ")


def split_sentencepiece(text: str) -> Pieces:
    """Escape a text, then cut it before every U+2581."""
    pieces: Pieces = []
    for match in re.finditer(f"{SPACE_MARK}[^{SPACE_MARK}]*", escape_spaces(text)):
        # the prefix moved everything by one place and stands for nothing itself
        pieces.append((match[0], (max(match.start() - 1, 0), match.end() - 1)))
    return pieces
