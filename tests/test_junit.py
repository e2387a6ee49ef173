"""JUnit XML is read back by two readers that are not ours."""

from xml.etree import ElementTree as ET

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from grader import staff
from grader.desk.junit import ELEMENTS, export
from grader.verdict import Outcome
from tests.klass import grade, lay_out, result, verdict


def suites(*results):
    return list(junitparser.JUnitXml.fromstring(export(results)))


def properties(element):
    return {item.name: item.value for item in element.properties()}


def test_each_student_and_exercise_is_a_suite_and_points_are_properties():
    both = [grade(verdict("adds", 3)), grade(verdict("reads", 4, "failed"), exercise="text")]
    found = suites(result("ann", *both), result("bob"))
    assert [suite.name for suite in found] == ["ann/sums", "ann/text", "bob/sums"]
    assert properties(found[1])["score"] == "0"
    assert properties(found[1])["points"] == "4"
    case = next(iter(found[0]))
    assert (case.name, case.classname, case.result) == ("adds", "ann/sums", [])
    assert [item.get("value") for item in case._elem.iter("property")] == ["3", "3", "visible"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_has_its_element(outcome):
    (suite,) = suites(result("ann", grade(verdict("adds", 3, str(outcome)))))
    (case,) = suite
    kinds = [type(item).__name__.lower() for item in case.result]
    assert kinds == ([ELEMENTS[outcome]] if outcome in ELEMENTS else [])
    assert (outcome in ELEMENTS) == (outcome is not Outcome.PASSED)


def test_the_counts_are_those_of_the_cases():
    checks = [verdict("a"), verdict("b", 1, "failed"), verdict("c", 1, "error"), verdict("d", 1, "not started")]
    root = ET.fromstring(export([result("ann", grade(*checks)), result("bob", grade(*checks))]))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8", "failures": "2", "errors": "2", "skipped": "2",
    }  # fmt: skip
    assert [suite.get("errors") for suite in root] == ["1", "1"]


def test_a_failure_says_what_was_found_and_of_hidden_checks_nothing():
    shown = verdict("a", 1, "failed", message="off by one")
    later = [verdict("b", 1, "failed", visibility=name) for name in ("hidden", "after_due_date", "after_published")]
    root = ET.fromstring(export([result("ann", grade(shown, *later))]))
    first, *rest = root.iter("failure")
    assert first.get("message") == "off by one"
    assert "expected: 4" in first.text
    assert "this equals a sum that is off by one" in first.text
    assert [(item.get("message"), item.text or "") for item in rest] == [("failed", "")] * 3


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_makes_a_file_that_can_be_read(student, message):
    content = export([result(student, grade(verdict("a", 1, "failed", message=message)), note=message)])
    root = ET.fromstring(content)
    assert len(list(root.iter("testcase"))) == 1
    assert b"\x1b" not in content


def test_the_command_takes_a_class_or_one_result(tmp_path):
    folder = lay_out(tmp_path / "results", [result("ann"), result("bob")])
    for source, count in ((folder, 2), (folder / "grades" / "ann.json", 1)):
        found = CliRunner().invoke(staff.app, ["export", "junit", str(source), "-o", str(tmp_path / "out.xml")])
        assert found.exit_code == 0
        assert len(list(junitparser.JUnitXml.fromfile(str(tmp_path / "out.xml")))) == count
