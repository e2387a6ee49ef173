"""What people are shown is short, on one line, and obeyed by no terminal."""

import math
import re
import unicodedata

import ml_dtypes  # noqa: F401  numpy learns the half-precision dtypes from it
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.array import WIDTHS
from grader.case import Array, Measured
from grader.show import clean, show
from grader.wire import pack, unpack

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
LINES = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
MORE = 25  # what show adds to the width to say how long the value is


def shown(value, width=100):
    return show(unpack(pack(value)), width)


def harmful(text):
    """Characters that a terminal obeys or hides, or that are no text."""
    return [c for c in text if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} or c in BIDI + ZERO_WIDTH]


# --- any value ----------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=[]), max_size=300) | st.text("\x1b[]31m;\x07\u202e\n\\", max_size=30)
keys = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary() | st.complex_numbers()
arrays = st.builds(
    lambda library, dtype, shape, byte: Array(
        dtype,
        tuple(shape),
        b"" if library == "meta" else bytes([byte]) * (math.prod(shape) * WIDTHS[dtype]),
        library,
    ),
    st.sampled_from(["torch", "numpy", "meta"]),
    st.sampled_from(sorted(WIDTHS)),
    st.lists(st.integers(0, 4), max_size=4),
    st.integers(0, 255),
)
values = st.recursive(
    keys
    | arrays
    | st.builds(Measured, arrays, arrays, arrays)
    | st.sets(keys, max_size=5)
    | st.integers(10**300, 10**900),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.lists(inner, max_size=6).map(tuple)
        | st.dictionaries(keys | st.tuples(keys, keys), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(values, st.sampled_from([20, 100, 160]))
@settings(max_examples=400, deadline=None)
def test_any_value_is_shown_on_one_short_and_harmless_line(value, width):
    line = show(value, width)
    assert len(line) <= width + MORE
    assert not harmful(line)


HUGE = {
    "text": "x" * 10**6,
    "bytes": b"\xff" * 10**6,
    "list": list(range(10**5)),
    "texts": ["x" * 10**4] * 100,
    "tuple": tuple([None] * 10**5),
    "dict": {n: n for n in range(10**5)},
    "key": {"x" * 10**6: 1},
    "set": set(range(10**5)),
    "number": 10**4000,
    "deep": [[[[[[[[1] * 3] * 3] * 3] * 3] * 3] * 3] * 3],
    "tensor": torch.zeros(1000, 1000),
    "shape": torch.zeros([1] * 60),
    "meta": torch.empty(1 << 20, 1 << 20, device="meta"),
    "empty": torch.zeros(0, 10**4, 10**4),
}


@pytest.mark.parametrize("value", HUGE.values(), ids=HUGE)
def test_a_huge_value_is_shown_short(value):
    assert len(shown(value)) <= 100 + MORE


def test_an_integer_too_long_for_text_is_shown_by_its_size():
    assert show(10**5000) == "a number of 16,610 bits"
    assert show([10**5000]) == "[a number of 16,610 bits]"


# --- what it looks like -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, "None"),
        (True, "True"),
        (-3, "-3"),
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (math.nan, "nan"),
        (1 + 2j, "(1+2j)"),
        ("it's", '"it\'s"'),
        ("a\nb\tc", r"'a\nb\tc'"),
        ("é日", "'é日'"),
        (b"\x00a", r"b'\x00a'"),
        ([], "[]"),
        ([1, "a"], "[1, 'a']"),
        ((), "()"),
        ((1,), "(1,)"),
        ((1, (2,)), "(1, (2,))"),
        ({}, "{}"),
        ({"a": 1, (1, 2): []}, "{'a': 1, (1, 2): []}"),
        (set(), "set()"),
        ({1}, "{1}"),
        (torch.tensor([1.0, -0.5]), "tensor float32[2] [1, -0.5]"),
        (torch.tensor(1.5), "tensor float32[] 1.5"),
        (torch.tensor([[1, 2], [3, 4]]), "tensor int64[2, 2] [[1, 2], [3, 4]]"),
        (torch.tensor([True]), "tensor bool[1] [True]"),
        (torch.zeros(0, 3), "tensor float32[0, 3] []"),
        (torch.tensor([math.nan, math.inf]), "tensor float32[2] [nan, inf]"),
        (torch.zeros(5, 5), "tensor float32[5, 5]"),
        (torch.empty(2, device="meta"), "tensor float32[2]"),
    ],
)
def test_a_value_is_shown_as_python_writes_it(value, line):
    assert shown(value) == line


@pytest.mark.parametrize("name", sorted(set(WIDTHS) - {"bool", "complex64", "complex128"}))
def test_the_values_of_a_tensor_of_any_dtype_are_shown(name):
    assert shown(torch.tensor([1.0, 2.0]).to(getattr(torch, name))) == f"tensor {name}[2] [1, 2]"


def test_the_values_of_a_numpy_array_are_shown():
    assert shown(np.array([0.5])).endswith("float64[1] [0.5]")


def test_of_a_measured_tensor_the_value_is_shown():
    one, two = unpack(pack([torch.ones(1), torch.ones(1).double() * 2]))
    assert show(Measured(one, two, two)) == show(one)


@pytest.mark.parametrize("size", [101, 1000, 10**6])
def test_of_a_long_text_the_true_length_is_told(size):
    told = re.search(r"\(([\d,]+) characters\)$", show("x" * size))
    assert told
    assert size <= int(told[1].replace(",", "")) <= size + 2


def test_a_line_that_just_fits_is_not_cut():
    assert show("x" * 98) == repr("x" * 98)
    assert "…" in show("x" * 99)


# --- clean --------------------------------------------------------------------------------------


@given(texts)
@settings(max_examples=400)
def test_nothing_harmful_survives_in_any_text(text):
    assert set(harmful(clean(text))) <= {"\n", "\t"}


def test_no_control_bidirectional_or_zero_width_character_survives():
    everything = [chr(n) for n in range(0x110000)]
    bad = [c for c in everything if harmful(c) and c not in "\n\t"]
    assert [f"U+{ord(c):04X}" for c in bad if c in clean("a" + c + "b")] == []


@pytest.mark.parametrize("character", BIDI + ZERO_WIDTH + LINES + "\x00\x7f\x9b\x07\r\b\ud800\udfff")
def test_a_hidden_character_is_written_out(character):
    assert clean(f"a{character}b") == f"a\\u{ord(character):04x}b"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;1mred", "red"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b[?25l", ""),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bcreset", r"\u001bcreset"),
        ("\x1b\x1b[31m[31mred", r"\u001b[31mred"),
        ("\x1b[31", r"\u001b[31"),
        ("end\x1b", r"end\u001b"),
        ("\x9b31mred", r"\u009b31mred"),
        ("50%\r100%", r"50%\u000d100%"),
    ],
)
def test_an_escape_sequence_is_taken_out(text, cleaned):
    assert clean(text) == cleaned


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"])) | st.just("line\n\tnext"))
def test_ordinary_text_stays_as_it_is(text):
    assert clean(text) == text


@given(texts)
def test_cleaning_twice_changes_nothing_more(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("part", ["\x1b[" + "0" * 10**5, "\x1b]" * 10**5, "\x1b" * 10**5, "\x1b[0 " * 10**5])
def test_unfinished_escapes_are_cleaned_too(part):
    assert "\x1b" not in clean(part)


def test_a_combining_mark_is_written_out_and_a_composed_character_is_not():
    assert show("e\u0301") == r"'e\u0301'"
    assert show("\u00e9") == "'\u00e9'"
    assert show({"a": ["n\u0303"]}) == r"{'a': ['n\u0303']}"


def test_a_place_in_memory_is_left_out_and_other_numbers_stay():
    assert clean(repr(object())) == "<object object at 0x…>"
    assert clean("at 0xff, 0x7f0000000000") == "at 0xff, 0x7f0000000000"
