"""What a class's answers say of the questions: how hard each is, whether it tells apart, which distractors work.

Cut-offs are those that are usual in the literature; of a class below thirty nothing but counts is worth a look.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from grader.errors import EmptyError, UsageError
from grader.papers.result import Mark, Result
from grader.papers.statistic import Interval, alpha, bonett, correlation, edges, fisher, mean, moment, wilson
from grader.quiz.item import Item, Quiz

FEW, STABLE = 30, 100  # students: below, nothing but counts; below, intervals
HARD, EASY = Fraction(1, 5), Fraction(9, 10)
FAIR, GOOD = 0.2, 0.3  # of the discrimination
WORKING = Fraction(1, 20)  # of the class picks a distractor that works (Tarrant et al. 2009)
KEY = "check the key first"


@dataclass(frozen=True, slots=True)
class Option:
    """A choice, or a known wrong number, and who gave it.

    Attributes:
        name: id of the choice, or the number.
        text: of the choice.
        key: whether it is right.
        count: how many students gave it.
        share: of the class.
    """

    name: str
    text: str
    key: bool
    count: int
    share: Fraction

    @property
    def working(self) -> bool:
        """Whether it is a distractor that misleads enough students to be worth its place."""
        return not self.key and self.share >= WORKING


@dataclass(frozen=True)
class Stats:
    """What is known of a question.

    Attributes:
        item: the question.
        n: students.
        right: of them with full marks.
        unclear, unanswered: of them; both count as wrong.
        p: mean score, from 0 to 1.
        r: correlation of its marks with the total of the other questions; None if one of them has no variance.
        d: mean score of the best 27 % less that of the weakest; None if all totals are equal.
        options: what was picked.
    """

    item: Item
    n: int
    right: int
    unclear: int
    unanswered: int
    p: Fraction
    r: float | None
    d: Fraction | None
    options: tuple[Option, ...]

    @property
    def p_interval(self) -> Interval:
        """95 % interval of p."""
        return wilson(self.p, self.n)

    @property
    def r_interval(self) -> Interval | None:
        """95 % interval of r."""
        return None if self.r is None else fisher(self.r, self.n)

    @property
    def discrimination(self) -> str:
        """What r means, in words."""
        if self.r is None:
            return "undefined, no variance"
        return "good" if self.r >= GOOD else "fair" if self.r >= FAIR else "weak" if self.r >= 0 else KEY

    @property
    def flags(self) -> tuple[str, ...]:
        """What to look at, the most urgent first; nothing for a class that is too small to tell."""
        if self.n < FEW:
            return ()
        found = [self.discrimination] if self.discrimination in (KEY, "weak") else []
        if self.p < HARD or self.p > EASY:
            found.append("too hard? review" if self.p < HARD else "too easy? review")
        idle = sum(not option.key and not option.working for option in self.options)
        if idle and self.item.type != "numeric":
            found.append(f"{idle} distractor{'s' * (idle > 1)} picked by under 5 %")
        return tuple(found)


@dataclass(frozen=True)
class Analysis:
    """What is known of a quiz.

    Attributes:
        items: its questions.
        totals: points of each student.
        points: that could be reached.
        alpha: reliability of the whole; None for one question, or if all totals are equal.
        binary: whether all marks are 0 or 1, so that alpha is KR-20.
        wrongs: misconceptions, and how many students showed each.
        left: papers that could not be marked and are not counted.
    """

    items: tuple[Stats, ...]
    totals: tuple[Fraction, ...]
    points: int
    alpha: float | None
    binary: bool
    wrongs: dict[str, int]
    left: int

    @property
    def n(self) -> int:
        """How many students are counted."""
        return len(self.totals)

    @property
    def few(self) -> bool:
        """Whether the class is so small that only counts are shown."""
        return self.n < FEW

    @property
    def unstable(self) -> bool:
        """Whether numbers are shown with their intervals."""
        return FEW <= self.n < STABLE

    @cached_property
    def mean(self) -> Fraction:
        """Mean of the points."""
        return mean(self.totals)

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of the points, with n - 1."""
        return math.sqrt(moment(self.totals, self.totals) * self.n / max(1, self.n - 1))

    @property
    def alpha_interval(self) -> Interval | None:
        """95 % interval of alpha."""
        return None if self.alpha is None else bonett(self.alpha, len(self.items), self.n)


def analyse(results: Sequence[Result], quizzes: Sequence[Quiz]) -> Analysis:
    """Return what the answers of a class say of the questions.

    Raises:
        UsageError: the results are of other questions, or were marked with other keys.
        EmptyError: no paper was marked.
    """
    items = [item for quiz in quizzes for item in quiz.items]
    marked = [result for result in results if not result.error]
    if not marked:
        raise EmptyError("no paper was marked, so that there is nothing to analyse")
    for result in marked:
        if [(mark.item, mark.rev, mark.points) for mark in result.marks] != [(i.id, i.rev, i.points) for i in items]:
            raise UsageError(
                f"the paper of {result.student} was marked with other quizzes: {', '.join(result.quizzes)}. Name these "
                "with --quiz; if their questions have changed since, mark the class again"
            )
    totals = [result.score for result in marked]
    columns = [[result.marks[place] for result in marked] for place in range(len(items))]
    earned = [[mark.earned for mark in column] for column in columns]
    return Analysis(
        items=tuple(_stats(item, column, totals) for item, column in zip(items, columns, strict=True)),
        totals=tuple(totals),
        points=marked[0].points,
        alpha=alpha(earned),
        binary=all(one in (0, 1) for row in earned for one in row),
        wrongs=_wrongs(marked),
        left=len(results) - len(marked),
    )


def _stats(item: Item, marks: Sequence[Mark], totals: Sequence[Fraction]) -> Stats:
    scores = [mark.score for mark in marks]
    earned = [mark.earned for mark in marks]
    rest = [total - one for total, one in zip(totals, earned, strict=True)]
    return Stats(
        item=item,
        n=len(marks),
        right=sum(mark.right for mark in marks),
        unclear=sum(mark.status == "unclear" for mark in marks),
        unanswered=sum(mark.status == "unanswered" for mark in marks),
        p=mean(scores),
        r=correlation(earned, rest),
        d=edges(scores, totals),
        options=_options(item, marks),
    )


def _options(item: Item, marks: Sequence[Mark]) -> tuple[Option, ...]:
    count = Counter(name for mark in marks for name in (*mark.picks, mark.near))
    known = [(choice.id, choice.text, choice.correct) for choice in item.choices]
    known += [(str(near.value), str(near.value), False) for near in item.near_misses]
    return tuple(Option(name, text, key, count[name], Fraction(count[name], len(marks))) for name, text, key in known)


def _wrongs(results: Sequence[Result]) -> dict[str, int]:
    """Return how many students showed each misconception, the most frequent first."""
    found = Counter(name for result in results for name in {name for mark in result.marks for name in mark.wrongs})
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
