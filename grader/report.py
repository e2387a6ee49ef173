"""Shows results to people. It knows the models of verdict.py and no grader."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.verdict import Evidence, Grade, Outcome, Result, Verdict

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
        console.print(Text(f"all exercises: {result.score} of {result.points} points", "bold"))


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
    score = Text.assemble((f"{grade.score} of {grade.points} points", "bold"), f"   next: {grade.next_step}")
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
    for number, mistake in enumerate(verdict.mistakes):
        found.append(("this equals" if not number else "or equals", Text(f"{mistake.what} ({mistake.name})", "bold")))
        found.append(("", Text("explained above" if mistake.name in explained else mistake.why)))
    return found
