"""Style: the classes of Unicode are spelled out as character classes of regular expressions."""

import re
import sys
import unicodedata
from functools import lru_cache


@lru_cache(maxsize=None)
def members(first_letter):
    """A character class body with every character whose category begins like this."""
    ranges = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(first_letter):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges)


@lru_cache(maxsize=None)
def gpt2_pattern():
    letters, numbers = members("L"), members("N")
    return re.compile(
        rf"'s|'t|'re|'ve|'m|'ll|'d| ?[{letters}]+| ?[{numbers}]+| ?[^\s{letters}{numbers}]+|\s+(?!\S)|\s+"
    )


@lru_cache(maxsize=None)
def bert_pattern():
    marks = r"!-/:-@\[-`{-~" + members("P")
    return re.compile(rf"[{marks}]|[^\s{marks}]+")


def utf8_bytes(text):
    return [*bytes(text, "utf-8")]


def from_utf8_bytes(values):
    return str(bytes(values), "utf-8", "replace")


def byte_to_char():
    moved = re.findall("[^!-~¡-¬®-ÿ]", "".join(map(chr, range(256))))
    return {b: chr(256 + moved.index(chr(b))) if chr(b) in moved else chr(b) for b in range(256)}


def normalize(text):
    mark_free = re.sub(rf"[{members('Mn')}]", "", unicodedata.normalize("NFD", text))
    return re.sub(".", lambda m: m[0].lower(), mark_free, flags=re.DOTALL)


def normalize_with_offsets(text):
    origins = []
    clusters = re.compile(rf"[^{members('Mn')}][{members('Mn')}]*", re.DOTALL)
    for match in clusters.finditer(text):
        origins += [match.span()] * len(normalize(match[0]))
    return normalize(text), origins


def split_bert(text):
    return [(m[0], m.span()) for m in bert_pattern().finditer(text)]


def bert_pieces(text):
    norm, origins = normalize_with_offsets(text)
    return [(m[0], (origins[m.start()][0], origins[m.end() - 1][1])) for m in bert_pattern().finditer(norm)]


def split_gpt2(text):
    table = byte_to_char()
    return [("".join(map(table.get, m[0].encode())), m.span()) for m in gpt2_pattern().finditer(text)]


def escape_spaces(text):
    if re.search("▁", text):
        raise ValueError("cannot be escaped")
    return re.sub("^(?=.)| ", "▁", text, flags=re.DOTALL)


def unescape_spaces(escaped):
    return re.sub("▁", " ", re.sub(r"\A▁", "", escaped))


def split_sentencepiece(text):
    pieces = re.split("(?=▁)", escape_spaces(text))[1:]
    done, result = 0, []
    for piece in pieces:
        here = len(piece) - (0 if result else 1)
        result.append((piece, (done, done + here)))
        done += here
    return result
