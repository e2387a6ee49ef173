"""What somebody answered: read from what people type, marked against the key."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from grader.quiz.item import Choice, Item, Near
from grader.quiz.order import LETTERS

LONGEST = 2000  # characters of an answer
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}([eE][+-]?\d+)?")  # 5,240: five thousand, or five and a bit
_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_RATIO = re.compile(r"([+-]?\d{1,30})/(\d{1,30})")
# no larger power of ten: Python writes no integer of more than 4300 digits
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_GROUPED = re.compile(r"(?<=\d)(?<!\d{4})[ _'](?=\d{3}(?!\d))")  # not 1024 2048, which are two numbers
_SPAN = re.compile(r"(?=([a-z])\s?-\s?([a-z]))")


class UnclearError(ValueError):
    """What was typed cannot be read as an answer; the message is a sentence for who typed it."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: ids of choices, or a number."""

    picks: frozenset[str] = frozenset()
    number: Fraction | None = None


def read(item: Item, choices: Sequence[Choice], text: str) -> Response:
    """Read what somebody typed.

    Letters of the choices as they were shown, in any case and with any separators (b, "B)", "a, c", "ac"), or the
    text of a choice. Numbers with digits grouped, a decimal comma, a power of ten, as a ratio, with their unit.

    Args:
        item: the question.
        choices: in the order in which they were shown.
        text: what was typed.

    Raises:
        UnclearError: it cannot be read, or could be read in two ways.
    """
    text = " ".join(text.split())
    if not text:
        raise UnclearError("nothing was answered")
    if len(text) > LONGEST:
        raise UnclearError(f"an answer has at most {LONGEST} characters")
    if item.type == "numeric":
        return Response(number=number(text, item.answer.unit if item.answer else ""))
    picks = _picks(choices, text)
    if item.type == "single" and len(picks) > 1:
        raise UnclearError("this question has one answer; pick one letter")
    return Response(picks=picks)


def _picks(choices: Sequence[Choice], text: str) -> frozenset[str]:
    names = LETTERS[: len(choices)]
    for choice in choices:
        # one letter is that of a choice, even where the text of another choice is that letter
        if text.casefold() == " ".join(choice.text.split()).casefold() and text.lower() not in set(names):
            return frozenset([choice.id])
    letters = re.sub(r"[\s,;.:()\[\]+&/'\"-]|\band\b", "", text.lower())
    if not letters or not set(letters) <= set(names):
        raise UnclearError(f"{text[:40]!r} is no answer; pick {names[0]} to {names[-1]}")
    for first, last in _SPAN.findall(text.lower()):
        if abs(ord(first) - ord(last)) > 1:
            both = f"{first} to {last} or as {first} and {last}"
            raise UnclearError(f"{first}-{last} can be read as {both}; type all letters")
    return frozenset(choices[names.index(letter)].id for letter in letters)


def number(text: str, unit: str = "") -> Fraction:
    """Read a number as people write it.

    Raises:
        UnclearError: it is none, or it can be read in two ways.
    """
    plain = text.replace("−", "-").replace("\N{NARROW NO-BREAK SPACE}", " ").strip()
    if unit and plain.casefold().endswith(unit.casefold()):
        plain = plain[: -len(unit)].strip()
    plain = _GROUPED.sub("", plain)
    if _AMBIGUOUS.fullmatch(plain):
        whole, _, rest = plain.partition(",")
        raise UnclearError(f"{plain} can be read as {whole}{rest} or as {whole}.{rest}; write one of these")
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    if ratio := _RATIO.fullmatch(re.sub(r"\s*/\s*", "/", plain)):  # 1 1/2 is none
        if int(ratio[2]) == 0:
            raise UnclearError("nothing can be divided by 0")
        return Fraction(int(ratio[1]), int(ratio[2]))
    if not _DECIMAL.fullmatch(plain):
        raise UnclearError(f"{text[:40]!r} is no number; write it as 1024, 0.5, 1e-3 or 1/20")
    try:
        return Fraction(Decimal(plain))
    except InvalidOperation:
        raise UnclearError(f"{text[:40]!r} is no number") from None


def score(item: Item, response: Response) -> Fraction:
    """Return the mark, from 0 to 1.

    One choice, or a number: 1 or 0. Several choices: (hits - false picks) / keys, at least 0, as it did best for
    "select all" (Betts et al. 2022); or 1 for exactly the keys, if the question says all_or_nothing.
    """
    if item.type == "numeric":
        assert item.answer is not None  # the schema wants one
        return Fraction(response.number is not None and item.answer.holds(response.number))
    if item.type == "single" or item.scoring == "all_or_nothing":
        return Fraction(response.picks == item.keys)
    hits, wrong = len(response.picks & item.keys), len(response.picks - item.keys)
    return max(Fraction(0), Fraction(hits - wrong, len(item.keys)))


def near(item: Item, response: Response) -> Near | None:
    """Return the wrong way that leads to a number, if it is a known one."""
    if response.number is None or item.answer is None:
        return None
    width = Fraction(item.answer.width)  # as exact as the answer itself is asked for
    fits = [one for one in item.near_misses if abs(response.number - Fraction(one.value)) <= width]
    return fits[0] if fits else None
