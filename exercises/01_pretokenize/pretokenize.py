"""Normalizing and splitting a text, with places in the original. The task is in README.md beside this file."""


def utf8_bytes(text: str) -> list[int]:
    """Return the UTF-8 bytes of a text.

    Args:
        text: any Unicode text without lone surrogates, as in every function here.

    Returns:
        list of ints in 0 .. 255, one to four for each character; nothing is put before them.

    Source: RFC 3629, section 3.
    """
    raise NotImplementedError


def from_utf8_bytes(values: list[int]) -> str:
    """Return the text that UTF-8 bytes stand for.

    Args:
        values: any list of ints.

    Returns:
        the text; `from_utf8_bytes(utf8_bytes(text))` is `text` for every text. Bytes that are no valid
        UTF-8 become U+FFFD, as `bytes.decode("utf-8", errors="replace")` does it; the README gives
        the rule.

    Raises:
        ValueError: a value is not in 0 .. 255.

    Source: RFC 3629, section 3; Unicode Standard, section 3.9, U+FFFD substitution of maximal subparts.
    """
    raise NotImplementedError


def byte_to_char() -> dict[int, str]:
    """Return one printable character for each of the 256 byte values.

    Returns:
        dict byte value -> character, 256 entries, all characters different. A byte whose Latin-1
        character is printable keeps it: 33 to 126, 161 to 172 and 174 to 255. The other 68 bytes, in
        ascending order, get chr(256), chr(257), chr(258), ... So the space (byte 32) becomes 'Ġ'. The
        dict is a new one at each call: the caller may change it.

    Source: Radford et al. 2019, Language Models are Unsupervised Multitask Learners, 2.2.
    """
    raise NotImplementedError


def normalize(text: str) -> str:
    """Take accents and capital letters out of a text, as BERT uncased does.

    Args:
        text: any Unicode text.

    Returns:
        the text in which each character, on its own, was decomposed canonically (NFD), rid of the
        characters of category Mn, and what was left put in lower case, again each character on its
        own. Nothing else changes.

    Source: Devlin et al. 2019, BERT, and the README.
    """
    raise NotImplementedError


def normalize_with_offsets(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Normalize a text and say where each character comes from.

    Args:
        text: any Unicode text.

    Returns:
        (normalized, origins). normalized: as `normalize` returns it. origins: for each character of
        normalized (start, end), so that `text[start:end]` is what it comes from: one character of
        text and the characters right after it that left nothing (combining marks that were
        dropped). The characters that one character becomes share its span. What is dropped at the
        beginning of the text is in no span.
    """
    raise NotImplementedError


def split_bert(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Split a text at whitespace, every punctuation character being a piece of its own.

    Args:
        text: any Unicode text; it is not normalized here.

    Returns:
        list of (piece, (start, end)) in the order of the text; piece is `text[start:end]`, never
        empty, counted in characters. Whitespace is what `str.isspace` says and is in no piece.
        Punctuation are the ASCII characters 33 to 47, 58 to 64, 91 to 96 and 123 to 126 and all
        characters of the Unicode categories P*.

    Source: Devlin et al. 2019, BERT, and the README.
    """
    raise NotImplementedError


def bert_pieces(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Normalize a text, then split it; places are those in the text as it was.

    Args:
        text: any Unicode text.

    Returns:
        list of (piece, (start, end)): the pieces are those of `split_bert(normalize(text))`; start is
        where the span of the piece's first character starts and end is where the span of its last
        character ends (spans as in `normalize_with_offsets`, in characters of `text`).
    """
    raise NotImplementedError


def split_gpt2(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Split a text as GPT-2 does, a space going with the word after it.

    Args:
        text: any Unicode text; it is not normalized.

    Returns:
        list of (piece, (start, end)): `text[start:end]` is what the piece stands for, counted in
        characters, and `piece` is the same with each of its UTF-8 bytes written as the character that
        `byte_to_char` gives it. The pieces cover the text without a gap. The README gives the rule
        by which the text is cut.

    Source: Radford et al. 2019, 2.2.
    """
    raise NotImplementedError


def escape_spaces(text: str) -> str:
    """Write spaces as '▁' (U+2581), as SentencePiece does.

    Args:
        text: any Unicode text without '▁'.

    Returns:
        '▁' (the prefix, whatever the text begins with), then the text with every space (U+0020)
        replaced by '▁'; the empty text for the empty text.

    Raises:
        ValueError: the text contains '▁': it would come back as a space.

    Source: Kudo, Richardson 2018, SentencePiece, section 3.
    """
    raise NotImplementedError


def unescape_spaces(escaped: str) -> str:
    """Turn '▁' back into spaces.

    Args:
        escaped: any Unicode text, also one that `escape_spaces` never gives.

    Returns:
        the text without its first character if that is '▁', and with every other '▁' replaced by a
        space. `unescape_spaces(escape_spaces(text))` is `text` for every text without '▁'.

    Source: Kudo, Richardson 2018, section 3.
    """
    raise NotImplementedError


def split_sentencepiece(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Escape a text, then cut it before every '▁'.

    Args:
        text: any Unicode text without '▁'.

    Returns:
        list of (piece, (start, end)): the pieces joined are `escape_spaces(text)`, each has exactly one
        '▁', as its first character, and `text[start:end]` is what it stands for. The prefix stands for
        nothing: a piece that is only the prefix has the span (0, 0).

    Raises:
        ValueError: the text contains '▁'.
    """
    raise NotImplementedError
