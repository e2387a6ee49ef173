"""Counts what a pure Python function does, so that cost is a number and not a time.

Probes call this in the worker. A count is a value like any other: the parent judges how it grows.
"""

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def operations(function: Callable[..., Any], *args: Any) -> int:
    """Return how many steps a call takes.

    A step is a line of Python executed, in the student's file or in a library, or one character
    (or item) of the text, bytes or list whose built-in method is called: `text.replace(...)` on a
    text of 1000 characters counts 1000. Loops that run inside other built-ins are not seen.
    """
    count = 0

    def trace(_frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    def profile(_frame: FrameType, event: str, arg: Any) -> None:
        nonlocal count
        if event == "c_call":
            owner = getattr(arg, "__self__", None)
            # append, pop and the like touch one item; what reads its whole owner counts its length
            if isinstance(owner, (str, bytes, list)) and arg.__name__ not in _CONSTANT:
                count += len(owner)

    old_trace, old_profile, collecting = sys.gettrace(), sys.getprofile(), gc.isenabled()
    gc.disable()  # what a collection runs is not the function's
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        function(*args)
    finally:
        sys.settrace(old_trace)
        sys.setprofile(old_profile)
        if collecting:
            gc.enable()
    return count


_CONSTANT = {"append", "pop", "__getitem__", "__setitem__", "__len__", "startswith", "endswith", "extend"}
