"""Turns source code into modules: a student's file in the worker, our own files in the parent."""

import ast
import symtable
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
        source: of a checks.py. At its top may stand imports, functions, classes, constants and a
            docstring: then it is clear what a probe needs.

    Returns:
        source of the functions decorated with `@check(...)`, without decorators, docstrings and
        annotations, and of the module-level imports, functions and constants that they name.

    Raises:
        SyntaxError: it is no Python source.
        ValueError: something else stands at its top.
    """
    definitions: dict[str, list[ast.stmt]] = {}
    wanted: list[str] = []
    order: list[ast.stmt] = []
    for statement in ast.parse(source).body:
        for single in _singles(statement):
            order.append(single)
            for name in defined(single):
                definitions.setdefault(name, []).append(single)
        if isinstance(statement, ast.FunctionDef) and any(map(_is_check, statement.decorator_list)):
            wanted.append(statement.name)
            _strip(statement)
    kept: set[ast.stmt] = set()
    while wanted:
        for found in definitions.pop(wanted.pop(), ()):
            if found not in kept:
                kept.add(found)
                wanted += _names(found)
    return ast.unparse(ast.Module([statement for statement in order if statement in kept], []))


def _singles(statement: ast.stmt) -> list[ast.stmt]:
    """Return an import of several names as several imports, so that each can be left behind."""
    if isinstance(statement, ast.Import):
        return [ast.Import([alias]) for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        return [ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names]
    return [statement]


def defined(statement: ast.stmt) -> list[str]:
    """Return the names that a statement at the top of a module defines.

    Raises:
        ValueError: it does something else than to import, define or name.
    """
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)) and statement.names[0].name != "*":
        return [(alias.asname or alias.name).split(".")[0] for alias in statement.names]
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        parts = [node for target in targets for node in ast.walk(target) if not isinstance(node, ast.expr_context)]
        if all(isinstance(part, (ast.Name, ast.Tuple, ast.List, ast.Starred)) for part in parts):
            return [part.id for part in parts if isinstance(part, ast.Name)]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return []
    line = f"line {getattr(statement, 'lineno', 0)}: {ast.unparse(statement).splitlines()[0]}"
    raise ValueError(f"at the top of a checks.py stand imports, functions, classes and constants only; see {line}")


def _names(statement: ast.stmt) -> list[str]:
    """Return the global names that a statement uses; parameters and local variables are none."""
    found = []
    tables = [symtable.symtable(ast.unparse(statement), "checks.py", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        top = table.get_type() == "module"
        found += [name.get_name() for name in table.get_symbols() if name.is_referenced() and (top or name.is_global())]
    return found


def _is_check(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "check"


def _strip(function: ast.FunctionDef) -> None:
    """Remove decorators, annotations and the docstring, which is the title."""
    function.decorator_list = []
    function.returns = None
    arguments = function.args
    for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if argument:
            argument.annotation = None
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:] or [ast.Pass()]


def variants(source: str, base: str) -> dict[str, tuple[str, str, frozenset[str]]]:
    """Return the programs of a misconceptions file.

    Each class of the file is one wrong program: its functions and classes replace those of the same
    name in `base`, a right program.

    Args:
        source: of a reference/misconceptions/<slug>.py.
        base: source of the right program.

    Returns:
        dict name of the class -> (its docstring, source of the program, the names that it replaces or adds).
    """
    body = ast.parse(source).body
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    # a __future__ import may stand only at the head of the right program, where it works for both
    shared = [node for node in imports if getattr(node, "module", "") != "__future__"]
    # the right program first: a later definition replaces an earlier one
    head = base + "\n\n" + ast.unparse(ast.Module(list(shared), [])) + "\n\n"
    found = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            inner = [item for item in node.body if not isinstance(item, ast.Expr)]
            names = frozenset(name for item in inner if not isinstance(item, ast.Pass) for name in defined(item))
            program = head + ast.unparse(ast.Module(list(inner), [])) + "\n"
            found[node.name] = (ast.get_docstring(node) or "", program, names)
    return found


def load_file(path: Path, name: str) -> ModuleType:
    """Execute one of our own files (a checks.py, a reference) as a module."""
    return load(path.read_bytes(), name, str(path))
