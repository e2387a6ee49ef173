"""Computes the numeric keys of quizzes/scaling.yaml from first principles."""

import math


def scal_training_flops() -> float:
    """Forward, gradients of inputs, gradients of weights: a multiplication and an addition each."""
    products, operations = 3, 2
    return products * operations * 7e9 * 2e12 / 1e21


def scal_exact_match() -> str:
    """All ten of ten independent tokens."""
    return str([round(math.prod([p] * 10), 2) for p in (0.80, 0.90, 0.95)])


def scal_chinchilla_size() -> float:
    """The size, in billions, whose 20 tokens per parameter use up the budget; found by bisection."""
    low, high = 1e6, 1e13
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if 6 * middle * 20 * middle < 1.92e21 else (low, middle)
    return low / 1e9


def scal_hundredfold() -> str:
    """The growth of parameters and tokens in both laws."""
    kaplan, chinchilla = (tuple(f"{100**e:.2g}" for e in (a, 1 - a)) for a in (0.73, 0.50))
    return f"Kaplan: N × {kaplan[0]} and D × {kaplan[1]}. Chinchilla: N × {chinchilla[0]} and D × {chinchilla[1]}."


def scal_halve_excess() -> float:
    """The factor k with k^0.34 = 2."""
    return math.exp(math.log(2) / 0.34)


def scal_lifetime_tokens() -> float:
    """Tokens, in trillions, after which the totals are equal."""
    behind = 6 * 7e9 * 3e12 - 6 * 13e9 * 1e12
    saved = 2 * 13e9 - 2 * 7e9
    return behind / saved / 1e12


def scal_unequal_exponents() -> str:
    """How the best ratio of tokens to parameters grows with a thousandfold budget, found by search."""
    growth = _ratio(1e24) / _ratio(1e21)
    assert growth > 1
    return f"{growth:.0f}-fold for each 1000-fold"


def _ratio(budget: float) -> float:
    """Return the tokens per parameter of least loss: a ternary search over the logarithm of N."""

    def loss(log_n: float) -> float:
        n = math.exp(log_n)
        return 406.4 * math.pow(n, -0.34) + 410.7 * math.pow(budget / 6 / n, -0.28)

    low, high = math.log(1e6), math.log(1e14)
    for _ in range(300):
        third = (high - low) / 3
        if loss(low + third) < loss(high - third):
            high -= third
        else:
            low += third
    n = math.exp((low + high) / 2)
    return budget / 6 / n / n
