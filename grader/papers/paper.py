"""An answer file as students really write it: YAML, JSON, or lines that are like it. No paper is lost.

The text of every answer is kept as it was written: `no`, `12:30:45` and `1e-5` are what they look like, never what YAML
makes of them. What cannot be read is said, with its line, and costs nothing but itself.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import yaml
from pydantic import Field

from grader.papers.decoding import decoded
from grader.papers.names import Names
from grader.papers.scan import Entry, scan
from grader.quiz.item import Part
from grader.quiz.source import LOADER, shallow
from grader.show import clean

LARGEST = 256 << 10  # bytes of an answer file; what is beyond is not read
MANY = 50  # remarks on one paper
SHOWN = 60  # characters of a line in a remark
LISTED = "is a list within a list; write letters, as a, c"


class Remark(Part):
    """What should be known of a line of a paper. A file as a whole is line 1."""

    line: Annotated[int, Field(ge=1)]
    message: str


@dataclass(frozen=True, slots=True)
class Given:
    """What was answered to a question: its line, its text, and why that cannot be read, if it is so."""

    line: int
    text: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands in an answer file.

    Attributes:
        form: code of the form that it answers, "" if it is missing.
        student: as the file says.
        entries: answers in their order.
        names: the questions that it may answer.
        remarks: on the file.
    """

    form: str
    student: str
    entries: tuple[Entry, ...]
    names: Names
    remarks: tuple[Remark, ...] = ()

    def answers(self, order: Sequence[str]) -> tuple[dict[str, Given], tuple[Remark, ...]]:
        """Return the answers by question, and remarks.

        Args:
            order: ids of the questions as the form has them: people answer "1. b" too.
        """
        read = _Answers(order, [*self.remarks])
        for entry in self.entries:
            read.take(entry, self.names)
        return read.done()


class _Unlike(Exception):  # noqa: N818  no error: another way to read it is tried
    """A file is no mapping of questions to answers."""


def read(data: bytes, known: Collection[str]) -> Paper:
    """Read an answer file; nothing is raised for what stands in it.

    Args:
        data: of the file.
        known: ids of all questions.
    """
    names = Names(known)
    remarks = []
    if len(data) > LARGEST:
        remarks.append(Remark(line=1, message=f"only the first {LARGEST >> 10} KiB of the file were read"))
        data = data[: data.rfind(b"\n", 0, LARGEST) + 1 or LARGEST]
    text = decoded(data)
    found = _tree(text, names)
    if found is None:
        found = [*scan(text, names)]
    forms, students = (
        [entry.text for entry in found if names.of(entry.key) == name and entry.text] for name in ("form", "student")
    )
    form = _word(" and ".join(dict.fromkeys(forms)))  # two codes are none: a letter may be of one form or of the other
    return Paper(form, _word(students[-1] if students else ""), tuple(found), names, tuple(remarks))


def _word(text: str) -> str:
    return " ".join(clean(text)[:200].split())


def _tree(text: str, names: Names) -> list[Entry] | None:
    """Return what a file says that is YAML or JSON, None if it is neither."""
    try:
        shallow(text)
        node = yaml.compose(text, Loader=LOADER)
        return [*_of_node(node, names)] if node else []
    except _Unlike:
        return None
    except yaml.YAMLError:
        pass  # JSON has escapes that YAML has not
    try:
        return [*_of_json(json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str), text, names)]
    except (ValueError, RecursionError, _Unlike):
        return None


# --- YAML -------------------------------------------------------------------------------------


def _of_node(node: Any, names: Names) -> Iterator[Entry]:
    """Yield the entries of a mapping, or of a list of mappings."""
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _of_node(one, names)
        return
    if not isinstance(node, yaml.MappingNode):
        raise _Unlike
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            yield Entry(line, "", "", "has a list where a question should stand")
        elif names.of(key.value) == "answers" and not isinstance(value, yaml.ScalarNode):
            yield from _of_node(value, names)
        else:
            yield Entry(line, key.value, *_flat(value))


def _flat(node: Any) -> tuple[str, str]:
    """Return the text of an answer, and why it is none."""
    if isinstance(node, yaml.ScalarNode):
        if node.style not in ("|", ">") and node.end_mark.line > node.start_mark.line:
            raise _Unlike  # a line below that has no colon would be taken for a part of this answer
        return node.value, ""
    parts = node.value
    if isinstance(node, yaml.MappingNode):  # {a, c} is a mapping of a and c to nothing
        parts = [key if value.value == "" else value for key, value in node.value]
    if not all(isinstance(part, yaml.ScalarNode) for part in parts):
        return "", LISTED
    return ", ".join(part.value for part in parts), ""


# --- JSON -------------------------------------------------------------------------------------


class _Pairs(list[tuple[str, Any]]):
    """What stands in an object, with keys that stand twice."""


def _of_json(tree: Any, text: str, names: Names) -> Iterator[Entry]:
    if isinstance(tree, list) and not isinstance(tree, _Pairs):
        for one in tree:
            yield from _of_json(one, text, names)
        return
    if not isinstance(tree, _Pairs):
        raise _Unlike
    place, line = 0, 1
    for key, value in tree:
        found = text.find(json.dumps(key), place)  # -1 if the file writes it with other escapes
        line += text.count("\n", place, max(place, found))
        place = max(place, found + 1)
        if names.of(key) == "answers" and isinstance(value, list):
            yield from _of_json(value, text, names)
        else:
            yield Entry(line, key, *_plain(value))


def _plain(value: Any) -> tuple[str, str]:
    if isinstance(value, list):
        whole = not isinstance(value, _Pairs) and all(isinstance(one, (str, bool)) for one in value)
        return (", ".join(_plain(one)[0] for one in value), "") if whole else ("", LISTED)
    return ("" if value is None else value if isinstance(value, str) else str(value).lower()), ""


# --- what counts ------------------------------------------------------------------------------


class _Answers:
    """Answers by question while a paper is gone through."""

    def __init__(self, order: Sequence[str], remarks: list[Remark]) -> None:
        self._order = order
        self._remarks = remarks
        self._given: dict[str, Given] = {}
        self._meant: dict[str, Given] = {}  # by the question whose name is like what stands there

    def take(self, entry: Entry, names: Names) -> None:
        name = names.of(entry.key) if entry.key else ""
        if name.startswith("#"):
            name = self._numbered(entry, int(name[1:]))
        elif name and name not in names.known:
            return  # of the head
        elif not name:
            self._unknown(entry, names)
        if not name:
            return
        before = self._given.get(name)
        if entry.problem:
            self._remark(entry, f"the answer to {name} {entry.problem}")
        if before and before.text and entry.text and before.text != entry.text:
            self._remark(entry, f"{name} is answered twice; the last answer counts")
        if not before or entry.text or entry.problem:
            self._given[name] = Given(entry.line, entry.text, entry.problem)

    def _numbered(self, entry: Entry, number: int) -> str:
        if 1 <= number <= len(self._order):
            return self._order[number - 1]
        self._remark(entry, f"there is no question {number}; there are {len(self._order)}")
        return ""

    def _unknown(self, entry: Entry, names: Names) -> None:
        word = _shown(entry.key)
        if not entry.key:
            self._remark(entry, f"{entry.problem}: {_shown(entry.text)!r}" if entry.text else entry.problem)
        elif near := names.near(entry.key):
            self._remark(entry, f"{word!r} is no question of this quiz; did you mean {near!r}?")
            self._meant.setdefault(near, Given(entry.line, entry.text, f"may stand in line {entry.line}, at {word!r}"))
        else:
            self._remark(entry, f"{word!r} is no question of this quiz")

    def _remark(self, entry: Entry, message: str) -> None:
        self._remarks.append(Remark(line=entry.line, message=message))

    def done(self) -> tuple[dict[str, Given], tuple[Remark, ...]]:
        """Return what counts. An answer that may be meant for a question is looked at by a person."""
        for name, given in self._meant.items():
            if given.text and not (name in self._given and self._given[name].text):
                self._given[name] = given
        kept = self._remarks[:MANY]
        if len(self._remarks) > MANY:
            more = len(self._remarks) - MANY
            kept.append(Remark(line=self._remarks[MANY].line, message=f"and {more} more from here on"))
        return self._given, tuple(kept)


def _shown(text: str) -> str:
    line = " ".join(clean(text[: 4 * SHOWN]).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
