"""Computes the numeric keys of quizzes/benchmarks.yaml from first principles."""

import re
from fractions import Fraction
from itertools import combinations
from math import log, sqrt


def _error(values: list[int]) -> float:
    """Standard error of the mean, in percentage points."""
    mean = sum(values) / len(values)
    return 100 * sqrt(sum((value - mean) ** 2 for value in values)) / len(values)


def bench_humaneval_interval() -> float:
    """1.96 standard errors of a share of 0.7, for 164 answers that are right or wrong."""
    ten = [1] * 7 + [0] * 3
    return 1.96 * _error(ten) * sqrt(10 / 164)


def bench_pass_at_5() -> Fraction:
    """Takes every 5 of the 10 samples."""
    samples = [True] * 3 + [False] * 7
    draws = [any(draw) for draw in combinations(samples, 5)]
    return Fraction(sum(draws), len(draws))


def bench_bits_per_byte() -> float:
    """The cost of the whole text in bits, for each of its bytes."""
    return 12_500 * 2.2 / log(2) / 50_000


def bench_two_perplexities() -> str:
    """Nats per byte of the two models, the lower one first."""
    low, high = sorted([(log(20.1) / 4.5, "K"), (log(11.0) / 3.0, "M")])
    return f"{low[1]}, with {low[0]:.2f} nats per byte against {high[0]:.2f}"


def bench_answer_extraction() -> str:
    """What the scorer compares."""
    found: list[str] = re.findall(r"-?\d+", "3 tickets at 400 each cost 1,200 dollars.")
    return found[-1]


def bench_paired_difference() -> str:
    """Standard error of the mean of 1000 differences."""
    gap = [1] * 40 + [-1] * 10 + [0] * 950
    return f"{100 * sum(gap) / len(gap):.1f} points has a standard error of {_error(gap):.1f}"
