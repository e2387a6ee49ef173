"""What a batch is asked for, what it tells on the way, what it has done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for.

    Attributes:
        submissions: folder, archive or file that has what the class handed in.
        results: folder for what comes out.
        names: slugs of exercises; those that anyone handed in if empty.
        jobs: processes on this machine.
        scheduler: address of a dask scheduler, "" for this machine.
        fenced: whether to insist on tier B or better.
        force: grade everything anew.
        seed: of the cases.
        secret: whether the seed is one: then it is written nowhere.
        layout: how the class lies there (desk/layout.py), "" to find it out.
    """

    submissions: Path
    results: Path
    names: Sequence[str] = ()
    jobs: int = 1
    scheduler: str = ""
    fenced: bool = True
    force: bool = False
    seed: int = 0
    secret: bool = False
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What a watcher is told: a student's result is written."""

    student: str
    score: int
    points: int
    note: str
    done: int
    students: int


@dataclass(slots=True)
class Summary:
    """What a batch did.

    Attributes:
        students: how many results were written.
        exercises: slugs, in order of study.
        files: that were handed in; `graded` of them in this run, `known` before or as a copy of another.
        broken: students at whose files the grader failed.
        unread: students with a file that could not be read.
        mean: share of the points that was earned, of all students.
        seconds: of processor time that the submissions of this run used.
        kib: the most memory that one of them used.
    """

    students: int = 0
    exercises: list[str] = field(default_factory=list)
    files: int = 0
    graded: int = 0
    known: int = 0
    broken: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    mean: float = 0.0
    seconds: float = 0.0
    kib: int = 0


Watch = Callable[[Event], None]
