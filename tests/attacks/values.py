"""Attacks by values: answers that are not what they look like, and those that a careless comparison accepts."""

from tests.attacks.attack import ENDS_IN_VIOLATION, Attack, Ends

COMPARED = "the grader compares plain data, in its own process"
FRAME = "the grader checks every message"
SAME = "the comparison is the grader's at every tier"


def wrong(
    number: int, name: str, source: str, shown: str, naive: str = "", torch: bool = False, kind: str = "value"
) -> Attack:
    """Return an attack whose answer is wrong. `shown` is part of what the student is told."""
    told = Ends((kind,), shown)
    return Attack(number, name, source, COMPARED, told, uncontrolled=SAME, naive=naive, torch=torch)


def tensor(number: int, name: str, expression: str, shown: str, naive: str = "", kind: str = "value") -> Attack:
    """Return an attack whose answer is a tensor."""
    return wrong(number, name, f"import torch\n\n\ndef double(x):\n    return {expression}\n", shown, naive, True, kind)


def header(number: int, name: str, blob: str) -> Attack:
    """Return an attack whose tensor part is not well formed."""
    source = f"""
def double(x):
    forge(answer(kind="value", value={{"a": ["numpy", "uint8", [4], 0]}}), {blob})
"""
    return Attack(number, name, source, FRAME, ENDS_IN_VIOLATION, uncontrolled=SAME, quick=True)


ATTACKS = [
    wrong(
        88,
        "a subclass of Tensor that lies about itself",
        """
import torch


class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True

    @property
    def shape(self):
        return torch.Size([4, 8])

    def __eq__(self, other):
        return torch.ones(4, 8, dtype=torch.bool)

    __hash__ = None


def double(x):
    return torch.zeros(x.shape).as_subclass(Liar)
""",
        "values differ",
        torch=True,
    ),
    wrong(
        89,
        "a number that equals everything",
        """
class Equal(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__
    __ne__ = lambda self, other: False
    __sub__ = __rsub__ = lambda self, other: 0.0


def double(x):
    return Equal(0.0)
""",
        "0.0",
        naive="type('Equal', (float,), {'__eq__': lambda *_: True})(0.0) == 4.0",
    ),
    wrong(
        311,
        "an object that pretends to be a list, a number and an array",
        """
class Everything:
    __class__ = list

    def __float__(self):
        return 4.0

    def __array__(self, *_, **__):
        return 4.0

    def __eq__(self, other):
        return True

    __hash__ = None


def double(x):
    return Everything()
""",
        "cannot be sent",
        kind="unsendable",
    ),
    tensor(
        91,
        "NaN and infinity for every number",
        "torch.full_like(x, float('nan'))",
        "NaN among them",
        naive="not (torch.full((2,), torch.nan) - torch.ones(2)).abs().max() > 1e-6",
    ),
    Attack(
        92,
        "minus zero for zero",
        "def double(x):\n    return 2 * x - 0.0 if x else -0.0\n",
        stops="nothing: they are equal",
        sees=4.0,
        text="its right answer",
        uncontrolled=SAME,
        honest=True,
    ),
    tensor(
        93,
        "one number that is broadcast to all",
        "torch.zeros(())",
        "shape ()",
        naive="torch.allclose(torch.zeros(4, 8), torch.zeros(()))",
    ),
    tensor(
        94,
        "an empty tensor",
        "torch.zeros(0, 8)",
        "shape (0, 8)",
        naive="torch.allclose(torch.zeros(0, 8), torch.zeros(1, 8))",
    ),
    header(96, "tensors that overlap in their file", 'bytes_of({"000000": [0, 4], "000001": [2, 6]}, 6)'),
    Attack(
        97,
        "True for one",
        "def double(x):\n    return True if x == 0.5 else [True, 1, 1.0][0]\n",
        stops=COMPARED,
        sees=True,
        text="a bool, where a float is expected",
        uncontrolled=SAME,
        naive="True == 1.0",
    ),
    tensor(98, "a sparse tensor", "(2 * x).to_sparse()", "cannot be sent", kind="unsendable"),
    tensor(312, "a tensor without data", "(2 * x).to('meta')", "a tensor on the meta device"),
    tensor(
        313,
        "a quantised tensor",
        "torch.quantize_per_tensor(2 * x, 1.0, 0, torch.qint32)",
        "cannot be sent",
        kind="unsendable",
    ),
    wrong(
        99,
        "the right answer in the place of the inputs",
        """
def double(x):
    return x.mul_(2)
""",
        "the inputs were changed",
        torch=True,
    ),
    tensor(
        314,
        "one number that claims to be a tebibyte",
        "torch.zeros(1).expand(2**38)",
        "cannot be sent",
        kind="unsendable",
    ),
    wrong(
        315,
        "a numpy array that claims to be a tebibyte, and one of objects",
        """
import numpy


def double(x):
    objects = numpy.array([object()])
    return [numpy.broadcast_to(1.0, (1 << 37,)), objects]
""",
        "cannot be sent",
        kind="unsendable",
    ),
    tensor(316, "a nested tensor", "torch.nested.nested_tensor([x])", "cannot be sent", kind="unsendable"),
    tensor(317, "other dtypes with equal values", "(2 * x).double()", "dtype float64"),
    tensor(
        318,
        "a numpy array in the place of a tensor",
        "(2 * x).numpy()",
        "a numpy array",
        naive="(torch.ones(3) == torch.ones(3).numpy()).all()",
    ),
    wrong(
        319,
        "a text that lies about its length",
        """
class Short(str):
    def __len__(self):
        return 0


def double(x):
    return [Short("x" * (3 << 20))] * 30
""",
        "at most 67,108,864 are carried",
        kind="unsendable",
    ),
    wrong(
        320,
        "a dict whose items never end",
        """
class Endless(dict):
    def items(self):
        while True:
            yield 1, 1


def double(x):
    return Endless()
""",
        "more than 1,048,576 parts",
        kind="unsendable",
    ),
    wrong(
        321,
        "a text with half a character, and marks that turn the line around",
        "def double(x):\n    return '\\ud800\\u202e\\x1b[2J' + chr(0)\n",
        "it is a str",
    ),
    wrong(322, "a number of 5000 digits", "def double(x):\n    return 10**5000\n", "cannot be sent", kind="unsendable"),
    wrong(323, "a number beyond all floats", "def double(x):\n    return 10**400\n", "a number of"),
    header(324, "a tensor beyond the end of its file", 'bytes_of({"000000": [0, 400]}, 4)'),
    header(325, "a header longer than its file", "struct.pack('<Q', 2**63) + bytes(8)"),
    header(326, "a tensor whose size overflows", 'bytes_of({"000000": [0, 4]}, 4, [2**62, 4])'),
    header(327, "a dtype that does not exist", 'bytes_of({"000000": [0, 4]}, 4, [4], "F7")'),
    header(328, "fewer bytes than its shape says", 'bytes_of({"000000": [0, 3]}, 3, [3])'),
    Attack(
        329,
        "a shape of sixty-four dimensions",
        """
def double(x):
    blob = bytes_of({"000000": [0, 4]}, 4)
    forge(answer(kind="value", value={"a": ["numpy", "float32", [1] * 64, 0]}), blob)
""",
        stops=COMPARED,
        sees=Ends(("value", "violation")),
        text="an array, where a float is expected",
        uncontrolled=SAME,
        quick=True,
    ),
]
