"""All questions of a course: the files of its folder quizzes/, read once and kept as JSON while they do not change."""

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from grader import __version__
from grader.cache import cache_folder
from grader.errors import UsageError
from grader.quiz.item import Item, Quiz
from grader.whole import whole

QUIZZES = TypeAdapter(tuple[Quiz, ...])
SHOWN = 5  # problems of a broken bank that are shown


@dataclass(frozen=True)
class Bank:
    """Quizzes in the order of their files, and their questions."""

    quizzes: tuple[Quiz, ...]

    @cached_property
    def items(self) -> dict[str, Item]:
        """All questions by id, in order."""
        return {item.id: item for quiz in self.quizzes for item in quiz.items}

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """All topics, in order."""
        return tuple(dict.fromkeys(item.topic for item in self.items.values()))

    def find(self, name: str) -> Item:
        """Return a question by its id.

        Raises:
            UsageError: there is none; the message suggests the nearest.
        """
        if name in self.items:
            return self.items[name]
        near = difflib.get_close_matches(name, self.items, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "grader quiz stats names the topics"
        raise UsageError(f"there is no question {name!r}; {hint}")

    def of(self, topics: Sequence[str]) -> list[Item]:
        """Return the questions of some topics, of all if none is named.

        Raises:
            UsageError: there is no such topic.
        """
        for name in topics:
            if name not in self.topics:
                raise UsageError(f"there is no topic {name!r}; there are: {', '.join(self.topics)}")
        return [item for item in self.items.values() if not topics or item.topic in topics]


def files(folder: Path) -> list[Path]:
    """Return the quiz files of a folder.

    Raises:
        UsageError: there are none.
    """
    found = sorted(folder.glob("*.yaml"))
    if not found and any(folder.glob("*/answers.yaml")):
        raise UsageError(
            f"{folder} has quizzes to hand in, without their answers: fill in answers.yaml in each of its folders"
        )
    if not found:
        raise UsageError(f"{folder} has no quizzes (*.yaml)")
    return found


def chosen(folder: Path, names: Sequence[str]) -> Bank:
    """Read some quizzes, all of a folder if none is named.

    Args:
        folder: of the course's quizzes.
        names: of quizzes there, or paths of files.

    Raises:
        UsageError: there is no such quiz, or a file is wrong.
    """
    if not names:
        return load(files(folder))
    paths = []
    for name in names:
        path = Path(name)
        if path.suffix != ".yaml" and "/" not in name:
            path = folder / f"{name}.yaml"
        if not path.is_file():
            known = sorted(one.stem for one in folder.glob("*.yaml"))
            near = difflib.get_close_matches(path.stem, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
            raise UsageError(f"there is no quiz {name!r}; {hint}")
        paths.append(path)
    return load([*dict.fromkeys(paths)])


def load(paths: Sequence[Path]) -> Bank:
    """Read quiz files.

    Raises:
        UsageError: one of them is missing or wrong; the message has file, line and column.
    """
    contents = [_bytes(path) for path in paths]
    kept = cache_folder() / "quizzes" / f"{_digest(paths, contents)}.json"
    try:
        return _sorted(QUIZZES.validate_json(kept.read_bytes()))
    except (OSError, ValidationError):
        bank = _read(paths)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with whole(kept) as file:
            file.write(QUIZZES.dump_json(bank.quizzes, by_alias=True))
    except OSError:  # a full disk or a home that is not ours: the next start is slower, nothing else
        return bank
    return bank


def _read(paths: Iterable[Path]) -> Bank:
    from grader.quiz.source import read  # YAML is imported only when a file is new

    found = [read(path) for path in paths]
    problems = [problem for one in found for problem in one.problems]
    if not problems:
        bank = _sorted(one.quiz for one in found if one.quiz)
        if len(bank.items) == sum(len(quiz.items) for quiz in bank.quizzes):
            return bank
        raise UsageError("an id stands in two quiz files; grader quiz lint says where")
    more = f"\nand {len(problems) - SHOWN} more: grader quiz lint" if len(problems) > SHOWN else ""
    raise UsageError("the quizzes cannot be used:\n" + "\n".join(map(str, problems[:SHOWN])) + more)


def _sorted(quizzes: Iterable[Quiz]) -> Bank:
    """Return quizzes in the order of study, those without a number last."""
    return Bank(tuple(sorted(quizzes, key=lambda quiz: (quiz.number, quiz.quiz))))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _digest(paths: Sequence[Path], contents: Sequence[bytes]) -> str:
    parts = [__version__.encode()]
    for path, content in zip(paths, contents, strict=True):
        parts += [path.name.encode(), hashlib.sha256(content).digest()]
    parts.append(hashlib.sha256(Path(__file__).with_name("item.py").read_bytes()).digest())  # another schema
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]
