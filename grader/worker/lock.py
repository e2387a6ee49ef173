"""Locks a process in: what it gives up here, the kernel does not give back.

Landlock (files, TCP, signals) and seccomp (system calls) through the C library; no package offers all
of Landlock. The constants are those of linux/landlock.h, linux/prctl.h and linux/capability.h.
"""

import contextlib
import ctypes
import errno
import os
from pathlib import Path

PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 8, 22, 38
SECCOMP_MODE_FILTER = 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_READ_SEARCH = 2

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
# how many rights on files each version of Landlock knows; the last counts for all later ones
FILE_RIGHTS = (0, 13, 14, 15, 15, 16)
TCP_SINCE, SCOPE_SINCE = 4, 6
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_C = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def hide() -> None:
    """Close this process's memory, environment and open files to others of the same user."""
    with contextlib.suppress(OSError):  # the system shall rather end a worker than the grader
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    _checked(_C.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl")


def become(uid: int) -> None:
    """Give up root for good, but keep the right to read: Python may lie in a folder that only root may enter.

    The right is worth nothing in a submission's process, which Landlock keeps to Python's own folders.
    """
    _checked(_C.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    for kept in (1 << CAP_DAC_READ_SEARCH, 0):  # a container's root may not have it to keep
        data = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)
        if _C.capset(header, data) == 0:
            return
    _checked(-1, "capset")


def ruleset(readable: list[str], oldest: int) -> int:
    """Return a Landlock ruleset that allows to read some files and folders, and nothing else.

    Args:
        readable: paths.
        oldest: version of Landlock that will do.

    Returns:
        its file descriptor, which `restrict` takes; a fork has it too.

    Raises:
        OSError: the kernel has no Landlock, or an older one.
    """
    version = _checked(_C.syscall(CREATE_RULESET, None, 0, 1), "Landlock")
    if version < oldest:
        raise OSError(errno.ENOSYS, f"Landlock of version {version}; {oldest} is needed")
    files = (1 << FILE_RIGHTS[min(version, len(FILE_RIGHTS) - 1)]) - 1
    wanted = _Ruleset(files, 3 if version >= TCP_SINCE else 0, 3 if version >= SCOPE_SINCE else 0)
    # an older kernel knows a shorter structure
    size = 24 if version >= SCOPE_SINCE else 16 if version >= TCP_SINCE else 8
    made = _checked(_C.syscall(CREATE_RULESET, ctypes.byref(wanted), size, 0), "Landlock")
    for path in readable:
        _allow(made, path, READ_FILE | READ_DIR if Path(path).is_dir() else READ_FILE)
    for path in DEVICES:
        _allow(made, path, READ_FILE | WRITE_FILE)
    return made


def _allow(ruleset_fd: int, path: str, rights: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there need not be allowed
    rule = _Beneath(rights, folder)
    try:
        _checked(_C.syscall(ADD_RULE, ruleset_fd, 1, ctypes.byref(rule), 0), "Landlock")
    finally:
        os.close(folder)


def restrict(ruleset_fd: int, program: bytes) -> None:
    """Take a ruleset and a seccomp program upon this process; either may be missing (-1, b"")."""
    _checked(_C.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    if ruleset_fd >= 0:
        _checked(_C.syscall(RESTRICT_SELF, ruleset_fd, 0), "Landlock")
    if program:
        code = ctypes.create_string_buffer(program, len(program))
        wanted = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
        _checked(_C.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(wanted), 0, 0), "seccomp")
