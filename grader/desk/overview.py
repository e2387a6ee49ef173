"""A page about a class for those who teach it: scores, what cost most, and what to look at by hand."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.desk.page import drawing, html
from grader.desk.plots import Bar, bars, heat, histogram, shares
from grader.verdict import Grade, Outcome, Result, Verdict

LARGE = 60  # students; the map of a larger class has its exercises as rows
SHOWN = 12  # bars of a chart; the table beside it has all
FEW = 0.1  # of the cases of a check: one who fails no more has nearly understood
CASES = 5  # that a check needs for that
FAULTS = (Outcome.ERROR, Outcome.TIMEOUT, Outcome.MEMORY, Outcome.BROKEN)
STEPS = ["0", "10", "20", "30", "40", "50", "60", "70", "80", "90", "100"]


@dataclass(slots=True)
class Column:
    """A check and what it cost the class."""

    exercise: str
    number: int
    verdict: Verdict  # of some student: its name, title, points and visibility are everybody's
    wrong: int = 0  # students whose answer was wrong
    missing: int = 0  # students who had not started
    broken: int = 0
    mistakes: Counter[str] = field(default_factory=Counter)

    @property
    def lost(self) -> int:
        """Points that wrong answers cost."""
        return self.wrong * self.verdict.points

    @property
    def open(self) -> int:
        """Points of those who had not started."""
        return self.missing * self.verdict.points


@dataclass(slots=True)
class Error:
    """A misconception and what it cost the class."""

    exercise: str
    what: str
    why: str
    students: set[str] = field(default_factory=set)
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """Something that a person should look at: whose file for which exercise, and why."""

    student: str
    exercise: str
    reason: str
    detail: str


def page(results: Sequence[Result]) -> str:
    """Return the page of a class.

    Raises:
        UsageError: jinja2 or matplotlib is not installed.
    """
    columns = _columns(results)
    costly = sorted(columns.values(), key=lambda item: (-item.lost, -item.open, item.exercise, item.number))
    errors = sorted(_errors(results).values(), key=lambda item: (-item.lost, item.exercise, item.what))
    scores = [result.score / result.points if result.points else 0.0 for result in results]
    counts = [sum(min(int(score * 10 + 1e-9), 10) == step for score in scores) for step in range(len(STEPS))]
    return html(
        "overview.html",
        results=results,
        exercises=_exercises(results),
        mean=statistics.mean(scores),
        median=statistics.median(scores),
        full=sum(result.score == result.points for result in results),
        dated=any(result.submitted or result.late for result in results),
        late=sum(result.late for result in results),
        looks=[*looks(results)],
        faults=[*_faults(results)],
        columns=costly,
        errors=errors,
        ranges=[*zip([f"{step} to {int(step) + 9} %" for step in STEPS[:-1]] + ["100 %"], counts, strict=True)],
        scores_plot=drawing(_scores(counts)),
        checks_plot=drawing(_checks(costly)),
        errors_plot=drawing(_mistakes(errors)) if errors else "",
        map_plot=drawing(_map(results, [*columns])),
        large=len(results) > LARGE,
        cells=_cells(results, [*columns]) if len(results) <= LARGE else [],
        order=[*columns.values()],
        outcomes=[str(outcome) for outcome in Outcome],
        shares=_shares(results),
        secret=results[0].seed is None,
    )


def looks(results: Sequence[Result]) -> Iterator[Look]:
    """Yield what a person should look at, the most telling first."""
    yield from _copies(results)
    graded = [(result.student, grade) for result in results for grade in result.exercises]
    for student, grade in graded:
        for verdict in [item for item in grade.verdicts if item.outcome is Outcome.REFUSED][:1]:
            yield Look(student, grade.exercise, "refused shortcut", verdict.message)
    for student, grade in graded:
        for verdict in [item for item in grade.verdicts if item.outcome is Outcome.BROKEN][:1]:
            yield Look(student, grade.exercise, "the grader failed", verdict.message)
    for student, grade in graded:
        if failed := _hidden_only(grade):
            yield Look(student, grade.exercise, "wrong on hidden checks only", ", ".join(item.title for item in failed))
    for student, grade in graded:
        for verdict in filter(_nearly, grade.verdicts):
            detail = f"{verdict.title}: {verdict.wrong} of {verdict.cases} cases"
            yield Look(student, grade.exercise, "wrong on few cases only", detail)


def _copies(results: Sequence[Result]) -> Iterator[Look]:
    """Yield who handed in the same file as others; a starter that nobody changed is no copy."""
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for result in results:
        for grade in result.exercises:
            started = any(verdict.outcome is not Outcome.NOT_STARTED for verdict in grade.verdicts)
            if grade.digest and started:
                same[grade.exercise, grade.digest].append(result.student)
    for (exercise, _), students in sorted(same.items(), key=lambda item: (item[0][0], item[1])):
        for student in students if len(students) > 1 else ():
            others = ", ".join(other for other in students if other != student)
            yield Look(student, exercise, "identical file", f"the same as that of {others}")


def _hidden_only(grade: Grade) -> list[Verdict]:
    """Return the failed checks of a grade if students see none of them and all that they see pass."""
    failed = [item for item in grade.verdicts if item.outcome not in (Outcome.PASSED, Outcome.BROKEN)]
    passed = [item for item in grade.verdicts if item.visibility == "visible"]
    return failed if passed and all(item.visibility != "visible" for item in failed) else []


def _nearly(verdict: Verdict) -> bool:
    few = verdict.cases >= CASES and verdict.wrong <= max(1, FEW * verdict.cases)
    return verdict.outcome is Outcome.FAILED and few


def _faults(results: Sequence[Result]) -> Iterator[tuple[str, str, Outcome, str, int]]:
    """Yield student, exercise, outcome, message and how many checks ended so."""
    for result in results:
        for grade in result.exercises:
            found: dict[tuple[Outcome, str], int] = Counter(
                (item.outcome, item.message) for item in grade.verdicts if item.outcome in FAULTS
            )
            for (outcome, message), count in found.items():
                yield result.student, grade.exercise, outcome, message, count


def _columns(results: Sequence[Result]) -> dict[tuple[str, str], Column]:
    """Return what each check cost, by exercise and check, in the order of the course."""
    found: dict[tuple[str, str], Column] = {}
    for result in results:
        for grade in result.exercises:
            for number, verdict in enumerate(grade.verdicts, start=1):
                key = (grade.exercise, verdict.check)
                column = found.setdefault(key, Column(grade.exercise, number, verdict))
                if verdict.outcome is Outcome.BROKEN:
                    column.broken += 1
                elif verdict.outcome is Outcome.NOT_STARTED:
                    column.missing += 1
                elif verdict.outcome is not Outcome.PASSED:
                    column.wrong += 1
                column.mistakes.update(mistake.what for mistake in verdict.mistakes[:1])
    return found


def _errors(results: Sequence[Result]) -> dict[tuple[str, str], Error]:
    """Return what each misconception cost; where two explain a check, both count."""
    found: dict[tuple[str, str], Error] = {}
    for result in results:
        for grade in result.exercises:
            for verdict in grade.verdicts:
                for mistake in verdict.mistakes:
                    key = (grade.exercise, mistake.name)
                    error = found.setdefault(key, Error(grade.exercise, mistake.what, mistake.why))
                    error.students.add(result.student)
                    error.lost += verdict.points - verdict.earned
    return found


def _exercises(results: Sequence[Result]) -> dict[str, str]:
    return {grade.exercise: grade.title for result in results for grade in result.exercises}


# --- drawings ---------------------------------------------------------------------------------


def _scores(counts: Sequence[int]) -> str:
    said = ", ".join(f"{count} from {step} percent" for count, step in zip(counts, STEPS, strict=True) if count)
    return histogram(counts, STEPS, "How many students have how much of the points", f"Students: {said}.")


def _checks(columns: Sequence[Column]) -> str:
    rows = [
        Bar(f"{item.exercise} {item.number} · {item.verdict.title}", item.lost, item.open) for item in columns[:SHOWN]
    ]
    return bars("checks", rows, "Points that each check cost the class", _most(rows))


def _mistakes(errors: Sequence[Error]) -> str:
    rows = [Bar(f"{item.exercise} · {item.what}", item.lost) for item in errors[:SHOWN]]
    return bars("mistakes", rows, "Points that each named mistake cost the class", _most(rows))


def _most(rows: Sequence[Bar]) -> str:
    said = "; ".join(f"{row.label}: {row.wrong + row.missing} points" for row in rows[:3])
    return f"The most: {said}. The table has all."


def _map(results: Sequence[Result], keys: Sequence[tuple[str, str]]) -> str:
    if len(results) > LARGE:
        outcomes = [str(outcome) for outcome in Outcome]
        parts = _shares(results)
        title = "How the checks of each exercise ended, in parts of the class"
        passed = ", ".join(f"{name} {found[0]:.0%}" for name, found in parts.items())
        return shares([*parts], outcomes, [*parts.values()], title, f"Passed: {passed}.")
    rows = sorted(results, key=lambda result: (-result.score, result.student))
    groups = Counter(exercise for exercise, _ in keys)
    said = f"{len(rows)} students from the highest score to the lowest, {len(keys)} checks; the table has every cell."
    names = [result.identity.name or result.student for result in rows]
    return heat(names, [*groups.items()], _cells(rows, keys), "What each student's checks found", said)


def _cells(results: Sequence[Result], keys: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the outcome of each check for each student, "" where there is none."""
    found = []
    for result in results:
        known = {(g.exercise, item.check): str(item.outcome) for g in result.exercises for item in g.verdicts}
        found.append([known.get(key, "") for key in keys])
    return found


def _shares(results: Sequence[Result]) -> dict[str, list[float]]:
    """Return, for each exercise, which part of all students' checks ended in each outcome."""
    ends: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for result in results:
        for grade in result.exercises:
            ends[grade.exercise].update(verdict.outcome for verdict in grade.verdicts)
    return {name: [count[outcome] / max(1, count.total()) for outcome in Outcome] for name, count in ends.items()}
