"""Style: tokenize loops once over the merges in the order of their rank and applies each to every piece."""

import itertools
import unicodedata


def byte_symbols() -> dict[int, str]:
    table: dict[int, str] = {}
    n = 0
    for b in range(256):
        if b in range(33, 127) or b in range(161, 173) or b in range(174, 256):
            table[b] = chr(b)
        else:
            table[b] = chr(256 + n)
            n += 1
    return table


def kind_of(char: str) -> int:
    if char.isspace():
        return 0
    return {"L": 1, "N": 2}.get(unicodedata.category(char)[0], 3)


def pre_tokenize(text: str) -> list[tuple[str, tuple[int, int]]]:
    table = byte_symbols()
    kinds = [kind_of(char) for char in text]
    places = []
    i = 0
    while i < len(text):
        j = i
        if text[i : i + 2] in ("'s", "'t", "'m", "'d"):
            j = i + 2
        elif text[i : i + 3] in ("'re", "'ve", "'ll"):
            j = i + 3
        else:
            if text[i] == " " and i + 1 < len(text) and kinds[i + 1] != 0:
                j = i + 1
            kind = kinds[j]
            while j < len(text) and kinds[j] == kind:
                j += 1
            if kind == 0 and j < len(text) and j - i > 1:
                j -= 1
        places.append((i, j))
        i = j
    return [("".join(table[b] for b in text[i:j].encode("utf-8")), (i, j)) for i, j in places]


def split_specials(text: str, specials: list[str]) -> list[tuple[str, bool]]:
    if not text:
        return []
    # where each special token occurs first; of the leftmost, the longest
    found = [(text.find(s), -len(s), s) for s in specials if s in text]
    parts: list[tuple[str, bool]] = []
    start = 0
    while found:
        at, _, special = min(found)
        if at > start:
            parts.append((text[start:at], False))
        parts.append((special, True))
        start = at + len(special)
        found = [(p if p >= start else text.find(s, start), n, s) for p, n, s in found]
        found = [entry for entry in found if entry[0] >= 0]
    if start < len(text):
        parts.append((text[start:], False))
    return parts


def word_frequencies(corpus: list[str], specials: list[str]) -> dict[str, int]:
    freqs: dict[str, int] = {}
    for text in corpus:
        for part, special in split_specials(text, specials):
            if special:
                continue
            for word, _ in pre_tokenize(part):
                freqs[word] = freqs.get(word, 0) + 1
    return freqs


def pair_frequencies(splits, word_freqs):
    freqs = {}
    for word, split in splits.items():
        for left, right in itertools.pairwise(split):
            freqs[left, right] = freqs.get((left, right), 0) + word_freqs[word]
    return freqs


def merge_list(a, b, symbols):
    symbols = list(symbols)
    i = 0
    while i < len(symbols) - 1:
        if (symbols[i], symbols[i + 1]) == (a, b):
            symbols[i : i + 2] = [a + b]
        i += 1
    return symbols


def merge_pair(a, b, splits):
    return {word: merge_list(a, b, symbols) for word, symbols in splits.items()}


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    word_freqs = word_frequencies(corpus, list(specials))
    splits = {word: [*word] for word in word_freqs}
    vocab = [*specials, *sorted({s for word in word_freqs for s in word})]
    merges = []
    for _ in range(vocab_size - len(vocab)):
        pairs = pair_frequencies(splits, word_freqs)
        if not pairs:
            break
        top = max(pairs.values())
        a, b = next(pair for pair, count in pairs.items() if count == top)
        splits = merge_pair(a, b, splits)
        merges.append((a, b))
        vocab.append(a + b)
    return merges, vocab


def tokenize(text, merges):
    pieces = [list(piece) for piece, _ in pre_tokenize(text)]
    for a, b in merges:
        pieces = [merge_list(a, b, symbols) if a in symbols else symbols for symbols in pieces]
    return [token for symbols in pieces for token in symbols]


def encode(text, merges, vocab, specials):
    index = {token: i for i, token in enumerate(vocab)}
    tokens = []
    for part, special in split_specials(text, specials):
        tokens += [part] if special else tokenize(part, merges)
    return [index[token] for token in tokens]


def decode(ids, vocab, specials):
    values = {symbol: byte for byte, symbol in byte_symbols().items()}
    parts: list = []
    for token in [vocab[i] for i in ids]:
        if token in specials:
            parts.append(token)
        else:
            if not parts or isinstance(parts[-1], str):
                parts.append(b"")
            parts[-1] += bytes([values[symbol] for symbol in token])
    return "".join(p if isinstance(p, str) else p.decode("utf-8", "replace") for p in parts)


def fallback_tokenize(text, merges, alphabet, specials):
    known = set(alphabet) - {"▁"}
    has_space = "▁" in alphabet
    tokens = []
    for part, special in split_specials(text, specials):
        if special:
            tokens.append([part])
            continue
        for _, (i, j) in pre_tokenize(part):
            symbols = []
            for char in part[i:j]:
                if char in known:
                    symbols.append(char)
                elif char == " " and has_space:
                    symbols.append("▁")
                else:
                    symbols.extend("<0x%02X>" % byte for byte in char.encode("utf-8"))
            for a, b in merges:
                symbols = merge_list(a, b, symbols)
            tokens.append(symbols)
    return list(itertools.chain.from_iterable(tokens))


def fallback_decode(tokens, specials):
    def value(token):
        if token in specials or len(token) != 6 or token[:3] != "<0x" or token[5] != ">":
            return None
        digits = token[3:5]
        return int(digits, 16) if set(digits) <= set("0123456789ABCDEF") else None

    text = ""
    for is_byte, group in itertools.groupby(tokens, key=lambda token: value(token) is not None):
        if is_byte:
            text += bytes(map(value, group)).decode("utf-8", "replace")
        else:
            text += "".join(token if token in specials else token.replace("▁", " ") for token in group)
    return text


def merges_to_text(merges):
    for left, right in merges:
        if not left or not right or {" ", "\n", "\r"} & set(left + right):
            raise ValueError(f"{left!r} {right!r}")
    return "#version: 0.2\n" + "".join([f"{left} {right}\n" for left, right in merges])


def merges_from_text(text):
    lines = [line[:-1] if line[-1:] == "\r" else line for line in text.split("\n")]
    numbered = list(zip(itertools.count(1), lines))
    if lines[0].startswith("#version"):
        del numbered[0]
    pairs = []
    for number, line in numbered:
        if line == "":
            continue
        pair = tuple(line.split(" "))
        if len(pair) != 2 or not all(pair):
            raise ValueError(f"line {number}: {line}")
        pairs.append(pair)
    return pairs


def bytes_per_token(texts, merges):
    tokens = 0
    size = 0
    for text in texts:
        tokens += len(tokenize(text, merges))
        size += len(bytes(text, "utf-8"))
    try:
        return size / tokens
    except ZeroDivisionError:
        return 0.0
