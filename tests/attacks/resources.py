"""Attacks that use up memory, disk, files or output, and those that crash the process."""

from tests.attacks.attack import Attack, Either, Ends

LIMIT = "the limits hold at every tier"
CRASH = "a crash is the process's own, at every tier"
CRASHED = Ends(("died",), "crashed")
MEMORY = Ends(("memory",), "more memory")


def bomb(number: int, name: str, source: str, torch: bool = False) -> Attack:
    """Return an attack that asks for more memory than there is."""
    return Attack(number, name, source, "a limit on memory", MEMORY, uncontrolled=LIMIT, torch=torch)


ATTACKS = [
    bomb(
        48,
        "fill memory with bytes",
        "def double(x):\n    kept = []\n    while True:\n        kept.append(bytearray(10**7))\n",
    ),
    bomb(49, "a tensor of 8 GiB", "import torch\n\n\ndef double(x):\n    return torch.ones(2**31)\n", torch=True),
    bomb(
        50, "an empty tensor of 1 TiB", "import torch\n\n\ndef double(x):\n    return torch.empty(2**38)\n", torch=True
    ),
    Attack(
        54,
        "put a tensor into shared memory",
        """
import torch


def double(x):
    return [type(tried_share(torch.zeros(4), how)).__name__ for how in ("file_descriptor", "file_system")]


def tried_share(tensor, how):
    torch.multiprocessing.set_sharing_strategy(how)
    try:
        return tensor.share_memory_()
    except RuntimeError as error:
        return error
""",
        stops="Landlock; no /dev/shm in bubblewrap's view",
        sees=["RuntimeError"] * 2,
        text="RuntimeError",
        control=["Tensor"] * 2,
        torch=True,
    ),
    Attack(
        55,
        "open files without end",
        """
def double(x):
    kept = []
    while len(kept) < 5000:
        try:
            kept.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            return [errno.errorcode[error.errno], len(kept) < 64]
    return ["done", False]
""",
        stops="a limit on open files",
        sees=["EMFILE", True],
        text="EMFILE before 64",
        uncontrolled=LIMIT,
    ),
    Attack(
        56,
        "write one big file",
        """
def write():
    with open(LEFT[0], "wb") as file:
        file.write(bytes(1000))


def double(x):
    return tried(write)
""",
        stops="Landlock: nothing can be written",
        sees=Either("EACCES", "EROFS"),
        control="done",
    ),
    Attack(
        57,
        "write many small files",
        """
def double(x):
    names = [f"{place}{number}" for place in LEFT for number in range(3)]
    made = [name for name in names if tried(touch, name) == "done"]
    for name in made:
        os.remove(name)
    return len(made)
""",
        stops="Landlock: nothing can be written",
        sees=0,
        text="none is made",
        control=12,
    ),
    Attack(
        58,
        "print 200 MB",
        """
def double(x):
    line = b"x" * (1 << 16)
    for _ in range(3200):
        os.write(1, line)
    return "printed"
""",
        stops="the grader keeps the last 4 KiB",
        sees="printed",
        text="nothing; 4 KiB are kept",
        uncontrolled=LIMIT,
    ),
    Attack(
        59,
        "recurse without end, with Python's own limit lifted",
        "def double(x):\n    sys.setrecursionlimit(10**9)\n    return double(x) + 1\n",
        stops="the size of the stack; a limit on memory; the grader's clock",
        sees=Ends(("died", "memory", "timeout", "raised")),
        text="a crash, or no memory",
        uncontrolled=CRASH,
        quick=True,
    ),
    Attack(
        60,
        "recurse in C, by a repr of nested lists and a class that answers itself",
        """
def double(x):
    nested = []
    for _ in range(10**5):
        nested = [nested]
    shown = tried(repr, nested)

    class Loop:
        def __getattr__(self, name):
            return getattr(self, name + "x")

    sys.setrecursionlimit(10**6)
    return [shown, Loop().y]
""",
        stops="the size of the stack; a limit on memory; the grader's clock",
        sees=Ends(("died", "memory", "timeout", "raised")),
        text="a crash, or no memory",
        uncontrolled=CRASH,
        quick=True,
    ),
    Attack(
        61,
        "read address 0",
        "def double(x):\n    return ctypes.string_at(0)\n",
        stops="only its own process ends",
        sees=CRASHED,
        uncontrolled=CRASH,
    ),
    Attack(
        62,
        "abort",
        "def double(x):\n    os.abort()\n",
        stops="only its own process ends",
        sees=Ends(("died",)),
        text="a crash: even this signal is forbidden",
        uncontrolled=CRASH,
    ),
    Attack(
        63,
        "overwrite None",
        "def double(x):\n    ctypes.memset(id(None), 0, 16)\n    return [None] * 10\n",
        stops="only its own process ends",
        sees=Ends(("died", "unsendable", "raised", "timeout")),
        text="a crash",
        uncontrolled=CRASH,
        quick=True,
    ),
    Attack(
        280,
        "keep memory where no limit counts it: nameless files and System V segments",
        """
def double(x):
    return {
        "memfd": tried(os.memfd_create, "hidden"),
        "secret memfd": kernel("memfd_secret", 0),
        "shmget": kernel("shmget", 0, 4096, 0o1600),
        "semget": kernel("semget", 0, 1, 0o1600),
        "msgget": kernel("msgget", 0, 0o1600),
        "mq_open": kernel("mq_open", b"/left", os.O_CREAT | os.O_RDWR, 0o600, None),
    } if not CONTROL else {"memfd": tried(os.memfd_create, "hidden")}
""",
        stops="seccomp",
        sees=dict.fromkeys(("memfd", "secret memfd", "shmget", "semget", "msgget", "mq_open"), "EPERM"),
        control={"memfd": "done"},
    ),
    Attack(
        281,
        "lock memory, and reserve all addresses",
        """
import mmap


def double(x):
    shared = "MemoryError"
    try:
        for power in range(30, 48):
            mmap.mmap(-1, 1 << power)
    except OSError as error:
        shared = errno.errorcode[error.errno]
    return {"mlock": kernel("mlock", ctypes.create_string_buffer(4096), 4096), "shared": shared}
""",
        stops="seccomp; a limit on memory",
        sees={"mlock": "EPERM", "shared": "ENOMEM"},
        uncontrolled=LIMIT,
    ),
    Attack(
        282,
        "print without end, from several threads, into the largest pipe there is",
        """
import fcntl


def flood():
    line = b"x" * (1 << 20)
    while True:
        os.write(1, line)


def double(x):
    tried(fcntl.fcntl, 1, 1031, 1 << 20)
    for _ in range(3):
        threading.Thread(target=flood, daemon=True).start()
    time.sleep(60)
""",
        stops="the grader's clock",
        sees=Ends(("timeout",)),
        uncontrolled=LIMIT,
        quick=True,
    ),
    Attack(
        283,
        "take all its own limits away, and answer the next question",
        """
import resource


def double(x):
    for name in ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_STACK"):
        resource.setrlimit(getattr(resource, name), (0, 0))
    return tried(os.open, "/dev/null", os.O_RDONLY)
""",
        stops="limits are its own process's",
        sees="EMFILE",
        text="its own limits",
        uncontrolled=LIMIT,
    ),
    Attack(
        284,
        "arm thousands of timers, which count for a whole user",
        """
def double(x):
    timer, armed = ctypes.c_void_p(), 0
    while armed < 200_000 and LIBC.timer_create(time.CLOCK_MONOTONIC, None, ctypes.byref(timer)) == 0:
        armed += 1
    return armed < 200_000
""",
        stops="a limit on pending signals",
        sees=True,
        text="EAGAIN",
        uncontrolled=LIMIT,
    ),
    Attack(
        285,
        "raise an exception whose message is 100 MB",
        """
def double(x):
    raise ValueError("x" * 10**8)
""",
        stops="500 characters are kept",
        sees=Ends(("raised",), "ValueError"),
        text="its own exception, cut off",
        uncontrolled=LIMIT,
    ),
    Attack(
        286,
        "write to its output file and to the worker's error output by number",
        """
def double(x):
    return [tried(os.write, 2, b"error\\n"), tried(os.write, 0, b"x"), tried(os.lseek, 1, 0, 0), tried(os.ftruncate, 1, 0)]
""",
        stops="both are one pipe to the grader; standard input is /dev/null",
        sees=["done", Either("EBADF", "done"), "ESPIPE", "EINVAL"],
        text="its own output",
        uncontrolled="no tier shares an output",
    ),
]
