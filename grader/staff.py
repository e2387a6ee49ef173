"""The commands of those who run a course: grade a class, prove the checks, begin an exercise."""

import os
from pathlib import Path
from typing import Annotated

import typer

from grader import exchange
from grader.cli import CourseOption, Json, Names, Seed, SeedFile, app, console, drawn, note
from grader.errors import FAILED, FAULT, OK

__all__ = ["app", "exchange"]  # cli.py's app, with these commands and exchange.py's

# of desk/layout.py, which is not imported for a help text
LAYOUTS = "folder, gradescope, canvas, moodle, moodle-teams, classroom, nbgrader, single"


@app.command()
def batch(
    submissions: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="What a platform gives, folder or .zip; or a folder for each student."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")],
    names: Annotated[
        list[str] | None,
        typer.Option("--exercise", "-e", metavar="SLUG", help="Grade this one; several times for more."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = os.cpu_count() or 1,
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="Use a dask cluster, as tcp://host:8786.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Grade everything anew.")] = False,
    again: Annotated[
        bool, typer.Option("--regrade", help="After a check or a file changed: say whose mark moved, and why.")
    ] = False,
    no_sandbox: Annotated[bool, typer.Option("--no-sandbox", help="Run the files of others without a fence.")] = False,
    layout: Annotated[str, typer.Option(metavar="NAME", help=f"How the class lies there: {LAYOUTS}.")] = "",
    seed: Seed = 0,
    seed_file: SeedFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print events as lines of JSON.")] = False,
    course: CourseOption = None,
) -> None:
    """Grade a class.

    Takes what Gradescope, Canvas, Moodle, GitHub Classroom or nbgrader gives; a .zip is read where it lies.
    Run it again to go on after an interruption, or when files were added: what is graded is kept.
    The exit code is 0 if every file was graded, whatever the marks; 1 if a file could not be read.
    """
    import dataclasses
    import json

    from grader.batch import run
    from grader.course import find_course
    from grader.plan import Plan
    from grader.regrade import MOVED, regrade
    from grader.report import batch_bar, show_moves, show_summary

    seed = drawn(seed, seed_file)
    plan = Plan(submissions, output, names or [], jobs, scheduler, not no_sandbox, force, seed, bool(seed_file), layout)
    moved = None
    with batch_bar(as_json) as (say, watch):
        if again:
            summary, moved = regrade(find_course(course), plan, say, watch)
        else:
            summary = run(find_course(course), plan, say, watch)
    if as_json:
        for move in moved or []:
            typer.echo(json.dumps({"event": "moved", **dataclasses.asdict(move)}))
        typer.echo(json.dumps({"event": "end", **dataclasses.asdict(summary)}))
    else:
        show_summary(console(), summary, output)
        if moved is not None:
            show_moves(console(), moved, output / MOVED)
    raise typer.Exit(FAULT if summary.broken else FAILED if summary.unread else OK)


@app.command()
def audit(
    names: Names = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to draw cases with.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="How many seeds at a time.")] = os.cpu_count() or 1,
    as_json: Json = False,
    course: CourseOption = None,
) -> None:
    """Prove the checks of exercises.

    Right programs pass, every named wrong program fails; prints by how much.
    """
    from grader.audit import audit as run
    from grader.audit import show_audit
    from grader.course import find_course

    found = find_course(course)
    exercises = [found.find(name) for name in names] if names else found.exercises()
    results = [run(found, exercise, range(seeds), jobs, note) for exercise in exercises]
    if as_json:
        import json

        # through the model's own JSON, which writes an infinite margin as text: JSON has no infinity
        typer.echo(json.dumps([json.loads(result.model_dump_json()) for result in results], indent=2))
    else:
        for result in results:
            show_audit(console(), result)
    raise typer.Exit(OK if all(result.green for result in results) else FAILED)


@app.command()
def new(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="[a-z][a-z0-9_]*, at most 24 characters.")],
    title: Annotated[str, typer.Option(help="Title of the exercise.")] = "",
    course: CourseOption = None,
) -> None:
    """Write every file of a new exercise."""
    from grader.course import find_course
    from grader.new import create

    for path in create(find_course(course), slug, title or slug.replace("_", " ").capitalize()):
        typer.echo(f"wrote {path}")
    typer.echo(f"Fill them in, then run: grader audit {slug}")


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results of one batch.")],
    after: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results of another.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE.csv", help="Write them there.")] = None,
    as_json: Json = False,
) -> None:
    """Say whose mark differs between two results of a class, on which check, and why."""
    import dataclasses
    import json

    from grader.moved import moves
    from grader.regrade import write
    from grader.report import show_moves
    from grader.results import results

    found = moves(results(before), results(after))
    if output:
        write(output, found)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(move) for move in found], indent=2))
    else:
        show_moves(console(), found, output)


@app.command()
def kit(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    names: Annotated[
        list[str] | None,
        typer.Option("--exercise", "-e", metavar="SLUG", help="Only this one; several times for more."),
    ] = None,
    asked: Annotated[
        bool, typer.Option("--quizzes/--no-quizzes", help="With the questions about these exercises, or without.")
    ] = True,
    seed: Seed = 0,
    course: CourseOption = None,
) -> None:
    """Make the folder that students get: tasks, starters, checks, public cases, questions; no answers of the course.

    Grade the class with other cases: grader batch --seed-file. Mark the quizzes with what is written beside the kit:
    grader quiz mark --forms DIR-forms/<quiz>.csv.
    """
    from grader.course import find_course
    from grader.kit import Contents, about, forms, make

    found = find_course(course)
    exercises = [found.find(name) for name in names] if names else found.exercises()
    quizzes = about(found, exercises) if asked else []
    written = make(found, out, Contents(exercises, quizzes, seed), note)
    size = sum(path.stat().st_size for path in written) / (1 << 20)
    typer.echo(f"wrote {out}: {len(exercises)} exercises, {len(quizzes)} quizzes, {len(written)} files, {size:.1f} MiB")
    if quizzes:
        typer.echo(f"keep {forms(out)} to mark the quizzes; it is for staff")


@app.command()
def schema() -> None:
    """Print the JSON schema of `grader check --json`."""
    import json

    from grader.verdict import Result

    typer.echo(json.dumps(Result.model_json_schema(), indent=2))
