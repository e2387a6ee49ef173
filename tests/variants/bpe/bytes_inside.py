"""Style: tokens are bytes objects inside and symbols outside; a pair's rank is found by the joined bytes."""

import itertools
import unicodedata


def byte_symbols():
    out, extra = {}, []
    for b in range(256):
        if b <= 32 or 127 <= b <= 160 or b == 173:
            extra.append(b)
            out[b] = chr(255 + len(extra))
        else:
            out[b] = chr(b)
    return out


SYMBOL = byte_symbols()
BYTE = {symbol: b for b, symbol in SYMBOL.items()}


def to_symbols(raw):
    return "".join([SYMBOL[b] for b in raw])


def to_bytes(symbols):
    return bytes([BYTE[s] for s in symbols])


def kinds(text):
    out = []
    for char in text:
        first = unicodedata.category(char)[0]
        out.append("S" if char.isspace() else first if first == "L" or first == "N" else "?")
    return out


def chunks(text):
    """The pieces as plain text."""
    kind = kinds(text)
    size = len(text)
    at = 0
    while at < size:
        end = at
        tail = text[at : at + 3]
        if tail[:2] in {"'s", "'t", "'m", "'d"}:
            end += 2
        elif tail in {"'re", "'ve", "'ll"}:
            end += 3
        elif kind[at] == "S" and not (text[at] == " " and at + 1 < size and kind[at + 1] != "S"):
            while end < size and kind[end] == "S":
                end += 1
            if end < size and end - at > 1:
                end -= 1
        else:
            end += text[at] == " "
            wanted = kind[end]
            while end < size and kind[end] == wanted:
                end += 1
        yield text[at:end]
        at = end


def pre_tokenize(text):
    pieces, at = [], 0
    for chunk in chunks(text):
        pieces.append((to_symbols(chunk.encode()), (at, at + len(chunk))))
        at += len(chunk)
    return pieces


def split_specials(text, specials):
    parts, plain, at = [], 0, 0
    while at < len(text):
        here = sorted((s for s in specials if text.startswith(s, at)), key=len)
        if here:
            parts += [(text[plain:at], False), (here[-1], True)]
            at += len(here[-1])
            plain = at
        else:
            at += 1
    parts += [(text[plain:], False)]
    return list(filter(lambda p: p[0], parts))


def word_frequencies(corpus, specials):
    raw = {}
    for text in corpus:
        for part, special in split_specials(text, specials):
            if special:
                continue
            for chunk in chunks(part):
                raw[chunk] = raw.get(chunk, 0) + 1
    return {to_symbols(chunk.encode()): n for chunk, n in raw.items()}


def count_pairs(words):
    counts = {}
    for symbols, freq in words:
        for pair in itertools.pairwise(symbols):
            counts[pair] = counts.get(pair, 0) + freq
    return counts


def join_pair(a, b, symbols):
    out, i = [], 0
    while i < len(symbols):
        hit = i + 1 < len(symbols) and symbols[i] == a and symbols[i + 1] == b
        out.append(a + b if hit else symbols[i])
        i += 1 + hit
    return out


def pair_frequencies(splits, word_freqs):
    return count_pairs([(symbols, word_freqs[word]) for word, symbols in splits.items()])


def merge_pair(a, b, splits):
    return {word: join_pair(a, b, symbols) for word, symbols in splits.items()}


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    words = []
    for word, freq in word_frequencies(corpus, specials).items():
        words.append(([bytes([b]) for b in to_bytes(word)], freq))
    # sorted as symbols, which is another order than that of the bytes
    alphabet = sorted({to_symbols(b) for symbols, _ in words for b in symbols})
    merges = []
    while len(specials) + len(alphabet) + len(merges) < vocab_size:
        counts = count_pairs(words)
        if not counts:
            break
        a, b = max(counts, key=counts.get)
        words = [(join_pair(a, b, symbols), freq) for symbols, freq in words]
        merges.append((a, b))
    written = [(to_symbols(a), to_symbols(b)) for a, b in merges]
    return written, [*specials, *alphabet, *(a + b for a, b in written)]


def tokenize(text, merges):
    # In learned merges the joined bytes name the pair: no two merges give the same token.
    rank = {}
    for number, (a, b) in enumerate(merges):
        rank.setdefault(to_bytes(a + b), number)
    tokens = []
    for chunk in chunks(text):
        parts = [bytes([b]) for b in chunk.encode()]
        while len(parts) > 1:
            ranks = [rank.get(parts[i] + parts[i + 1], len(rank)) for i in range(len(parts) - 1)]
            best = min(ranks)
            if best == len(rank):
                break
            i = ranks.index(best)
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        tokens.extend(to_symbols(part) for part in parts)
    return tokens


def encode(text, merges, vocab, specials):
    ids = {token: i for i, token in enumerate(vocab)}
    out = []
    for part, special in split_specials(text, specials):
        if special:
            out.append(ids[part])
        else:
            out.extend([ids[token] for token in tokenize(part, merges)])
    return out


def decode(ids, vocab, specials):
    out, run = [], []
    for i in ids:
        if vocab[i] in specials:
            out.append(b"".join(run).decode("utf-8", "replace"))
            out.append(vocab[i])
            run = []
        else:
            run.append(to_bytes(vocab[i]))
    out.append(b"".join(run).decode("utf-8", "replace"))
    return "".join(out)


def fallback_tokenize(text, merges, alphabet, specials):
    # Symbols are (bytes, whether they may be merged); a space is kept as the byte 0x20 until the end.
    def raw(symbol):
        return symbol.replace("▁", " ").encode()

    rank = {}
    for number, (a, b) in enumerate(merges):
        rank.setdefault((raw(a), raw(b)), number)
    known = {raw(char) for char in alphabet}
    tokens = []
    for part, special in split_specials(text, specials):
        if special:
            tokens.append(part)
            continue
        for chunk in chunks(part):
            symbols = []
            for char in chunk:
                if char.encode() in known:
                    symbols.append((char.encode(), True))
                else:
                    symbols += [(bytes([b]), False) for b in char.encode()]
            while True:
                ranks = [
                    rank.get((left, right), len(merges)) if a and b else len(merges)
                    for (left, a), (right, b) in itertools.pairwise(symbols)
                ]
                if not ranks or min(ranks) == len(merges):
                    break
                i = ranks.index(min(ranks))
                symbols[i : i + 2] = [(symbols[i][0] + symbols[i + 1][0], True)]
            for piece, plain in symbols:
                tokens.append(piece.decode().replace(" ", "▁") if plain else f"<0x{piece.hex().upper()}>")
    return tokens


def fallback_decode(tokens, specials):
    out = b""
    for token in tokens:
        byte = None
        if token not in specials and token.startswith("<0x") and token.endswith(">") and len(token) == 6:
            try:
                byte = bytes.fromhex(token[3:5])
            except ValueError:
                pass
        if byte is not None and token == f"<0x{byte.hex().upper()}>":
            out += byte
        else:
            out += token.encode() if token in specials else token.encode().replace("▁".encode(), b" ")
    return out.decode("utf-8", "replace")


def merges_to_text(merges):
    raw = b"#version: 0.2\n"
    for pair in merges:
        for symbol in pair:
            if not symbol or set(symbol.encode()) & {0x20, 0x0A, 0x0D}:
                raise ValueError("this symbol would not come back")
        raw += b" ".join(symbol.encode() for symbol in pair) + b"\n"
    return raw.decode()


def merges_from_text(text):
    # bytes.split is strict about what it is given; bytes know no other line ends here either
    merges = []
    for number, line in enumerate(text.encode().split(b"\n")):
        line = line.removesuffix(b"\r")
        if not line or number == 0 and line.startswith(b"#version"):
            continue
        fields = line.split(b" ")
        if len(fields) != 2 or b"" in fields:
            raise ValueError(f"line {number + 1}: not a pair")
        merges.append(tuple(field.decode() for field in fields))
    return merges


def bytes_per_token(texts, merges):
    lengths = [len(to_bytes(token)) for text in texts for token in tokenize(text, merges)]
    return sum(lengths) / len(lengths) if lengths else 0.0
