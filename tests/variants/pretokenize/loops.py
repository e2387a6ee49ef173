"""Style: nothing but loops over indices, and lists where others return tuples."""

import unicodedata


def utf8_bytes(text):
    out = []
    for ch in text:
        for b in ch.encode("utf8"):
            out.append(b)
    return out


def from_utf8_bytes(values):
    data = bytearray()
    for v in values:
        data.append(v)  # raises ValueError outside 0 .. 255
    return data.decode("utf8", "replace")


def byte_to_char():
    table = {}
    extra = 256
    b = 0
    while b < 256:
        if b <= 32 or 127 <= b <= 160 or b == 173:
            table[b] = chr(extra)
            extra += 1
        else:
            table[b] = chr(b)
        b += 1
    return table


def normalize(text):
    return normalize_with_offsets(text)[0]


def normalize_with_offsets(text):
    chars = []
    starts = []
    ends = []
    i = 0
    while i < len(text):
        grown = False
        for part in unicodedata.normalize("NFD", text[i]):
            if unicodedata.category(part) == "Mn":
                continue
            chars.append(part.lower())
            starts.append(i)
            ends.append(i + 1)
            grown = True
        if not grown:
            # back through all characters that came from the same place
            k = len(ends) - 1
            while k >= 0 and starts[k] == starts[-1]:
                ends[k] = i + 1
                k -= 1
        i += 1
    return ["".join(chars), [[starts[k], ends[k]] for k in range(len(chars))]]


def is_punct(ch):
    n = ord(ch)
    if n < 128:
        return 32 < n < 48 or 57 < n < 65 or 90 < n < 97 or 122 < n < 127
    return unicodedata.category(ch)[0] == "P"


def split_bert(text):
    result = []
    begin = -1
    for i in range(len(text) + 1):
        stop = i == len(text) or text[i].isspace() or is_punct(text[i])
        if stop and begin >= 0:
            result.append([text[begin:i], [begin, i]])
            begin = -1
        if i < len(text):
            if not stop and begin < 0:
                begin = i
            if is_punct(text[i]):
                result.append([text[i], [i, i + 1]])
    return result


def bert_pieces(text):
    norm, origins = normalize_with_offsets(text)
    result = []
    for piece, place in split_bert(norm):
        a, b = place
        result.append([piece, [origins[a][0], origins[b - 1][1]]])
    return result


def split_gpt2(text):
    table = byte_to_char()
    result = []
    i = 0
    n = len(text)
    while i < n:
        j = i
        if text[i] == "'" and text[i + 1 : i + 3] in ("re", "ve", "ll"):
            j = i + 3
        elif text[i] == "'" and text[i + 1 : i + 2] in ("s", "t", "m", "d"):
            j = i + 2
        else:
            k = i
            if text[k] == " " and k + 1 < n:
                k += 1
            if text[k].isspace():
                j = i
                while j < n and text[j].isspace():
                    j += 1
                if j < n and j > i + 1:
                    j -= 1
            else:
                letter = text[k].isalpha()
                number = not letter and text[k].isnumeric()
                j = k
                while j < n and not text[j].isspace():
                    if text[j].isalpha() != letter:
                        break
                    if (not text[j].isalpha() and text[j].isnumeric()) != number:
                        break
                    j += 1
        word = ""
        for b in text[i:j].encode():
            word += table[b]
        result.append([word, [i, j]])
        i = j
    return result


def escape_spaces(text):
    if text == "":
        return ""
    out = "\u2581"
    for ch in text:
        if ch == "\u2581":
            raise ValueError("reserved character")
        if ch == " ":
            out += "\u2581"
        else:
            out += ch
    return out


def unescape_spaces(escaped):
    out = ""
    for i in range(len(escaped)):
        if escaped[i] == "\u2581":
            if i != 0:
                out += " "
        else:
            out += escaped[i]
    return out


def split_sentencepiece(text):
    escaped = escape_spaces(text)
    result = []
    for i in range(len(escaped)):
        if escaped[i] == "\u2581":
            result.append([escaped[i], [i - 1 if i else 0, i]])
        else:
            result[-1][0] += escaped[i]
            result[-1][1][1] = i
    return result
