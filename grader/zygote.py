"""The parent's end of a worker: starts it behind a fence, has it fork and reap, replaces it."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from grader.channel import Channel, receive
from grader.errors import FaultError, WireError
from grader.fence import Fence
from grader.show import clean
from grader.wire import pack, unpack

START_SECONDS = 120.0  # for the worker to import what is preloaded, on a slow disk
REAP_SECONDS = 10.0


class Zygote:
    """A worker process (worker/__main__.py): it has libraries loaded and forks for each submission.

    It starts at once; what is asked of it waits until it is ready.
    """

    def __init__(self, preload: tuple[str, ...], fence: Fence) -> None:
        self.forks = 0
        self._preload = preload
        self._fence = fence
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if fence.tier == "C":  # elsewhere nothing can be written
            self._folder = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
        self._start()

    @property
    def pid(self) -> int:
        """The number of the process on this machine, and of its group."""
        return self._process.pid

    @property
    def home(self) -> str:
        """The folder in which submissions run."""
        return self._folder.name if self._folder else "/"

    def fork(self, probes: str) -> Channel:
        """Return the channel to a fresh process, which will be asked by some probes.

        Raises:
            FaultError: the worker does not work.
        """
        self.forks += 1
        home = self.home
        if self._folder:
            home = f"{home}/{self.forks}"
            Path(home).mkdir()
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        channel = Channel(ours, read)
        try:
            reply = self._command({"fork": home, "probes": probes}, (theirs.fileno(), write), START_SECONDS)
            channel.pid = reply["pid"]
        except FaultError:
            channel.close()
            raise
        finally:
            theirs.close()
            os.close(write)
        return channel

    def reap(self, channel: Channel, grace: float) -> Any:
        """End the process of a channel; return what the worker says of it (worker/__main__.py).

        Raises:
            FaultError: the worker does not work; it has been replaced.
        """
        channel.drain()
        try:
            return self._command({"reap": channel.pid, "grace": grace})
        except FaultError:
            if not self._fence.inside:  # else it has ended with the worker, and its number means nothing here
                _kill(channel.pid)
            self._stop()
            self._start()
            raise
        finally:
            channel.close()

    def close(self) -> None:
        """Kill everything and remove the temporary folder."""
        self._stop()
        if self._folder:
            self._folder.cleanup()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and our own file
            self._fence.command(theirs.fileno()),
            env=self._fence.environment(self.home),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            close_fds=True,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        self._control = ours
        self._ready = False
        with contextlib.suppress(OSError):  # it has failed already: the first command says so
            ours.sendall(pack(self._fence.orders(self._preload, self._fence.uid())))

    def _stop(self) -> None:
        self._control.close()
        _kill(self.pid)
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()

    def _command(self, message: dict[str, Any], fds: tuple[int, ...] = (), seconds: float = REAP_SECONDS) -> Any:
        """Send a command to the worker and return its reply."""
        try:
            if not self._ready:
                receive(self._control, time.monotonic() + START_SECONDS)
                self._ready = True
            self._control.settimeout(seconds)
            socket.send_fds(self._control, [pack(message)], list(fds))
            return unpack(receive(self._control, time.monotonic() + seconds))
        except (OSError, EOFError, WireError) as error:
            _kill(self.pid)
            self._process.wait()
            words = (self._process.stderr.read() if self._process.stderr else b"").decode("utf-8", "replace")
            raise FaultError(f"the worker process failed: {clean(words.strip()[-500:]) or repr(error)}") from None


def _kill(pid: int) -> None:
    """Kill a process group; it may be gone already."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
