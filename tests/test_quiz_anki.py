"""An Anki package says all that a quiz says, and one written after an edit changes the notes that are there."""

import json
import sqlite3
import sys
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given, settings

from grader.errors import UsageError
from grader.quiz import anki
from grader.quiz.order import shown
from tests.quizzes import BANK, edited, load, numeric, quiz, quizzes, single
from tests.reading import asked, blocks, explained, paragraphs, prose

pytest.importorskip("genanki", reason="needs genanki")


def read(path):
    """Return decks, kinds of notes, notes and cards of a package, from its database."""
    with zipfile.ZipFile(path) as archive:
        content = archive.read("collection.anki2")
    database = sqlite3.connect(":memory:")
    database.deserialize(content)
    decks, models = map(json.loads, database.execute("SELECT decks, models FROM col").fetchone())
    rows = database.execute("SELECT id, guid, mid, mod, tags, flds, sfld FROM notes ORDER BY id").fetchall()
    cards = dict(database.execute("SELECT nid, did FROM cards").fetchall())
    database.close()
    (model,) = models.values()
    names = [field["name"] for field in model["flds"]]
    notes = [
        {
            **dict(zip(names, fields.split("\x1f"), strict=True)),
            "guid": guid, "mod": mod, "tags": tags.split(), "deck": decks[str(cards[number])]["name"], "sort": sort,
        }
        for number, guid, mid, mod, tags, fields, sort in rows
        if str(mid) == model["id"]
    ]  # fmt: skip
    assert len(notes) == len(rows) == len(cards)
    return {"decks": {key: deck for key, deck in decks.items() if key != "1"}, "model": model, "notes": notes}


@pytest.fixture
def written(tmp_path):
    """Return a function that writes quizzes and reads the package."""

    def write(*made, timestamp=1e9):
        anki.write(made, tmp_path / "x.apkg", timestamp)
        return read(tmp_path / "x.apkg")

    return write


def check(path, made):
    """Assert that a package gives a quiz back."""
    anki.write([made], path, 1e9)
    found = read(path)
    title = " ".join(paragraphs(made.title))
    (deck,) = found["decks"].values()
    assert deck["name"].replace(":", "") == title.replace(":", "")
    assert "::" not in deck["name"]
    assert prose(deck["desc"]) == paragraphs(made.summary or "")
    for item, note in zip(made.items, found["notes"], strict=True):
        check_item(item, note)


def check_item(item, note):
    assert (note["Id"], note["Type"], note["sort"]) == (item.id, item.type, item.id)
    assert set(note["tags"]) == {item.topic, item.level, *item.tags}
    prompt, code = blocks(note["Prompt"]), blocks(note["Code"])
    assert [*prompt[: len(paragraphs(item.prompt))], *code, *prompt[len(paragraphs(item.prompt)) :]] == asked(item)
    assert blocks(note["Explanation"]) + blocks(note["Sources"]) == explained(item)
    assert prose(note["Hint"]) == paragraphs(item.hint or "")
    if item.type == "numeric":
        check_numbers(item, note)
        return
    choices = shown(item, anki.KIND)
    assert entries(note["Choices"]) == [paragraphs(choice.text) for choice in choices]
    assert entries(note["Key"]) == [paragraphs(choice.text) for choice in choices if choice.correct]
    assert reasons(note["Reasons"]) == [
        ("right" if choice.correct else "wrong", paragraphs(choice.text), paragraphs(choice.why)) for choice in choices
    ]


def check_numbers(item, note):
    answer = item.answer
    value, _, rest = blocks(note["Key"])[0][1].partition(" ")
    width = answer.width
    if width:
        sign, number, *rest = rest.split(" ", 2)
        assert (sign, Decimal(number)) == ("±", width)
        rest = "".join(rest)
    assert (Decimal(value), rest) == (answer.value, " ".join(paragraphs(answer.unit)))
    assert note["Choices"] == ""
    found = [(mark, Decimal(what), why) for mark, (what,), why in reasons(note["Reasons"])]
    assert found == [("wrong", near.value, paragraphs(near.why)) for near in item.near_misses]


def entries(html):
    """Return the paragraphs of each entry of a list."""
    found = []
    for kind, text, _ in listed(html):
        if kind == "li":
            found.append([text] if text else [])
        else:
            found[-1].append(text)
    return found


def reasons(html):
    """Return (right or wrong, what, why) for each entry of a list of reasons."""
    found = []
    for kind, text, name in listed(html):
        if kind == "li":
            found.append((name, [], []))
        elif kind == "div":
            found[-1][1 if name == "what" else 2].extend([text] if text else [])
            last = name
        else:
            found[-1][1 if last == "what" else 2].append(text)
    return found


def listed(html):
    return [block for block in blocks(html, empty=True) if block[0] not in ("ul", "ol")]


@settings(deadline=None, max_examples=40)  # each writes a database
@given(quizzes())
def test_any_quiz_comes_back_from_anki(tmp_path_factory, made):
    check(tmp_path_factory.mktemp("any") / "x.apkg", made)


@pytest.mark.parametrize("path", BANK, ids=lambda path: path.stem if path else "none")
def test_the_bank_comes_back_from_anki(tmp_path, path):
    check(tmp_path / "x.apkg", load(path))


def test_a_package_written_after_an_edit_changes_the_same_notes(written):
    """Anki finds a note by its guid, and takes it over if its kind is the same and its time is later."""
    old = quiz(single(), numeric())
    new = edited(old, prompt="How many, exactly?", rev=2, topic="y")
    before, after = written(old, timestamp=1e9), written(new, timestamp=2e9)
    assert [note["guid"] for note in before["notes"]] == [note["guid"] for note in after["notes"]]
    assert [note["Prompt"] for note in after["notes"]] == ["<p>How many, exactly?</p>", "<p>How many?</p>"]
    assert all(note["mod"] < later["mod"] for note, later in zip(before["notes"], after["notes"], strict=True))
    assert before["decks"].keys() == after["decks"].keys()
    assert {**before["model"], "mod": 0} == {**after["model"], "mod": 0}


def test_anki_itself_takes_over_an_edit_and_keeps_what_was_learned(tmp_path):
    anki_itself = pytest.importorskip("anki.collection", reason="needs anki")
    collection = anki_itself.Collection(str(tmp_path / "collection.anki2"))

    def take(made, timestamp):
        path = tmp_path / f"{timestamp}.apkg"
        anki.write([made], path, timestamp)
        request = anki_itself.ImportAnkiPackageRequest(
            package_path=str(path), options=anki_itself.ImportAnkiPackageOptions()
        )
        log = collection.import_anki_package(request).log
        return len(log.new), len(log.updated), len(log.duplicate)

    old = quiz(single(), numeric())
    assert take(old, 1.6e9) == (2, 0, 0)
    card = collection.get_card(collection.find_cards("Id:x-one")[0])
    collection.decks.select(card.did)
    card = collection.sched.getCard()
    card.start_timer()
    collection.sched.answerCard(card, 3)
    assert take(old, 1.6e9) == (0, 0, 2)
    assert take(edited(old, prompt="How many, exactly?"), 1.7e9) == (0, 2, 0)
    card.load()
    assert (card.reps, card.note()["Prompt"]) == (1, "<p>How many, exactly?</p>")
    collection.close()


def test_a_question_that_moves_to_another_quiz_is_still_the_same_note(written):
    before = written(quiz(single(), numeric()))
    after = written(quiz(numeric(), quiz="y", title="Numbers"), quiz(single()))
    assert {note["guid"] for note in before["notes"]} == {note["guid"] for note in after["notes"]}
    assert [note["deck"] for note in after["notes"]] == ["Numbers", "All of x"]


def test_ids_are_those_of_earlier_packages(written):
    """Who has learned with a package keeps what was learned as long as these do not change."""
    found = written(quiz(single()))
    assert found["notes"][0]["guid"] == "llm-quiz/x-one"
    assert (list(found["decks"]), found["model"]["id"]) == (["1846940753720"], "2075841775484")


def test_the_same_quizzes_at_the_same_time_are_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        anki.write([quiz(single(), numeric())], tmp_path / name, 1e9)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_a_time_a_note_has_the_time_at_which_it_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1234567890.5)
    anki.write([quiz(single())], tmp_path / "x.apkg")
    assert read(tmp_path / "x.apkg")["notes"][0]["mod"] == 1234567890


def test_every_field_is_shown_and_the_front_does_not_tell_the_key(written):
    (template,) = written(quiz(single()))["model"]["tmpls"]
    both = template["qfmt"] + template["afmt"]
    assert all(f"{name}}}}}" in both for name in anki.FIELDS if name != "Id")
    assert not any(name in template["qfmt"] for name in ("Key", "Reasons", "Explanation"))


def test_a_title_with_two_colons_is_no_deck_below_another(written):
    (deck,) = written(quiz(single(), title="A::B:::C: D"))["decks"].values()
    assert deck["name"] == "A:B:C: D"


def test_what_is_right_and_wrong_is_said_in_words_and_not_by_colour_alone():
    assert "right:" in anki.STYLE
    assert "wrong:" in anki.STYLE


def test_without_genanki_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "genanki", None)
    with pytest.raises(UsageError, match=r"pip install 'llm-fundamentals-grader\[anki\]'"):
        anki.write([quiz(single())], tmp_path / "x.apkg")
    assert list(tmp_path.iterdir()) == []


def test_notes_say_what_anki_cannot_carry():
    several = single(id="x-two", type="multi", scoring="all_or_nothing")
    assert anki.notes([quiz(single(points=2), several, numeric())]) == [
        "Anki shows choices in one order, which is drawn from the id: x-one, x-two",
        "Anki marks nothing, so that points are left out: x-one",
        "Anki marks nothing, so that all or nothing is left out: x-two",
    ]
