"""A class is marked whatever it hands in: each paper with its own form, and one bad paper costs the others nothing."""

import csv
import os
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import EmptyError, UsageError
from grader.gradebook import filename
from grader.papers.form import code, derived, write_class
from grader.papers.pile import insist, load_class, mark_file, pile
from grader.papers.result import load
from grader.papers.roster import Roster, Row
from tests.conftest import zipped
from tests.papers import IDS, QUIZ, RIGHT, SECRET, answers, paper, quizzes

NAMES = ["Ann", "Bob", "Zoë Doe"]


@pytest.fixture
def roster(tmp_path):
    """Return the forms of a class of three."""
    return write_class(quizzes(), NAMES, SECRET, tmp_path / "forms")


def seed(name):
    return derived(SECRET, name)


def put(folder, files):
    """Write files, one a second, so that each is newer than those before it."""
    for number, (name, content) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (1_000_000 + number, 1_000_000 + number))
    return folder


def full(name):
    """Return a paper in which all is right."""
    return paper(seed(name), student=name)


def scores(made):
    return {result.student: int(result.score) if not result.error else result.error for result in made.results}


def table(folder, name="quiz-grades.csv"):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


# --- who --------------------------------------------------------------------------------------


def test_files_and_folders_are_students_and_forms_say_whose_they_are(tmp_path, roster):
    put(
        tmp_path / "in",
        {"a1.yaml": full("Ann"), "b2/answers.yaml": full("Bob"), "b2/quiz.yaml": "x", "z.TXT": full("Zoë Doe")},
    )
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made) == {"Ann": 8, "Bob": 8, "Zoë Doe": 8}
    assert [result.notes for result in made.results] == [(), (), ()]


def test_a_student_without_a_code_is_known_by_name(tmp_path, roster):
    lines = "\n".join(answers(seed("Ann")))
    put(
        tmp_path / "in",
        {"ann.yaml": lines, "x/answers.txt": f"student: BOB\n{paper(seed('Bob')).partition(chr(10))[2]}"},
    )
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made) == {"Ann": 8, "Bob": 8}
    assert made.missing == ("Zoë Doe",)
    assert made.results[0].notes == ("The form code is missing; it is read as the form of Ann, by name.",)
    assert made.results[1].notes == ("The form code is missing; it is read as the form of Bob, by name.",)
    assert [(row[0], row[5]) for row in table(tmp_path / "out", "quiz-unclear.csv")[1:]] == [
        ("Ann", "The form code is missing; it is read as the form of Ann, by name."),
        ("Bob", "The form code is missing; it is read as the form of Bob, by name."),
    ]


def test_a_name_does_not_make_up_for_the_code_of_another_form(tmp_path, roster):
    other = paper(derived("another secret of some length", "Ann"), student="Ann")
    two = f"{full('Bob')}form: {code(quizzes(), seed('Ann'))}\n"
    put(tmp_path / "in", {"Ann/answers.yaml": other, "Bob/answers.yaml": two})
    found = scores(pile(quizzes(), tmp_path / "in", tmp_path / "out", roster))
    assert "is in no list of forms; its letters cannot be read without" in found["Ann"]
    assert f"{code(quizzes(), seed('Bob'))} and {code(quizzes(), seed('Ann'))} is in no list" in found["Bob"]


def test_a_paper_of_another_quiz_beside_it_does_not_take_its_place(tmp_path, roster):
    other = paper(derived("another secret of some length", "Ann"), student="Ann")
    put(tmp_path / "in", {"Ann/sums/answers.yaml": full("Ann"), "Ann/tokens/answers.yaml": other})
    assert scores(pile(quizzes(), tmp_path / "in", tmp_path / "out", roster))["Ann"] == 8


def test_whom_nobody_knows_is_an_error_for_that_student_alone(tmp_path, roster):
    text = "\n".join(answers(seed("Ann")))
    put(tmp_path / "in", {"mallory.yaml": text, "eve.yaml": f"form: bcdfg-hjkmn\n{text}", "b.yaml": full("Bob")})
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made) == {
        "Bob": 8,
        "eve": "eve.yaml: the form code bcdfg-hjkmn is in no list of forms; its letters cannot be read without",
        "mallory": "mallory.yaml: the form code is missing, and no name on it has a form; its letters cannot be read without",
    }
    assert len(made.errors) == 2


def test_a_paper_with_anothers_form_is_nobodys(tmp_path, roster):
    put(tmp_path / "in", {"Ann/answers.yaml": full("Ann"), "Bob/answers.yaml": paper(seed("Ann"), student="Bob")})
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made) == {
        "Ann": 8,
        "Bob": "answers.yaml: it has the form of Ann and the name of Bob; a person must say whose it is",
    }
    put(tmp_path / "two", {"Ann.yaml": paper(None, student="Bob")})
    made = pile(quizzes(), tmp_path / "two", tmp_path / "out", roster)
    assert made.results[0].error.endswith("it has the names of Ann and Bob; a person must say whose it is")


def test_a_folder_that_takes_a_students_form_does_not_take_the_students_marks(tmp_path, roster):
    put(tmp_path / "in", {"Ann/answers.yaml": full("Ann"), "copy/answers.yaml": paper(seed("Ann"), {"is-even": {"n"}})})
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made)["Ann"] == 8
    assert "it has the form of Ann, which others have handed in too" in scores(made)["copy"]
    put(tmp_path / "both", {"x/answers.yaml": full("Ann"), "y/answers.yaml": full("Ann"), "z.yaml": full("Bob")})
    made = pile(quizzes(), tmp_path / "both", tmp_path / "out", roster)
    assert [result.error[:25] for result in made.results] == [
        "",
        "it has the form of Ann, w",
        "it has the form of Ann, w",
    ]
    put(tmp_path / "mixed", {"x/answers.yaml": full("Ann"), "x/answers2.yaml": full("Bob"), "b.yaml": full("Bob")})
    made = pile(quizzes(), tmp_path / "mixed", tmp_path / "out", roster)
    assert scores(made) == {"Bob": 8, "x": "it has the forms of Ann and Bob; a person must say whose it is"}


def test_of_two_files_the_latest_counts_and_that_is_said(tmp_path, roster):
    old = paper(seed("Ann"), {"is-even": {"y"}})
    put(
        tmp_path / "in",
        {
            "ann.yaml": full("Ann"),
            "ann (1).yaml": old,
            "bob/answers (1).yaml": full("Bob"),
            "bob/answers.yaml": old.replace(code(quizzes(), seed("Ann")), code(quizzes(), seed("Bob"))),
        },
    )
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made) == {"Ann": 1, "Bob": 1}
    assert made.results[0].notes == ("Marked is ann (1).yaml, the latest of 2 files. Not marked: ann.yaml.",)
    for path in (tmp_path / "in").rglob("*.yaml"):
        os.utime(path, (5, 5))
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made) == {"Ann": 1, "Bob": 8}  # of the same time: the copy with the larger number


def test_a_blank_file_and_a_readme_do_not_hide_answers(tmp_path, roster):
    blank = (tmp_path / "forms" / "students" / filename("Ann").removesuffix(".json") / "answers.yaml").read_text()
    put(
        tmp_path / "in",
        {"Ann/answers.txt": full("Ann"), "Ann/answers.yaml": blank, "bob/my.txt": full("Bob"), "bob/README.md": "# Hi"},
    )
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made) == {"Ann": 8, "Bob": 8}
    assert made.results[0].notes == (
        "Marked is answers.txt, the latest with answers of 2 files. Not marked: answers.yaml.",
    )


def test_without_forms_letters_are_those_of_the_files(tmp_path):
    put(tmp_path / "in", {"ann.yaml": paper(None), "bob.yaml": paper("seed")})
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out")
    assert scores(made)["ann"] == 8
    assert "is in no list of forms" in scores(made)["bob"]
    assert made.missing == ()


def test_one_form_for_all_needs_no_names(tmp_path):
    everyone = Roster([Row("", code(quizzes(), "kit"), "kit")])
    put(
        tmp_path / "in",
        {"ann.yaml": paper("kit"), "bob/answers.yaml": "\n".join(answers("kit")), "eve.yaml": paper("x")},
    )
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", everyone)
    assert scores(made)["ann"] == scores(made)["bob"] == 8
    assert made.results[1].notes == ("The form code is missing; all have one form.",)
    assert "is in no list of forms" in scores(made)["eve"]


def test_forms_of_other_quizzes_are_refused(tmp_path, roster):
    put(tmp_path / "in", {"ann.yaml": full("Ann")})
    other = quizzes(QUIZ.replace("id: p9", "id: p8"))
    with pytest.raises(UsageError, match=r"the form \S+ of Ann was made of other quizzes"):
        pile(other, tmp_path / "in", tmp_path / "out", roster)
    assert not (tmp_path / "out").exists()
    assert insist(roster, quizzes(QUIZ.replace("rev: 1", "rev: 2").replace("One too far", "Far"))) is roster


# --- how a class lies -------------------------------------------------------------------------


def test_platforms_are_understood(tmp_path, roster):
    told = []
    put(
        tmp_path / "moodle",
        {
            "Ann_7_assignsubmission_file_answers.yaml": full("Ann"),
            "Zoë Doe_8_assignsubmission_file_/a.txt": full("Zoë Doe"),
        },
    )
    made = pile(quizzes(), tmp_path / "moodle", tmp_path / "out", roster, tell=told.append)
    assert scores(made) == {"Ann": 8, "Zoë Doe": 8}
    assert told == ["this looks like a Moodle zip; --layout folder reads it otherwise."]
    put(
        tmp_path / "canvas",
        {"bob_11_101_answers.yaml": paper(seed("Bob"), {}), "bob_11_102_answers-1.yaml": full("Bob")},
    )
    made = pile(quizzes(), tmp_path / "canvas", tmp_path / "out", roster)
    assert scores(made) == {"Bob": 8}


def test_a_zip_of_a_class_and_zips_of_students_are_opened(tmp_path, roster):
    inner = zipped({"mine/answers.yaml": full("Ann"), "mine/quiz.md": "# x"})
    data = zipped(
        {
            "class/Ann.zip": inner,
            "class/Bob/answers.yaml": full("Bob"),
            "class/Bob/more/x.txt": "y",
            "class/Eve.zip": "no zip",
        }
    )
    (tmp_path / "class.zip").write_bytes(data)
    made = pile(quizzes(), tmp_path / "class.zip", tmp_path / "out", roster)
    assert scores(made) == {"Ann": 8, "Bob": 8, "Eve": "Eve.zip is no zip, or a damaged one; make it anew"}


def test_one_file_is_a_class_of_one(tmp_path, roster):
    put(tmp_path / "in", {"x.yaml": full("Ann"), "y.yaml": full("Bob")})
    assert scores(pile(quizzes(), tmp_path / "in" / "x.yaml", tmp_path / "in" / "out", roster)) == {"Ann": 8}


def test_what_is_no_answer_is_said(tmp_path, roster):
    told = []
    put(
        tmp_path / "in",
        {"Ann/answers.docx": "x", "Bob/answers.rar": "x", "x.pdf": "x", "quiz.yaml": "x", "z.yaml": full("Zoë Doe")},
    )
    (tmp_path / "in" / "link.yaml").symlink_to(tmp_path / "in" / "z.yaml")
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster, tell=told.append)
    assert scores(made) == {
        "Ann": "no answer file is in it (.yaml .yml .json .txt .md)",
        "Bob": "answers.rar is not opened; hand in a .zip, or the file itself",
        "Zoë Doe": 8,
        "link": "link.yaml is a link; hand in the file itself",
    }
    assert told == ["left out, as they are no answer files: quiz.yaml, x.pdf."]
    assert made.missing == ()


def test_too_many_files_are_nobodys_guess(tmp_path, roster):
    put(tmp_path / "in", {f"Ann/{number}.txt": full("Ann") for number in range(21)})
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert made.results[0].error.startswith("there are 21 files that may be answers")


def test_places_that_cannot_be_used_are_refused(tmp_path, roster):
    put(tmp_path / "in", {"ann.yaml": full("Ann")})
    (tmp_path / "none").mkdir()
    for path, out, kind, message in [
        ("in", "in/out", UsageError, "lies among the papers"),
        ("nowhere", "out", UsageError, "there is no such folder or file"),
        ("none", "out", EmptyError, "there are no answer files"),
        ("forms/forms.csv", "out", UsageError, "name a folder, a .zip, or an answer file"),
    ]:
        with pytest.raises(kind, match=message):
            pile(quizzes(), tmp_path / path, tmp_path / out, roster)
    with pytest.raises(UsageError, match="there is no such layout"):
        pile(quizzes(), tmp_path / "in", tmp_path / "out", roster, layout="heap")


# --- what is written --------------------------------------------------------------------------


def test_grades_have_a_row_a_student_and_a_column_a_question(tmp_path):
    names = ["=Bob", "Ann", "Zoë"]
    roster = write_class(quizzes(), names, SECRET, tmp_path / "forms")
    half = {**RIGHT, "small-primes": {"p2"}, "is-even": "perhaps"}
    put(tmp_path / "in", {"1.yaml": paper(seed("=Bob"), half), "2.yaml": "=HYPERLINK(1)", "3.yaml": full("Ann")})
    pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert table(tmp_path / "out") == [
        ["student", "score", "points", "status", "unclear", *IDS],
        ["2", "0", "8", table(tmp_path / "out")[1][3], "0", *[""] * 5],
        ["'=Bob", "6", "8", "marked", "1", "1", "0", "1", "1", "3"],
        ["Ann", "8", "8", "marked", "0", "1", "1", "2", "1", "3"],
        ["Zoë", "0", "8", "not handed in", "0", *[""] * 5],
    ]
    unclear = table(tmp_path / "out", "quiz-unclear.csv")
    assert unclear[0] == ["student", "file", "line", "question", "answer", "why"]
    assert [row[:5] for row in unclear[1:]] == [["2", "", "", "", ""], ["'=Bob", "1.yaml", "3", "is-even", "perhaps"]]


def test_results_are_the_same_bytes_on_every_run(tmp_path, roster):
    put(tmp_path / "in", {"a.yaml": full("Ann"), "b.yaml": full("Bob"), "c.yaml": "???"})

    def bytes_of(out):
        pile(quizzes(), tmp_path / "in", out, roster, published=True)
        return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}

    first = bytes_of(tmp_path / "one")
    assert bytes_of(tmp_path / "two") == first
    assert bytes_of(tmp_path / "one") == first
    assert [*first] == [
        "quiz-class.json",
        *(
            f"quiz-feedback/{name}.md"
            for name in sorted(filename(x).removesuffix(".json") for x in ("Ann", "Bob", "c"))
        ),
        "quiz-grades.csv",
        *(f"quiz-results/{name}" for name in sorted(map(filename, ("Ann", "Bob", "c")))),
        "quiz-unclear.csv",
    ]


def test_a_class_is_read_back_without_those_who_left(tmp_path, roster):
    put(tmp_path / "in", {"a.yaml": full("Ann"), "b.yaml": full("Bob")})
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert tuple(load_class(tmp_path / "out")) == made.results
    (tmp_path / "in" / "b.yaml").unlink()
    pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert [result.student for result in load_class(tmp_path / "out")] == ["Ann"]
    with pytest.raises(UsageError, match="holds no marked papers"):
        load_class(tmp_path)
    (tmp_path / "out" / "quiz-class.json").write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        load_class(tmp_path / "out")


def test_feedback_is_written_only_when_it_is_asked_for_and_says_why(tmp_path, roster):
    wanted = {
        **RIGHT,
        "one-plus-one": {"three"},
        "small-primes": {"p2", "p4"},
        "kilobyte": "1000",
        "is-even": "perhaps",
    }
    put(tmp_path / "in", {"a.yaml": paper(seed("Ann"), wanted), "e.yaml": "form: x"})
    pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert not (tmp_path / "out" / "quiz-feedback").exists()
    pile(quizzes(), tmp_path / "in", tmp_path / "out", roster, published=True)
    text = (tmp_path / "out" / "quiz-feedback" / filename("Ann")).with_suffix(".md").read_text("utf-8")
    assert "**1 of 8 points.**" in text
    assert "one-plus-one: ✗ WRONG (0 of 1 point)" in text
    assert "Three (picked, wrong): One too far." in text
    assert "Two, of course (right, not picked): Counting on from one." in text
    assert "The successor of one." in text
    assert "- You wrote 1000: That is a kilobyte.\n- Right is 1024 bytes" in text
    assert "all-squares: ✓ RIGHT (1 of 1 point)" in text
    assert "- You wrote perhaps: 'perhaps' is no answer; pick a to b" in text
    assert "Eleven" not in text
    error = (tmp_path / "out" / "quiz-feedback" / "e.md").read_text("utf-8")
    assert error.startswith("# Feedback for e\n\n**Nothing was marked:** e.yaml: the form code x is in no list")


def test_feedback_has_the_letters_of_the_form(tmp_path, roster):
    from tests.papers import letters

    put(tmp_path / "in", {"a.yaml": full("Ann")})
    pile(quizzes(), tmp_path / "in", tmp_path / "out", roster, published=True)
    text = (tmp_path / "out" / "quiz-feedback" / filename("Ann")).with_suffix(".md").read_text("utf-8")
    item = quizzes()[0].items[0]
    (letter,) = letters(item, {"two"}, seed("Ann"))
    assert f"- **{letter})** Two, of course (picked, right)" in text


def test_a_fault_of_ours_at_one_paper_costs_the_others_nothing(tmp_path, roster, monkeypatch):
    from grader.papers import pile as module

    real = module.mark

    def faulty(*args, **about):
        if about["student"] == "Ann":
            raise RuntimeError("oh no")
        return real(*args, **about)

    monkeypatch.setattr(module, "mark", faulty)
    put(tmp_path / "in", {"a.yaml": full("Ann"), "b.yaml": full("Bob")})
    made = pile(quizzes(), tmp_path / "in", tmp_path / "out", roster)
    assert scores(made) == {"Ann": "the grader failed here, RuntimeError: oh no", "Bob": 8}


names = st.text(min_size=1, max_size=20).filter(lambda name: not set(name) & set("/\0") and name not in (".", ".."))


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(names, st.binary(max_size=60) | st.just(paper("kit").encode()), min_size=1, max_size=4))
def test_whatever_a_class_hands_in_nothing_is_written_elsewhere(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("class")
    archive = folder / "class.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(f"{name.encode('utf-8', 'replace').decode()}.yaml"), content)
            made.writestr(zipfile.ZipInfo(f"../{name.encode('utf-8', 'replace').decode()}/x.yaml"), content)
    before = archive.read_bytes()
    try:
        made = pile(
            quizzes(), archive, folder / "out", Roster([Row("", code(quizzes(), "kit"), "kit")]), published=True
        )
    except EmptyError:
        assert [path.name for path in folder.iterdir()] == ["class.zip"]
        return
    assert sorted(path.name for path in folder.iterdir()) == ["class.zip", "out"]
    assert archive.read_bytes() == before
    assert {load(path).student for path in (folder / "out" / "quiz-results").iterdir()} == {
        result.student for result in made.results
    }


# --- one file ---------------------------------------------------------------------------------


def test_one_file_is_marked_by_itself(tmp_path, roster):
    put(
        tmp_path,
        {
            "mine.yaml": paper(None),
            "ann.yaml": full("Ann"),
            "lost.yaml": "student: Ann\n" + "\n".join(answers(seed("Ann"))),
        },
    )
    assert mark_file(quizzes(), tmp_path / "mine.yaml").score == 8
    result = mark_file(quizzes(), tmp_path / "ann.yaml", roster)
    assert (result.score, result.student, result.file) == (8, "Ann", "ann.yaml")
    assert mark_file(quizzes(), tmp_path / "lost.yaml", roster).notes[0].startswith("The form code is missing")
    with pytest.raises(UsageError, match=r"ann\.yaml: the form code \S+ is in no list of forms.*name the forms\.csv"):
        mark_file(quizzes(), tmp_path / "ann.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        mark_file(quizzes(), tmp_path / "none.yaml")
