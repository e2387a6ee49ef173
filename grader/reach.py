"""Says what in a file leads to what: which of its definitions a function can end up running.

By names alone: whatever a definition names at any place counts as used. So nothing that can be reached is
missed, unless it is looked up by a text, and something that is not reached was not run.
"""

import ast
from collections.abc import Iterable

from grader.load import defined

Uses = dict[str, set[str]]


def named(statement: ast.stmt) -> list[str]:
    """Return the names that a statement at the top of a file defines, [""] if it just runs, as an import does."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [""]
    try:
        return defined(statement) or [""]
    except ValueError:
        return [""]


def uses(statements: Iterable[ast.stmt]) -> Uses:
    """Return, for each name that the statements define, all names that stand in its definitions."""
    found: Uses = {"": set()}
    for statement in statements:
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        for name in named(statement):
            found.setdefault(name, set()).update(names)
    return found


def reached(names: Iterable[str], found: Uses) -> set[str]:
    """Return the defined names that these lead to, themselves included.

    What just runs when the file is loaded is always reached.
    """
    seen: set[str] = set()
    wanted = ["", *names]
    while wanted:
        name = wanted.pop()
        if name in found and name not in seen:
            seen.add(name)
            wanted += found[name]
    return seen


def asked(source: str) -> dict[str, set[str]]:
    """Return, for each probe, which names of the student's module it asks for.

    Args:
        source: as `load.probes` returns it: functions whose first parameter is called module.

    Returns:
        dict name of the function -> names. "*" is among them if the module is used in another way than
        by its attributes: then it can be any.
    """
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    own = {name: _attributes(node, functions) for name, node in functions.items()}
    calls = uses(functions.values())
    return {name: set().union(*(own[other] for other in reached([name], calls) if other)) for name in functions}


def _attributes(function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> set[str]:
    found, plain = set(), 0
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == "module":
            plain += 1
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "module":
            found.add(node.attr)
            plain -= 1
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and _takes_module(functions.get(node.func.id))
        ):
            plain -= any(isinstance(argument, ast.Name) and argument.id == "module" for argument in node.args[:1])
    return found | ({"*"} if plain else set())


def _takes_module(function: ast.FunctionDef | None) -> bool:
    """Say whether a helper's first parameter is the module, under that name."""
    return function is not None and bool(function.args.args) and function.args.args[0].arg == "module"
