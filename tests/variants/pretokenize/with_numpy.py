"""Style: arrays. Codes, classes and boundaries are numpy arrays; numbers are converted at the end."""

import unicodedata

import numpy as np

NAMES = ("Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No")


def utf8_bytes(text):
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8).tolist()


def from_utf8_bytes(values):
    numbers = np.array(values, dtype=np.int64)
    if ((numbers < 0) | (numbers > 255)).any():
        raise ValueError("not all values are bytes")
    return numbers.astype(np.uint8).tobytes().decode("utf-8", "replace")


def byte_to_char():
    codes = np.arange(256)
    moved = (codes < 33) | ((codes > 126) & (codes < 161)) | (codes == 173)
    codes[moved] = 256 + np.arange(moved.sum())
    return {byte: chr(code) for byte, code in enumerate(codes.tolist())}


def _parts(text):
    return [
        "".join(p.lower() for p in unicodedata.normalize("NFD", c) if unicodedata.category(p) != "Mn") for c in text
    ]


def normalize(text):
    return "".join(_parts(text))


def normalize_with_offsets(text):
    parts = _parts(text)
    lengths = np.array([len(part) for part in parts], dtype=int)
    starts = np.flatnonzero(lengths)
    ends = np.append(starts[1:], len(text))
    spans = np.repeat(np.stack([starts, ends], axis=1), lengths[starts], axis=0) if len(starts) else np.empty((0, 2))
    return "".join(parts), [tuple(span) for span in spans.tolist()]


def _mask(text, question):
    return np.array([question(char) for char in text], dtype=bool)


def _is_sign(char):
    return (32 < ord(char) < 127 and not char.isalnum()) or unicodedata.category(char).startswith("P")


def split_bert(text):
    if not text:
        return []
    space, sign = _mask(text, str.isspace), _mask(text, _is_sign)
    # a piece begins where the class changes, and at each sign
    classes = np.where(space, 0, np.where(sign, 1, 2))
    begins = np.flatnonzero(np.append(True, (classes[1:] != classes[:-1]) | sign[1:]))
    ends = np.append(begins[1:], len(text))
    keep = classes[begins] > 0
    return [(text[a:b], (a, b)) for a, b in zip(begins[keep].tolist(), ends[keep].tolist())]


def bert_pieces(text):
    norm, spans = normalize_with_offsets(text)
    table = np.array(spans, dtype=int).reshape(-1, 2)
    return [(piece, (int(table[a, 0]), int(table[b - 1, 1]))) for piece, (a, b) in split_bert(norm)]


def split_gpt2(text):
    if not text:
        return []
    letters = _mask(text, lambda c: unicodedata.category(c) in NAMES[:5])
    numbers = _mask(text, lambda c: unicodedata.category(c) in NAMES[5:])
    classes = np.where(_mask(text, str.isspace), 0, np.where(letters, 1, np.where(numbers, 2, 3)))
    changes = np.flatnonzero(np.diff(classes)) + 1
    limits = np.append(changes, len(text))
    table, cuts, place = byte_to_char(), [0], 0
    while place < len(text):
        cut = next(
            (place + len(s) for s in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d") if text.startswith(s, place)), 0
        )
        if not cut:
            joined = text[place] == " " and place + 1 < len(text) and classes[place + 1] != 0
            end = int(limits[np.searchsorted(limits, place + joined, side="right")])
            short = classes[place + joined] == 0 and end < len(text) and end - place > 1
            cut = end - int(short)
        cuts.append(cut)
        place = cut
    return [("".join(table[x] for x in text[a:b].encode()), (a, b)) for a, b in zip(cuts, cuts[1:])]


def escape_spaces(text):
    codes = np.array([ord(char) for char in text], dtype=int)
    if (codes == 0x2581).any():
        raise ValueError("U+2581 in the text")
    codes[codes == 32] = 0x2581
    return "".join(map(chr, codes.tolist())).rjust(len(text) + 1, chr(0x2581)) if text else ""


def unescape_spaces(escaped):
    rest = escaped[1:] if escaped.startswith(chr(0x2581)) else escaped
    return rest.replace(chr(0x2581), chr(32))


def split_sentencepiece(text):
    escaped = escape_spaces(text)
    cuts = np.flatnonzero(np.array([char == chr(0x2581) for char in escaped], dtype=bool))
    ends = np.append(cuts[1:], len(escaped)) if len(cuts) else cuts
    places = np.clip(np.stack([cuts, ends], axis=1) - 1, 0, None)
    return [(escaped[a:b], tuple(p)) for a, b, p in zip(cuts.tolist(), ends.tolist(), places.tolist())]
