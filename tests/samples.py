"""Results as a batch leaves them, made by hand: whatever a test wants to say of a class."""

from grader.verdict import Evidence, Grade, Mistake, Outcome, Result, Verdict

MISTAKE = Mistake(name="halved", what="half of the double", why="Is something divided that should not be?")
EVIDENCE = Evidence(
    inputs={"x": "[1, 2]"},
    shrunk=True,
    place="[1]",
    got="7.5",
    expected="4.25",
    allowed="0.001",
    note="the second is too large",
    traceback="double.py, line 3, in double",
    output="trying 1, trying 2",
)


def verdict(name="doubles", outcome=Outcome.PASSED, points=2, **more):
    """Return what a check found; a failed one has a message, a case and a named mistake."""
    found = {"message": "the second is too large", "evidence": EVIDENCE, "mistakes": (MISTAKE,), "cases": 9, "wrong": 4}
    passed = outcome is Outcome.PASSED
    fields = {"title": f"{name}: every number", "earned": points if passed else 0, **({} if passed else found), **more}
    return Verdict(check=name, outcome=outcome, points=points, **fields)


def grade(*verdicts, exercise="double", **more):
    """Return the grade of an exercise."""
    score, points = sum(item.earned for item in verdicts), sum(item.points for item in verdicts)
    fields = {"title": exercise.capitalize(), "file": f"{exercise}.py", "next_step": "look at this check first", **more}
    return Grade(exercise=exercise, score=score, points=points, verdicts=verdicts, **fields)


def result(*grades, student="ann", seed=0, **more):
    """Return the result of a student."""
    score, points = sum(item.score for item in grades), sum(item.points for item in grades)
    fields = {"grader": "1.0", "device": "cpu", "score": score, "points": points, **more}
    return Result(student=student, seed=seed, exercises=grades, **fields)


def write(folder, results):
    """Write results where a batch would."""
    (folder / "grades").mkdir(parents=True)
    for number, item in enumerate(results):
        (folder / "grades" / f"{number}.json").write_text(item.model_dump_json(), "utf-8")
    return folder
