"""Style: tokenize keeps a linked list of symbols and a heap of (rank, place) for each piece; generators."""

import heapq
import unicodedata


def byte_symbols():
    def printable(b):
        return 33 <= b <= 126 or 161 <= b <= 255 and b != 173

    hidden = (b for b in range(256) if not printable(b))
    table = {b: chr(n) for n, b in enumerate(hidden, start=256)}
    table |= {b: chr(b) for b in range(256) if printable(b)}
    return dict(sorted(table.items()))


def places(text):
    def group(i):
        if i >= len(text):
            return "end"
        if text[i].isspace():
            return "space"
        category = unicodedata.category(text[i])
        return category[0] if category[0] in "LN" else "other"

    at = 0
    while at < len(text):
        end = 0
        for ending in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d"):
            if text.startswith(ending, at):
                end = at + len(ending)
        if not end:
            first = at + 1 if text[at] == " " and group(at + 1) not in ("space", "end") else at
            kind = group(first)
            end = first + 1
            while group(end) == kind:
                end += 1
            if kind == "space" and group(end) != "end" and end - at > 1:
                end -= 1
        yield at, end
        at = end


def pre_tokenize(text):
    table = byte_symbols()
    return [("".join([table[b] for b in text[i:j].encode()]), (i, j)) for i, j in places(text)]


def split_specials(text, specials):
    def cuts():
        begin = at = 0
        while at < len(text):
            length = max((len(s) for s in specials if text.startswith(s, at)), default=0)
            if length == 0:
                at += 1
                continue
            yield text[begin:at], False
            yield text[at : at + length], True
            begin = at = at + length
        yield text[begin:], False

    return [cut for cut in cuts() if cut[0]]


def words_of(corpus, specials):
    for text in corpus:
        for part, special in split_specials(text, specials):
            if not special:
                yield from (piece for piece, _ in pre_tokenize(part))


def word_frequencies(corpus, specials):
    freqs = {}
    for word in words_of(corpus, specials):
        freqs[word] = 1 + freqs.get(word, 0)
    return freqs


def pair_frequencies(splits, word_freqs):
    def met():
        for word, symbols in splits.items():
            for i in range(1, len(symbols)):
                yield (symbols[i - 1], symbols[i]), word_freqs[word]

    counts = {}
    for pair, freq in met():
        counts[pair] = counts.get(pair, 0) + freq
    return counts


def merge_pair(a, b, splits):
    def merged(symbols):
        source = iter(symbols)
        held = next(source, None)
        while held is not None:
            following = next(source, None)
            if held == a and following == b:
                yield a + b
                held = next(source, None)
            else:
                yield held
                held = following

    return {word: list(merged(symbols)) for word, symbols in splits.items()}


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    freqs = word_frequencies(corpus, list(specials))
    splits = {word: list(word) for word in freqs}
    vocab = list(specials)
    vocab.extend(sorted({symbol for word in freqs for symbol in word}))
    merges = []
    for _ in range(len(vocab), vocab_size):
        counts = pair_frequencies(splits, freqs)
        if not counts:
            break
        # a negative count and the place in the dict: the smallest is the first of the most frequent
        _, _, (a, b) = min((-count, i, pair) for i, (pair, count) in enumerate(counts.items()))
        splits = merge_pair(a, b, splits)
        merges.append((a, b))
        vocab.append(a + b)
    return merges, vocab


def merge_piece(piece, rank):
    symbols = list(piece)
    after = [*range(1, len(symbols)), -1]
    before = [*range(-1, len(symbols) - 1)]
    heap = []

    def offer(left):
        right = after[left]
        if right >= 0 and (symbols[left], symbols[right]) in rank:
            heapq.heappush(heap, (rank[symbols[left], symbols[right]], left, symbols[left], symbols[right]))

    for i in range(len(symbols) - 1):
        offer(i)
    while heap:
        _, left, a, b = heapq.heappop(heap)
        right = after[left]
        if symbols[left] != a or right < 0 or symbols[right] != b:
            continue  # one of the two has been merged since
        symbols[left], symbols[right] = a + b, None
        after[left] = after[right]
        if after[left] >= 0:
            before[after[left]] = left
        if before[left] >= 0:
            offer(before[left])
        offer(left)
    return [symbol for symbol in symbols if symbol is not None]


def tokenize(text, merges):
    rank = {pair: i for i, pair in enumerate(merges)}
    tokens = []
    for piece, _ in pre_tokenize(text):
        tokens.extend(merge_piece(piece, rank))
    return tokens


def encode(text, merges, vocab, specials):
    ids = {token: i for i, token in enumerate(vocab)}

    def stream():
        for part, special in split_specials(text, specials):
            if special:
                yield ids[part]
            else:
                yield from (ids[token] for token in tokenize(part, merges))

    return list(stream())


def decode(ids, vocab, specials):
    byte = {symbol: b for b, symbol in byte_symbols().items()}

    def chunks():
        run = bytearray()
        for token in map(vocab.__getitem__, ids):
            if token in specials:
                yield run.decode("utf-8", errors="replace")
                yield token
                run.clear()
            else:
                run.extend(map(byte.__getitem__, token))
        yield run.decode("utf-8", errors="replace")

    return "".join(chunks())


def fallback_tokenize(text, merges, alphabet, specials):
    rank = {pair: i for i, pair in enumerate(merges)}
    letters = frozenset(alphabet) - {"▁"}
    space = ["▁"] if "▁" in alphabet else ["<0x20>"]

    def spelled(chunk):
        for char in chunk:
            if char == " ":
                yield from space
            elif char in letters:
                yield char
            else:
                yield from (f"<0x{byte:02X}>" for byte in char.encode())

    def stream():
        for part, special in split_specials(text, specials):
            if special:
                yield part
            else:
                for start, end in places(part):
                    yield from merge_piece(spelled(part[start:end]), rank)

    return list(stream())


def fallback_decode(tokens, specials):
    names = {f"<0x{byte:02X}>": byte for byte in range(256)}

    def chunks():
        run = bytearray()
        for token in tokens:
            if token in names and token not in specials:
                run.append(names[token])
                continue
            yield run.decode("utf-8", errors="replace")
            run.clear()
            yield token if token in specials else token.replace("▁", " ")
        yield run.decode("utf-8", errors="replace")

    return "".join(chunks())


def merges_to_text(merges):
    def lines():
        yield "#version: 0.2"
        for a, b in merges:
            if not (a and b) or not {*a, *b}.isdisjoint(" \n\r"):
                raise ValueError(f"{a!r}, {b!r}")
            yield f"{a} {b}"

    return "".join(line + "\n" for line in lines())


def merges_from_text(text):
    def lines():
        start = number = 0
        while start <= len(text):
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            number += 1
            yield number, text[start : end - 1 if text[end - 1 : end] == "\r" and end > start else end]
            start = end + 1

    def pairs():
        for number, line in lines():
            if not line or (number == 1 and line.startswith("#version")):
                continue
            at = line.find(" ")
            if at < 1 or at == len(line) - 1 or line.find(" ", at + 1) >= 0:
                raise ValueError(f"line {number}: {line}")
            yield line[:at], line[at + 1 :]

    return list(pairs())


def bytes_per_token(texts, merges):
    rank = {pair: i for i, pair in enumerate(merges)}
    pieces = [piece for text in texts for piece, _ in pre_tokenize(text)]
    tokens = sum(len(merge_piece(piece, rank)) for piece in pieces)
    return len("".join(pieces)) / tokens if tokens else 0.0
