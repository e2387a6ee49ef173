"""Shows values to people: short, on one line, in the student's own notation."""

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from grader.array import numbers
from grader.case import Array, Measured

# what a terminal would obey or hide: control characters, bidirectional marks, zero-width signs
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_PLACES = re.compile(r"\bat 0x[0-9a-f]{8,16}\b")
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])")


def show(value: Any, width: int = 100) -> str:
    """Return a value as one line of at most about `width` characters.

    Tensors show dtype, shape and, if they are small, their values.
    """
    text = clean(_show(value, width))
    if len(text) <= width:
        return text
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        size = f"{len(value):,} items"
    else:
        size = f"{len(value if isinstance(value, str) else text):,} characters"
    return f"{text[: max(1, width - len(size) - 5)]} … ({size})"


def clean(text: str) -> str:
    """Return a text without escape sequences, with control and hidden characters written out.

    Places in memory, as Python shows objects, are left out: they differ from run to run, and a report must not.
    """
    plain = _PLACES.sub("at 0x…", _ESCAPES.sub("", text))
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", plain)


def _show(value: Any, width: int) -> str:
    if isinstance(value, Measured):
        value = value.value
    if isinstance(value, Array):
        return _array(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_show(k, width)}: {_show(v, width)}" for k, v in _first(value.items(), width)) + "}"
    if isinstance(value, (list, tuple, set, frozenset)):
        inner = ", ".join(_show(item, width) for item in _first(value, width))
        if isinstance(value, list):
            return f"[{inner}]"
        if isinstance(value, tuple):
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        return f"{{{inner}}}" if value else "set()"
    if isinstance(value, str):
        return _marked(repr(value[: 4 * width]))
    if isinstance(value, int) and value.bit_length() > 1000:
        return f"a number of {value.bit_length():,} bits"
    return repr(value)


def _marked(text: str) -> str:
    """Return a text with combining marks written out: an e with an accent may be one character or two."""
    return "".join(f"\\u{ord(char):04x}" if unicodedata.combining(char) else char for char in text)


def _first(items: Any, width: int) -> list[Any]:
    """Return as many items as could be shown, so that a huge list is not written out first."""
    return [item for item, _ in zip(items, range(width), strict=False)]


def _array(array: Array) -> str:
    head = f"{array.dtype}{list(array.shape)}"
    if array.library == "meta" or math.prod(array.shape) > 24:
        return f"tensor {head}"
    values = numbers(array)
    if values.dtype.kind not in "biufc":  # the half-precision dtypes that numpy itself has not
        values = values.astype("float32")
    return f"tensor {head} {_nested(values.tolist())}"


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_nested(item) for item in value) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def listed(names: Sequence[str], most: int) -> str:
    """Return names between commas, at most so many of them, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def noted(sentence: str) -> str:
    """Return a note as people see it: what takes long ends in dots, a whole sentence in its full stop."""
    return f"grader: {sentence}" if sentence.endswith(".") else f"grader: {sentence} ..."
