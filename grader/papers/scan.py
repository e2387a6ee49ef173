"""Reads answers line by line, where a file is no YAML: "id: b", "id = b", "id - b", "1. b", lists, tables, and tabs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.papers.decoding import plain
from grader.papers.names import Names

LONGEST = 4000  # characters of a line; the rest of it is not read
_LINE = re.compile(
    r"""[\s>*+|`_"'(\[{-]*+                                     # marks of lists, quotes, tables, JSON
    (?P<key>(?:(?:question|item|no|q)[ .]{0,2})?\d{1,3}(?![\w-]) | [a-z][a-z0-9_-]*+)
    [`*_"'\]}]*+
    (?P<mark>\s*+(?:[:=|→]|[-=]>) | [.)](?=[\s*_a-z(]|$) | \s++-++(?=\s|$) | \s++ | $)
    (?P<rest>.*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_ITEM = re.compile(r"\s*[-*+•]\s+(?P<rest>\S.*)", re.DOTALL)
_IDLE = re.compile(r"(?:#|//|```|~~~).*|[-=.|:+\s]*|[\[\]{},]{0,3}", re.DOTALL)  # comments, fences, rules
_BLOCK = re.compile(r"[|>][+-]?")  # begins a text of several lines in YAML
_COMMENT = re.compile(r"\s#.*", re.DOTALL)
_QUOTED = re.compile(r"""(["'])(?P<text>(?:(?!\1).)*)\1\s*+[,;|}\]]*+\s*+(?:#.*)?""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer as it stands in a file.

    Attributes:
        line: from 1.
        key: what stands before the answer; "" if nothing can be made of the line.
        text: the answer as it was written, or all of a line of which nothing can be made.
        problem: why it cannot be read; a sentence.
    """

    line: int
    key: str
    text: str
    problem: str = ""


def scan(text: str, names: Names) -> Iterator[Entry]:
    """Yield what stands in a file, line by line."""
    last: _Open | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        whole = line[:LONGEST]
        if _IDLE.fullmatch(whole.strip()):
            if last is not None:
                yield last.entry()
            last = None
            continue
        found = _keyed(whole, names, last is not None)
        if found is None and last is not None and last.takes(whole):
            last.take(whole)
            continue
        if last is not None:
            yield last.entry()
            last = None
        if found is None:
            yield _unkeyed(whole, number)
        else:
            last = _Open(number, *found)
    if last is not None:
        yield last.entry()


@dataclass(slots=True)
class _Open:
    """An answer that may go on in the next line."""

    line: int
    key: str
    text: str

    def takes(self, line: str) -> bool:
        return not self.text or line[:1].isspace() or bool(_ITEM.match(line))

    def take(self, line: str) -> None:
        item = _ITEM.match(line)
        more = _value(item["rest"] if item else line)
        if len(self.text) < LONGEST:  # a longer one is no answer
            self.text = f"{self.text}, {more}" if self.text and item else f"{self.text} {more}".strip()

    def entry(self) -> Entry:
        return Entry(self.line, self.key, self.text)


def _keyed(line: str, names: Names, inside: bool) -> tuple[str, str] | None:
    """Return what a line answers and how, None if it names no question."""
    match = _LINE.match(plain(line))
    if not match:
        return None
    key, mark = match["key"], match["mark"]
    name = names.of(key)
    strong = bool(mark.strip()) or "\t" in mark
    if not name and inside and (line[:1].isspace() or not strong) and not names.near(key):
        return None  # it goes on with what stands before it
    if not strong and name not in names.known:
        return None  # "5", or a sentence
    return key, _value(line[match.start("rest") :])


def _unkeyed(line: str, number: int) -> Entry:
    return Entry(number, "", line.strip(), "cannot be read as a question and its answer")


def _value(text: str) -> str:
    """Return an answer without what surrounds it."""
    bare = text.strip(" \t*`")
    if quoted := _QUOTED.fullmatch(plain(bare)):
        return bare[quoted.start("text") : quoted.end("text")]
    bare = _COMMENT.sub("", f" {bare}").strip().rstrip(",;|").strip()
    if len(re.findall("[\"']", plain(bare))) == 1:  # a quote that somebody forgot to close
        bare = re.sub("^[\"']|[\"']$", "", plain(bare))
    return "" if _BLOCK.fullmatch(bare) else bare
