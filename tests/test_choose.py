"""Which file is for which exercise: exact places first, then names that are like it, and nobody guesses."""

import pytest

from grader.desk.choose import Found, choose
from grader.desk.item import Item

SLUGS = ("bpe", "norms", "kv_cache", "attention")


def chosen(course, places, slug="bpe", alone=False, orders=None):
    found = [Found(place, place, Item(place, 1, lambda most: b"x"), (orders or {}).get(place, "")) for place in places]
    return choose(found, course.find(slug), SLUGS, alone)


BETTER = [
    "bpe.py",
    "02_bpe/bpe.py",
    "exercises/02_bpe/bpe.py",
    "work/bpe.py",
    "a/b/bpe.py",
    "BPE.py",
    "bpe (1).py",
    "jane_bpe.py",
    "bpe.ipynb",
    "jane_bpe.ipynb",
]


@pytest.mark.parametrize("at", range(len(BETTER)))
def test_the_better_place_is_taken_whatever_else_is_there(course, at):
    choice = chosen(course, [*BETTER[:at:-1], BETTER[at]])
    assert choice.file.place == BETTER[at]
    if len(BETTER) - at > 1:
        assert "Not graded: " + BETTER[at + 1] in choice.notes[0]
    assert ("as there is no bpe.py in its place" in "".join(choice.notes)) == (at > 2)


@pytest.mark.parametrize(
    "place",
    ["bpe-1.py", "bpe (2).py", "bpe - Copy.py", "bpe_jane.py", "Jane-bpe.py", "02_bpe.py", "x/y/z/bpe.IPYNB", "Bpe.PY"],
)
def test_a_looser_name_is_taken_with_a_note(course, place):
    choice = chosen(course, [place])
    assert choice.file.place == place
    assert choice.notes == (f"Graded is {place}, as there is no bpe.py in its place.",)


@pytest.mark.parametrize(
    "place", ["test_bpe.py", "bpe_test.py", "abpe.py", "bpe2.py", "bpe_norms.py", "norms.py", "x.py"]
)
def test_a_file_for_something_else_is_not_taken(course, place):
    assert chosen(course, [place]).file is None


def test_a_file_that_names_two_exercises_is_taken_for_neither(course):
    assert chosen(course, ["attention_kv_cache.py"], "attention").file is None
    assert chosen(course, ["attention_kv_cache.py"], "kv_cache").file is None


@pytest.mark.parametrize(
    "places", [["a_bpe.py", "b_bpe.py"], ["x/bpe.py", "y/bpe.py"], ["BPE.py", "Bpe.py"], ["bpe.py", "bpe.py"]]
)
def test_between_two_equally_good_files_nobody_guesses(course, places):
    choice = chosen(course, places)
    assert choice.file is None
    assert all(place in choice.why.sentence for place in places)


def test_the_platforms_order_decides_and_a_copy_is_as_good_as_the_name(course):
    places = ["bpe.py", "bpe-1.py", "bpe-2.py"]
    for newest in places:
        orders = {place: "2" if place == newest else "1" for place in places}
        assert chosen(course, places, orders=orders).file.place == newest


def test_the_only_file_is_taken_if_one_exercise_is_graded(course):
    choice = chosen(course, ["solution.py", "test_solution.py"], alone=True)
    assert choice.notes == ("Graded is solution.py, the only file; name it bpe.py.",)
    assert chosen(course, ["solution.py", "other.py"], alone=True) == chosen(course, [])
    assert chosen(course, ["norms.py"], alone=True).file is None
