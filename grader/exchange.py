"""The commands that bring grades back to platforms: `grader export ...` and `grader gradescope`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import CourseOption, Json, Seed, SeedFile, app, drawn, note
from grader.errors import FAILED, OK, UsageError
from grader.show import clean

if TYPE_CHECKING:
    from grader.desk.fill import Report
    from grader.desk.points import Marks

__all__ = ["export"]

LISTED = 20  # names that are listed for people; --json has all

export = typer.Typer(
    help="Write grades in the formats of platforms: Canvas, Moodle, Gradescope, JUnit, Classroom 50.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(export, name="export")

ResultsFolder = Annotated[Path, typer.Argument(metavar="RESULTS", help="The folder that grader batch -o was given.")]
ResultFile = Annotated[Path, typer.Argument(metavar="RESULT.json", help="One result: of check --json or of a batch.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where it is written.")]
Slugs = Annotated[
    list[str] | None,
    typer.Option("--exercise", "-e", metavar="SLUG", help="Only this exercise counts; several times for more."),
]
Scale = Annotated[bool, typer.Option("--scale", help="Convert the points where the platform counts differently.")]


@export.command()
def canvas(
    results: ResultsFolder,
    gradebook: Annotated[Path, typer.Argument(metavar="GRADEBOOK.csv", help="As it was exported from Canvas.")],
    output: Output,
    assignment: Annotated[
        str, typer.Option(metavar="TITLE", help='Header of the column, as "Tokens (1234)"; if several fit.')
    ] = "",
    names: Slugs = None,
    scale: Scale = False,
    as_json: Json = False,
) -> None:
    """Fill one column of an exported Canvas gradebook.

    Everything else in it stays as it was. The exit code is 1 if a student with a result was not found.
    """
    from grader.desk.canvas import export as fill

    found = _marks(results, names)
    content, report = fill(gradebook, found, assignment, scale)
    _filled(report, gradebook, output, content, as_json)


@export.command()
def moodle(
    results: ResultsFolder,
    worksheet: Annotated[Path, typer.Argument(metavar="WORKSHEET.csv", help="As it was downloaded from Moodle.")],
    output: Output,
    names: Slugs = None,
    scale: Scale = False,
    feedback: Annotated[bool, typer.Option("--feedback", help="Fill in the column of feedback comments too.")] = False,
    identifier: Annotated[str, typer.Option("--column-identifier", metavar="HEADER")] = "Identifier",
    grade: Annotated[str, typer.Option("--column-grade", metavar="HEADER")] = "Grade",
    maximum: Annotated[str, typer.Option("--column-maximum", metavar="HEADER")] = "Maximum Grade",
    changeable: Annotated[str, typer.Option("--column-changeable", metavar="HEADER")] = "Grade can be changed",
    comments: Annotated[str, typer.Option("--column-feedback", metavar="HEADER")] = "Feedback comments",
    as_json: Json = False,
) -> None:
    """Fill the grades of an offline grading worksheet of Moodle.

    Headers in another language are named with --column-.... The exit code is 1 if a student was not found.
    """
    from grader.desk.moodle import Columns
    from grader.desk.moodle import export as fill

    found = _marks(results, names)
    columns = Columns(identifier, grade, maximum, changeable, comments)
    content, report = fill(worksheet, found, columns, scale, feedback)
    _filled(report, worksheet, output, content, as_json)


@export.command()
def gradescope(result: ResultFile, output: Output) -> None:
    """Write a result as the results.json of a Gradescope autograder."""
    from grader.desk.gradescope import report
    from grader.errors import FaultError
    from grader.results import read

    found = report(read(result))
    _write(output, _json(found))
    if "tests" not in found:
        raise FaultError(f"the grader failed at some checks: {output} says so and has no score; grade it again")


@export.command()
def junit(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Of a batch, or one RESULT.json.")],
    output: Output,
) -> None:
    """Write results as JUnit XML: a suite for each student and exercise."""
    from grader.desk.junit import export as xml
    from grader.results import read
    from grader.results import results as read_all

    found = read_all(results) if results.is_dir() else [read(results)]
    _write(output, xml(found))


@export.command()
def classroom50(
    result: ResultFile,
    output: Output,
    classroom: Annotated[str, typer.Option(envvar="CLASSROOM", help="Short name of the classroom.")],
    assignment: Annotated[str, typer.Option(envvar="ASSIGNMENT", help="Slug of the assignment.")],
    submission: Annotated[str, typer.Option(envvar="SUBMISSION_TAG", help="Tag of the submission.")],
    commit: Annotated[str, typer.Option(envvar="COMMIT_URL", help="Address of the commit.")],
    release: Annotated[str, typer.Option(envvar="RELEASE_URL", help="Address of the release.")],
    review: Annotated[str, typer.Option(envvar="REVIEW_URL", help="Address of the review; the commit's if none.")] = "",
    assignment_type: Annotated[str, typer.Option(help="If the runner does not fill it in.")] = "",
    owner: Annotated[str, typer.Option(help="If the runner does not fill it in.")] = "",
) -> None:
    """Write a result as the result.json of Classroom 50.

    Who it is for comes from options or from the variables that the runner sets.
    """
    from grader.desk.classroom import Submission
    from grader.desk.classroom import export as convert
    from grader.results import read

    whose = Submission(classroom, assignment, submission, commit, release, review or commit, assignment_type, owner)
    _write(output, _json(convert(read(result), whose)))


@app.command("gradescope")
def autograder(
    output: Annotated[Path, typer.Argument(metavar="OUT.zip", help="Where the autograder is written.")],
    names: Annotated[
        list[str] | None, typer.Option("--exercise", "-e", metavar="SLUG", help="Exercises, all if none is named.")
    ] = None,
    wheels: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Wheels of all it needs, so that its setup downloads nothing.")
    ] = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Grade there even if no fence works; submissions can read the answers.")
    ] = False,
    seed: Seed = 0,
    seed_file: SeedFile = None,
    course: CourseOption = None,
) -> None:
    """Pack an autograder for Gradescope.

    The zip holds the true answers: upload it as the assignment's autograder, and never give it to students.
    """
    from grader.course import find_course
    from grader.desk.autograder import Wish, build, save

    if not output.parent.is_dir():
        raise UsageError(f"{output}: there is no folder {output.parent}")
    found = find_course(course)
    wish = Wish(
        names or [exercise.slug for exercise in found.exercises()], wheels, not no_sandbox, drawn(seed, seed_file)
    )
    save(output, build(found, wish, note))
    points = sum(found.find(name).points for name in wish.names)
    typer.echo(f"wrote {output}, {output.stat().st_size / (1 << 20):.1f} MiB. It holds the answers: keep it secret.")
    typer.echo(f"In Gradescope, give the assignment {points} points, and upload this as its autograder.")


# --- what the commands share ------------------------------------------------------------------


def _marks(folder: Path, names: list[str] | None) -> "Marks":
    from grader.desk.points import marks
    from grader.results import results

    return marks(results(folder), names or [])


def _filled(report: "Report", source: Path, output: Path, content: bytes, as_json: bool) -> None:
    """Write a filled table and say what was done; end the command."""
    import dataclasses

    if output.resolve() == source.resolve():
        raise UsageError(f"{output} is the file that is read; name another one, so that both can be compared")
    _write(output, content)
    unmatched = [f"{item['student']} ({item['why']})" for item in report.unmatched]
    left = [f"{item['student']} ({item['why']})" for item in report.left]
    _list("students with a result are not in the file", unmatched)
    _list("rows were left as they are", left)
    _list("students have no grade, because the grader failed at their files", report.broken)
    _list("results have a note", report.notes)
    _list("rows of the file have no result", report.without)
    if as_json:
        typer.echo(json.dumps({"output": str(output), **dataclasses.asdict(report)}, indent=2))
    else:
        typer.echo(clean(f"wrote {output}: {len(report.filled)} grades in the column {report.column!r}"))
    raise typer.Exit(OK if report.complete else FAILED)


def _list(what: str, names: list[str]) -> None:
    """Tell people who a sentence is about."""
    if names:
        typer.echo(f"grader: {len(names)} {what}:", err=True)
        for name in names[:LISTED]:
            typer.echo(f"  {' '.join(clean(name).split())}", err=True)
        if len(names) > LISTED:
            typer.echo(f"  and {len(names) - LISTED} more; --json lists all", err=True)


def _json(found: Any) -> bytes:
    # in ASCII, as whatever reads it may take it for any encoding
    return json.dumps(found, indent=1).encode("ascii") + b"\n"


def _write(path: Path, content: bytes) -> None:
    from grader.errors import FaultError
    from grader.whole import whole

    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"--output {path}: name a file in a folder that is there")
    try:
        with whole(path) as file:
            file.write(content)
    except OSError as error:
        raise FaultError(f"{path} cannot be written: {error.strerror}") from None
