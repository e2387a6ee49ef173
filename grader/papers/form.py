"""A quiz as a student gets it: questions and lettered choices in an order of their own, and nothing that tells.

It is made by addition: what is not named here is not in it. An order hides nothing from who knows the seed and the
algorithm, so the seeds of a class come from a secret, and no form has a seed in it.
"""

import hashlib
import hmac
import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from grader.errors import FaultError, UsageError
from grader.gradebook import filename
from grader.gradebook import write as write_text
from grader.papers import render
from grader.papers.names import HEAD, IDLE
from grader.papers.redacted import Form, Question, Snippet
from grader.papers.roster import NAME, Roster, Row, load
from grader.quiz.item import Choice, Item, Quiz
from grader.quiz.order import LETTERS, shown, shuffled
from grader.secret import SHORTEST
from grader.show import clean

SYMBOLS = "23456789bcdfghjkmnpqrstvwxyz"  # of a code: none is like another, and they spell no words
QUIZ, PAGE, ANSWERS = "quiz.yaml", "quiz.md", "answers.yaml"


def items(quizzes: Sequence[Quiz], seed: str | None) -> list[Item]:
    """Return the questions in the order of a form; without a seed as the files have them.

    Raises:
        UsageError: two questions have the same id, or one has an id that stands for something else.
    """
    found = [item for quiz in quizzes for item in quiz.items]
    counts = Counter(item.id for item in found)
    for name, count in counts.items():
        if count > 1:
            raise UsageError(f"the question {name} stands in two of the quizzes; make a form of one of them")
        if name in (*HEAD, *IDLE):
            raise UsageError(f"a question cannot be called {name}: answer files use that word; give it another id")
    return found if seed is None else shuffled(found, seed, "items")


def choices(item: Item, seed: str | None) -> tuple[Choice, ...]:
    """Return the choices of a question in the order of a form; without a seed as the file has them."""
    return item.choices if seed is None else shown(item, seed)


def code(quizzes: Sequence[Quiz], seed: str | None) -> str:
    """Return what stands for a form in an answer file, "" for none: of the seed and of what decides about letters.

    A text that is put right, a new key or new points leave it as it is: papers can be marked again.
    """
    if seed is None:
        return ""
    order = [[item.id, item.order, [choice.id for choice in item.choices]] for item in items(quizzes, None)]
    digest = hashlib.sha256(f"{seed}\0{json.dumps(order)}".encode()).digest()
    number = int.from_bytes(digest[:16], "big")
    made = ""
    for _ in range(10):
        number, place = divmod(number, len(SYMBOLS))
        made += SYMBOLS[place]
    return f"{made[:5]}-{made[5:]}"


def derived(secret: str, student: str = "") -> str:
    """Return the seed of a student's form; with no student, that of a form for all.

    Raises:
        UsageError: the secret could be guessed.
    """
    if len(secret) < SHORTEST:
        raise UsageError(
            f"the secret has {len(secret)} characters and could be guessed; at least {SHORTEST} are needed"
        )
    message = f"quiz form\0{unicodedata.normalize('NFC', student)}"
    key, data = (text.encode("utf-8", "backslashreplace") for text in (secret, message))
    return hmac.new(key, data, "sha256").hexdigest()[:32]


def redact(quizzes: Sequence[Quiz], seed: str, student: str = "") -> Form:
    """Return a form of quizzes, in the order of a seed.

    Raises:
        UsageError: the quizzes cannot be in one form; see `items`.
    """
    return Form(
        form=code(quizzes, seed),
        student=_name(student),
        quizzes=tuple(quiz.title for quiz in quizzes),
        items=tuple(_question(item, seed) for item in items(quizzes, seed)),
    )


def _name(student: str) -> str:
    return " ".join(clean(student).split())


def _question(item: Item, seed: str) -> Question:
    return Question(
        id=item.id,
        type=item.type,
        topic=item.topic,
        level=item.level,
        points=item.points,
        scoring=item.scoring if item.type == "multi" else None,
        unit=item.answer.unit if item.answer else "",
        prompt=item.prompt,
        code=Snippet(lang=item.code.lang, text=item.code.text) if item.code else None,
        choices={letter: choice.text for letter, choice in zip(LETTERS, choices(item, seed), strict=False)},
    )


def write(form: Form, folder: Path) -> list[Path]:
    """Write a form: for programs, for people, and a blank answer file. Return the paths.

    Raises:
        UsageError: the answer file there has been filled in.
        FaultError: the disk is full, say.
    """
    blank = render.answers(form)
    path = folder / ANSWERS
    try:
        if path.exists() and path.read_text("utf-8", "replace") != blank:
            raise UsageError(f"{path} is not blank; somebody's answers may be in it. Name another folder")
    except OSError as error:
        raise FaultError(f"{path} cannot be read: {error.strerror}") from None
    texts = {QUIZ: render.source(form), PAGE: render.page(form), ANSWERS: blank}
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def write_common(quizzes: Sequence[Quiz], secret: str, out: Path) -> Roster:
    """Write one form for all into out/form, and forms.csv beside it. Raises as `write_class`."""
    seed = derived(secret)
    roster = Roster([Row("", code(quizzes, seed), seed)])
    _keep(roster, out / NAME)
    write(redact(quizzes, seed), out / "form")
    roster.save(out / NAME)
    return roster


def write_class(quizzes: Sequence[Quiz], students: Sequence[str], secret: str, out: Path) -> Roster:
    """Write a folder with a form for each student, and forms.csv, which is for staff alone: it has the seeds.

    Raises:
        UsageError: a name is missing or there twice, the secret is short, or answers or who got a form would be lost.
        FaultError: the disk is full, say.
    """
    made = [(name, derived(secret, name)) for name in map(_name, students)]
    if nameless := sum(not name for name, _ in made):
        raise UsageError(f"{nameless} of {len(made)} students have no name; each needs one")
    roster = Roster(Row(name, code(quizzes, seed), seed) for name, seed in made)
    _keep(roster, out / NAME)
    for name, seed in made:
        write(redact(quizzes, seed, name), out / "students" / filename(name).removesuffix(".json"))
    roster.save(out / NAME)
    return roster


def _keep(roster: Roster, path: Path) -> None:
    """Refuse to take forms that were given out from a list: their papers could not be marked any more."""
    lost = [row for row in load(path).rows if row not in roster.rows] if path.exists() else []
    if lost:
        raise UsageError(
            f"{path} has the form of {lost[0].student or 'all'}, which would be lost: list all students, with the same "
            "quizzes and the same secret, or name another folder"
        )
