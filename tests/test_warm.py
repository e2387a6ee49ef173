"""Warming makes meta tensors and forks cheap and leaves torch as it was."""

import os
import platform
import subprocess
import sys

import pytest

from grader.case import Case, Job
from grader.sandbox import Sandbox
from tests.conftest import ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is prepared on Linux only")

PROGRAM = """
import sys
import torch
from grader.worker.warm import warm

warm()
assert "torch._dynamo" not in sys.modules and "_dynamo" not in vars(torch), "the stand-in is gone"

x = torch.ones(2, 3, device="meta")
((x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1).sqrt()).softmax(-1)

from grader.cost import tensors

tensors(lambda: torch.ones(2, 3) @ torch.ones(3, 2))
assert "torch._dynamo" not in sys.modules, "the compiler was not imported"

weight = torch.nn.Parameter(torch.ones(2))
step = torch.optim.Adam([weight])
weight.sum().backward()
step.step()
assert torch.compile(lambda y: y + 1, backend="eager")(torch.zeros(2)).tolist() == [1.0, 1.0]
assert hasattr(sys.modules["torch._dynamo"], "optimize"), "the real compiler is there when it is asked for"
print("fine")
"""


def test_meta_tensors_are_cheap_after_warming_and_the_compiler_still_works():
    result = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "fine", result.stderr


def test_warming_without_torch_does_nothing():
    program = "import sys; from grader.worker.warm import warm; warm(); print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stdout.strip() == "False"


HOLES = """
import ctypes
import sys
import torch
from grader.worker.warm import fill

malloc = ctypes.CDLL(None).malloc
malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_size_t

def scattered():
    found = 0
    for size in range(24, 1024, 16):
        blocks = [malloc(size) for _ in range(20)]
        found += sum(not 0 < later - block < size + 32 for block, later in zip(blocks, blocks[1:]))
    return found

if sys.argv[1:] == ["fill"]:
    fill()
print(scattered())
"""


def scattered(*arguments):
    command = [sys.executable, "-c", HOLES, *arguments]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout)


@linux
def test_what_a_fork_allocates_lies_together_once_the_holes_are_filled():
    assert scattered("fill") < 20 < scattered()


LARGE_PAGES = """
import re
from pathlib import Path
from grader.worker.warm import gather

def large():
    return int(re.search(r"AnonHugePages: *([0-9]+)", Path("/proc/self/smaps_rollup").read_text())[1])

kept = bytearray(b"x") * (16 << 20)
rooms = [bytearray(1 << 16) for _ in range(200)]
before = large()
gather()
print(before, large(), sum(kept) == ord("x") * len(kept))
"""


@linux
@pytest.mark.skipif(
    tuple(map(int, (platform.release() + ".0").split(".")[:2])) < (6, 1) if platform.release()[0].isdigit() else True,
    reason="this kernel cannot gather pages (Linux 6.1 can)",
)
def test_what_is_loaded_lies_on_large_pages_and_is_the_same():
    if not os.path.isdir("/sys/kernel/mm/transparent_hugepage"):
        pytest.skip("this kernel has no large pages")
    result = subprocess.run([sys.executable, "-c", LARGE_PAGES], cwd=ROOT, capture_output=True, text=True, timeout=60)
    before, after, same = result.stdout.split()
    assert int(after) >= int(before) + (8 << 10), result.stderr
    assert same == "True"


def test_a_program_that_imports_nothing_is_not_said_to_import_what_the_grader_needs():
    probe = "def ones(module, x):\n    import torch\n    return torch.ones(3) + x"
    job = Job("empty", b"x = 1\n", probe)
    with Sandbox(("torch",)) as sandbox:
        for _ in range(3):  # the first fork is not warmed
            sandbox.open(job)
            answer = sandbox.answer("ones", Case({"x": 1.0}))
            assert answer.kind == "value"
            assert [name for name in answer.calls if name.startswith("import ") and name != "import empty"] == []
