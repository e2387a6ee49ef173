"""Programs that cheat at the exercise itself, where there is nothing to break into."""

from tests.attacks.attack import Attack, Either, Ends

NO_MODULE = "ModuleNotFoundError"
SAME = "no fence is concerned: it is graded alike at every tier"

ATTACKS = [
    Attack(
        101,
        "a table of the answers that are public",
        "TABLE = {2.0: 4.0}\n\n\ndef double(x):\n    return TABLE.get(x, 0.0)\n",
        stops="other cases are drawn; all must be right",
        sees=4.0,
        text="questions that are not in its table",
        uncontrolled=SAME,
    ),
    Attack(
        102,
        "find out whether a question is public or hidden",
        """
def double(x):
    frame = sys._getframe()
    while "message" not in frame.f_locals or "source" in frame.f_locals["message"]:
        frame = frame.f_back
    return sorted(frame.f_locals["message"])
""",
        stops="a question has a check's name and inputs, nothing more",
        sees=["cases", "check"],
        uncontrolled=SAME,
    ),
    Attack(
        103,
        "call what the exercise refuses, under other names",
        """
import torch

hidden = getattr(torch.nn.functional, "layer" + "_norm")


def double(x):
    hidden(x, x.shape[-1:])
    return 2 * x
""",
        stops="the names of the functions that run are noted: a flag for people, no proof",
        sees=Ends(("value",), "does the exercise for you"),
        text="its check is refused",
        uncontrolled=SAME,
        torch=True,
    ),
    Attack(
        104,
        "stop the clocks and take longer than allowed",
        """
def double(x):
    wait = time.sleep
    time.monotonic = time.time = time.perf_counter = lambda: 0.0
    wait(5)
    return 2 * x
""",
        stops="the clock is the grader's",
        sees=Ends(("timeout",), "no answer within"),
        uncontrolled=SAME,
        quick=True,
    ),
    Attack(
        330,
        "say on the meta device that it must see values, to pass the check of portability",
        """
def double(x):
    if x.device.type == "meta":
        raise RuntimeError("cannot be called on meta tensors")
    return x
""",
        stops="then its values must be right at least",
        sees=Ends(("value",), "values differ"),
        text="its wrong values are compared",
        uncontrolled=SAME,
        portable=True,
        torch=True,
    ),
    Attack(
        331,
        "call what the exercise refuses in a thread",
        """
import torch

hidden = getattr(torch.nn.functional, "layer" + "_norm")


def double(x):
    thread = threading.Thread(target=hidden, args=(x, x.shape[-1:]))
    thread.start()
    thread.join()
    return 2 * x
""",
        stops="nothing: a refusal is a flag for people, no proof",
        sees=Ends(("value",)),
        text="its right answer",
        uncontrolled=SAME,
        honest=True,
        torch=True,
    ),
    Attack(
        332,
        "call what the exercise refuses with the watch switched off",
        """
import torch


def double(x):
    with torch._C.DisableTorchFunction():
        getattr(torch.nn.functional, "layer" + "_norm")(x, x.shape[-1:])
    return 2 * x
""",
        stops="nothing: a refusal is a flag for people, no proof",
        sees=Ends(("value",)),
        text="its right answer",
        uncontrolled=SAME,
        honest=True,
        torch=True,
    ),
    Attack(
        333,
        "import the course",
        """
import importlib


def double(x):
    names = ("reference.double", "solutions.double", "exercises", "checks", "tests", "grader.grade", "grader.oracle")
    return {name: tried(importlib.import_module, name) for name in names}
""",
        stops="only the standard library and installed packages can be imported",
        sees=dict.fromkeys(("reference.double", "solutions.double", "exercises", "checks", "tests"), NO_MODULE)
        | dict.fromkeys(("grader.grade", "grader.oracle"), Either(NO_MODULE, "EACCES")),
        text="ModuleNotFoundError; EACCES",
        uncontrolled=SAME,
    ),
]
