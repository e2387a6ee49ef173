"""What crosses the fence: a case goes in, an answer comes out.

This module imports nothing but the standard library: it is loaded beside the student's code, and by
commands that must start at once.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

# What can become of one call of a probe. "value" is the only kind that carries a value; the parent
# decides what the others are worth (grade.py).
Kind = Literal[
    "value",  # the probe returned
    "not_started",  # it met NotImplementedError
    "missing",  # the student's file lacks the name that the probe asked for
    "raised",  # any other exception
    "unsendable",  # it returned something that the wire does not carry, a generator, say
    "memory",  # out of memory
    "timeout",  # no answer by the deadline; the process was killed
    "died",  # the process ended: os._exit, a segmentation fault
    "violation",  # what came back is not a well-formed answer
    "broken",  # the sandbox failed; not the student's fault
]


@dataclass(frozen=True, slots=True)
class Array:
    """The bits of a tensor, independent of the library that made it.

    `dtype` is torch's name ("float32", "bfloat16"); `data` is little-endian and row-major. `library`
    says what it was: a "torch" tensor, a "numpy" array, or a tensor on torch's "meta" device, which
    has a shape and a dtype but no data.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes
    library: Literal["torch", "numpy", "meta"] = "torch"


@dataclass(frozen=True, slots=True)
class Measured:
    """A float tensor of the reference, with what is needed to derive a tolerance.

    Attributes:
        value: as computed in the dtype under test; gives kind, dtype, shape.
        exact: float64, same shape: the result to compare with.
        noise: float64, same shape, >= 0: how far the result moves under rounding errors of the
            dtype under test (oracle.py says how it is found).
    """

    value: Array
    exact: Array
    noise: Array


@dataclass(frozen=True, slots=True)
class Case:
    """One set of inputs for one check: the keyword arguments of its probe."""

    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one case: of a student's program, or of an oracle.

    Attributes:
        kind: see `Kind`.
        value: what the probe returned, for kind "value".
        error: name of the exception's type, "" if there was none.
        message: one line that says what happened.
        traceback: the frames of the student's own file, "" if there are none.
        calls: qualified names of the torch functions that the probe ran into, sorted.
        touched: digest of the inputs after the call, "" if not taken; from an oracle, of the inputs as
            they must be.
        output: tail of what the program printed.
        witness: what only the reference is asked, for comparisons that need to know more than the
            answer (`Check.witness`); always None from a sandbox.
    """

    kind: Kind
    value: Any = None
    error: str = ""
    message: str = ""
    traceback: str = ""
    calls: tuple[str, ...] = ()
    touched: str = ""
    output: str = ""
    witness: Any = None


class Answers(Protocol):
    """An oracle and a sandbox are the same to the grader: something that answers a case."""

    def answer(self, check: str, case: Case) -> Answer:
        """Return what the probe of this check makes of the case."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a submission may use. Times are wall-clock seconds, memory is MiB."""

    case_seconds: float = 2.0
    check_seconds: float = 10.0
    load_seconds: float = 10.0
    memory_mib: int = 1024
    file_mib: int = 1
    processes: int = 64
    frame_mib: int = 64


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker is told about a submission: no answers, tolerances or points.

    Attributes:
        slug: of the exercise; the module's name in the worker.
        source: the student's file.
        probes: Python source that defines a function for each check, and nothing else.
        parts: other files that `source` imports, by the name of the module, in the order of loading.
        device: "cpu" or "cuda": where the tensors of a case are moved.
        limits: enforced by the worker's kernel limits and by the parent's clock.
    """

    slug: str
    source: bytes
    probes: str
    parts: dict[str, bytes] = field(default_factory=dict)
    device: str = "cpu"
    limits: Limits = field(default_factory=Limits)
