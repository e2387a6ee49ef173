"""Values cross the fence unchanged, and nothing that comes from the other side can do harm."""

import ast
import base64
import collections
import enum
import inspect
import json
import math
import os
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import wire
from grader.array import WIDTHS, native, numbers
from grader.case import Array, Measured
from grader.errors import WireError
from grader.tree import Caps
from grader.wire import HEADER, MAGIC, digest, pack, sizes, unpack


def frame_of(text, blob=b""):
    text = text.encode("ascii") if isinstance(text, str) else text
    return HEADER.pack(MAGIC, len(text), len(blob)) + text + blob


def parts_of(frame):
    text_size, blob_size = sizes(frame[: HEADER.size])
    return frame[HEADER.size : HEADER.size + text_size], frame[HEADER.size + text_size :][:blob_size]


def there_and_back(value):
    return unpack(pack(value))


def same(a, b):
    """Whether two values are the same to the last bit; bytearray and numpy scalars are no case here."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isnan(a) == math.isnan(b) and (math.isnan(a) or struct.pack("d", a) == struct.pack("d", b))
    if type(a) is not type(b):
        return False
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        pairs = zip(a.items(), b.items(), strict=True)
        return len(a) == len(b) and all(same(k, m) and same(v, w) for (k, v), (m, w) in pairs)
    if isinstance(a, (set, frozenset)):
        left = list(b)
        for item in a:
            found = next((n for n, other in enumerate(left) if same(item, other)), None)
            if found is None:
                return False
            del left[found]
        return not left
    return a == b


# --- any value comes back -----------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=[]), max_size=8)  # lone surrogates are among them
plain_floats = st.floats() | st.sampled_from([-0.0, math.nan, math.inf, -math.inf, 5e-324])
# NaN is no key here: it is not equal to itself, so a set may hold it twice (it has a test of its own)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**300), 10**300)
    | texts
    | st.binary(max_size=8)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
)
keys = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
arrays = st.builds(
    lambda library, dtype, shape, seed: Array(
        dtype,
        tuple(shape),
        b"" if library == "meta" else bytes((seed + n) % 256 for n in range(math.prod(shape) * WIDTHS[dtype])),
        library,
    ),
    st.sampled_from(["torch", "numpy", "meta"]),
    st.sampled_from(sorted(WIDTHS)),
    st.lists(st.integers(0, 3), max_size=3),
    st.integers(0, 255),
)
values = st.recursive(
    scalars | plain_floats | arrays | st.sets(keys, max_size=3) | st.builds(Measured, arrays, arrays, arrays),
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(values)
@settings(max_examples=400, deadline=None)
def test_what_goes_in_comes_out(value):
    assert same(there_and_back(value), value)


@given(values)
@settings(deadline=None)
def test_what_came_out_packs_to_the_same_frame(value):
    assert pack(there_and_back(value)) == pack(value)


@given(texts | st.text("\ud83d\ude00a", max_size=4))
def test_any_text_comes_back(text):
    assert there_and_back(text) == text


def test_two_halves_of_a_surrogate_pair_stay_two_characters():
    assert there_and_back("\ud83d\ude00") == "\ud83d\ude00"


def test_two_halves_of_a_surrogate_pair_are_not_the_emoji_to_a_digest():
    assert digest("\ud83d\ude00") != digest("😀")


@pytest.mark.parametrize("value", [0, -1, 2**63, 2**64, -(2**200), 10**4000, True, False])
def test_an_integer_keeps_its_value_and_type(value):
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("value", [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 0.1, 1e22])
def test_a_float_comes_back_bit_for_bit(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("value", [complex(-0.0, 0.0), complex(0.0, -0.0), complex(math.inf, math.nan), 1 + 2j])
def test_a_complex_number_comes_back_bit_for_bit(value):
    assert same(there_and_back(value), value)


def test_keys_that_are_nan_stay_apart():
    assert len(there_and_back({float("nan"): 1, float("nan"): 2})) == 2


def test_a_frozenset_is_a_set_on_the_other_side():
    assert there_and_back(frozenset({1, 2})) == {1, 2}


@pytest.mark.parametrize("value", [{frozenset({1, 2}): 3}, {frozenset({1}), frozenset()}, {(frozenset({1}), 2): 3}])
def test_a_frozenset_can_be_a_key_or_an_item(value):
    assert there_and_back(value) == value


def test_a_bytearray_becomes_bytes():
    assert there_and_back(bytearray(b"\x00\xff")) == b"\x00\xff"


@pytest.mark.parametrize("number", [2**4, 2**4 + 1])
def test_the_order_of_many_tensors_is_kept(number):
    tensors = [torch.full((2,), n) for n in range(number)]
    assert [native(item).tolist() for item in there_and_back(tensors)] == [[n, n] for n in range(number)]


# --- subclasses ---------------------------------------------------------------------------------

Point = collections.namedtuple("Point", ["x", "y"])


class Color(enum.IntEnum):
    RED = 1


class Name(str):
    __slots__ = ()


class Half(float):
    __slots__ = ()


class Letter(enum.StrEnum):
    A = "a"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.OrderedDict([("b", 1), ("a", 2)]), {"b": 1, "a": 2}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (Point(1, [2]), (1, [2])),
        (torch.Size([1, 2]), (1, 2)),
        (Color.RED, 1),
        (Name("n"), "n"),
        (Letter.A, "a"),
        (Half(0.5), 0.5),
        (Half("inf"), math.inf),
        ({Color.RED: Name("x")}, {1: "x"}),
    ],
)
def test_a_subclass_counts_as_what_it_is_derived_from(value, plain):
    back = there_and_back(value)
    assert back == plain
    assert type(back) is type(plain)


def test_the_order_of_keys_is_kept():
    assert list(there_and_back({"b": 1, "a": 2, 0: 3})) == ["b", "a", 0]


# --- tensors ------------------------------------------------------------------------------------


def tensor_of(name, shape=(2, 3)):
    bits = torch.arange(math.prod(shape) * WIDTHS[name], dtype=torch.int64).mul(37).to(torch.uint8)
    if name == "bool":
        return (bits % 2).bool().reshape(shape)
    return bits.view(getattr(torch, name)).reshape(shape)


@pytest.mark.parametrize("shape", [(2, 3), (), (1,), (0,), (3, 0, 2), (1, 1, 1, 1, 1, 1, 1, 2)])
@pytest.mark.parametrize("name", sorted(WIDTHS))
def test_a_tensor_of_any_dtype_comes_back_bit_for_bit(name, shape):
    tensor = tensor_of(name, shape)
    back = native(there_and_back(tensor))
    assert back.dtype == tensor.dtype
    assert back.shape == tensor.shape
    if tensor.numel():
        assert torch.equal(back.reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8))


@pytest.mark.parametrize("name", sorted(WIDTHS))
def test_the_width_of_a_dtype_is_torchs_own(name):
    assert getattr(torch, name).itemsize == WIDTHS[name]


@pytest.mark.parametrize("name", sorted(WIDTHS))
def test_the_numbers_of_an_array_are_those_of_the_tensor(name):
    values = numbers(there_and_back(tensor_of(name)))
    assert values.dtype.name == name
    assert values.shape == (2, 3)
    assert values.tobytes() == tensor_of(name).reshape(-1).view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6).reshape(2, 3).t(),
        torch.arange(10)[::3],
        torch.arange(3).expand(4, 3),
        torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1)[1:],
        torch.tensor([1 + 2j, 3 - 4j]).conj(),
        torch.tensor([1 + 2j, 3 - 4j]).conj().imag,
        torch.zeros(3, requires_grad=True),
        torch.zeros(3, requires_grad=True) * 2,
        torch.nn.Parameter(torch.ones(2, 2)),
        torch.nn.Parameter(torch.ones(2, 2).t(), requires_grad=False),
    ],
)
def test_a_view_or_a_leaf_of_autograd_comes_back_as_its_values(tensor):
    back = native(there_and_back(tensor))
    assert torch.equal(back, tensor.detach())
    assert not back.requires_grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.bfloat16, torch.uint8, torch.bool])
@pytest.mark.parametrize(
    "cut",
    [
        lambda x: x[:1, 1],
        lambda x: x[:1, 1:2],
        lambda x: x[1].expand(1, 3)[:, :1],
        lambda x: x.sum().to(x.dtype).expand(1),
        lambda x: x[:, ::2][:1, :1],
        lambda x: x.t()[1:2, 1],
    ],
)
def test_one_element_cut_out_of_a_tensor_comes_back(cut, dtype):
    tensor = cut(torch.arange(6).reshape(2, 3).to(dtype))
    assert torch.equal(native(there_and_back(tensor)), tensor)


@pytest.mark.parametrize("cut", [lambda x: x[:1, 1], lambda x: x.T[:1, :1], lambda x: x[::-1][:1, 0]])
def test_one_element_cut_out_of_a_numpy_array_comes_back(cut):
    array = cut(np.arange(6.0).reshape(2, 3))
    assert (native(there_and_back(array)) == array).all()


def test_negative_zero_and_nan_of_a_tensor_keep_their_bits():
    bits = torch.tensor([-0x80000000, 0x7FC00001, 0x7F800001, 1], dtype=torch.int32)
    assert torch.equal(native(there_and_back(bits.view(torch.float32))).view(torch.int32), bits)


def test_a_tensor_that_came_back_may_be_written_to():
    back = native(there_and_back(torch.zeros(2)))
    back += 1
    assert back.tolist() == [1, 1]


def test_a_numpy_array_that_came_back_may_be_written_to():
    back = native(there_and_back(np.zeros(2)))
    back += 1
    assert back.tolist() == [1, 1]


def test_a_meta_tensor_has_a_shape_and_no_data():
    array = there_and_back(torch.empty(1 << 20, 1 << 20, dtype=torch.bfloat16, device="meta"))
    assert array == Array("bfloat16", (1 << 20, 1 << 20), b"", "meta")
    assert native(array).device.type == "meta"


class Liar(torch.Tensor):
    """A tensor that answers every torch function with another tensor."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return torch.full((7,), 9.0)


def test_a_tensor_subclass_cannot_lie_about_its_bits():
    liar = torch.ones(2).as_subclass(Liar)
    assert native(there_and_back(liar)).tolist() == [1, 1]


@pytest.mark.parametrize("value", [torch.zeros(2).to_sparse(), torch.zeros(2, dtype=torch.float8_e4m3fnuz)])
def test_a_tensor_that_the_wire_does_not_carry_is_refused(value):
    with pytest.raises(WireError, match="cannot be sent"):
        pack(value)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_is_refused():
    value = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
    with pytest.raises(WireError):
        pack(value)


def test_a_tensor_inside_vmap_is_refused():
    def function(x):
        with pytest.raises(WireError):
            pack(x)
        return x

    torch.vmap(function)(torch.zeros(2))


@pytest.mark.parametrize(
    "value",
    [torch.zeros(1).expand(1 << 50), np.broadcast_to(np.float32(0), (1 << 50,))],
    ids=["torch", "numpy"],
)
def test_a_view_that_is_too_large_is_refused_before_it_is_copied(value):
    with pytest.raises(WireError):
        pack(value)


# --- numpy --------------------------------------------------------------------------------------

NUMPY_DTYPES = sorted(name for name in WIDTHS if not name.startswith(("bfloat", "float8")))


@pytest.mark.parametrize("shape", [(2, 3), (), (0,), (3, 0)])
@pytest.mark.parametrize("name", NUMPY_DTYPES)
def test_a_numpy_array_comes_back_bit_for_bit(name, shape):
    array = np.arange(math.prod(shape)).astype(name).reshape(shape)
    back = native(there_and_back(array))
    assert isinstance(back, np.ndarray)
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


@pytest.mark.parametrize(
    "array", [np.arange(6).reshape(2, 3).T, np.arange(9)[::-2], np.arange(4, dtype=">i4"), np.asfortranarray(np.eye(3))]
)
def test_the_layout_of_a_numpy_array_does_not_matter(array):
    back = native(there_and_back(array))
    assert back.shape == array.shape
    assert (back == array).all()


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(-0.0), -0.0),
        (np.float32(0.5), 0.5),
        (np.float16("nan"), math.nan),
        (np.int8(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.complex64(1 + 2j), 1 + 2j),
        (np.str_("é"), "é"),
        (np.bytes_(b"a"), b"a"),
    ],
)
def test_a_numpy_scalar_becomes_a_number(value, plain):
    assert same(there_and_back(value), plain)


@pytest.mark.parametrize(
    "value",
    [np.array([None]), np.array(["a"]), np.zeros(2, "M8[s]"), np.zeros(1, [("a", "i4")]), np.longdouble(1)],
    ids=["object", "text", "date", "record", "longdouble"],
)
def test_a_numpy_value_that_the_wire_does_not_carry_is_refused(value):
    with pytest.raises(WireError, match="cannot be sent"):
        pack(value)


# --- what cannot be sent ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [object(), (n for n in ()), len, int, {}.keys(), range(3), iter([]), NotImplemented, slice(1), torch.float32],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_value_is_refused(value):
    with pytest.raises(WireError, match="cannot be sent"):
        pack([value])


def test_a_list_that_contains_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(WireError, match="nested deeper"):
        pack(value)


def test_an_integer_too_long_for_text_is_refused():
    with pytest.raises(WireError):
        pack(10**5000)


# --- determinism --------------------------------------------------------------------------------

SETS = """
from grader.wire import digest
print(digest([
    {"a", "b", "c", "dd", "é", "\\ud800"}, {1, "1", (1,), None, 1.5, b"1", 2j}, {True, 0, "True"},
    {("x", n) for n in range(50)}, {str(n): {str(n), n} for n in range(9)}, frozenset("hello"),
]))
"""


def test_another_process_with_another_hash_seed_agrees_on_a_digest():
    found = set()
    for seed in "012":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", SETS], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True), (1, 1.0), (0.0, -0.0), ([1], (1,)), ("a", b"a"), ({}, []), (None, False), ({1: 2}, [[1, 2]]),
        ({"t": [1]}, (1,)), ({"f": "nan"}, math.nan), ("1", 1), ({1}, [1]), ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (torch.zeros(2), torch.zeros(1, 2)), (torch.zeros(2), np.zeros(2, "float32")),
        (torch.zeros(1, dtype=torch.int32), torch.zeros(1)), (torch.zeros(2), torch.zeros(2, device="meta")),
    ],
)  # fmt: skip
def test_different_values_have_different_digests(one, other):
    assert digest(one) != digest(other)


@pytest.mark.parametrize("value", [{"t": [1]}, {"f": "nan"}, {"a": ["torch", "bool", [0], 0]}, {"d": []}, [{"b": "x"}]])
def test_a_dict_that_looks_like_the_wires_own_marks_stays_a_dict(value):
    assert there_and_back(value) == value


# --- caps ---------------------------------------------------------------------------------------


def nested(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {"k": v}, lambda v: ({(1,): v}, v)])
def test_both_sides_count_levels_alike(wrap):
    value = 0
    for _ in range(8):
        value = wrap(value)
    frame = pack(value)
    for depth in range(20):
        caps = Caps(depth=depth)
        try:
            assert pack(value, caps) == frame
        except WireError:
            with pytest.raises(WireError):
                unpack(frame, caps)
        else:
            assert unpack(frame, caps) == value


def test_depth_is_capped_on_both_sides():
    assert unpack(pack(nested(64))) == nested(64)
    with pytest.raises(WireError, match="nested deeper"):
        pack(nested(65))
    with pytest.raises(WireError, match="levels"):
        unpack(pack(nested(65), Caps(depth=100)))


def test_depth_is_capped_in_the_pairs_of_a_dict():
    text = '["a",1],["b",2]'
    for _ in range(70):
        text = f'{{"d":[{text}]}},["b",2]'
    with pytest.raises(WireError):
        unpack(frame_of(f'{{"d":[{text}]}}'))


CAPPED = [
    (Caps(frame=100), "x" * 200),
    (Caps(frame=100), torch.zeros(100)),
    (Caps(text=10), "x" * 11),
    (Caps(text=10), ["x" * 11]),
    (Caps(text=10), {"x" * 11: 1}),
    (Caps(text=10), b"x" * 11),
    (Caps(nodes=10), [0] * 11),
    (Caps(nodes=10), dict.fromkeys(range(11))),
    (Caps(nodes=10), [[0] * 4] * 4),
    (Caps(tensors=2), [torch.zeros(1)] * 3),
]
CAPPED_IDS = ["frame", "blob", "text", "text-list", "text-key", "bytes", "nodes", "dict", "shared-list", "tensors"]


@pytest.mark.parametrize(("caps", "value"), CAPPED, ids=CAPPED_IDS)
def test_a_frame_beyond_a_cap_is_refused(caps, value):
    with pytest.raises(WireError):
        unpack(pack(value), caps)


@pytest.mark.parametrize(("caps", "value"), CAPPED, ids=CAPPED_IDS)
def test_a_value_beyond_a_cap_is_not_packed(caps, value):
    with pytest.raises(WireError):
        pack(value, caps)


@pytest.mark.parametrize(
    ("caps", "value"),
    [(Caps(text=10), "x" * 10), (Caps(nodes=11), [0] * 10), (Caps(tensors=2), [torch.zeros(1)] * 2)],
)
def test_a_value_that_just_keeps_a_cap_is_carried(caps, value):
    assert len(unpack(pack(value, caps), caps)) == len(value)


def test_a_header_that_announces_too_much_is_refused_by_itself():
    with pytest.raises(WireError, match="at most"):
        sizes(HEADER.pack(MAGIC, 0, 1 << 60))


# --- hostile frames -----------------------------------------------------------------------------

WHOLE = pack({"a": [torch.arange(3), 1.5, None, ("x", b"y")], 2: {1, 2}, "m": np.ones((2, 2)), "z": math.inf})
TEXT, BLOB = parts_of(pack(torch.tensor([1.0, 2.0])))


def test_a_frame_cut_anywhere_is_refused():
    for end in range(len(WHOLE)):
        with pytest.raises(WireError):
            unpack(WHOLE[:end])


def test_a_frame_with_something_after_it_is_refused():
    with pytest.raises(WireError):
        unpack(WHOLE + b"\0")


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_garbage_is_refused(garbage):
    with pytest.raises(WireError):
        unpack(garbage)


def returns_or_refuses(frame):
    try:
        return unpack(frame)
    except WireError:
        return None


@given(st.binary(max_size=80), st.binary(max_size=200))
@settings(max_examples=300)
def test_garbage_behind_a_good_header_raises_nothing_else(text, blob):
    returns_or_refuses(frame_of(text, blob))


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_a_garbage_tensor_part_raises_nothing_else(blob):
    returns_or_refuses(frame_of(TEXT, blob))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
    | st.sampled_from(["torch", "numpy", "meta", "float32", "bool", "nan", "inf", "YQ=="]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("tsdfbcamx"), inner, max_size=2),
    max_leaves=10,
)
tagged = st.builds(lambda tag, body: {tag: body}, st.sampled_from("tsdfbcam"), json_values)


@given(st.lists(tagged | json_values, max_size=3))
@settings(max_examples=600, deadline=None)
def test_any_json_with_the_wires_own_marks_raises_nothing_else(tree):
    returns_or_refuses(frame_of(json.dumps(tree), BLOB))


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_a_frame_with_changed_bytes_is_read_or_refused(data):
    frame = bytearray(pack(data.draw(values))) if data.draw(st.booleans()) else bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    returns_or_refuses(bytes(frame))


def test_every_byte_of_a_frame_may_be_flipped():
    for n in range(len(WHOLE)):
        for bit in (1, 16, 128):
            returns_or_refuses(WHOLE[:n] + bytes([WHOLE[n] ^ bit]) + WHOLE[n + 1 :])


def tensor_frame(library="torch", dtype="float32", shape=(2,), number=0):
    return frame_of(json.dumps({"a": [library, dtype, shape, number]}), BLOB)


def test_the_frame_of_a_tensor_as_built_here_is_a_good_one():
    assert unpack(tensor_frame()) == unpack(pack(torch.tensor([1.0, 2.0])))


HOSTILE_TEXTS = {
    "no text": "",
    "not JSON": "hello",
    "two values": "1 2",
    "NaN": "NaN",
    "Infinity": "[Infinity]",
    "-Infinity": "-Infinity",
    "a float beyond all floats": "1e999",
    "a long float beyond all floats": "1" * 400 + ".5",
    "10^5 brackets": "[" * 10**5,
    "10^5 closed brackets": "[" * 10**5 + "]" * 10**5,
    "10^5 objects": '{"t":' * 10**5,
    "100 levels": "[" * 100 + "]" * 100,
    "a mark twice": '{"t":[1],"t":[2]}',
    "two marks": '{"t":[1],"s":[2]}',
    "no mark": "{}",
    "an unknown mark": '{"x":[1]}',
    "a dict with a key twice": '{"d":[["k",1],["k",2]]}',
    "a set with an item twice": '{"s":[1,1]}',
    "a dict whose pair is a text": '{"d":["ab"]}',
    "a dict whose pair is a dict": '{"d":[{"d":[["a",1],["b",2]]}]}',
    "a dict whose pair has three": '{"d":[[1,2,3]]}',
    "a dict that is no list": '{"d":{"t":[]}}',
    "a dict that is a number": '{"d":1}',
    "a key that is a list": '{"d":[[[1],2]]}',
    "a key that is a dict": '{"d":[[{"d":[]},2]]}',
    "an item that is a list": '{"s":[[1]]}',
    "an item that is a set": '{"s":[{"d":[]}]}',
    "a tuple that is a text": '{"t":"ab"}',
    "a tuple of null": '{"t":null}',
    "an unknown float": '{"f":"1.5"}',
    "a float that is a list": '{"f":["nan"]}',
    "a float that is a number": '{"f":1.5}',
    "base64 garbage": '{"b":"***"}',
    "base64 too short": '{"b":"a"}',
    "base64 no ASCII": '{"b":"\\u00e9"}',
    "bytes that are a list": '{"b":["YQ=="]}',
    "bytes that are a number": '{"b":5}',
    "a complex of three": '{"c":[1.0,2.0,3.0]}',
    "a complex of nothing": '{"c":[]}',
    "a complex of one": '{"c":[1.0]}',
    "a complex text": '{"c":["1+2j"]}',
    "a complex too large": '{"c":[1' + "0" * 400 + ",0]}",
    "a complex of complex": '{"c":[{"c":[1.0,1.0]},0.0]}',
    "10^5 digits": "1" * 10**5,
    "10^5 digits in a shape": '{"a":["meta","float32",[' + "1" * 10**5 + "],-1]}",
    "bytes that are no text": b'"\xff"',
    "a measured of two": '{"m":[1,2]}',
    "a measured of numbers": '{"m":[1,2,3]}',
    "a measured of measured": '{"m":[{"m":[1,2,3]},2,3]}',
    "an array of nothing": '{"a":[]}',
    "an array that is a text": '{"a":"abcd"}',
    "an array of null": '{"a":null}',
    "an array of five": '{"a":["meta","float32",[1],-1,0]}',
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_a_hostile_text_is_refused(text):
    with pytest.raises(WireError):
        unpack(frame_of(text))


HOSTILE_TENSORS = {
    "shape product 2^60": {"shape": [2**30, 2**30]},
    "shape product beyond 64 bits": {"shape": [2**62, 2**62]},
    "shape too large by one": {"shape": [3]},
    "shape too small": {"shape": [1]},
    "negative shape": {"shape": [-2]},
    "two negative dimensions": {"shape": [-1, -2]},
    "bool in shape": {"shape": [True, 2]},
    "float in shape": {"shape": [2.0]},
    "text in shape": {"shape": ["2"]},
    "list in shape": {"shape": [[2]]},
    "shape a number": {"shape": 2},
    "shape null": {"shape": None},
    "shape with more dimensions than a tensor can have": {"shape": [2, *[1] * 100]},
    "wider dtype": {"dtype": "float64"},
    "narrower dtype": {"dtype": "float16"},
    "unknown dtype": {"dtype": "float33"},
    "dtype a list": {"dtype": ["float32"]},
    "dtype null": {"dtype": None},
    "dtype an attribute of torch": {"dtype": "load"},
    "number negative": {"number": -1},
    "number beyond the blobs": {"number": 1},
    "number huge": {"number": 10**30},
    "number a text": {"number": "0"},
    "number a float": {"number": 0.0},
    "number a bool": {"number": False},
    "number null": {"number": None},
    "unknown library": {"library": "jax"},
    "library null": {"library": None},
    "library a list": {"library": ["torch"]},
    "meta with an unknown dtype": {"library": "meta", "dtype": "float33", "number": -1},
    "meta with a list for a dtype": {"library": "meta", "dtype": ["float32"], "number": -1},
    "meta with escapes for a dtype": {"library": "meta", "dtype": "\u001b[31m\n", "number": -1},
    "meta with a dict for a shape": {"library": "meta", "shape": {}, "number": -1},
    "meta with a text for a shape": {"library": "meta", "shape": "", "number": -1},
    "meta with a negative shape": {"library": "meta", "shape": [-1], "number": -1},
    "meta with a text for a number": {"library": "meta", "number": "x"},
    "meta with 10^5 dimensions": {"library": "meta", "shape": [2] * 10**5, "number": -1},
}


@pytest.mark.parametrize("changes", HOSTILE_TENSORS.values(), ids=HOSTILE_TENSORS)
def test_a_hostile_tensor_is_refused(changes):
    with pytest.raises(WireError):
        unpack(tensor_frame(**changes))


@pytest.mark.parametrize("shape", [[0, 2**62, 8], [2**62, 0, 2**62], [0] + [1] * 100])
def test_an_empty_tensor_with_a_shape_that_no_library_takes_is_refused(shape):
    _, empty = parts_of(pack(torch.zeros(0)))
    with pytest.raises(WireError):
        unpack(frame_of(json.dumps({"a": ["torch", "float32", shape, 0]}), empty))


def safetensors_part(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


ENTRY = {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}


def test_the_tensor_part_as_built_here_is_a_good_one():
    data = struct.pack("<ff", 1, 2)
    assert unpack(frame_of(TEXT, safetensors_part({"000000": ENTRY}, data))) == unpack(frame_of(TEXT, BLOB))


HOSTILE_PARTS = {
    "one byte": b"\0",
    "a header length of 2^60": struct.pack("<Q", 1 << 60) + b"{}",
    "a header length of 2^64 - 1": struct.pack("<Q", (1 << 64) - 1) + b"{}",
    "a header length of 0": struct.pack("<Q", 0),
    "a header that is no JSON": safetensors_part(b"{nope"),
    "a header that is a list": safetensors_part([]),
    "a header that is no UTF-8": safetensors_part(b'{"\xff": 1}'),
    "a header of 10^5 brackets": safetensors_part(b"[" * 10**5),
    "no tensor": safetensors_part({}),
    "another name": safetensors_part({"x": ENTRY}, bytes(8)),
    "an offset beyond the end": safetensors_part({"000000": {**ENTRY, "data_offsets": [0, 80]}}, bytes(8)),
    "an offset before the start": safetensors_part({"000000": {**ENTRY, "data_offsets": [-8, 0]}}, bytes(8)),
    "offsets the wrong way round": safetensors_part({"000000": {**ENTRY, "data_offsets": [8, 0]}}, bytes(8)),
    "offsets of 2^63": safetensors_part({"000000": {**ENTRY, "data_offsets": [0, 1 << 63]}}, bytes(8)),
    "a hole": safetensors_part({"000000": {**ENTRY, "data_offsets": [8, 16]}}, bytes(16)),
    "more data than tensors": safetensors_part({"000000": ENTRY}, bytes(16)),
    "a shape of 2^64": safetensors_part({"000000": {**ENTRY, "shape": [1 << 32, 1 << 32]}}, bytes(8)),
    "a negative shape": safetensors_part({"000000": {**ENTRY, "shape": [-8]}}, bytes(8)),
    "an unknown dtype": safetensors_part({"000000": {**ENTRY, "dtype": "U9"}}, bytes(8)),
    "two tensors on one place": safetensors_part({"000000": ENTRY, "000001": ENTRY}, bytes(8)),
}


@pytest.mark.parametrize("part", HOSTILE_PARTS.values(), ids=HOSTILE_PARTS)
def test_a_hostile_tensor_part_is_refused(part):
    with pytest.raises(WireError):
        unpack(frame_of(TEXT, part))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"LLMG",
        HEADER.pack(MAGIC, 0, 0),
        HEADER.pack(b"LLMH", 1, 0) + b"1",
        HEADER.pack(b"llmg", 1, 0) + b"1",
        HEADER.pack(MAGIC, 2, 0) + b"1",
        HEADER.pack(MAGIC, 0, 1) + b"1",
        HEADER.pack(MAGIC, 1, 1) + b"1",
        HEADER.pack(MAGIC, 0, 0) + b"1",
        HEADER.pack(MAGIC, 2**32 - 1, 0) + b"1",
        HEADER.pack(MAGIC, 1, 2**64 - 1) + b"1",
    ],
)
def test_a_header_that_lies_is_refused(frame):
    with pytest.raises(WireError):
        unpack(frame)


def test_a_hostile_frame_makes_nothing_huge():
    frames = [frame_of(text) for text in HOSTILE_TEXTS.values()]
    frames += [tensor_frame(**changes) for changes in HOSTILE_TENSORS.values()]
    frames += [frame_of(TEXT, part) for part in HOSTILE_PARTS.values()]
    largest = max(map(len, frames))
    tracemalloc.start()
    try:
        for frame in frames:
            returns_or_refuses(frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * largest  # the 10^5 brackets are some hundred kilobytes themselves


@pytest.mark.parametrize("shape", [[2] * 10**4, [10**4000], ["x" * 10**4]], ids=["many", "large", "text"])
def test_what_a_refusal_says_is_short(shape):
    with pytest.raises(WireError) as caught:
        unpack(tensor_frame(shape=shape))
    assert len(str(caught.value)) < 300


# --- the module itself --------------------------------------------------------------------------


def test_the_wire_has_neither_pickle_nor_eval():
    tree = ast.parse(inspect.getsource(wire))
    imported, called = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Name):
            called.add(node.id)
    assert not imported & {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "importlib", "runpy"}
    assert not called & {"eval", "exec", "compile", "__import__", "globals"}


def test_the_wire_reads_base64_as_it_writes_it():
    assert base64.b64encode(b"\xff\xfe") in parts_of(pack(b"\xff\xfe"))[0]
