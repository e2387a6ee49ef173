"""Draws the cases of a check, smallest first.

hypothesis is imported when something is drawn, never before: checks.py calls these functions inside
the functions that it passes as `cases`.
"""

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from grader.case import Array, Case
from grader.check import Check
from grader.wire import TRUSTED, pack

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# --- strategies -------------------------------------------------------------------------------


def build(make: Callable[..., dict[str, Any]], **parts: Any) -> "SearchStrategy[dict[str, Any]]":
    """Return a strategy of inputs: `make(**parts)` with each part drawn from its strategy."""
    from hypothesis import strategies as st

    return st.builds(make, **parts)


def choice(*values: Any) -> "SearchStrategy[Any]":
    """Return a strategy of one of the values; the first is the simplest."""
    from hypothesis import strategies as st

    return st.sampled_from(values)


def integers(low: int, high: int) -> "SearchStrategy[int]":
    """Return a strategy of integers from low to high, both included."""
    from hypothesis import strategies as st

    return st.integers(low, high)


def sizes(count: int, low: int = 1, high: int = 9) -> "SearchStrategy[list[int]]":
    """Return a strategy of `count` sizes, pairwise different, so that no two axes can be confused."""
    from hypothesis import strategies as st

    return st.lists(st.integers(low, high), min_size=count, max_size=count, unique=True)


def lists(items: Any, low: int = 0, high: int = 8) -> "SearchStrategy[list[Any]]":
    """Return a strategy of lists of low to high items."""
    from hypothesis import strategies as st

    return st.lists(items, min_size=low, max_size=high)


def word(alphabet: str, low: int = 1, high: int = 8) -> "SearchStrategy[str]":
    """Return a strategy of words over an alphabet; a small one makes ties and repeats likely."""
    from hypothesis import strategies as st

    return st.text(st.sampled_from(alphabet), min_size=low, max_size=high)


def text() -> "SearchStrategy[str]":
    """Return a strategy of texts that a tokenizer finds hard.

    Short forms, runs of spaces, line feeds and tabs, digits, punctuation, underscores, accents
    (composed and combining), scripts of two, three and four UTF-8 bytes, emoji.
    """
    from hypothesis import strategies as st

    hard = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'x", "’s", "  ", "   ", "\n", "\n\n", "\t", " \n"]
    hard += ["don't", "we've", "a_b", "_", "...", "x2", "42", "é", "e\u0301", "ß", "日本", "中", "Ω", "жук"]
    hard += ["😀", "👩‍🔬", "\u00a0", "\u2003", "\xad", "Hello", "the", "-", "?!"]
    plain = st.text(st.sampled_from("abcdeXYZ 0123.,'"), max_size=4)
    return st.lists(st.one_of(plain, st.sampled_from(hard), st.just(" ")), max_size=8).map("".join)


def corpus(alphabet: str = "abc", words: int = 12, texts: int = 3) -> "SearchStrategy[list[str]]":
    """Return a strategy of corpora: texts of words over a small alphabet, with skewed counts."""
    from hypothesis import strategies as st

    sentence = st.lists(word(alphabet, 1, 6), max_size=words).map(_skew).map(" ".join)
    return st.lists(sentence, max_size=texts)


def _skew(words: list[str]) -> list[str]:
    """Repeat the first words more often than the later ones."""
    return [word for n, word in enumerate(words) for _ in range(max(1, 4 - n))]


def values(seed: int, shape: tuple[int, ...], dtype: str = "float32", scale: str = "unit", shift: float = 0.0) -> Array:
    """Return a tensor of random values.

    Args:
        seed: of the values; two tensors of one case want different seeds.
        shape: of the tensor.
        dtype: "float32", "float64", "bfloat16" or "float16".
        scale: "integers" small whole numbers (readable), "unit" standard normal, "tiny" 1e-4, "huge"
            500, "mixed" each row of the last axis has its own scale from 1e-3 to 1e3, "shifted" mean
            5, "constant" every row has one value, "zero" zeros.
        shift: added to every value.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal(shape)
    rows = (*shape[:-1], 1)
    if scale == "integers":
        drawn = rng.integers(-4, 5, shape).astype(np.float64)
    elif scale == "mixed":
        drawn = drawn * 10.0 ** rng.uniform(-3, 3, rows)
    elif scale == "constant":
        drawn = np.broadcast_to(rng.standard_normal(rows), shape)
    elif scale == "shifted":
        drawn = drawn + 5.0
    else:
        drawn = drawn * {"unit": 1.0, "tiny": 1e-4, "huge": 500.0, "zero": 0.0}[scale]
    return as_array(drawn + shift, dtype)


def as_array(numbers: Any, dtype: str) -> Array:
    """Return numbers (anything numpy takes) as a torch tensor of this dtype."""
    import ml_dtypes
    import numpy as np

    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    found = np.asarray(numbers)
    return Array(dtype, tuple(found.shape), found.astype(kind).tobytes())


# --- drawing ----------------------------------------------------------------------------------


def draw(check: Check, seed: int) -> list[Case]:
    """Return the cases of a check: its examples and what is drawn, without repeats, smallest first.

    The same seed draws the same cases only as long as code and libraries are the same: whoever
    needs the same cases later keeps them (bank.py).
    """
    inputs = list(check.examples()) if check.examples else []
    if check.cases and check.draws:
        inputs += _drawn(check, seed)
    sized = {pack(item, TRUSTED): Case(item) for item in inputs}
    # of equally long ones the order is that of the bytes: it does not depend on how they were drawn
    return [sized[frame] for frame in sorted(sized, key=lambda frame: (len(frame), frame))]


def own_seed(check: Check, seed: int) -> int:
    """Return the seed of one check: a new check does not change what the others draw."""
    return zlib.crc32(f"{seed}/{check.name}".encode())


def _drawn(check: Check, wanted: int) -> list[dict[str, Any]]:
    import hypothesis

    quiet()
    found: list[dict[str, Any]] = []

    @hypothesis.seed(own_seed(check, wanted))
    @hypothesis.settings(
        max_examples=check.draws,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(check.cases() if check.cases else hypothesis.strategies.nothing())
    def collect(inputs: dict[str, Any]) -> None:
        found.append(inputs)

    collect()
    return found


def quiet() -> None:
    """Keep hypothesis from writing a .hypothesis folder where the user works."""
    from hypothesis.configuration import set_hypothesis_home_dir

    from grader.cache import cache_folder

    set_hypothesis_home_dir(cache_folder() / "hypothesis")
