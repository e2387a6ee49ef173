"""The house keeps its order: imports go downwards only, files stay small, secrets stay in their folders."""

import ast

import pytest

from tests.conftest import ROOT

# from the top to the ground; a module imports from lower floors only, never from its own or above
FLOORS = [
    {"__main__"},
    {"entry"},
    {"publish", "teach"},
    {"learn"},
    {"staff"},
    {"exchange"},
    {"cli"},
    {"doctor", "new", "report"},
    {"desk.feedback", "desk.overview", "papers.scatter"},
    {"desk.plots"},
    {"chart"},
    {"regrade"},
    {"audit", "batch", "capstone", "kit", "study"},
    {"desk.autograder", "desk.harness", "quiz.proof"},
    {"desk.parcel", "quiz.lint"},
    {"quiz.snippet", "register"},
    {"pool"},
    {"node"},
    {"bundle"},
    {"ready"},
    {"shelf"},
    {"diagnose", "mark", "papers.pile", "shrink"},
    {"papers.whose", "recording"},
    {"grade", "lint", "papers.collect"},
    {"bank", "tier"},
    {"desk.intake", "oracle", "sandbox"},
    {"desk.layout"},
    {"desk.archive", "desk.choose", "desk.folder", "desk.notebook", "desk.platform"},
    {"desk.attempt", "quiz.link"},
    {"course", "shortcut"},
    {"exercise"},
    {"draw"},
    {"check"},
    {"compare", "merges"},
    {"walk"},
    {"zygote"},
    {"desk.canvas", "desk.moodle"},
    {"desk.fill", "desk.junit"},
    {"desk.classroom", "desk.gradescope", "desk.match", "desk.points", "desk.sheet"},
    {"quiz.export"},
    {"quiz.anki", "quiz.moodle", "quiz.qti"},
    {"quiz.gift"},
    {"quiz.loss", "quiz.markup", "quiz.number"},
    {"papers.feedback", "papers.marking", "quiz.screen", "papers.table"},
    {"papers.analysis", "quiz.line"},
    {"quiz.census", "papers.form", "quiz.lesson", "papers.result", "quiz.talk"},
    {"quiz.agenda", "papers.paper", "quiz.progress", "papers.render"},
    {"quiz.bank", "quiz.memory", "papers.scan", "quiz.session"},
    {"papers.names", "quiz.response", "quiz.source"},
    {"papers.decoding", "quiz.log", "quiz.order", "papers.redacted", "papers.roster", "papers.statistic"},
    {"quiz.item"},
    {"moved"},
    {"channel", "desk.item", "desk.page", "gradebook", "journal", "results"},
    {"prints", "round", "show"},
    {"wire"},
    {"tree"},
    {"array"},
    {"fence", "limit", "plan", "reach", "secret", "syscalls"},
    {"case", "verdict", "errors", "load", "cost", "cache", "whole"},
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
WORKER = {"case", "array", "tree", "wire", "load", "cost", "errors", "worker"}
ROOMS = ("desk", "papers", "quiz")  # folders of modules; worker/ is a world of its own
FILES = sorted(
    [*(ROOT / "grader").glob("*.py"), *(path for room in ROOMS for path in (ROOT / "grader" / room).glob("[a-z]*.py"))]
)


def name_of(path):
    """Return the name of a module below grader: "wire", "desk.layout"."""
    return ".".join(path.relative_to(ROOT / "grader").with_suffix("").parts)


def imports(path):
    """Return the modules of this package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "grader":
            found |= {alias.name for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("grader."):
            parts = node.module.split(".")[1:]
            if len(parts) == 1 and parts[0] in ROOMS:
                found |= {f"{parts[0]}.{alias.name}" for alias in node.names}
            else:
                found.add(".".join(parts[:2]) if parts[0] in ROOMS else parts[0])
    return found


def test_every_module_has_its_floor():
    assert {name_of(path) for path in FILES} - {"__init__"} == set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_downwards_only(path):
    if path.stem == "__init__":
        assert imports(path) == set()
        return
    for name in imports(path):
        assert FLOOR[name] > FLOOR[name_of(path)], f"{name_of(path)} must not import {name}"


def test_the_worker_imports_only_what_may_stand_beside_a_student():
    for path in (ROOT / "grader" / "worker").glob("*.py"):
        assert imports(path) <= WORKER, path


def test_nobody_imports_the_worker():
    for path in FILES:
        assert "worker" not in imports(path)


def test_case_and_wire_import_only_the_standard_library_at_the_top():
    for name in ("case", "array", "tree", "wire", "load", "cost", "errors"):
        for node in ast.parse((ROOT / "grader" / f"{name}.py").read_text()).body:
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not {module.split(".")[0] for module in modules} & {
                "torch",
                "numpy",
                "hypothesis",
                "pydantic",
                "yaml",
            }


@pytest.mark.parametrize("path", [*FILES, *(ROOT / "grader" / "worker").glob("*.py")], ids=lambda path: path.stem)
def test_a_file_is_one_word_and_at_most_300_lines(path):
    assert path.stem.strip("_").isalpha()
    assert len(path.read_text().splitlines()) <= 300


def test_only_load_and_the_worker_execute_code_and_nothing_unpickles():
    for path in [*FILES, *(ROOT / "grader" / "worker").glob("*.py")]:
        tree = ast.parse(path.read_text())
        called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        if path.stem not in ("load", "runner"):
            assert not called & {"exec", "eval", "compile", "__import__"}, path
        named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not named & {"pickle", "marshal", "shelve", "dill"}, path


def test_no_checks_file_names_the_reference_or_the_solutions():
    for path in (ROOT / "exercises").glob("*/checks.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert "reference" not in ast.dump(node)
                assert "solutions" not in ast.dump(node)


def test_the_wheel_holds_the_engine_and_no_answers(tmp_path):
    import subprocess
    import sys
    import zipfile

    pytest.importorskip("hatchling", reason="building the wheel needs hatchling, which no test downloads")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    pages = {path.name for path in (ROOT / "grader" / "desk" / "pages").iterdir()}
    assert pages == {name.removeprefix("grader/desk/pages/") for name in names if "/pages/" in name}
    assert all(name.startswith(("grader/", "llm_fundamentals_grader")) for name in names)
