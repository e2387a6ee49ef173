"""The process of one submission: executes the student's file and answers cases, nothing else.

It knows the student's source and the probes. It has no answers, tolerances or points.
"""

import contextlib
import difflib
import functools
import linecache
import os
import resource
import socket
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

from grader.array import native
from grader.case import Array
from grader.errors import WireError
from grader.load import load
from grader.wire import HEADER, TRUSTED, digest, pack, sizes, unpack
from grader.worker import lock, watch

Reply = dict[str, Any]

HIGHEST_FD = 64
# modules that are there before any submission; filled by the worker before it forks
KNOWN: set[str] = set()


@dataclass(frozen=True, slots=True)
class Locks:
    """What a submission's process takes upon itself: a Landlock ruleset (-1: none), a seccomp program (b"": none)."""

    ruleset: int
    program: bytes


def run(channel: int, output: int, folder: str, locks: Locks) -> NoReturn:
    """Serve one submission and end the process. Called in a fresh fork."""
    os.setsid()
    os.chdir(folder)
    tempfile.tempdir = folder  # libraries ask for one; what looks for it would insist that it can be written
    os.dup2(output, 1)
    os.dup2(output, 2)
    for fd in range(3, HIGHEST_FD):  # whatever the worker has open
        if fd not in (channel, locks.ruleset):
            with contextlib.suppress(OSError):
                os.close(fd)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", buffering=1)  # noqa: SIM115  open until the end
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", buffering=1)  # noqa: SIM115
    try:
        _serve(socket.socket(fileno=channel), locks)
    finally:
        os._exit(0)


def _serve(sock: socket.socket, locks: Locks) -> None:
    submission = Submission("", "cpu")
    locked = False
    while True:
        number, message = _receive(sock)
        try:
            if "source" in message:
                if not locked:
                    limit(message["limits"])
                    close(locks)
                locked = True
                submission = Submission(message["slug"], message["device"])
                reply = submission.load(message["source"], message["probes"], message["parts"])
            else:
                reply = {"kind": "value", "value": submission.answers(message["check"], message["cases"])}
        except Exception as error:  # noqa: BLE001  not the student's: those are caught in Submission
            reply = {"kind": "broken", "message": f"the worker failed: {error!r}"}
        _send(sock, number, reply)


def _receive(sock: socket.socket) -> tuple[bytes, Any]:
    """Return the number of a message, which its reply repeats, and the message."""
    head = sock.recv(4 + HEADER.size, socket.MSG_WAITALL)
    if not head:
        os._exit(0)  # the grader has ended
    frame = head[4:]
    frame += sock.recv(sum(sizes(frame, TRUSTED)), socket.MSG_WAITALL)
    return head[:4], unpack(frame, TRUSTED)


def _send(sock: socket.socket, number: bytes, reply: Reply) -> None:
    try:
        frame = pack(reply)
    except WireError as error:
        frame = pack({"kind": "unsendable", "message": str(error)})
    except MemoryError:
        frame = pack({"kind": "memory", "message": "the result takes too much memory"})
    except BaseException as error:  # noqa: BLE001  a value that runs a student's code when it is read
        text = f"the result cannot be sent: reading it raises {type(error).__name__}"
        frame = pack({"kind": "unsendable", "message": text})
    sock.sendall(number + frame)


def limit(limits: dict[str, int]) -> None:
    """Set the kernel's limits for this process and its children.

    Memory is on top of what the process has already: a student's budget does not shrink with the
    size of the libraries.
    """
    wanted = {
        resource.RLIMIT_AS: limits["memory"] and limits["memory"] + _size(),
        resource.RLIMIT_CPU: limits["cpu"],
        resource.RLIMIT_FSIZE: limits["file"],
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_NOFILE: limits["files"],
        resource.RLIMIT_CORE: 0,
    }
    for name, value in wanted.items():
        if value == 0 and name != resource.RLIMIT_CORE:
            continue
        # some systems do not know a limit (macOS: RLIMIT_AS); the parent's deadline still holds
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(name, (value, value))


def close(locks: Locks) -> None:
    """Lock this process in, for good."""
    lock.restrict(locks.ruleset, locks.program)
    if locks.ruleset >= 0:
        os.close(locks.ruleset)


@functools.lru_cache(maxsize=8)
def compiled(probes: str) -> CodeType:
    """Return the code of probes; they are the same for a whole class.

    Raises:
        SyntaxError: they are no Python.
    """
    return compile(probes, "probes", "exec")


def _size() -> int:
    """Return the size of this process's address space in bytes, 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return 0


class Submission:
    """A student's module and the probes that look at it."""

    def __init__(self, slug: str, device: str) -> None:
        self.slug = slug
        self.filename = f"{slug}.py"
        self.filenames = {self.filename}
        self.device = device
        self.module = ModuleType(slug)
        self.probes: dict[str, Any] = {}
        self.imported: set[str] = set()
        self.modules = 0  # how many there were when the imported ones were looked for

    def load(self, source: bytes, probes: str, parts: dict[str, bytes]) -> Reply:
        """Execute the student's file, after its parts; the reply's value lists the packages that it imported."""
        files = {f"{name}.py": part for name, part in parts.items()} | {self.filename: source}
        self.filenames = set(files)
        self.modules = len(KNOWN) + len(files)  # its own are no imports
        for filename, content in files.items():
            lines = content.decode("utf-8", "replace").splitlines(keepends=True)
            linecache.cache[filename] = (len(content), None, lines, filename)
        if self.device != "cpu":
            import torch

            torch.zeros(1, device=self.device)  # starts CUDA here, in the child, before the clock of a case
        try:
            for name, part in parts.items():
                load(part, name, f"{name}.py")
            self.module = load(source, self.slug, self.filename)
        except BaseException as error:  # noqa: BLE001  whatever a student's file raises is an answer
            return self._safely(error)
        try:
            exec(compiled(probes), self.probes)  # noqa: S102  our own source
        except Exception as error:  # noqa: BLE001
            return {"kind": "broken", "message": f"the probes cannot be loaded: {error!r}"}
        return {"kind": "value", "value": self._imported()}

    def answers(self, check: str, cases: list[dict[str, Any]]) -> list[Reply]:
        """Run a probe on the module, case by case, until one shows that the others will not do better."""
        found: list[Reply] = []
        for inputs in cases:
            found.append(self.answer(check, inputs))
            if found[-1]["kind"] in ("not_started", "missing", "broken"):
                break
        return found

    def answer(self, check: str, inputs: dict[str, Any]) -> Reply:
        """Run a probe on the module."""
        if check not in self.probes:
            return {"kind": "broken", "message": f"there is no probe {check}"}
        moved = {name: self._move(value) for name, value in inputs.items()}
        watch.seed()
        watched = watch.Watch()
        try:
            with watched:
                value = self.probes[check](self.module, **moved)
            frame: Reply = {"kind": "value", "value": value, "touched": digest(moved)}
        except WireError as error:
            frame = {"kind": "unsendable", "message": str(error)}
        except BaseException as error:  # noqa: BLE001  whatever a student's function raises is an answer
            frame = self._safely(error)
        with contextlib.suppress(Exception):  # a student may have replaced or closed them
            sys.stdout.flush()
            sys.stderr.flush()
        return {**frame, "calls": sorted(watched.names | self._imported())}

    def _move(self, value: Any) -> Any:
        """Return inputs with every `Array` made a tensor on the device."""
        if isinstance(value, Array):
            made = native(value)
            return made if self.device == "cpu" or value.library != "torch" else made.to(self.device)
        if isinstance(value, (list, tuple)):
            return type(value)(self._move(item) for item in value)
        if isinstance(value, dict):
            return {key: self._move(item) for key, item in value.items()}
        return value

    def _imported(self) -> set[str]:
        """Return the top-level packages that the student's code has imported since it was loaded."""
        # looking at each takes longer than many a case: it copies the page of memory where its name lies
        if len(sys.modules) != self.modules:
            self.modules = len(sys.modules)
            self.imported = {"import " + name for name in sys.modules.keys() - KNOWN if "." not in name}
        return self.imported

    def _safely(self, error: BaseException) -> Reply:
        """Describe an exception, also one that fights back when it is looked at."""
        try:
            return self._failure(error)
        except (MemoryError, RecursionError):
            return {"kind": "memory", "message": "the program asked for more memory than it may have"}
        except BaseException:  # noqa: BLE001  its class, its message or its attributes may be a student's code
            return {"kind": "raised", "error": "Exception", "message": "(the exception cannot be described)"}

    def _failure(self, error: BaseException) -> Reply:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in self.filenames]
        last = traceback.extract_tb(error.__traceback__)[-1:]
        message = _line(error)
        reply = {
            "kind": "raised",
            "error": type(error).__name__,
            "message": message,
            "traceback": "".join(traceback.format_list(frames[-8:])),
        }
        if isinstance(error, SyntaxError) and not frames:
            reply["traceback"] = "".join(traceback.format_exception_only(error))
        # torch raises NotImplementedError too, where a student's line calls it
        stub = bool(last) and last[0].filename in self.filenames and (last[0].line or "").startswith("raise")
        if isinstance(error, NotImplementedError) and stub:
            return reply | {"kind": "not_started", "message": f"{last[0].name} is not written yet"}
        if isinstance(error, AttributeError) and error.obj is self.module:
            return reply | {"kind": "missing", "message": self._missing(str(error.name))}
        if isinstance(error, MemoryError) or "can't allocate memory" in message:
            return reply | {"kind": "memory", "message": "the program asked for more memory than it may have"}
        if isinstance(error, SystemExit):
            return reply | {"message": "the program called sys.exit"}
        return reply

    def _missing(self, name: str) -> str:
        near = difflib.get_close_matches(name, [key for key in vars(self.module) if not key.startswith("__")], n=1)
        hint = f"; it has {near[0]}: is that it?" if near else ""
        return f"{self.filename} has no {name}{hint}"


def _line(error: BaseException) -> str:
    """Return the message of an exception as one line; its __str__ may be a student's."""
    try:
        return " ".join(str(error).split())[:500]
    except Exception:  # noqa: BLE001
        return "(its message cannot be shown)"
