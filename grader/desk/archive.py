"""A zip, read in memory: nothing is unpacked to disk, no claim of its headers is believed.

A student's zip is opened only if it is small and lists few files. What is read of it is bounded, whatever its
headers claim; of the methods of packing only "stored" and "deflate" are read, whose readers can be bounded.
"""

import io
import stat
import zipfile
from functools import partial
from pathlib import Path
from typing import IO

from grader.desk.item import DEPTH, ENTRIES, Item, Unreadable, is_noise, shown
from grader.errors import UsageError

LARGEST = 64 << 20  # bytes of a zip that a student hands in
UNPACKED = 512 << 20  # bytes that it may claim to hold
_CENTRAL = b"PK\x01\x02"  # begins the description of a file in a zip
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_REGULAR = (0, stat.S_IFREG)  # kinds of file; 0 where the packing system has none
_ENCRYPTED = 1  # bit of the flags


class Zip:
    """The files of a zip; see `item.Tree`. Entries of one name are all kept: who looks must choose."""

    def __init__(self, source: Path | IO[bytes], name: str) -> None:
        """Read the list of what is in it.

        Raises:
            Exception: of any kind that zipfile raises at damage.
        """
        self.name = name
        self._zip = zipfile.ZipFile(source)
        self.infos = self._zip.infolist()
        self._folders: dict[str, set[str]] = {"": set()}
        self._files: dict[str, list[tuple[int, str]]] = {}  # path -> numbers of its entries, why it is not accepted
        for number, info in enumerate(self.infos):
            path, why = _path(info.filename)
            if path:
                self._add(path, number, why, info.is_dir())

    def _add(self, path: str, number: int, why: str, is_folder: bool) -> None:
        head, slash, name = path.rpartition("/")
        if not is_folder:
            self._folders.setdefault(head + slash, set()).add(name)
            self._files.setdefault(path, []).append((number, why))
        else:
            self._folders.setdefault(f"{path}/", set())
            self._folders.setdefault(head + slash, set()).add(f"{name}/")
        while head:  # folders of which there is no entry of their own
            head, slash, name = head.rpartition("/")
            inside = self._folders.setdefault(head + slash, set())
            if f"{name}/" in inside:
                break
            inside.add(f"{name}/")

    def names(self, below: str = "") -> list[str]:
        """Return what lies directly in a folder; see `item.Tree`."""
        return sorted(name for name in self._folders.get(below, ()) if not is_noise(name.rstrip("/")))

    def items(self, below: str) -> list[Item] | Unreadable:
        """Return all files below a folder; see `item.Tree`."""
        found = self.entries(below)
        if isinstance(found, Unreadable):
            return found
        return [Item(name, self.infos[at].file_size, partial(self.read, at), why) for at, name, why in found]

    def entries(self, below: str) -> list[tuple[int, str, str]] | Unreadable:
        """Return the files below a folder: the number of each, its path, why it is not accepted."""
        if below and not below.endswith("/"):
            return [(at, below.rpartition("/")[2], why) for at, why in self._files.get(below, ())]
        found: list[tuple[int, str, str]] = []
        folders = [below]
        seen = 0
        for folder in folders:  # which grows: the folders on top come first
            names = self.names(folder)
            seen += len(names)
            if seen > ENTRIES:
                return Unreadable(f"there are more than {ENTRIES:,} files; hand in those of the exercises alone")
            for name in names:
                if name.endswith("/"):
                    folders.append(folder + name)
                else:
                    path = folder + name
                    found += [(at, path.removeprefix(below), why) for at, why in self._files.get(path, ())]
        return found

    def read(self, number: int, most: int) -> bytes | Unreadable:
        """Return the bytes of an entry, at most one more than `most`; see `item.Item`."""
        info = self.infos[number]
        name = shown(info.filename)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            return Unreadable(f"{name} is a link; hand in the file itself")
        if kind not in _REGULAR:
            return Unreadable(f"{name} is no ordinary file; a text file of that name is graded")
        if info.flag_bits & _ENCRYPTED:
            return Unreadable(f"{name} is encrypted; hand it in without a password")
        if info.compress_type not in _METHODS:
            return Unreadable(f"{name} is packed in an unusual way; make the zip anew, with the method deflate")
        try:
            with self._zip.open(info) as file:
                return file.read(most + 1)
        except Exception:  # noqa: BLE001  zipfile raises errors of many kinds at a zip that lies
            return Unreadable(f"{name} is damaged in its zip; make the zip anew")


def _path(name: str) -> tuple[str, str]:
    """Return the path of an entry below the top of its zip, and why it is not accepted."""
    given = name.replace("\\", "/")  # as some programs on Windows write it
    parts = [part for part in given.split("/") if part not in ("", ".", "..")]
    why = ""
    if given.startswith("/") or given[1:2] == ":":
        why = "has an absolute path in its zip; zip the file itself"
    elif ".." in given.split("/"):
        why = "has a path that leads out of its zip; zip the file itself"
    elif len(parts) > DEPTH:
        why = f"lies in more than {DEPTH} folders; hand it in by itself"
        parts = [*parts[:DEPTH], parts[-1]]
    return "/".join(parts), why


def open_class(path: Path) -> Zip:
    """Return the zip of a class.

    Raises:
        UsageError: it is no zip, or damaged.
    """
    try:
        return Zip(path, path.name)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception:  # noqa: BLE001  zipfile raises errors of many kinds at damage
        raise UsageError(f"{path} is no zip, or a damaged one; download it again") from None


def inside(item: Item) -> list[Item] | Unreadable:
    """Return the files of a zip that a student handed in."""
    opened = _open(item)
    if isinstance(opened, Unreadable):
        return opened
    found = opened.entries("")
    if isinstance(found, Unreadable):
        return Unreadable(f"{shown(item.path)}: {found.sentence}")
    # the zip is not kept: it is opened anew for each file that is read of it
    return [Item(name, opened.infos[at].file_size, partial(_read, item, at), why) for at, name, why in found]


def _open(item: Item) -> Zip | Unreadable:
    name = shown(item.path)
    if item.size > LARGEST:
        return Unreadable(f"{name} is larger than {LARGEST >> 20} MiB; hand in the files of the exercises alone")
    content = item.read(LARGEST)
    if isinstance(content, Unreadable):
        return content
    if len(content) > LARGEST:
        return Unreadable(f"{name} is larger than {LARGEST >> 20} MiB; hand in the files of the exercises alone")
    if content.count(_CENTRAL) > ENTRIES:  # before zipfile makes an object of each
        return Unreadable(f"{name} lists more than {ENTRIES:,} files; hand in those of the exercises alone")
    try:
        opened = Zip(io.BytesIO(content), name)
    except Exception:  # noqa: BLE001  zipfile raises errors of many kinds at damage
        return Unreadable(f"{name} is no zip, or a damaged one; make it anew")
    if sum(info.file_size for info in opened.infos) > UNPACKED:
        return Unreadable(f"{name} would unpack to more than {UNPACKED >> 20} MiB; hand in the files alone")
    return opened


def _read(outer: Item, number: int, most: int) -> bytes | Unreadable:
    opened = _open(outer)
    return opened if isinstance(opened, Unreadable) else opened.read(number, most)
