"""Numbers of answers as other programs read them."""

from decimal import Decimal

from grader.quiz.item import Answer

DIGITS = 15  # that every double keeps
LARGEST = 300  # power of ten of a double, with room for a tolerance
LONGEST = 20  # zeros that are written out


def plain(value: Decimal) -> str:
    """Return a number as digits, with a power of ten only if there would be many zeros."""
    return format(value, "f") if abs(value.adjusted()) <= LONGEST else str(value)


def doubles(answer: Answer) -> bool:
    """Say whether value and tolerance are still the same where numbers are doubles."""
    return all(_double(number) for number in (answer.value, answer.width))


def _double(number: Decimal) -> bool:
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return len(digits) <= DIGITS and (not digits or abs(number.adjusted()) <= LARGEST)
