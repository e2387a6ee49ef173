"""What a class hands in: found where it should be, read without following anything, refused with a sentence."""

import os

import pytest

from grader.desk.folder import Folder
from grader.desk.intake import File, submissions
from grader.desk.item import Unreadable
from grader.desk.notebook import Source
from grader.errors import EmptyError, UsageError


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


def test_files_are_found_in_each_place(course, tmp_path):
    exercises = [course.find("bpe"), course.find("norms")]
    put(tmp_path, "ann/bpe.py", "bob/02_bpe/bpe.py", "cid/exercises/04_norms/norms.py", "dan/readme.txt", ".git/bpe.py")
    found = submissions(tmp_path, exercises)
    assert [item.student for item in found] == ["ann", "bob", "cid", "dan"]
    assert [sorted(item.files) for item in found] == [["bpe"], ["bpe"], ["norms"], []]


def test_a_file_can_be_a_student(course, tmp_path):
    put(tmp_path, "ann_bpe.py", "ann_norms.py", "bob_bpe.py", "notes.txt")
    found = submissions(tmp_path, [course.find("bpe"), course.find("norms")])
    assert [(item.student, sorted(item.files)) for item in found] == [("ann", ["bpe", "norms"]), ("bob", ["bpe"])]


def test_with_one_exercise_the_name_of_the_file_is_the_student(course, tmp_path):
    put(tmp_path, "ann.py", "bob_bpe.py")
    assert [item.student for item in submissions(tmp_path, [course.find("bpe")])] == ["ann", "bob"]


def test_a_file_for_which_no_exercise_can_be_told_is_refused(course, tmp_path):
    put(tmp_path, "ann.py")
    with pytest.raises(UsageError, match=r"ann\.py: which exercise is it for\? Name one with --exercise"):
        submissions(tmp_path, [course.find("bpe"), course.find("norms")])


def test_the_folder_of_one_student_is_refused(course, tmp_path):
    put(tmp_path, "bpe.py")
    with pytest.raises(UsageError, match="one student's folder"):
        submissions(tmp_path, [course.find("bpe"), course.find("norms")])


def test_a_missing_and_an_empty_folder_are_told_apart(course, tmp_path):
    with pytest.raises(UsageError, match="there is no such folder"):
        submissions(tmp_path / "none", [course.find("bpe")])
    with pytest.raises(EmptyError):
        submissions(tmp_path, [course.find("bpe")])


def test_a_folder_that_is_a_link_is_no_student(course, tmp_path):
    put(tmp_path, "class/ann/bpe.py", "secret/bpe.py")
    (tmp_path / "class" / "bob").symlink_to(tmp_path / "secret")
    assert [item.student for item in submissions(tmp_path / "class", [course.find("bpe")])] == ["ann"]


def snapshot(path):
    """Return what is graded of a file, or why nothing is."""
    (item,) = Folder(path.parent).items(path.name)
    found = File(path.name, item).read()
    return found.content if isinstance(found, Source) else found


def sentence(path):
    found = snapshot(path)
    assert isinstance(found, Unreadable)
    return found.sentence


def test_the_bytes_of_a_file_are_taken_as_they_are(tmp_path):
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx = '\xe9'\r\n")
    assert snapshot(tmp_path / "a.py") == b"\xef\xbb\xbfx = '\xe9'\r\n"


def test_a_link_is_not_followed(tmp_path):
    put(tmp_path, "secret.py")
    (tmp_path / "a.py").symlink_to(tmp_path / "secret.py")
    assert sentence(tmp_path / "a.py") == "a.py is a link; hand in the file itself"
    os.link(tmp_path / "secret.py", tmp_path / "b.py")
    assert "hard link" in sentence(tmp_path / "b.py")


def test_a_pipe_a_device_and_a_folder_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "a.py")
    assert "no ordinary file" in sentence(tmp_path / "a.py")
    (tmp_path / "b.py").mkdir()
    assert "no ordinary file" in sentence(tmp_path / "b.py")
    assert "no ordinary file" in sentence(tmp_path.joinpath("/dev/zero"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"  \n", "is empty"), (b"x\0", "null bytes"), (b"#" * (1 << 20) + b"\n", "larger than 1 MiB")],
)
def test_what_is_no_solution_has_a_sentence(tmp_path, content, words):
    (tmp_path / "a.py").write_bytes(content)
    assert words in sentence(tmp_path / "a.py")


def test_a_file_that_may_not_be_read_or_is_gone_has_a_sentence(tmp_path):
    assert "cannot be read: No such file" in sentence(tmp_path / "gone.py")


def test_a_name_that_a_terminal_would_obey_is_written_out(tmp_path):
    assert "\x1b" not in sentence(tmp_path / "a\x1b[31m.py")
