"""Style: train keeps the pair counts and the words of each pair up to date instead of counting anew."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from itertools import pairwise


def byte_symbols() -> dict[int, str]:
    printable = set(range(ord("!"), ord("~") + 1)) | set(range(0xA1, 0x100)) - {0xAD}
    others = sorted(set(range(256)) - printable)
    return {b: chr(b if b in printable else 256 + others.index(b)) for b in range(256)}


def _group(char: str) -> str:
    major = unicodedata.category(char)[0]
    return " " if char.isspace() else major if major in ("L", "N") else "x"


def pre_tokenize(text: str) -> list[tuple[str, tuple[int, int]]]:
    # An automaton: the open piece [start, here) and the group of its run; None: no open piece.
    bounds: list[tuple[int, int]] = []
    start = here = 0
    size = len(text)
    while here < size:
        start = here
        ending = ""
        for candidate in (text[here : here + 3], text[here : here + 2]):
            if candidate in {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}:
                ending = candidate
                break
        if ending:
            here += len(ending)
        else:
            if text[here] == " " and here + 1 < size and _group(text[here + 1]) != " ":
                here += 1
            group = _group(text[here])
            while here < size and _group(text[here]) == group:
                here += 1
            if group == " " and here < size and here - start >= 2:
                here -= 1
        bounds.append((start, here))
    symbol = byte_symbols()
    return [("".join(map(symbol.get, text[i:j].encode())), (i, j)) for i, j in bounds]


def split_specials(text: str, specials: list[str]) -> list[tuple[str, bool]]:
    by_first: dict[str, list[str]] = defaultdict(list)
    for special in sorted(specials, key=len):
        by_first[special[0]].append(special)
    parts: list[tuple[str, bool]] = []
    done = here = 0
    while here < len(text):
        hit = ""
        for special in by_first.get(text[here], ()):  # the last that fits is the longest
            if text.startswith(special, here):
                hit = special
        if hit:
            parts += [(text[done:here], False), (hit, True)]
            done = here = here + len(hit)
        else:
            here += 1
    parts.append((text[done:], False))
    return [(part, special) for part, special in parts if part]


def word_frequencies(corpus: list[str], specials: list[str]) -> dict[str, int]:
    freqs: dict[str, int] = defaultdict(int)
    for text in corpus:
        for part, special in split_specials(text, specials):
            if not special:
                for piece, _ in pre_tokenize(part):
                    freqs[piece] += 1
    return dict(freqs)


def pair_frequencies(splits, word_freqs):
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for word, symbols in splits.items():
        for pair in pairwise(symbols):
            counts[pair] += word_freqs[word]
    return dict(counts)


def merge_symbols(a: str, b: str, symbols: list[str]) -> list[str]:
    out: list[str] = []
    skip = False
    for i, symbol in enumerate(symbols):
        if skip:
            skip = False
        elif symbol == a and symbols[i + 1 : i + 2] == [b]:
            out.append(a + b)
            skip = True
        else:
            out.append(symbol)
    return out


def merge_pair(a, b, splits):
    return {word: merge_symbols(a, b, symbols) for word, symbols in splits.items()}


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, list(specials))
    words = [list(word) for word in freqs]
    weight = list(freqs.values())
    counts: dict[tuple[str, str], int] = defaultdict(int)
    where: dict[tuple[str, str], set[int]] = defaultdict(set)
    for w, symbols in enumerate(words):
        for pair in pairwise(symbols):
            counts[pair] += weight[w]
            where[pair].add(w)
    vocab = list(specials) + sorted({symbol for symbols in words for symbol in symbols})
    merges = []
    while len(vocab) < vocab_size and counts:
        top = max(counts.values())
        best = [pair for pair, count in counts.items() if count == top]
        # Ties: the earliest word that holds one of them, then the earliest place in it.
        a, b = min(best, key=lambda pair: (w := min(where[pair]), list(pairwise(words[w])).index(pair)))
        for w in sorted(where[a, b]):
            for pair in pairwise(words[w]):
                counts[pair] -= weight[w]
                where[pair].discard(w)
            changed = set(pairwise(words[w]))
            words[w] = merge_symbols(a, b, words[w])
            for pair in pairwise(words[w]):
                counts[pair] += weight[w]
                where[pair].add(w)
            for pair in changed:
                if counts[pair] == 0:
                    del counts[pair], where[pair]
        merges.append((a, b))
        vocab.append(a + b)
    return merges, vocab


def tokenize(text, merges):
    number = {pair: i for i, pair in enumerate(merges)}
    tokens: list[str] = []
    for piece, _ in pre_tokenize(text):
        symbols = list(piece)
        while True:
            ranked = sorted({number[pair] for pair in pairwise(symbols) if pair in number})
            if not ranked:
                break
            symbols = merge_symbols(*merges[ranked[0]], symbols)
        tokens += symbols
    return tokens


def encode(text, merges, vocab, specials):
    ids: list[int] = []
    index = {token: i for i, token in enumerate(vocab)}
    for part, special in split_specials(text, specials):
        if special:
            ids.append(index[part])
            continue
        for token in tokenize(part, merges):
            ids.append(index[token])
    return ids


def decode(ids, vocab, specials):
    byte = {symbol: b for b, symbol in byte_symbols().items()}
    special_set = set(specials)
    out: list[str] = []
    run: list[int] = []

    def flush() -> None:
        out.append(bytes(run).decode("utf-8", errors="replace"))
        run.clear()

    for i in ids:
        if vocab[i] in special_set:
            flush()
            out.append(vocab[i])
        else:
            run.extend(byte[symbol] for symbol in vocab[i])
    flush()
    return "".join(out)


def fallback_tokenize(text, merges, alphabet, specials):
    number = {pair: i for i, pair in enumerate(merges)}
    spelling = {char: [char] for char in alphabet if char != "▁"}
    if "▁" in alphabet:
        spelling[" "] = ["▁"]
    tokens: list[str] = []
    for part, special in split_specials(text, specials):
        if special:
            tokens.append(part)
            continue
        for _, (start, end) in pre_tokenize(part):
            # stretches of known characters are merged by themselves: bytes never take part
            stretch: list[str] = []
            for char in [*part[start:end], ""]:
                if char in spelling:
                    stretch += spelling[char]
                    continue
                while True:
                    ranked = [number[pair] for pair in pairwise(stretch) if pair in number]
                    if not ranked:
                        break
                    stretch = merge_symbols(*merges[min(ranked)], stretch)
                tokens += stretch
                tokens += [f"<0x{byte:02X}>" for byte in char.encode()]
                stretch = []
    return tokens


def fallback_decode(tokens, specials):
    value = {f"<0x{byte:02X}>": byte for byte in range(256)}
    for special in specials:
        value.pop(special, None)
    out: list[str] = []
    run: list[int] = []
    for token in [*tokens, ""]:
        if token in value:
            run.append(value[token])
            continue
        out.append(bytes(run).decode("utf-8", errors="replace"))
        run.clear()
        out.append(token if token in specials else token.replace("▁", " "))
    return "".join(out)


def merges_to_text(merges):
    out = ["#version: 0.2\n"]
    for pair in merges:
        for symbol in pair:
            if symbol == "" or symbol != symbol.translate({32: None, 10: None, 13: None}):
                raise ValueError("a symbol that cannot be read again")
        out.append("%s %s\n" % tuple(pair))
    return "".join(out)


def merges_from_text(text):
    # An automaton over the characters: the fields of the open line and the number of lines begun.
    merges, fields, line = [], [""], 1
    for char in text.replace("\r\n", "\n") + "\n":
        if char == " ":
            fields.append("")
        elif char != "\n":
            fields[-1] += char
        else:
            header = line == 1 and fields[0].startswith("#version")
            if not header and fields != [""]:
                if len(fields) != 2 or not fields[0] or not fields[1]:
                    raise ValueError(f"line {line}: {len(fields)} fields")
                merges.append((fields[0], fields[1]))
            fields, line = [""], line + 1
    return merges


def bytes_per_token(texts, merges):
    size = count = 0
    for text in texts:
        for piece, _ in pre_tokenize(text):
            size += len(piece)  # a byte symbol is a byte
        count += len(tokenize(text, merges))
    return size / count if count else 0.0
