"""Byte-pair encoding, byte level, as GPT-2 uses it."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

# The alternatives in the order of the rules; `[^\W\d_]` is a letter, `[^\s\w]|_` all that is left.
PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_symbols() -> dict[int, str]:
    """Return one printable character for each of the 256 byte values."""
    kept = {*range(33, 127), *range(161, 173), *range(174, 256)}
    shifted = [byte for byte in range(256) if byte not in kept]
    return {byte: chr(byte) if byte in kept else chr(256 + shifted.index(byte)) for byte in range(256)}


SYMBOLS = byte_symbols()
BYTES = {symbol: byte for byte, symbol in SYMBOLS.items()}


def pre_tokenize(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Cut a text into pieces as GPT-2 does, each with its place in the text."""
    return [(_symbols(match[0]), match.span()) for match in PIECE.finditer(text)]


def _symbols(text: str) -> str:
    return "".join(SYMBOLS[byte] for byte in text.encode())


def split_specials(text: str, specials: list[str]) -> list[tuple[str, bool]]:
    """Cut a text at the special tokens it contains."""
    if not specials:
        return [(text, False)] if text else []
    longest_first = sorted(specials, key=len, reverse=True)
    # the parentheses keep the separators: every second part is a special token
    parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)
    return [(part, number % 2 == 1) for number, part in enumerate(parts) if part]


def word_frequencies(corpus: list[str], specials: list[str]) -> dict[str, int]:
    """Count the pieces of a corpus."""
    counts: Counter[str] = Counter()
    for text in corpus:
        for part, is_special in split_specials(text, specials):
            if not is_special:
                counts.update(piece for piece, _ in pre_tokenize(part))
    return dict(counts)


def pair_frequencies(splits: dict[str, list[str]], word_freqs: dict[str, int]) -> dict[tuple[str, str], int]:
    """Count the pairs of neighbouring symbols, each word weighed by its frequency."""
    counts: Counter[tuple[str, str]] = Counter()
    for word, symbols in splits.items():
        for pair in pairwise(symbols):
            counts[pair] += word_freqs[word]
    return dict(counts)


def merge_pair(a: str, b: str, splits: dict[str, list[str]]) -> dict[str, list[str]]:
    """Replace every occurrence of the pair (a, b) by the one symbol a + b."""
    return {word: _merge(a, b, symbols) for word, symbols in splits.items()}


def _merge(a: str, b: str, symbols: list[str]) -> list[str]:
    merged: list[str] = []
    place = 0
    while place < len(symbols):
        if symbols[place : place + 2] == [a, b]:
            merged.append(a + b)
            place += 2
        else:
            merged.append(symbols[place])
            place += 1
    return merged


def train(
    corpus: list[str], vocab_size: int, specials: tuple[str, ...] = ("<|endoftext|>",)
) -> tuple[list[tuple[str, str]], list[str]]:
    """Learn the merges of a corpus."""
    word_freqs = word_frequencies(corpus, list(specials))
    splits = {word: list(word) for word in word_freqs}
    vocab = [*specials, *sorted({symbol for word in word_freqs for symbol in word})]
    merges: list[tuple[str, str]] = []
    while len(vocab) < vocab_size:
        counts = pair_frequencies(splits, word_freqs)
        if not counts:
            break
        # max returns the first of equals, and dicts keep the order in which the pairs were met
        a, b = max(counts, key=lambda pair: counts[pair])
        splits = merge_pair(a, b, splits)
        merges.append((a, b))
        vocab.append(a + b)
    return merges, vocab


def tokenize(text: str, merges: list[tuple[str, str]]) -> list[str]:
    """Cut a text into tokens with learned merges."""
    ranks = {pair: rank for rank, pair in reversed(list(enumerate(merges)))}
    return [token for piece, _ in pre_tokenize(text) for token in _apply(piece, ranks)]


def _apply(piece: Iterable[str], ranks: dict[tuple[str, str], int]) -> list[str]:
    symbols = list(piece)
    while len(symbols) > 1:
        best = min(pairwise(symbols), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        symbols = _merge(*best, symbols)
    return symbols


def encode(text: str, merges: list[tuple[str, str]], vocab: list[str], specials: list[str]) -> list[int]:
    """Turn a text into token ids."""
    id_of = {token: number for number, token in enumerate(vocab)}
    ids: list[int] = []
    for part, is_special in split_specials(text, specials):
        ids += [id_of[token] for token in ([part] if is_special else tokenize(part, merges))]
    return ids


def decode(ids: list[int], vocab: list[str], specials: list[str]) -> str:
    """Turn token ids back into a text."""
    text = ""
    run = bytearray()
    for number in ids:
        token = vocab[number]
        if token in specials:
            text += run.decode("utf-8", "replace") + token
            run.clear()
        else:
            run += bytes(BYTES[symbol] for symbol in token)
    return text + run.decode("utf-8", "replace")


SPACE = "▁"
BYTE_TOKENS = {f"<0x{byte:02X}>": byte for byte in range(256)}


def fallback_tokenize(text: str, merges: list[tuple[str, str]], alphabet: list[str], specials: list[str]) -> list[str]:
    """Cut a text into tokens made of characters; characters outside the alphabet become bytes."""
    known = set(alphabet)
    ranks = {pair: rank for rank, pair in reversed(list(enumerate(merges)))}
    tokens: list[str] = []
    for part, is_special in split_specials(text, specials):
        if is_special:
            tokens.append(part)
            continue
        for _, (start, end) in pre_tokenize(part):
            symbols = [symbol for char in part[start:end] for symbol in _spell(char, known)]
            tokens += _apply(symbols, ranks)
    return tokens


def _spell(char: str, known: set[str]) -> list[str]:
    if char == " " and SPACE in known:
        return [SPACE]
    # a "▁" of the text must not come back as a space, so it never stands for itself
    if char in known and char != SPACE:
        return [char]
    return [f"<0x{byte:02X}>" for byte in char.encode()]


def fallback_decode(tokens: list[str], specials: list[str]) -> str:
    """Turn tokens of `fallback_tokenize` back into a text."""
    raw = bytearray()
    for token in tokens:
        if token in specials:
            raw += token.encode()
        elif token in BYTE_TOKENS:
            raw.append(BYTE_TOKENS[token])
        else:
            raw += token.replace(SPACE, " ").encode()
    # whole characters end a run of bytes by themselves: none of them begins with a continuation byte
    return raw.decode("utf-8", "replace")


def merges_to_text(merges: list[tuple[str, str]]) -> str:
    """Write merges in the form of a merges.txt file."""
    for symbol in (symbol for pair in merges for symbol in pair):
        if not symbol or set(symbol) & set(" \n\r"):
            raise ValueError(f"{symbol!r} cannot be written: it is empty, or would be read as two symbols or lines")
    return "".join(f"{line}\n" for line in ["#version: 0.2", *(f"{a} {b}" for a, b in merges)])


def merges_from_text(text: str) -> list[tuple[str, str]]:
    """Read merges from the text of a merges.txt file."""
    merges = []
    # neither splitlines() nor split(): they know more line ends and spaces than this format does
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line or (number == 1 and line.startswith("#version")):
            continue
        left, space, right = line.partition(" ")
        if not (left and space and right) or " " in right:
            raise ValueError(f"line {number}: {line!r} is not two symbols with one space between them")
        merges.append((left, right))
    return merges


def bytes_per_token(texts: list[str], merges: list[tuple[str, str]]) -> float:
    """Return how well merges compress texts."""
    size = sum(len(text.encode()) for text in texts)
    count = sum(len(tokenize(text, merges)) for text in texts)
    return size / count if count else 0.0
