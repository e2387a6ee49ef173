"""Runs the code of questions behind the fence and compares what it prints with what the file says (Q020)."""

from collections.abc import Iterator

from grader.case import Case, Job, Limits
from grader.quiz.item import Code, Item, Quiz
from grader.quiz.source import Problem, Read
from grader.sandbox import Sandbox

LIMITS = Limits(case_seconds=20.0, check_seconds=20.0, load_seconds=20.0)
PRELOAD = ("torch", "numpy")  # imported once for all snippets
# the fork runs the code as a module; a probe asks it for nothing, and what was printed comes with the answer
PROBE = "def printed(module):\n    return None\n"


def whole_text(code: Code) -> str:
    """Return what is run: what stands before, the code itself, what stands after."""
    return "\n".join(part.rstrip("\n") for part in (code.setup, code.text, code.after) if part) + "\n"


def run(sandbox: Sandbox, code: Code) -> tuple[str, str]:
    """Return what a snippet prints, and what went wrong, "" if nothing did.

    Raises:
        FaultError: the worker does not work.
    """
    answer = sandbox.open(Job("snippet", whole_text(code).encode(), PROBE, limits=LIMITS))
    if answer.kind == "value":
        printed = answer.output
        answer = sandbox.answer("printed", Case({}))
        return printed + answer.output, answer.message if answer.kind != "value" else ""
    return answer.output, answer.message or answer.kind


def problems(sandbox: Sandbox, found: Read) -> Iterator[Problem]:
    """Find code that does not print what its question says (Q020)."""
    for number, item in enumerate(found.quiz.items if found.quiz else ()):
        code = item.code
        if code is None or code.lang != "python" or code.expect is None:
            continue
        printed, wrong = run(sandbox, code)
        if wrong:
            message = f"the code of {item.id} does not run: {wrong}"
        elif printed.strip() != code.expect.strip():
            message = f"the code of {item.id} prints {printed.strip()[:80]!r}, not {code.expect.strip()[:80]!r}"
        else:
            continue
        yield found.at(("items", number, "code", "expect"), "Q020", "error", message)


def has_code(quiz: Quiz) -> bool:
    """Say whether there is anything to run."""
    return any(item.code and item.code.lang == "python" for item in quiz.items)


def shows(item: Item) -> bool:
    """Say whether what the code prints occurs where the key is explained, so that it proves the key."""
    expect = item.code.expect.strip() if item.code and item.code.expect else ""
    places = [choice.text for choice in item.choices if choice.correct] + [item.explanation]
    if item.answer:
        places.append(str(item.answer.value))
    return any(" ".join(expect.split()) in " ".join(place.split()) for place in places)
