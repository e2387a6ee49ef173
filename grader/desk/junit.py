"""Results as JUnit XML, which most CI systems show.

There is no official format: this writes what the common readers agree on. Points have no place of their own there;
they are properties.
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.desk.gradescope import evidence
from grader.show import clean
from grader.verdict import Grade, Outcome, Result, Verdict

# what XML 1.0 cannot hold, in whatever way it is written
INVALID = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# the student's answer is wrong, or there is none that could be judged; a check that passed has no element
ELEMENTS = {
    Outcome.FAILED: "failure",
    Outcome.REFUSED: "failure",
    Outcome.NOT_STARTED: "skipped",
    Outcome.ERROR: "error",
    Outcome.TIMEOUT: "error",
    Outcome.MEMORY: "error",
    Outcome.BROKEN: "error",
}


def export(results: Sequence[Result]) -> bytes:
    """Return the results as JUnit XML: a suite for each student and exercise, a case for each check.

    Of checks that students may not see yet, only the outcome is written: such files are read by anybody.
    """
    root = ET.Element("testsuites")
    for result in results:
        for grade in result.exercises:
            root.append(_suite(result, grade))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _suite(result: Result, grade: Grade) -> ET.Element:
    name = _valid("/".join(part for part in (result.student, grade.exercise) if part))
    kinds = [ELEMENTS.get(verdict.outcome, "") for verdict in grade.verdicts]
    suite = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(kinds)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
    )
    about: dict[str, str | int] = {
        "exercise": grade.exercise,
        "score": grade.score,
        "points": grade.points,
        "grader": result.grader,
    }
    _properties(suite, about | {"student": result.student, "note": result.note})
    for verdict in grade.verdicts:
        suite.append(_case(name, verdict))
    return suite


def _case(suite: str, verdict: Verdict) -> ET.Element:
    case = ET.Element("testcase", name=_valid(verdict.check), classname=suite)
    _properties(case, {"score": verdict.earned, "points": verdict.points, "visibility": verdict.visibility})
    kind = ELEMENTS.get(verdict.outcome)
    if kind:
        shown = verdict.visibility == "visible"
        message = verdict.message if shown and verdict.message else str(verdict.outcome)
        found = ET.SubElement(case, kind, message=_valid(message))
        if kind != "skipped":
            found.set("type", str(verdict.outcome))
            found.text = _valid(evidence(verdict) if shown else "")
    return case


def _properties(parent: ET.Element, pairs: dict[str, str | int]) -> None:
    element = ET.SubElement(parent, "properties")
    for name, value in pairs.items():
        if value != "":
            ET.SubElement(element, "property", name=name, value=_valid(str(value)))


def _valid(text: str) -> str:
    """Return a text without what XML, or a terminal that shows it, cannot hold."""
    return INVALID.sub("", clean(text))
