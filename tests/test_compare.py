"""Right answers pass every comparison; of a wrong one the first wrong place is named."""

import math

import ml_dtypes  # noqa: F401  numpy learns the half-precision dtypes from it
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.case import Answer, Array, Measured
from grader.compare import Close, Derived, Exact, Growth, Sets
from grader.walk import Difference, kind_of
from grader.wire import pack, unpack

EXACT, CLOSE, DERIVED = Exact(), Close(rtol=1e-3, atol=1e-6), Derived()
ALL = [EXACT, Close(), CLOSE, DERIVED]


def crossed(value):
    """What a value is after it crossed the fence: tensors are arrays."""
    return unpack(pack(value))


def array(values, dtype=torch.float32):
    return crossed(torch.as_tensor(values).to(dtype))


def judge(compare, expected, got, inputs=None):
    return compare.compare(inputs or {}, Answer("value", crossed(expected)), crossed(got))


def measured(values, dtype=torch.float32, noise=0.0):
    """What an oracle would say of a tensor whose exact values are known."""
    exact = torch.as_tensor(values, dtype=torch.float64)
    return Measured(crossed(exact.to(dtype)), crossed(exact), crossed(torch.full_like(exact, noise)))


# --- right answers pass -------------------------------------------------------------------------

VALUES = [
    None, True, False, 0, -3, 10**300, 0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, "", "é", b"", b"\xff",
    1 + 2j, [], [1, [2.0, "x"]], (), (1, (2,)), {}, {"a": 1, (1, 2): [None], 3: {}}, set(), {1, "a", (1, 2)},
    torch.tensor([1.0, math.nan, math.inf, -0.0]), torch.tensor(2.5), torch.zeros(0, 3), torch.tensor([True, False]),
    torch.tensor([1 + 2j, complex(math.nan, 0)]), torch.arange(3), torch.ones(2, dtype=torch.bfloat16),
    torch.ones(2).to(torch.float8_e5m2), torch.tensor([2**64 - 1], dtype=torch.uint64), np.ones((2, 2)),
    np.arange(3, dtype="int16"), torch.empty(3, 4, device="meta"), [torch.ones(1), {"k": torch.ones(2)}],
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=map(str, range(len(VALUES))))
@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_a_right_answer_passes(compare, value):
    assert judge(compare, value, value) is None


@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_a_complex_nan_equals_itself(compare):
    assert judge(compare, complex(math.nan, 1.0), complex(math.nan, 1.0)) is None


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=4)
keys = st.text(max_size=3) | st.integers() | st.tuples(st.text(max_size=1), st.integers())
trees = st.recursive(
    leaves | st.sets(keys, max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@given(trees)
@settings(deadline=None)
def test_any_value_equals_itself(value):
    for compare in [*ALL, Exact(ordered=True)]:
        assert judge(compare, value, value) is None


@given(trees, trees)
@settings(max_examples=200, deadline=None)
def test_any_two_values_can_be_compared(expected, got):
    for compare in [*ALL, Exact(ordered=True), Growth(2.0, "")]:
        if isinstance(compare, Growth):
            expected = {"small": 1, "large": 2}
        assert judge(compare, expected, got) is None or isinstance(judge(compare, expected, got), Difference)


@given(st.lists(trees, max_size=4), trees)
@settings(max_examples=200, deadline=None)
def test_any_value_can_be_compared_with_a_set_of_items(expected, got):
    assert judge(Sets(), expected, got) is None or isinstance(judge(Sets(), expected, got), Difference)


@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_lists_and_tuples_are_both_sequences(compare):
    assert judge(compare, [1, (2, [3])], (1, [2, (3,)])) is None


def test_negative_zero_is_zero():
    for compare in ALL:
        assert judge(compare, 0.0, -0.0) is None
        assert judge(compare, [-0.0, torch.zeros(2)], [0.0, -torch.zeros(2)]) is None


# --- kinds --------------------------------------------------------------------------------------

KINDS = [
    1.5, 1, None, True, "1", b"1", 1j, [1], {"a": 1}, {1}, torch.tensor(1), np.array(1), torch.empty((), device="meta")
]  # fmt: skip
FLOAT, INT = 0, 1  # an int may stand for a float


@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_one_kind_never_passes_for_another(compare):
    for n, expected in enumerate(KINDS):
        for m, got in enumerate(KINDS):
            if n != m and (n, m) != (FLOAT, INT):
                wrong = judge(compare, expected, got)
                assert wrong is not None, (n, m)
                assert wrong.place == ""
                assert wrong.ratio > 1


def test_the_note_names_both_kinds():
    wrong = judge(EXACT, [1, "a"], [1, torch.zeros(1)])
    assert (wrong.place, wrong.note) == ("[1]", "it is a torch tensor and should be a str")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "None"), (1, "an int"), ("", "a str"), ([], "a list"), (array([1.0]), "a torch tensor"),
        (crossed(np.ones(1)), "a numpy array"), (crossed(torch.empty(1, device="meta")), "a tensor on the meta device"),
        (measured([1.0]), "a torch tensor"),
    ],
)  # fmt: skip
def test_kinds_have_names(value, name):
    assert kind_of(value) == name


@pytest.mark.parametrize(("expected", "got"), [(1, True), (True, 1), (0, False), (False, 0), (1.0, True), (0.0, False)])
@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_a_bool_is_no_number(compare, expected, got):
    assert judge(compare, expected, got)
    assert judge(compare, [expected], [got]).place == "[0]"
    assert judge(compare, {"k": expected}, {"k": got}).place == "['k']"


@pytest.mark.parametrize(("expected", "got"), [({1: "a"}, {True: "a"}), ({0: "a"}, {0.0: "a"}), ({True}, {1})])
def test_keys_and_items_have_types_too(expected, got):
    assert judge(EXACT, expected, got)


def test_an_int_is_accepted_for_a_float_but_not_the_other_way():
    for compare in ALL:
        assert judge(compare, 2.0, 2) is None
        assert judge(compare, 2, 2.0)
    assert judge(EXACT, 2.0, 3)


@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_an_enormous_int_for_a_float_is_a_difference(compare):
    assert judge(compare, 1.0, 10**400)
    assert judge(compare, math.inf, 10**400)
    assert judge(compare, math.nan, 10**400)


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("expected", [math.inf, -math.inf])
@pytest.mark.parametrize("got", [0.0, 1e38, -1e38, math.nan, 5])
@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_only_infinity_is_infinity(compare, expected, got):
    assert judge(compare, expected, got)
    assert judge(compare, expected, -expected)
    if not isinstance(got, int):
        assert judge(compare, torch.tensor([expected]), torch.tensor([got]))


@pytest.mark.parametrize("got", [0.0, 1.0, math.inf, -math.inf])
@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_nan_is_no_number_and_no_number_is_nan(compare, got):
    assert judge(compare, math.nan, got)
    assert judge(compare, got, math.nan)
    assert judge(compare, torch.tensor([math.nan]), torch.tensor([got]))
    assert judge(compare, torch.tensor([got]), torch.tensor([math.nan]))


def test_close_floats_pass_up_to_the_limit():
    compare = Close(atol=0.5)
    assert judge(compare, 1.0, 1.5) is None
    wrong = judge(compare, 1.0, 2.0)
    assert (wrong.got, wrong.expected, wrong.allowed, wrong.ratio) == ("2.0", "1.0", "0.5", 2.0)


def test_the_relative_limit_is_of_the_expected_value():
    compare = Close(rtol=0.5)
    assert judge(compare, 2.0, 3.0) is None
    assert judge(compare, 2.0, 3.1)
    assert judge(compare, 0.0, 1e-300)
    assert judge(compare, torch.tensor([2.0, 100.0]), torch.tensor([3.0, 51.0])) is None
    assert judge(compare, torch.tensor([2.0, 100.0]), torch.tensor([3.5, 51.0])).place == "[0]"


def test_close_is_exact_about_everything_that_is_no_float():
    compare = Close(rtol=0.5, atol=100)
    assert judge(compare, 10, 11)
    assert judge(compare, torch.tensor([10]), torch.tensor([11]))
    assert judge(compare, torch.tensor([True]), torch.tensor([False]))
    assert judge(compare, "a", "b")


def test_exact_floats_differ_in_the_last_bit():
    assert judge(EXACT, 0.3, 0.1 + 0.2)
    assert judge(EXACT, torch.tensor([1.0]), torch.tensor([1.0 + 2**-23]))
    assert judge(EXACT, torch.tensor([2**53], dtype=torch.int64), torch.tensor([2**53 + 1], dtype=torch.int64))


# --- order: kind, dtype, shape, NaN, values -----------------------------------------------------


@pytest.mark.parametrize("compare", [EXACT, CLOSE, DERIVED], ids=["exact", "close", "derived"])
def test_kind_comes_before_dtype_before_shape_before_values(compare):
    expected = measured([1.0, 2.0]) if compare is DERIVED else torch.tensor([1.0, 2.0])
    nan = torch.full((3,), math.nan, dtype=torch.float64)
    assert "numpy array" in judge(compare, expected, nan.numpy()).note
    wrong = judge(compare, expected, nan)
    assert (wrong.got, wrong.expected) == ("dtype float64", "dtype float32")
    wrong = judge(compare, expected, nan.float())
    assert (wrong.got, wrong.expected) == ("shape (3,)", "shape (2,)")
    wrong = judge(compare, expected, torch.tensor([5.0, math.nan]))
    assert "NaN" in wrong.note
    assert wrong.place == "[0]"
    assert "NaN" not in judge(compare, expected, torch.tensor([1.0, 3.0])).note


SHAPES = [(), (1,), (8,), (1, 8), (4, 1), (1, 1), (4, 8), (8, 4), (0, 8), (4, 0), (1, 4, 8)]


@pytest.mark.parametrize("compare", [EXACT, CLOSE, DERIVED], ids=["exact", "close", "derived"])
def test_nothing_broadcasts(compare):
    for shape in SHAPES:
        for other in SHAPES:
            expected = measured(torch.ones(shape)) if compare is DERIVED else torch.ones(shape)
            wrong = judge(compare, expected, torch.ones(other))
            assert (wrong is None) == (shape == other)
            if wrong:
                assert (wrong.got, wrong.expected) == (f"shape {other}", f"shape {shape}")


@pytest.mark.parametrize("compare", [EXACT, CLOSE, DERIVED], ids=["exact", "close", "derived"])
def test_no_dtype_passes_for_another(compare):
    dtypes = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
    for dtype in dtypes:
        expected = measured([1.0], dtype) if compare is DERIVED else torch.ones(1, dtype=dtype)
        for other in [*dtypes, torch.int64, torch.bool, torch.complex64]:
            assert (judge(compare, expected, torch.ones(1, dtype=other)) is None) == (dtype == other)


@pytest.mark.parametrize("compare", ALL, ids=["exact", "close 0", "close", "derived"])
def test_a_meta_tensor_does_not_pass_for_a_tensor_with_values(compare):
    meta, normal = torch.empty(2, device="meta"), torch.ones(2)
    assert judge(compare, normal, meta)
    assert judge(compare, meta, normal)
    assert judge(compare, measured([1.0, 1.0]), meta)
    assert judge(compare, meta, torch.empty(3, device="meta")).got == "shape (3,)"


# --- places -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "got", "place", "shown"),
    [
        (1, 2, "", ("2", "1")),
        ([1, 2, 3], [1, 5, 6], "[1]", ("5", "2")),
        ([[1, 2], [3, 4]], [[1, 2], [3, 5]], "[1][1]", ("5", "4")),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "['a'][1]['b']", ("3", "2")),
        ({("a", "b"): 1}, {("a", "b"): 2}, "[('a', 'b')]", ("2", "1")),
        ([torch.tensor([[1, 2], [3, 4]])], [torch.tensor([[1, 2], [9, 9]])], "[0][1, 0]", ("9", "3")),
        (torch.tensor(1.5), torch.tensor(2.5), "", ("2.5", "1.5")),
        ([1, 2], [1], "[1]", ("nothing: the list ends here", "2")),
        ([1], [1, 2], "[1]", ("2", "nothing: the list should end here")),
        ([], [1], "[0]", ("1", "nothing: the list should end here")),
        ({"a": 1}, {}, "['a']", ("no such key", "1")),
        ({}, {"a": 1}, "['a']", ("1", "no such key")),
        ({"a": 1, "b": 2}, {"b": 2, "c": 1}, "['a']", ("no such key", "1")),
    ],
)
def test_the_first_wrong_place_is_named(expected, got, place, shown):
    wrong = judge(EXACT, expected, got)
    assert (wrong.place, (wrong.got, wrong.expected)) == (place, shown)


def test_a_wrong_item_is_named_before_a_wrong_length():
    assert judge(EXACT, [1, 2, 3], [1, 9]).place == "[1]"


def test_the_lengths_are_told():
    assert judge(EXACT, [1, 2], [1, 2, 3, 4]).note == "4 items instead of 2"


def test_the_place_where_two_texts_part_is_told():
    assert judge(EXACT, "abcd", "abxd").note == "the texts part at character 2"
    assert judge(EXACT, "abcd", "ab").note == "the texts part at character 2"
    assert judge(EXACT, "abcd", "x").note == ""


def test_all_wrong_values_of_a_tensor_are_counted():
    assert judge(EXACT, torch.zeros(4), torch.tensor([0.0, 1, 0, 1])).note == "2 of 4 values differ"


def test_keys_in_another_order_are_wrong_only_where_order_is_asked_for():
    expected, got = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert judge(Exact(), expected, got) is None
    assert judge(Exact(ordered=True), expected, expected) is None
    wrong = judge(Exact(ordered=True), [{"x": expected}], [{"x": got}])
    assert wrong.place == "[0]['x']"
    assert "another order" in wrong.note


@given(st.lists(st.integers(), min_size=1, max_size=6), st.data())
def test_the_first_changed_item_is_found(items, data):
    place = data.draw(st.integers(0, len(items) - 1))
    changed = [*items[:place], items[place] + 1, *[0 for _ in items[place + 1 :]]]
    assert judge(EXACT, items, changed).place == f"[{place}]"


@pytest.mark.parametrize("got", ["x" * 10**5, ["x" * 10**5], {"x" * 10**5: 1}, {1: "x" * 10**5}, list(range(10**4))])
def test_what_is_said_of_a_huge_answer_is_short(got):
    for expected in (1, [1], {"a": 1}, {}, {1: 2}, []):
        wrong = judge(EXACT, expected, got)
        assert len(wrong.place + wrong.got + wrong.expected + wrong.note) < 1000


# --- sets ---------------------------------------------------------------------------------------


def test_a_set_is_compared_by_its_items():
    assert judge(EXACT, {1, (2, 3)}, {(2, 3), 1}) is None
    assert "no such item" in judge(EXACT, {1, 2}, {1}).got
    assert judge(EXACT, {1}, {1, 2}).expected == "no such item"
    assert judge(EXACT, {1}, [1])
    assert judge(EXACT, [1], {1})


@pytest.mark.parametrize("got", [[1, 2, 3], [3, 1, 2], (2, 3, 1), {1, 2, 3}])
def test_items_pass_in_any_order(got):
    assert judge(Sets(), [1, 2, 3], got) is None


@pytest.mark.parametrize(
    ("got", "word"),
    [([1, 2, 2, 3], "more than once"), ([1, 2], "no such item"), ([1, 2, 4], "4 is among"), ([], "no such item")],
)
def test_a_wrong_item_is_named(got, word):
    assert word in judge(Sets(), [1, 2, 3], got).got


@pytest.mark.parametrize("got", [None, "123", {1: 2, 2: 3, 3: 4}, 123, torch.tensor([1, 2, 3])])
def test_what_is_no_list_of_items_is_told_so(got):
    wrong = judge(Sets(), [1, 2, 3], got)
    assert wrong.expected == "a list of 3 items"
    assert wrong.note.startswith("it is ")


@pytest.mark.parametrize(
    ("expected", "got"),
    [([1], [True]), ([1], [1.0]), (["1"], [1]), ([b"a"], ["b'a'"]), ([None], ["None"]), ([{1: 2}], [{"1": 2}])],
)
def test_items_have_types(expected, got):
    assert judge(Sets(), expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ([[1, 2]], [(1, 2)]),
        ([{0, 8}], [{8, 0}]),
        ([0.0], [-0.0]),
        ([1.0], [1]),
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}]),
        ([math.nan], [math.nan]),
    ],
)
def test_equal_items_pass_as_they_do_elsewhere(expected, got):
    assert judge(EXACT, expected, got) is None
    assert judge(Sets(), expected, got) is None


@pytest.mark.parametrize("item", [{(1, 2): 3}, {1: 2, "a": 3}, {None: 1}, {b"x": 1}, {1}, [{1: {2}}], torch.ones(1)])
def test_any_item_may_be_a_wrong_one(item):
    assert judge(Sets(), [1], [1, item]).expected == "no such item"
    assert judge(Sets(), [item], [item]) is None


# --- growth -------------------------------------------------------------------------------------

GROWTH, EXPECTED = Growth(10.0, "because"), {"small": 100, "large": 800}


def test_growth_up_to_the_limit_passes():
    assert judge(GROWTH, EXPECTED, {"small": 7, "large": 70}) is None
    assert judge(GROWTH, EXPECTED, EXPECTED) is None


def test_growth_beyond_the_limit_is_told_with_its_reason():
    wrong = judge(GROWTH, EXPECTED, {"small": 100, "large": 2000})
    assert wrong == Difference(
        "", "20.0 times the steps (100 and 2,000)", "about 8.0 times", "at most 10 times", "because", 2.0
    )


@pytest.mark.parametrize("small", [0, -5])
def test_a_counter_that_was_switched_off_is_noticed(small):
    assert "switched off" in judge(GROWTH, EXPECTED, {"small": small, "large": 3}).note


@pytest.mark.parametrize(
    "got",
    [
        None, [], {}, {"small": 1}, {"small": 1, "large": 2, "more": 3}, {"small": True, "large": 1},
        {"small": 1.0, "large": 1.0}, {"small": "1", "large": "1"}, {"small": 1, "large": math.nan}, torch.ones(2),
    ],
)  # fmt: skip
def test_what_are_no_counts_is_a_difference(got):
    assert isinstance(judge(GROWTH, EXPECTED, got), Difference)


def test_enormous_counts_can_be_judged():
    assert judge(GROWTH, EXPECTED, {"small": 1, "large": 10**400}).ratio > 1
    assert judge(GROWTH, EXPECTED, {"small": 10**400, "large": 1}) is None


# --- derived ------------------------------------------------------------------------------------

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
UNITS = {torch.float16: 2**-11, torch.bfloat16: 2**-8, torch.float32: 2**-24, torch.float64: 2**-53}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("values", [[1.0, -2.5, 1e-4], [], [[0.0]], 3.0])
def test_the_value_of_the_reference_passes(dtype, values):
    assert judge(DERIVED, measured(values, dtype), torch.as_tensor(values, dtype=torch.float64).to(dtype)) is None


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_tolerance_scales_with_the_dtype(dtype):
    step = 2 * UNITS[dtype]  # from 1 to the next number
    expected = measured([1.0], dtype)
    assert judge(DERIVED, expected, torch.tensor([1 + step], dtype=dtype)) is None
    wrong = judge(DERIVED, expected, torch.tensor([1 + 4 * step], dtype=dtype))
    assert wrong.ratio == pytest.approx(2.0, rel=1e-3)
    assert float(wrong.allowed) == pytest.approx(4 * UNITS[dtype], rel=0.05)


def test_the_tolerance_of_a_rougher_dtype_is_larger():
    found = [float(judge(DERIVED, measured([1.0], d), torch.tensor([2.0], dtype=d)).allowed) for d in FLOATS]
    half, brain, single, double = found
    assert brain > half > single > double


@pytest.mark.parametrize("dtype", FLOATS)
def test_zeros_do_not_pass_where_the_values_are_tiny(dtype):
    tiny = 1e-30 if dtype in (torch.float32, torch.bfloat16, torch.float64) else 1e-5
    wrong = judge(DERIVED, measured([tiny, -tiny], dtype), torch.zeros(2, dtype=dtype))
    assert wrong.place == "[0]"
    assert wrong.ratio > 1


@pytest.mark.parametrize("got", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("noise", [0.0, 1e30, 1e300])
def test_neither_nan_nor_infinity_passes_for_a_number(got, noise):
    for place in (0, 1):
        values = torch.ones(2)
        values[place] = got
        wrong = judge(DERIVED, measured([1.0, 1.0], noise=noise), values)
        assert wrong.place == f"[{place}]"
        assert wrong.ratio > 1


def test_an_infinite_noise_lets_nothing_through():
    for noise in (math.inf, math.nan):
        assert judge(DERIVED, measured([1.0], noise=noise), torch.tensor([2.0]))
        assert judge(DERIVED, measured([1.0], noise=noise), torch.tensor([math.nan]))


def test_nan_and_infinity_pass_where_the_reference_has_them():
    values = [math.nan, math.inf, -math.inf, 1.0]
    assert judge(DERIVED, measured(values), torch.tensor(values)) is None
    assert judge(DERIVED, measured(values), torch.tensor([math.nan, -math.inf, -math.inf, 1.0])).place == "[1]"
    assert judge(DERIVED, measured(values), torch.tensor([1.0, math.inf, -math.inf, 1.0])).place == "[0]"


def test_noise_widens_the_tolerance_with_the_root_of_the_largest_dimension():
    expected = measured([1.0], noise=1e-3)
    got = torch.tensor([1.03])
    assert judge(DERIVED, expected, got, {"x": array([0.0])})
    assert judge(DERIVED, expected, got, {"x": array([[0.0] * 100])}) is None
    assert judge(DERIVED, expected, got, {"x": 100, "y": "a" * 100})


def test_slack_widens_the_tolerance():
    expected, got = measured([1.0]), torch.tensor([1 + 2**-20])
    assert judge(Derived(slack=1.0), expected, got)
    assert judge(Derived(slack=32.0), expected, got) is None


def test_a_python_float_may_be_a_few_roundings_off():
    assert judge(DERIVED, 0.3, 0.1 + 0.2) is None
    assert judge(DERIVED, 0.3, 0.3 + 1e-12)


def test_tensors_of_integers_are_exact():
    assert judge(DERIVED, torch.arange(3), torch.tensor([0, 1, 3])).place == "[2]"


def test_a_measured_tensor_inside_a_tree_has_its_place():
    expected = {"r": [measured([1.0, 2.0]), 5]}
    assert judge(DERIVED, expected, {"r": (torch.tensor([1.0, 2.0]), 5)}) is None
    assert judge(DERIVED, expected, {"r": (torch.tensor([1.0, 3.0]), 5)}).place == "['r'][0][1]"
    assert "torch tensor" in judge(DERIVED, expected, {"r": [[1.0, 2.0], 5]}).note
    assert judge(DERIVED, expected, {"r": [torch.tensor([1.0, 2.0]).double(), 5]}).place == "['r'][0]"


def test_only_derived_asks_for_measurements():
    assert DERIVED.measured
    assert not any(compare.measured for compare in (EXACT, CLOSE, Sets(), GROWTH))


def test_the_errors_of_a_tree_are_given_in_units_of_the_tolerance():
    expected = {"a": [measured([1.0, 1.0])], "b": 3, "c": measured(torch.zeros(0))}
    got = crossed({"a": [torch.tensor([1.0, 1 + 2**-22])], "b": 3, "c": torch.zeros(0)})
    assert list(DERIVED.errors({}, expected, got)) == [pytest.approx(1.0, rel=1e-3), 0.0]


@pytest.mark.parametrize("compare", [EXACT, CLOSE, DERIVED], ids=["exact", "close", "derived"])
@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=4),
    st.lists(st.floats(width=32), min_size=1, max_size=4),
)
@settings(deadline=None)
def test_a_tensor_passes_only_near_the_expected_one(compare, values, others):
    expected, got = torch.tensor(values), torch.tensor(others)
    wrong = judge(compare, measured(values) if compare is DERIVED else expected, got)
    if torch.equal(expected, got):
        assert wrong is None
    elif len(values) != len(others):
        assert wrong.got == f"shape ({len(others)},)"
    elif not torch.allclose(expected.double(), got.double(), rtol=1.01e-3, atol=1.01e-6):
        assert wrong is not None
        assert wrong.ratio > 1


def test_an_array_of_more_than_a_terabyte_on_meta_is_compared_at_once():
    huge = torch.empty(1 << 20, 1 << 20, device="meta")
    assert judge(EXACT, huge, huge) is None


def test_an_array_is_shown_with_its_kind_when_a_number_was_wanted():
    wrong = judge(EXACT, 1.0, torch.tensor(1.0))
    assert isinstance(wrong, Difference)
    assert "torch tensor" in wrong.note
    assert isinstance(array([1.0]), Array)
