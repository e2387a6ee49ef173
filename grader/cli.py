"""The command `grader`. Heavy imports happen inside the commands: `list` and `--help` start at once."""

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grader import __version__
from grader.errors import FAILED, FAULT, OK, UsageError
from grader.show import noted

if TYPE_CHECKING:
    from grader.exercise import Exercise

app = typer.Typer(
    name="grader",
    help="Grade exercises on the foundations of language models against a hidden reference.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Names = Annotated[list[str] | None, typer.Argument(metavar="[EXERCISE]...", help="Slugs, all exercises if none.")]
CourseOption = Annotated[
    Path | None, typer.Option("--course", metavar="DIR", help="The course, if not the one around.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the drawn cases.")]
SeedFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw other cases than students have; the file is made if it is not there."),
]
SIGNS = {True: "ok", False: "NO", None: "--"}  # None: not there, and need not be
DeviceName = Literal["cpu", "cuda", "auto", "all"]


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Grade exercises on the foundations of language models against a hidden reference."""
    if version:
        typer.echo(f"grader {__version__}")
        raise typer.Exit


@app.command()
def check(
    names: Names = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="PATH", help="A file, or a folder with your files, instead of exercises/."),
    ] = None,
    device: Annotated[DeviceName, typer.Option("--device", help="Where tensors are computed.")] = "cpu",
    smallest: Annotated[
        bool | None,
        typer.Option(
            "--shrink/--no-shrink", help="Search the smallest failing case. Default: where no library is loaded for it."
        ),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
    course: CourseOption = None,
) -> None:
    """Grade your files.

    They are exercises/02_bpe/bpe.py and so on, or those in --from.
    """
    from grader.study import Wish, run

    result = run(Wish(names or [], source, device, smallest, seed, course), note)
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    else:
        from grader.report import show_result

        show_result(console(), result)
    if any(grade.broken for grade in result.exercises):
        raise typer.Exit(FAULT)
    raise typer.Exit(OK if all(grade.complete for grade in result.exercises) else FAILED)


@app.command()
def capstone(
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="A folder with your files, instead of exercises/.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the training and of the exam.")] = 0,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE", help="Write the loss curve as a PNG.")] = None,
    as_json: Json = False,
    course: CourseOption = None,
) -> None:
    """Train a decoder from your own parts.

    It learns additions until it answers enough of those that it has not seen.
    """
    from grader.capstone import run
    from grader.course import find_course
    from grader.report import show_capstone, training_bar

    with training_bar() as watch:
        result = run(find_course(course), source, seed, watch)
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    else:
        show_capstone(console(), result)
    if png:
        from grader import chart

        chart.png(result.losses, result.marks, png)
        typer.echo(f"wrote {png}", err=True)
    raise typer.Exit(FAULT if result.broken else OK if result.reached else FAILED)


@app.command("list")
def list_(
    name: Annotated[str | None, typer.Argument(metavar="[EXERCISE]", help="Show the checks of this exercise.")] = None,
    as_json: Json = False,
    course: CourseOption = None,
) -> None:
    """Show the exercises in order of study, or the checks of one."""
    from grader.course import find_course

    found = find_course(course)
    if name:
        from grader.oracle import load_checks

        exercise = found.find(name)
        checks = load_checks(found.checks(exercise), exercise.slug)
        rows = [{"check": item.name, "points": item.points, "title": item.title} for item in checks]
        lines = [f"{row['points']:>3}  {row['title']}" for row in rows]
        lines.insert(
            0, f"{exercise.slug}  {exercise.title}: {exercise.points} points, {found.submission(exercise, None)}"
        )
    else:
        exercises = found.exercises()
        if not exercises:
            raise UsageError(f"{found.root} has no exercises")
        rows = [_row(item) for item in exercises]
        width = max(len(item.slug) for item in exercises)
        lines = [f"{item.number:>2}  {item.slug:<{width}}  {item.points:>3} points  {item.title}" for item in exercises]
    print_rows(rows, lines, as_json)


def _row(exercise: "Exercise") -> dict[str, Any]:
    fields = exercise.model_dump(include={"slug", "number", "title", "summary", "points", "prerequisites"})
    return {**fields, "file": str(exercise.folder / exercise.filename)}


@app.command()
def hint(
    name: Annotated[str, typer.Argument(metavar="EXERCISE")],
    check_name: Annotated[
        str | None, typer.Argument(metavar="[CHECK]", help="Name of a check, or a part of it.")
    ] = None,
    level: Annotated[int, typer.Option(min=1, max=3, help="1 a question, 2 the idea, 3 the line of attack.")] = 1,
    course: CourseOption = None,
) -> None:
    """Show hints, one level after the other."""
    from grader.course import find_course

    exercise = find_course(course).find(name)
    chosen = {key: texts for key, texts in exercise.hints.items() if check_name is None or check_name in key}
    if not chosen:
        known = ", ".join(exercise.hints) or "none"
        raise UsageError(f"{exercise.slug} has no hints for {check_name!r}; there are hints for: {known}")
    for key, texts in chosen.items():
        shown = [_wrapped(f"  {number}. {text}", 5) for number, text in enumerate(texts[:level], start=1)]
        typer.echo("\n".join([key, *shown]))


@app.command()
def doctor(as_json: Json = False, course: CourseOption = None) -> None:
    """Look at this machine.

    Python, torch, CUDA, the sandbox, the cache and the course: what is found, and what it means for you.
    """
    from grader.doctor import examine

    rows = examine(course)
    print_rows(
        rows,
        [f"{SIGNS[row['ok']]}  {row['what']}: {row['found']} - {row['meaning']}" for row in rows],
        as_json,
    )
    raise typer.Exit(FAULT if any(row["ok"] is False for row in rows) else OK)


# --- printing ---------------------------------------------------------------------------------


def print_rows(rows: list[dict[str, Any]], lines: list[str], as_json: bool) -> None:
    """Print rows for machines, or lines for people."""
    if as_json:
        import json

        typer.echo(json.dumps(rows, indent=2))
    else:
        typer.echo("\n".join(_wrapped(line, 5) for line in lines))


def _wrapped(line: str, indent: int) -> str:
    """Return a line broken at the width of the terminal."""
    width = shutil.get_terminal_size().columns
    return "\n".join(textwrap.wrap(line, width, subsequent_indent=" " * indent)) or line


def note(sentence: str) -> None:
    """Say what takes long, or a whole sentence with its full stop, on standard error, where a person looks."""
    typer.echo(noted(sentence), err=True)


def drawn(seed: int, seed_file: Path | None) -> int:
    """Return the seed that is asked for: that of the file, if one is named."""
    from grader.secret import seed_of

    if seed_file is None:
        return seed
    seed, made = seed_of(seed_file)
    if made:
        note(f"made a secret seed in {seed_file}; keep it: the same file draws the same again.")
    return seed


def console() -> Any:
    """Return the terminal, with nothing in texts taken for markup."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)
