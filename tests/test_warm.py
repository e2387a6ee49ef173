"""Warming makes meta tensors cheap and leaves torch as it was."""

import subprocess
import sys

from tests.conftest import ROOT

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
