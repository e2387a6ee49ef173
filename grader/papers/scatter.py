"""Draws an item analysis: how hard each question is against how well it tells apart, those to look at by name."""

from collections.abc import Sequence

from grader.desk.plots import BLUE, GREY, INK, VERMILION, Sheet
from grader.errors import UsageError
from grader.papers.analysis import EASY, FAIR, FEW, GOOD, HARD, Analysis, Stats

WIDTH, HEIGHT = 640, 460
LEFT, TOP, RIGHT, BOTTOM = 56, 34, 620, 408  # of the field
LOW, HIGH = -1.0, 1.0  # of the discrimination
MARK = 7  # pixels of a square
LETTER = 6.2  # pixels, on average, of a letter of a label
LINE = 13  # pixels between two labels


def svg(found: Analysis) -> str:
    """Return the drawing as a file of its own.

    Raises:
        UsageError: the class is too small, or matplotlib is not installed.
    """
    if found.few:
        raise UsageError(f"{found.n} students are too few to draw: below {FEW} the places of the points say nothing")
    sheet = Sheet("items", WIDTH, HEIGHT)
    _field(sheet, found)
    drawn = [one for one in found.items if one.r is not None]
    flagged = [one for one in drawn if _urgent(one)]
    sheet.boxes([_square(one) for one in drawn if one not in flagged], BLUE, 0.8)
    if found.unstable:
        sheet.boxes([box for one in flagged for box in _whiskers(one)], VERMILION, 0.45)
    sheet.boxes([_square(one) for one in flagged], VERMILION)
    _labels(sheet, flagged)
    # a drawing in a page needs no name for its kind, one in a file does; its ink is black there
    made = sheet.svg("Difficulty and discrimination of each question", _said(found, flagged))
    return made.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


def _urgent(one: Stats) -> bool:
    return not HARD <= one.p <= EASY or (one.r or 0.0) < FAIR


def _x(p: float) -> float:
    return LEFT + (RIGHT - LEFT) * p


def _y(r: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * (r - LOW) / (HIGH - LOW)


def _square(one: Stats) -> tuple[float, float, float, float]:
    return _x(float(one.p)) - MARK / 2, _y(one.r or 0.0) - MARK / 2, MARK, MARK


def _whiskers(one: Stats) -> list[tuple[float, float, float, float]]:
    """Return the intervals of a question as thin boxes."""
    x, y = _x(float(one.p)), _y(one.r or 0.0)
    left, right = map(_x, one.p_interval)
    bottom, top = map(_y, one.r_interval or (one.r or 0.0, one.r or 0.0))
    return [(left, y - 0.5, right - left, 1), (x - 0.5, top, 1, bottom - top)]


def _field(sheet: Sheet, found: Analysis) -> None:
    """Draw axes, and the cut-offs between what is good and what is to be looked at."""
    easy, hard = float(EASY), float(HARD)
    sheet.boxes([(_x(hard), _y(HIGH), _x(easy) - _x(hard), _y(FAIR) - _y(HIGH))], BLUE, 0.07)
    sheet.boxes([(LEFT, TOP, 1, BOTTOM - TOP), (LEFT, BOTTOM, RIGHT - LEFT, 1)], INK, 0.6)
    sheet.boxes([(_x(p), TOP, 1, BOTTOM - TOP) for p in (hard, easy)], GREY, 0.7)
    sheet.boxes([(LEFT, _y(r), RIGHT - LEFT, 1) for r in (0, FAIR, GOOD)], GREY, 0.7)
    for p in (0, hard, 0.5, easy, 1):
        sheet.text(_x(p), BOTTOM + 16, f"{p:.1f}", align="center", size=11)
    for r in (-1, -0.5, 0, FAIR, GOOD, 0.5, 1):
        sheet.text(LEFT - 6, _y(r) + 4, f"{r:.1f}", align="right", size=11)
    sheet.text((LEFT + RIGHT) / 2, BOTTOM + 38, "p: mean score (right: easy)", align="center", size=12)
    unstable = "; unstable, 95 % intervals of those to look at" if found.unstable else ""
    sheet.text(LEFT, 18, f"r: correlation with the rest of the quiz ({found.n} students{unstable})", size=12)


def _labels(sheet: Sheet, flagged: Sequence[Stats]) -> None:
    """Write ids and flags beside their points, each where no other one stands; the table has those without a place."""
    taken: list[tuple[float, float, float]] = []
    for one in sorted(flagged, key=lambda one: (-(one.r or 0.0), one.p, one.item.id)):
        label = f"{one.item.id}: {one.flags[0].partition('?')[0]}"
        width = LETTER * len(label)
        x, y = _x(float(one.p)) + MARK, _y(one.r or 0.0) - MARK / 2
        if x + width > WIDTH:
            x -= width + 2 * MARK
        while any(abs(y - top) < LINE and x < left + wide and left < x + width for left, top, wide in taken):
            y += LINE
        if y < HEIGHT:
            taken.append((x, y, width))
            sheet.text(x, y, label, size=11)


def _said(found: Analysis, flagged: Sequence[Stats]) -> str:
    """Return what can be seen, in words."""
    look = "; ".join(f"{one.item.id}, p {float(one.p):.2f}, r {one.r or 0.0:.2f}" for one in flagged) or "none"
    undefined = [one.item.id for one in found.items if one.r is None]
    more = f" Not drawn, as all marks are equal: {', '.join(undefined)}." if undefined else ""
    return f"{len(found.items)} questions, {found.n} students. To look at: {look}.{more}"
