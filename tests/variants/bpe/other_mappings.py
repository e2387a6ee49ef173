"""Style: Counter, defaultdict and OrderedDict are returned where the docstrings say dict."""

import itertools
import re
from collections import Counter, OrderedDict, defaultdict


def byte_symbols():
    table = defaultdict(str)
    extra = 0
    for b in range(256):
        if chr(b).isprintable() and chr(b) != " ":
            table[b] = chr(b)
        else:
            table[b] = chr(256 + extra)
            extra += 1
    return table


def pre_tokenize(text):
    table = byte_symbols()
    patterns = [
        r"'s|'t|'re|'ve|'m|'ll|'d",
        r" ?[^\W\d_]+",
        r" ?\d+",
        r" ?(?:[^\w\s]|_)+",  # the underscore is neither letter nor number
        r"\s+(?!\S)",
        r"\s+",
    ]
    rules = [re.compile(rule) for rule in patterns]
    pieces, at = [], 0
    while at < len(text):
        match = next(m for rule in rules if (m := rule.match(text, at)))
        pieces.append(("".join(table[b] for b in match[0].encode()), match.span()))
        at = match.end()
    return pieces


def split_specials(text, specials):
    # At each place a trie of the special tokens is followed as far as it goes.
    trie = {}
    for special in specials:
        node = trie
        for char in special:
            node = node.setdefault(char, {})
        node[""] = special
    parts, ordinary, at = [], [], 0
    while at < len(text):
        node, here, hit = trie, at, None
        while here < len(text) and text[here] in node:
            node = node[text[here]]
            here += 1
            hit = node.get("", hit)
        if hit is None:
            ordinary.append(text[at])
            at += 1
            continue
        if ordinary:
            parts.append(("".join(ordinary), False))
            ordinary = []
        parts.append((hit, True))
        at += len(hit)
    if ordinary:
        parts.append(("".join(ordinary), False))
    return parts


def word_frequencies(corpus, specials):
    counts = Counter()
    for text in corpus:
        for part, special in split_specials(text, specials):
            if not special:
                counts.update([piece for piece, _ in pre_tokenize(part)])
    return counts


def pair_frequencies(splits, word_freqs):
    counts = defaultdict(int)
    for word, symbols in splits.items():
        for pair in itertools.pairwise(symbols):
            counts[pair] += word_freqs[word]
    return counts


def merge_pair(a, b, splits):
    result = OrderedDict()
    for word, symbols in splits.items():
        result[word] = []
        used = -1
        for i, symbol in enumerate(symbols):
            if i == used:
                continue
            if symbol == a and i + 1 < len(symbols) and symbols[i + 1] == b:
                result[word].append(a + b)
                used = i + 1
            else:
                result[word].append(symbol)
    return result


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, specials)
    splits = OrderedDict((word, list(word)) for word in freqs)
    vocab = OrderedDict.fromkeys(specials)
    vocab.update(OrderedDict.fromkeys(sorted(Counter("".join(freqs)))))
    merges = OrderedDict()
    while len(vocab) < vocab_size:
        counts = Counter(pair_frequencies(splits, freqs))
        if not counts:
            break
        # most_common(1) is max over the items: the first of equal ones
        ((pair, _),) = counts.most_common(1)
        merges[pair] = "".join(pair)
        vocab[merges[pair]] = None
        splits = merge_pair(*pair, splits)
    return list(merges), list(vocab)


def tokenize(text, merges):
    rank = defaultdict(lambda: len(merges))
    rank.update((pair, i) for i, pair in enumerate(merges))
    tokens = []
    for piece, _ in pre_tokenize(text):
        symbols = list(piece)
        while len(symbols) > 1:
            i = min(rank[pair] for pair in itertools.pairwise(symbols))
            if i == len(merges):
                break
            symbols = merge_pair(*merges[i], {piece: symbols})[piece]
        tokens.extend(symbols)
    return tokens


def encode(text, merges, vocab, specials):
    ids = OrderedDict((token, i) for i, token in enumerate(vocab))
    out = []
    for part, special in split_specials(text, specials):
        out.extend([ids[part]] if special else map(ids.get, tokenize(part, merges)))
    return out


def decode(ids, vocab, specials):
    byte = {symbol: b for b, symbol in byte_symbols().items()}
    runs = [[]]
    for token in (vocab[i] for i in ids):
        if token in specials:
            runs += [token, []]
        else:
            runs[-1].extend(byte[symbol] for symbol in token)
    return "".join(run if isinstance(run, str) else bytes(run).decode("utf-8", "replace") for run in runs)


class _Spelling(dict):
    """Character -> symbols; what is missing is spelled in bytes."""

    def __missing__(self, char):
        self[char] = [f"<0x{b:02X}>" for b in char.encode()]
        return self[char]


def fallback_tokenize(text, merges, alphabet, specials):
    rank = defaultdict(lambda: len(merges))
    rank.update((pair, i) for i, pair in enumerate(merges))
    spelling = _Spelling((char, [char]) for char in alphabet)
    sign = spelling.pop("▁", None)
    if sign is not None:
        spelling[" "] = sign
    tokens = []
    for part, special in split_specials(text, specials):
        if special:
            tokens += [part]
            continue
        for _, (start, end) in pre_tokenize(part):
            symbols = list(itertools.chain.from_iterable(map(spelling.__getitem__, part[start:end])))
            while len(symbols) > 1:
                i = min(rank[pair] for pair in itertools.pairwise(symbols))
                if i == len(merges):
                    break
                symbols = merge_pair(*merges[i], {"": symbols})[""]
            tokens += symbols
    return tokens


def fallback_decode(tokens, specials):
    byte = {f"<0x{b:02X}>": b for b in range(256) if f"<0x{b:02X}>" not in specials}
    own = dict.fromkeys(specials)
    runs = [[]]
    for token in tokens:
        if token in byte:
            runs[-1].append(byte[token])
        else:
            runs += [token if token in own else token.replace("▁", " "), []]
    return "".join(run if isinstance(run, str) else bytes(run).decode("utf-8", "replace") for run in runs)


def merges_to_text(merges):
    symbols = Counter(symbol for pair in merges for symbol in pair)
    if "" in symbols or any(char in symbol for symbol in symbols for char in " \n\r"):
        raise ValueError("a symbol that a line cannot hold")
    lines = OrderedDict(enumerate(["#version: 0.2", *(f"{a} {b}" for a, b in merges)]))
    return "".join(line + "\n" for line in lines.values())


def merges_from_text(text):
    lines = OrderedDict(enumerate(text.replace("\r\n", "\n").split("\n"), 1))
    if lines[1].startswith("#version"):
        del lines[1]
    merges = []
    for number, line in lines.items():
        if line:
            a, _, b = line.partition(" ")
            if Counter(line)[" "] != 1 or not a or not b:
                raise ValueError(f"line {number}: {Counter(line)[' ']} spaces")
            merges.append((a, b))
    return merges


def bytes_per_token(texts, merges):
    total = Counter()
    for text in texts:
        total.update(size=len(text.encode()), tokens=len(tokenize(text, merges)))
    return total["size"] / total["tokens"] if total["tokens"] else 0.0
