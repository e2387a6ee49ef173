"""Finds by its names, in the source, what an exercise refuses: an import, an attribute of a library.

What a program really calls is seen when it runs (worker/runner.py); this sees what hides from that. Each
finding belongs to the definitions that lead to it, so that one shortcut costs only the checks that use it.
What stands in tests, functions named test_... and classes named Test..., or under
`if __name__ == "__main__":`, is the student's own business.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from grader.exercise import Refused
from grader.reach import named, reached, uses


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A refused name and where it stands."""

    name: str
    line: int

    @property
    def sentence(self) -> str:
        """What a student reads."""
        return (
            f"line {self.line} names {self.name}, which does the exercise for you; in tests of your own "
            "(def test_..., or under if __name__ == '__main__') you may use it"
        )


def shortcuts(source: bytes, refused: Refused) -> dict[str, Shortcut]:
    """Return the first shortcut that each top-level name of a file leads to.

    Args:
        source: of the student's file.
        refused: names of functions and packages.

    Returns:
        dict name of a function, class or variable -> its shortcut. What stands outside of any is
        under "", and concerns all. Empty if the file is no Python: loading it says so.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    nodes = list(ast.walk(tree))
    if not any(part in refused.functions or part in refused.modules for node in nodes for part in _parts(node)):
        return {}  # most files: nothing need be looked for
    bound = _imports(nodes)
    own = [statement for statement in tree.body if not _is_test(statement)]
    found: dict[str, Shortcut] = {}
    for statement in own:
        for hit in islice(_hits(statement, bound, refused), 1):
            for name in named(statement):
                found.setdefault(name, hit)
    if not found:
        return {}
    leads = uses(own)
    for name in leads.keys() - found.keys():
        if through := sorted(reached([name], leads) & found.keys() - {""}):
            found[name] = found[through[0]]
    return found


def _parts(node: ast.AST) -> list[str]:
    """Return the names that a node itself has, without their dots."""
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.alias):
        return node.name.split(".")
    return node.module.split(".") if isinstance(node, ast.ImportFrom) and node.module else []


def _imports(nodes: list[ast.AST]) -> dict[str, str]:
    """Return what each imported name stands for, as a dotted name, wherever it is imported."""
    bound = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return bound


def _is_test(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return statement.name.lower().startswith("test")
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _hits(statement: ast.stmt, bound: dict[str, str], refused: Refused) -> Iterator[Shortcut]:
    """Yield the refused names of a statement in the order of its lines."""
    imports = isinstance(statement, (ast.Import, ast.ImportFrom))
    for node in sorted(ast.walk(statement), key=lambda node: getattr(node, "lineno", 0)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for module in modules:
                if module.split(".")[0] in refused.modules and not getattr(node, "level", 0):
                    yield Shortcut(module, node.lineno)
        elif isinstance(node, (ast.Name, ast.Attribute)) and not imports:
            path = _dotted(node, bound)
            if path and path.split(".")[0] == "torch" and path.split(".")[-1] in refused.functions:
                yield Shortcut(path, node.lineno)


def _dotted(node: ast.expr, bound: dict[str, str]) -> str:
    """Return the dotted name of an attribute of something imported, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in bound:
        return ""
    return ".".join([bound[node.id], *reversed(parts)])
