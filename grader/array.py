"""Turns tensors and numpy arrays into `Array` and back. Libraries are used only if they are loaded."""

import sys
from typing import Any

from grader.case import Array
from grader.errors import WireError

# bytes per element, by torch's name of the dtype
WIDTHS = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "uint16": 2,
    "int32": 4,
    "uint32": 4,
    "int64": 8,
    "uint64": 8,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}


def from_native(value: Any, limit: int) -> Any:
    """Return the `Array` of a tensor or numpy array, the number of a numpy scalar, else None.

    Args:
        value: anything.
        limit: bytes that an array may have; checked before it is copied.

    Raises:
        WireError: the array is larger, or of a kind that is not carried (sparse, objects).
    """
    if isinstance(value, Array):
        return value
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None and isinstance(value, torch.Tensor):
        try:
            return _tensor(torch, value, limit)
        except RuntimeError as error:  # torch's word for tensors that have no plain data
            raise WireError(f"this tensor cannot be sent: {str(error).splitlines()[0]}") from None
    if numpy is not None and isinstance(value, numpy.ndarray):
        name = value.dtype.name
        if name not in WIDTHS:
            raise WireError(f"a numpy array of {name} cannot be sent; return numbers or booleans")
        _fits(value.size, name, limit)
        data = numpy.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
        return Array(name, tuple(value.shape), data, "numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        item = value.item()
        return None if isinstance(item, numpy.generic) else item
    return None


def _fits(count: int, dtype: str, limit: int) -> None:
    if count * WIDTHS[dtype] > limit:
        raise WireError(f"an array of {count:,} numbers cannot be sent; at most {limit >> 20} MiB can")


def _tensor(torch: Any, value: Any, limit: int) -> Array:
    with torch._C.DisableTorchFunctionSubclass():  # a subclass may lie about itself; its bits do not
        plain = value.detach()
        name = str(plain.dtype).removeprefix("torch.")
        if plain.layout is not torch.strided or name not in WIDTHS:
            raise WireError(f"a tensor of {name}, {plain.layout} cannot be sent; return a dense tensor")
        shape = tuple(plain.shape)
        if plain.device.type == "meta":
            return Array(name, shape, b"", "meta")
        _fits(plain.numel(), name, limit)
        whole = plain.cpu().resolve_conj().resolve_neg()
        if name.startswith(("bfloat", "float8")):  # numpy has no such numbers; their bits are integers of that width
            whole = whole.view(torch.int16 if WIDTHS[name] == 2 else torch.uint8)
        return Array(name, shape, whole.numpy().tobytes())


def native(array: Array) -> Any:
    """Return the torch tensor or numpy array that an `Array` stands for (imports the library)."""
    if array.library == "numpy":
        import numpy as np

        return np.frombuffer(bytearray(array.data), _numpy_dtype(array.dtype)).reshape(array.shape)
    import torch

    dtype = getattr(torch, array.dtype)
    if array.library == "meta":
        return torch.empty(array.shape, dtype=dtype, device="meta")
    if not array.data:
        return torch.empty(array.shape, dtype=dtype)
    # a copy: torch must own memory that it may write
    return torch.frombuffer(bytearray(array.data), dtype=torch.uint8).view(dtype).reshape(array.shape)


def numbers(array: Array) -> Any:
    """Return an `Array` as a numpy array of its own dtype, without torch."""
    import numpy as np

    return np.frombuffer(array.data, _numpy_dtype(array.dtype)).reshape(array.shape)


def _numpy_dtype(name: str) -> Any:
    import numpy as np

    if name.startswith(("bfloat", "float8")):
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
    return np.dtype(name)
