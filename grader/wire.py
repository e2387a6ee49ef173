"""How values cross the fence: a frame of JSON and safetensors, with caps on everything.

A frame is b"LLMG", the length of the JSON part (4 bytes), the length of the tensor part (8 bytes),
both big-endian, and the two parts. JSON carries the tree (tree.py); every tensor is a leaf that names
its dtype, its shape and its number in the tensor part, where its bits lie as bytes.

No pickle, no eval: what comes from a student's process is data or a `WireError`.
"""

import hashlib
import json
import math
import struct
from typing import Any

from grader.errors import WireError
from grader.tree import Builder, Caps, Packer

MAGIC = b"LLMG"
HEADER = struct.Struct(">4sIQ")
HEADER_OF_TENSOR = 128  # bytes that the name, the shape and the place of a tensor take at most
CAPS = Caps()
# for files of our own
TRUSTED = Caps(frame=1 << 32, tree=1 << 31, text=1 << 28, nodes=1 << 28, tensors=1 << 20)


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
    packer = Packer(caps)
    data = _text(packer, value)
    blob = _blob(packer.blobs)
    if len(data) + len(blob) > caps.frame or len(data) > caps.tree:
        size = len(data) + len(blob)
        raise WireError(f"the value takes {size:,} bytes; at most {caps.frame:,} are carried")
    return HEADER.pack(MAGIC, len(data), len(blob)) + data + blob


def _text(packer: Packer, value: Any) -> bytes:
    """Return the tree of a value as JSON."""
    try:
        tree = packer.tree(value)
        # no escapes: with them, the two halves of a surrogate pair would come back as one character
        text = json.dumps(tree, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError, OverflowError) as error:
        raise WireError(f"the value cannot be sent: {error}") from None


def digest(value: Any) -> str:
    """Return a digest of a value that two processes agree on if the value is the same."""
    packer = Packer(TRUSTED)
    total = hashlib.sha256(_text(packer, value))
    for blob in packer.blobs:
        total.update(len(blob).to_bytes(8, "big"))
        total.update(blob)
    return total.hexdigest()


def _blob(blobs: list[bytes]) -> bytes:
    if not blobs:
        return b""
    import numpy as np
    from safetensors.numpy import save

    # keys are padded so that safetensors, which sorts them, keeps the order of the leaves
    return save({f"{n:06d}": np.frombuffer(data, np.uint8) for n, data in enumerate(blobs)})


# --- frames to values -------------------------------------------------------------------------


def unpack(frame: bytes, caps: Caps = CAPS) -> Any:
    """Return the value of a frame; its tensors are `Array`, so that a process without torch can read them.

    Args:
        frame: header and both parts, nothing after them.
        caps: limits; sizes are checked before anything is read.

    Raises:
        WireError: the frame is not well formed or is larger than the caps.
    """
    text_size, blob_size = sizes(frame[: HEADER.size], caps)
    if len(frame) != HEADER.size + text_size + blob_size:
        raise WireError(f"the frame announces {text_size + blob_size} bytes and has {len(frame) - HEADER.size}")
    data = frame[HEADER.size : HEADER.size + text_size]
    try:
        text = data.decode("utf-8", "surrogatepass")
        tree = json.loads(text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once)
        return Builder(_unblob(frame[HEADER.size + text_size :], caps), caps).build(tree)
    except (ValueError, RecursionError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise WireError(f"not a well-formed message: {type(error).__name__}") from None


def sizes(header: bytes, caps: Caps = CAPS) -> tuple[int, int]:
    """Return the lengths of the JSON part and of the tensor part that a header announces.

    Raises:
        WireError: it is no header, or announces more than the caps allow.
    """
    if len(header) != HEADER.size or header[:4] != MAGIC:
        raise WireError("not a message of the grader")
    _, text_size, blob_size = HEADER.unpack(header)
    if text_size > caps.tree or text_size + blob_size > caps.frame:
        raise WireError(f"a message of {text_size + blob_size:,} bytes; at most {caps.frame:,} are taken")
    return text_size, blob_size


def _refuse(constant: str) -> None:
    raise WireError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise WireError("a number too large for a float")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) != 1:
        raise WireError("an object that has not just one key")
    return dict(pairs)


def _unblob(blob: bytes, caps: Caps) -> list[bytes]:
    if not blob:
        return []
    from safetensors import SafetensorError, deserialize

    # the header is read whole, into much more memory than it takes itself
    if int.from_bytes(blob[:8], "little") > HEADER_OF_TENSOR * caps.tensors:
        raise WireError(f"the header of more than {caps.tensors} tensors")
    try:
        entries = deserialize(blob)  # type: ignore[no-untyped-call]  # safetensors has no annotations here
    except SafetensorError as error:
        raise WireError(f"the tensor part is not well formed: {error}") from None
    if len(entries) > caps.tensors:
        raise WireError(f"{len(entries)} tensors; at most {caps.tensors} are taken")
    found = {name: bytes(entry["data"]) for name, entry in entries}
    return [found[f"{n:06d}"] for n in range(len(found))]
