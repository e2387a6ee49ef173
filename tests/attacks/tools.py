"""What every hostile file begins with: helpers that say what became of an attempt.

The harness puts the text of this module, and the constants of `Target`, in front of each attack.
"""

import ctypes
import errno
import json
import os
import platform
import stat
import struct
import sys  # noqa: F401  the attacks use it
import threading  # noqa: F401  the attacks use it
import time

LIBC = ctypes.CDLL(None, use_errno=True)
# system calls that the C library has no function for; from 424 on the numbers are the same on all machines
ONLY_HERE = {
    "x86_64": "io_setup 206 bpf 321 perf_event_open 298 userfaultfd 323 keyctl 250 add_key 248 kcmp 312 "
    "ioprio_set 251 tgkill 234 init_module 175 kexec_load 246 clone 56 open_by_handle_at 304 quotactl 179",
    "aarch64": "io_setup 0 bpf 280 perf_event_open 241 userfaultfd 282 keyctl 219 add_key 217 kcmp 272 "
    "ioprio_set 30 tgkill 131 init_module 105 kexec_load 104 clone 220 open_by_handle_at 265 quotactl 60",
}
EVERYWHERE = (
    "pidfd_send_signal 424 io_uring_setup 425 open_tree 428 fsopen 430 pidfd_open 434 clone3 435 pidfd_getfd 438 "
    "process_madvise 440 mount_setattr 442 landlock_create_ruleset 444 landlock_restrict_self 446 memfd_secret 447 "
    "fchmodat2 452 setxattrat 463 removexattrat 466 open_tree_attr 467 file_setattr 469"
)
WORDS = f"{ONLY_HERE.get(platform.machine(), '')} {EVERYWHERE}".split()
NUMBERS = dict(zip(WORDS[::2], map(int, WORDS[1::2]), strict=True))


def tried(attempt, *arguments, **options):
    """Return "done", or the name of the error that stopped an attempt."""
    try:
        attempt(*arguments, **options)
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    except Exception as error:
        return type(error).__name__
    return "done"


def kernel(name, *arguments):
    """Make a system call by its name; return "done" or the name of the error."""
    known = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    ctypes.set_errno(0)
    result = LIBC.syscall(ctypes.c_long(NUMBERS[name]), *known) if name in NUMBERS else getattr(LIBC, name)(*known)
    return "done" if result != -1 else errno.errorcode[ctypes.get_errno()]


def read(path):
    """Return the content of a file, or the name of the error."""
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16).decode("utf-8", "replace")
    except OSError as error:
        return errno.errorcode[error.errno]


def touch(path):
    """Make an empty file."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))


def change(path):
    """Open a file for writing, and leave it as it is."""
    os.close(os.open(path, os.O_WRONLY))


def channel():
    """Return the file descriptor of the connection to the grader."""
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return fd
        except OSError:
            continue
    raise LookupError("there is no socket")


def fields(**items):
    """Return a dict as the wire writes it."""
    return {"d": [[name, value] for name, value in items.items()]}


def frame(number, text, blob=b""):
    """Return a frame of the wire around a tree, or around JSON as it is. The first question is number 2."""
    data = text if isinstance(text, bytes) else json.dumps(text).encode()
    return struct.pack(">I4sIQ", number, b"LLMG", len(data), len(blob)) + data + blob


def answer(**items):
    """Return a reply with one answer."""
    return fields(kind="value", value=[fields(**items)])


def forge(text, blob=b"", number=2):
    """Send a reply of one's own to the grader, and say nothing more."""
    data = memoryview(frame(number, text, blob))
    while data:
        data = data[os.write(channel(), data) :]
    time.sleep(60)


def forged(value):
    """Answer the first question about double() with JSON of one's own."""
    forge(b'{"d":[["kind","value"],["value",[{"d":[["kind","value"],["value",%b]]}]]]}' % value)


def bytes_of(places, size, shape=None, dtype="U8"):
    """Return the bytes of a safetensors file whose tensors lie at some places."""
    parts = {
        name: {"dtype": dtype, "shape": shape or [end - begin], "data_offsets": [begin, end]}
        for name, (begin, end) in places.items()
    }
    header = json.dumps(parts).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)
