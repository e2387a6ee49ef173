"""Style: small classes do the work, the functions only hand over to them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field


class ByteTable:
    """Both directions between bytes and their symbols."""

    def __init__(self) -> None:
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        hidden = [b for b in range(256) if b not in set(printable)]
        self.symbol = {b: chr(b) for b in printable}
        self.symbol.update({b: chr(256 + n) for n, b in enumerate(hidden)})
        self.byte = {symbol: b for b, symbol in self.symbol.items()}

    def write(self, text: str) -> str:
        return "".join(self.symbol[b] for b in text.encode("utf-8"))

    def read(self, symbols: str) -> bytes:
        return bytes(self.byte[symbol] for symbol in symbols)


TABLE = ByteTable()


class Scanner:
    """Reads a text from left to right and hands out the places of its pieces."""

    ENDINGS = ("'ll", "'ve", "'re", "'s", "'t", "'m", "'d")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def __iter__(self) -> Scanner:
        return self

    def __next__(self) -> tuple[int, int]:
        if self.at >= len(self.text):
            raise StopIteration
        start = self.at
        self.at = self._ending() or self._word() or self._blank()
        return start, self.at

    def _is(self, kind: str, place: int) -> bool:
        if place >= len(self.text):
            return False
        char = self.text[place]
        if char.isspace():
            return kind == "Z"
        major = unicodedata.category(char)[0]
        return kind == (major if major in "LN" else "*")

    def _ending(self) -> int | None:
        for ending in self.ENDINGS:
            if self.text.startswith(ending, self.at):
                return self.at + len(ending)
        return None

    def _word(self) -> int | None:
        first = self.at + (self.text[self.at] == " ")
        for kind in "LN*":
            end = first
            while self._is(kind, end):
                end += 1
            if end > first:
                return end
        return None

    def _blank(self) -> int:
        end = self.at
        while self._is("Z", end):
            end += 1
        if end < len(self.text) and end > self.at + 1:
            end -= 1
        return end


@dataclass
class Word:
    text: str
    freq: int
    symbols: list[str] = field(default_factory=list)

    def pairs(self) -> list[tuple[str, str]]:
        return list(zip(self.symbols, self.symbols[1:]))

    def merged(self, a: str, b: str) -> list[str]:
        out: list[str] = []
        rest = iter(self.symbols)
        waiting: str | None = None
        for symbol in rest:
            if waiting is not None and symbol == b:
                out.append(a + b)
                waiting = None
                continue
            if waiting is not None:
                out.append(waiting)
                waiting = None
            if symbol == a:
                waiting = symbol
            else:
                out.append(symbol)
        if waiting is not None:
            out.append(waiting)
        return out


class Trainer:
    def __init__(self, freqs: dict[str, int], specials: tuple[str, ...]) -> None:
        self.words = [Word(text, freq, list(text)) for text, freq in freqs.items()]
        self.vocab = list(specials) + sorted({s for word in self.words for s in word.symbols})
        self.merges: list[tuple[str, str]] = []

    def step(self) -> bool:
        counts: dict[tuple[str, str], int] = {}
        for word in self.words:
            for pair in word.pairs():
                counts[pair] = counts.get(pair, 0) + word.freq
        if not counts:
            return False
        top = max(counts.values())
        a, b = next(pair for pair in counts if counts[pair] == top)
        for word in self.words:
            word.symbols = word.merged(a, b)
        self.merges.append((a, b))
        self.vocab.append(a + b)
        return True


def byte_symbols() -> dict[int, str]:
    return dict(TABLE.symbol)


def pre_tokenize(text: str) -> list[tuple[str, tuple[int, int]]]:
    return [(TABLE.write(text[i:j]), (i, j)) for i, j in Scanner(text)]


def split_specials(text: str, specials: list[str]) -> list[tuple[str, bool]]:
    parts: list[tuple[str, bool]] = []
    buffer: list[str] = []
    at = 0
    while at < len(text):
        fits = [s for s in specials if text.startswith(s, at)]
        if not fits:
            buffer.append(text[at])
            at += 1
            continue
        if buffer:
            parts.append(("".join(buffer), False))
            buffer = []
        parts.append((max(fits, key=len), True))
        at += len(parts[-1][0])
    if buffer:
        parts.append(("".join(buffer), False))
    return parts


def word_frequencies(corpus: list[str], specials: list[str]) -> dict[str, int]:
    freqs: dict[str, int] = {}
    for text in corpus:
        for part, special in split_specials(text, specials):
            for piece, _ in [] if special else pre_tokenize(part):
                freqs[piece] = freqs.setdefault(piece, 0) + 1
    return freqs


def pair_frequencies(splits, word_freqs):
    counts: dict[tuple[str, str], int] = {}
    for text, symbols in splits.items():
        for pair in Word(text, 0, symbols).pairs():
            counts[pair] = counts.get(pair, 0) + word_freqs[text]
    return counts


def merge_pair(a, b, splits):
    return {text: Word(text, 0, symbols).merged(a, b) for text, symbols in splits.items()}


def train(corpus, vocab_size, specials=("<|endoftext|>",)):
    trainer = Trainer(word_frequencies(corpus, list(specials)), tuple(specials))
    while len(trainer.vocab) < vocab_size:
        if not trainer.step():
            break
    return trainer.merges, trainer.vocab


def tokenize(text, merges):
    rank = {pair: i for i, pair in enumerate(merges)}
    tokens: list[str] = []
    for piece, _ in pre_tokenize(text):
        word = Word(piece, 1, list(piece))
        while known := [pair for pair in word.pairs() if pair in rank]:
            word.symbols = word.merged(*min(known, key=rank.__getitem__))
        tokens.extend(word.symbols)
    return tokens


def encode(text, merges, vocab, specials):
    index = {token: i for i, token in enumerate(vocab)}
    ids: list[int] = []
    for part, special in split_specials(text, specials):
        ids.extend(index[token] for token in ([part] if special else tokenize(part, merges)))
    return ids


def decode(ids, vocab, specials):
    chunks: list[str] = []
    pending = bytearray()
    for token in [*(vocab[i] for i in ids), None]:
        if token is None or token in specials:
            chunks.append(pending.decode("utf-8", errors="replace"))
            pending = bytearray()
            chunks.append(token or "")
        else:
            pending += TABLE.read(token)
    return "".join(chunks)


class CharacterTable:
    """Characters that are known, and the bytes of the others."""

    def __init__(self, alphabet: list[str]) -> None:
        self.symbols = {char: [char] for char in alphabet}
        space = self.symbols.pop("▁", None)
        if space:
            self.symbols[" "] = space

    def __getitem__(self, char: str) -> list[str]:
        return self.symbols.get(char) or [f"<0x{b:02X}>" for b in char.encode()]


class TextBuilder:
    """Takes tokens one after the other and puts a text together."""

    BYTE = {f"<0x{b:02X}>": bytes([b]) for b in range(256)}

    def __init__(self, specials: list[str]) -> None:
        self.specials = frozenset(specials)
        self.chunks: list[str] = []
        self.pending = b""

    def flush(self) -> TextBuilder:
        self.chunks.append(self.pending.decode("utf-8", "replace"))
        self.pending = b""
        return self

    def take(self, token: str) -> None:
        if token in self.specials:
            self.flush().chunks.append(token)
        elif token in self.BYTE:
            self.pending += self.BYTE[token]
        else:
            self.flush().chunks.append(" ".join(token.split("▁")))


class MergesFile:
    HEADER = "#version"

    @staticmethod
    def check(symbol: str) -> str:
        if not symbol or any(char in symbol for char in " \r\n"):
            raise ValueError(f"bad symbol {symbol!r}")
        return symbol

    @classmethod
    def dump(cls, merges) -> str:
        return f"{cls.HEADER}: 0.2\n" + "".join(f"{cls.check(a)} {cls.check(b)}\n" for a, b in merges)

    @classmethod
    def parse(cls, text: str):
        for n, line in enumerate(text.split("\n")):
            line = line.rstrip("\r")
            if not line or n == 0 and line[: len(cls.HEADER)] == cls.HEADER:
                continue
            try:
                left, right = line.split(" ")
                yield cls.check(left), cls.check(right)
            except ValueError as error:
                raise ValueError(f"line {n + 1}: {error}") from error


def fallback_tokenize(text, merges, alphabet, specials):
    rank = {pair: i for i, pair in enumerate(merges)}
    table = CharacterTable(alphabet)
    tokens: list[str] = []
    for part, special in split_specials(text, specials):
        if special:
            tokens.append(part)
            continue
        for start, end in Scanner(part):
            word = Word("", 1, [symbol for char in part[start:end] for symbol in table[char]])
            while known := [pair for pair in word.pairs() if pair in rank]:
                word.symbols = word.merged(*min(known, key=rank.__getitem__))
            tokens.extend(word.symbols)
    return tokens


def fallback_decode(tokens, specials):
    builder = TextBuilder(specials)
    for token in tokens:
        builder.take(token)
    return "".join(builder.flush().chunks)


def merges_to_text(merges):
    return MergesFile.dump(merges)


def merges_from_text(text):
    return list(MergesFile.parse(text))


def bytes_per_token(texts, merges):
    sizes = [(len(text.encode()), len(tokenize(text, merges))) for text in texts]
    count = sum(tokens for _, tokens in sizes)
    if not count:
        return 0.0
    return sum(size for size, _ in sizes) / count
