"""Byte-pair encoding: the hidden reference for grading. Plain and slow on purpose, one rule at a time."""

import unicodedata
from itertools import pairwise

SHORT_FORMS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


def byte_symbols() -> dict[int, str]:
    """One printable character for each of the 256 bytes."""
    symbols: dict[int, str] = {}
    moved = 0
    for byte in range(256):
        # 173 is the soft hyphen, which is not printed.
        if 33 <= byte <= 126 or 161 <= byte <= 172 or 174 <= byte <= 255:
            symbols[byte] = chr(byte)
        else:
            symbols[byte] = chr(256 + moved)
            moved += 1
    return symbols


def _kind(char: str) -> str:
    """The class of a character: space, letter, number or other."""
    if char.isspace():
        return "space"
    category = unicodedata.category(char)
    if category.startswith("L"):
        return "letter"
    if category.startswith("N"):
        return "number"
    return "other"


def _run_end(text: str, start: int) -> int:
    """Where the run of characters of one class that begins at start ends."""
    end = start + 1
    while end < len(text) and _kind(text[end]) == _kind(text[start]):
        end += 1
    return end


def _piece_end(text: str, start: int) -> int:
    """Where the piece that begins at start ends."""
    for short_form in SHORT_FORMS:
        if text.startswith(short_form, start):
            return start + len(short_form)
    # Rules 2 to 4: the optional space belongs to the piece, the run after it decides its class.
    first = start
    if text[start] == " " and start + 1 < len(text):
        first = start + 1
    if _kind(text[first]) != "space":
        return _run_end(text, first)
    # Rules 5 and 6: the last whitespace character is left to what follows, unless nothing would remain.
    end = _run_end(text, start)
    if end < len(text) and end - start > 1:
        return end - 1
    return end


def pre_tokenize(text: str) -> list[tuple[str, tuple[int, int]]]:
    """The pieces of a text in byte symbols, each with its place in characters."""
    symbols = byte_symbols()
    pieces = []
    start = 0
    while start < len(text):
        end = _piece_end(text, start)
        piece = "".join(symbols[byte] for byte in text[start:end].encode("utf-8"))
        pieces.append((piece, (start, end)))
        start = end
    return pieces


def split_specials(text: str, specials: list[str]) -> list[tuple[str, bool]]:
    """The text cut at its special tokens, the longest first where several begin."""
    longest_first = sorted(specials, key=len, reverse=True)
    parts: list[tuple[str, bool]] = []
    ordinary_start = 0
    place = 0
    while place < len(text):
        found = next((special for special in longest_first if text.startswith(special, place)), None)
        if found is None:
            place += 1
            continue
        if ordinary_start < place:
            parts.append((text[ordinary_start:place], False))
        parts.append((found, True))
        place += len(found)
        ordinary_start = place
    if ordinary_start < len(text):
        parts.append((text[ordinary_start:], False))
    return parts


def word_frequencies(corpus: list[str], specials: list[str]) -> dict[str, int]:
    """How often each piece occurs, in the order of first occurrence."""
    freqs: dict[str, int] = {}
    for text in corpus:
        for part, is_special in split_specials(text, specials):
            if is_special:
                continue
            for piece, _place in pre_tokenize(part):
                freqs[piece] = freqs.get(piece, 0) + 1
    return freqs


def pair_frequencies(splits: dict[str, list[str]], word_freqs: dict[str, int]) -> dict[tuple[str, str], int]:
    """How often each pair of neighbouring symbols occurs, in the order in which it is first met."""
    counts: dict[tuple[str, str], int] = {}
    for word, symbols in splits.items():
        for i in range(len(symbols) - 1):
            pair = (symbols[i], symbols[i + 1])
            counts[pair] = counts.get(pair, 0) + word_freqs[word]
    return counts


def _merge_symbols(a: str, b: str, symbols: list[str]) -> list[str]:
    """The symbols of one word with the pair (a, b) merged, left to right, each symbol used once."""
    merged = []
    i = 0
    while i < len(symbols):
        if i + 1 < len(symbols) and symbols[i] == a and symbols[i + 1] == b:
            merged.append(a + b)
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return merged


def merge_pair(a: str, b: str, splits: dict[str, list[str]]) -> dict[str, list[str]]:
    """All words with the pair (a, b) merged; the input stays as it is."""
    return {word: _merge_symbols(a, b, symbols) for word, symbols in splits.items()}


def train(
    corpus: list[str], vocab_size: int, specials: tuple[str, ...] = ("<|endoftext|>",)
) -> tuple[list[tuple[str, str]], list[str]]:
    """The merges of a corpus and the vocabulary: special tokens, alphabet, merged symbols."""
    # The corpus is read once; from here on each distinct word is handled once per merge.
    word_freqs = word_frequencies(corpus, list(specials))
    splits = {word: list(word) for word in word_freqs}
    alphabet = sorted({symbol for word in word_freqs for symbol in word})
    vocab = [*specials, *alphabet]
    merges: list[tuple[str, str]] = []
    while len(vocab) < vocab_size:
        counts = pair_frequencies(splits, word_freqs)
        if not counts:
            break
        # max returns the first of equal maxima, and counts is in the order in which pairs are met.
        a, b = max(counts, key=lambda pair: counts[pair])
        splits = merge_pair(a, b, splits)
        merges.append((a, b))
        vocab.append(a + b)
    return merges, vocab


def tokenize(text: str, merges: list[tuple[str, str]]) -> list[str]:
    """The tokens of a text: in each piece the pair learned earliest is merged first."""
    rank = {(a, b): number for number, (a, b) in enumerate(merges)}
    tokens: list[str] = []
    for piece, _place in pre_tokenize(text):
        symbols = list(piece)
        while True:
            known = [pair for pair in pairwise(symbols) if pair in rank]
            if not known:
                break
            a, b = min(known, key=lambda pair: rank[pair])
            symbols = _merge_symbols(a, b, symbols)
        tokens.extend(symbols)
    return tokens


def encode(text: str, merges: list[tuple[str, str]], vocab: list[str], specials: list[str]) -> list[int]:
    """The ids of a text, one for each special token in it."""
    id_of = {token: number for number, token in enumerate(vocab)}
    ids: list[int] = []
    for part, is_special in split_specials(text, specials):
        tokens = [part] if is_special else tokenize(part, merges)
        ids.extend(id_of[token] for token in tokens)
    return ids


def decode(ids: list[int], vocab: list[str], specials: list[str]) -> str:
    """The text of a list of ids; bytes that are no valid UTF-8 become U+FFFD."""
    byte_of = {symbol: byte for byte, symbol in byte_symbols().items()}
    text = ""
    run = bytearray()  # the bytes since the last special token: a character may reach over several tokens
    for number in ids:
        token = vocab[number]
        if token in specials:
            text += run.decode("utf-8", errors="replace") + token
            run.clear()
        else:
            run.extend(byte_of[symbol] for symbol in token)
    return text + run.decode("utf-8", errors="replace")


def _is_byte_token(token: str) -> bool:
    """Whether a token is one of the 256 tokens <0x00> to <0xFF>."""
    return token in [f"<0x{byte:02X}>" for byte in range(256)]


def _character_symbols(piece: str, alphabet: list[str]) -> list[str]:
    """The symbols of a piece: characters of the alphabet, bytes of the others."""
    symbols: list[str] = []
    for char in piece:
        if char == " " and "▁" in alphabet:
            symbols.append("▁")
        elif char in alphabet and char != "▁":
            symbols.append(char)
        else:
            for byte in char.encode("utf-8"):
                symbols.append(f"<0x{byte:02X}>")
    return symbols


def fallback_tokenize(text: str, merges: list[tuple[str, str]], alphabet: list[str], specials: list[str]) -> list[str]:
    """The tokens of a text in characters, with bytes for what is not in the alphabet."""
    rank = {(a, b): number for number, (a, b) in enumerate(merges)}
    tokens: list[str] = []
    for part, is_special in split_specials(text, specials):
        if is_special:
            tokens.append(part)
            continue
        for _piece, (start, end) in pre_tokenize(part):
            symbols = _character_symbols(part[start:end], alphabet)
            while True:
                known = [pair for pair in pairwise(symbols) if pair in rank]
                if not known:
                    break
                a, b = min(known, key=lambda pair: rank[pair])
                symbols = _merge_symbols(a, b, symbols)
            tokens.extend(symbols)
    return tokens


def fallback_decode(tokens: list[str], specials: list[str]) -> str:
    """The text of such tokens; a run of byte tokens is read as UTF-8 where it ends."""
    text = ""
    run = bytearray()
    for token in tokens:
        if token not in specials and _is_byte_token(token):
            run.append(int(token[3:5], 16))
            continue
        text += run.decode("utf-8", errors="replace")
        run.clear()
        text += token if token in specials else token.replace("▁", " ")
    return text + run.decode("utf-8", errors="replace")


def merges_to_text(merges: list[tuple[str, str]]) -> str:
    """The text of a merges.txt file."""
    text = "#version: 0.2\n"
    for a, b in merges:
        for symbol in (a, b):
            if symbol == "" or " " in symbol or "\n" in symbol or "\r" in symbol:
                raise ValueError(f"{symbol!r} cannot be a symbol of a merges.txt file")
        text += a + " " + b + "\n"
    return text


def merges_from_text(text: str) -> list[tuple[str, str]]:
    """The merges of a merges.txt file."""
    merges = []
    lines = text.split("\n")
    for i in range(len(lines)):
        line = lines[i].removesuffix("\r")
        is_header = i == 0 and line.startswith("#version")
        if line == "" or is_header:
            continue
        symbols = line.split(" ")
        if len(symbols) != 2 or "" in symbols:
            raise ValueError(f"line {i + 1}: two symbols with one space between them were expected, got {line!r}")
        merges.append((symbols[0], symbols[1]))
    return merges


def bytes_per_token(texts: list[str], merges: list[tuple[str, str]]) -> float:
    """Bytes of all texts, divided by the number of all their tokens."""
    byte_count = 0
    token_count = 0
    for text in texts:
        byte_count += len(text.encode("utf-8"))
        token_count += len(tokenize(text, merges))
    if token_count == 0:
        return 0.0
    return byte_count / token_count
