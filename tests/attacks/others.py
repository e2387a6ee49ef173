"""Attacks on other processes, the worker, the grader, its neighbours, and on the next submission."""

from tests.attacks.attack import LEAK, Attack, Either, Ends, Per

FORK = "a fork is a fork at every tier"

ATTACKS = [
    Attack(
        64,
        "signal the worker, its group, process 1, everything",
        """
def double(x):
    # signal 0 only asks whether one may
    worker = os.getppid()
    attempts = {"worker": (os.kill, worker, 0), "group": (os.killpg, os.getpgid(worker), 0), "first": (os.kill, 1, 0)}
    if CONTROL:
        return tried(os.kill, worker, 0)
    found = {name: tried(*attempt) for name, attempt in attempts.items()}
    return found | {"all": tried(os.kill, -1, 0), "neighbour": tried(os.kill, PID, 0), "self": tried(os.kill, os.getpid(), 0)}
""",
        stops="seccomp; Landlock",
        sees=dict.fromkeys(("worker", "group", "first", "all", "neighbour", "self"), "EPERM"),
        control="done",
    ),
    Attack(
        65,
        "trace the worker or a neighbour",
        """
ATTACH, DETACH, TRACEME = 16, 17, 0


def attach(pid):
    found = kernel("ptrace", ATTACH, pid, None, None)
    if found == "done":
        os.waitpid(pid, 0x40000000)  # __WALL
        kernel("ptrace", DETACH, pid, None, None)
    return found


def double(x):
    if CONTROL:
        return attach(PID)
    return [attach(PID), attach(os.getppid()), kernel("ptrace", TRACEME, 0, None, None)]
""",
        stops="seccomp; Landlock; the worker is not dumpable",
        sees=["EPERM"] * 3,
        text="EPERM",
        control="done",
    ),
    Attack(
        66,
        "read a neighbour's memory",
        """
def peek(pid, address, size):
    buffer = ctypes.create_string_buffer(size)
    local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), size)
    there = (ctypes.c_void_p * 2)(address, size)
    found = kernel("process_vm_readv", pid, local, 1, there, 1, 0)
    return buffer.value.decode("ascii", "replace") if found == "done" else found


def double(x):
    if CONTROL:
        return peek(PID, ADDRESS, 16)
    return [peek(PID, ADDRESS, 16), peek(os.getppid(), id(x), 16)]
""",
        stops="seccomp; Landlock; the worker is not dumpable",
        sees=["EPERM"] * 2,
        text="EPERM",
        control=LEAK,
    ),
    Attack(
        67,
        "change the limits of the worker and of a neighbour",
        """
import resource


def double(x):
    now = resource.getrlimit(resource.RLIMIT_NOFILE)
    return [tried(resource.prlimit, pid, resource.RLIMIT_NOFILE, now) for pid in (os.getppid(), PID)]
""",
        stops="seccomp",
        sees=["EPERM"] * 2,
        text="EPERM",
        control=["done"] * 2,
    ),
    Attack(
        68,
        "change the priority and the processors of the worker",
        """
def double(x):
    worker, mine = os.getppid(), os.sched_getaffinity(0)
    return {
        "priority": tried(os.setpriority, os.PRIO_PROCESS, worker, os.getpriority(os.PRIO_PROCESS, worker)),
        "processors": tried(os.sched_setaffinity, worker, mine),
        "its own": tried(os.sched_setaffinity, 0, mine),
        "nice": tried(os.nice, 0),
        "schedule": tried(os.sched_setscheduler, worker, os.SCHED_OTHER, os.sched_param(0)),
        "disk": kernel("ioprio_set", 1, worker, 0),
    }
""",
        stops="seccomp",
        sees=dict.fromkeys(("priority", "processors", "its own", "nice", "schedule", "disk"), "EPERM"),
        control=dict.fromkeys(("priority", "processors", "its own", "nice", "schedule", "disk"), "done"),
    ),
    Attack(
        69,
        "make the system rather kill the worker than itself",
        """
def double(x):
    return [tried(change, f"/proc/{pid}/oom_score_adj") for pid in (os.getppid(), "self")]
""",
        stops="Landlock",
        sees=["EACCES"] * 2,
        text="EACCES",
        control=["done"] * 2,
    ),
    Attack(
        72,
        "type into the grader's terminal",
        """
import fcntl


def double(x):
    high = 1 << 32  # the kernel looks at the lower half only
    ways = [tried(fcntl.ioctl, 0, 0x5412, b"x"), kernel("ioctl", 0, 0x5412 + high, b"x"), kernel("ioctl", 0, 0x541C, b"x")]
    return ways + [tried(os.open, "/dev/tty", os.O_RDWR) == "done"]
""",
        stops="seccomp; no terminal in its session",
        sees=["EPERM", "EPERM", "EPERM", False],
        text="EPERM",
        uncontrolled="newer kernels forbid it to all",
    ),
    Attack(
        73,
        "leave files for the next submission",
        """
def double(x):
    return [tried(touch, path) for path in LEFT]
""",
        stops="Landlock: nothing can be written",
        sees=Per([Either("EROFS", "EACCES", "ENOENT")] * 4, [Either("EACCES", "ENOENT")] * 4),
        text="EACCES, EROFS or ENOENT",
        control=["done"] * 4,
    ),
    Attack(
        74,
        "poison torch for the next submission",
        """
import torch

torch.allclose = lambda *_, **__: True
torch.Tensor.add = torch.Tensor.__add__ = lambda *_: torch.zeros(1)
torch.set_default_dtype(torch.float64)


def double(x):
    return torch.zeros(1)
""",
        stops="each submission is a fork of a clean worker",
        sees=Ends(("value",)),
        text="its own wrong tensor",
        uncontrolled=FORK,
        torch=True,
    ),
    Attack(
        75,
        "set environment variables that loaders obey",
        """
def double(x):
    os.environ |= {"LD_PRELOAD": "/tmp/evil.so", "PYTHONPATH": "/tmp", "PYTHONSTARTUP": "/tmp/evil.py"}
    return len([name for name in ("LD_PRELOAD", "PYTHONPATH") if name in os.environ])
""",
        stops="its environment is its own process's",
        sees=2,
        text="its own environment only",
        uncontrolled=FORK,
    ),
    Attack(
        76,
        "hook into the interpreter",
        """
def double(x):
    sys.addaudithook(lambda *_: None)
    sys.settrace(lambda *_: None)
    sys.setprofile(lambda *_: None)
    sys.meta_path.clear()
    threading.settrace(lambda *_: None)
    return "hooked"
""",
        stops="each submission is a fork of a clean worker",
        sees="hooked",
        text="its own interpreter only",
        uncontrolled=FORK,
    ),
]
