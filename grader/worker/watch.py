"""Prepares a case and watches it: seeded random generators, and the names of the torch functions that run."""

import contextlib
import functools
import random
import sys
from typing import Any


def seed() -> None:
    """Set the global random generators: the same program has the same start values in every run."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.default_generator.manual_seed(0)  # torch.manual_seed asks every kind of device, which takes long
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(0)


class Watch:
    """Notes the names of the torch functions that run inside it. Costs nothing without torch."""

    def __init__(self) -> None:
        self.seen: set[Any] = set()
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> None:
        if "torch" in sys.modules:
            self.stack.enter_context(_mode()(self.seen))

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    @property
    def names(self) -> set[str]:
        """What was called."""
        return {_qualified(function) for function in self.seen}


@functools.cache
def _mode() -> Any:
    """Return the class of the mode; made once, since making a class takes longer than a call."""
    from torch.overrides import TorchFunctionMode

    class Functions(TorchFunctionMode):
        # no TorchDispatchMode beside it: that one imports torch._dynamo, over a second in each fork
        def __init__(self, seen: set[Any]) -> None:
            super().__init__()
            self.seen = seen

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.seen.add(func)  # naming it takes longer than many a call
            return func(*args, **(kwargs or {}))

    return Functions


@functools.cache
def _qualified(function: Any) -> str:
    """Return a name such as "torch.nn.functional.layer_norm", "Tensor.mean" or "aten.mm.default".

    torch.overrides.resolve_name knows more names, but takes half a second when it is first asked.
    """
    name = getattr(function, "__qualname__", "") or str(function)
    module = getattr(function, "__module__", None)
    return f"{module}.{name}" if module and "." not in name else name
