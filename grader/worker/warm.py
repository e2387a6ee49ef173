"""Runs once, in the worker, what would otherwise be slow in every fork."""

import ctypes
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.cost import tensors

RUN = 32  # blocks of memory one after the other: then malloc has no holes of this size left
LARGEST = 2048  # bytes
TRIES = 4096
LARGE = 2 << 20  # bytes of a large page
MADV_COLLAPSE = 25  # linux/mman.h, since Linux 6.1; an older kernel refuses, and nothing is lost


def fill() -> None:
    """Take the holes that imports have left in the memory that malloc gives out.

    A fork would put its first objects there, each on another page, and copy a page for each of them; now it
    gets fresh ones, one after the other. What is taken is a few megabytes that nobody else would use.
    """
    if sys.platform != "linux":
        return
    malloc = ctypes.CDLL(None).malloc
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_size_t
    for size in range(LARGEST, 16, -16):
        run, last = 0, 0
        for _ in range(TRIES):
            block = malloc(size - 8)
            run, last = (run + 1 if 0 < block - last < size + 32 else 0), block
            if run == RUN:
                break


def gather() -> None:
    """Put what is loaded onto large pages: a fork copies the list of pages, and the end of it takes it apart."""
    if sys.platform != "linux":
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in Path("/proc/self/maps").read_text("ascii", "replace").splitlines():
        span, rights, _, _, file, *name = line.split()
        if rights == "rw-p" and file == "0" and name in ([], ["[heap]"]):
            first, end = (int(place, 16) for place in span.split("-"))
            first, end = -(-first // LARGE) * LARGE, end // LARGE * LARGE
            if first < end:
                madvise(first, end - first, MADV_COLLAPSE)


def warm() -> None:
    """Make the first use of torch's meta device, and of its dispatch modes, cheap.

    torch marks the Python code behind them "never compile this", and the first call of
    each marked function imports the compiler to honour the mark: more than a second, for nothing,
    since nothing is compiled here. While the common operations run once, an empty stand-in takes the
    compiler's place; then it is removed. An operation that is not listed still works, only later.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or "torch._dynamo" in sys.modules:
        return
    stand_in: Any = ModuleType("torch._dynamo")
    stand_in.disable = lambda function, *_, **__: function
    sys.modules["torch._dynamo"] = stand_in
    torch._dynamo = stand_in
    try:
        _operations(torch)
        tensors(torch.ones(2, 3).mm, torch.ones(3, 2))
    finally:
        del sys.modules["torch._dynamo"]
        del torch._dynamo


def _operations(torch: Any) -> None:
    """Run the operations that exercises are made of on the meta device."""
    x, mask = torch.ones(2, 3, device="meta"), torch.ones(2, 3, device="meta", dtype=torch.bool)
    index = torch.zeros(2, 3, device="meta", dtype=torch.int64)
    y = (x + 1 - x) * x / 2 // 1 % 3
    y = 1 - (2 / (1 + -y)) ** 2
    for name in (
        "abs",
        "exp",
        "log",
        "log2",
        "sqrt",
        "rsqrt",
        "square",
        "reciprocal",
        "tanh",
        "sigmoid",
        "sin",
        "cos",
        "log1p",
        "expm1",
    ):
        getattr(y, name)()
    for name in (
        "sum",
        "mean",
        "amax",
        "amin",
        "var",
        "std",
        "argmax",
        "logsumexp",
        "softmax",
        "log_softmax",
        "cumsum",
    ):
        getattr(y, name)(-1)
    y.relu().float().half().double().t()
    torch.var_mean(x, -1)
    torch.linalg.vector_norm(x, dim=-1)
    torch.einsum("ij,kj->ik", x, x)
    torch.cat([x, x])
    torch.stack([x, x])
    torch.where(mask, x, 0.0)
    torch.arange(3, device="meta")
    torch.zeros(2, device="meta")
    torch.maximum(x, x)
    torch.logaddexp(x, x)
    torch.isinf(x)
    mask.any(-1).all()
    torch.nn.init.normal_(torch.empty(3, device="meta"))
    torch.nn.functional.softplus(x)
    torch.nn.functional.logsigmoid(x)
    x.masked_fill(~mask, 0.0)
    x.triu().tril().flip(0).roll(1, 0).repeat(2, 1).unsqueeze(0).expand(2, -1, -1).transpose(1, 2).contiguous()
    x.gather(1, index)
    x.clamp(min=0.0)
    torch.nn.functional.gelu(x)
    torch.nn.functional.silu(x)
    torch.nn.functional.embedding(index, x)
    x @ x.t()
    x[None] @ x.t()
    x.half() @ x.half().t()
    x.clone().copy_(x).lerp_(x, 0.5).mul_(2).add_(x).sub_(x).div_(2).fill_(0)
    (x > 0) | (x < 1) & (x == 1) | (x != 1) & (x >= 0) | (x <= 1)
    torch.nn.Linear(3, 3).to("meta")(x)
    leaf = torch.ones(2, 3, device="meta", requires_grad=True)
    (leaf / (leaf.square().mean(-1, keepdim=True) + 1).sqrt() * leaf).sum().backward()
