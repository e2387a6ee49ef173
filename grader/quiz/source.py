"""Reads quiz files, and says where in them something is wrong: file, line, column, code, what was meant.

YAML is read as a tree of nodes, so that a key that stands twice is seen (PyYAML lets the last one win) and every
error has its place.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ValidationError

from grader.quiz.item import Answer, Choice, Code, Item, Near, Quiz, Seed

Level = Literal["error", "warn", "info"]
Path_ = tuple[str | int, ...]  # of a value in a file: ("items", 3, "choices", 0, "why")
MODELS: dict[str, type[BaseModel]] = {
    "items": Item, "choices": Choice, "code": Code, "answer": Answer, "near_misses": Near, "seed": Seed,
}  # fmt: skip
LARGEST = 4 << 20  # bytes of a quiz file
DEEPEST = 12  # of what lies within what
PROSE = {"title", "summary", "prompt", "explanation", "hint", "text", "why"}
REASONS = {"why", "explanation"}  # whose absence has a rule of its own
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times faster


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong with a quiz file. line and column count from 1."""

    file: str
    line: int
    column: int
    code: str
    level: Level
    message: str

    def __str__(self) -> str:
        kind = "" if self.level == "error" else "warning: " if self.level == "warn" else "note: "
        return f"{self.file}:{self.line}:{self.column}: {self.code} {kind}{self.message}"


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was read: the quiz, if it is one, what is wrong with it, and where its parts stand."""

    file: str
    quiz: Quiz | None
    problems: list[Problem]
    marks: dict[Path_, tuple[int, int]]

    def at(self, path: Path_, code: str, level: Level, message: str) -> Problem:
        """Return a problem at a part of the file, or at what surrounds it if the part is not there."""
        while path and path not in self.marks:
            path = path[:-1]
        line, column = self.marks.get(path, (1, 1))
        return Problem(self.file, line, column, code, level, message)


def read(path: Path, name: str = "") -> Read:
    """Read and check a quiz file; nothing is raised for what is wrong with it.

    Args:
        path: of the file.
        name: what problems call the file, its path if nothing is given.
    """
    name = name or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError(f"is larger than {LARGEST >> 20} MiB")
        text = data.decode("utf-8-sig")
    except OSError as error:
        return _unread(name, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as wrong:
        line = data[: wrong.start].count(b"\n") + 1
        return _unread(name, f"is no UTF-8: byte {wrong.start} is {data[wrong.start]:#04x}", line)
    except ValueError as error:
        return _unread(name, str(error))
    return parse(text, name, path.stem)


def _unread(name: str, why: str, line: int = 1, column: int = 1) -> Read:
    return Read(name, None, [Problem(name, line, column, "Q001", "error", why)], {})


def parse(text: str, name: str, stem: str) -> Read:
    """Read the text of a quiz file whose name without .yaml is `stem`."""
    marks: dict[Path_, tuple[int, int]] = {}
    problems: list[Problem] = []
    try:
        shallow(text)
        node = yaml.compose(text, Loader=LOADER)
        tree = _Tree(name, marks, problems, text.splitlines()).plain(node, ()) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return _unread(name, f"is no YAML: {error.problem or error.context}", line, column)
    except yaml.YAMLError as error:
        return _unread(name, f"is no YAML: {' '.join(str(error).split())}")
    found = Read(name, None, problems, marks)
    if not isinstance(tree, dict):
        problems.append(found.at((), "Q001", "error", "a quiz file is a mapping with schema, quiz, title and items"))
        return found
    try:
        quiz = Quiz.model_validate(tree)
    except ValidationError as error:
        # a list that has items is "too short" when each of them is wrong: that says nothing
        said = [one for one in error.errors() if one["type"] != "too_short" or not one["input"]]
        problems += [_explained(found, one) for one in said]
        return Read(name, None, sorted(set(problems)), marks)
    if quiz.quiz != stem:
        problems.append(found.at(("quiz",), "Q001", "error", f"quiz: must be {stem!r}, the name of the file"))
    problems += _twice(found, quiz)
    return Read(name, quiz, problems, marks)


def shallow(text: str) -> None:
    """Refuse what would end the process: nesting without end, and aliases, which can contain themselves."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("anchors and aliases are not used here", event)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _refusal("is nested too deeply", event)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Turns nodes into dicts, lists and scalars; notes where each part stands and which keys stand twice."""

    name: str
    marks: dict[Path_, tuple[int, int]]
    problems: list[Problem]
    lines: list[str]

    def plain(self, node: Any, path: Path_) -> Any:
        self.marks.setdefault(path, _place(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(one, (*path, number)) for number, one in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            self.whole(node, path)
            return _scalar(node)
        result: dict[str, Any] = {}
        for key, value in node.value:
            word = key.value if isinstance(key, yaml.ScalarNode) else "?"
            self.marks[*path, word] = _place(key)
            if word in result:
                self.problems.append(
                    Problem(self.name, *_place(key), "Q001", "error", f"the key {word!r} stands twice")
                )
            result[word] = self.plain(value, (*path, word))
        return result

    def whole(self, node: Any, path: Path_) -> None:
        """Refuse a text without quotes that a comment cuts off: "say # first" is read as "say"."""
        if not path or path[-1] not in PROSE or node.style:
            return
        rows = self.lines[node.end_mark.line : node.end_mark.line + 1]
        if rows and rows[0][node.end_mark.column :].lstrip().startswith("#"):
            message = f"a comment cuts off {path[-1]}: put the text in quotes"
            self.problems.append(Problem(self.name, *_place(node), "Q018", "error", message))


def _scalar(node: Any) -> Any:
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, LookupError, AttributeError) as error:  # 2000-99-99 looks like a date to YAML, !!bool x is none
        raise _refusal(f"{node.value[:40]!r} needs quotes: {error}", node) from None


def _refusal(problem: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)


def _place(node: Any) -> tuple[int, int]:
    """Return line and column of a node, from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def _explained(found: Read, error: Any) -> Problem:
    """Return a problem from what pydantic says about a value."""
    path: Path_ = error["loc"]
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    kind, code = error["type"], "Q001"
    if kind == "missing":
        code = "Q003" if last in REASONS else code
        message = f"{last} is missing"
        return found.at(path[:-1], code, "error", message)
    if kind == "extra_forbidden":
        message = f"unknown key {last!r}" + _meant(last, list(_keys(path[:-1])))
    elif kind == "literal_error":
        allowed = error["ctx"]["expected"]
        known = [word.strip("'") for word in allowed.replace(" or ", ", ").split(", ")]
        message = f"{last} is {error['input']!r}; it must be {allowed}" + _meant(str(error["input"]), known)
    elif kind == "string_type":
        message = f"{last} must be a text, and YAML reads a {type(error['input']).__name__} here: put it in quotes"
    elif kind == "string_too_short":
        code = "Q003" if last in REASONS else code
        message = f"{last} is empty"
    elif kind == "item":
        message = error["msg"]
    else:
        message = f"{last}: {error['msg'][:1].lower()}{error['msg'][1:]}"
        if kind == "string_pattern_mismatch":
            message = f"{last}: {error['input']!r} does not match {error['ctx']['pattern']}"
    return found.at(path, code, "error", message)


def _keys(path: Path_) -> Iterator[str]:
    """Return the keys that a mapping at this place may have."""
    names = [part for part in path if isinstance(part, str)]
    model = MODELS.get(names[-1], Quiz) if names else Quiz
    for name, field in model.model_fields.items():
        yield field.alias or name


def _meant(word: str, known: list[str]) -> str:
    """Return " (did you mean ...?)" if a known word is near."""
    near = difflib.get_close_matches(word, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _twice(found: Read, quiz: Quiz) -> Iterator[Problem]:
    """Find ids that stand twice in a file."""
    seen: set[str] = set()
    for number, item in enumerate(quiz.items):
        if item.id in seen:
            yield found.at(("items", number, "id"), "Q001", "error", f"the id {item.id!r} stands twice")
        seen.add(item.id)
        names: set[str] = set()
        for place, choice in enumerate(item.choices):
            if choice.id in names:
                path: Path_ = ("items", number, "choices", place, "id")
                yield found.at(path, "Q001", "error", f"the id {choice.id!r} stands twice in {item.id}")
            names.add(choice.id)


LEVELS: tuple[str, ...] = get_args(Level)
