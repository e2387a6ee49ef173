"""Turns source code into modules: a student's file in the worker, our own files in the parent."""

import ast
import sys
from pathlib import Path
from types import ModuleType


def load(source: bytes, name: str, filename: str) -> ModuleType:
    """Execute a source file as a module of its own.

    Args:
        source: the file's bytes; Python's own rules for its encoding apply.
        name: of the module; it is found under it in `sys.modules`, as dataclasses and pickle expect.
        filename: shown in tracebacks.

    Raises:
        SyntaxError, ValueError: it is no Python source.
        BaseException: whatever the file raises when it is executed.
    """
    code = compile(source, filename, "exec", dont_inherit=True)
    module = ModuleType(name)
    module.__file__ = filename
    sys.modules[name] = module
    exec(code, module.__dict__)  # noqa: S102  running a student's file is what the worker is for
    return module


def probes(source: str) -> str:
    """Cut the probes out of a checks.py, by addition: what is not needed by a probe is left behind.

    Args:
        source: of a checks.py.

    Returns:
        source of the functions decorated with `@check(...)`, without decorators, docstrings and
        annotations, and of the module-level imports, functions and constants that they name.

    Raises:
        SyntaxError: it is no Python source.
    """
    definitions: dict[str, ast.stmt] = {}
    wanted: list[str] = []
    for statement in ast.parse(source).body:
        for name in _defined(statement):
            definitions[name] = statement
        if isinstance(statement, ast.FunctionDef) and any(map(_is_check, statement.decorator_list)):
            wanted.append(statement.name)
            _strip(statement)
    kept: list[ast.stmt] = []
    while wanted:
        found = definitions.pop(wanted.pop(), None)
        if found is not None and found not in kept:
            kept.append(found)
            wanted += [node.id for node in ast.walk(found) if isinstance(node, ast.Name)]
    kept.sort(key=lambda statement: statement.lineno)
    return ast.unparse(ast.Module(kept, []))


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).split(".")[0] for alias in statement.names]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return []


def _is_check(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "check"


def _strip(function: ast.FunctionDef) -> None:
    function.decorator_list = []
    function.returns = None
    for argument in [*function.args.args, *function.args.kwonlyargs]:
        argument.annotation = None
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]


def variants(source: str, base: str) -> dict[str, tuple[str, str]]:
    """Return the programs of a misconceptions file.

    Each class of the file is one wrong program: its functions and classes replace those of the same
    name in `base`, a right program.

    Args:
        source: of a reference/misconceptions/<slug>.py.
        base: source of the right program.

    Returns:
        dict name of the class -> (its docstring, source of the program).
    """
    body = ast.parse(source).body
    shared = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    # __future__ imports and the right program first; a later definition replaces an earlier one
    head = base + "\n\n" + ast.unparse(ast.Module(list(shared), [])) + "\n\n"
    found = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            inner = [item for item in node.body if not isinstance(item, ast.Expr)]
            found[node.name] = (ast.get_docstring(node) or "", head + ast.unparse(ast.Module(list(inner), [])) + "\n")
    return found


def load_file(path: Path, name: str) -> ModuleType:
    """Execute one of our own files (a checks.py, a reference) as a module."""
    return load(path.read_bytes(), name, str(path))
