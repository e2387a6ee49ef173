"""Grades a class: every file once, in several processes, so that nothing that is done is ever lost.

The journal has each finished grade. A run that came to an end in whatever way goes on when it is run again.
"""

from grader.cache import cache_folder
from grader.course import Course
from grader.desk.intake import submissions
from grader.errors import UsageError
from grader.fence import exposed
from grader.journal import Journal
from grader.plan import Plan, Summary, Watch
from grader.pool import Cluster
from grader.ready import Note
from grader.register import Register
from grader.tier import best, findings


def run(course: Course, plan: Plan, note: Note, watch: Watch) -> Summary:
    """Grade a class; see `Plan`. `note` is told of what takes long, `watch` of each student.

    Raises:
        UsageError: a folder, an exercise or the fence is not there.
        EmptyError: nobody handed in anything.
        FaultError: our own failure, such as a full disk; what was graded before is kept.
    """
    if plan.results.resolve().is_relative_to(plan.submissions.resolve()):
        raise UsageError(f"{plan.results} lies among the submissions: name a folder outside of {plan.submissions}")
    chosen = [course.find(name) for name in plan.names] if plan.names else course.exercises()
    known = [exercise.slug for exercise in course.exercises()]
    found = submissions(plan.submissions, chosen, plan.layout, note, known)
    handed = {slug for item in found for slug in item.files}
    exercises = [exercise for exercise in chosen if plan.names or exercise.slug in handed]
    if not exercises:
        names = ", ".join(exercise.filename for exercise in chosen)
        raise UsageError(f"nobody in {plan.submissions} handed in any of {names}")
    _insist(course, plan)
    with Journal(plan.results / "journal.jsonl", fresh=plan.force) as journal:
        made = Register(journal, plan, watch, len(found))
        for exercise in exercises:
            made.take(course, exercise, note)
        pool = Cluster(plan.scheduler, made.bundles) if plan.scheduler else made.local()
        try:
            made.grade(found, pool)
        except BaseException as error:
            pool.close(now=True)
            if isinstance(error, KeyboardInterrupt):
                note(f"{made.summary.students} of {len(found)} students are done; run it again to go on")
            raise
        pool.close()
        return made.finish(found)


def _insist(course: Course, plan: Plan) -> None:
    """Refuse to run the files of others without a fence."""
    if not plan.fenced:
        return
    for place, what in ((course.root, "this course"), (cache_folder(), "the cache of true answers")):
        if shown := exposed(place):
            raise UsageError(f"submissions can read {shown}, where {what} lies: move it elsewhere")
    if not plan.scheduler and best().tier == "C":
        why = "; ".join(f"tier {item.fence.tier}: {item.problem} ({item.fix})" for item in findings() if item.problem)
        raise UsageError(
            f"no fence works here, so submissions could do anything. {why}. --no-sandbox does it all the same"
        )
