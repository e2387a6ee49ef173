"""The commands of `grader quiz` for those who run a course: forms, marking, item analysis, exports."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import CourseOption, Json, SeedFile, drawn, note, print_rows
from grader.errors import FAILED, FAULT, OK, UsageError
from grader.learn import quiz

if TYPE_CHECKING:
    from grader.papers.result import Result
    from grader.papers.roster import Roster
    from grader.quiz.item import Quiz

__all__ = ["quiz"]  # learn.py's, with these commands

Quizzes = Annotated[
    list[str] | None,
    typer.Option(
        "--quiz",
        "-q",
        metavar="QUIZ",
        help="A quiz of the course by name, or a file; all if none is named.",
    ),
]
Forms = Annotated[
    Path | None, typer.Option("--forms", metavar="forms.csv", help="What grader quiz form wrote: who got which form.")
]
Published = Annotated[
    bool, typer.Option("--published", help="Write feedback for each student too; it shows what is right.")
]


@quiz.command()
def run(
    files: Annotated[list[str], typer.Argument(metavar="QUIZ...", help="Quiz files, or names of quizzes.")],
    answers: Annotated[Path | None, typer.Option(metavar="FILE", help="The answers, as answers.yaml has them.")] = None,
    forms: Forms = None,
    as_json: Json = False,
    course: CourseOption = None,
) -> None:
    """Mark one answer file, without asking anything.

    Each line of the file is "question: answer", a letter, letters, or a number. The exit code is 0 if all is right,
    1 if something is not.
    """
    from grader.papers.pile import mark_file
    from grader.papers.result import dump

    if answers is None:
        raise UsageError("grader quiz run needs the answers: --answers FILE; to be asked instead, use grader quiz")
    result = mark_file(_quizzes(files, course), answers, _roster(forms))
    if as_json:
        typer.echo(dump(result), nl=False)
    else:
        typer.echo("\n".join(_told(result)))
    raise typer.Exit(OK if result.score == result.points else FAILED)


@quiz.command()
def form(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the forms.")],
    names: Quizzes = None,
    students: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A name a line: each gets a form in an order of their own.")
    ] = None,
    seed_file: SeedFile = None,
    course: CourseOption = None,
) -> None:
    """Write what students get: questions without keys, and a blank answer file.

    With --students each has a folder below OUT/students, with questions and choices in an order of their own, and
    OUT/forms.csv tells who got which: it is for staff, and marking needs it. Without, all get the same form. Orders are
    drawn from the secret in --seed-file, which is made if it is not there.
    """
    from grader.papers.form import write_class, write_common

    quizzes = _quizzes(names, course)
    if seed_file is None:
        raise UsageError("name the file of the secret that orders are drawn from: --seed-file secret.seed")
    secret = str(drawn(0, seed_file))
    listed = _students(students) if students else []
    if listed:
        write_class(quizzes, listed, secret, output)
        typer.echo(f"wrote {len(listed)} forms to {output / 'students'}; keep {output / 'forms.csv'} for marking")
        return
    write_common(quizzes, secret, output)
    typer.echo(f"wrote a form for all to {output / 'form'}; keep {output / 'forms.csv'} for marking")


@quiz.command()
def mark(
    papers: Annotated[Path, typer.Argument(metavar="PAPERS", help="Folder or zip with the answer files of a class.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")],
    names: Quizzes = None,
    forms: Forms = None,
    published: Published = False,
    layout: Annotated[str, typer.Option(metavar="NAME", help="How the class lies there, as for grader batch.")] = "",
    course: CourseOption = None,
) -> None:
    """Mark the answer files of a class.

    Writes quiz-grades.csv, a result for each student, and quiz-unclear.csv: what a person should look at. An answer
    that cannot be read costs itself alone. The exit code is 1 if a paper could not be marked at all.
    """
    from grader.papers.pile import GRADES, UNCLEAR, pile

    quizzes = _quizzes(names, course)
    made = pile(quizzes, papers, output, _roster(forms), published=published, layout=layout, tell=note)
    lines = [f"{len(made.results) - len(made.errors)} papers were marked: {output / GRADES}"]
    lines += [f"not marked: {result.student}: {result.error}" for result in made.errors]
    if forms is None and any("form code" in result.error for result in made.errors):
        lines.append("name the forms.csv that was written with the forms: --forms forms.csv")
    if made.missing:
        lines.append(f"handed in nothing: {', '.join(made.missing)}")
    if made.unclear:
        lines.append(f"{made.unclear} answers could not be read; look at {output / UNCLEAR}")
    typer.echo("\n".join(lines))
    ours = any(result.error.startswith("the grader failed") for result in made.errors)
    raise typer.Exit(FAULT if ours else FAILED if made.errors else OK)


@quiz.command()
def items(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="What grader quiz mark --output was given.")],
    names: Quizzes = None,
    table: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the table.")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw difficulty against discrimination (extra [report]).")
    ] = None,
    as_json: Json = False,
    course: CourseOption = None,
) -> None:
    """Show which questions are good and which are bad, by what a class answered.

    For each question: the share that is right, the correlation with the rest of the quiz, and who picked what. Below 30
    students only counts are shown, below 100 numbers with their intervals.
    """
    from grader.gradebook import save, write
    from grader.papers.analysis import analyse
    from grader.papers.pile import load_class
    from grader.papers.table import HEAD, lines, rows

    found = analyse(load_class(results), _quizzes(names, course))
    listed = list(rows(found))
    if table:
        save(table, listed)
    if plot:
        from grader.papers.scatter import svg

        write(plot, svg(found))
    print_rows([dict(zip(HEAD, row, strict=True)) for row in listed[1:]], list(lines(found)), as_json)


@quiz.command()
def export(
    name: Annotated[str, typer.Argument(metavar="FORMAT", help="gift, moodle (XML), qti (text2qti, Canvas) or anki.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the files.")],
    names: Quizzes = None,
    course: CourseOption = None,
) -> None:
    """Write quizzes for another platform, with keys and feedback.

    What a format cannot carry is said.
    """
    from grader.quiz.export import export as written

    quizzes = _quizzes(names, course)
    for sentence in written(quizzes, name, output):
        note(f"{sentence}.")
    typer.echo(f"wrote {len(quizzes)} quizzes to {output}; they hold the keys")


def _quizzes(names: list[str] | None, course: Path | None) -> "tuple[Quiz, ...]":
    """Return quizzes by name or path, all of the course if none is named."""
    from grader.course import find_course
    from grader.quiz.bank import chosen

    return chosen(find_course(course).quizzes, names or []).quizzes


def _roster(forms: Path | None) -> "Roster | None":
    from grader.papers.roster import load

    return load(forms) if forms else None


def _students(path: Path) -> list[str]:
    """Return the names in a file, one a line.

    Raises:
        UsageError: it cannot be read, or holds none.
    """
    try:
        names = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--students {path} cannot be read: {error}") from None
    if not any(names):
        raise UsageError(f"--students {path} has no names; write one a line")
    return [name for name in names if name]


def _told(result: "Result") -> list[str]:
    """Return a marked paper as lines for the terminal."""
    from grader.papers.result import decimal

    words = {"answered": "", "unclear": "  unclear: ", "unanswered": "  not answered"}
    lines = []
    for one in result.marks:
        word = "right " if one.right else "partly" if one.earned else "wrong "
        more = words[one.status] + (one.message if one.status == "unclear" else "")
        lines.append(f"{word}  {one.item}  {decimal(one.earned)} of {one.points}{more}")
    lines += [f"line {remark.line}: {remark.message}" for remark in result.remarks]
    return [*lines, *result.notes, f"{decimal(result.score)} of {result.points} points"]
