"""The commands `grader quiz`: study with questions, and look after the bank of them."""

from pathlib import Path
from typing import Annotated

import typer

from grader.cli import CourseOption, Json, app, note, print_rows
from grader.errors import FAILED, OK

quiz = typer.Typer(
    name="quiz",
    help="Questions about language models: study them, look after them.",
    rich_markup_mode=None,
)
app.add_typer(quiz)

Files = Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Quiz files, all of the course if none.")]


@quiz.command()
def lint(
    files: Files = None,
    run: Annotated[bool, typer.Option("--run", help="Run the code of questions too (Q020); needs torch.")] = False,
    as_json: Json = False,
    course: CourseOption = None,
) -> None:
    """Look for flaws in quiz files.

    Each line is file:line:column: rule and sentence. The exit code is 1 if there is an error or a warning; notes cost
    nothing. A warning that must be is waived in the file: "waived: {Q010: reason}", at the question or at the file.
    """
    from grader.quiz.proof import proof

    found = proof(course, files or [], run, note)
    rows = [
        {"file": one.file, "line": one.line, "column": one.column, "rule": one.code, "level": one.level}
        | {"message": one.message}
        for one in found.problems
    ]
    counts = {level: sum(one.level == level for one in found.problems) for level in ("error", "warn", "info")}
    lines = [str(one) for one in found.problems]
    lines.append(
        f"{found.items} questions in {found.files} files: {counts['error']} errors, {counts['warn']} warnings, "
        f"{counts['info']} notes"
    )
    print_rows(rows, lines, as_json)
    raise typer.Exit(FAILED if counts["error"] or counts["warn"] else OK)


@quiz.command()
def schema() -> None:
    """Print the JSON Schema of quiz files, for editors."""
    import json

    from grader.quiz.item import Quiz

    typer.echo(json.dumps(Quiz.model_json_schema(by_alias=True), indent=2))
