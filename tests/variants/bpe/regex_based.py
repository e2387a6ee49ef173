"""Style: regular expressions for the pieces and the special tokens, the rest plain."""

import itertools
import re
from collections import Counter

# `[^\W\d_]` is a letter; the underscore is in \w, so the last class but whitespace must name it.
PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_symbols() -> dict[int, str]:
    keep = re.compile("[!-~\u00a1-\u00ac\u00ae-\u00ff]")
    table = {}
    extra = 256
    for value in range(256):
        if keep.fullmatch(chr(value)):
            table[value] = chr(value)
        else:
            table[value] = chr(extra)
            extra += 1
    return table


def pre_tokenize(text: str) -> list[tuple[str, tuple[int, int]]]:
    table = byte_symbols()
    return [("".join(table[b] for b in m.group().encode()), m.span()) for m in PIECE.finditer(text)]


def split_specials(text: str, specials: list[str]) -> list[tuple[str, bool]]:
    if not specials:
        return [(text, False)] if text else []
    pattern = "|".join(re.escape(s) for s in sorted(specials, key=len, reverse=True))
    parts = re.split(f"({pattern})", text)
    # re.split with one group: the odd entries are the separators.
    return [(part, i % 2 == 1) for i, part in enumerate(parts) if part]


def word_frequencies(corpus: list[str], specials: list[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for text in corpus:
        for part, special in split_specials(text, specials):
            if not special:
                counts.update(piece for piece, _ in pre_tokenize(part))
    return dict(counts)


def pair_frequencies(splits, word_freqs):
    counts = {}
    for word, symbols in splits.items():
        for pair in itertools.pairwise(symbols):
            counts[pair] = counts.get(pair, 0) + word_freqs[word]
    return counts


def merge_pair(a, b, splits):
    result = {}
    for word, symbols in splits.items():
        new = []
        for symbol in symbols:
            # open holds whether the last symbol may still be the left half of the pair
            if new and new[-1] == (a, True) and symbol == b:
                new[-1] = (a + b, False)
            else:
                new.append((symbol, True))
        result[word] = [symbol for symbol, _ in new]
    return result


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, list(specials))
    splits = {word: list(word) for word in freqs}
    vocab = list(specials) + sorted(set("".join(freqs)))
    merges = []
    while len(vocab) < vocab_size and (pairs := pair_frequencies(splits, freqs)):
        best = max(pairs, key=pairs.get)
        splits = merge_pair(*best, splits)
        merges.append(best)
        vocab.append("".join(best))
    return merges, vocab


def tokenize(text, merges):
    rank = {pair: i for i, pair in enumerate(merges)}
    out = []
    for piece, _ in pre_tokenize(text):
        symbols = list(piece)
        while len(symbols) > 1:
            best = min(itertools.pairwise(symbols), key=lambda pair: rank.get(pair, len(rank)))
            if best not in rank:
                break
            symbols = merge_pair(*best, {piece: symbols})[piece]
        out += symbols
    return out


def encode(text, merges, vocab, specials):
    ids = {token: i for i, token in enumerate(vocab)}
    out = []
    for part, special in split_specials(text, specials):
        if special:
            out.append(ids[part])
        else:
            out.extend(ids[token] for token in tokenize(part, merges))
    return out


def decode(ids, vocab, specials):
    back = {symbol: byte for byte, symbol in byte_symbols().items()}
    out, run = [], b""
    for i in ids:
        if vocab[i] in specials:
            out += [run.decode(errors="replace"), vocab[i]]
            run = b""
        else:
            run += bytes(back[c] for c in vocab[i])
    return "".join(out) + run.decode(errors="replace")


BYTE = re.compile("<0x([0-9A-F]{2})>")


def fallback_tokenize(text, merges, alphabet, specials):
    rank = {pair: i for i, pair in enumerate(merges)}
    letters = [re.escape(c) for c in alphabet if c != "▁"] + [" "] * ("▁" in alphabet)
    known = re.compile("|".join(letters) or "(?!)")
    out = []
    for part, special in split_specials(text, specials):
        if special:
            out.append(part)
            continue
        for m in PIECE.finditer(part):
            symbols = []
            for char in m.group():
                if known.fullmatch(char):
                    symbols.append(re.sub(" ", "▁", char))
                else:
                    symbols += re.findall("<.*?>", "".join(f"<0x{b:02X}>" for b in char.encode()))
            while len(symbols) > 1:
                best = min(itertools.pairwise(symbols), key=lambda pair: rank.get(pair, len(rank)))
                if best not in rank:
                    break
                symbols = merge_pair(*best, {"": symbols})[""]
            out += symbols
    return out


def fallback_decode(tokens, specials):
    raw = b""
    for token in tokens:
        if token not in specials and (m := BYTE.fullmatch(token)):
            raw += bytes.fromhex(m[1])
        else:
            raw += (token if token in specials else re.sub("▁", " ", token)).encode()
    return raw.decode(errors="replace")


def merges_to_text(merges):
    if any(not re.fullmatch(r"[^ \n\r]+", symbol) for pair in merges for symbol in pair):
        raise ValueError("a symbol cannot be written")
    return "\n".join(["#version: 0.2", *map(" ".join, merges), ""])


def merges_from_text(text):
    text = re.sub(r"\A#version[^\n]*", "", text)
    merges = []
    for number, line in enumerate(re.split(r"\r?\n", text), 1):
        if line.strip("\r") == "":
            continue
        m = re.fullmatch(r"([^ ]+) ([^ ]+)", line)
        if not m:
            raise ValueError(f"line {number}: not a merge")
        merges.append(m.groups())
    return merges


def bytes_per_token(texts, merges):
    tokens = [token for text in texts for token in tokenize(text, merges)]
    # every symbol of a byte-level token is one byte
    return len("".join(tokens)) / max(1, len(tokens))
