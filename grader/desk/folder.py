"""A folder on disk, as it is handed to us: links are not followed, pipes are not waited for, nothing is written."""

import os
import stat
from functools import partial
from itertools import islice
from pathlib import Path

from grader.desk.item import DEPTH, ENTRIES, Item, Unreadable, is_noise, shown


class Folder:
    """The files of a folder; see `item.Tree`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.resolve().name

    def names(self, below: str = "") -> list[str]:
        """Return what lies directly in a folder; see `item.Tree`."""
        try:
            with os.scandir(self.path / below) as entries:
                found = [entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in entries]
        except OSError:  # no folder, or none that we may look into
            return []
        return sorted(name for name in found if not is_noise(name.rstrip("/")))

    def items(self, below: str) -> list[Item] | Unreadable:
        """Return all files below a folder; see `item.Tree`."""
        if below and not below.endswith("/"):
            path = self.path / below
            return [_item(path, path.name)]
        found: list[Item] = []
        folders = [(self.path / below, "", 0)]
        entries = 0
        for folder, prefix, depth in folders:  # which grows: the folders on top come first
            try:
                with os.scandir(folder) as listing:
                    inside = sorted(islice(listing, ENTRIES + 1), key=lambda entry: entry.name)
            except OSError as error:
                return Unreadable(f"{shown(prefix) or 'the folder'} cannot be read: {error.strerror}")
            entries += len(inside)
            if entries > ENTRIES:
                return Unreadable(f"there are more than {ENTRIES:,} files; hand in those of the exercises alone")
            for entry in inside:
                if is_noise(entry.name):
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    found.append(_item(Path(entry.path), prefix + entry.name))
                elif depth < DEPTH:
                    folders.append((Path(entry.path), f"{prefix}{entry.name}/", depth + 1))
        return found


def _item(path: Path, name: str) -> Item:
    try:
        size = path.lstat().st_size
    except OSError:  # gone meanwhile; reading it says so
        size = 0
    return Item(name, size, partial(read, path))


def read(path: Path, most: int) -> bytes | Unreadable:
    """Return the bytes of a file as they are now, at most one more than `most`; see `item.Item`."""
    name = shown(path.name)
    try:
        # no waiting for a pipe that nobody writes to, no way out of the folder through a link
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if path.is_symlink():
            return Unreadable(f"{name} is a link; hand in the file itself")
        return Unreadable(f"{name} cannot be read: {error.strerror}")
    try:
        state = os.fstat(number)
        if not stat.S_ISREG(state.st_mode):
            return Unreadable(f"{name} is no ordinary file; a text file of that name is graded")
        if state.st_nlink > 1:
            return Unreadable(f"{name} is a hard link to another file; hand in a copy")
        with os.fdopen(os.dup(number), "rb") as file:
            return file.read(most + 1)
    except OSError as error:
        return Unreadable(f"{name} cannot be read: {error.strerror}")
    finally:
        os.close(number)
