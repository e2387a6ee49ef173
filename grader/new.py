"""Writes the files of a new exercise, each with what belongs into it."""

import re
from pathlib import Path
from string import Template

from grader.course import Course
from grader.errors import UsageError

SLUG = re.compile(r"[a-z][a-z0-9_]{0,23}")

STARTER = '''"""$title. The task is in README.md beside this file."""


def double(x: float) -> float:
    """Return twice x. Say here: shapes, dtypes, units, what is returned, the source.

    Args:
        x: any number.
    """
    raise NotImplementedError
'''

README = """# $title

What the student builds, and why it matters.

## The formula

    double(x) = 2 x

## A worked example

double(1.5) = 3.0

## What is graded

`grader check $slug` runs these checks (`grader list $slug` shows the points).

| check | points |
|---|---|
| double: twice the number | 1 |

## Sources

- Author Year, Title, section.
"""

EXERCISE = """title: $title
summary: One sentence that says what is built.
points: 1
# preload: [torch]    where tensors are used
# refused:            what would do the exercise for the student
#   functions: [layer_norm]
#   modules: [transformers]
hints:
  doubles_any_number:
    - A question that leads on.
    - The idea.
    - The line of attack, never the code.
"""

CHECKS = '''"""What is asked of $slug.py: the cases, what is run on them, and how the answers are compared."""

from grader import draw
from grader.check import check
from grader.compare import Close


def numbers():
    return draw.build(_case, x=draw.integers(-100, 100))


def _case(x):
    return {"x": x / 4}


@check(points=1, cases=numbers, examples=lambda: [{"x": 0.0}, {"x": 1.5}, {"x": -1e30}], compare=Close(rtol=1e-12))
def doubles_any_number(module, x):
    """double: twice the number"""
    return module.double(x)
'''

REFERENCE = '''"""$title: the hidden reference for grading. Plain, and written without a look at the solution."""


def double(x: float) -> float:
    """Twice x."""
    return x + x
'''

SOLUTION = '''"""$title."""


def double(x: float) -> float:
    """Return twice x."""
    return 2 * x
'''

MISCONCEPTIONS = '''"""Wrong programs that students write for $slug, each wrong in one respect.

A class is a namespace: its functions take the place of the functions of the same name in the solution.
"""


class square_for_double:
    """X01. the square of x

    Both give 4 for 2. Try another number.
    """

    def double(x):
        return x * x
'''

VARIANT = '''"""Right, in another style: a loop."""


def double(x: float) -> float:
    """Return twice x."""
    total = 0.0
    for _ in range(2):
        total += x
    return total
'''


def create(course: Course, slug: str, title: str) -> list[Path]:
    """Write every file of a new exercise; it audits green at once and is filled in from there.

    Raises:
        UsageError: the slug is not allowed, or a file is there already. Then nothing is written.
    """
    if not SLUG.fullmatch(slug):
        raise UsageError(f"{slug!r} is no slug: use [a-z][a-z0-9_]*, at most 24 characters, as in kv_cache")
    taken = [int(path.parent.name.split("_")[0]) for path in course.root.glob("exercises/*/exercise.yaml")]
    folder = course.root / "exercises" / f"{max(taken, default=0) + 1:02d}_{slug}"
    files = {
        folder / "README.md": README,
        folder / "exercise.yaml": EXERCISE,
        folder / f"{slug}.py": STARTER,
        folder / "checks.py": CHECKS,
        course.root / "reference" / f"{slug}.py": REFERENCE,
        course.root / "reference" / "misconceptions" / f"{slug}.py": MISCONCEPTIONS,
        course.root / "solutions" / f"{slug}.py": SOLUTION,
        course.root / "tests" / "variants" / slug / "loop.py": VARIANT,
    }
    there = [path for path in [*course.root.glob(f"exercises/*_{slug}"), *files] if path.exists()]
    if there:
        raise UsageError(f"{there[0]} is there already; choose another slug, or remove it first")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(slug=slug, title=title), encoding="utf-8")
    return list(files)
