"""Attacks on the kernel: namespaces, mounts, and the subsystems that no exercise needs."""

from tests.attacks.attack import Attack, Either

ROOT = "only root may, or what a machine allows differs"


def denied(*names: str) -> dict[str, str]:
    """Return the evidence of calls that all fail with EPERM."""
    return dict.fromkeys(names, "EPERM")


ATTACKS = [
    Attack(
        84,
        "make namespaces and mount",
        """
NEWUSER, NEWNET = 0x10000000, 0x40000000


def double(x):
    if CONTROL:
        return kernel("unshare", 0x400)  # CLONE_FILES: its own table of open files, which anybody may have
    return {
        "user": kernel("unshare", NEWUSER),
        "network": kernel("unshare", NEWNET),
        "mount": kernel("mount", b"none", b"/tmp", b"tmpfs", 0, None),
        "umount": kernel("umount2", b"/proc", 2),
        "chroot": tried(os.chroot, "/"),
        "pivot_root": kernel("syscall", 155 if platform.machine() == "x86_64" else 41, b"/", b"/"),
        "setns": kernel("setns", 0, 0),
        "fsopen": kernel("fsopen", b"tmpfs", 0),
        "open_tree": kernel("open_tree", -100, b"/", 1),
    }
""",
        stops="seccomp",
        sees=denied("user", "network", "mount", "umount", "chroot", "pivot_root", "setns", "fsopen", "open_tree"),
        control="done",
    ),
    Attack(
        85,
        "use io_uring, bpf, perf, userfaultfd, keyrings",
        """
def double(x):
    found = {
        "io_uring": kernel("io_uring_setup", 1, ctypes.create_string_buffer(120)),
        "bpf": kernel("bpf", 0, None, 0),
        "perf": kernel("perf_event_open", None, 0, -1, -1, 0),
        "userfaultfd": kernel("userfaultfd", 1),
        "keyctl": kernel("keyctl", 0, -3, 0),
        "add_key": kernel("add_key", b"user", b"left", b"x", 1, -2),
    }
    return {name: found[name] for name in ("keyctl", "perf")} if CONTROL else found
""",
        stops="seccomp",
        sees=denied("io_uring", "bpf", "perf", "userfaultfd", "keyctl", "add_key"),
        control={"keyctl": Either("done", "ENOSYS"), "perf": Either("EFAULT", "EACCES", "ENOSYS")},
    ),
    Attack(
        86,
        "set the kernel's switches under /proc/sys",
        """
def double(x):
    names = ("kernel/core_pattern", "vm/drop_caches", "kernel/hostname")
    paths = [*(f"/proc/sys/{name}" for name in names), "/proc/sysrq-trigger", "/sys/kernel/uevent_helper"]
    return [tried(change, path) == "done" for path in paths] + [read("/proc/sys/kernel/core_pattern")]
""",
        stops="Landlock; no rights of root; bubblewrap's view is read-only",
        sees=[False] * 5 + ["EACCES"],
        text="EACCES",
        uncontrolled=ROOT,
    ),
    Attack(
        300,
        "start a process by the calls beneath fork",
        """
def double(x):
    if CONTROL:
        return {"clone3": kernel("clone3", None, 0)}
    arguments = ctypes.create_string_buffer(88)
    return {
        "clone3": kernel("clone3", arguments, 88),
        "clone": kernel("clone", 17, 0, 0, 0, 0),
        "clone, upper half set": kernel("clone", (1 << 32) + 17, 0, 0, 0, 0),
        "vfork": kernel("vfork") if platform.machine() == "x86_64" else "EPERM",
        "execveat": kernel("syscall", 322 if platform.machine() == "x86_64" else 281, -100, b"/bin/true", None, None, 0),
    }
""",
        stops="seccomp",
        sees=denied("clone", "clone, upper half set", "vfork", "execveat") | {"clone3": "ENOSYS"},
        control={"clone3": "EINVAL"},
    ),
    Attack(
        301,
        "load modules, kernels, swap; restart; set the clock and the host's name",
        """
def double(x):
    # none of these would do anything even if it were allowed: each has a wrong argument
    return {
        "module": kernel("init_module", None, 0, None),
        "kexec": kernel("kexec_load", 0, 99999, None, 0),
        "swap": kernel("swapon", b"", 0),
        "restart": kernel("syscall", 169 if platform.machine() == "x86_64" else 142, 0, 0, 0, None),
        "clock": tried(time.clock_settime, time.CLOCK_MONOTONIC, 0.0),
        "name": kernel("sethostname", None, 99999),
        "quota": kernel("quotactl", 0, None, 0, None),
        "log": kernel("klogctl", 3, None, 0),
        "account": kernel("acct", b""),
    }
""",
        stops="seccomp; no rights of root",
        sees=denied("module", "kexec", "swap", "restart", "clock", "name", "quota", "log", "account"),
        uncontrolled=ROOT,
    ),
    Attack(
        302,
        "change the layout of its memory and its kind of machine",
        """
def double(x):
    found = {"personality": kernel("personality", 0x0040000)}
    if platform.machine() == "x86_64" and not CONTROL:
        found["descriptor table"] = kernel("syscall", 154, 0, None, 0)
        found["ports"] = kernel("iopl", 3)
    return found
""",
        stops="seccomp",
        sees=Either(denied("personality"), denied("personality", "descriptor table", "ports")),
        text="EPERM",
        control={"personality": "done"},
    ),
    Attack(
        303,
        "act on memory of others, and move pages",
        """
def double(x):
    return {
        "process_madvise": kernel("process_madvise", 0, None, 0, 4, 0),
        "mount_setattr": kernel("mount_setattr", -1, b"", 0, None, 0),
        "pidfd_getfd": kernel("pidfd_getfd", 0, 0, 0),
        "fanotify": kernel("fanotify_init", 0, 0),
    }
""",
        stops="seccomp",
        sees=denied("process_madvise", "mount_setattr", "pidfd_getfd", "fanotify"),
        uncontrolled=ROOT,
    ),
    Attack(
        304,
        "call numbers that no kernel knows",
        """
def double(x):
    ctypes.set_errno(0)
    found = []
    for number in (600, 1023, 100_000):
        LIBC.syscall(ctypes.c_long(number))
        found.append(errno.errorcode[ctypes.get_errno()])
    return found
""",
        stops="the kernel",
        sees=["ENOSYS"] * 3,
        text="ENOSYS",
        uncontrolled="the kernel's rule",
    ),
    Attack(
        305,
        "make pages of machine code",
        """
import mmap


def double(x):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # mov eax, 57 (fork); syscall; ret
    page.write(bytes.fromhex("b8 39000000 0f05 c3".replace(" ", "")))
    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
""",
        stops="seccomp holds for code of every origin",
        sees=-1,
        text="EPERM",
        uncontrolled="the same as number 39",
        intel=True,
    ),
    Attack(
        306,
        "list what is mounted, and who is there",
        """
def double(x):
    return [read(f"/proc/{name}") for name in ("mounts", "self/mountinfo", "net/tcp", "self/status", "keys")]
""",
        stops="Landlock",
        sees=["EACCES"] * 5,
        text="EACCES",
        uncontrolled="what a machine shows differs",
    ),
]
