"""Style: a word is kept as one string with a separator between its symbols, and merges are replacements."""

import re
from collections import Counter

SEPARATOR = "\x00"  # no byte symbol: byte 0 is written as chr(256)


def byte_symbols():
    table = {b: chr(b) for b in range(256)}
    for n, b in enumerate([*range(33), *range(127, 161), 173]):
        table[b] = chr(256 + n)
    return table


def pre_tokenize(text):
    table = str.maketrans({chr(b): symbol for b, symbol in byte_symbols().items()})
    finder = r"'s|'t|'re|'ve|'m|'ll|'d| ?(?:(?![\d_])\w)+| ?\d+| ?(?:_|[^\w\s])+|\s+(?!\S)|\s+"
    # Latin-1 writes every byte as the character of the same number; translate then gives the symbols.
    return [
        (match.group().encode("utf-8").decode("latin-1").translate(table), (match.start(), match.end()))
        for match in re.finditer(finder, text)
    ]


def split_specials(text, specials):
    # Sorted before they are escaped: backslashes would change the lengths.
    patterns = [re.escape(special) for special in sorted(specials, key=len, reverse=True)]
    if not patterns:
        return [(text, False)] if text else []
    chunks = re.split("(" + "|".join(patterns) + ")", text)
    ordinary, cut = chunks[0::2], chunks[1::2]
    parts = [(ordinary[0], False)]
    for special, rest in zip(cut, ordinary[1:]):
        parts += [(special, True), (rest, False)]
    return [(part, flag) for part, flag in parts if part]


def word_frequencies(corpus, specials):
    parts = [part for text in corpus for part, special in split_specials(text, specials) if not special]
    return dict(Counter(piece for part in parts for piece, _ in pre_tokenize(part)))


def pair_frequencies(splits, word_freqs):
    counts = {}
    for word in splits:
        for pair in zip(splits[word], splits[word][1:]):
            counts[pair] = counts.get(pair, 0) + word_freqs[word]
    return counts


def _replace(a, b, written):
    """Every symbol is closed by the separator; a match must begin at a symbol, too."""
    pattern = f"(?<![^{SEPARATOR}]){re.escape(a)}{SEPARATOR}{re.escape(b)}(?={SEPARATOR})"
    return re.sub(pattern, lambda _: a + b, written)


def _write(symbols):
    return "".join(symbol + SEPARATOR for symbol in symbols)


def _read(written):
    return written.split(SEPARATOR)[:-1]


def merge_pair(a, b, splits):
    return {word: _read(_replace(a, b, _write(symbols))) for word, symbols in splits.items()}


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, list(specials))
    written = {word: _write(word) for word in freqs}
    vocab = [*specials, *sorted(set("".join(freqs)))]
    merges = []
    while len(vocab) < vocab_size:
        counts = Counter()
        for word, freq in freqs.items():
            symbols = _read(written[word])
            for i in range(len(symbols) - 1):
                counts[symbols[i], symbols[i + 1]] += freq
        if not counts:
            break
        a, b = counts.most_common(1)[0][0]
        written = {word: _replace(a, b, line) for word, line in written.items()}
        merges.append((a, b))
        vocab.append(a + b)
    return merges, vocab


def tokenize(text, merges):
    tokens = []
    for piece, _ in pre_tokenize(text):
        written = _write(piece)
        # The merges in order of rank: a learned pair never reappears after its turn.
        for a, b in merges:
            if a + SEPARATOR + b in written:
                written = _replace(a, b, written)
        tokens += _read(written)
    return tokens


def encode(text, merges, vocab, specials):
    index = {token: i for i, token in enumerate(vocab)}
    ids = []
    for part, special in split_specials(text, specials):
        ids += [index[token] for token in ([part] if special else tokenize(part, merges))]
    return ids


def decode(ids, vocab, specials):
    back = str.maketrans({symbol: chr(b) for b, symbol in byte_symbols().items()})
    text, run = "", ""
    for i in ids:
        if vocab[i] in specials:
            text += run.encode("latin-1").decode("utf-8", errors="replace") + vocab[i]
            run = ""
        else:
            run += vocab[i].translate(back)
    return text + run.encode("latin-1").decode("utf-8", errors="replace")


def fallback_tokenize(text, merges, alphabet, specials):
    table = {" ": "▁" if "▁" in alphabet else "<0x20>"}
    out = []
    for part, special in split_specials(text, specials):
        if special:
            out.append(part)
            continue
        for _, (start, end) in pre_tokenize(part):
            written = ""
            for char in part[start:end]:
                if char == " ":
                    written += table[char] + SEPARATOR
                elif char != "▁" and char in alphabet:
                    written += char + SEPARATOR
                else:
                    written += _write([f"<0x{b:02X}>" for b in char.encode("utf-8")])
            for a, b in merges:
                if a + SEPARATOR + b in written:
                    written = _replace(a, b, written)
            out += _read(written)
    return out


def fallback_decode(tokens, specials):
    # Latin-1 again: every byte is a character until the end
    latin = {f"<0x{b:02X}>": chr(b) for b in range(256)}
    text = ""
    for token in tokens:
        if token in specials:
            text += token.encode("utf-8").decode("latin-1")
        else:
            text += latin.get(token) or token.replace("▁", " ").encode("utf-8").decode("latin-1")
    return text.encode("latin-1").decode("utf-8", errors="replace")


def merges_to_text(merges):
    lines = ["#version: 0.2"]
    for a, b in merges:
        line = a + " " + b
        if line.count(" ") != 1 or "\n" in line or "\r" in line or line[0] == " " or line[-1] == " ":
            raise ValueError("a symbol is empty or has a separator in it")
        lines.append(line)
    return "\n".join(lines) + "\n"


def merges_from_text(text):
    found = []
    count = 0
    while text:
        count += 1
        line, _, text = text.partition("\n")
        if line.endswith("\r"):
            line = line[:-1]
        if line and not (count == 1 and line.startswith("#version")):
            if line.count(" ") != 1 or line.startswith(" ") or line.endswith(" "):
                raise ValueError("line " + str(count) + ": one space between two symbols, please")
            found.append(tuple(line.split(" ")))
    return found


def bytes_per_token(texts, merges):
    written = [SEPARATOR.join([*tokenize(text, merges), ""]) for text in texts]
    tokens = sum(line.count(SEPARATOR) for line in written)
    return sum(map(len, map(str.encode, texts))) / tokens if tokens > 0 else 0.0
