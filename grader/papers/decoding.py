"""Text of files that people save with whatever program they have."""

import codecs
import re

# longest first: the mark of UTF-32 begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f\u200b-\u200f\u2060\ufeff]")
# what word processors make of quotes, dashes, signs and spaces; one character each, so that places stay
_PLAIN = str.maketrans("“”„«»‘’‚‹›‐‑‒–—−：＝；，．）（\u00a0\u2007\u2009\u202f", "\"\"\"\"\"'''''------:=;,.)(    ")


def decoded(data: bytes) -> str:
    """Return the text of a file: any Unicode with or without its mark, or that of old Windows programs.

    Lines end in a line feed, and characters that cannot be seen are left out.
    """
    return _CONTROL.sub("", _BREAKS.sub("\n", _text(data)))


def _text(data: bytes) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if data.count(0) > len(data) // 4:  # letters of two bytes, of which one is 0
        return data.decode("utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be", "replace")
    for name in ("utf-8", "cp1252"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def plain(text: str) -> str:
    """Return a text of the same length with typewriter's quotes, dashes and spaces."""
    return text.translate(_PLAIN)
