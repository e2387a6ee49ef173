"""Style: everything is read from the end, where what a character belongs to is already known or still open."""

import unicodedata as ud


def utf8_bytes(text):
    out = []
    for char in reversed(text):
        code, lead = ord(char), 0xC0
        if code < 0x80:
            out.append(code)
            continue
        # six bits a byte from the right, until the rest fits beside the marker of the first byte
        room = 0x20
        while True:
            out.append(0x80 | code & 0x3F)
            code >>= 6
            if code < room:
                break
            lead |= room
            room >>= 1
        out.append(lead | code)
    out.reverse()
    return out


def from_utf8_bytes(values):
    for value in values:
        if value < 0 or value > 255:
            raise ValueError("a byte was expected")
    return b"".join(bytes((value,)) for value in values).decode("utf-8", errors="replace")


def byte_to_char():
    table, code = {}, 256 + 67
    for byte in range(255, -1, -1):
        if 32 < byte < 127 or 160 < byte < 173 or byte > 173:
            table[byte] = chr(byte)
        else:
            table[byte] = chr(code)
            code -= 1
    return table


def normalize(text):
    found = normalize_with_offsets(text)
    return found[0]


def normalize_with_offsets(text):
    chars, spans, end = [], [], len(text)
    for start in range(len(text) - 1, -1, -1):
        parts = [part.lower() for part in ud.normalize("NFD", text[start]) if ud.category(part) != "Mn"]
        if parts:
            chars += reversed(parts)
            spans += [(start, end)] * len(parts)
            end = start
    return "".join(reversed(chars)), spans[::-1]


def split_bert(text):
    pieces, end = [], len(text)
    for place in reversed(range(len(text))):
        char = text[place]
        punctuation = ud.category(char)[0] == "P" or char in "$+<=>^`|~"
        if char.isspace() or punctuation:
            if place + 1 < end:
                pieces.append((text[place + 1 : end], (place + 1, end)))
            if punctuation:
                pieces.append((char, (place, place + 1)))
            end = place
    if end:
        pieces.append((text[:end], (0, end)))
    pieces.reverse()
    return pieces


def bert_pieces(text):
    norm, spans = normalize_with_offsets(text)
    found = []
    for piece, (start, end) in split_bert(norm):
        (first, _), (_, last) = spans[start], spans[end - 1]
        found.append((piece, (first, last)))
    return found


def split_gpt2(text):
    n = len(text)
    kind = ["s" if c.isspace() else {"L": "l", "N": "n"}.get(ud.category(c)[0], "o") for c in text]
    # run[i]: how many characters of one kind follow from i on
    run = [1] * (n + 1)
    for i in range(n - 2, -1, -1):
        if kind[i] == kind[i + 1]:
            run[i] = run[i + 1] + 1
    # where the piece that would begin at i ends, for every i
    ends = [0] * n
    for i in range(n - 1, -1, -1):
        if text[i : i + 3] in {"'re", "'ve", "'ll"}:
            ends[i] = i + 3
        elif text[i : i + 2] in {"'s", "'t", "'m", "'d"}:
            ends[i] = i + 2
        elif kind[i] != "s":
            ends[i] = i + run[i]
        elif text[i] == " " and i + 1 < n and kind[i + 1] != "s":
            ends[i] = i + 1 + run[i + 1]
        else:
            ends[i] = i + run[i] if i + run[i] == n or run[i] == 1 else i + run[i] - 1
    table, pieces, i = byte_to_char(), [], 0
    while i < n:
        pieces.append(("".join(table[b] for b in utf8_bytes(text[i : ends[i]])), (i, ends[i])))
        i = ends[i]
    return pieces


def escape_spaces(text):
    if text.find("▁") >= 0:
        raise UnicodeError("▁ cannot be escaped")  # a ValueError
    return text and ("▁" + text).replace(" ", "▁")


def unescape_spaces(escaped):
    text = escaped.replace("▁", " ")
    return text[1:] if escaped[:1] == "▁" else text


def split_sentencepiece(text):
    rest, pieces = escape_spaces(text), []
    end = len(text)
    while rest:
        rest, _, word = rest.rpartition("▁")
        start = end - len(word) - bool(rest)
        pieces.append(("▁" + word, (start, end)))
        end = start
    return pieces[::-1]
