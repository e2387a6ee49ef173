"""Style: groupby, accumulate and generators."""

import codecs
import unicodedata
from itertools import accumulate, chain, count, groupby, pairwise

SHORT = ("'re", "'ve", "'ll", "'s", "'t", "'m", "'d")


def utf8_bytes(text):
    return list(chain.from_iterable(char.encode() for char in text))


def from_utf8_bytes(values):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return "".join(decoder.decode(bytes([value])) for value in values) + decoder.decode(b"", final=True)


def byte_to_char():
    free = map(chr, count(256))
    kept = {*b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"}
    kept |= set(range(0xA1, 0x100)) - {0xAD}
    return {byte: chr(byte) if byte in kept else next(free) for byte in range(256)}


def _left(char):
    return [p.lower() for p in unicodedata.normalize("NFD", char) if unicodedata.category(p) != "Mn"]


def normalize(text):
    return "".join(chain.from_iterable(map(_left, text)))


def normalize_with_offsets(text):
    # characters that leave something open a new group; those before the first are group 0
    opens = accumulate(bool(_left(char)) for char in text)
    groups = [[i for _, i in members] for number, members in groupby(zip(opens, count()), lambda p: p[0]) if number]
    origins = [(group[0], group[-1] + 1) for group in groups for _ in _left(text[group[0]])]
    return normalize(text), origins


def _bert_key(item):
    place, char = item
    if char.isspace():
        return None
    ascii_sign = "!" <= char <= "~" and not char.isalnum()
    # a key of its own for each punctuation character
    return place if ascii_sign or unicodedata.category(char)[0] == "P" else -1


def split_bert(text):
    pieces = []
    for key, group in groupby(enumerate(text), _bert_key):
        if key is not None:
            places = [place for place, _ in group]
            start, end = places[0], places[-1] + 1
            pieces.append((text[start:end], (start, end)))
    return pieces


def bert_pieces(text):
    # the spans of the origins leave no gap: a piece ends where the next character's span starts
    norm, origins = normalize_with_offsets(text)
    starts = [start for start, _ in origins] + [len(text)]
    return [(piece, (starts[a], starts[b])) for piece, (a, b) in split_bert(norm)]


def _cuts(text):
    """Where a piece of GPT-2 begins, and the end of the text."""
    kind = lambda char: (
        "S" if char.isspace() else unicodedata.category(char)[0].translate({ord(c): "O" for c in "MPSZC"})
    )
    kinds = list(map(kind, text))
    place = 0
    while place < len(text):
        yield place
        short = next(filter(lambda form: text.startswith(form, place), SHORT), "")
        if short:
            place += len(short)
            continue
        head = place + (text[place] == " " and kinds[place + 1 : place + 2] not in ([], ["S"]))
        length = sum(1 for _ in next(groupby(kinds[head:]))[1])
        end = head + length
        place = end - (kinds[head] == "S" and length > 1 and end < len(text))
    yield len(text)


def split_gpt2(text):
    chars = byte_to_char()
    return [("".join(chars[b] for b in text[a:b_].encode()), (a, b_)) for a, b_ in pairwise(_cuts(text))]


def escape_spaces(text):
    if "\u2581" in set(text):
        raise ValueError(text)
    return "".join(chain("\u2581" * bool(text), ("\u2581" if char == " " else char for char in text)))


def unescape_spaces(escaped):
    first, *rest = escaped or [""]
    return "".join([first.strip("\u2581"), *(" " if char == "\u2581" else char for char in rest)])


def split_sentencepiece(text):
    words = escape_spaces(text).split("\u2581")[1:]
    ends = accumulate(len(word) + (number > 0) for number, word in enumerate(words))
    return [("\u2581" + word, (start, end)) for word, (start, end) in zip(words, pairwise(chain([0], ends)))]
