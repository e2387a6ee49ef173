"""Style: lists where the docstrings say tuples: [piece, [start, end]], [part, is_special], merges [a, b]."""

import itertools
import unicodedata

SHORT = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]


def byte_symbols():
    table = [None] * 256
    for low, high in [[33, 126], [161, 172], [174, 255]]:
        for b in range(low, high + 1):
            table[b] = chr(b)
    spare = 256
    for b in range(256):
        if table[b] is None:
            table[b] = chr(spare)
            spare += 1
    return {b: table[b] for b in range(256)}


def group(c):
    if c.isspace():
        return "Z"
    g = unicodedata.category(c)[0]
    return g if g in "LN" else "P"


def pre_tokenize(text):
    table = byte_symbols()
    groups = [group(c) for c in text]
    cuts = [0]
    while cuts[-1] < len(text):
        at = cuts[-1]
        ends = [at + len(s) for s in SHORT if text[at : at + len(s)] == s]
        if ends:
            cuts.append(ends[0])
            continue
        first = at
        if text[at] == " " and at + 1 < len(text) and groups[at + 1] != "Z":
            first = at + 1
        end = first
        while end < len(text) and groups[end] == groups[first]:
            end += 1
        if groups[first] == "Z" and at + 1 < end < len(text):
            end -= 1
        cuts.append(end)
    pieces = []
    for start, end in itertools.pairwise(cuts):
        pieces.append(["".join([table[b] for b in text[start:end].encode("utf-8")]), [start, end]])
    return pieces


def split_specials(text, specials):
    order = sorted(specials, key=len)[::-1]
    parts = []
    at = 0
    while at < len(text):
        hits = [s for s in order if text.startswith(s, at)]
        if hits:
            parts.append([hits[0], True])
            at += len(hits[0])
            continue
        if not parts or parts[-1][1]:
            parts.append(["", False])
        parts[-1][0] += text[at]
        at += 1
    return parts


def word_frequencies(corpus, specials):
    freqs = {}
    for text in corpus:
        for part, special in split_specials(text, specials):
            if not special:
                for piece, _ in pre_tokenize(part):
                    freqs[piece] = freqs.get(piece, 0) + 1
    return freqs


def pair_frequencies(splits, word_freqs):
    # The keys of a dict cannot be lists, so these stay tuples.
    counts = {}
    for word in splits:
        for i in range(len(splits[word]) - 1):
            pair = tuple(splits[word][i : i + 2])
            counts[pair] = counts.get(pair, 0) + word_freqs[word]
    return counts


def merge_pair(a, b, splits):
    result = {}
    for word, symbols in splits.items():
        out = []
        rest = list(symbols)
        while rest:
            if rest[:2] == [a, b]:
                out.append(a + b)
                rest = rest[2:]
            else:
                out.append(rest[0])
                rest = rest[1:]
        result[word] = out
    return result


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, list(specials))
    splits = {word: list(word) for word in freqs}
    alphabet = []
    for word in freqs:
        alphabet += [s for s in word if s not in alphabet]
    vocab = [s for s in specials] + sorted(set(alphabet))
    merges = []
    while len(vocab) < vocab_size:
        counts = pair_frequencies(splits, freqs)
        if len(counts) == 0:
            break
        best = None
        for pair, count in counts.items():
            if best is None or count > counts[best]:
                best = pair
        splits = merge_pair(best[0], best[1], splits)
        merges.append(list(best))
        vocab.append(best[0] + best[1])
    return [merges, vocab]


def tokenize(text, merges):
    merges = [list(pair) for pair in merges]
    rank = {tuple(pair): i for i, pair in enumerate(merges)}
    tokens = []
    for piece, _ in pre_tokenize(text):
        symbols = list(piece)
        while True:
            ranks = [rank[p] for p in itertools.pairwise(symbols) if p in rank]
            if not ranks:
                break
            symbols = merge_pair(*merges[min(ranks)], {piece: symbols})[piece]
        tokens += symbols
    return tokens


def encode(text, merges, vocab, specials):
    number = {token: i for i, token in enumerate(vocab)}
    ids = []
    for part, special in split_specials(text, specials):
        if special:
            ids.append(number[part])
        else:
            ids += [number[token] for token in tokenize(part, merges)]
    return ids


def decode(ids, vocab, specials):
    inverse = {s: b for b, s in byte_symbols().items()}
    text = ""
    run = []
    for i in ids:
        if vocab[i] not in specials:
            run += [inverse[s] for s in vocab[i]]
            continue
        text += bytes(run).decode("utf-8", errors="replace")
        text += vocab[i]
        run = []
    return text + bytes(run).decode("utf-8", errors="replace")


def fallback_tokenize(text, merges, alphabet, specials):
    merges = [list(pair) for pair in merges]
    rank = {tuple(pair): i for i, pair in enumerate(merges)}
    tokens = []
    for part, special in split_specials(text, specials):
        if special:
            tokens += [part]
            continue
        for _, [start, end] in pre_tokenize(part):
            symbols = []
            for char in part[start:end]:
                if char == " " and "▁" in alphabet:
                    symbols += ["▁"]
                elif char in alphabet and char != "▁":
                    symbols += [char]
                else:
                    symbols += ["<0x" + hex(256 + byte)[3:].upper() + ">" for byte in list(char.encode("utf-8"))]
            while True:
                ranks = [rank[p] for p in itertools.pairwise(symbols) if p in rank]
                if not ranks:
                    break
                symbols = merge_pair(*merges[min(ranks)], {"word": symbols})["word"]
            tokens += symbols
    return tokens


def fallback_decode(tokens, specials):
    names = ["<0x" + hex(256 + byte)[3:].upper() + ">" for byte in range(256)]
    values = []
    for token in tokens:
        if token not in specials and token in names:
            values += [names.index(token)]
        else:
            values += list((token if token in specials else " ".join(token.split("▁"))).encode("utf-8"))
    return bytes(values).decode("utf-8", errors="replace")


def merges_to_text(merges):
    lines = [["#version:", "0.2"]] + [list(pair) for pair in merges]
    for line in lines:
        for symbol in line:
            if len(symbol) == 0 or [char for char in symbol if char in [" ", "\n", "\r"]]:
                raise ValueError("symbols have at least one character and no space")
    return "".join([" ".join(line) + "\n" for line in lines])


def merges_from_text(text):
    merges = []
    lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]
    for i, line in enumerate(lines):
        if line == "" or [i, line[:8]] == [0, "#version"]:
            continue
        pair = line.split(" ")
        if len(pair) != 2 or "" in pair:
            raise ValueError("line " + str(i + 1) + ": " + line)
        merges.append(pair)
    return merges


def bytes_per_token(texts, merges):
    tokens = [tokenize(text, merges) for text in texts]
    sizes = [len(list(text.encode("utf-8"))) for text in texts]
    if sum([len(t) for t in tokens]) == 0:
        return 0
    return sum(sizes) / sum([len(t) for t in tokens])
