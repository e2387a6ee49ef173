"""A result.json of Classroom 50 fits the schema as it is described, and never lands on somebody else."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from typer.testing import CliRunner

from grader import staff
from grader.desk.classroom import Submission, export
from grader.errors import FaultError, UsageError
from tests.klass import grade, result, verdict

LINE = {"type": "string", "minLength": 1, "pattern": r"^[^\x00-\x1f\x7f]+$"}
COUNT = {"type": "integer", "minimum": 0}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "classroom", "assignment", "submission", "commit", "release", "review", "datetime", "score", "max-score", "tests"],
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        **dict.fromkeys(("classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release", "review"), LINE),
        "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "score": COUNT,
        "max-score": COUNT,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {"test-name": LINE, "passed": {"type": "boolean"}, "score": COUNT, "max-score": COUNT},
            },
        },
    },
}  # fmt: skip
WHOSE = Submission("cs50", "sums", "submit/1-abc", "https://x/commit/abc", "https://x/releases/1", "https://x/pull/1")


def test_a_result_fits_the_schema():
    found = export(result("ann"), WHOSE, datetime(2026, 5, 1, 12, tzinfo=UTC))
    jsonschema.validate(found, SCHEMA)
    assert found["datetime"] == "2026-05-01T12:00:00Z"
    assert (found["score"], found["max-score"]) == (20, 30)
    assert [(test["test-name"], test["passed"], test["score"]) for test in found["tests"]] == [
        ("sums.adds", True, 20),
        ("sums.carries", False, 0),
    ]
    assert "owner" not in found


def test_checks_that_are_shown_later_are_one_test_with_their_points():
    later = [verdict("secret", 4, visibility="hidden"), verdict("late", 3, "failed", visibility="after_due_date")]
    found = export(result("ann", grade(verdict("adds", 10), *later)), WHOSE)
    jsonschema.validate(found, SCHEMA)
    assert sum(test["score"] for test in found["tests"]) == found["score"] == 14
    assert sum(test["max-score"] for test in found["tests"]) == found["max-score"] == 17
    assert [test["test-name"] for test in found["tests"]] == ["sums.adds", "sums: checks that are shown later"]


def test_a_result_at_which_the_grader_failed_is_none():
    with pytest.raises(FaultError, match="has no score"):
        export(result("ann", grade(verdict("adds", 10, "broken"))), WHOSE)


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x1b[1m", "a\u2028b", "x" * 1000])
@pytest.mark.parametrize("name", ["classroom", "submission", "commit"])
def test_who_it_is_for_is_one_line_of_text(name, value):
    from dataclasses import replace

    with pytest.raises(UsageError, match=f"--{name} must be one line"):
        export(result("ann"), replace(WHOSE, **{name: value}))


def test_the_command_takes_who_it_is_for_from_the_runner_s_variables(tmp_path):
    (tmp_path / "ann.json").write_text(result("ann").model_dump_json())
    arguments = ["export", "classroom50", str(tmp_path / "ann.json"), "-o", str(tmp_path / "result.json")]
    names = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")
    found = CliRunner().invoke(staff.app, arguments, env={name: name.lower() for name in names})
    assert found.exit_code == 0, found.output
    made = json.loads((tmp_path / "result.json").read_text())
    jsonschema.validate(made, SCHEMA)
    assert (made["classroom"], made["review"]) == ("classroom", "commit_url")
    assert CliRunner().invoke(staff.app, arguments).exit_code == 2
