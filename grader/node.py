"""Grades tasks in a process of its own: all that an executor is asked to do.

A process keeps a worker for each set of libraries and a desk for each exercise, so that a task costs a fork.
"""

import multiprocessing
import multiprocessing.connection
import multiprocessing.util
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.bundle import Bundle, Desk
from grader.errors import GraderError
from grader.fence import Fence, Tier
from grader.round import Used
from grader.sandbox import Sandbox
from grader.tier import best

CANARY_EVERY = 50  # submissions; also after each at which something looked wrong


@dataclass(frozen=True, slots=True)
class Task:
    """One file to grade.

    Attributes:
        slug: of the exercise.
        key: digest of file and bundle: the same key has the same grade.
        source: of the file.
        lowest: tier of the fence that it may be run behind at least.
    """

    slug: str
    key: str
    source: bytes
    lowest: Tier


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a task.

    Attributes:
        key: of the task.
        grade: as JSON, "" if there is none.
        seconds, kib: what the submission itself used.
        fault: what went wrong with us, "" if nothing did.
        doubtful: earlier tasks whose grades should not be believed after this fault.
    """

    key: str
    grade: str = ""
    seconds: float = 0.0
    kib: int = 0
    fault: str = ""
    doubtful: tuple[Task, ...] = ()


@dataclass(slots=True)
class _Station:
    """A worker, and what was graded with it since it was last tried."""

    sandbox: Sandbox
    desks: dict[str, Desk] = field(default_factory=dict)
    since: list[Task] = field(default_factory=list)


class _Here(threading.local):
    """What a thread keeps between tasks: a worker can answer one question at a time."""

    def __init__(self) -> None:
        self.stations: dict[tuple[str, ...], _Station] = {}


_here = _Here()
_bundles: dict[str, Bundle] = {}
_fences: list[Fence] = []


def begin(bundles: Mapping[str, Bundle], plain: bool) -> None:
    """Prepare a process of a local pool: keep the bundles, and end when the grader does.

    Args:
        bundles: by slug.
        plain: whether submissions run behind no fence.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the grader hears it and ends this process
    _bundles.update(bundles)
    if plain:
        _fences.append(Fence())
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    multiprocessing.util.Finalize(None, end, exitpriority=10)


def end() -> None:
    """Stop the workers of this thread."""
    while _here.stations:
        _here.stations.popitem()[1].sandbox.close()


def grade(task: Task, bundle: Bundle | None = None) -> Done:
    """Grade one file. Never raises: a fault of ours is told in `Done.fault`.

    Args:
        task: what to grade.
        bundle: of its exercise, None for the one that `begin` was given.
    """
    bundle = bundle or _bundles[task.slug]
    preload = bundle.exercise.preload
    try:
        station = _station(preload, task.lowest)
        if bundle.key not in station.desks:
            station.desks[bundle.key] = bundle.desk(station.sandbox)
        return _graded(task, station, station.desks[bundle.key])
    except (GraderError, OSError) as error:
        _close(preload)
        return Done(task.key, fault=str(error))


def _station(preload: tuple[str, ...], lowest: Tier) -> _Station:
    """Return the worker that has some libraries loaded; start it if there is none."""
    if preload not in _here.stations:
        fence = _fences[0] if _fences else best()
        if fence.tier > lowest:  # "C" is worse than "B"
            raise GraderError(f"this machine has only tier {fence.tier} of the fence; grader doctor says why")
        _here.stations[preload] = _Station(Sandbox(preload, fence))
    return _here.stations[preload]


def _close(preload: tuple[str, ...]) -> None:
    if preload in _here.stations:
        _here.stations.pop(preload).sandbox.close()


def _graded(task: Task, station: _Station, desk: Desk) -> Done:
    sandbox = station.sandbox
    sandbox.used, alarms, shot = Used(), sandbox.alarms, sandbox.shot
    made = desk.grade(task.source)
    if sandbox.shot > shot:  # for what it did, or by chance on a machine short of memory: the second time tells
        made = desk.grade(task.source)
    seconds, kib = sandbox.used.seconds, sandbox.used.kib
    station.since.append(task)
    if sandbox.alarms > alarms or len(station.since) >= CANARY_EVERY:
        if not sandbox.sound():
            _close(desk.grader.exercise.preload)
            return Done(task.key, fault="the worker was found wrong afterwards", doubtful=tuple(station.since))
        station.since.clear()
    broken = next((verdict.message for verdict in made.verdicts if verdict.outcome == "broken"), "")
    if made.broken:
        _close(desk.grader.exercise.preload)
    return Done(task.key, made.model_dump_json(), seconds, kib, broken)
