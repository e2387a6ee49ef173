"""Finds the best fence that works here: each is built and attacked with harmless attempts at what it must stop."""

import hashlib
import json
import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import syscalls
from grader.cache import cache_folder
from grader.case import Case, Job
from grader.errors import GraderError
from grader.fence import Fence, Tier
from grader.sandbox import Sandbox
from grader.whole import whole

# A submission that tries what a hostile one would try first. Everything it does is harmless where it
# succeeds. It says of each attempt whether it was stopped.
SENTINEL = """
import os, resource, socket

def stopped(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False

def tries(secret, port):
    return {
        "reads a file of yours": stopped(lambda: open(secret).close()),
        "reaches a port of this machine": stopped(lambda: socket.create_connection(("127.0.0.1", port), 1).close()),
        "sends signals to the worker": stopped(lambda: os.kill(os.getppid(), 0)),
        "changes the worker's limits": stopped(lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)),
        "leaves a file behind": stopped(lambda: os.remove(os.open("left", os.O_CREAT) and "left")),
        "starts a process": stopped(fork),
        "starts threads without end": resource.getrlimit(resource.RLIMIT_NPROC)[0] >= 0 and not os.getuid() == 0,
        "becomes another user": os.getuid() != 0,
    }

def fork():
    if os.fork() == 0:
        os._exit(0)
"""
PROBE = "def tries(module, secret, port):\n    return module.tries(secret, port)\n"
# what the cached finding depends on, beside the machine
WORKER = ("lock", "runner", "watch", "__main__")
ENGINE = ("fence.py", "syscalls.py", "tier.py", "sandbox.py", *(f"worker/{name}.py" for name in WORKER))


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of trying a fence.

    Attributes:
        fence: what was tried.
        works: whether it contained everything.
        problem: why not, "" if it works.
        fix: one line that says what to do about it.
    """

    fence: Fence
    works: bool
    problem: str = ""
    fix: str = ""


def best() -> Fence:
    """Return the best fence that works here; what was found is kept until machine or grader change."""
    path = cache_folder() / "fence.json"
    key = _key()
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_text("ascii"))
        if kept["key"] == key:
            return Fence(kept["tier"], bytes.fromhex(kept["program"]), kept["landlock"], kept["root"])
    fence = next(finding.fence for finding in findings() if finding.works)
    kept = {
        "key": key,
        "tier": fence.tier,
        "program": fence.program.hex(),
        "landlock": fence.landlock,
        "root": fence.root,
    }
    with suppress(OSError):  # it is found again next time
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as file:
            file.write(json.dumps(kept).encode())
    return fence


def findings() -> Iterator[Finding]:
    """Try the fences, best first; the last one always works."""
    root = hasattr(os, "getuid") and os.getuid() == 0
    try:
        program = syscalls.program()
    except OSError as error:
        fix = "install libseccomp (Debian: apt install libseccomp2) and pyseccomp (pip install pyseccomp)"
        tiers: tuple[Tier, ...] = ("A", "B")
        for tier in tiers:
            yield Finding(Fence(tier), False, str(error.strerror), fix)
    else:
        yield _tried(Fence("A", program, True, root))
        yield _tried(Fence("B", program, True, root))
    yield Finding(Fence("C"), True)


def named(tier: str) -> Finding:
    """Return what became of trying one fence."""
    return next(finding for finding in findings() if finding.fence.tier == tier)


def _tried(fence: Fence) -> Finding:
    if fence.tier == "A" and not shutil.which("bwrap"):
        fix = "install bubblewrap (Debian, Ubuntu: apt install bubblewrap)"
        return Finding(fence, False, "the command bwrap is not there", fix)
    try:
        with ExitStack() as stack:
            secret, port = stack.enter_context(_target())
            sandbox = stack.enter_context(Sandbox((), fence))
            loaded = sandbox.open(Job("sentinel", SENTINEL.encode(), PROBE))
            answer = sandbox.answer("tries", Case({"secret": secret, "port": port}))
            if loaded.kind != "value" or answer.kind != "value" or not isinstance(answer.value, dict):
                return Finding(fence, False, f"a program does not run in it: {loaded.message or answer.message}", FIX)
    except (GraderError, OSError) as error:
        return Finding(fence, False, str(error), _fix(str(error)))
    escaped = [attempt for attempt, held in answer.value.items() if not held]
    if escaped:
        return Finding(fence, False, f"a submission {' and '.join(escaped)}", FIX)
    return Finding(fence, True)


FIX = "the kernel is too old or its rights are cut: Linux 6.1 or newer with Landlock and seccomp is needed"


def _fix(problem: str) -> str:
    """Return the line that says what to do about a fence that cannot be built."""
    if "uid map" in problem or "RTM_NEWADDR" in problem:
        return "AppArmor forbids user namespaces: add a profile for bwrap (see docs/security.md), or stay in tier B"
    if "namespace" in problem or "Creating new" in problem:
        return "user namespaces are off, as in most containers: see docs/security.md, or stay in tier B"
    if "Landlock" in problem:
        return "the kernel has no Landlock: Linux 5.13 or newer has, if /sys/kernel/security/lsm names it"
    return FIX


@contextmanager
def _target() -> Iterator[tuple[str, int]]:
    """Offer what a submission must not reach: a file that anyone may read, and a port that listens."""
    with tempfile.TemporaryDirectory(prefix="grader-") as folder, socket.create_server(("127.0.0.1", 0)) as server:
        Path(folder).chmod(0o755)
        secret = Path(folder) / "secret"
        secret.write_text("secret\n", "ascii")
        secret.chmod(0o644)
        yield str(secret), server.getsockname()[1]


def _key() -> str:
    """Return a digest of what the finding depends on: the machine since it started, the user, Python, this code."""
    here = Path(__file__).parent
    parts: list[Any] = [platform.release(), platform.machine(), sys.executable, shutil.which("bwrap")]
    parts.append(os.getuid() if hasattr(os, "getuid") else "")
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii"))
    total = hashlib.sha256(repr(parts).encode())
    for name in ENGINE:
        total.update((here / name).read_bytes())
    return total.hexdigest()
