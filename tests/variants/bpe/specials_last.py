"""Style: short functions; the vocabulary of train is alphabet, merges, and the special tokens last."""

import re
import unicodedata


def byte_symbols():
    keep = "".join(map(chr, [*range(33, 127), *range(161, 173), *range(174, 256)]))
    moved = iter(range(256, 256 + 68))
    return {i: chr(i) if chr(i) in keep else chr(next(moved)) for i in range(256)}


def _mask(text):
    """One letter per character: s space, a letter, n number, o other; offsets stay the same."""

    def letter(c):
        if c.isspace():
            return "s"
        return {"L": "a", "N": "n"}.get(unicodedata.category(c)[0], "o")

    return "".join(letter(c) for c in text)


def pre_tokenize(text):
    symbols = byte_symbols()
    mask = _mask(text)
    run = re.compile("a+|n+|o+|s+")
    pieces = []
    at = 0
    while at < len(text):
        short = re.compile("'(?:[stmd]|re|ve|ll)").match(text, at)
        if short:
            end = short.end()
        else:
            glued = text[at] == " " and mask[at + 1 : at + 2] not in ("", "s")
            end = run.match(mask, at + glued).end()
            if mask[end - 1] == "s" and end < len(text) and end > at + 1:
                end -= 1
        pieces.append(("".join(symbols[b] for b in text[at:end].encode()), (at, end)))
        at = end
    return pieces


def split_specials(text, specials):
    if not specials:
        return [(text, False)] if text else []
    either = re.compile("|".join(map(re.escape, sorted(specials, key=len, reverse=True))))
    parts = []
    last = 0
    for match in either.finditer(text):
        parts.append((text[last : match.start()], False))
        parts.append((match.group(), True))
        last = match.end()
    parts.append((text[last:], False))
    return [p for p in parts if p[0] != ""]


def word_frequencies(corpus, specials):
    words = []
    for text in corpus:
        ordinary = [part for part, special in split_specials(text, specials) if not special]
        for part in ordinary:
            words.extend(piece for piece, _ in pre_tokenize(part))
    freqs = {}
    for word in words:
        freqs[word] = freqs.get(word, 0) + 1
    return freqs


def pair_frequencies(splits, word_freqs):
    freqs = {}
    for word, symbols in splits.items():
        for i, left in enumerate(symbols[:-1]):
            freqs.setdefault((left, symbols[i + 1]), 0)
            freqs[left, symbols[i + 1]] += word_freqs[word]
    return freqs


def merge_pair(a, b, splits):
    new = {}
    for word, symbols in splits.items():
        stack = list(reversed(symbols))
        out = []
        while stack:
            top = stack.pop()
            if top == a and stack and stack[-1] == b:
                stack.pop()
                top = a + b
            out.append(top)
        new[word] = out
    return new


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    word_freqs = word_frequencies(corpus, list(specials))
    splits = {word: list(word) for word in word_freqs}
    alphabet = sorted(set().union(*word_freqs)) if word_freqs else []
    merges = []
    while len(specials) + len(alphabet) + len(merges) < vocab_size:
        freqs = pair_frequencies(splits, word_freqs)
        best = max(freqs, key=freqs.get, default=None)
        if best is None:
            break
        splits = merge_pair(best[0], best[1], splits)
        merges.append(best)
    return merges, alphabet + [a + b for a, b in merges] + list(specials)


def tokenize(text, merges):
    order = {pair: i for i, pair in enumerate(merges)}
    tokens = []
    for piece, _ in pre_tokenize(text):
        state = {piece: list(piece)}
        while True:
            found = [p for p in pair_frequencies(state, {piece: 1}) if p in order]
            if not found:
                break
            a, b = min(found, key=lambda p: order[p])
            state = merge_pair(a, b, state)
        tokens.extend(state[piece])
    return tokens


def encode(text, merges, vocab, specials):
    number = dict(map(reversed, enumerate(vocab)))
    ids = []
    for part, special in split_specials(text, specials):
        ids += [number[part]] if special else [number[t] for t in tokenize(part, merges)]
    return ids


def decode(ids, vocab, specials):
    from_symbol = {s: i for i, s in byte_symbols().items()}
    text, run = [], []
    for i in ids:
        if vocab[i] in specials:
            text += [bytes(run).decode(errors="replace"), vocab[i]]
            run = []
        else:
            run += [from_symbol[s] for s in vocab[i]]
    return "".join([*text, bytes(run).decode(errors="replace")])


def fallback_tokenize(text, merges, alphabet, specials):
    order = {pair: i for i, pair in enumerate(merges)}

    def spell(c):
        c = {" ": "▁", "▁": None}.get(c, c)
        return c if c in alphabet else None

    tokens = []
    for part, special in split_specials(text, specials):
        if special:
            tokens.append(part)
            continue
        for _, (i, j) in pre_tokenize(part):
            symbols = []
            for c in part[i:j]:
                symbols += [spell(c)] if spell(c) else [f"<0x{b:02X}>" for b in c.encode()]
            state = {"": symbols}
            while True:
                found = [p for p in pair_frequencies(state, {"": 1}) if p in order]
                if not found:
                    break
                state = merge_pair(*min(found, key=order.get), state)
            tokens += state[""]
    return tokens


def fallback_decode(tokens, specials):
    names = [f"<0x{b:02X}>" for b in range(256)]
    parts = [b""]
    for token in tokens:
        if token in specials:
            parts.append(token.encode())
        elif token in names:
            parts.append(bytes([names.index(token)]))
        else:
            parts.append(token.replace("▁", " ").encode())
    return b"".join(parts).decode(errors="replace")


def merges_to_text(merges):
    text = "#version: 0.2"
    for pair in merges:
        if min(map(len, pair)) == 0 or any(c in s for c in " \n\r" for s in pair):
            raise ValueError(pair)
        text += "\n" + " ".join(pair)
    return text + "\n"


def merges_from_text(text):
    merges = []
    for n, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        line = line.removesuffix("\r")
        words = line.split(" ")
        if line == "" or (n == 1 and line.startswith("#version")):
            continue
        elif len(words) == 2 and words[0] != "" != words[1]:
            merges.append((words[0], words[1]))
        else:
            raise ValueError("line %d: expected two symbols" % n)
    return merges


def bytes_per_token(texts, merges):
    counts = [len(tokenize(text, merges)) for text in texts]
    return sum(len(text.encode()) for text in texts) / (sum(counts) or 1)
