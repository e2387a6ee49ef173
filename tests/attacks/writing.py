"""Attacks that change files: what others import, what is another's, what comes after."""

from tests.attacks.attack import LEAK, Attack, Either, Per

# Landlock allows no file to be written; in tier A everything is mounted read-only beside
NO_WRITING = Either("EACCES", "EROFS")

ATTACKS = [
    Attack(
        9,
        "change what others import: a library, a .pth file, the worker's own code",
        """
def double(x):
    if CONTROL:
        return tried(change, LIBRARY)
    frame = sys._getframe()
    while frame.f_back:
        frame = frame.f_back
    worker = frame.f_code.co_filename
    folders = [path for path in sys.path if path.endswith("packages")]
    paths = [worker, os.__file__, json.__file__, *(f"{folder}/usercustomize.py" for folder in folders)]
    return sorted({tried(touch, path) for path in paths} | {tried(change, path) for path in paths[:3]})
""",
        stops="bubblewrap's view is read-only; Landlock",
        sees=Per(Either(["EROFS"], ["EACCES"], ["EACCES", "EROFS"]), ["EACCES"]),
        text="EACCES or EROFS",
        control="done",
    ),
    Attack(
        201,
        "make links to the reference, and move it",
        """
def double(x):
    attempts = (os.symlink, os.link, os.rename, os.replace)
    return [tried(attempt, REFERENCE, LEFT[0]) for attempt in attempts] if not CONTROL else [
        tried(os.symlink, REFERENCE, LEFT[0]), read(LEFT[0])]
""",
        stops="Landlock",
        sees=Per(
            [NO_WRITING, "ENOENT", "ENOENT", "ENOENT"],
            ["EACCES", Either("EACCES", "EXDEV", "EPERM"), Either("EACCES", "EXDEV"), Either("EACCES", "EXDEV")],
        ),
        text="EACCES, ENOENT or EXDEV",
        control=LEAK,
    ),
    Attack(
        206,
        "change mode, owner, times and attributes of another's file",
        """
def double(x):
    kept = os.stat(OTHER) if CONTROL else os.stat("/")
    attempts = {
        "chmod": (os.chmod, OTHER, 0o666),
        "chown": (os.chown, OTHER, kept.st_uid, -1),
        "utime": (lambda path: os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns)), OTHER),
        "fchmod": (os.fchmod, os.pipe()[0], 0o600),
    }
    return {name: tried(*attempt) for name, attempt in attempts.items()}
""",
        stops="seccomp",
        sees=dict.fromkeys(("chmod", "chown", "utime", "fchmod"), "EPERM"),
        control=dict.fromkeys(("chmod", "chown", "utime", "fchmod"), "done"),
    ),
    Attack(
        207,
        "the same by calls that are newer than the filter's library",
        """
def double(x):
    value = ctypes.create_string_buffer(b"x")
    wanted = struct.pack("=QII", ctypes.addressof(value), 1, 0)
    pipe = os.pipe()[0]
    path = os.fsencode(OTHER)
    return {
        "fchmodat2": kernel("fchmodat2", pipe, b"", 0o600, 0x1000),
        "setxattrat": kernel("setxattrat", -100, path, 0, b"user.mark", wanted, len(wanted)),
        "file_setattr": kernel("file_setattr", -100, path, 0, 24, 0),
        "open_tree_attr": kernel("open_tree_attr", -100, b"/", 0, 0, 0),
    }
""",
        stops="seccomp",
        sees=dict.fromkeys(("fchmodat2", "setxattrat", "file_setattr", "open_tree_attr"), Either("EPERM", "ENOSYS")),
        control={"fchmodat2": "done", "setxattrat": "done", "file_setattr": "EFAULT", "open_tree_attr": "done"},
    ),
    Attack(
        208,
        "cut off a file by its path",
        """
def double(x):
    return tried(os.truncate, OTHER, os.stat(OTHER).st_size if CONTROL else 0)
""",
        stops="bubblewrap's view; seccomp; Landlock",
        sees=Per(Either("ENOENT", "EPERM"), Either("EACCES", "EPERM")),
        control="done",
    ),
    Attack(
        209,
        "make files of every kind in its own folder",
        """
import socket


def double(x):
    attempts = {"file": (touch, LEFT[0]), "folder": (os.mkdir, LEFT[0]), "link": (os.symlink, "/", LEFT[0])}
    more = {"fifo": (os.mkfifo, LEFT[0]), "nameless": (os.open, ".", os.O_TMPFILE | os.O_RDWR)}
    found = {}
    for name, attempt in (attempts | more).items():
        found[name] = tried(*attempt)
        if found[name] == "done" and name != "nameless":
            (os.rmdir if name == "folder" else os.remove)(LEFT[0])
    return found
""",
        stops="Landlock; seccomp",
        sees=dict.fromkeys(("file", "folder", "link"), NO_WRITING)
        | {"fifo": "EPERM", "nameless": Either("EACCES", "EROFS", "EOPNOTSUPP")},
        text="EACCES or EROFS; EPERM for special files",
        control=dict.fromkeys(("file", "folder", "link", "fifo"), "done") | {"nameless": Either("done", "EOPNOTSUPP")},
    ),
]
