"""The statistics of tests: exact sums of fractions, so that what has no variance is known to have none.

Correlation of an item with the rest of the test, alpha (Cronbach 1951; KR-20 where marks are 0 or 1), and the usual
95 % intervals: Wilson 1927 for a share, Fisher's z for a correlation, Bonett 2002 for alpha.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)
GROUP = Fraction(27, 100)  # of a class, at the top and at the bottom (Kelley 1939)

Interval = tuple[float, float]


def mean(values: Sequence[Fraction]) -> Fraction:
    """Return the mean of some numbers."""
    return sum(values, Fraction(0)) / len(values)


def moment(one: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    """Return the covariance of two rows of numbers, divided by n; of a row with itself, its variance."""
    return mean([a * b for a, b in zip(one, other, strict=True)]) - mean(one) * mean(other)


def correlation(one: Sequence[Fraction], other: Sequence[Fraction]) -> float | None:
    """Return Pearson's r, None if one of the rows has no variance."""
    spread = moment(one, one) * moment(other, other)
    if not spread:
        return None
    covariance = moment(one, other)
    # squared as a fraction first: a perfect correlation is 1, not 0.9999999999999999
    return math.copysign(math.sqrt(covariance * covariance / spread), covariance)


def alpha(rows: Sequence[Sequence[Fraction]]) -> float | None:
    """Return Cronbach's alpha of items, each a row of marks; None for fewer than two, or no variance of the totals."""
    totals = [sum(marks, Fraction(0)) for marks in zip(*rows, strict=True)]
    if len(rows) < 2 or not (whole := moment(totals, totals)):
        return None
    parts = sum((moment(row, row) for row in rows), Fraction(0))
    return float(Fraction(len(rows), len(rows) - 1) * (1 - parts / whole))


def edges(marks: Sequence[Fraction], totals: Sequence[Fraction]) -> Fraction | None:
    """Return D: the mean mark of the best 27 % less that of the weakest, None if all totals are equal.

    Students with equal totals share the places that are left, so that D does not depend on the order of names.
    """
    size = int(GROUP * len(totals) + Fraction(1, 2))
    if not size or len(set(totals)) < 2:
        return None
    return _top(marks, totals, size) - _top(marks, [-total for total in totals], size)


def _top(marks: Sequence[Fraction], totals: Sequence[Fraction], size: int) -> Fraction:
    border = sorted(totals, reverse=True)[size - 1]
    above = [mark for mark, total in zip(marks, totals, strict=True) if total > border]
    tied = [mark for mark, total in zip(marks, totals, strict=True) if total == border]
    return (sum(above, Fraction(0)) + (size - len(above)) * mean(tied)) / size


def wilson(share: Fraction, count: int) -> Interval:
    """Return the interval of a share of `count`; for a mean of marks from 0 to 1 it is wide enough."""
    p, square = float(share), Z * Z
    middle = (p + square / (2 * count)) / (1 + square / count)
    width = Z * math.sqrt(p * (1 - p) / count + square / (4 * count * count)) / (1 + square / count)
    return max(0.0, middle - width), min(1.0, middle + width)


def fisher(r: float, count: int) -> Interval | None:
    """Return the interval of a correlation over `count` pairs, None for fewer than four."""
    if count < 4:
        return None
    if abs(r) >= 1:
        return r, r
    width = Z / math.sqrt(count - 3)
    return math.tanh(math.atanh(r) - width), math.tanh(math.atanh(r) + width)


def bonett(found: float, items: int, count: int) -> Interval | None:
    """Return the interval of an alpha of some items over `count` students, None for fewer than three."""
    if count < 3 or items < 2 or found >= 1:
        return None
    width = Z * math.sqrt(2 * items / ((items - 1) * (count - 2)))
    return 1 - (1 - found) * math.exp(width), 1 - (1 - found) * math.exp(-width)
