"""The capstone: a model is trained from a student's parts, and sits an exam of sums it has not seen.

The student's process trains and answers; the questions are drawn here, and marked here. What is asked is
chosen after the student's process has said what it trains on, so that nothing of it was seen.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader import __version__
from grader.case import Answer, Case, Job, Limits
from grader.course import Course, read_submission
from grader.errors import EmptyError, FaultError, UsageError
from grader.sandbox import Sandbox
from grader.tier import best

SAMPLE = 6  # sums shown before and after
CHUNK = 20  # steps between two messages, so that progress can be shown
PROBES = """
def begin(module, seed, steps):
    module.training = module.Training(seed, steps)
    return module.training.train

def learn(module, steps):
    return module.training.learn(steps)

def answer(module, questions):
    return module.training.answer(questions)
"""

Pair = tuple[int, int]


class Plan(BaseModel):
    """What capstone.yaml says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    parts: tuple[str, ...]
    steps: int = Field(gt=0)
    every: int = Field(gt=0)
    exam: int = Field(gt=0)
    largest: int = Field(gt=0)
    mark: float = Field(gt=0, le=1)
    limits: Limits


class Sample(BaseModel):
    """One sum of the exam and what the model wrote."""

    question: str
    wanted: str
    before: str
    after: str
    right: bool


class Capstone(BaseModel):
    """What came of a capstone run.

    `losses` has one number for each step, `marks` the share of right answers after so many steps.
    """

    model_config = ConfigDict(extra="forbid")

    grader: str
    title: str
    seed: int
    parts: dict[str, str]
    reached: bool
    mark: float
    accuracy: float
    steps: int
    budget: int
    losses: list[float]
    marks: dict[int, float]
    samples: list[Sample]
    message: str = ""
    traceback: str = ""
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `accuracy` is None before the first look at the exam."""

    step: int
    steps: int
    loss: float
    accuracy: float | None


Watch = Callable[[Progress], None]


class _StoppedError(Exception):
    """The student's process gave no usable answer; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


def plan(course: Course) -> tuple[Plan, Path]:
    """Return the plan of a course's capstone, and its folder.

    Raises:
        UsageError: the course has none, or its capstone.yaml is wrong.
    """
    paths = sorted(course.root.glob("exercises/*/capstone.yaml"))
    if not paths:
        raise UsageError(f"{course.root} has no capstone: there is no exercises/*/capstone.yaml")
    try:
        return Plan(**yaml.safe_load(paths[0].read_text("utf-8"))), paths[0].parent
    except (ValidationError, TypeError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{paths[0]} is not a valid capstone.yaml: {error}") from None


def run(course: Course, source: Path | None, seed: int, watch: Watch | None = None) -> Capstone:
    """Train a model from a student's parts until it passes the mark or the budget is used up.

    Args:
        course: that has the capstone.
        source: folder with the student's files, None for those in the course.
        seed: of the training and of the exam.
        watch: called after every few steps.

    Raises:
        UsageError: the course has no capstone.
        EmptyError: a part is missing.
        FaultError: the worker does not work.
    """
    wanted, folder = plan(course)
    exercises = [course.find(slug) for slug in wanted.parts]
    paths = {exercise.slug: course.submission(exercise, source) for exercise in exercises}
    try:
        parts = {exercise.slug: read_submission(paths[exercise.slug], exercise) for exercise in exercises}
    except EmptyError as error:
        raise EmptyError(f"the capstone is built from {', '.join(wanted.parts)}: {error}") from None
    except ValueError as error:
        raise UsageError(f"the capstone is built from {', '.join(wanted.parts)}: {error}") from None
    result = Capstone(
        grader=__version__,
        title=wanted.title,
        seed=seed,
        parts={slug: str(path) for slug, path in paths.items()},
        reached=False,
        mark=wanted.mark,
        accuracy=0.0,
        steps=0,
        budget=wanted.steps,
        losses=[],
        marks={},
        samples=[],
    )
    job = Job("capstone", (folder / "capstone.py").read_bytes(), PROBES, parts=parts, limits=wanted.limits)
    with Sandbox(("torch",), best()) as sandbox:
        try:
            _train(sandbox, job, wanted, result, watch)
        except _StoppedError as stopped:
            result.message, result.traceback = stopped.answer.message, stopped.answer.traceback
            if stopped.answer.error:
                result.message = f"{stopped.answer.error}: {result.message}"
            result.broken = stopped.answer.kind == "broken"
    return result


def _train(sandbox: Sandbox, job: Job, wanted: Plan, result: Capstone, watch: Watch | None) -> None:
    """Train and examine in turns, and write down what comes."""
    loaded = sandbox.open(job)
    if loaded.kind != "value":
        raise _StoppedError(loaded)
    seen = _problems(_ask(sandbox, "begin", seed=result.seed, steps=wanted.steps))
    exam = draw_exam(seen, wanted, result.seed)
    before = _answers(_ask(sandbox, "answer", questions=exam[:SAMPLE]), exam[:SAMPLE])
    accuracy: float | None = None
    while result.steps < wanted.steps and not result.reached:
        count = min(CHUNK, wanted.every - result.steps % wanted.every, wanted.steps - result.steps)
        result.losses += _losses(_ask(sandbox, "learn", steps=count), count)
        result.steps += count
        if result.steps % wanted.every == 0 or result.steps == wanted.steps:
            after = _answers(_ask(sandbox, "answer", questions=exam), exam)
            accuracy = sum(number == a + b for (a, b), (_, number) in zip(exam, after, strict=True)) / len(exam)
            result.marks[result.steps] = result.accuracy = accuracy
            result.reached = accuracy >= wanted.mark
            result.samples = [_sample(*item) for item in zip(exam, before, after, strict=False)]
        if watch:
            watch(Progress(result.steps, wanted.steps, result.losses[-1], accuracy))


def _sample(pair: Pair, before: tuple[str, int | None], after: tuple[str, int | None]) -> Sample:
    a, b = pair
    texts = [text.partition("=")[2] if number is None else str(number) for text, number in (before, after)]
    return Sample(question=f"{a}+{b}", wanted=str(a + b), before=texts[0], after=texts[1], right=after[1] == a + b)


def draw_exam(seen: set[Pair], wanted: Plan, seed: int) -> list[Pair]:
    """Return sums for the exam: different ones, none of them in training in either order.

    Raises:
        _StoppedError: so much is trained on that too few sums are left.
    """
    generator = random.Random(f"exam {seed}")  # noqa: S311  no secret: the same seed asks the same
    numbers = range(wanted.largest + 1)
    left = [(a, b) for a in numbers for b in numbers if a <= b and not {(a, b), (b, a)} & seen]
    if len(left) < wanted.exam:
        raise _StoppedError(Answer("raised", message=f"only {len(left)} sums are not among the training problems"))
    return [pair if generator.random() < 0.5 else pair[::-1] for pair in generator.sample(left, wanted.exam)]


# --- what comes back from the student's process -----------------------------------------------


def _ask(sandbox: Sandbox, probe: str, **inputs: Any) -> Any:
    answer = sandbox.answer(probe, Case(inputs))
    if answer.kind == "broken":
        raise FaultError(answer.message)
    if answer.kind != "value":
        raise _StoppedError(answer)
    return answer.value


def _problems(value: Any) -> set[Pair]:
    """Return the pairs of a training set."""
    found = set()
    for item in _items(value, "split_problems returned no list of problems (a, b, op)"):
        if not isinstance(item, (list, tuple)) or len(item) != 3 or not all(map(_small, item[:2])):
            raise _wrong("split_problems returned no list of problems (a, b, op)")
        found.add((item[0], item[1]))
    return found


def _small(number: Any) -> bool:
    """Whether a number is one that the exam could ask for; among huge ones many have the same hash."""
    return type(number) is int and 0 <= number < 10**9


def _losses(value: Any, count: int) -> list[float]:
    found = [loss for loss in _items(value, "the losses are no list") if isinstance(loss, float)]
    if len(found) != count:
        raise _wrong("the losses are no numbers")
    return found


def _answers(value: Any, questions: Sequence[Pair]) -> list[tuple[str, int | None]]:
    found = []
    for item in islice(_items(value, "the answers are no list"), len(questions)):
        text, number = item if isinstance(item, (list, tuple)) and len(item) == 2 else ("", None)
        found.append((str(text)[:40], number if type(number) is int else None))
    if len(found) != len(questions):
        raise _wrong("there are fewer answers than questions")
    return found


def _items(value: Any, message: str) -> Iterator[Any]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(message)
    return iter(value)


def _wrong(message: str) -> _StoppedError:
    return _StoppedError(Answer("raised", message=message))
