"""A zip is read in memory and bounded; what is wrong with it is one student's sentence."""

import io
import os
import stat
import struct
import tracemalloc
import zipfile

import pytest

from grader.desk.archive import LARGEST, inside, open_class
from grader.desk.intake import submissions
from grader.desk.item import ENTRIES, Item, Unreadable
from tests.conftest import zipped

BPE = b"x = 1\n"


def item(content, name="a.zip"):
    return Item(name, len(content), lambda most: content[: most + 1])


def sentence(content):
    """Return what is said of a zip, or of the only file in it."""
    found = inside(item(content))
    if not isinstance(found, Unreadable):
        found = found[0].read(1 << 20)
    assert isinstance(found, Unreadable), found
    return found.sentence


def entry(name="bpe.py", content=BPE, mode=0, method=zipfile.ZIP_DEFLATED):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = mode << 16, method
        archive.writestr(info, content)
    return made.getvalue()


def patched(content, central, local, form, value):
    """Return a zip with a field of its headers changed: of the central one, of the local one."""
    made = bytearray(content)
    struct.pack_into(form, made, made.index(b"PK\x01\x02") + central, value)
    struct.pack_into(form, made, local, value)
    return bytes(made)


def test_a_file_in_a_zip_is_read_as_it_is():
    (found,) = inside(item(zipped({"w/bpe.py": BPE, "__MACOSX/._bpe.py": "", ".DS_Store": "", "w/.git/bpe.py": ""})))
    assert (found.path, found.read(100), found.read(1)) == ("w/bpe.py", BPE, BPE[:2])


def test_links_and_special_files_of_a_zip_are_not_read():
    assert (
        sentence(entry(mode=stat.S_IFLNK | 0o777, content="/etc/passwd")) == "bpe.py is a link; hand in the file itself"
    )
    assert "no ordinary file" in sentence(entry(mode=stat.S_IFIFO))
    assert inside(item(entry(mode=stat.S_IFREG | 0o644)))[0].read(100) == BPE


def test_an_encrypted_and_an_unusual_zip_have_a_sentence():
    assert "is encrypted; hand it in without a password" in sentence(patched(entry(), 8, 6, "<H", 1))
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        assert "packed in an unusual way" in sentence(entry(method=method))
    assert "packed in an unusual way" in sentence(patched(entry(), 10, 8, "<H", 99))


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100, entry()[:-10], entry()[30:], entry()[:-22] + b"\0" * 22])
def test_a_damaged_zip_has_a_sentence(content):
    assert "is no zip, or a damaged one" in sentence(content) or "is damaged in its zip" in sentence(content)


def test_headers_that_lie_do_no_harm():
    for size in (0, 1, 5):
        assert "damaged in its zip" in sentence(patched(entry(), 24, 22, "<L", size)), "less than there is"
    assert inside(item(patched(entry(), 24, 22, "<L", 1 << 19)))[0].read(100) == BPE, "more than there is"
    assert "damaged in its zip" in sentence(patched(entry(), 16, 14, "<L", 1)), "a wrong checksum"
    assert "damaged" in sentence(patched(entry(), 42, 42, "<L", 1 << 30)), "an offset behind the end"


def test_a_bomb_is_read_up_to_the_limit_only():
    bomb = entry(content=bytes(100 << 20))
    (found,) = inside(item(bomb))
    tracemalloc.start()
    content = found.read(1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(content) == (1 << 20) + 1
    assert peak < 16 << 20


def test_a_zip_that_claims_too_much_is_not_opened():
    assert "would unpack to more than 512 MiB" in sentence(patched(entry(), 24, 22, "<L", 513 << 20))
    assert "lists more than 10,000 files" in sentence(zipped({f"{number}.txt": b"" for number in range(ENTRIES + 1)}))
    assert "larger than 64 MiB" in sentence(bytes(LARGEST + 1))
    liar = Item("a.zip", 10, lambda most: bytes(most + 1))
    assert "larger than 64 MiB" in inside(liar).sentence


@pytest.mark.parametrize(
    "path", ["../bpe.py", "/bpe.py", "a/../../bpe.py", "C:\\bpe.py", "..\\bpe.py", "\\\\host\\bpe.py"]
)
def test_names_that_lead_out_are_not_taken(course, tmp_path, path):
    files = {"jane_1_2_work.zip": zipped({path: BPE, "readme.txt": ""})}
    (tmp_path / "class.zip").write_bytes(zipped(files))
    (found,) = submissions(tmp_path / "class.zip", [course.find("bpe")])
    assert found.files == {}
    assert "zip the file itself" in found.lost


@pytest.mark.parametrize(
    "path", ["a\nb/bpe.py", "\u202eyp.epb/bpe.py", "\x1b[31m/bpe.py", "x" * 300 + "/bpe.py", "a/" * 40 + "bpe.py"]
)
def test_absurd_names_are_not_taken_but_said(course, tmp_path, path):
    (tmp_path / "class.zip").write_bytes(zipped({"jane_1_2_work.zip": zipped({path: BPE}), "ann_2_3_bpe.py": BPE}))
    ann, jane = submissions(tmp_path / "class.zip", [course.find("bpe")])
    assert ann.files["bpe"].read().content == BPE
    assert jane.files == {}
    assert jane.lost.isprintable()
    assert any(words in jane.lost for words in ("cannot be seen", "more than 255 characters", "more than 30 folders"))


def test_two_files_of_one_name_in_a_zip_are_refused(course, tmp_path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("bpe.py", "1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("bpe.py", "2")
    (tmp_path / "class.zip").write_bytes(zipped({"jane_1_2_work.zip": made.getvalue()}))
    (found,) = submissions(tmp_path / "class.zip", [course.find("bpe")])
    assert found.files["bpe"].read().sentence == "work.zip/bpe.py is there 2 times; hand in one bpe.py"


def test_other_archives_are_refused_with_a_sentence_and_many_zips_too(course, tmp_path):
    files = {
        "jane_1_2_work.tar.gz": b"",
        **{f"doe_2_{number}_{number}.zip": zipped({"x.txt": ""}) for number in range(21)},
    }
    (tmp_path / "class.zip").write_bytes(zipped(files))
    doe, jane = submissions(tmp_path / "class.zip", [course.find("bpe")])
    assert jane.lost == "work.tar.gz is not opened; hand in a .zip, or the files themselves"
    assert "more than 20 archives" in doe.lost


def test_a_submission_of_very_many_files_has_a_sentence_and_stops_nobody(course, tmp_path, monkeypatch):
    monkeypatch.setattr("grader.desk.folder.ENTRIES", 50)
    for number in range(51):
        (tmp_path / "jane" / str(number)).mkdir(parents=True)
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "bpe.py").write_bytes(BPE)
    ann, jane = submissions(tmp_path, [course.find("bpe")])
    assert "more than 50 files" in jane.lost
    assert ann.files["bpe"].read().content == BPE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_has_a_sentence(course, tmp_path):
    (tmp_path / "jane" / "work").mkdir(parents=True)
    (tmp_path / "jane" / "work").chmod(0)
    (found,) = submissions(tmp_path, [course.find("bpe")])
    assert found.lost == "work/ cannot be read: Permission denied"


def test_the_zip_of_a_class_is_left_as_it_is(course, tmp_path):
    path = tmp_path / "class.zip"
    path.write_bytes(zipped({"ann/bpe.py": BPE, "bob/bpe.py": BPE}))
    path.chmod(0o444)
    before = path.stat()
    for found in submissions(path, [course.find("bpe")]):
        assert found.files["bpe"].read().content == BPE
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert open_class(path).names() == ["ann/", "bob/"]
