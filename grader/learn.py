"""The commands `grader quiz`: study with questions, and look after the bank of them."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grader.cli import CourseOption, Json, app, note, print_rows
from grader.errors import FAILED, OK

if TYPE_CHECKING:
    from grader.quiz.bank import Bank
    from grader.quiz.log import Log
    from grader.quiz.memory import Card

quiz = typer.Typer(
    name="quiz",
    help="Questions about language models: study them, look after them.",
    rich_markup_mode=None,
    invoke_without_command=True,
)
app.add_typer(quiz)

Files = Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Quiz files, all of the course if none.")]
LogFile = Annotated[
    Path | None, typer.Option("--log", metavar="FILE", help="Another review log than that of your account.")
]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", "-t", metavar="TOPIC", help="Of this topic; several times for more.")
]


@quiz.callback()
def ask(
    context: typer.Context,
    mode: Annotated[
        Literal["study", "exam", "review"],
        typer.Option("--mode", "-m", help="study explains at once, exam at the end, review asks what you missed."),
    ] = "study",
    topics: Topics = None,
    items: Annotated[
        list[str] | None, typer.Option("--item", "-i", metavar="ID", help="This question; several times for more.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="How many; 10 if not said.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="How long an exam may take; 1.5 a question if not said, 0 for no limit.")
    ] = None,
    seed: Annotated[str | None, typer.Option("--seed", help="The same seed, the same orders.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="No colours: for logs and screen readers.")] = False,
    tui: Annotated[bool, typer.Option("--tui", help="Use the whole screen (extra [tui]).")] = False,
    fresh: Annotated[bool, typer.Option("--new", help="Begin anew even if a session was left unfinished.")] = False,
    log: LogFile = None,
    course: CourseOption = None,
) -> None:
    """Study with questions.

    Asks what you missed and what is due, then what is new. Quit when you like: what you have answered is kept, and the
    next start goes on. The clock of an exam goes on when you quit.
    """
    if context.invoked_subcommand is not None:
        return
    from grader.quiz.lesson import Wish, lesson, review_log
    from grader.quiz.memory import cards

    wish = Wish(mode, topics or (), items or (), limit, seed, minutes, fresh)
    book = review_log(log)
    session, notes = lesson(_bank(course), book, wish)
    for sentence in notes:
        note(f"{sentence}.")
    if tui:
        from grader.quiz.screen import show

        show(session)
    else:
        from grader.quiz.line import Terminal, run

        run(session, Terminal(plain))
    cards(book)  # computed now, so that the next start need not


@quiz.command()
def stats(topics: Topics = None, log: LogFile = None, as_json: Json = False, course: CourseOption = None) -> None:
    """Show how far you are, topic by topic, and how well you know what you know."""
    from grader.quiz.lesson import now
    from grader.quiz.progress import calibration, progress

    bank, book, known = _memory(log, course)
    rows = [dataclasses.asdict(row) for row in progress(bank.of(topics or []), known, now())]
    width = max(len(row["topic"]) for row in rows)
    lines = [f"{'topic':<{width}}  answered  right  due"]
    lines += [
        f"{row['topic']:<{width}}  {row['answered']:>3} of {row['questions']:<2} {row['right']:>5} {row['due']:>4}"
        for row in rows
    ]
    total = {key: sum(row[key] for row in rows) for key in ("answered", "questions", "right", "due")}
    lines.append(
        f"{'all':<{width}}  {total['answered']:>3} of {total['questions']:<2} {total['right']:>4} {total['due']:>4}"
    )
    sure = calibration(book.events())
    for name, (right, count) in sure.items():
        if count:
            lines.append(f"When you said {name!r}, {right} of {count} answers were right.")
    print_rows(rows, lines, as_json)


@quiz.command()
def due(topics: Topics = None, log: LogFile = None, as_json: Json = False, course: CourseOption = None) -> None:
    """List the questions that should be asked again, and when the next are."""
    from grader.quiz.agenda import agenda
    from grader.quiz.lesson import now
    from grader.quiz.memory import new

    bank, _, known = _memory(log, course)
    items = bank.of(topics or [])
    waiting = agenda("review", items, known, "", now())
    rows = [
        {"item": item.id, "topic": item.topic, "due": known[item.id].due.isoformat(), "missed": known[item.id].missed}
        for item in waiting
    ]
    lines = [f"{row['item']}: {'missed' if row['missed'] else 'due'}" for row in rows]
    if not lines:
        later = sorted(known[item.id].due for item in items if not new(item, known))
        lines = [
            f"nothing is due before {later[0].astimezone():%Y-%m-%d %H:%M}" if later else "nothing was answered yet"
        ]
    print_rows(rows, lines, as_json)


@quiz.command()
def flagged(log: LogFile = None, as_json: Json = False, course: CourseOption = None) -> None:
    """List the questions that were flagged, for who writes them."""
    from grader.quiz.progress import flagged as marked

    bank, book, _ = _memory(log, course)
    rows = [
        {"item": name, "time": time, "prompt": bank.items[name].prompt if name in bank.items else ""}
        for name, time in marked(book.events()).items()
    ]
    lines = [f"{row['item']}: {' '.join(row['prompt'].split())[:70]}" for row in rows] or ["no question is flagged"]
    print_rows(rows, lines, as_json)


def _memory(log: Path | None, course: Path | None) -> "tuple[Bank, Log, dict[str, Card]]":
    """Return the questions, the review log, and what it says of them."""
    from grader.quiz.lesson import review_log
    from grader.quiz.memory import cards

    book = review_log(log)
    return _bank(course), book, cards(book)


def _bank(course: Path | None) -> "Bank":
    from grader.course import find_course
    from grader.quiz.bank import files, load

    return load(files(find_course(course).quizzes))


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
    if as_json:
        print_rows(rows, [], as_json)
    else:
        typer.echo("\n".join(lines))  # not wrapped: editors read file:line:column
    raise typer.Exit(FAILED if counts["error"] or counts["warn"] else OK)


@quiz.command()
def schema() -> None:
    """Print the JSON Schema of quiz files, for editors."""
    import json

    from grader.quiz.item import Quiz

    typer.echo(json.dumps(Quiz.model_json_schema(by_alias=True), indent=2))
