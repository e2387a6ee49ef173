"""How a class lies in a folder or an archive: found out by its names, or named by --layout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from grader.desk.attempt import Arrived, Attempt, Part, named
from grader.desk.item import Tree, shown
from grader.desk.platform import canvas, classroom, gradescope, moodle, nbgrader, teams
from grader.errors import EmptyError, UsageError
from grader.exercise import Exercise
from grader.verdict import Student

ENDINGS = (".py", ".ipynb")  # of files that are graded
SURE = ("gradescope", "moodle", "canvas", "nbgrader", "classroom")  # found by their names, in this order


@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which a class lies somewhere.

    Attributes:
        what: completes "this looks like ...".
        asks: what its names look like.
        read: returns what a folder of a tree holds.
    """

    what: str
    asks: str
    read: Callable[[Tree, str, Sequence[Exercise]], Arrived]


def _names_alone(read: Callable[[Tree, str], Arrived]) -> Callable[[Tree, str, Sequence[Exercise]], Arrived]:
    return lambda tree, at, _: read(tree, at)


def folder(tree: Tree, at: str, exercises: Sequence[Exercise]) -> Arrived:
    """Read a folder in which each folder, .zip or file is a student.

    A file is <student>.py if there is one exercise, <student>_<slug>.py otherwise.

    Raises:
        UsageError: it is the folder of one student, or it cannot be told which exercise a file is for.
    """
    arrived = Arrived()
    slugs = [exercise.slug for exercise in exercises]
    names = tree.names(at)
    own = [exercise.filename for exercise in exercises if exercise.filename in names]
    if own and len(exercises) > 1:
        raise UsageError(
            f"{tree.name} has a {own[0]}: this is one student's folder; name the folder around it, or --layout single"
        )
    found: dict[str, Attempt] = {}
    for name in names:
        if name.endswith("/"):
            student, part = name.rstrip("/"), Part(at + name)
        elif name.lower().endswith(".zip"):
            student, part = name[:-4], Part(at + name)
        elif name.endswith(ENDINGS):
            student, slug = named(name, slugs)
            if not slug:
                raise UsageError(_which(name))
            part = Part(at + name, slug + name[name.rindex(".") :])
        else:
            arrived.left.append(name)
            continue
        arrived.taken += 1
        before = found.setdefault(student, Attempt(student, student, Student(name=shown(student)), ()))
        found[student] = replace(before, parts=(*before.parts, part))
    arrived.attempts = list(found.values())
    return arrived


def _which(name: str) -> str:
    ending = name[name.rindex(".") :]
    return (
        f"{shown(name)}: which exercise is it for? Name one with --exercise, or name files <student>_<exercise>{ending}"
    )


def single(tree: Tree, at: str, _: Sequence[Exercise]) -> Arrived:
    """Read the files of one student."""
    name = tree.name.removesuffix(".zip") or "student"
    return Arrived([Attempt(name, name, Student(name=shown(name)), (Part(at),))], taken=1)


def alone(tree: Tree, name: str, exercises: Sequence[Exercise]) -> Arrived:
    """Read one file of one student.

    Raises:
        UsageError: it cannot be told which exercise it is for.
    """
    student, slug = named(name, [exercise.slug for exercise in exercises])
    if not slug:
        raise UsageError(_which(name))
    part = Part(name, slug + name[name.rindex(".") :])
    return Arrived([Attempt(student, student, Student(name=shown(student)), (part,))], taken=1)


LAYOUTS = {
    "folder": Layout("a folder or file for each student", "folders, .py files", folder),
    "gradescope": Layout("a Gradescope export", "submission_metadata.yml", _names_alone(gradescope)),
    "canvas": Layout("a Canvas zip", "<name>_<user>_<attachment>_<file>", _names_alone(canvas)),
    "moodle": Layout("a Moodle zip", "<name>_<participant>_assignsubmission_file", _names_alone(moodle)),
    "moodle-teams": Layout("a Moodle zip of teams", "<team>_<group>_assignsubmission_file", _names_alone(teams)),
    "classroom": Layout("clones of GitHub Classroom", "<slug>-submissions/<repository>", _names_alone(classroom)),
    "nbgrader": Layout("nbgrader's folder", "submitted/<student>/<assignment>", _names_alone(nbgrader)),
    "single": Layout("the files of one student", "<slug>.py", single),
}
KNOWN = ", ".join(LAYOUTS)


def arrange(tree: Tree, exercises: Sequence[Exercise], wanted: str, zipped: bool) -> tuple[str, Arrived]:
    """Return the layout of a class and what it makes of it.

    Args:
        tree: of the class.
        exercises: that are graded.
        wanted: name of a layout, "" to find it out.
        zipped: whether the tree is an archive.

    Raises:
        UsageError: there is no such layout, or the class does not lie so.
        EmptyError: there is nothing.
    """
    if wanted and wanted not in LAYOUTS:
        raise UsageError(f"--layout {wanted}: there is no such layout; there are {KNOWN}")
    if found := platform(tree, wanted, exercises):
        return found
    at = _top(tree, exercises) if zipped else ""
    if wanted == "single" or (not wanted and zipped and _is_single(tree, at, exercises)):
        return "single", single(tree, "", exercises)
    arrived = folder(tree, at, exercises)
    if not arrived.attempts:
        raise EmptyError(f"there is nothing to grade in {tree.name}: no folder and no .py file")
    return "folder", arrived


def platform(tree: Tree, wanted: str = "", exercises: Sequence[Exercise] = ()) -> tuple[str, Arrived] | None:
    """Return the layout of a platform's download and what it holds, None if it is another layout.

    Raises:
        UsageError: the layout that is wanted is that of a platform, and the class does not lie so.
    """
    places = _places(tree)
    for name in [wanted] if wanted in SURE or wanted == "moodle-teams" else [] if wanted else SURE:
        for at in places:
            arrived = LAYOUTS[name].read(tree, at, exercises)
            if arrived.attempts and (wanted or arrived.taken > len(arrived.left)):
                return name, arrived
        if wanted:
            raise UsageError(f"--layout {wanted}: nothing in {tree.name} is named {LAYOUTS[wanted].asks}")
    return None


def _places(tree: Tree) -> list[str]:
    """Return where a platform's names may be: on top, or in the only folder there."""
    names = tree.names()
    folders = [name for name in names if name.endswith("/")]
    return ["", folders[0]] if len(folders) == 1 and len(names) == 1 else [""]


def _top(tree: Tree, exercises: Sequence[Exercise]) -> str:
    """Return the folder of an archive in which the students are: what was packed is often a folder."""
    at = ""
    while len(names := tree.names(at)) == 1 and names[0].endswith("/"):
        if _is_students(tree.names(at + names[0]), exercises):
            break
        at += names[0]
    return at


def _is_students(names: Sequence[str], exercises: Sequence[Exercise]) -> bool:
    """Say whether a folder with these names in it is that of one student."""
    own = {exercise.filename for exercise in exercises} | {f"{exercise.folder.name}/" for exercise in exercises}
    return bool(own & set(names)) or "exercises/" in names


def _is_single(tree: Tree, at: str, exercises: Sequence[Exercise]) -> bool:
    """Say whether an archive is what one student handed in."""
    names = tree.names(at)
    if _is_students(names, exercises):
        return True
    if len(names) == 1 and names[0].endswith("/"):
        return True  # else `_top` had gone into it
    files = [name for name in names if name.endswith(ENDINGS)]
    return len(files) == 1 and not any(name.endswith(("/", ".zip")) for name in names)
