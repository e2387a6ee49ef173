"""Attacks by starting processes and threads."""

from tests.attacks.attack import Attack, Either, Ends

HARD = "the kernel's hard limits hold at every tier, but for root"
SYSCALL = Ends(("died",), "another kind of machine")
MACHINE_CODE = """
import mmap


def execute(code):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""

ATTACKS = [
    Attack(
        39,
        "fork",
        """
def fork():
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def double(x):
    return tried(fork)
""",
        stops="seccomp",
        sees="EPERM",
        control="done",
    ),
    Attack(
        40,
        "a fork bomb of 300",
        """
def double(x):
    born = 0
    for _ in range(3 if CONTROL else 300):
        try:
            if os.fork() == 0:
                os._exit(0)
            born += 1
            os.wait()
        except OSError:
            continue
    return born
""",
        stops="seccomp; a limit on processes",
        sees=0,
        text="no child",
        control=3,
    ),
    Attack(
        41,
        "leave a daemon in a session of its own",
        """
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 64)
            time.sleep(60)
        os._exit(0)
    os.wait()


def double(x):
    return tried(daemon)
""",
        stops="seccomp; the worker adopts orphans and kills them",
        sees="EPERM",
        control="done",
    ),
    Attack(
        42,
        "multiprocessing",
        """
import multiprocessing


def work():
    pass


def start():
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()


def double(x):
    queue = "" if CONTROL else tried(multiprocessing.Queue)
    return {"process": tried(start), "queue": queue in ("", "EACCES", "ENOENT", "EPERM", "ENOSYS", "EROFS", "ImportError")}
""",
        stops="seccomp; Landlock",
        sees={"process": "EPERM", "queue": True},
        text="EPERM",
        control={"process": "done", "queue": True},
    ),
    Attack(
        43,
        "run a command, by every way that Python has",
        """
import subprocess


def double(x):
    return {
        "subprocess": tried(subprocess.run, ["true"]),
        "posix_spawn": tried(lambda: os.waitpid(os.posix_spawn("/usr/bin/true", ["true"], {}), 0)),
        "system": os.system("true") == 0,
        "popen": tried(lambda: os.popen("true").close()),
        "execve": tried(os.execve, "/nowhere", ["nowhere"], {}),
    }
""",
        stops="seccomp",
        sees={"subprocess": "EPERM", "posix_spawn": "EPERM", "system": False, "popen": "EPERM", "execve": "EPERM"},
        control={"subprocess": "done", "posix_spawn": "done", "system": True, "popen": "done", "execve": "ENOENT"},
    ),
    Attack(
        44,
        "compile an extension with torch",
        """
from torch.utils import cpp_extension


def double(x):
    return tried(cpp_extension.load_inline, "bad", "int f() { return 1; }", functions=["f"]) != "done"
""",
        stops="seccomp: no compiler starts",
        sees=True,
        text="an error",
        uncontrolled="not every machine has a compiler",
        torch=True,
    ),
    Attack(
        45,
        "start threads without end",
        """
def double(x):
    threading.stack_size(32768)
    over, started = threading.Event(), 0
    try:
        while started < 1000:
            threading.Thread(target=over.wait).start()
            started += 1
    except RuntimeError:
        pass
    over.set()
    return started < 400
""",
        stops="a limit on processes, which counts threads",
        sees=True,
        text="fewer than 400 threads",
        uncontrolled=HARD,
    ),
    Attack(
        46,
        "fork by a 32-bit system call, past a filter of 64-bit ones",
        MACHINE_CODE
        + """

def double(x):
    # push rbx; mov eax, 2 (fork); int 0x80; pop rbx; ret
    pid = execute(bytes.fromhex("53 b8 02000000 cd80 5b c3".replace(" ", "")))
    if pid == 0:
        os._exit(0)
    return "done" if pid > 0 else "stopped"
""",
        stops="seccomp, which looks at the kind of machine first",
        sees=SYSCALL,
        text="SIGSYS",
        control=Either("done", "stopped"),
        intel=True,
    ),
    Attack(
        47,
        "fork by an x32 system call",
        """
def double(x):
    ctypes.set_errno(0)
    pid = LIBC.syscall(ctypes.c_long(0x40000000 + 57))
    if pid == 0:
        os._exit(0)
    return "done" if pid > 0 else errno.errorcode[ctypes.get_errno()]
""",
        stops="seccomp, which looks at the kind of machine first",
        sees=SYSCALL,
        text="SIGSYS",
        control=Either("done", "ENOSYS"),
        intel=True,
    ),
]
