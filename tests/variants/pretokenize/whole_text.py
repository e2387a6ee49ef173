"""Style: the whole text is decomposed at once; places come from running totals; masks by translate tables."""

import re
import unicodedata
from collections import defaultdict

BAR = "\u2581"


class Lazy(defaultdict):
    """A table for str.translate that works out each character when it is first met."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def __missing__(self, code):
        self[code] = self.rule(chr(code))
        return self[code]


def _lower_or_nothing(char):
    return None if unicodedata.category(char) == "Mn" else char.lower()


FOLD = Lazy(_lower_or_nothing)
DROPPED = Lazy(lambda char: "x" if unicodedata.normalize("NFD", char).translate(FOLD) else "-")
BERT = Lazy(
    lambda char: (
        " "
        if char.isspace()
        else "."
        if re.match(r"[!-/:-@\[-`{-~]", char) or unicodedata.category(char)[0] == "P"
        else "a"
    )
)
# the space and the apostrophe stay, all else becomes one character that stands for its class
GPT2 = Lazy(
    lambda char: (
        "\n" if char.isspace() else "a" if char.isalpha() else "1" if unicodedata.category(char)[0] == "N" else "!"
    )
)


def utf8_bytes(text):
    pairs = text.encode().hex(" ").split()
    return [int(pair, 16) for pair in pairs]


def from_utf8_bytes(values):
    return bytearray(values).decode(errors="replace")


def byte_to_char():
    order = [*range(33, 127), *range(161, 173), *range(174, 256)]
    order += sorted(set(range(256)) - set(order))
    return dict(zip(order, [*map(chr, order[:188]), *map(chr, range(256, 324))]))


def normalize(text):
    return unicodedata.normalize("NFD", text).translate(FOLD)


def normalize_with_offsets(text):
    found = []
    for match in re.finditer("x-*", text.translate(DROPPED)):
        length = len(normalize(text[match.start()]))
        found.extend([match.span()] * length)
    return normalize(text), found


def split_bert(text):
    return [(text[m.start() : m.end()], (m.start(), m.end())) for m in re.finditer(r"a+|\.", text.translate(BERT))]


def bert_pieces(text):
    norm, spans = normalize_with_offsets(text)
    result = []
    for piece, (start, end) in split_bert(norm):
        inside = spans[start:end]
        result.append((piece, (min(inside)[0], max(inside)[1])))
    return result


def split_gpt2(text):
    mask = "".join(char if char in " '" else char.translate(GPT2) for char in text)
    # short forms are marked in the mask with characters that no class has
    forms = [m for m in re.finditer(r"'(?:s|t|re|ve|m|ll|d)", text)]
    at = {m.start(): m.end() for m in forms}
    rule = re.compile(r" ?a+| ?1+| ?['!]+|\s+(?!\S)|\s+")
    table, result, place = byte_to_char(), [], 0
    while place < len(text):
        end = at.get(place) or rule.match(mask, place).end()
        word = text[place:end].encode().decode("latin-1").translate(table)
        result.append((word, (place, end)))
        place = end
    return result


def escape_spaces(text):
    if BAR in text:
        raise ValueError
    return BAR.join(["", *text.split(" ")]) if text else ""


def unescape_spaces(escaped):
    parts = escaped.split(BAR)
    if len(parts) > 1 and parts[0] == "":
        parts = parts[1:]
    return " ".join(parts)


def split_sentencepiece(text):
    if BAR in text:
        raise ValueError("the text must not contain the mark")
    if not text:
        return []
    places, result = [0], []
    for place, char in enumerate(text):
        if char == " ":
            places.append(place)
    for number, start in enumerate(places):
        end = places[number + 1] if number + 1 < len(places) else len(text)
        word = text[start:end] if number == 0 else text[start + 1 : end]
        result.append((BAR + word, (start, end)))
    return result
