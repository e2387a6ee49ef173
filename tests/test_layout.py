"""What platforms give is understood: whose each file is, when it came, and who is told what."""

import pytest

from grader.desk.attempt import moment
from grader.desk.intake import submissions
from grader.desk.layout import LAYOUTS
from grader.errors import UsageError
from tests.conftest import zipped

BPE = "x = 1\n"


@pytest.fixture
def take(course, tmp_path):
    """Return a function that takes in files, as a folder or a zip, and returns submissions by student."""

    def take(files, slugs=("bpe",), layout="", name="class", pack=True):
        told = []
        path = tmp_path / (f"{name}.zip" if pack else name)
        if pack:
            path.write_bytes(zipped(files))
        else:
            for place, content in files.items():
                (path / place).parent.mkdir(parents=True, exist_ok=True)
                (path / place).write_bytes(content if isinstance(content, bytes) else content.encode())
        known = [exercise.slug for exercise in course.exercises()]
        found = submissions(path, [course.find(slug) for slug in slugs], layout, told.append, known)
        take.told = told
        return {item.student: item for item in found}

    return take


def content(item, slug="bpe"):
    return item.files[slug].read().content.decode()


@pytest.fixture(params=[True, False], ids=["zip", "folder"])
def pack(request):
    return request.param


# --- Canvas -------------------------------------------------------------------------------------


def test_a_canvas_zip_tells_students_and_late_ones_and_is_named(take, pack):
    found = take({"doejane_123_456_bpe.py": BPE, "roe_LATE_5_6_bpe.py": BPE, "poe_7_8_bpe.py": BPE}, pack=pack)
    assert [(name, item.who.canvas, item.late) for name, item in found.items()] == [
        ("doejane", "123", False),
        ("poe", "7", False),
        ("roe", "5", True),
    ]
    assert take.told == ["this looks like a Canvas zip (3 students); --layout folder reads it otherwise."]
    assert all(item.notes == () for item in found.values())


def test_of_a_canvas_file_handed_in_again_the_newest_is_graded(take):
    (jane,) = take({"jane_1_30_bpe-2.py": "2", "jane_1_4_bpe.py": "0", "jane_1_5_bpe-1.py": "1"}).values()
    assert content(jane) == "2"
    assert jane.notes == ("Graded is bpe-2.py, the newest. Not graded: bpe.py, bpe-1.py.",)


def test_two_canvas_users_of_one_name_are_told_apart_by_their_numbers(take):
    found = take({"doe_1_10_bpe.py": "1", "doe_2_11_bpe.py": "2", "doe_2_12_norms.py": ""})
    assert [content(item) for item in found.values()] == ["1", "2"]
    assert list(found) == ["doe (1)", "doe (2)"]


def test_a_name_that_ends_in_the_number_of_another_takes_nothing_from_that_one(take):
    found = take({"ann_7_10_bpe.py": "hers", "eve_7_8_9_bpe.py": "his"})
    assert content(found["ann"]) == "hers"


def test_blind_canvas_users_have_no_number_and_typed_text_is_not_graded(take):
    found = take(
        {"anon_aB3_10_bpe.py": "1", "LATE_anon_c_11_bpe.py": "2", "poe_4_text.html": "", "roe_5_link.html": ""}
    )
    assert {name: item.who.canvas for name, item in found.items()} == {
        "anon_aB3": "",
        "anon_c": "",
        "poe": "4",
        "roe": "5",
    }
    assert found["anon_c"].late
    assert found["poe"].files == found["roe"].files == {}
    assert "typed in" in found["poe"].notes[0]


def test_a_zip_in_a_canvas_zip_is_opened_twice_but_not_three_times(take):
    once = zipped({"work/bpe.py": "1", "__MACOSX/work/._bpe.py": "noise"})
    found = take(
        {
            f"{name}_1_2_work.zip": data
            for name, data in zip(
                "abc", (once, zipped({"a.zip": once}), zipped({"b.zip": zipped({"a.zip": once})})), strict=True
            )
        }
    )
    assert content(found["a"]) == content(found["b"]) == "1"
    assert found["a"].notes == ("Graded is work.zip/work/bpe.py, as there is no bpe.py in its place.",)
    assert found["c"].files == {}
    assert "too deep" in found["c"].lost


def test_what_no_student_owns_is_said(take):
    take({"doe_1_2_bpe.py": BPE, "roe_3_4_bpe.py": BPE, "stray\x1b[31m.txt": ""})
    assert take.told[1] == "left out, as their names belong to no student: stray.txt."


# --- Moodle -------------------------------------------------------------------------------------


def test_a_moodle_zip_with_folders(take, pack):
    files = {
        "Jane Doe_12_assignsubmission_file/bpe.py": "1",
        "Jane Doe_12_assignsubmission_onlinetext/onlinetext.html": "",
        "Zoë O'Neil_13_assignsubmission_file_/sub/bpe.py": "2",
        "Participant_14_assignsubmission_file/bpe.py": "3",
    }
    found = take(files, pack=pack)
    assert {name: (content(item), item.who.name, item.who.moodle) for name, item in found.items()} == {
        "Jane Doe": ("1", "Jane Doe", "12"),
        "Participant 14": ("3", "", "14"),
        "Zoë O'Neil": ("2", "Zoë O'Neil", "13"),
    }
    assert found["Jane Doe"].notes == ("What was typed in on the platform is not graded; hand in a file.",)
    assert "a Moodle zip (3 students)" in take.told[0]


def test_a_flat_moodle_zip_and_namesakes(take, pack):
    files = {
        "Jane Doe_12_assignsubmission_file_bpe.py": "1",
        "Jane Doe_13_assignsubmission_file_my_bpe.py": "2",
        "Jane Doe_13_assignsubmission_onlinetext_onlinetext.html": "",
    }
    found = take(files, pack=pack)
    assert [(item.who.moodle, content(item)) for item in found.values()] == [("12", "1"), ("13", "2")]
    assert list(found) == ["Jane Doe (12)", "Jane Doe (13)"]


def test_a_team_of_moodle_has_one_result_and_on_demand_no_number_of_a_participant(take):
    files = {"Team A_3_assignsubmission_file/bpe.py": "1", "Default group_assignsubmission_file/bpe.py": "2"}
    found = take(files, layout="moodle-teams")
    assert {name: (content(item), item.who.moodle) for name, item in found.items()} == {
        "Default group": ("2", ""),
        "Team A": ("1", ""),
    }


# --- Gradescope ---------------------------------------------------------------------------------

METADATA = """---
submission_41:
  :submitters:
  - :name: Jane Doe
    :sid: 0123
    :email: jane@example.org
  :created_at: 2019-09-04 21:03:57.297916000 Z
  :score: 3.0
submission_43:
  :submitters:
  - :name: Ann Poe
    :sid: '7'
    :email: ann@example.org
  - :name: Bob Roe
    :sid:
    :email:
  :created_at: 2019-09-05 01:00:00.000000000 +02:00
submission_44:
  :submitters:
  - :name: Jane Doe
    :sid: 0123
    :email: Jane@example.org
  :created_at: 2019-09-04 21:04:00.000000000 Z
submission_45:
  :submitters: []
  :created_at: nonsense
"""


@pytest.mark.parametrize("top", ["assignment_9_export/", ""])
def test_a_gradescope_export(take, pack, top):
    files = {f"submission_{number}/bpe.py": str(number) for number in (41, 43, 44, 45)}
    found = take({top + name: text for name, text in {**files, "submission_metadata.yml": METADATA}.items()}, pack=pack)
    assert {name: content(item) for name, item in found.items()} == {
        "Ann Poe": "43",
        "Bob Roe": "43",
        "Jane Doe": "44",
        "submission_45": "45",
    }
    assert found["Jane Doe"].who.number == "0123", "no octal number"
    assert found["Jane Doe"].submitted == "2019-09-04T21:04:00+00:00"
    assert found["Jane Doe"].notes == ("Graded is the latest of 2 attempts.",)
    assert found["Ann Poe"].submitted == "2019-09-04T23:00:00+00:00"
    assert found["Ann Poe"].notes == ("Handed in together with Bob Roe.",)
    assert "a Gradescope export (4 students)" in take.told[0]


def test_an_old_gradescope_export_of_single_files_and_a_submission_without_files(take):
    record = "  :submitters:\n  - :name: {}\n    :email: {}@x\n"
    text = (
        "file1.py:\n  :original_filename: bpe.py\n"
        + record.format("Ann", "a")
        + "submission_2:\n"
        + record.format("Bob", "b")
    )
    found = take({"submission_metadata.yml": text, "file1.py": "1"})
    assert content(found["Ann"]) == "1"
    assert found["Bob"].files == {}


def test_two_of_one_name_of_whom_gradescope_tells_nothing_else_are_two(take):
    record = "submission_{0}:\n  :submitters:\n  - :name: Ann\n"
    files = {f"submission_{number}/bpe.py": number for number in "12"}
    found = take({"submission_metadata.yml": "".join(map(record.format, "12")), **files})
    assert {name: content(item) for name, item in found.items()} == {
        "Ann (submission_1)": "1",
        "Ann (submission_2)": "2",
    }


@pytest.mark.parametrize("text", ["{", "- 1", "", "a: !!python/object:os.system x", "? [a]\n: b", "\x00"])
def test_damaged_metadata_is_refused_with_a_sentence(take, text):
    with pytest.raises(UsageError, match=r"submission_metadata\.yml cannot be understood|nothing in|nothing to grade"):
        take({"submission_metadata.yml": text, "submission_1/bpe.py": BPE}, layout="gradescope")


# --- clones, nbgrader ---------------------------------------------------------------------------


def test_clones_of_github_classroom(take, pack):
    files = {f"hw1-submissions/hw1-{login}/bpe.py": login for login in ("jane-doe", "hw1-x")}
    files["hw1-submissions/hw1-jane-doe/.git/bpe.py"] = "no"
    found = take(files, pack=pack)
    assert {name: (content(item), item.who.login) for name, item in found.items()} == {
        "hw1-x": ("hw1-x", "hw1-x"),
        "jane-doe": ("jane-doe", "jane-doe"),
    }
    assert "clones of GitHub Classroom (2 students)" in take.told[0]


def test_clones_of_classroom_50_named_by_the_folder_that_is_given(take):
    files = {f"cs-f26-bpe-{login}/02_bpe/bpe.py": login for login in ("ann", "bob-bpe-x")}
    found = take(files, name="bpe-submissions", pack=False)
    assert {name: content(item) for name, item in found.items()} == {"ann": "ann", "bob-bpe-x": "bob-bpe-x"}


def test_nbgraders_folder(take, pack):
    files = {
        "submitted/ann/ps1/bpe.py": "1",
        "submitted/ann/ps1/timestamp.txt": "2015-02-02 15:58:23.948203 UTC",
        "submitted/ann/ps2/bpe.py": "2",
        "submitted/ann/ps2/timestamp.txt": "2015-02-02 15:58:24 America/Los_Angeles\n",
        "submitted/bob/ps1/bpe.py": "3",
        "submitted/bob/ps2/bpe.py": "4",
    }
    found = take(files, pack=pack)
    assert content(found["ann"]) == "2"
    assert found["ann"].submitted == "2015-02-02T23:58:24+00:00"
    assert "the newest" in found["ann"].notes[0]
    sentence = found["bob"].files["bpe"].read().sentence
    assert sentence == "ps1/bpe.py and ps2/bpe.py may both be meant; hand in one bpe.py"
    assert "nbgrader's folder (2 students)" in take.told[0]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2019-09-04 21:03:57.297916000 Z", "2019-09-04T21:03:57.297916+00:00"),
        ("2019-09-04T21:03:57 -0330", "2019-09-05T00:33:57+00:00"),
        ("2019-09-04 21:03:57", "2019-09-04T21:03:57+00:00"),
        ("2019-02-31 21:03:57", ""),
        ("0001-01-01 00:00:00 +0900", ""),
        ("2019-09-04 21:03:57 Europe/Nowhere", ""),
        ("2019-09-04 21:03:57 America", ""),
        ("now", ""),
    ],
)
def test_times_are_iso_8601_in_utc(text, utc):
    assert moment(text) == utc


# --- plain --------------------------------------------------------------------------------------


def test_a_plain_folder_or_zip_of_students_with_archives_and_notebooks(take, pack):
    files = {"ann/bpe.py": "1", "bob.zip": zipped({"bpe.py": "2"}), "cid_bpe.py": "3"}
    assert {name: content(item) for name, item in take(files, pack=pack).items()} == {
        "ann": "1",
        "bob": "2",
        "cid": "3",
    }
    assert "a folder or file for each student (3 students); --layout NAME reads it otherwise" in take.told[0]
    if pack:
        again = take({f"deep/er/{name}": data for name, data in files.items()})
        assert {name: content(item) for name, item in again.items()} == {"ann": "1", "bob": "2", "cid": "3"}


@pytest.mark.parametrize(
    "files", [{"bpe.py": "1"}, {"work/bpe.py": "1"}, {"02_bpe/bpe.py": "1", "04_norms/norms.py": ""}, {"a.py": "1"}]
)
def test_the_zip_of_one_student(take, files):
    found = take(files, name="jane")
    assert {name: content(item) for name, item in found.items()} == {"jane": "1"}
    assert "the files of one student (1 student)" in take.told[0]


def test_one_file_is_one_student(course, tmp_path):
    (tmp_path / "jane_bpe.py").write_text(BPE)
    (tmp_path / "other_bpe.py").write_text(BPE)
    exercises = [course.find("bpe"), course.find("norms")]
    told = []
    (found,) = submissions(tmp_path / "jane_bpe.py", exercises, tell=told.append)
    assert told == []
    assert found.student == "jane"
    assert content(found) == BPE
    (tmp_path / "x.py").write_text(BPE)
    with pytest.raises(UsageError, match="which exercise is it for"):
        submissions(tmp_path / "x.py", exercises)


def test_a_layout_can_be_asked_for(take):
    found = take({"ann_1_2_bpe.py": "1"}, layout="folder")
    assert list(found) == ["ann_1_2"]
    assert take.told == []
    with pytest.raises(UsageError, match=r"--layout moodle: nothing in class\.zip is named"):
        take({"ann_1_2_bpe.py": "1"}, layout="moodle")
    with pytest.raises(UsageError, match="there is no such layout; there are folder"):
        take({"ann_1_2_bpe.py": "1"}, layout="blackboard")
    found = take({"bpe.py": "1"}, layout="single", slugs=("bpe", "norms"), name="jane", pack=False)
    assert list(found) == ["jane"]


def test_the_command_names_all_layouts():
    from grader.staff import LAYOUTS as NAMED

    assert ", ".join(LAYOUTS) == NAMED


def test_what_is_no_class_is_refused(course, tmp_path):
    for name, data in {"x.zip": b"no zip", "x.tar.gz": b"", "x.bin": b"?"}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UsageError, match=r"no zip|only \.zip is opened"):
            submissions(tmp_path / name, [course.find("bpe")])


def test_names_under_which_results_are_filed_are_readable_and_unique(take):
    decomposed, composed = "Zoe\u0308", "Zoë"
    found = take(
        {
            f"{name}/bpe.py": str(number)
            for number, name in enumerate([composed, decomposed, "a\x1b[1mb", "ab", "c\td", "x" * 300])
        }
    )
    assert len(found) == 6
    assert all(name.isprintable() and len(name) <= 300 for name in found)
    assert sorted(content(item) for item in found.values()) == list("012345")


def test_the_zip_of_a_class_may_be_a_link(course, tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"ann/bpe.py": BPE, "bob/bpe.py": BPE}))
    (tmp_path / "b.zip").symlink_to(tmp_path / "a.zip")
    assert len(submissions(tmp_path / "b.zip", [course.find("bpe")])) == 2
