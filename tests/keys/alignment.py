"""Computes the numeric keys of quizzes/alignment.yaml from first principles."""

from fractions import Fraction
from math import exp, log


def align_mask_shift() -> str:
    """The targets that are left when n_prompt entries are masked after the shift."""
    ids, n_prompt = [11, 12, 13, 14, 21, 22, 2], 4
    return str(ids[1:][n_prompt:])


def align_bt_loss() -> float:
    """Minus the log of the softmax of two scores, at the chosen one."""
    chosen, rejected = 0.5, 2.0
    return -log(exp(chosen) / (exp(chosen) + exp(rejected)))


def align_kl_reward() -> Fraction:
    """Score minus beta times the summed log ratio."""
    policy = [Fraction(-5, 10), Fraction(-10, 10), Fraction(-2, 10)]
    reference = [Fraction(-15, 10), Fraction(-30, 10), Fraction(-12, 10)]
    return 2 - Fraction(1, 10) * (sum(policy) - sum(reference))


def align_kl_optimum() -> float:
    """Climbs the objective itself by ternary search; it is concave in p."""

    def objective(p: float) -> float:
        return p - 0.5 * (p * log(p / 0.2) + (1 - p) * log((1 - p) / 0.8))

    low, high = 1e-9, 1 - 1e-9
    for _ in range(200):
        third = (high - low) / 3
        if objective(low + third) < objective(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2
