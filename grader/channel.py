"""The parent's end of a submission's process: messages with a deadline, and what it prints."""

import os
import select
import signal
import socket
import time
from typing import Any

from grader.case import Answer, Kind
from grader.errors import WireError
from grader.show import clean
from grader.tree import Caps
from grader.wire import HEADER, sizes

READS = 32  # of 64 KiB: a pipe holds 1 MiB at most, and a program may print faster than it is read
LATE_SECONDS = 0.25  # for what has come by the deadline to be read
LINES = {"error": 100, "message": 500}  # characters of what is shown as one line
TAIL = 4096  # bytes of a program's output that are kept
KINDS = frozenset({"value", "not_started", "missing", "raised", "unsendable", "memory", "broken"})


class Channel:
    """The parent's end of a submission's process: a socket for messages, a pipe for its output."""

    def __init__(self, sock: socket.socket, output: int) -> None:
        self.pid = 0
        self.sock = sock
        self.output = output
        self.printed = b""
        self.number = 0
        os.set_blocking(output, False)

    def close(self) -> None:
        """Close both ends that are ours."""
        self.sock.close()
        if self.output >= 0:
            os.close(self.output)
            self.output = -1

    def exchange(self, frame: bytes, deadline: float, caps: Caps) -> bytes:
        """Send a frame and return the one that answers it; the deadline is for both."""
        self.number = (self.number + 1) % (1 << 32)
        number = self.number.to_bytes(4, "big")
        self.printed = b""
        self.sock.settimeout(max(0.001, deadline - time.monotonic()))
        self.sock.sendall(number + frame)
        reply = receive(self.sock, deadline, caps, self)
        if reply[:4] != number:
            raise WireError("an answer to another question")
        return reply[4:]

    def drain(self) -> None:
        """Read what the program has printed so far and keep its tail; no more at once than any pipe holds."""
        for _ in range(READS):
            if self.output < 0:
                return
            try:
                data = os.read(self.output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                os.close(self.output)
                self.output = -1
            self.printed = (self.printed + data)[-TAIL:]

    def tail(self) -> str:
        """Return the tail of the output of the last exchange, safe to print."""
        self.drain()
        return clean(self.printed.decode("utf-8", "replace"))


def receive(sock: socket.socket, deadline: float, caps: Caps | None = None, channel: Channel | None = None) -> bytes:
    """Return one whole frame, after its number where it comes through a channel.

    The header is checked before the rest is read; nothing may follow.

    Raises:
        TimeoutError: it was not complete by the deadline.
        EOFError: the other end was closed.
        WireError: the header is wrong or announces too much, or more came than was announced.
    """
    caps = caps or Caps()
    before = 0 if channel is None else 4
    frame = bytearray()
    wanted = head = before + HEADER.size
    while len(frame) < wanted:
        watched: list[Any] = [sock] if channel is None or channel.output < 0 else [sock, channel.output]
        left = deadline - time.monotonic()
        if left <= -LATE_SECONDS:  # bytes that never cease do not hold the clock
            raise TimeoutError
        ready, _, _ = select.select(watched, [], [], max(0.0, left))
        if channel is not None and channel.output in ready:
            channel.drain()
        if sock in ready:
            data = sock.recv(1 << 20)
            if not data:
                raise EOFError("closed")
            frame += data
            if wanted == head and len(frame) >= head:
                wanted += sum(sizes(bytes(frame[before:head]), caps))
        elif left <= 0:
            raise TimeoutError
    if len(frame) > wanted:
        raise WireError("more than one answer")
    return bytes(frame)


def answer_of(reply: Any) -> Answer:
    """Return the `Answer` of a reply.

    Raises:
        WireError: a field is missing or of the wrong type.
    """
    if type(reply) is not dict:
        raise WireError("an answer with unknown fields")
    texts = {name: reply.get(name, "") for name in ("error", "message", "traceback", "touched")}
    kind, calls = reply.get("kind"), reply.get("calls", [])
    known = type(kind) is str and kind in KINDS and type(calls) in (list, set)
    if not known or any(type(text) is not str for text in [*texts.values(), *calls]):
        raise WireError("an answer with unknown fields")
    texts = {name: clean(text[:20_000]) for name, text in texts.items()}
    for name, width in LINES.items():
        texts[name] = " ".join(texts[name].split())[:width]
    return Answer(reply["kind"], reply.get("value"), calls=tuple(sorted(set(calls))), **texts)


def ended(status: int) -> Answer:
    """Describe how a process ended, from its wait status."""
    if os.WIFEXITED(status):
        return Answer("died", message=f"the program ended the process (exit status {os.WEXITSTATUS(status)})")
    number = os.WTERMSIG(status)
    kinds: dict[int, Kind] = {signal.SIGXCPU: "timeout", signal.SIGKILL: "memory"}
    texts: dict[int, str] = {
        signal.SIGSEGV: "the process crashed (segmentation fault); often a recursion without end",
        signal.SIGXCPU: "the program used up its processor time",
        signal.SIGSYS: "the program made a system call of another kind of machine, which is not allowed",
        signal.SIGKILL: "the system killed the process; most likely it ran out of memory",
    }
    # signals of real time have no names
    name = next((known.name for known in signal.Signals if known == number), f"signal {number}")
    return Answer(kinds.get(number, "died"), message=texts.get(number, f"the process was ended by {name}"))
