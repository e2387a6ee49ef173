"""How values cross the fence: a frame of JSON and safetensors, with caps on everything.

A frame is b"LLMG", the length of the JSON part (4 bytes), the length of the tensor part (8 bytes),
both big-endian, and the two parts. JSON carries the tree; every tensor is a leaf that names its
dtype, its shape and its number in the tensor part, where its bits lie as bytes. What has no own
JSON form is an object with one key: {"t": [...]} is a tuple, {"f": "nan"} a float, and so on.

No pickle, no eval: what comes from a student's process is data or a `WireError`.
"""

import base64
import hashlib
import json
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.array import WIDTHS, from_native
from grader.case import Array, Measured
from grader.errors import WireError

MAGIC = b"LLMG"
HEADER = struct.Struct(">4sIQ")


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of one frame. Sizes in bytes; `depth` and the counts are numbers of things."""

    frame: int = 64 << 20
    text: int = 4 << 20
    depth: int = 64
    nodes: int = 1 << 20
    tensors: int = 4096


CAPS = Caps()
TRUSTED = Caps(frame=1 << 32, text=1 << 28, nodes=1 << 28, tensors=1 << 20)  # for files of our own


# --- values to frames -------------------------------------------------------------------------


def pack(value: Any, caps: Caps = CAPS) -> bytes:
    """Return the frame of a value.

    Args:
        value: None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset,
            torch tensors, numpy arrays and scalars, `Array`, `Measured`, nested in any way.
            Subclasses of these count as what they are derived from.
        caps: limits that the frame must keep.

    Raises:
        WireError: the value holds something else, or is larger than the caps.
    """
    packer = _Packer(caps)
    try:
        tree = packer.tree(value)
        text = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (ValueError, RecursionError, OverflowError) as error:
        raise WireError(f"the value cannot be sent: {error}") from None
    blob = _blob(packer.blobs)
    if len(text) + len(blob) > caps.frame:
        size = len(text) + len(blob)
        raise WireError(f"the value takes {size:,} bytes; at most {caps.frame:,} are carried")
    return HEADER.pack(MAGIC, len(text), len(blob)) + text + blob


def digest(value: Any) -> str:
    """Return a digest of a value that two processes agree on if the value is the same."""
    return hashlib.sha256(pack(value, TRUSTED)).hexdigest()


def _blob(blobs: list[bytes]) -> bytes:
    if not blobs:
        return b""
    import numpy as np
    from safetensors.numpy import save

    # keys are padded so that safetensors, which sorts them, keeps the order of the leaves
    return save({f"{n:06d}": np.frombuffer(data, np.uint8) for n, data in enumerate(blobs)})


class _Packer:
    """Builds the JSON tree of a value and collects the bits of its tensors."""

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self.blobs: list[bytes] = []
        # in this order: a bool is an int, and a subclass counts as what it is derived from
        self.makers: list[tuple[Any, Callable[[Any, int], Any]]] = [
            ((bool, str, type(None)), lambda value, _: value),
            (int, lambda value, _: int(value)),
            (float, lambda value, _: float(value) if math.isfinite(value) else {"f": repr(float(value))}),
            (list, self._items),
            (tuple, lambda value, depth: {"t": self._items(value, depth)}),
            (dict, lambda value, depth: {"d": [self._items(pair, depth) for pair in value.items()]}),
            # a set has no order of its own; sorting makes the frame the same in every process
            ((set, frozenset), lambda value, depth: {"s": sorted(self._items(value, depth), key=json.dumps)}),
            ((bytes, bytearray), lambda value, _: {"b": base64.b64encode(value).decode("ascii")}),
            (complex, lambda value, depth: {"c": self._items((value.real, value.imag), depth)}),
            (Measured, lambda value, depth: {"m": self._items((value.value, value.exact, value.noise), depth)}),
        ]

    def tree(self, value: Any, depth: int = 0) -> Any:
        if depth > self.caps.depth:
            raise WireError(f"the value is nested deeper than {self.caps.depth} levels")
        for kind, make in self.makers:
            if isinstance(value, kind):
                return make(value, depth)
        return self._leaf(value, depth)

    def _items(self, values: Iterable[Any], depth: int) -> list[Any]:
        return [self.tree(item, depth + 1) for item in values]

    def _leaf(self, value: Any, depth: int) -> Any:
        array = from_native(value)
        if array is None:
            name = type(value).__name__
            raise WireError(f"a {name} cannot be sent; return a list, dict, number, text or tensor")
        if not isinstance(array, Array):  # a numpy scalar that became a number
            return self.tree(array, depth)
        if array.library == "meta":
            return {"a": ["meta", array.dtype, list(array.shape), -1]}
        self.blobs.append(array.data)
        return {"a": [array.library, array.dtype, list(array.shape), len(self.blobs) - 1]}


# --- frames to values -------------------------------------------------------------------------


def unpack(frame: bytes, caps: Caps = CAPS, tensor: Callable[[Array], Any] | None = None) -> Any:
    """Return the value of a frame.

    Args:
        frame: header and both parts, nothing after them.
        caps: limits; they are checked before anything is built.
        tensor: what to make of each `Array`; without it arrays stay as they are, so that a process
            without torch can read them.

    Raises:
        WireError: the frame is not well formed or is larger than the caps.
    """
    text_size, blob_size = sizes(frame[: HEADER.size], caps)
    if len(frame) != HEADER.size + text_size + blob_size:
        raise WireError(f"the frame announces {text_size + blob_size} bytes and has {len(frame) - HEADER.size}")
    text = frame[HEADER.size : HEADER.size + text_size]
    try:
        tree = json.loads(text.decode("ascii"), parse_constant=_refuse)
        blobs = _unblob(frame[HEADER.size + text_size :], caps)
        return _Builder(blobs, caps, tensor).build(tree, 0)
    except WireError:
        raise
    except (ValueError, RecursionError, TypeError, KeyError, IndexError) as error:
        raise WireError(f"not a well-formed message: {type(error).__name__}") from None


def sizes(header: bytes, caps: Caps = CAPS) -> tuple[int, int]:
    """Return the lengths of the JSON part and of the tensor part that a header announces.

    Raises:
        WireError: it is no header, or announces more than the caps allow.
    """
    if len(header) != HEADER.size or header[:4] != MAGIC:
        raise WireError("not a message of the grader")
    _, text_size, blob_size = HEADER.unpack(header)
    if text_size + blob_size > caps.frame:
        raise WireError(f"a message of {text_size + blob_size:,} bytes; at most {caps.frame:,} are taken")
    return text_size, blob_size


def _refuse(constant: str) -> None:
    raise WireError(f"{constant} is no JSON")


def _unblob(blob: bytes, caps: Caps) -> list[bytes]:
    if not blob:
        return []
    from safetensors import SafetensorError, deserialize

    try:
        entries = deserialize(blob)  # type: ignore[no-untyped-call]  # safetensors has no annotations here
    except SafetensorError as error:
        raise WireError(f"the tensor part is not well formed: {error}") from None
    if len(entries) > caps.tensors:
        raise WireError(f"{len(entries)} tensors; at most {caps.tensors} are taken")
    found = {name: bytes(entry["data"]) for name, entry in entries}
    return [found[f"{n:06d}"] for n in range(len(found))]


class _Builder:
    """Builds the value of a JSON tree and counts its nodes on the way."""

    def __init__(self, blobs: list[bytes], caps: Caps, tensor: Callable[[Array], Any] | None) -> None:
        self.blobs = blobs
        self.caps = caps
        self.tensor = tensor
        self.nodes = 0
        self.makers: Mapping[str, Callable[[Any, int], Any]] = {
            "t": lambda body, depth: tuple(self._items(body, depth)),
            "s": lambda body, depth: set(self._items(body, depth)),
            "d": self._dict,
            "f": lambda body, _: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[body],
            "b": lambda body, _: base64.b64decode(self._text(body), validate=True),
            "c": lambda body, depth: complex(*self._items(body, depth)),
            "a": lambda body, _: self._leaf(body),
            "m": self._measured,
        }

    def build(self, node: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > self.caps.depth or self.nodes > self.caps.nodes:
            raise WireError(f"more than {self.caps.depth} levels or {self.caps.nodes:,} values")
        if isinstance(node, str):
            return self._text(node)
        if isinstance(node, list):
            return self._items(node, depth)
        if isinstance(node, dict):
            if len(node) != 1:
                raise WireError("an unknown kind of value")
            ((tag, body),) = node.items()
            return self.makers[tag](body, depth)
        return node

    def _text(self, node: str) -> str:
        if len(node) > self.caps.text:
            raise WireError(f"a text of {len(node):,} characters; at most {self.caps.text:,} are taken")
        return node

    def _items(self, body: Any, depth: int) -> list[Any]:
        if not isinstance(body, list):
            raise WireError("an unknown kind of value")
        return [self.build(item, depth + 1) for item in body]

    def _dict(self, body: Any, depth: int) -> dict[Any, Any]:
        pairs = self._items(body, depth - 1)  # the pairs are no level of their own
        return dict(pairs)

    def _leaf(self, body: Any) -> Any:
        library, dtype, shape, number = body
        if library not in ("torch", "numpy", "meta") or any(type(n) is not int or n < 0 for n in shape):
            raise WireError("a tensor with an unknown library or shape")
        data = b"" if library == "meta" else self.blobs[number]
        if library != "meta" and (number < 0 or len(data) != math.prod(shape) * WIDTHS[dtype]):
            raise WireError(f"a tensor of shape {shape} and {dtype} with {len(data)} bytes")
        array = Array(dtype, tuple(shape), data, library)
        return self.tensor(array) if self.tensor else array

    def _measured(self, body: Any, depth: int) -> Measured:
        value, exact, noise = self._items(body, depth)
        return Measured(value, exact, noise)
