"""Attacks on secrets: to read the reference, another's file, a token, memory."""

from tests.attacks.attack import HIDDEN, LEAK, Attack, Either, Per

ATTACKS = [
    Attack(
        1,
        "open the reference by its path",
        """
def double(x):
    return read(REFERENCE)
""",
        stops="bubblewrap's view; Landlock",
        sees=HIDDEN,
        control=LEAK,
    ),
    Attack(
        2,
        "read and change another student's file",
        """
def double(x):
    return {"read": read(OTHER), "write": tried(change, OTHER)}
""",
        stops="bubblewrap's view; Landlock",
        sees=Per({"read": "ENOENT", "write": "ENOENT"}, {"read": "EACCES", "write": "EACCES"}),
        control=LEAK,
    ),
    Attack(
        3,
        "walk the disk for files named like the exercise",
        """
def double(x):
    tops = [COURSE] if CONTROL else ["/", "/home", "/root", "/tmp", "/var", "/proc", COURSE]
    return sorted(top for top in tops for _, _, names in os.walk(top) if "double.py" in names)[:1] != []
""",
        stops="bubblewrap's view; Landlock",
        sees=False,
        text="no such file anywhere",
        control=True,
    ),
    Attack(
        4,
        "go through another process's root and working folder",
        """
def double(x):
    if CONTROL:
        return read(f"/proc/{PID}/root{REFERENCE}")
    places = (f"/proc/{os.getppid()}/root", "/proc/1/root", "/proc/1/cwd", f"/proc/{os.getppid()}/cwd")
    return [read(f"{place}{REFERENCE}") for place in places] + [tried(os.listdir, place) for place in places]
""",
        stops="Landlock",
        sees=["EACCES"] * 8,
        text="EACCES",
        control=LEAK,
    ),
    Attack(
        5,
        "look for tokens in environments",
        """
def double(x):
    if CONTROL:
        return read(f"/proc/{PID}/environ")
    others = [f"/proc/{pid}/environ" for pid in ("self", os.getppid(), 1)]
    return [name for name in os.environ if "TOKEN" in name] + [read(path) for path in others]
""",
        stops="an environment of its own; Landlock",
        sees=["EACCES"] * 3,
        text="no token among its own; EACCES for others'",
        control=LEAK,
    ),
    Attack(
        6,
        "read the worker's memory, environment and open files under /proc",
        """
def double(x):
    worker = f"/proc/{os.getppid()}"
    # where only parents may trace, mem is closed without a fence too
    found = {name: read(f"{worker}/{name}") for name in ("environ", "maps") + (() if CONTROL else ("mem",))}
    found["fd"] = tried(os.listdir, f"{worker}/fd")
    return {name: text if text.startswith("E") and len(text) < 8 else "done" for name, text in found.items()}
""",
        stops="Landlock; the worker is not dumpable",
        sees={"environ": "EACCES", "maps": "EACCES", "mem": "EACCES", "fd": "EACCES"},
        control={"environ": "done", "maps": "done", "fd": "done"},
    ),
    Attack(
        7,
        "search frames, modules and the garbage collector for expected values",
        """
import gc

planted = ["".join(HALVES)] if CONTROL else []


def double(x):
    frame, found = sys._getframe(), gc.get_objects()
    while frame:
        found += [frame.f_locals, frame.f_globals]
        frame = frame.f_back
    return sorted({type(item).__name__ for item in found if holds(item)})


def holds(item):
    if not isinstance(item, (dict, list, tuple, str)):
        return False
    parts = [*item, *item.values()] if isinstance(item, dict) else [item] if isinstance(item, str) else [*item]
    return any(isinstance(part, str) and part.partition(HALVES[0])[2].startswith(HALVES[1]) for part in parts)
""",
        stops="answers are never in this process",
        sees=[],
        control=["list"],
    ),
    Attack(
        8,
        "search its own memory for expected values",
        """
import gc

planted = "".join(HALVES) if CONTROL else ""


def double(x):
    found = 0
    for item in gc.get_objects():
        for part in (item.values() if isinstance(item, dict) else [item]):
            data = ctypes.string_at(id(part), sys.getsizeof(part))
            found += data.partition(HALVES[0].encode())[2].startswith(HALVES[1].encode())
    return {"own memory": found > 0, "/proc/self/mem": tried(open, "/proc/self/mem", "rb")}
""",
        stops="answers are never in this process; Landlock",
        sees={"own memory": False, "/proc/self/mem": "EACCES"},
        control={"own memory": True, "/proc/self/mem": "done"},
    ),
    Attack(
        10,
        "ask which files of the machine exist",
        """
def double(x):
    return [os.path.exists(path) for path in (REFERENCE, SECRET, OTHER, "/etc/passwd", "/sys/kernel")]
""",
        stops="bubblewrap's view; in tier B nothing",
        sees=Per([False] * 5, [True] * 5),
        text="nothing exists (A); that a file exists, and its size, but no list of names (B)",
        control=[True] * 5,
    ),
    Attack(
        11,
        "hide a command in weights that torch.load unpickles",
        """
import io, pickle, subprocess, torch


class Weights:
    def __reduce__(self):
        return command, ()


def command():
    found.append(tried(subprocess.run, ["true"]))


found = []


def double(x):
    tried(torch.load, io.BytesIO(pickle.dumps({"w": Weights()})), weights_only=False)
    return found[:1]
""",
        stops="seccomp: no process starts; the grader unpickles nothing",
        sees=["EPERM"],
        control=["done"],
        torch=True,
    ),
    Attack(
        202,
        "change into the folder, then open by a relative path",
        """
def double(x):
    folder, name = os.path.split(REFERENCE)
    entered = tried(os.chdir, folder)
    return [entered, read(name)]
""",
        stops="bubblewrap's view; Landlock, which looks at the file and not at its name",
        sees=Per(["ENOENT", "ENOENT"], ["done", "EACCES"]),
        control=LEAK,
    ),
    Attack(
        203,
        "hold a file with O_PATH, then open it anew through /proc/self/fd",
        """
def double(x):
    try:
        fd = os.open(REFERENCE, os.O_PATH)
        folder = os.open(os.path.dirname(REFERENCE), os.O_PATH)
    except OSError as error:
        return [errno.errorcode[error.errno]] * 2
    return [read(f"/proc/self/fd/{fd}"), tried(os.open, "double.py", os.O_RDONLY, dir_fd=folder)]
""",
        stops="bubblewrap's view; Landlock",
        sees=Per(["ENOENT"] * 2, ["EACCES"] * 2),
        control=LEAK,
    ),
    Attack(
        204,
        "look for open files that were inherited",
        """
def double(x):
    kinds = {}
    for fd in range(1024):
        try:
            kinds[fd] = stat.S_IFMT(os.fstat(fd).st_mode)
        except OSError:
            continue
    return sorted(kinds.values()) == sorted([stat.S_IFCHR, stat.S_IFIFO, stat.S_IFIFO, stat.S_IFSOCK])
""",
        stops="the fork closes them",
        sees=True,
        text="/dev/null, its output and its connection",
        uncontrolled="no tier inherits more",
    ),
    Attack(
        205,
        "open terminals and devices",
        """
def double(x):
    names = ("tty", "ptmx", "mem", "kmsg", "fuse", "kvm", "net/tun", "console", "snd/seq", "full")
    return {name: tried(os.open, f"/dev/{name}", os.O_RDWR) == "done" for name in names}
""",
        stops="bubblewrap's view; Landlock",
        sees=dict.fromkeys(("tty", "ptmx", "mem", "kmsg", "fuse", "kvm", "net/tun", "console", "snd/seq"), False)
        | {"full": True},
        text="none but null, zero, full, random, urandom",
        uncontrolled="which devices a machine has differs",
    ),
    Attack(
        210,
        "watch another's files",
        """
def double(x):
    watch = LIBC.inotify_init1(0)
    if watch < 0:
        return errno.errorcode[ctypes.get_errno()]
    return "done" if LIBC.inotify_add_watch(watch, os.fsencode(OTHER), 0xFFF) >= 0 else "stopped"
""",
        stops="seccomp",
        sees="EPERM",
        control="done",
    ),
    Attack(
        211,
        "open a file by its handle, past all folders",
        """
def double(x):
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + bytes(128))
    found = kernel("name_to_handle_at", -100, os.fsencode(OTHER), handle, ctypes.byref(ctypes.c_int()), 0)
    return {"name_to_handle_at": found} | ({} if CONTROL else {"open": kernel("open_by_handle_at", -100, handle, 0)})
""",
        stops="seccomp",
        sees={"name_to_handle_at": "EPERM", "open": "EPERM"},
        control={"name_to_handle_at": Either("done", "EOPNOTSUPP")},
    ),
]
