"""Quizzes for other platforms: a file for each quiz in a folder, or a package with all of them.

A format carries what is shown to who answers, what marks an answer, and what explains it. What serves the bank alone
stays behind: revisions, ids of choices, misconceptions, exercises, code that is run but not shown, waivers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.quiz import anki, gift, moodle, qti
from grader.quiz.item import Quiz
from grader.whole import whole

PACKAGE = "quizzes"  # name of a file that holds all


@dataclass(frozen=True, slots=True)
class Format:
    """How a platform gets quizzes.

    Attributes:
        suffix: of its files.
        notes: says what it cannot carry.
        dump: makes a file of a quiz; None if one package holds all of them.
    """

    suffix: str
    notes: Callable[[Sequence[Quiz]], list[str]]
    dump: Callable[[Quiz], str | bytes] | None = None


FORMATS = {
    "gift": Format(".gift", gift.notes, gift.dump),
    "moodle": Format(".xml", moodle.notes, moodle.dump),
    "qti": Format(".txt", qti.notes, qti.dump),
    "anki": Format(".apkg", anki.notes),
}


def export(quizzes: Sequence[Quiz], name: str, folder: Path) -> list[str]:
    """Write quizzes for a platform into a folder, which is made if it is not there.

    Args:
        quizzes: of a bank.
        name: of the format.
        folder: for the files; what has the same name there is replaced.

    Returns:
        A sentence for each thing that the format cannot carry.

    Raises:
        UsageError: there is no such format, what writes it is not installed, or the folder cannot be written.
    """
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}; there are: {', '.join(FORMATS)}")
    chosen = FORMATS[name]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(quizzes, chosen, folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from None
    return chosen.notes(quizzes)


def _write(quizzes: Sequence[Quiz], chosen: Format, folder: Path) -> None:
    if chosen.dump is None:
        anki.write(quizzes, folder / f"{PACKAGE}{chosen.suffix}")
        return
    for quiz in quizzes:
        content = chosen.dump(quiz)
        with whole(folder / f"{quiz.quiz}{chosen.suffix}") as file:
            file.write(content.encode() if isinstance(content, str) else content)
