"""The worker: imports the heavy libraries once, then forks a process for each submission.

Started by sandbox.py as `python worker/__main__.py CONTROL_FD SITE_PACKAGES...`. This process never
executes a student's code: it forks (runner.py does the rest), kills and waits, and ends when the
grader does.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# Only the standard library and installed packages are importable for a student's file. The folder of
# this package is on the path for the imports below and no longer.
ROOT = str(Path(__file__).parent.parent.parent)
if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if Path(path).name != "worker"] + sys.argv[2:]
    sys.path.insert(0, ROOT)

from grader import cost  # noqa: E402, F401  probes use it
from grader.wire import HEADER, TRUSTED, pack, sizes, unpack  # noqa: E402
from grader.worker import lock, runner, warm, watch  # noqa: E402


def receive(control: socket.socket) -> tuple[Any, list[int]]:
    """Return a message and the file descriptors that came with it.

    Raises:
        EOFError: the grader has ended.
    """
    frame, fds, _, _ = socket.recv_fds(control, HEADER.size, 8)
    wanted = HEADER.size
    while len(frame) < wanted:
        data = control.recv(wanted - len(frame))
        if not data:
            raise EOFError
        frame += data
    wanted += sum(sizes(frame))
    while len(frame) < wanted:
        frame += control.recv(wanted - len(frame))
    return unpack(frame, TRUSTED), fds


def adopt() -> None:
    """Become the parent of orphans: what a submission leaves behind can be found and killed then."""
    with contextlib.suppress(OSError, AttributeError):  # only Linux has it
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def sweep() -> int:
    """Kill all children until there are none: each killed one hands over its own. Return how many there were."""
    me = Path(f"/proc/self/task/{os.getpid()}/children")
    count = 0
    with contextlib.suppress(OSError):  # only Linux has it
        while pids := me.read_text("ascii").split():
            for pid in map(int, pids):
                count += 1
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
    return count


def reap(pid: int, grace: float = 0.0) -> dict[str, Any]:
    """End a process group; return how its leader ended and what it used.

    A process whose connection was found closed gets some seconds of grace to end by itself: how it
    ends says what happened.

    Returns:
        status: of the leader, as wait gives it; killed: whether it had to be killed; seconds: of
        processor time; kib: the most memory it had.
    """
    deadline = time.monotonic() + grace
    while True:
        found, status, used = os.wait4(pid, os.WNOHANG)
        if found or time.monotonic() >= deadline:
            break
        time.sleep(0.005)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        if not found:
            os.kill(pid, signal.SIGKILL)  # it has not become a leader yet
    if not found:
        _, status, used = os.wait4(pid, 0)
    seconds = used.ru_utime + used.ru_stime
    return {"status": status, "killed": not found, "seconds": seconds, "kib": used.ru_maxrss}


def serve(control: socket.socket, locked: runner.Locks) -> None:
    """Obey the grader until it closes its end."""
    running: set[int] = set()
    warmed = False
    try:
        while True:
            message, fds = receive(control)
            if "fork" in message:
                single()
                if len(runner.KNOWN) != len(sys.modules):  # looking at their names would copy pages
                    runner.KNOWN.clear()
                    runner.KNOWN.update(sys.modules)
                with contextlib.suppress(SyntaxError, ValueError):  # the fork will find it too, and say so
                    runner.compiled(message["probes"])
                pid = os.fork()
                if pid == 0:
                    control.close()
                    runner.run(fds[0], fds[1], message["fork"], locked)
                for fd in fds:
                    os.close(fd)
                running.add(pid)
                control.sendall(pack({"pid": pid}))
                if not warmed:
                    # while the first submission computes: what is forked from now on has it
                    warm.warm()
                    warm.gather()
                    settle()
                    warmed = True
            else:
                running.discard(message["reap"])
                ended = reap(message["reap"], message["grace"])
                control.sendall(pack({**ended, "left": sweep()}))
    except (EOFError, ConnectionError):
        for pid in running:
            reap(pid)
        sweep()


def settle() -> None:
    """Take what is loaded now as given.

    A fork shares its memory until it is written to, and each page that is then copied takes microseconds; so its
    collector need not touch what is there.
    """
    warm.fill()
    gc.freeze()


def single() -> None:
    """Insist on a single thread: the locks of others would stay closed for ever in a fork.

    Raises:
        RuntimeError: a library has started one.
    """
    tasks = Path("/proc/self/task")
    if tasks.is_dir() and len(list(tasks.iterdir())) != 1:
        raise RuntimeError("the worker has several threads; which library has started them?")


def main() -> None:
    """Import what is asked for, say so, and serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(control.fileno(), False)
    orders, _ = receive(control)
    if orders["uid"]:
        lock.become(orders["uid"])
    for name in orders["preload"]:
        importlib.import_module(name)
    # once here, so that each fork finds it done
    watch.seed()
    with watch.Watch():
        pass
    if "torch" in sys.modules:
        unpack(pack(sys.modules["torch"].zeros(1)))  # imports what carries tensors
    sys.path.remove(ROOT)
    del sys.argv[1:]
    gc.collect()
    settle()
    adopt()
    if orders["hidden"]:
        lock.hide()
    ruleset = lock.ruleset(orders["readable"], orders["landlock"]) if orders["readable"] else -1
    control.sendall(pack({"ready": True}))
    serve(control, runner.Locks(ruleset, orders["program"]))


if __name__ == "__main__":
    main()
