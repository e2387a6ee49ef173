"""Attacks on what a process has given up: its limits, its user, its locks, and on rights that reach others."""

from tests.attacks.attack import Attack, Either, Per

HARD = "the kernel's hard limits hold at every tier, but for root"

ATTACKS = [
    Attack(
        71,
        "raise its own limits",
        """
import resource


def double(x):
    names = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_CORE")
    return {name: tried(higher, getattr(resource, name)) for name in names}


def higher(name):
    most = resource.getrlimit(name)[1] + 1
    resource.setrlimit(name, (most, most))
""",
        stops="hard limits",
        sees=dict.fromkeys(
            ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_CORE"), "ValueError"
        ),
        text="ValueError",
        uncontrolled=HARD,
    ),
    Attack(
        250,
        "have the kernel signal the worker when a pipe can be read",
        """
import fcntl

F_SETOWN, F_SETOWN_EX, F_SETSIG, FIOSETOWN, SIOCSPGRP = 8, 15, 10, 0x8901, 0x8902


def double(x):
    reader, writer = os.pipe()
    worker = os.getpid() if CONTROL else os.getppid()
    attempts = {
        "owner": (fcntl.fcntl, reader, F_SETOWN, worker),
        "owner, extended": (fcntl.fcntl, reader, F_SETOWN_EX, struct.pack("ii", 1, worker)),
        "by ioctl": (fcntl.ioctl, channel(), FIOSETOWN, struct.pack("i", worker)),
        "by another": (fcntl.ioctl, channel(), SIOCSPGRP, struct.pack("i", worker)),
    }
    found = {name: tried(*attempt) for name, attempt in attempts.items()}
    if not CONTROL:
        tried(fcntl.fcntl, reader, F_SETSIG, 9)
        tried(fcntl.fcntl, reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(writer, b"x")
        time.sleep(0.1)
    return found
""",
        stops="seccomp; Landlock from Linux 6.12 on",
        sees=dict.fromkeys(("owner", "owner, extended", "by ioctl", "by another"), "EPERM"),
        control=dict.fromkeys(("owner", "owner, extended", "by ioctl", "by another"), "done"),
    ),
    Attack(
        251,
        "open other processes as files",
        """
def double(x):
    return [kernel("pidfd_open", pid, 0) for pid in (os.getppid(), PID, os.getpid())]
""",
        stops="seccomp",
        sees=["EPERM"] * 3,
        text="EPERM",
        control=["done"] * 3,
    ),
    Attack(
        252,
        "compare what it shares with the worker",
        """
def double(x):
    return kernel("kcmp", os.getpid(), os.getpid() if CONTROL else os.getppid(), 2, 0, 0)
""",
        stops="seccomp",
        sees="EPERM",
        control=Either("done", "ENOSYS"),
    ),
    Attack(
        253,
        "leave its session and its group",
        """
def double(x):
    return {"setsid": tried(os.setsid), "setpgid": tried(os.setpgid, 0, os.getpgid(os.getppid()))} if not CONTROL else {
        "setsid": tried(os.setsid), "setpgid": tried(os.setpgid, 0, os.getpgrp())}
""",
        stops="seccomp",
        sees={"setsid": "EPERM", "setpgid": "EPERM"},
        uncontrolled="it leads its session already, so the kernel refuses it at every tier",
    ),
    Attack(
        254,
        "become another user",
        """
def double(x):
    attempts = (os.setuid, os.setgid, os.seteuid, os.setegid)
    found = {attempt.__name__: tried(attempt, 0) for attempt in attempts}
    return found | {"setgroups": tried(os.setgroups, [0]), "setresuid": tried(os.setresuid, 0, 0, 0)}
""",
        stops="seccomp; capabilities are given up",
        sees=dict.fromkeys(("setuid", "setgid", "seteuid", "setegid", "setgroups", "setresuid"), "EPERM"),
        uncontrolled="only root may",
    ),
    Attack(
        255,
        "undo what its process was locked into",
        """
DUMPABLE, DEATH_SIGNAL, MEMORY_MAP, TRACER = 4, 1, 35, 0x59616D61
HIGH = 1 << 32  # the kernel looks at the lower half only


def double(x):
    found = {
        "dumpable": kernel("prctl", DUMPABLE, 1, 0, 0, 0),
        "dumpable, upper half set": kernel("prctl", DUMPABLE + HIGH, 1, 0, 0, 0),
        "death signal": kernel("prctl", DEATH_SIGNAL, 0, 0, 0, 0),
        "tracer": kernel("prctl", TRACER, PID, 0, 0, 0),
    }
    return found if CONTROL else found | {"memory map": kernel("prctl", MEMORY_MAP, 8, 0, 0, 0)}
""",
        stops="seccomp",
        sees=dict.fromkeys(("dumpable", "dumpable, upper half set", "death signal", "tracer", "memory map"), "EPERM"),
        control={"dumpable": "done", "dumpable, upper half set": "done", "death signal": "done"}
        | {"tracer": Either("done", "EINVAL")},
    ),
    Attack(
        256,
        "take a looser Landlock ruleset and a looser filter upon itself",
        """
ALLOW = struct.pack("HBBI", 6, 0, 0, 0x7FFF0000)


def double(x):
    wanted = struct.pack("=Q", 1 << 1)
    ruleset = LIBC.syscall(ctypes.c_long(NUMBERS["landlock_create_ruleset"]), wanted, ctypes.c_long(8), 0)
    code = ctypes.create_string_buffer(ALLOW, 8)
    program = struct.pack("HxxxxxxQ", 1, ctypes.addressof(code))
    taken = [kernel("landlock_restrict_self", ruleset, 0), kernel("prctl", 22, 2, program, 0, 0)]
    return {"read": read(REFERENCE), "fork": tried(os.fork)} if "done" in taken or not CONTROL else taken
""",
        stops="both only ever add to what is forbidden",
        sees=Per({"read": "ENOENT", "fork": "EPERM"}, {"read": "EACCES", "fork": "EPERM"}),
        uncontrolled="the kernel's rule",
    ),
    Attack(
        257,
        "starve others of limits that count for a whole user",
        """
import fcntl


def double(x):
    context = ctypes.c_ulong()
    pipes = [fcntl.fcntl(os.pipe()[1], 1031, 1 << 20) for _ in range(4)]
    return {"disk queues": kernel("io_setup", 16, ctypes.byref(context)), "pipes": len(pipes)}
""",
        stops="seccomp; a user and a limit on open files of its own",
        sees={"disk queues": Either("EPERM", "ENOSYS"), "pipes": 4},
        text="EPERM for queues of the kernel",
        control={"disk queues": Either("done", "ENOSYS"), "pipes": 4},
    ),
    Attack(
        258,
        "be asked by the kernel about its own system calls, and allow them",
        """
ASK, ALLOW = 0x7FC00000, 0x7FFF0000


def double(x):
    steps = ((0x20, 0, 0, 0), (0x15, 0, 1, NUMBERS["clone"]), (6, 0, 0, ASK), (6, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps), 32)
    program = struct.pack("HxxxxxxQ", 4, ctypes.addressof(code))
    LIBC.prctl(38, 1, 0, 0, 0)
    listener = LIBC.syscall(ctypes.c_long(317 if platform.machine() == "x86_64" else 277), 1, 8, program)
    return [listener >= 0, tried(os.fork)]
""",
        stops="of two filters the stricter one holds",
        sees=[Either(True, False), "EPERM"],
        text="EPERM",
        uncontrolled="without another filter the first call would wait forever",
    ),
]
