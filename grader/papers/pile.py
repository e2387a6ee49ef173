"""Marks the papers of a class. What is wrong with one of them is said, and costs the others nothing.

Results hold no times, so they are the same bytes on every run.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.desk.folder import read as read_file
from grader.desk.item import Unreadable
from grader.errors import EmptyError, UsageError
from grader.gradebook import cell, filename, save, sweep, write
from grader.papers import feedback
from grader.papers.collect import Tell, collect
from grader.papers.form import code, items
from grader.papers.marking import mark, unmarked
from grader.papers.paper import LARGEST, read
from grader.papers.result import Result, decimal, dump, load
from grader.papers.roster import Roster, Row
from grader.papers.whose import DoubtError, Settled, identify, settle
from grader.quiz.item import Quiz
from grader.results import index

GRADES, RESULTS, FEEDBACK = "quiz-grades.csv", "quiz-results", "quiz-feedback"
UNCLEAR, CLASS = "quiz-unclear.csv", "quiz-class.json"
AS_FILED = Row("", "", None)  # the form of those who got none: order and letters are those of the files


@dataclass(frozen=True, slots=True)
class Pile:
    """What a class came to.

    Attributes:
        results: sorted by student.
        missing: students who have a form and handed in nothing.
    """

    results: tuple[Result, ...]
    missing: tuple[str, ...]

    @property
    def errors(self) -> tuple[Result, ...]:
        """Papers that could not be marked."""
        return tuple(result for result in self.results if result.error)

    @property
    def unclear(self) -> int:
        """How many answers a person should look at."""
        return sum(result.unclear for result in self.results)


def pile(  # noqa: PLR0913  each is asked for by name
    quizzes: Sequence[Quiz],
    path: Path,
    out: Path,
    roster: Roster | None = None,
    *,
    published: bool = False,
    layout: str = "",
    tell: Tell = lambda _: None,
) -> Pile:
    """Mark a class, and write grades, results, what is unclear, and feedback.

    Args:
        quizzes: that were asked.
        path: a folder or .zip with what was handed in, or one file.
        out: folder of what is written.
        roster: who got which form; without it letters are those of the files.
        published: whether feedback is written, which shows the keys.
        layout: how the class lies there, "" to find it out.
        tell: is told what the instructor should know.

    Raises:
        UsageError: a folder is not there, or the forms were made of other quizzes.
        EmptyError: nobody handed in anything.
        FaultError: the disk is full, say.
    """
    if path.is_dir() and out.resolve().is_relative_to(path.resolve()):
        raise UsageError(f"{out} lies among the papers: name a folder outside of {path}")
    roster = insist(roster, quizzes)
    known = [item.id for item in items(quizzes, None)]
    seeds: dict[str, str | None] = {}
    results: dict[str, Result] = {}
    for one in settle(collect(path, layout, tell), known, roster):
        name = _free(one.student, results)
        results[name] = _marked(quizzes, one, name)
        seeds[name] = one.claim.row.seed if one.claim else None
    made = Pile(tuple(results[name] for name in sorted(results)), tuple(sorted({*roster.students} - {*results})))
    _write(made, out, [item.id for item in items(quizzes, None)])
    if published:
        for result in made.results:
            path = out / FEEDBACK / filename(result.student)  # ends in .json
            write(path.with_suffix(".md"), feedback.text(result, quizzes, seeds[result.student]))
    return made


def insist(roster: Roster | None, quizzes: Sequence[Quiz]) -> Roster:
    """Return the forms of a class, which must be of these quizzes; without any the one that nobody got.

    Raises:
        UsageError: they were made of other quizzes, so that letters mean something else.
    """
    for row in roster.rows if roster else ():
        if row.form != code(quizzes, row.seed):
            raise UsageError(
                f"the form {row.form} of {row.student or 'all'} was made of other quizzes: questions or choices have "
                "come, gone or moved since. Name the quiz files as they were then"
            )
    return roster or Roster([AS_FILED])


def mark_file(quizzes: Sequence[Quiz], path: Path, roster: Roster | None = None) -> Result:
    """Mark one answer file.

    Args:
        quizzes: that were asked.
        path: of the file.
        roster: who got which form; without it letters are those of the files.

    Raises:
        UsageError: the file cannot be read, or it cannot be told which form it answers.
    """
    roster = insist(roster, quizzes)
    data = read_file(path, LARGEST)
    if isinstance(data, Unreadable):
        raise UsageError(data.sentence)
    paper = read(data, [item.id for item in items(quizzes, None)])
    try:
        row, student, note = identify(paper, (), paper.student, roster)
    except DoubtError as doubt:
        raise UsageError(f"{path}: {doubt}; name the forms.csv that was written with the forms") from None
    return mark(quizzes, row.seed, paper, student=student, file=path.name, notes=(note,) if note else ())


def load_class(folder: Path) -> list[Result]:
    """Return the results of the class that was marked last, sorted by student.

    Raises:
        UsageError: there is no such folder, or a file in it is no result.
        EmptyError: nothing was marked.
    """
    try:
        names = json.loads((folder / CLASS).read_text("utf-8"))["results"]
        found = [load(folder / RESULTS / Path(name).name) for name in names]
    except FileNotFoundError:
        raise UsageError(f"{folder} holds no marked papers; name the folder that they were written to") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{folder / CLASS} is damaged; mark the class again") from None
    if not found:
        raise EmptyError(f"there are no results in {folder}")
    return sorted(found, key=lambda result: result.student)


def _free(name: str, taken: dict[str, Result]) -> str:
    """Return a name under which nothing is filed yet."""
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name} ({number})"
    return unique


def _marked(quizzes: Sequence[Quiz], one: Settled, name: str) -> Result:
    if one.claim is None:
        return unmarked(quizzes, one.error, student=name, notes=one.notes)
    label = one.claim.file.label
    try:
        return mark(quizzes, one.claim.row.seed, one.claim.paper, student=name, file=label, notes=one.notes)
    except Exception as error:  # noqa: BLE001  a fault of ours at one paper must not cost the others theirs
        return unmarked(quizzes, f"the grader failed here, {type(error).__name__}: {error}", student=name, file=label)


def _write(made: Pile, out: Path, ids: Sequence[str]) -> None:
    for folder in (out, out / RESULTS, out / FEEDBACK):
        sweep(folder)
    for result in made.results:
        write(out / RESULTS / filename(result.student), dump(result))
    write(out / CLASS, index([filename(result.student) for result in made.results]))
    save(out / GRADES, _grades(made, ids))
    save(out / UNCLEAR, _unclear(made))


def _grades(made: Pile, ids: Sequence[str]) -> Iterator[list[str]]:
    yield ["student", "score", "points", "status", "unclear", *ids]
    for result in made.results:
        earned = {mark.item: decimal(mark.earned) for mark in result.marks}
        status = cell(f"not marked: {result.error}") if result.error else "marked"
        row = [cell(result.student), decimal(result.score), str(result.points), status, str(result.unclear)]
        yield [*row, *(earned.get(name, "") for name in ids)]
    points = str(made.results[0].points)
    for name in made.missing:
        yield [cell(name), "0", points, "not handed in", "0", *("" for _ in ids)]


def _unclear(made: Pile) -> Iterator[list[str]]:
    """Yield what a person should look at: answers that could not be read, what was assumed, and remarks on lines."""
    yield ["student", "file", "line", "question", "answer", "why"]
    for result in made.results:
        name, file = cell(result.student), cell(result.file)
        if result.error:
            yield [name, file, "", "", "", cell(result.error)]
        yield from ([name, file, "", "", "", cell(note)] for note in result.notes)
        for mark_ in result.marks:
            if mark_.status == "unclear":
                yield [name, file, str(mark_.line), mark_.item, cell(mark_.given), cell(mark_.message)]
        for remark in result.remarks:
            yield [name, file, str(remark.line), "", "", cell(remark.message)]
