"""Shows results to people. It knows the models of verdict.py and no grader."""

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.show import listed, noted
from grader.verdict import Evidence, Grade, Outcome, Result, Verdict

if TYPE_CHECKING:
    from grader.capstone import Capstone, Progress
    from grader.moved import Move
    from grader.plan import Event, Summary

SHOWN = 40  # moves that are printed; the file has all
QUIET_SECONDS = 10.0  # between two lines where no bar can be drawn

# sign and colour of an outcome; the word stands beside it, so that neither is needed to understand
SIGNS = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.NOT_STARTED: ("·", "dim"),
    Outcome.ERROR: ("!", "red"),
    Outcome.TIMEOUT: ("⏱", "yellow"),
    Outcome.MEMORY: ("▲", "yellow"),
    Outcome.REFUSED: ("⊘", "magenta"),
    Outcome.BROKEN: ("?", "bold magenta"),
}


def show_result(console: Console, result: Result) -> None:
    """Print the grades of a run, one exercise after the other."""
    for grade in result.exercises:
        console.print(_grade(grade))
    if result.note:
        console.print(Text(result.note, "dim"))
    if len(result.exercises) > 1:
        what = "points in the public cases" if any(grade.public for grade in result.exercises) else "points"
        console.print(Text(f"all exercises: {result.score} of {result.points} {what}", "bold"))


def _grade(grade: Grade) -> RenderableType:
    head = Text.assemble((grade.exercise, "bold"), "  ", grade.title, "  ", (grade.file, "dim"))
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(no_wrap=True)
    for verdict in grade.verdicts:
        sign, style = SIGNS[verdict.outcome]
        points = f"{verdict.earned}/{verdict.points}"
        table.add_row(Text(sign, style), points, Text(verdict.title), Text(str(verdict.outcome), style))
    parts: list[RenderableType] = [head, Text(), Padding(table, (0, 0, 1, 2))]
    seen: set[str] = set()
    explained: set[str] = set()
    for verdict in grade.verdicts:
        if verdict.outcome in (Outcome.PASSED, Outcome.NOT_STARTED):
            continue
        unread = verdict.evidence is not None and not verdict.evidence.inputs and verdict.message in seen
        if unread and verdict.cases == 1:
            continue  # the file could not be loaded: said once, not for each check
        seen.add(verdict.message)
        parts.append(Padding(_details(verdict, explained), (0, 0, 1, 2)))
        explained |= {mistake.name for mistake in verdict.mistakes}
    what = "points in the public cases" if grade.public else "points"
    score = Text.assemble((f"{grade.score} of {grade.points} {what}", "bold"), f"   next: {grade.next_step}")
    return Group(*parts, score, Text())


def _details(verdict: Verdict, explained: set[str]) -> RenderableType:
    sign, style = SIGNS[verdict.outcome]
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for label, text in _rows(verdict, explained):
        rows.add_row(label, text)
    return Group(Text(f"{sign} {verdict.title}", style), Padding(rows, (0, 0, 0, 2)))


def _rows(verdict: Verdict, explained: set[str]) -> list[tuple[str, Text]]:
    found: list[tuple[str, Text]] = []
    evidence = verdict.evidence or Evidence(inputs={})
    label = "smallest case" if evidence.shrunk else "failing case"
    for name, value in evidence.inputs.items():
        found.append((label, Text(f"{name} = {value}")))
        label = ""
    if evidence.place:
        found.append(("first wrong at", Text(f"result{evidence.place}")))
    for label, value in (("got", evidence.got), ("expected", evidence.expected)):
        if value:
            found.append((label, Text(value)))
    if evidence.allowed:
        found.append(("allowed", Text(f"± {evidence.allowed}" if evidence.allowed[0].isdigit() else evidence.allowed)))
    if verdict.message:
        found.append(("note", Text(verdict.message)))
    if evidence.traceback:
        found.append(("where", Text(evidence.traceback.rstrip())))
    if evidence.output:
        found.append(("it printed", Text(evidence.output.rstrip()[-500:], "dim")))
    return found + _mistakes(verdict, explained)


def _mistakes(verdict: Verdict, explained: set[str]) -> list[tuple[str, Text]]:
    """Return the names of what went wrong, why, and the questions about it."""
    found = []
    for number, mistake in enumerate(verdict.mistakes):
        found.append(("this equals" if not number else "or equals", Text(f"{mistake.what} ({mistake.name})", "bold")))
        found.append(("", Text("explained above" if mistake.name in explained else mistake.why)))
        if mistake.questions and mistake.name not in explained:
            command = "grader quiz " + " ".join(f"--item {name}" for name in mistake.questions)
            found.append(("to think", Text(command)))
    return found


# --- a batch ----------------------------------------------------------------------------------


@contextmanager
def batch_bar(
    as_json: bool, console: Console | None = None
) -> "Iterator[tuple[Callable[[str], None], Callable[[Event], None]]]":
    """Show how far a batch is: a bar on a terminal, a line now and then elsewhere, or events for machines.

    Yields what takes a sentence about something that takes long, and what takes an event.

    Args:
        as_json: print each event as a line of JSON on standard output.
        console: where people look; standard error if None.
    """
    console = console or Console(file=sys.stderr, highlight=False, markup=False, emoji=False)

    def say(sentence: str) -> None:
        console.print(noted(sentence), soft_wrap=True)  # above the bar, if there is one

    if as_json:

        def event(now: "Event") -> None:
            print(json.dumps({"event": "student", **dataclasses.asdict(now)}), flush=True)  # noqa: T201  this is the output

        yield say, event
    elif not console.is_terminal:
        first: Event | None = None
        begun = told = 0.0

        def line(now: "Event") -> None:
            nonlocal first, begun, told
            if first is None:  # what was before it is no measure for the others
                first, begun, told = now, time.monotonic(), time.monotonic()
            if now.done == now.students or time.monotonic() - told > QUIET_SECONDS:
                told = time.monotonic()
                left = (told - begun) / max(1, now.done - first.done) * (now.students - now.done)
                console.print(f"{now.done} of {now.students} students, about {left:.0f} s to go")

        yield say, line
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = [TextColumn("grading"), BarColumn(20), MofNCompleteColumn(), TextColumn("students,")]
        bar = Bar(*columns, TimeRemainingColumn(), TextColumn("left"), console=console)
        task = bar.add_task("", total=None)

        def move(now: "Event") -> None:
            bar.start()  # not before there is something to show
            bar.update(task, total=now.students, completed=now.done)

        try:
            yield say, move
        finally:
            bar.stop()


def show_summary(console: Console, summary: "Summary", results: Path) -> None:
    """Print what a batch did."""
    files = f"{summary.files} files of {', '.join(summary.exercises)}"
    known = f", {summary.known} were known already or are copies" if summary.known else ""
    console.print(Text.assemble((f"{summary.students} students", "bold"), f", {files}: {summary.graded} graded{known}"))
    if summary.graded:
        each = f"{1000 * summary.seconds / summary.graded:.0f} ms of processor time each"
        console.print(Text(f"the submissions used {each}, at most {summary.kib / 1024:.0f} MiB", "dim"))
    console.print(f"on average {summary.mean:.0%} of the points")
    for names, what in ((summary.unread, "could not be read"), (summary.broken, "the grader failed at")):
        if names:
            console.print(Text(f"{what}: {listed(names, 10)}", "bold yellow"))
    console.print(f"the results are in {results}: gradebook.csv, and grades/ with a file for each student")


def show_moves(console: Console, found: "Sequence[Move]", path: Path | None = None) -> None:
    """Print whose mark moved, on which check, and why."""
    if not found:
        console.print("no mark moved")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("student", "check"):
        table.add_column(head, overflow="fold")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for move in found[:SHOWN]:
        change = Text(f"{move.before} → {move.after}", "bold" if move.difference else "dim")
        table.add_row(Text(move.student), Text(f"{move.exercise} {move.check}".strip()), change, Text(move.why))
    console.print(table)
    if len(found) > SHOWN:
        console.print(Text(f"and {len(found) - SHOWN} more", "dim"))
    students = {move.student for move in found}
    ups, downs = (sum(sign * move.difference > 0 for move in found) for sign in (1, -1))
    console.print(Text(f"{len(students)} students: {ups} checks gained points, {downs} lost some", "bold"))
    if path:
        console.print(f"all of it is in {path}")


# --- the capstone -----------------------------------------------------------------------------


@contextmanager
def training_bar(console: Console | None = None) -> "Iterator[Callable[[Progress], None]]":
    """Show how far a training run is: a bar on a terminal, a line now and then elsewhere.

    Args:
        console: where; standard error if None.
    """
    console = console or Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:

        def line(now: "Progress") -> None:
            if now.step % 100 == 0 or now.step == now.steps:
                console.print(f"step {now.step} of {now.steps}: {_state(now)}")

        yield line
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    wide = [TextColumn("training"), BarColumn(20), TimeRemainingColumn()] if console.width >= 64 else []
    with Bar(*wide, MofNCompleteColumn(), TextColumn("{task.description}"), console=console) as bar:
        task = bar.add_task("", total=None)
        yield lambda now: bar.update(task, total=now.steps, completed=now.step, description=_state(now))


def _state(now: "Progress") -> str:
    exam = "" if now.accuracy is None else f", exam {now.accuracy:.0%}"
    return f"loss {now.loss:.3f}{exam}"


def show_capstone(console: Console, result: "Capstone") -> None:
    """Print what came of the capstone."""
    from grader.chart import terminal

    console.print(Text.assemble((result.title, "bold"), f"  seed {result.seed}"))
    for slug, path in result.parts.items():
        console.print(Text(f"  {slug}: {path}", "dim"))
    console.print()
    if result.losses:
        console.print(Text(terminal(result.losses, min(console.width, 76))))
    if result.samples:
        table = Table(box=None, padding=(0, 2))
        for head in ("sum", "answer", "before", "after"):
            table.add_column(head, justify="right", overflow="fold")
        table.add_column("")
        for item in result.samples:
            sign = Text("✓", "green") if item.right else Text("✗", "red")
            table.add_row(item.question, item.wanted, Text(item.before, "dim"), item.after, sign)
        console.print(table)
        console.print()
    if result.message:
        console.print(Text(f"it stopped after {result.steps} steps: {result.message}", "red"))
        if result.traceback:
            console.print(Text(result.traceback.rstrip()))
    verdict = "reached" if result.reached else "not reached"
    said = f"the mark of {result.mark:.0%} is {verdict}: {result.accuracy:.1%} of unseen sums are right"
    console.print(
        Text(f"{said} after {result.steps} of {result.budget} steps", "bold green" if result.reached else "bold")
    )
    if not result.reached:
        console.print(Text(f"next: grader check {' '.join(result.parts)}; a model learns no better than its parts are"))
