"""A class while it is graded: which files wait, which grades are in the journal, whose result can be written.

It holds the files that are being graded; what is done lies in the journal.
"""

import hashlib
import json
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from typing import Any

from grader import __version__
from grader.bundle import Bundle, bundle
from grader.check import Check
from grader.course import Course
from grader.desk.intake import Submission
from grader.desk.item import Unreadable
from grader.desk.notebook import Source
from grader.errors import FaultError
from grader.exercise import Exercise
from grader.fence import Fence
from grader.gradebook import filename, save, sweep, table, write
from grader.journal import Journal
from grader.mark import grade_of, unread
from grader.node import Done, Task
from grader.plan import Event, Plan, Summary, Watch
from grader.pool import Local, Pool
from grader.ready import Note, ready
from grader.results import CLASS, index
from grader.show import clean
from grader.verdict import SCHEMA_VERSION, Outcome

BREAKS = 5  # times that a pool may break with nothing finished in between
TRIES = 2  # of a task at which we failed; then its grade is "broken"
AHEAD = 3  # tasks that wait for each process
BROKEN = "broken: the grader failed here; no points were lost or gained by the student"


# what a student handed in for an exercise: the key of its grade, a file that is not graded, or nothing
Handed = str | Unreadable | None


@dataclass(slots=True)
class Waiting:
    """A student whose result is not written yet.

    Attributes:
        item: what was handed in.
        handed: exercise -> what it came to.
        notes: sentences for the student.
    """

    item: Submission
    handed: dict[str, Handed] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Register:
    """What is known of a class at any moment."""

    def __init__(self, journal: Journal, plan: Plan, watch: Watch, students: int) -> None:
        self.bundles: dict[str, Bundle] = {}
        self.summary = Summary()
        self._journal = journal
        self._plan = plan
        self._watch = watch
        self._students = students
        sweep(plan.results)
        sweep(plan.results / "grades")
        self._checks: dict[str, list[Check]] = {}
        self._open: dict[str, Waiting] = {}  # by student
        self._wanted: dict[str, set[str]] = {}  # key -> students who wait for it
        self._broken: dict[str, str] = {}  # key -> why
        self._tries: Counter[str] = Counter()
        self._again: deque[Task] = deque()
        self._doubted = False

    def take(self, course: Course, exercise: Exercise, note: Note) -> None:
        """Make an exercise ready."""
        with ready(course, exercise, self._plan.seed, note, None if self._plan.fenced else Fence()) as made:
            self.bundles[exercise.slug] = bundle(made, note)
            self._checks[exercise.slug] = made.grader.checks
        self.summary.exercises.append(exercise.slug)

    def local(self) -> Pool:
        """Return processes of this machine."""
        return Local(self.bundles, self._plan.jobs, plain=not self._plan.fenced)

    # --- files to tasks -------------------------------------------------------------------

    def tasks(self, found: Sequence[Submission]) -> Iterator[Task]:
        """Yield what must be graded, in the order of the students; write the results that wait for nothing."""
        for item in found:
            waiting = Waiting(item)
            fresh: list[Task] = []
            for slug in self.bundles:
                source = item.source(slug)
                if not isinstance(source, Source):
                    waiting.handed[slug] = source
                    continue
                waiting.notes += source.notes
                waiting.handed[slug] = key = self._key(slug, source.content)
                self.summary.files += 1
                if self._settled(key):
                    self.summary.known += 1
                    continue
                if key in self._wanted:
                    self.summary.known += 1
                else:
                    fresh.append(Task(slug, key, source.content, "B" if self._plan.fenced else "C"))
                self._wanted.setdefault(key, set()).add(item.student)
            self._open[item.student] = waiting
            self._close(item.student)
            yield from fresh

    def _settled(self, what: Handed) -> bool:
        """Say whether nothing more will come of what a student handed in for an exercise."""
        return not isinstance(what, str) or what in self._journal or what in self._broken

    def _key(self, slug: str, source: bytes) -> str:
        """Return the name of a grade: the same file with the same bundle has the same."""
        fenced = "fenced" if self._plan.fenced else "plain"
        return hashlib.sha256(f"{slug}/{self.bundles[slug].key}/{fenced}/".encode() + source).hexdigest()

    # --- tasks to grades ------------------------------------------------------------------

    def grade(self, found: Sequence[Submission], pool: Pool) -> None:
        """Grade all that is not graded yet."""
        tasks = self.tasks(found)
        running: dict[Future[Done], Task] = {}
        breaks = 0
        while True:
            while len(running) < AHEAD * pool.size and (task := self._next(tasks)):
                running[pool.submit(task)] = task
            if not running:
                break
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenExecutor) for future in finished):
                # a process was killed; what it and its neighbours had not done is asked of new ones
                breaks += 1
                if breaks > BREAKS:
                    raise FaultError("the processes that grade are killed again and again: is there too little memory?")
                self._again.extend(task for future, task in running.items() if not _succeeded(future))
                for future in [future for future in running if _succeeded(future)]:
                    self._done(running[future], future.result())
                running.clear()
                pool.renew()
                continue
            breaks = 0
            for future in finished:
                self._done(running.pop(future), _result(future))
        if self._doubted:  # everything is in the journal now: write what another grade has changed
            self.summary.files = self.summary.known = self.summary.students = 0
            self.summary.broken, self.summary.unread = [], []
            for _ in self.tasks(found):
                raise FaultError("a grade was lost between the journal and the results")

    def _next(self, tasks: Iterator[Task]) -> Task | None:
        return self._again.popleft() if self._again else next(tasks, None)

    def _done(self, task: Task, done: Done) -> None:
        """Keep a grade, or try again if the failure was ours."""
        for doubtful in done.doubtful:
            if doubtful.key != task.key:
                self._doubted = True
                self._journal.forget(doubtful.key)
                self._again.append(doubtful)
        if done.fault:
            self._tries[task.key] += 1
            if self._tries[task.key] < TRIES:
                self._again.append(task)
                return
            self._broken[task.key] = done.fault
        else:
            self._journal.append(task.key, {"grade": done.grade, "seconds": done.seconds, "kib": done.kib})
            self.summary.graded += 1
            self.summary.seconds += done.seconds
            self.summary.kib = max(self.summary.kib, done.kib)
        for student in sorted(self._wanted.pop(task.key, ())):
            self._close(student)

    # --- grades to results ----------------------------------------------------------------

    def _close(self, student: str) -> None:
        """Write a student's result if it waits for nothing."""
        waiting = self._open[student]
        handed = waiting.handed
        if not all(self._settled(what) for what in handed.values()):
            return
        del self._open[student]
        grades = [self._grade(slug, what) for slug, what in handed.items()]
        notes = [what.sentence for what in handed.values() if isinstance(what, Unreadable)]
        if any(isinstance(key, str) and key in self._broken for key in handed.values()):
            notes.append(BROKEN)
            self.summary.broken.append(student)
        elif notes:
            self.summary.unread.append(student)
        note = " ".join(dict.fromkeys([*notes, *waiting.item.notes, *waiting.notes]))
        score, points = (sum(grade[name] for grade in grades) for name in ("score", "points"))
        result = {
            "schema_version": SCHEMA_VERSION,
            "grader": __version__,
            "seed": None if self._plan.secret else self._plan.seed,
            "device": "cpu",
            "student": clean(student),
            "identity": waiting.item.who.model_dump(mode="json"),
            "submitted": waiting.item.submitted,
            "late": waiting.item.late,
            "note": note,
            "score": score,
            "points": points,
            "exercises": grades,
        }
        text = json.dumps(result, indent=1, ensure_ascii=False)
        write(self._plan.results / "grades" / filename(student), text + "\n")
        self.summary.students += 1
        self._watch(Event(clean(student), score, points, note, self.summary.students, self._students))

    def _grade(self, slug: str, what: Handed) -> Any:
        """Return the grade of what a student handed in for an exercise, as JSON."""
        if isinstance(what, str) and what in self._journal:
            return json.loads(self._journal.read(what)["grade"])
        exercise, checks = self.bundles[slug].exercise, self._checks[slug]
        if isinstance(what, str):
            verdicts = unread(checks, Outcome.BROKEN, self._broken[what])
        elif what is None:
            verdicts = unread(checks, Outcome.NOT_STARTED, f"there is no file {exercise.filename}")
        else:
            verdicts = unread(checks, Outcome.ERROR, what.sentence)
        return grade_of(exercise, exercise.filename, verdicts).model_dump(mode="json")

    def finish(self, found: Sequence[Submission]) -> Summary:
        """Write the table of all, and return what was done."""
        folder = self._plan.results / "grades"
        earned = points = 0

        def results() -> Iterator[Any]:
            nonlocal earned, points
            for item in found:
                result = json.loads((folder / filename(item.student)).read_text("utf-8"))
                earned, points = earned + result["score"], points + result["points"]
                yield result

        columns = [(slug, [check.name for check in checks]) for slug, checks in self._checks.items()]
        save(self._plan.results / "gradebook.csv", table(results(), columns))
        write(self._plan.results / CLASS, index([filename(item.student) for item in found]))
        self.summary.mean = earned / points if points else 0.0
        self.summary.broken.sort()
        self.summary.unread.sort()
        return self.summary


def _succeeded(future: "Future[Done]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _result(future: "Future[Done]") -> Done:
    """Return what came of a task; a node that raises although it never should is our fault."""
    error = future.exception()
    return Done("", fault=f"{type(error).__name__}: {error}") if error else future.result()
