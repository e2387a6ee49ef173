"""What the worker is given of a checks.py is what its probes need; what is not named stays behind."""

import ast
import sys
from pathlib import Path

import pytest

from grader.array import native
from grader.case import Array
from grader.load import load, load_file, probes, variants
from grader.oracle import load_checks
from grader.wire import pack

ROOT = Path(__file__).parent.parent
COURSE = sorted(path.parent.name for path in ROOT.glob("exercises/*/checks.py"))


def slug_of(folder):
    return folder.split("_", 1)[1]


def source_of(folder):
    return (ROOT / "exercises" / folder / "checks.py").read_text("utf-8")


def run(source):
    """Execute extracted probes as the worker does."""
    namespace = {}
    exec(compile(probes(source), "probes", "exec"), namespace)
    return namespace


def top_level(source):
    return {node.name for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


# --- what is left behind ------------------------------------------------------------------------

SMALL = '''"""The module's own docstring, a secret."""

from grader import draw
from grader.check import check
from grader.compare import Derived
import math
import json as js

SECRET = "the answer is 42"
LIMIT = 3
UNUSED = [LIMIT]


def _helper(x):
    return _deeper(x) + LIMIT


def _deeper(x):
    return math.floor(x)


def _lonely(x):
    return SECRET


def cases():
    return draw.integers(0, UNUSED[0])


def hard():
    return [{"x": 1.5}]


# a comment that gives it away
@check(points=4711, cases=cases, examples=hard, compare=Derived(slack=8.15), draws=12)
def doubles(module, x: "Annotated", *, y: float = LIMIT) -> "Returned":
    """double: the title that the student reads"""
    return module.double(_helper(x)) + y


class Case:
    pass


@check(points=1, examples=hard, compare=Derived())
def sends_json(module, x):
    """
    json: a title of
    several lines
    """
    # another comment
    return js.dumps(x)
'''


@pytest.mark.parametrize(
    "word",
    [
        "points", "4711", "compare", "Derived", "slack", "8.15", "draws", "examples", "cases", "check", "hard", "title",
        "several", "double:", "secret", "SECRET", "42", "comment", "UNUSED", "_lonely", "class", "Annotated",
        "Returned", "draw", "@", "#",
    ],
)  # fmt: skip
def test_what_no_probe_needs_is_left_behind(word):
    assert word not in probes(SMALL)


@pytest.mark.parametrize(
    "part",
    ["def doubles", "def sends_json", "def _helper", "def _deeper", "LIMIT = 3", "import math", "import json as js"],
)
def test_what_a_probe_needs_directly_or_not_is_kept(part):
    assert part in probes(SMALL)


def test_what_is_cut_out_runs():
    class Module:
        @staticmethod
        def double(x):
            return 2 * x

    namespace = run(SMALL)
    assert namespace["doubles"](Module, 1.5) == 11
    assert namespace["sends_json"](Module, {"a": 1}) == '{"a": 1}'


def test_nothing_is_cut_out_of_a_file_without_checks():
    assert probes("X = 1\n\ndef f():\n    return X\n") == ""


def test_a_file_that_is_no_python_is_a_syntax_error():
    with pytest.raises(SyntaxError):
        probes("def f(:\n")


def test_cutting_twice_gives_the_same():
    assert probes(SMALL) == probes(SMALL)


def wrap(before, body, signature="module, x"):
    decorator = "@check(points=1, examples=list, compare=Exact())"
    return f'{before}\n\n{decorator}\ndef probe({signature}):\n    """title"""\n    {body}\n'


# --- what is kept -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "body", "result"),
    [
        ("A = 5", "return A", 5),
        ("A = B = 5", "return B", 5),
        ("A, B = 1, 2", "return A + B", 3),
        ("(A, [B, *C]) = (1, [2, 3])", "return [A, B, C]", [1, 2, [3]]),
        ("A: int = 5", "return A", 5),
        ("A = 1\nB = A + 1\nC = B + 1", "return C", 3),
        ("A = 1; B = A + 1", "return B", 2),
        ("import math", "return math.pi > 3", True),
        ("import os.path", "return os.path.join('a', 'b')", "a/b"),
        ("import os.path as p", "return p.join('a', 'b')", "a/b"),
        ("from math import floor as f, ceil", "return f(1.5)", 1),
        ("def f():\n    return g()\ndef g():\n    return 7", "return f()", 7),
        ("def f(n):\n    return n and f(n - 1)", "return f(3)", 0),
        ("class C:\n    value = 7", "return C.value", 7),
        ("def f():\n    return 7\nclass C:\n    value = f()", "return C().value", 7),
        ("import functools\n@functools.cache\ndef f():\n    return 7", "return f()", 7),
        ("A = 5\ndef f(n=A):\n    return n", "return f()", 5),
        ("A = 5", "return [A for _ in range(2)]", [5, 5]),
        ("A = 5", "return (lambda n: n + A)(1)", 6),
        ("A = 5", "return f'{A}'", "5"),
        ("A = 5", "def inner():\n        return A\n    return inner()", 5),
    ],
)
def test_a_helper_or_constant_is_there_when_the_probe_runs(before, body, result):
    assert run(wrap(before, body))["probe"](None, 0) == result


@pytest.mark.parametrize(
    ("before", "body", "result"),
    [
        ("A = 1\nA = A + 1", "return A", 2),
        ("A = [1]\nA += [2]", "return A", [1, 2]),
        ("A = {}\nA['k'] = 1", "return A", {"k": 1}),
        ("A = []\nA.append(1)", "return A", [1]),
        ("A = 1\nfor A in range(3):\n    pass", "return A", 2),
        ("try:\n    import math\nexcept ImportError:\n    math = None", "return math is None", False),
        ("if True:\n    A = 5", "return A", 5),
        ("from math import *", "return floor(1.5)", 1),
    ],
)
def test_what_cannot_be_cut_out_rightly_is_refused_and_not_lost(before, body, result):
    source = wrap(before, body)
    try:
        probes(source)
    except (SyntaxError, ValueError):
        return
    assert run(source)["probe"](None, 0) == result


def test_a_probe_may_use_another_probe():
    source = wrap("", "return 7") + wrap("", "return probe(module, x)").replace("def probe", "def second")
    assert run(source)["second"](None, 0) == 7


def test_a_probe_without_a_body_runs():
    assert run(wrap("", ""))["probe"](None, 0) is None


def test_defaults_of_a_probe_are_kept():
    assert run(wrap("A = 5", "return n", "module, x, n=A"))["probe"](None, 0) == 5


@pytest.mark.parametrize(
    "signature",
    [
        "module, x: Secret",
        "module, /, x: Secret",
        "module: Secret, /, x",
        "module, *x: Secret",
        "module, x, **k: Secret",
    ],
)
def test_annotations_of_a_probe_are_left_behind(signature):
    source = wrap("class Secret:\n    pass", "return 1", signature)
    assert "Secret" not in probes(source)
    assert run(source)["probe"](None, 0) == 1


def test_a_parameter_does_not_bring_what_has_its_name_at_module_level():
    source = wrap("def x():\n    return 'cases of x'", "return module + x")
    assert "cases of x" not in probes(source)


def test_a_local_variable_does_not_bring_what_has_its_name_at_module_level():
    source = wrap("def cases():\n    return 'cases of x'", "cases = [x]\n    return cases")
    assert "cases of x" not in probes(source)


def test_of_an_import_only_the_names_that_are_needed_are_kept():
    source = wrap("from grader import cost, draw\nfrom grader.compare import Derived, kind_of", "return cost, kind_of")
    assert "draw" not in probes(source)
    assert "Derived" not in probes(source)


def test_a_string_that_has_the_name_of_a_constant_does_not_bring_it():
    assert "42" not in probes(wrap("SECRET = 42", "return 'SECRET'"))


# --- the course itself --------------------------------------------------------------------------


@pytest.fixture(scope="module", params=COURSE)
def folder(request):
    return request.param


@pytest.fixture(scope="module")
def checks(folder):
    return load_checks(ROOT / "exercises" / folder / "checks.py", slug_of(folder))


def test_the_course_has_checks():
    assert len(COURSE) >= 2


@pytest.mark.parametrize(
    "word",
    [
        "points",
        "compare=",
        "examples",
        "Derived",
        "Exact",
        "Close",
        "Growth",
        "Merges",
        "Sets",
        "witness",
        "@check",
        "slack",
    ],
)
def test_no_word_of_the_judgement_crosses_the_fence(folder, word):
    assert word not in probes(source_of(folder))


def test_no_title_crosses_the_fence(folder, checks):
    text = " ".join(probes(source_of(folder)).split())
    assert [check.title for check in checks if check.title in text] == []


def test_every_probe_crosses_the_fence(folder, checks):
    assert {check.name for check in checks} <= top_level(probes(source_of(folder)))


def test_no_function_that_makes_cases_crosses_the_fence(folder, checks):
    makers = {maker.__name__ for check in checks for maker in (check.cases, check.examples, check.witness) if maker}
    assert makers & top_level(probes(source_of(folder))) == set()


def test_nothing_that_draws_cases_crosses_the_fence(folder):
    imported = [node for node in ast.walk(ast.parse(probes(source_of(folder)))) if isinstance(node, ast.ImportFrom)]
    assert [alias.name for node in imported for alias in node.names if alias.name in {"draw", "check"}] == []


def test_a_probe_gives_there_what_it_gives_here(folder, checks):
    namespace = run(source_of(folder))
    module = load_file(ROOT / "reference" / f"{slug_of(folder)}.py", f"reference_of_test_{slug_of(folder)}")
    for check in checks:
        if check.examples:
            inputs = check.examples()[0]
            there, here = namespace[check.name](module, **tensors(inputs)), check.probe(module, **tensors(inputs))
            assert pack(there) == pack(here), check.name


def tensors(value):
    if isinstance(value, Array):
        return native(value)
    if isinstance(value, (list, tuple)):
        return type(value)(tensors(item) for item in value)
    if isinstance(value, dict):
        return {key: tensors(item) for key, item in value.items()}
    return value


# --- variants -----------------------------------------------------------------------------------

BASE = """import math

SCALE = 2


def double(x):
    return SCALE * x


def quadruple(x):
    return double(double(x))"""
WRONG = '''"""Wrong programs."""

import json


class off_by_one:
    """W01. adds one

    A second line.
    """

    def double(x):
        """Its own docstring."""
        return 2 * x + 1


class with_helpers:
    """W02. uses what stands beside it"""

    HALF = 0.5

    class Tool:
        def use(self, x):
            return json.loads("3") * x * HALF

    def double(x):
        return Tool().use(x)


class nothing:
    pass
'''


def namespace_of(source):
    namespace = {}
    exec(compile(source, "variant", "exec"), namespace)
    return namespace


def test_each_class_is_a_variant_with_its_docstring():
    found = variants(WRONG, BASE)
    assert list(found) == ["off_by_one", "with_helpers", "nothing"]
    assert [text for text, _, _ in found.values()] == [
        "W01. adds one\n\nA second line.",
        "W02. uses what stands beside it",
        "",
    ]


@pytest.mark.parametrize(("name", "double", "quadruple"), [("off_by_one", 7, 15), ("with_helpers", 4.5, 6.75)])
def test_a_variant_replaces_functions_and_keeps_the_others(name, double, quadruple):
    namespace = namespace_of(variants(WRONG, BASE)[name][1])
    assert namespace["double"](3) == double
    assert namespace["quadruple"](3) == quadruple


def test_a_variant_knows_what_it_replaces():
    names = {name: found[2] for name, found in variants(WRONG, BASE).items()}
    assert names["off_by_one"] == {"double"}
    assert names["nothing"] == frozenset()


def test_a_variant_that_changes_nothing_is_the_base():
    assert namespace_of(variants(WRONG, BASE)["nothing"][1])["quadruple"](3) == 12


def test_the_explanation_of_a_variant_is_not_in_its_program():
    for text, source, _ in variants(WRONG, BASE).values():
        assert not text or text not in source
        assert "W0" not in source


def test_a_future_import_of_the_base_stays_in_front():
    base = '"""Doc."""\nfrom __future__ import annotations\n' + BASE
    assert namespace_of(variants(WRONG, base)["off_by_one"][1])["double"](3) == 7


def test_a_future_import_of_the_wrong_programs_does_no_harm():
    wrong = "from __future__ import annotations\n" + WRONG.split('"""Wrong programs."""')[1]
    assert namespace_of(variants(wrong, BASE)["off_by_one"][1])["double"](3) == 7


@pytest.mark.parametrize("folder", COURSE)
def test_every_wrong_program_of_the_course_compiles(folder):
    slug = slug_of(folder)
    wrong = (ROOT / "reference" / "misconceptions" / f"{slug}.py").read_text("utf-8")
    found = variants(wrong, (ROOT / "solutions" / f"{slug}.py").read_text("utf-8"))
    assert len(found) > 5
    for text, source, _ in found.values():
        assert text
        compile(source, slug, "exec")


# --- load ---------------------------------------------------------------------------------------


@pytest.fixture
def name():
    yield "module_of_a_test"
    sys.modules.pop("module_of_a_test", None)


def test_a_loaded_module_is_found_by_its_name(name):
    module = load(b"X = 1\nNAME = __name__\nFILE = __file__\n", name, "student.py")
    assert (1, name, "student.py") == (module.X, module.NAME, module.FILE)
    assert sys.modules[name] is module


def test_a_dataclass_can_be_defined_in_a_loaded_module(name):
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass P:\n    x: int\n"
    )
    assert load(source.encode(), name, "student.py").P(3).x == 3


def test_the_future_imports_of_the_grader_do_not_reach_a_student(name):
    module = load(b"def f(x: 1 + 1): pass\n", name, "student.py")
    assert module.f.__annotations__ == {"x": 2}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("X = 'é'".encode(), "é"),
        (b"\xef\xbb\xbf" + "X = 'é'".encode(), "é"),
        ("# coding: latin-1\nX = 'é'".encode("latin-1"), "é"),
        (b"X = 'a'\r\nY = 1\r\n", "a"),
    ],
)
def test_a_source_may_have_any_encoding_that_python_knows(name, source, text):
    assert text == load(source, name, "student.py").X


@pytest.mark.parametrize("source", [b"def f(:", b"X = '\xff'", b"X = 1\0", b"# coding: nonsense\n", b"  X = 1"])
def test_what_is_no_python_is_a_syntax_or_value_error(name, source):
    with pytest.raises((SyntaxError, ValueError)):
        load(source, name, "student.py")


def test_what_the_file_raises_comes_through_with_its_place(name):
    with pytest.raises(ZeroDivisionError) as caught:
        load(b"X = 1\nY = 1 / 0\n", name, "student.py")
    assert (str(caught.traceback[-1].path), caught.traceback[-1].lineno + 1) == ("student.py", 2)


def test_a_file_of_our_own_is_loaded_with_its_path(name, tmp_path):
    path = tmp_path / "ours.py"
    path.write_text("X = __file__\n", "utf-8")
    assert str(path) == load_file(path, name).X
