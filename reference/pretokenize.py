"""Pre-tokenization: the hidden reference for grading. Plain and slow on purpose, one rule at a time."""

import unicodedata

SHORT_FORMS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
REPLACEMENT = "\ufffd"
MARK = "\u2581"

Pieces = list[tuple[str, tuple[int, int]]]


# --- UTF-8 ------------------------------------------------------------------------------------


def utf8_bytes(text: str) -> list[int]:
    """The bytes of a text, from the bits of each code point."""
    found: list[int] = []
    for char in text:
        code = ord(char)
        if code < 0x80:
            found.append(code)
        elif code < 0x800:
            found += [0xC0 | code >> 6, 0x80 | code & 0x3F]
        elif code < 0x10000:
            found += [0xE0 | code >> 12, 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F]
        else:
            found += [0xF0 | code >> 18, 0x80 | code >> 12 & 0x3F, 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F]
    return found


def _form(first: int) -> tuple[int, int, int, int] | None:
    """Of the sequence that a byte begins: bits of the first byte, length, and the range of the second byte.

    The Unicode Standard, table 3-7: the narrower ranges exclude what has a shorter form, surrogates, and
    what lies above U+10FFFF.
    """
    if first < 0x80:
        return first, 1, 0x80, 0xBF
    if 0xC2 <= first <= 0xDF:
        return first & 0x1F, 2, 0x80, 0xBF
    if 0xE0 <= first <= 0xEF:
        low = 0xA0 if first == 0xE0 else 0x80
        high = 0x9F if first == 0xED else 0xBF
        return first & 0x0F, 3, low, high
    if 0xF0 <= first <= 0xF4:
        low = 0x90 if first == 0xF0 else 0x80
        high = 0x8F if first == 0xF4 else 0xBF
        return first & 0x07, 4, low, high
    return None


def from_utf8_bytes(values: list[int]) -> str:
    """The text of some bytes; each longest start of a valid sequence that breaks off is one U+FFFD."""
    for value in values:
        if not 0 <= value <= 255:
            raise ValueError(f"{value} is no byte")
    text = ""
    place = 0
    while place < len(values):
        form = _form(values[place])
        place += 1
        if form is None:
            text += REPLACEMENT
            continue
        code, length, low, high = form
        taken = 1
        while taken < length and place < len(values) and low <= values[place] <= high:
            code = code << 6 | values[place] & 0x3F
            low, high = 0x80, 0xBF  # only the second byte has a narrower range
            taken += 1
            place += 1
        text += chr(code) if taken == length else REPLACEMENT
    return text


def byte_to_char() -> dict[int, str]:
    """One printable character for each of the 256 bytes."""
    chars: dict[int, str] = {}
    moved = 0
    for byte in range(256):
        # 173 is the soft hyphen, which is not printed.
        if 33 <= byte <= 126 or 161 <= byte <= 172 or 174 <= byte <= 255:
            chars[byte] = chr(byte)
        else:
            chars[byte] = chr(256 + moved)
            moved += 1
    return chars


# --- normalizing ------------------------------------------------------------------------------


def _decompose(char: str) -> str:
    """The full canonical decomposition of one character, from the tables and the arithmetic of Hangul."""
    syllable = ord(char) - 0xAC00
    if 0 <= syllable < 19 * 21 * 28:
        lead, rest = divmod(syllable, 21 * 28)
        vowel, tail = divmod(rest, 28)
        jamo = chr(0x1100 + lead) + chr(0x1161 + vowel)
        return jamo + chr(0x11A7 + tail) if tail else jamo
    mapping = unicodedata.decomposition(char)
    # "<compat> 0066 0069": what has a name in brackets is not canonical
    if not mapping or mapping.startswith("<"):
        return char
    return "".join(_decompose(chr(int(code, 16))) for code in mapping.split())


def _reduce(char: str) -> str:
    """What is left of one character."""
    return "".join(part.lower() for part in _decompose(char) if unicodedata.category(part) != "Mn")


def normalize(text: str) -> str:
    """The text without accents and capital letters."""
    return "".join(_reduce(char) for char in text)


def normalize_with_offsets(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The normalized text and the span of each of its characters."""
    normalized = ""
    origins: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        left = _reduce(text[start])
        end = start + 1
        while left and end < len(text) and not _reduce(text[end]):
            end += 1
        for char in left:
            normalized += char
            origins.append((start, end))
        start = end
    return normalized, origins


# --- BERT -------------------------------------------------------------------------------------


def _is_punctuation(char: str) -> bool:
    code = ord(char)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(char).startswith("P")


def split_bert(text: str) -> Pieces:
    """Words between whitespace, and each punctuation character."""
    pieces: Pieces = []
    start = 0
    while start < len(text):
        end = start + 1
        if text[start].isspace():
            start = end
            continue
        if not _is_punctuation(text[start]):
            while end < len(text) and not text[end].isspace() and not _is_punctuation(text[end]):
                end += 1
        pieces.append((text[start:end], (start, end)))
        start = end
    return pieces


def bert_pieces(text: str) -> Pieces:
    """The pieces of the normalized text with places in the text as it was."""
    normalized, origins = normalize_with_offsets(text)
    pieces: Pieces = []
    for piece, (first, after) in split_bert(normalized):
        spans = origins[first:after]
        pieces.append((piece, (spans[0][0], spans[-1][1])))
    return pieces


# --- GPT-2 ------------------------------------------------------------------------------------


def _kind(char: str) -> str:
    """The class of a character: space, letter, number or other."""
    if char.isspace():
        return "space"
    category = unicodedata.category(char)
    if category.startswith("L"):
        return "letter"
    if category.startswith("N"):
        return "number"
    return "other"


def _run_end(text: str, start: int) -> int:
    """Where the run of characters of one class that begins at start ends."""
    end = start + 1
    while end < len(text) and _kind(text[end]) == _kind(text[start]):
        end += 1
    return end


def _piece_end(text: str, start: int) -> int:
    """Where the piece that begins at start ends."""
    for short_form in SHORT_FORMS:
        if text.startswith(short_form, start):
            return start + len(short_form)
    # Rules 2 to 4: the optional space belongs to the piece, the run after it decides its class.
    first = start
    if text[start] == " " and start + 1 < len(text):
        first = start + 1
    if _kind(text[first]) != "space":
        return _run_end(text, first)
    # Rules 5 and 6: the last whitespace character is left to what follows, unless nothing would remain.
    end = _run_end(text, start)
    if end < len(text) and end - start > 1:
        return end - 1
    return end


def split_gpt2(text: str) -> Pieces:
    """The pieces of a text in printable bytes, each with its place in characters."""
    chars = byte_to_char()
    pieces: Pieces = []
    start = 0
    while start < len(text):
        end = _piece_end(text, start)
        pieces.append(("".join(chars[byte] for byte in utf8_bytes(text[start:end])), (start, end)))
        start = end
    return pieces


# --- SentencePiece ----------------------------------------------------------------------------


def escape_spaces(text: str) -> str:
    """The prefix and the text with its spaces written as U+2581."""
    escaped = ""
    for char in text:
        if char == MARK:
            raise ValueError("the text contains U+2581, which would come back as a space")
        if not escaped:
            escaped = MARK
        escaped += MARK if char == " " else char
    return escaped


def unescape_spaces(escaped: str) -> str:
    """The text without the prefix and with spaces for U+2581."""
    text = ""
    for place, char in enumerate(escaped):
        if char != MARK:
            text += char
        elif place > 0:
            text += " "
    return text


def split_sentencepiece(text: str) -> Pieces:
    """The escaped text, cut before every U+2581."""
    escaped = escape_spaces(text)
    pieces: Pieces = []
    start = 0
    while start < len(escaped):
        end = start + 1
        while end < len(escaped) and escaped[end] != MARK:
            end += 1
        # The escaped text has one character more at its front: every place is one less in the text.
        pieces.append((escaped[start:end], (max(start - 1, 0), end - 1)))
        start = end
    return pieces
