"""What the attacks aim at: a course with a marked reference, secrets, neighbours, things that listen."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.course import Course

# The mark of everything secret, in two halves: a program that searches for it has both, and never joins
# them, so that it does not find itself.
HALVES = ("7f3c9e", "b1d0a8")
MARK = "".join(HALVES)
CHECKS = '''"""Twice, and four times."""
from grader.check import check
from grader.compare import Close
{head}

SECRET = "{mark}"


def numbers():
    return [{{"x": {first}}}, {{"x": {second}}}]


@check(points=1, examples=numbers, compare=Close(rtol=1e-12))
def doubles_any_number(module, x):
    """double: twice the number"""
    return module.double(x)


@check(points=2, examples=numbers, compare=Close(rtol=1e-12))
def doubles_the_double(module, x):
    """quadruple: twice the double"""
    return module.quadruple(x)
{more}'''
PORTABLE = '''

@check(points=4, examples=numbers, compare=Close(rtol=1e-12), device="portable")
def stays_on_its_device(module, x):
    """portable: the same where x is"""
    return module.double(x)
'''
PLAIN = {"head": "", "more": "", "first": "2.0", "second": "3.0"}
TENSORS = {
    "head": "import numpy as np\nfrom grader import draw\n",
    "more": PORTABLE,
    "first": "draw.as_array(np.arange(1.0, 33.0).reshape(4, 8), 'float32')",
    "second": "draw.as_array(np.linspace(-2.0, 0.0, 9), 'float32')",
}
TORCH = """
preload: [torch]
refused:
  functions: [layer_norm]
"""
# Another process of the grader's user, with the secret in its environment, its memory and an open file.
NEIGHBOUR = """
import ctypes, sys
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER_ANY: where only parents may trace
kept = ctypes.create_string_buffer(sys.stdin.buffer.readline())
opened = open(sys.argv[1])
print(ctypes.addressof(kept), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What the attacks aim at; all of it may be read and written by everybody, but for the fence.

    Attributes:
        course: with a marked reference and checks; `tensors` is the same with tensors.
        secret: a file; `other` is another student's, `library` a module; `folder` has them.
        pid, address: of the neighbour, and of the secret in its memory.
        port, datagrams: of this machine, TCP and UDP.
        path, packets: of listening Unix sockets, for streams and for datagrams; `abstract` has no path.
        left: files that an attack may try to leave behind, the first in its own working folder.
    """

    course: Course
    tensors: Course
    folder: Path
    secret: Path
    other: Path
    library: Path
    pid: int
    address: int
    port: int
    datagrams: int
    path: str
    packets: str
    abstract: str
    left: tuple[str, ...]
    sockets: tuple[socket.socket, ...]

    def constants(self, tensors: bool, control: bool) -> str:
        """Return the constants that stand at the head of an attack."""
        course = self.tensors if tensors else self.course
        values = {
            "CONTROL": control,
            "HALVES": HALVES,
            "COURSE": str(course.root),
            "REFERENCE": str(course.root / "reference" / "double.py"),
            "SECRET": str(self.secret),
            "OTHER": str(self.other),
            "LIBRARY": str(self.library),
            "PID": self.pid,
            "ADDRESS": self.address,
            "PORT": self.port,
            "DATAGRAMS": self.datagrams,
            "PATH": self.path,
            "PACKETS": self.packets,
            "ABSTRACT": self.abstract,
            "LEFT": self.left,
        }
        return "".join(f"{name} = {value!r}\n" for name, value in values.items())

    def state(self) -> dict[str, object]:
        """Return what no attack may change."""
        files = {}
        for path in sorted(self.folder.rglob("*")):
            found = path.lstat()
            kept = os.listxattr(path, follow_symlinks=False) if hasattr(os, "listxattr") else []
            content = path.read_bytes() if path.is_file() else b""
            files[str(path)] = (found.st_mode, found.st_mtime_ns, found.st_uid, content, kept)
        status = Path(f"/proc/{self.pid}/stat").read_text("ascii")
        return {
            "files": files,
            "neighbour": status.rpartition(")")[2].split()[0],
            "left": [name for name in self.left if os.path.lexists(f"/{name}")],
            "arrived": [_arrived(sock) for sock in self.sockets],
        }

    def clean(self) -> None:
        """Remove what an attack left where there is no fence, and hang up on it."""
        for name in self.left:
            if os.path.lexists(name):
                os.remove(name)
        for sock in self.sockets:
            while _arrived(sock):
                pass


def _arrived(sock: socket.socket) -> str:
    """Return what has come to a socket, "" if nothing has."""
    try:
        if sock.type == socket.SOCK_STREAM:
            sock.accept()[0].close()
            return "a connection"
        return repr(sock.recv(100))
    except BlockingIOError:
        return ""


@contextmanager
def target(tiny: Course) -> Iterator[Target]:
    """Set up what the attacks aim at.

    Args:
        tiny: a course with the exercise `double`, which is copied and marked.
    """
    # not pytest's folder, which only its owner may enter
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attacks-")))
        folder.chmod(0o755)
        secret, other, library = folder / "secret", folder / "others.py", folder / "library.py"
        secret.write_text(MARK)
        library.write_text("")
        other.write_text(f"def double(x):\n    return '{MARK}'\n")
        path, packets, abstract = str(folder / "stream"), str(folder / "packets"), f"\0{folder.name}"
        sockets = [stack.enter_context(sock) for sock in _sockets(path, packets, abstract)]
        for sock in sockets:
            sock.setblocking(False)
        courses = [_course(tiny, folder / name, words) for name, words in (("plain", PLAIN), ("tensors", TENSORS))]
        for item in (secret, other, library, Path(path), Path(packets)):
            item.chmod(0o666)
        process, address = _neighbour(secret)
        stack.callback(_end, process)
        yield Target(
            *courses,
            folder=folder,
            secret=secret,
            other=other,
            library=library,
            pid=process.pid,
            address=address,
            port=sockets[0].getsockname()[1],
            datagrams=sockets[1].getsockname()[1],
            path=path,
            packets=packets,
            abstract=abstract,
            left=tuple(f"{place}left-{folder.name}" for place in ("", "/tmp/", "/dev/shm/", "/var/tmp/")),
            sockets=tuple(sockets),
        )


def _course(tiny: Course, root: Path, words: dict[str, str]) -> Course:
    shutil.copytree(tiny.root, root)
    made = Course(root)
    exercise = made.find("double")
    made.checks(exercise).write_text(CHECKS.format(mark=MARK, **words))
    # the limits of each attack are in harness.py
    path = exercise.folder / "exercise.yaml"
    path.write_text(path.read_text() + (TORCH if words["head"] else ""))
    for part in (made.reference(exercise), made.solution(exercise)):
        part.write_text(part.read_text() + f"\n\nSECRET = '{MARK}'\n")
    for item in root.rglob("*"):
        item.chmod(0o755 if item.is_dir() else 0o644)
    return made


def _sockets(path: str, packets: str, abstract: str) -> Iterator[socket.socket]:
    yield socket.create_server(("127.0.0.1", 0))
    yield _bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
    yield _bound(socket.AF_UNIX, socket.SOCK_STREAM, path)
    yield _bound(socket.AF_UNIX, socket.SOCK_DGRAM, packets)
    if sys.platform == "linux":
        yield _bound(socket.AF_UNIX, socket.SOCK_STREAM, abstract)


def _bound(family: int, kind: int, address: object) -> socket.socket:
    sock = socket.socket(family, kind)
    sock.bind(address)
    if kind == socket.SOCK_STREAM:
        sock.listen()
    return sock


def _neighbour(secret: Path) -> tuple[subprocess.Popen[bytes], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", NEIGHBOUR, str(secret)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"NEIGHBOUR_TOKEN": MARK},
    )
    process.stdin.write(MARK.encode() + b"\n")
    process.stdin.flush()
    return process, int(process.stdout.readline())


def _end(process: subprocess.Popen[bytes]) -> None:
    process.communicate()
