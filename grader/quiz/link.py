"""Which questions speak of a mistake: the bridge from a failed check to the quizzes."""

from collections.abc import Mapping

from grader.course import Course
from grader.errors import UsageError
from grader.exercise import Exercise
from grader.quiz.bank import Bank, files, load
from grader.quiz.item import Item
from grader.verdict import Mistake

MOST = 3  # questions that are named for a mistake


def asked_about(bank: Bank, mistake: str) -> list[Item]:
    """Return the questions about a mistake, exercise/name: those with it as a wrong choice first."""
    found = [item for item in bank.items.values() if mistake in item.wrongs]
    return sorted(found, key=lambda item: mistake in item.misconceptions)


def with_questions(
    course: Course, exercise: Exercise, mistakes: Mapping[str, tuple[Mistake, ...]]
) -> dict[str, tuple[Mistake, ...]]:
    """Return the mistakes of each check, with the ids of the questions about them."""
    if not mistakes or not course.quizzes.is_dir():
        return dict(mistakes)
    try:
        bank = load(files(course.quizzes))
    except UsageError:  # a broken quiz file must not stop a grade; grader quiz lint says what is wrong
        return dict(mistakes)

    def filled(mistake: Mistake) -> Mistake:
        found = asked_about(bank, f"{exercise.slug}/{mistake.name}")[:MOST]
        return mistake.model_copy(update={"questions": tuple(item.id for item in found)})

    return {check: tuple(map(filled, named)) for check, named in mistakes.items()}
