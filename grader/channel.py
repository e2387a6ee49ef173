"""The parent's end of a submission's process: messages with a deadline, and what it prints."""

import os
import select
import socket
import time
from typing import Any

from grader.case import Answer
from grader.errors import WireError
from grader.show import clean
from grader.tree import Caps
from grader.wire import HEADER, TRUSTED, pack, sizes, unpack

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

    def exchange(self, message: dict[str, Any], deadline: float, caps: Caps) -> dict[str, Any]:
        """Send a message and return the reply to it; the deadline is for both."""
        self.number += 1
        self.printed = b""
        self.sock.settimeout(max(0.001, deadline - time.monotonic()))
        self.sock.sendall(pack({**message, "number": self.number}, TRUSTED))
        reply = unpack(receive(self.sock, deadline, caps, self), caps)
        if not isinstance(reply, dict) or reply.get("number") != self.number:
            raise WireError("an answer to another question")
        return reply

    def drain(self) -> None:
        """Read what the program has printed so far and keep its tail."""
        while self.output >= 0:
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
    """Return one whole frame; the header is checked before the rest is read.

    Raises:
        TimeoutError: it was not complete by the deadline.
        EOFError: the other end was closed.
        WireError: the header is wrong or announces too much.
    """
    caps = caps or Caps()
    frame = bytearray()
    wanted = HEADER.size
    while len(frame) < wanted:
        watched: list[Any] = [sock] if channel is None or channel.output < 0 else [sock, channel.output]
        left = deadline - time.monotonic()
        ready, _, _ = select.select(watched, [], [], max(0.0, left))
        if channel is not None:
            channel.drain()
        if sock in ready:
            data = sock.recv(min(1 << 20, wanted - len(frame)))
            if not data:
                raise EOFError("closed")
            frame += data
            if len(frame) == HEADER.size:
                wanted += sum(sizes(bytes(frame), caps))
        elif left <= 0:
            raise TimeoutError
    return bytes(frame)


def answer_of(reply: dict[str, Any], output: str) -> Answer:
    """Return the `Answer` of a reply.

    Raises:
        WireError: a field is missing or of the wrong type.
    """
    texts = {name: reply.get(name, "") for name in ("error", "message", "traceback", "touched")}
    calls = reply.get("calls", [])
    if reply.get("kind") not in KINDS or any(type(text) is not str for text in [*texts.values(), *calls]):
        raise WireError("an answer with unknown fields")
    texts = {name: clean(text[:20_000]) for name, text in texts.items()}
    return Answer(reply["kind"], reply.get("value"), calls=tuple(sorted(set(calls))), output=output, **texts)
