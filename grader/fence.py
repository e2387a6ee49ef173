"""What stands between a submission and the machine: the command that starts a worker behind it.

- A: bubblewrap (own view of the files, own processes, no network), seccomp and Landlock;
- B: seccomp and Landlock;
- C: a process of its own with limits: enough for one's own files, nothing against a hostile one.

Which of them works here is found by trying (tier.py), never by names of systems.
"""

import os
import shutil
import site
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Tier = Literal["A", "B", "C"]

PACKAGE = Path(__file__).parent
INSIDE = "/engine/grader"  # where the package lies in bubblewrap's view
# Of the grader's environment only this reaches the worker: where the linker finds CUDA, and which GPU.
PASSED = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SYSTEMROOT")
DEVICES = ("null", "zero", "full", "random", "urandom")
# bubblewrap, the worker and the submission itself count for the limit of processes too
OWN_PROCESSES = 3
# what kind of processor this is: torch chooses its code by that, and some operations refuse to run without
PROCESSOR = ("/proc/cpuinfo", "/sys/devices/system/cpu")
# what systemd takes for services that need a user of their own
FIRST_UID, UIDS = 61184, 4336


@dataclass(frozen=True, slots=True)
class Fence:
    """How workers are started.

    Attributes:
        tier: "A", "B" or "C".
        program: of seccomp, b"" for none.
        landlock: whether Landlock is used.
        root: whether the grader runs as root, so that workers must become someone else.
    """

    tier: Tier = "C"
    program: bytes = field(default=b"", repr=False)
    landlock: bool = False
    root: bool = False

    @property
    def inside(self) -> bool:
        """Whether the worker has a view of its own: other process numbers, other paths."""
        return self.tier == "A"

    def orders(self, preload: tuple[str, ...], uid: int) -> dict[str, object]:
        """Return what the worker is told first."""
        return {
            "preload": list(preload),
            "program": self.program,
            "readable": readable() if self.landlock else [],
            # before version 3 a file that may be read can be emptied, where it lies on no read-only mount
            "landlock": 1 if self.inside else 3,
            "uid": uid,
            "hidden": self.tier != "C",
        }

    def uid(self) -> int:
        """Return the user that the next worker becomes, 0 for the one it is started as.

        Each has one of its own: the limit of processes is counted by user.
        """
        if not self.root:
            return 0
        return FIRST_UID + int.from_bytes(os.urandom(4), "big") % UIDS

    def command(self, control: int) -> list[str]:
        """Return the command of a worker that is controlled through a socket."""
        package = INSIDE if self.inside else str(PACKAGE)
        python = [_python(), "-s", "-S", "-B", "-P", "-X", "utf8"]
        worker = [*python, f"{package}/worker/__main__.py", str(control), *libraries()]
        return [*self._bubble(), *worker] if self.inside else worker

    def environment(self, home: str) -> dict[str, str]:
        """Return the environment of the command; bubblewrap itself shows its own, so it gets no other."""
        passed = {name: os.environ[name] for name in PASSED if name in os.environ} if self.tier == "C" else {}
        return passed | {
            "HOME": home,
            "TMPDIR": home,
            "TORCHINDUCTOR_CACHE_DIR": home,  # the first optimizer makes it, unless it is there
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            # the same order of sets in every run, and one thread: a fork with several would hang
            "PYTHONHASHSEED": "0",
            "CUDA_CACHE_DISABLE": "1",  # its files would exceed the limit of a file's size
            **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        }

    def _bubble(self) -> list[str]:
        """Return bubblewrap and its options: a read-only view of Python and the system's libraries."""
        # As root no user namespace is made: in one, root would still own what root owns outside.
        # The worker gives root up at once (worker/lock.py).
        alone = "--unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup-try".split()
        kept = "--cap-drop ALL --cap-add CAP_SETUID --cap-add CAP_SETGID".split()
        return [
            shutil.which("bwrap") or "bwrap",
            *([*alone, *kept] if self.root else ["--unshare-all", "--unshare-user"]),
            *"--die-with-parent --new-session --hostname grader".split(),
            *_view(),
            *"--proc /proc --ro-bind /proc/sys /proc/sys --perms 0755 --dir /dev".split(),
            *(option for name in DEVICES for option in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")),
            *"--symlink /proc/self/fd /dev/fd".split(),
            *f"--ro-bind {PACKAGE} {INSIDE} --chdir / --remount-ro /".split(),
        ]


def _view() -> Iterator[str]:
    """Yield the options for the folders that a worker sees."""
    shown = [path for path in ("/usr", "/etc/ld.so.cache", "/etc/alternatives") if Path(path).exists()]
    for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if Path(path).is_symlink():
            yield from ("--symlink", str(Path(path).readlink()), path)
        elif Path(path).exists():
            shown.append(path)
    shown += [path for path in PROCESSOR if path.startswith("/sys") and Path(path).exists()]
    shown += [path for path in (sys.base_prefix, *libraries()) if not Path(path).is_relative_to("/usr")]
    # what bubblewrap makes on the way to a path may be entered by its own user only
    for folder in dict.fromkeys(str(parent) for path in [*shown, INSIDE] for parent in reversed(Path(path).parents)):
        if folder != "/":
            yield from ("--perms", "0755", "--dir", folder)
    for path in shown:
        yield from ("--ro-bind", path, path)


def libraries() -> list[str]:
    """Return the folders of installed packages: the course itself must not be importable."""
    paths = dict.fromkeys([*site.getsitepackages(), *sys.path])
    return [path for path in paths if Path(path).name in ("site-packages", "dist-packages") and Path(path).is_dir()]


def readable() -> list[str]:
    """Return what a submission may read: Python, the installed packages, the system's libraries."""
    system = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/alternatives")
    return [*system, *PROCESSOR, sys.base_prefix, *libraries()]


def exposed(path: Path) -> str:
    """Return the folder that shows a path to submissions, "" if none does.

    A course in such a folder could be read from behind any fence.
    """
    place = path.resolve()
    return next((shown for shown in readable() if place.is_relative_to(Path(shown).resolve())), "")


def _python() -> str:
    """Return the interpreter itself: an environment's link to it leads nowhere in another view."""
    return str(Path(sys.executable).resolve())
