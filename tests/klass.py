"""Results of classes that do not exist, for tests of what is made of results."""

from grader.gradebook import filename
from grader.verdict import Evidence, Grade, Mistake, Result, Student, Verdict


def verdict(check="adds", points=10, outcome="passed", visibility="visible", **more):
    """Return the verdict of one check, with evidence unless it passed."""
    passed = outcome == "passed"
    evidence = Evidence(inputs={"x": "2"}, place="[0]", got="3", expected="4", output="printed\x1b[31m")
    fields = {
        "title": f"{check}: a title",
        "message": "" if passed else "a wrong value",
        "evidence": None if passed else evidence,
        "mistakes": () if passed else (Mistake(name="off", what="a sum that is off by one", why="count again"),),
    }
    return Verdict(
        check=check,
        outcome=outcome,
        points=points,
        earned=points if passed else 0,
        visibility=visibility,
        **{**fields, **more},
    )


def grade(*verdicts, exercise="sums"):
    """Return the grade of one exercise."""
    return Grade(
        exercise=exercise,
        title="Sums",
        file=f"{exercise}.py",
        score=sum(item.earned for item in verdicts),
        points=sum(item.points for item in verdicts),
        verdicts=verdicts,
    )


def result(student="ann", *grades, note="", **identity):
    """Return a result; without grades, of one exercise with 20 of 30 points."""
    grades = grades or (grade(verdict("adds", 20), verdict("carries", 10, "failed")),)
    return Result(
        grader="1",
        seed=0,
        device="cpu",
        student=student,
        identity=Student(**identity),
        note=note,
        score=sum(item.score for item in grades),
        points=sum(item.points for item in grades),
        exercises=grades,
    )


def lay_out(folder, results):
    """Write results as a batch leaves them, and return their folder."""
    (folder / "grades").mkdir(parents=True)
    for item in results:
        (folder / "grades" / filename(item.student)).write_text(item.model_dump_json(), "utf-8")
    return folder
