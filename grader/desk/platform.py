"""What platforms give: which files of a download belong to which student. Each function looks at names alone.

Each takes the tree of a class and the folder in it where to look, and returns what it understands of it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from grader.desk.attempt import Arrived, Attempt, Part, common, moment
from grader.desk.item import Tree, Unreadable
from grader.errors import UsageError
from grader.verdict import Student

METADATA = "submission_metadata.yml"
_METADATA_LARGEST = 256 << 20  # bytes; it lists every submission

# <name>_[LATE_]<user>_<attachment>_<file>; with blind marking [LATE_]anon_<number>_<attachment>_<file>
_CANVAS = re.compile(
    r"(?:(?P<name>(?!LATE_|anon_).+?)_)?(?:(?P<late>LATE)_)?(?P<user>\d+|anon_[A-Za-z0-9]+)"
    r"_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<typed>text|link)\.html)",
    re.ASCII,
)
# <name>_<participant>_assignsubmission_<kind>[_<file>]; the team of those without a group has no number
_MOODLE = re.compile(
    r"(?P<name>.*?)(?:_(?P<number>\d+))?_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.ASCII
)


def canvas(tree: Tree, at: str) -> Arrived:
    """Read a Canvas zip: flat, the student's number in the name of each file."""
    arrived = Arrived()
    found: dict[tuple[str, str], Attempt] = {}
    for name in tree.names(at):
        match = _CANVAS.fullmatch(name)
        if not match:
            arrived.left.append(name)
            continue
        arrived.taken += 1
        user, who = match["user"], match["name"] or ""
        blind = user.startswith("anon_")
        # the name is part of the key: a student could take a name that ends in another's number
        before = found.setdefault(
            (user, who),
            Attempt(f"{user} {who}", who or user, Student(name=who, canvas="" if blind else user), ()),
        )
        parts, notes = before.parts, before.notes
        if match["file"]:
            parts += (Part(at + name, match["file"], match["attachment"].zfill(40)),)
        else:
            notes += ("What was typed in or linked is not graded; hand in a file.",)
        found[user, who] = replace(before, parts=parts, notes=notes, late=before.late or match["late"] is not None)
    arrived.attempts = list(found.values())
    return arrived


def moodle(tree: Tree, at: str) -> Arrived:
    """Read a Moodle zip: a folder for each student, or flat."""
    return _moodle(tree, at, teams=False)


def teams(tree: Tree, at: str) -> Arrived:
    """Read a Moodle zip of teams, whose numbers are those of groups: they must match no participant."""
    return _moodle(tree, at, teams=True)


def _moodle(tree: Tree, at: str, teams: bool) -> Arrived:
    arrived = Arrived()
    found: dict[str, Attempt] = {}
    for name in tree.names(at):
        match = _MOODLE.fullmatch(name.rstrip("/"))
        if not match or bool(match["file"]) == name.endswith("/"):
            arrived.left.append(name)
            continue
        arrived.taken += 1
        number = match["number"] or ""
        blind = match["name"] == "Participant"
        who = Student(name="" if blind else match["name"], moodle="" if teams else number)
        ident = f"{number} {match['name']}"
        before = found.setdefault(
            ident, Attempt(ident, f"Participant {number}" if blind else match["name"] or number, who, ())
        )
        if match["kind"] == "file":
            found[ident] = replace(before, parts=(*before.parts, Part(at + name, match["file"] or "")))
        else:
            text = "What was typed in on the platform is not graded; hand in a file."
            found[ident] = replace(before, notes=tuple(dict.fromkeys((*before.notes, text))))
    arrived.attempts = list(found.values())
    return arrived


def classroom(tree: Tree, at: str) -> Arrived:
    """Read clones of repositories: <slug>-submissions/<slug>-<login>, or <classroom>-<slug>-<login>."""
    arrived = Arrived()
    places = [(name.removesuffix("-submissions/"), at + name) for name in tree.names(at)]
    places = [(slug, place) for slug, place in places if place.endswith("-submissions/") and slug]
    if not places and not at and _stem(tree).endswith("-submissions"):
        places = [(_stem(tree).removesuffix("-submissions"), at)]
    found: dict[str, Attempt] = {}
    for slug, place in places:
        names = tree.names(place)
        repositories = [name.rstrip("/") for name in names if name.endswith("/")]
        arrived.left += [name for name in names if not name.endswith("/")]
        prefix = common([prefix for name in repositories for prefix in _prefixes(name, slug)])
        for name in repositories:
            if not prefix or not name.startswith(prefix) or name == prefix:
                arrived.left.append(f"{name}/")
                continue
            arrived.taken += 1
            login = name.removeprefix(prefix)
            before = found.setdefault(login.casefold(), Attempt(login.casefold(), login, Student(login=login), ()))
            found[login.casefold()] = replace(before, parts=(*before.parts, Part(f"{place}{name}/")))
    arrived.attempts = list(found.values())
    return arrived


def _prefixes(name: str, slug: str) -> list[str]:
    """Return what may stand before the login in the name of a repository."""
    own = [f"{slug}-"] if name.startswith(f"{slug}-") else []
    return own or [name[: match.end()] for match in re.finditer(f"-{re.escape(slug)}-", name)]


def nbgrader(tree: Tree, at: str) -> Arrived:
    """Read nbgrader's submitted/<student>/<assignment>/, with timestamp.txt."""
    arrived = Arrived()
    if "submitted/" in tree.names(at):
        at += "submitted/"
    elif at or _stem(tree) != "submitted":
        return arrived
    for name in tree.names(at):
        inside = tree.names(at + name) if name.endswith("/") else ["file"]
        if not all(assignment.endswith("/") for assignment in inside):
            arrived.left.append(name)
            continue
        arrived.taken += 1
        student = name.rstrip("/")
        times = {path: _stamp(tree, path) for path in (at + name + assignment for assignment in inside)}
        parts = tuple(Part(path, order=time) for path, time in times.items())
        latest = max(times.values(), default="")
        arrived.attempts.append(Attempt(student, student, Student(login=student), parts, latest))
    return arrived


def _stamp(tree: Tree, folder: str) -> str:
    """Return when an assignment was handed in."""
    content = _read(tree, f"{folder}timestamp.txt", 100) if "timestamp.txt" in tree.names(folder) else b""
    return moment(content.decode("utf-8", "replace"))


def _read(tree: Tree, path: str, most: int) -> bytes:
    """Return the beginning of a platform's own file, nothing if it cannot be read."""
    items = tree.items(path)
    content = b"" if isinstance(items, Unreadable) or not items else items[0].read(most)
    return b"" if isinstance(content, Unreadable) else content


def gradescope(tree: Tree, at: str) -> Arrived:
    """Read a Gradescope export: a folder for each submission, and who submitted in submission_metadata.yml.

    Raises:
        UsageError: that file cannot be understood.
    """
    arrived = Arrived()
    names = tree.names(at)
    if METADATA not in names:
        return arrived
    for key, record in _metadata(tree, at + METADATA).items():
        path = f"{key}/" if f"{key}/" in names else key
        people = record.get(":submitters") or [{":name": key}]
        part = Part(at + path, "" if path.endswith("/") else _text(record, ":original_filename"))
        parts = (part,) if path in names else ()
        arrived.taken += path in names
        submitters = [_person(item) for item in people if isinstance(item, dict)] or [Student(name=key)]
        digits = re.search(r"[0-9]{1,18}$", key)
        for who in submitters:
            others = ", ".join(other.name or other.email for other in submitters if other is not who)
            arrived.attempts.append(
                Attempt(
                    # without these two of one name are two: an export has one submission of each student
                    ident=who.email.casefold() or who.number or f"{key} {who.name}",
                    name=who.name or who.email or who.number or key,
                    who=who,
                    parts=parts,
                    submitted=moment(_text(record, ":created_at")),
                    order=int(digits[0]) if digits else 0,
                    notes=(f"Handed in together with {others}.",) if others else (),
                )
            )
    known = {part.path.removeprefix(at) for attempt in arrived.attempts for part in attempt.parts}
    arrived.left = [name for name in names if name not in known and name != METADATA]
    return arrived


def _metadata(tree: Tree, path: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what Gradescope tells of each submission."""
    content = _read(tree, path, _METADATA_LARGEST)
    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        # everything stays text: a student's number 0123 is no octal number, and no object is made
        found = yaml.load(content, loader)  # noqa: S506  the base loader makes texts, lists and dicts only
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{METADATA} cannot be understood: {str(error).splitlines()[0]}; export it again") from None
    if not isinstance(found, dict):
        raise UsageError(f"{METADATA} cannot be understood: it lists no submissions; export it again")
    return {key: value for key, value in found.items() if isinstance(key, str) and isinstance(value, dict)}


def _person(record: Mapping[str, Any]) -> Student:
    return Student(name=_text(record, ":name"), email=_text(record, ":email"), number=_text(record, ":sid"))


def _text(record: Mapping[str, Any], key: str) -> str:
    """Return a text of Gradescope's, "" where there is none."""
    value = record.get(key)
    return value.strip() if isinstance(value, str) and value not in ("null", "~") else ""


def _stem(tree: Tree) -> str:
    return tree.name.removesuffix(".zip")
