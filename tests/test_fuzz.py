"""Whatever a class hands in, intake ends with submissions or a sentence, writes nothing and changes nothing."""

import io
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.desk.intake import submissions
from grader.desk.item import Unreadable
from grader.desk.layout import LAYOUTS
from grader.desk.notebook import Source
from grader.errors import GraderError
from grader.gradebook import filename
from tests.conftest import ROOT, zipped

EXERCISES = [Course(ROOT).find("bpe"), Course(ROOT).find("norms")]

# with what names are made: what platforms write, what exercises are called, and what is hostile
WORDS = [
    *(
        "bpe",
        "norms",
        "jane",
        "LATE",
        "anon",
        "Participant",
        "submission",
        "12",
        "7",
        "_",
        "_",
        "-",
        " ",
        "/",
        "/",
        ".",
    ),
    *(".py", ".ipynb", ".zip", ".tar.gz", ".html", "bpe.py", "BPE.PY", "_12_7_", "exercises/02_bpe/", "submitted/"),
    *("_assignsubmission_file", "_assignsubmission_onlinetext", "hw-submissions/hw-", "submission_metadata.yml"),
    *(
        "timestamp.txt",
        "..",
        "../",
        "/etc/passwd",
        "C:\\",
        "\\",
        "\0",
        "\n",
        "\x1b[31m",
        "\u202e",
        "e\u0301",
        "é",
        "\ud800",
    ),
    *("__MACOSX/", "._", ".DS_Store", ".git/", "x" * 90, "x" * 300, "( 1)", " (1)", "~", "=1+1", "%%", "ß", "İ", "١٢"),
]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map("".join)
NOTEBOOK = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": "!ls"}]}'
METADATA = "submission_7:\n  :submitters:\n  - :name: jane\n  - :name: jane\n  :created_at: 2020-01-01 00:00:00 Z\n"
plain = st.sampled_from(
    [b"", b"x = 1\n", b"\xff\xfex\0", b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", b"\xef\xbb\xbfx = 1\n"]
)
texts = plain | st.binary(max_size=60) | st.sampled_from([NOTEBOOK.encode(), METADATA.encode(), b"x" * (2 << 20)])
quick = settings(
    deadline=None,
    derandomize=True,
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def archives(draw, depth=2):
    """Draw a zip with any names, kinds and contents, some of its bytes changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in draw(st.lists(names, max_size=6, unique=True)):
            info = zipfile.ZipInfo(name.encode("utf-8", "replace").decode())
            info.external_attr = draw(st.sampled_from([0, 0, 0, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR])) << 16
            info.compress_type = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
            inner = draw(archives(depth - 1)) if depth and name.endswith(".zip") else draw(texts)
            if info.filename not in archive.namelist():
                archive.writestr(info, inner)
    content = bytearray(made.getvalue())
    for place in draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = draw(st.integers(0, 255))
    return bytes(content)


def taken_in(path, layout=""):
    """Take in a class, read every file of it, and return the submissions; none if it was refused with a sentence."""
    said = []
    try:
        found = submissions(path, EXERCISES, layout, said.append, ["bpe", "norms", "lora"])
    except GraderError as error:
        return [] if str(error) else pytest.fail("an error without a sentence")
    filed = [item.student for item in found]
    assert len({filename(student) for student in filed}) == len(found), "two results in one file"
    for item in found:
        texts = [item.student, *item.notes, item.lost, *item.who.model_dump(exclude={"members"}).values()]
        for file in item.files.values():
            read = file.read()
            assert isinstance(read, (Source, Unreadable))
            texts += [read.sentence] if isinstance(read, Unreadable) else read.notes
        for text in [*texts, *said]:
            text.encode("utf-8")  # no half of a character
            assert not set(text) & set("\x1b\u202e\n\0"), "nothing that a terminal obeys"
    return found


def state(folder):
    """Return all that lies in a folder, and when it was changed."""
    places = sorted(folder.rglob("*"))
    return [(path, path.lstat().st_mtime_ns, path.lstat().st_size) for path in places]


@pytest.fixture
def sealed(tmp_path, monkeypatch):
    """Return a folder in the folder in which the test works: what is written by name lands beside it."""
    folder = tmp_path / "class"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    return folder


def untouched(folder, work):
    """Do something, and see that nothing was written, here or beside."""
    before = state(folder.parent)
    work()
    assert state(folder.parent) == before


@quick
@given(content=archives(), layout=st.sampled_from(["", "", "", *LAYOUTS]))
def test_any_archive_is_taken_in_or_refused(sealed, content, layout):
    path = sealed / "class.zip"
    path.write_bytes(content)
    untouched(sealed, lambda: taken_in(path, layout))


@quick
@given(inner=archives(), prefix=st.sampled_from(["jane_1_2_", "Jane Doe_1_assignsubmission_file/", "jane/"]))
def test_any_archive_of_one_student_changes_nothing_for_another(sealed, inner, prefix):
    path = sealed / "class.zip"
    other = {"jane_1_2_": "ann_3_4_bpe.py", "jane/": "ann/bpe.py"}.get(prefix, "Ann_3_assignsubmission_file/bpe.py")
    path.write_bytes(zipped({f"{prefix}work.zip": inner, other: "x = 1\n"}))
    found = {item.student.lower(): item for item in taken_in(path)}
    assert found["ann"].files["bpe"].read() == Source(b"x = 1\n")
    assert len(found) == 2


@quick
@given(
    files=st.dictionaries(names, texts | st.sampled_from(["link", "pipe", "folder", "hard"]), max_size=6),
    layout=st.sampled_from(["", "", *LAYOUTS]),
)
def test_any_folder_is_taken_in_or_refused(sealed, files, layout):
    shutil.rmtree(sealed)  # what the example before has left
    root = sealed / "class"
    root.mkdir(parents=True)
    for name, kind in files.items():
        parts = [part[:80] for part in name.replace("\0", "").split("/") if part not in ("", ".", "..")]
        assume(parts)
        put(root.joinpath(*parts), kind)
    untouched(sealed, lambda: taken_in(root, layout))


def put(path: Path, kind):
    """Make a file, or something that is none, unless the place is taken."""
    try:
        os.makedirs(path.parent, exist_ok=True)
        if isinstance(kind, bytes):
            path.write_bytes(kind)
        elif kind == "link":
            path.symlink_to("/etc/passwd")
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "hard":
            original = path.parent / "original"
            original.write_bytes(b"x = 1\n")
            os.link(original, path)
        else:
            path.mkdir()
    except (OSError, ValueError):  # a name that this file system does not take
        pass


@quick
@given(
    text=st.lists(
        st.sampled_from(
            [
                *"-:[]{}&*!|>'\"\n ?",
                "\n  ",
                "\n- ",
                "submission_7",
                ":submitters",
                ":name",
                ":sid",
                ":created_at",
                "0123",
                "!!python/object:os.system",
                "<<",
                "2020-13-01 00:00:00 Z",
            ]
        ),
        max_size=30,
    ).map("".join)
)
def test_any_metadata_of_gradescope_is_understood_or_refused(sealed, text):
    path = sealed / "class.zip"
    path.write_bytes(zipped({"submission_metadata.yml": text, "submission_7/bpe.py": "x = 1\n"}))
    taken_in(path)
