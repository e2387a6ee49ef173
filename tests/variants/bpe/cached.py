"""Style: tables and the tokens of a piece are cached with functools."""

import itertools
import unicodedata
from functools import cache, lru_cache


@cache
def _table():
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = [b for b in range(256) if b not in kept]
    return {**{b: chr(b) for b in kept}, **{b: chr(256 + i) for i, b in enumerate(moved)}}


@cache
def _inverse():
    return {symbol: b for b, symbol in _table().items()}


@cache
def _kind(char):
    return "S" if char.isspace() else {"L": "L", "N": "N"}.get(unicodedata.category(char)[0], "O")


@lru_cache(maxsize=4096)
def _spell(text):
    return "".join(_table()[b] for b in text.encode("utf-8"))


def byte_symbols():
    return dict(_table())  # a copy: the caller may change it


def pre_tokenize(text):
    pieces = []
    at = 0
    while at < len(text):
        short = None
        if text[at] == "'":
            short = next((s for s in ("s", "t", "re", "ve", "m", "ll", "d") if text.startswith(s, at + 1)), None)
        if short:
            end = at + 1 + len(short)
        else:
            first = at + (text[at] == " " and at + 1 < len(text) and _kind(text[at + 1]) != "S")
            kind = _kind(text[first])
            end = first + 1
            while end < len(text) and _kind(text[end]) == kind:
                end += 1
            if kind == "S" and end < len(text) and end > at + 1:
                end -= 1
        pieces.append((_spell(text[at:end]), (at, end)))
        at = end
    return pieces


def split_specials(text, specials):
    parts = []
    at = begin = 0
    lengths = sorted({len(s) for s in specials}, reverse=True)
    known = set(specials)
    while at < len(text):
        for n in lengths:
            if text[at : at + n] in known and len(text) - at >= n:
                if begin < at:
                    parts.append((text[begin:at], False))
                parts.append((text[at : at + n], True))
                at = begin = at + n
                break
        else:
            at += 1
    if begin < len(text):
        parts.append((text[begin:], False))
    return parts


def word_frequencies(corpus, specials):
    freqs = {}
    for text in corpus:
        for part, special in split_specials(text, list(specials)):
            if not special:
                for piece, _ in pre_tokenize(part):
                    freqs[piece] = freqs.get(piece, 0) + 1
    return freqs


def pair_frequencies(splits, word_freqs):
    counts = {}
    for word, symbols in splits.items():
        for pair in itertools.pairwise(symbols):
            counts[pair] = counts.get(pair, 0) + word_freqs[word]
    return counts


@lru_cache(maxsize=10000)
def _joined(a, b, symbols):
    if len(symbols) < 2:
        return symbols
    out = []
    i = 0
    while i < len(symbols):
        if symbols[i : i + 2] == (a, b):
            out.append(a + b)
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return tuple(out)


def merge_pair(a, b, splits):
    return {word: list(_joined(a, b, tuple(symbols))) for word, symbols in splits.items()}


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, specials)
    splits = {word: list(word) for word in freqs}
    vocab = [*specials, *sorted({symbol for word in freqs for symbol in word})]
    merges = []
    while len(vocab) < vocab_size:
        counts = pair_frequencies(splits, freqs)
        if not counts:
            break
        pair = max(counts, key=counts.get)
        splits = merge_pair(*pair, splits)
        merges.append(pair)
        vocab.append(pair[0] + pair[1])
    return merges, vocab


@lru_cache(maxsize=8)
def _piece_tokenizer(merges):
    rank = {pair: i for i, pair in enumerate(merges)}

    @lru_cache(maxsize=100000)
    def tokens_of(piece):
        symbols = tuple(piece)
        while known := [pair for pair in itertools.pairwise(symbols) if pair in rank]:
            symbols = _joined(*min(known, key=rank.get), symbols)
        return symbols

    return tokens_of


def tokenize(text, merges):
    tokens_of = _piece_tokenizer(tuple((a, b) for a, b in merges))
    return [token for piece, _ in pre_tokenize(text) for token in tokens_of(piece)]


def encode(text, merges, vocab, specials):
    ids = {token: i for i, token in enumerate(vocab)}
    out = []
    for part, special in split_specials(text, specials):
        out += [ids[part]] if special else [ids[token] for token in tokenize(part, merges)]
    return out


def decode(ids, vocab, specials):
    inverse = _inverse()
    text, run = "", bytearray()
    for i in ids:
        if vocab[i] in specials:
            text += run.decode("utf-8", "replace") + vocab[i]
            run = bytearray()
        else:
            run += bytes(inverse[c] for c in vocab[i])
    return text + run.decode("utf-8", "replace")


@cache
def _byte_tokens(char):
    return tuple(f"<0x{byte:02X}>" for byte in char.encode("utf-8"))


@lru_cache(maxsize=8)
def _fallback_tokenizer(merges, alphabet):
    rank = {pair: i for i, pair in enumerate(merges)}
    space = "▁" in alphabet

    @lru_cache(maxsize=100000)
    def tokens_of(chunk):
        symbols = []
        for char in chunk:
            if char == " " and space:
                symbols.append("▁")
            elif char in alphabet and char != "▁":
                symbols.append(char)
            else:
                symbols.extend(_byte_tokens(char))
        symbols = tuple(symbols)
        while known := [pair for pair in itertools.pairwise(symbols) if pair in rank]:
            symbols = _joined(*min(known, key=rank.get), symbols)
        return symbols

    return tokens_of


def fallback_tokenize(text, merges, alphabet, specials):
    tokens_of = _fallback_tokenizer(tuple((a, b) for a, b in merges), frozenset(alphabet))
    tokens = []
    for part, special in split_specials(text, specials):
        if special:
            tokens.append(part)
        else:
            for _, (start, end) in pre_tokenize(part):
                tokens.extend(tokens_of(part[start:end]))
    return tokens


@cache
def _byte_values():
    return {f"<0x{byte:02X}>": byte for byte in range(256)}


def fallback_decode(tokens, specials):
    out = bytearray()
    for token in tokens:
        if token in specials:
            out += token.encode()
        elif token in _byte_values():
            out.append(_byte_values()[token])
        else:
            out += _plain(token)
    return out.decode("utf-8", "replace")


@lru_cache(maxsize=4096)
def _plain(token):
    return token.replace("▁", " ").encode()


@lru_cache(maxsize=4096)
def _line(a, b):
    if not a or not b or any(c in a or c in b for c in " \n\r"):
        raise ValueError(f"the merge {a!r}, {b!r} cannot be written")
    return f"{a} {b}\n"


def merges_to_text(merges):
    return "#version: 0.2\n" + "".join(_line(a, b) for a, b in merges)


@lru_cache(maxsize=4096)
def _pair(line):
    fields = line.split(" ")
    return tuple(fields) if len(fields) == 2 and all(fields) else None


def merges_from_text(text):
    merges = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line and not (number == 1 and line.startswith("#version")):
            if _pair(line) is None:
                raise ValueError(f"line {number}: {line!r}")
            merges.append(_pair(line))
    return merges


def bytes_per_token(texts, merges):
    tokens_of = _piece_tokenizer(tuple((a, b) for a, b in merges))
    pieces = [piece for text in texts for piece, _ in pre_tokenize(text)]
    count = sum(len(tokens_of(piece)) for piece in pieces)
    return sum(map(len, pieces)) / count if count else 0.0
