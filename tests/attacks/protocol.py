"""Attacks on the messages between a submission's process and the grader."""

from tests.attacks.attack import ENDS_IN_VIOLATION, Attack, Either, Ends

PARENT = "the grader trusts no message, at every tier"
FRAME = "the grader checks every message"
DIED = Ends(("died",), "the program ended the process")


def malformed(number: int, name: str, source: str) -> Attack:
    """Return an attack whose one message is refused."""
    return Attack(number, name, source, FRAME, ENDS_IN_VIOLATION, uncontrolled=PARENT, quick=True)


ATTACKS = [
    malformed(
        12,
        "write right answers to all questions on every open file",
        """
def double(x):
    for fd in range(64):
        for number in range(9):
            tried(os.write, fd, frame(number, answer(kind="value", value=2 * x)))
    return 0.0
""",
    ),
    malformed(
        13,
        "announce 4 GiB",
        """
def double(x):
    os.write(channel(), struct.pack(">I4sIQ", 2, b"LLMG", 2**32 - 1, 2**32))
    time.sleep(60)
""",
    ),
    malformed(
        15,
        "flood the connection with frames",
        """
def double(x):
    data = frame(0, fields()) * 100
    while True:
        os.write(channel(), data)
""",
    ),
    Attack(
        17,
        "end the process with success while it is loaded",
        "os._exit(0)",
        stops="a process that ends has not answered",
        sees=Ends(("died",), "exit status 0"),
        uncontrolled=PARENT,
        loads=False,
    ),
    Attack(
        18,
        "leave by sys.exit(0) while it is loaded",
        "sys.exit(0)",
        stops="a file that cannot be loaded has no points",
        sees=Ends(("raised",), "sys.exit"),
        uncontrolled=PARENT,
        loads=False,
    ),
    Attack(
        19,
        "print a score at exit",
        """
import atexit

atexit.register(print, '{"score": 100, "outcome": "passed"}')


def double(x):
    print("PASSED", flush=True)
    return "PASSED"
""",
        stops="what is printed is never read as a result",
        sees="PASSED",
        uncontrolled=PARENT,
    ),
    Attack(
        21,
        "replace what a grader compares with",
        """
import math, torch

torch.allclose = torch.equal = torch.testing.assert_close = math.isclose = lambda *_, **__: True
torch.Tensor.__eq__ = torch.Tensor.allclose = lambda *_: True


def double(x):
    return torch.zeros(1)
""",
        stops="the grader compares, in its own process; each submission is a fork of a clean worker",
        sees=Ends(("value",)),
        text="its wrong tensor is compared",
        uncontrolled=PARENT,
        torch=True,
    ),
    Attack(
        22,
        "return 400 MB",
        """
def double(x):
    return ["x" * (4 << 20)] * 100
""",
        stops="caps on what is sent, and on what is taken",
        sees=Ends(("unsendable",), "larger than"),
        uncontrolled=PARENT,
    ),
    Attack(
        23,
        "return an object that runs code when it is unpickled",
        """
class Bomb:
    def __reduce__(self):
        return print, ("unpickled",)


def double(x):
    return Bomb()
""",
        stops="JSON and safetensors only",
        sees=Ends(("unsendable",), "Bomb objects cannot be sent"),
        uncontrolled=PARENT,
    ),
    Attack(
        225,
        "send open files along with an answer",
        """
import socket


def double(x):
    sock = socket.socket(fileno=channel())
    socket.send_fds(sock, [frame(2, answer(kind="value", value=0.0))], [0, 1, 2, sock.fileno()] * 20)
    time.sleep(60)
""",
        stops="the grader takes none",
        sees=0.0,
        text="the grader has as many open files as before",
        uncontrolled=PARENT,
        quick=True,
    ),
    Attack(
        226,
        "read the next question in the runner's place",
        """
def double(x):
    os.write(channel(), frame(2, answer(kind="value", value=0.0)))
    os.read(channel(), 1 << 20)
    time.sleep(60)
""",
        stops="the grader's clock; a question has no answer in it",
        sees=0.0,
        text="a question, and no points",
        uncontrolled=PARENT,
        quick=True,
    ),
    Attack(
        227,
        "close all files and open others in their place",
        """
import socket


def double(x):
    os.closerange(0, 64)
    pairs = [socket.socketpair() for _ in range(8)]
    return [pair[0].send(b"x") for pair in pairs] and 2 * x
""",
        stops="a connection that is cut is no answer",
        sees=Ends(("died", "timeout")),
        uncontrolled=PARENT,
        quick=True,
    ),
    Attack(
        228,
        "shut the connection down and go on",
        """
import socket


def double(x):
    socket.socket(fileno=channel()).shutdown(socket.SHUT_RDWR)
    time.sleep(60)
""",
        stops="a connection that is cut is no answer",
        sees=Ends(("died",), "cut its connection"),
        uncontrolled=PARENT,
    ),
    Attack(
        229,
        "send bytes out of band",
        """
import socket


def double(x):
    sock = socket.socket(fileno=channel())
    sent = tried(sock.send, b"x", socket.MSG_OOB)
    sock.detach()
    return sent
""",
        stops="the grader reads its own stream only",
        sees=Either("done", "EOPNOTSUPP"),
        uncontrolled=PARENT,
        quick=True,
    ),
    Attack(
        240,
        "take hold of the grader by its end of the connection",
        """
import socket

SO_PEERPIDFD, NETWORK = 77, 0xFF04


def double(x):
    sock = socket.socket(fileno=channel())
    try:
        grader = sock.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD)
    except OSError:
        return "ENOSYS"
    finally:
        sock.detach()
    found = {"signal": kernel("pidfd_send_signal", grader, 0, 0, 0), "file": kernel("pidfd_getfd", grader, 0, 0)}
    return found if CONTROL else found | {"namespace": kernel("setns", grader, 0x40000000)}
""",
        stops="seccomp",
        sees=Either({"signal": "EPERM", "file": "EPERM", "namespace": "EPERM"}, "ENOSYS"),
        text="EPERM",
        control={"signal": "done", "file": Either("done", "EPERM")},
    ),
    malformed(
        241,
        "replace the runner's own functions",
        """
def double(x):
    frame = sys._getframe()
    while "_send" not in frame.f_globals:
        frame = frame.f_back
    send = frame.f_globals["_send"]
    frame.f_globals["_send"] = lambda sock, number, reply: send(sock, bytes(4), {"kind": "value", "value": [2 * x]})
    return 0.0
""",
    ),
    Attack(
        243,
        "answer a byte at a time, and never to the end",
        """
def double(x):
    os.write(channel(), struct.pack(">I4sIQ", 2, b"LLMG", 4, 60 << 20))
    while True:
        os.write(channel(), b"x")
""",
        stops="the grader's clock",
        sees=Ends(("timeout",)),
        uncontrolled=PARENT,
        quick=True,
    ),
    Attack(
        246,
        "put a filter on the connection, so that no question arrives",
        """
import socket

SO_ATTACH_FILTER, NOTHING = 26, struct.pack("HBBI", 6, 0, 0, 0)


def double(x):
    code = ctypes.create_string_buffer(NOTHING, 8)
    sock = socket.socket(fileno=channel())
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxQ", 1, ctypes.addressof(code)))
    sock.detach()
    return 0.0
""",
        stops="nothing: streams are not filtered",
        sees=0.0,
        text="every question, and no points",
        uncontrolled=PARENT,
        quick=True,
    ),
]
