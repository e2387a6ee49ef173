"""An item analysis as a table and as lines for a terminal, without numbers that the class is too small for."""

from collections.abc import Iterator

from grader.gradebook import cell
from grader.papers.analysis import FEW, STABLE, WORKING, Analysis, Option, Stats
from grader.papers.result import decimal
from grader.papers.statistic import Interval

HEAD = [
    *("question", "topic", "level", "type", "students", "right", "unclear", "unanswered"),
    *(
        "p",
        "p low",
        "p high",
        "r",
        "r low",
        "r high",
        "D",
        "discrimination",
        "working distractors",
        "picked",
        "look at",
    ),
]
SHOWN = 5  # misconceptions that are listed in a terminal


def rows(found: Analysis) -> Iterator[list[str]]:
    """Yield the rows of a table: a head, then a question each. Numbers of a class below 30 are left empty."""
    yield HEAD
    for one in found.items:
        item = one.item
        counts = map(str, (one.n, one.right, one.unclear, one.unanswered))
        picked = "; ".join(_option(option, found.few) for option in one.options)
        yield [
            *(item.id, item.topic, item.level, item.type),
            *counts,
            *([""] * 9 if found.few else _numbers(one)),
            cell(picked),
            "; ".join(one.flags),
        ]


def _numbers(one: Stats) -> list[str]:
    distractors = [option for option in one.options if not option.key]
    working = sum(option.working for option in distractors)
    return [
        *(_number(float(one.p)), *_both(one.p_interval)),
        *(_number(one.r), *_both(one.r_interval)),
        _number(None if one.d is None else float(one.d)),
        one.discrimination,
        f"{working} of {len(distractors)}" if one.item.choices else "",
    ]


def _both(interval: Interval | None) -> list[str]:
    return [_number(end) for end in interval or (None, None)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{round(value, 3) + 0.0:.3f}"  # there is no "-0.000"


def _short(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"


def _option(option: Option, few: bool) -> str:
    notes = ["key"] if option.key else []
    notes += [] if few else [f"{100 * float(option.share):.0f} %"]
    return f"{option.name}: {option.count}" + (f" ({', '.join(notes)})" if notes else "")


def lines(found: Analysis) -> Iterator[str]:
    """Yield the analysis as plain text."""
    students = "1 student" if found.n == 1 else f"{found.n} students"
    yield f"{students}, {len(found.items)} questions, {found.points} points"
    if found.left:
        yield f"not counted: {found.left} paper{'s' * (found.left > 1)} that could not be marked"
    if found.few:
        yield f"below {FEW} students only counts are shown: a share or a correlation would say nothing"
    else:
        yield from _whole(found)
    width = max(len(one.item.id) for one in found.items)
    for one in found.items:
        yield ""
        yield f"{one.item.id:{width}}  {_line(one, found)}"
        if one.options:
            yield "  " + "; ".join(_option(option, found.few) for option in one.options)
        for flag in one.flags:
            yield f"  look: {flag}"
    if found.wrongs:
        yield ""
        yield "misconceptions, and how many students showed them:"
        yield from (f"  {name} {count}" for name, count in [*found.wrongs.items()][:SHOWN])


def _whole(found: Analysis) -> Iterator[str]:
    yield f"mean {decimal(found.mean)} points, standard deviation {found.deviation:.2f}"
    name = "KR-20" if found.binary else "Cronbach's alpha"
    if found.alpha is None:
        yield f"{name} is undefined: all totals are equal, or there is one question"
    else:
        yield f"{name} {_short(found.alpha)}{_between(found.alpha_interval, found.unstable)}"
    if found.unstable:
        yield f"unstable: below {STABLE} students numbers are shown with their 95 % intervals"
    yield (
        "p: mean score; r: correlation with the rest of the quiz; D: best 27 % less weakest 27 %; "
        f"a distractor works if {100 * float(WORKING):.0f} % pick it"
    )


def _line(one: Stats, found: Analysis) -> str:
    counts = f"right {one.right} of {one.n}"
    counts += f", unclear {one.unclear}" if one.unclear else ""
    counts += f", unanswered {one.unanswered}" if one.unanswered else ""
    if found.few:
        return counts
    p = f"p {_short(float(one.p))}{_between(one.p_interval, found.unstable)}"
    r = "" if one.r is None else f"{_short(one.r)}{_between(one.r_interval, found.unstable)} "
    d = "" if one.d is None else f", D {_short(float(one.d))}"
    return f"{p}, r {r}{one.discrimination}{d}; {counts}"


def _between(interval: Interval | None, wanted: bool) -> str:
    return f" ({_short(interval[0])} to {_short(interval[1])})" if interval and wanted else ""
