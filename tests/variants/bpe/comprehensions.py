"""Style: comprehensions, itertools and functools wherever they fit, hardly a statement of its own."""

import unicodedata
from functools import reduce
from itertools import chain, count, groupby, pairwise

KEPT = set(chain(range(33, 127), range(161, 173), range(174, 256)))
SHORT = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


def byte_symbols():
    spare = count(256)
    return {b: chr(b) if b in KEPT else chr(next(spare)) for b in range(256)}


def _class(char):
    return "S" if char.isspace() else c if (c := unicodedata.category(char)[0]) in "LN" else "O"


def _tokens_from_runs(text):
    """Cut by short forms and runs: yields the places (start, end)."""
    # run_end[i]: where the run of one class that holds character i ends
    runs = [len(list(group)) for _, group in groupby(text, key=_class)]
    run_end = list(chain.from_iterable([sum_] * n for n, sum_ in zip(runs, _running_sums(runs))))
    start = 0
    while start < len(text):
        short = next((s for s in SHORT if text.startswith(s, start)), None)
        glued = text[start] == " " and start + 1 < len(text) and not text[start + 1].isspace()
        end = (
            start + len(short)
            if short
            else run_end[start + 1]
            if glued
            else run_end[start] - 1
            if text[start].isspace() and run_end[start] - start > 1 and run_end[start] < len(text)
            else run_end[start]
        )
        yield start, end
        start = end


def _running_sums(numbers):
    total = 0
    return [total := total + n for n in numbers]


def pre_tokenize(text):
    table = byte_symbols()
    return [("".join(table[b] for b in text[i:j].encode()), (i, j)) for i, j in _tokens_from_runs(text)]


def split_specials(text, specials):
    ordered = sorted(specials, key=lambda s: -len(s))

    def step(state, i):
        parts, start, skip = state
        if i < skip:
            return state
        hit = next((s for s in ordered if text.startswith(s, i)), None)
        if hit is None:
            return state
        parts.extend([(text[start:i], False)] * (i > start) + [(hit, True)])
        return parts, i + len(hit), i + len(hit)

    parts, start, _ = reduce(step, range(len(text)), ([], 0, 0))
    return parts + [(text[start:], False)] * (start < len(text))


def word_frequencies(corpus, specials):
    pieces = (
        piece
        for text in corpus
        for part, special in split_specials(text, specials)
        if not special
        for piece, _ in pre_tokenize(part)
    )
    return reduce(lambda freqs, piece: freqs.update({piece: freqs.get(piece, 0) + 1}) or freqs, pieces, {})


def pair_frequencies(splits, word_freqs):
    met = [(pair, word_freqs[word]) for word, symbols in splits.items() for pair in pairwise(symbols)]
    counts = dict.fromkeys((pair for pair, _ in met), 0)
    return reduce(lambda acc, item: acc.update({item[0]: acc[item[0]] + item[1]}) or acc, met, counts)


def _join(a, b, symbols):
    # A merged symbol is kept as a tuple until the end, so it is not taken for the left half again.
    marked = reduce(
        lambda done, s: done[:-1] + [(a + b,)] if done and done[-1] == a and s == b else [*done, s],
        symbols,
        [],
    )
    return [s[0] if isinstance(s, tuple) else s for s in marked]


def merge_pair(a, b, splits):
    return {word: _join(a, b, symbols) for word, symbols in splits.items()}


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, list(specials))
    base = [*specials, *sorted(set(chain.from_iterable(freqs)))]

    def grow(splits, room):
        while room > 0 and (counts := pair_frequencies(splits, freqs)):
            yield (best := max(counts, key=counts.__getitem__))
            splits, room = merge_pair(*best, splits), room - 1

    merges = list(grow({word: list(word) for word in freqs}, vocab_size - len(base)))
    return merges, base + [a + b for a, b in merges]


def tokenize(text, merges):
    rank = {pair: i for i, pair in enumerate(merges)}

    def shrink(symbols):
        while known := [rank[pair] for pair in pairwise(symbols) if pair in rank]:
            symbols = _join(*merges[min(known)], symbols)
        return symbols

    return [token for piece, _ in pre_tokenize(text) for token in shrink(list(piece))]


def encode(text, merges, vocab, specials):
    ids = dict(zip(vocab, count()))
    return [
        ids[token]
        for part, special in split_specials(text, specials)
        for token in ([part] if special else tokenize(part, merges))
    ]


def decode(ids, vocab, specials):
    back = {symbol: byte for byte, symbol in byte_symbols().items()}
    runs = groupby((vocab[i] for i in ids), key=lambda token: token in specials)
    return "".join(
        "".join(run) if special else bytes(back[symbol] for token in run for symbol in token).decode("utf-8", "replace")
        for special, run in runs
    )


NAMES = {f"<0x{byte:02X}>": bytes([byte]) for byte in range(256)}


def fallback_tokenize(text, merges, alphabet, specials):
    rank = {pair: i for i, pair in enumerate(merges)}
    spelling = {("" if c == " " else " " if c == "▁" else c): c for c in alphabet}

    def shrink(symbols):
        while known := [rank[pair] for pair in pairwise(symbols) if pair in rank]:
            symbols = _join(*merges[min(known)], symbols)
        return symbols

    return [
        token
        for part, special in split_specials(text, specials)
        for token in (
            [part]
            if special
            else chain.from_iterable(
                shrink(
                    [
                        symbol
                        for char in part[start:end]
                        for symbol in (
                            [spelling[char]] if char in spelling else [f"<0x{b:02X}>" for b in char.encode()]
                        )
                    ]
                )
                for start, end in _tokens_from_runs(part)
            )
        )
    ]


def fallback_decode(tokens, specials):
    return b"".join(
        token.encode() if token in specials else NAMES.get(token) or token.replace("▁", " ").encode()
        for token in tokens
    ).decode("utf-8", "replace")


def merges_to_text(merges):
    if any(symbol == "" or not set(symbol).isdisjoint(" \n\r") for symbol in chain.from_iterable(merges)):
        raise ValueError("there is a symbol that a line cannot hold")
    return "\n".join(chain(["#version: 0.2"], map(" ".join, merges), [""]))


def merges_from_text(text):
    fields = [line.removesuffix("\r").split(" ") for line in text.split("\n")]
    kept = [
        (n, tuple(words))
        for n, words in enumerate(fields, 1)
        if words != [""] and not (n == 1 and words[0].startswith("#version"))
    ]
    bad = next((n for n, words in kept if len(words) != 2 or not all(words)), None)
    if bad:
        raise ValueError(f"line {bad}: this is no merge")
    return [words for _, words in kept]


def bytes_per_token(texts, merges):
    sizes, counts = sum(len(t.encode()) for t in texts), sum(len(tokenize(t, merges)) for t in texts)
    return counts and sizes / counts
