"""A value as a tree of JSON nodes and the bits of its tensors, and back.

None, bool, int, finite floats, str and list are themselves. Anything else is an object with one key:
{"t": [...]} tuple, {"d": [[key, value], ...]} dict, {"s": [...]} set, {"z": [...]} frozenset, {"f": "nan"}
float, {"b": base64} bytes, {"c": [real, imag]} complex, {"a": [library, dtype, shape, number]} array, whose
bits are blob `number`, {"m": [value, exact, noise]} `Measured`.
"""

import base64
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.array import WIDTHS, from_native
from grader.case import Array, Measured
from grader.errors import WireError

COLLISIONS = 64  # items of a set or a dict with the same hash; of honest ones a few have
DIMENSIONS = 64  # of a tensor at most, as in numpy and torch


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of one message. Sizes in bytes; `text` in characters; the others are numbers of things."""

    frame: int = 64 << 20
    tree: int = 8 << 20
    text: int = 4 << 20
    depth: int = 64
    nodes: int = 1 << 20
    tensors: int = 4096


class Packer:
    """Builds the tree of a value and collects the bits of its tensors.

    Raises:
        WireError: the value holds what cannot be sent, or is larger than the caps.
    """

    def __init__(self, caps: Caps) -> None:
        self.blobs: list[bytes] = []
        self._caps = caps
        self._nodes = 0
        self._bytes = 0
        # in this order: a bool is an int, and a subclass counts as what it is derived from
        self._makers: list[tuple[Any, Callable[[Any, int], Any]]] = [
            (str, lambda value, _: self._text(value)),
            ((bool, type(None)), lambda value, _: value),
            (int, lambda value, _: int(value)),
            (float, lambda value, _: _float(float(value))),
            (list, self._items),
            (tuple, lambda value, depth: {"t": self._items(value, depth)}),
            (dict, lambda value, depth: {"d": [self._items(pair, depth) for pair in value.items()]}),
            (frozenset, lambda value, depth: {"z": self._sorted(value, depth)}),
            (set, lambda value, depth: {"s": self._sorted(value, depth)}),
            ((bytes, bytearray), lambda value, _: {"b": self._text(base64.b64encode(value).decode("ascii"))}),
            (complex, lambda value, _: {"c": [_float(value.real), _float(value.imag)]}),
            (Measured, lambda value, depth: {"m": self._items((value.value, value.exact, value.noise), depth)}),
        ]

    def tree(self, value: Any, depth: int = 0) -> Any:
        """Return the tree of a value."""
        self._nodes += 1
        if depth > self._caps.depth:
            raise WireError(f"the value is nested deeper than {self._caps.depth} levels")
        if self._nodes > self._caps.nodes:
            raise WireError(f"the value has more than {self._caps.nodes:,} parts")
        for kind, make in self._makers:
            if isinstance(value, kind):
                return make(value, depth)
        return self._leaf(value, depth)

    def _text(self, value: str) -> str:
        self._room(len(value))
        if len(value) > self._caps.text:
            raise WireError(f"a text of {len(value):,} characters cannot be sent; at most {self._caps.text:,} can")
        return value

    def _room(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._caps.frame:
            raise WireError(f"the value is larger than {self._caps.frame >> 20} MiB")

    def _items(self, values: Iterable[Any], depth: int) -> list[Any]:
        return [self.tree(item, depth + 1) for item in values]

    def _sorted(self, values: Iterable[Any], depth: int) -> list[Any]:
        # a set has no order of its own; sorting makes the frame the same in every process
        return sorted(self._items(values, depth), key=json.dumps)

    def _leaf(self, value: Any, depth: int) -> Any:
        array = from_native(value, self._caps.frame)
        if array is None:
            name = type(value).__name__
            raise WireError(f"{name} objects cannot be sent; return a list, dict, number, text or tensor")
        if not isinstance(array, Array):  # a numpy scalar that became a number
            return self.tree(array, depth)
        if array.library == "meta":
            return {"a": ["meta", array.dtype, list(array.shape), -1]}
        self._room(len(array.data))
        if len(self.blobs) == self._caps.tensors:
            raise WireError(f"the value has more than {self._caps.tensors:,} tensors")
        self.blobs.append(array.data)
        return {"a": [array.library, array.dtype, list(array.shape), len(self.blobs) - 1]}


def _float(value: float) -> Any:
    return value if math.isfinite(value) else {"f": repr(value)}


def _spread(items: list[Any]) -> list[Any]:
    """Return items that are to be hashed, unless many have the same hash: it would take the square of their number."""
    if max(Counter(map(hash, items)).values(), default=0) > COLLISIONS:
        raise WireError("too many items with the same hash")
    return items


class Builder:
    """Builds the value of a tree; nothing in the tree is trusted.

    Raises:
        WireError: the tree is not well formed or is larger than the caps.
    """

    def __init__(self, blobs: list[bytes], caps: Caps) -> None:
        self._blobs = blobs
        self._caps = caps
        self._nodes = 0
        self._makers: Mapping[str, Callable[[Any, int], Any]] = {
            "t": lambda body, depth: tuple(self._items(body, depth)),
            "s": lambda body, depth: set(self._different(body, depth)),
            "z": lambda body, depth: frozenset(self._different(body, depth)),
            "d": self._dict,
            "f": lambda body, _: float({"nan": "nan", "inf": "inf", "-inf": "-inf"}[body]),
            "b": lambda body, _: base64.b64decode(self._text(body), validate=True),
            "c": self._complex,
            "a": lambda body, _: self._leaf(body),
            "m": self._measured,
        }

    def build(self, node: Any, depth: int = 0) -> Any:
        """Return the value of a node."""
        self._nodes += 1
        if depth > self._caps.depth or self._nodes > self._caps.nodes:
            raise WireError(f"more than {self._caps.depth} levels or {self._caps.nodes:,} values")
        if isinstance(node, str):
            return self._text(node)
        if isinstance(node, list):
            return self._items(node, depth)
        if isinstance(node, dict):
            ((tag, body),) = node.items()  # a ValueError, which unpack reports, unless there is one key
            return self._makers[tag](body, depth)
        return node

    def _text(self, node: str) -> str:
        if type(node) is not str or len(node) > self._caps.text:
            raise WireError(f"a text of more than {self._caps.text:,} characters")
        return node

    def _items(self, body: Any, depth: int, count: int | None = None) -> list[Any]:
        if not isinstance(body, list) or (count is not None and len(body) != count):
            raise WireError("a collection that is no list, or of the wrong length")
        return [self.build(item, depth + 1) for item in body]

    def _different(self, body: Any, depth: int) -> list[Any]:
        items = _spread(self._items(body, depth))
        if len(set(items)) != len(items):
            raise WireError("a set with an item twice")
        return items

    def _dict(self, body: Any, depth: int) -> dict[Any, Any]:
        if not isinstance(body, list):
            raise WireError("a dict that is no list of pairs")
        pairs = [self._items(pair, depth, 2) for pair in body]
        _spread([pair[0] for pair in pairs])
        found = dict(pairs)
        if len(found) != len(pairs):
            raise WireError("a dict with a key twice")
        return found

    def _complex(self, body: Any, depth: int) -> complex:
        real, imag = self._items(body, depth, 2)
        if type(real) is not float or type(imag) is not float:
            raise WireError("a complex number that is no pair of floats")
        return complex(real, imag)

    def _leaf(self, body: Any) -> Array:
        library, dtype, shape, number = body
        known = library in ("torch", "numpy", "meta") and dtype in WIDTHS and type(number) is int
        if not known or type(shape) is not list or len(shape) > DIMENSIONS:
            raise WireError("a tensor of an unknown kind")
        if any(type(size) is not int or size < 0 for size in shape) or math.prod(filter(None, shape)) > 1 << 56:
            raise WireError("a tensor of an impossible shape")
        if library == "meta":
            return Array(dtype, tuple(shape), b"", "meta")
        if not 0 <= number < len(self._blobs) or len(self._blobs[number]) != math.prod(shape) * WIDTHS[dtype]:
            raise WireError("a tensor whose shape and data do not fit")
        return Array(dtype, tuple(shape), self._blobs[number], library)

    def _measured(self, body: Any, depth: int) -> Measured:
        value, exact, noise = self._items(body, depth, 3)
        if not all(isinstance(part, Array) for part in (value, exact, noise)):
            raise WireError("a measured value that has no arrays")
        return Measured(value, exact, noise)
