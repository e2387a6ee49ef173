"""Counts what a function does, so that cost is a number and not a time.

Probes call this in the worker. A count is a value like any other: the parent judges how it grows.
"""

import functools
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


def tensors(function: Callable[..., Any], *args: Any) -> dict[str, int]:
    """Return what a call costs in tensors; the numbers do not depend on the machine.

    Returns:
        "flops": two for each multiplication and addition of a matrix product, forward and backward,
            and one for each number that any other operation writes; a view writes none;
        "peak": bytes of the tensors that the call made and that were alive at one time, at most;
        "largest": bytes of the largest of them.

    Memory that an operation uses inside itself is not seen.
    """
    account = _Account()
    with _mode()(account):
        function(*args)
    return {"flops": account.flops, "peak": account.peak, "largest": account.largest}


@functools.cache  # torch prepares each such class when it is first used, which takes over a second (worker/warm.py)
def _mode() -> Any:
    """Return the class of torch's modes that enter each operation into an account."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types here
        def __init__(self, account: "_Account") -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self.account = account

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            self.account.enter(func, args, kwargs or {}, result)
            return result

    return Count


class _Account:
    """Adds up the work of torch's operations and the memory of their results."""

    def __init__(self) -> None:
        self.flops = self.peak = self.largest = 0
        self.alive: dict[int, tuple[Any, int]] = {}

    def enter(self, func: Any, args: Any, kwargs: dict[str, Any], result: Any) -> None:
        from torch import Tensor
        from torch.multiprocessing.reductions import StorageWeakRef
        from torch.utils._pytree import tree_leaves
        from torch.utils.flop_counter import flop_registry

        given = {leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        product = flop_registry.get(func._overloadpacket)
        if product:
            self.flops += int(product(*args, **kwargs, out_val=result))
        for tensor in made:
            storage = tensor.untyped_storage()
            new = storage._cdata not in given
            if not product and (new or func._schema.is_mutable):
                self.flops += tensor.numel()
            if new and storage._cdata not in self.alive:
                # the reference is weak: it tells when the memory is free, and its address is not used again
                self.alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())  # type: ignore[no-untyped-call]
                self.largest = max(self.largest, storage.nbytes())
        self.alive = {key: entry for key, entry in self.alive.items() if not entry[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self.alive.values()))


_CONSTANT = {"append", "pop", "__getitem__", "__setitem__", "__len__", "startswith", "endswith", "extend"}
