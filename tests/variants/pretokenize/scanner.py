"""Style: classes. A reader walks over a text; a normalized text keeps its alignment and can be sliced."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Iterator, NamedTuple

Span = tuple[int, int]


class Piece(NamedTuple):
    text: str
    span: Span


class Kind(Enum):
    SPACE = 0
    LETTER = 1
    NUMBER = 2
    OTHER = 3

    @classmethod
    def of(cls, char: str) -> Kind:
        if char.isspace():
            return cls.SPACE
        return {"L": cls.LETTER, "N": cls.NUMBER}.get(unicodedata.category(char)[0], cls.OTHER)


class Alphabet(dict):
    def __init__(self) -> None:
        super().__init__()
        fresh = iter(range(256, 256 + 68))
        for byte in range(256):
            visible = byte in range(33, 127) or byte in range(161, 256) and byte != 173
            self[byte] = chr(byte if visible else next(fresh))

    def write(self, text: str) -> str:
        return "".join(self[byte] for byte in text.encode())


class Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def __bool__(self) -> bool:
        return self.at < len(self.text)

    def peek(self, ahead: int = 0) -> str:
        return self.text[self.at + ahead : self.at + ahead + 1]

    def run(self, belongs: Callable[[str], bool], ahead: int = 0) -> int:
        """How many characters from here belong together."""
        while self.peek(ahead) and belongs(self.peek(ahead)):
            ahead += 1
        return ahead

    def take(self, count: int) -> Piece:
        start, self.at = self.at, self.at + count
        return Piece(self.text[start : self.at], (start, self.at))


@dataclass
class Normalized:
    original: str

    def __post_init__(self) -> None:
        # for each place of the original: how long the normalized text is before it
        self.text, self.before = "", []
        for char in self.original:
            self.before.append(len(self.text))
            for part in unicodedata.normalize("NFD", char):
                if unicodedata.category(part) != "Mn":
                    self.text += part.lower()

    def origin(self, place: int) -> Span:
        # the last original character that does not begin after this place left it
        end = bisect_right(self.before, place)
        start = end - 1
        total = [*self.before[start + 1 : start + 2], len(self.text)][0]
        while total <= place or self.before[start] == total:
            start -= 1
            total = self.before[start + 1]
        while end < len(self.original) and self._left(end) == 0:
            end += 1
        return start, end

    def _left(self, number: int) -> int:
        after = self.before[number + 1] if number + 1 < len(self.before) else len(self.text)
        return after - self.before[number]

    @property
    def origins(self) -> list[Span]:
        return [self.origin(place) for place in range(len(self.text))]


def _punctuation(char: str) -> bool:
    return char in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" or unicodedata.category(char) in {
        "Pc",
        "Pd",
        "Pe",
        "Pf",
        "Pi",
        "Po",
        "Ps",
    }


def _bert(text: str) -> Iterator[Piece]:
    reader = Reader(text)
    while reader:
        if reader.peek().isspace():
            reader.take(1)
        elif _punctuation(reader.peek()):
            yield reader.take(1)
        else:
            yield reader.take(reader.run(lambda char: not char.isspace() and not _punctuation(char)))


def _gpt2(text: str) -> Iterator[Piece]:
    reader = Reader(text)
    while reader:
        form = next((f for f in ("s", "t", "re", "ve", "m", "ll", "d") if text.startswith("'" + f, reader.at)), None)
        lead = int(reader.peek() == " ")
        after = reader.peek(lead)
        if form:
            yield reader.take(1 + len(form))
        elif after and not after.isspace():
            kind = Kind.of(after)
            yield reader.take(reader.run(lambda char: Kind.of(char) is kind, lead))
        else:
            run = reader.run(str.isspace)
            leave = reader.at + run < len(text) and run > 1
            yield reader.take(run - leave)


def utf8_bytes(text: str) -> list[int]:
    return list(memoryview(text.encode()))


def from_utf8_bytes(values: list[int]) -> str:
    return b"".join(value.to_bytes(1, "big") for value in map(_checked, values)).decode(errors="replace")


def _checked(value: int) -> int:
    if value not in range(256):
        raise ValueError(value)
    return value


def byte_to_char() -> dict[int, str]:
    return Alphabet()


def normalize(text: str) -> str:
    return Normalized(text).text


def normalize_with_offsets(text: str) -> tuple[str, list[Span]]:
    found = Normalized(text)
    return found.text, found.origins


def split_bert(text: str) -> list[Piece]:
    return list(_bert(text))


def bert_pieces(text: str) -> list[Piece]:
    found = Normalized(text)
    return [
        Piece(piece.text, (found.origin(piece.span[0])[0], found.origin(piece.span[1] - 1)[1]))
        for piece in _bert(found.text)
    ]


def split_gpt2(text: str) -> list[Piece]:
    alphabet = Alphabet()
    return [Piece(alphabet.write(piece.text), piece.span) for piece in _gpt2(text)]


class SpaceCodec:
    mark = "\N{LOWER ONE EIGHTH BLOCK}"

    def encode(self, text: str) -> str:
        if text.count(self.mark):
            raise ValueError("the mark is reserved")
        return "".join([self.mark, *text.translate({32: self.mark})]) if text else text

    def decode(self, escaped: str) -> str:
        head, rest = escaped[:1], escaped[1:]
        return (head if head != self.mark else "") + rest.translate({ord(self.mark): " "})


def escape_spaces(text: str) -> str:
    return SpaceCodec().encode(text)


def unescape_spaces(escaped: str) -> str:
    return SpaceCodec().decode(escaped)


def split_sentencepiece(text: str) -> list[Piece]:
    reader = Reader(SpaceCodec().encode(text))
    pieces = []
    while reader:
        piece = reader.take(reader.run(lambda char: char != SpaceCodec.mark, 1))
        start, end = piece.span
        pieces.append(Piece(piece.text, (max(0, start - 1), end - 1)))
    return pieces
