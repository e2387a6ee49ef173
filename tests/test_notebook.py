"""A notebook becomes the Python in it: what only notebooks understand is left out and said, nothing is executed."""

import ast
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.desk.item import Unreadable
from grader.desk.notebook import Source, convert, insist
from grader.errors import UsageError


def made(*cells, **more):
    """Return a notebook with these code cells."""
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    listed = [{"id": f"c{number}", **code, "source": cell} for number, cell in enumerate(cells)]
    listed.append({"id": "t", "cell_type": "markdown", "metadata": {}, "source": "def no(): pass"})
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": listed, **more}).encode()


def lines(*cells):
    source = convert(made(*cells), "n.ipynb")
    return [line for line in source.content.decode().splitlines() if line and not line.startswith("#")]


def test_code_cells_follow_each_other_and_text_is_left_out():
    assert lines("x = 1\ny = 2", ["z = 3\n", "w = 4"]) == ["x = 1", "y = 2", "z = 3", "w = 4"]
    assert convert(made("x = 1"), "n.ipynb").notes == ()


def test_lines_for_notebooks_are_replaced_and_said():
    cell = "%matplotlib inline\n!pip install x \\\n  y\nfiles = !ls\nlen?\n?len\nif x:\n    !ls\nt = %time f()"
    source = convert(made(cell), "n.ipynb")
    assert source.notes == ("Of n.ipynb, 8 lines for notebooks alone (%, !, ?) were left out.",)
    assert ast.dump(ast.parse(source.content)).count("Pass") == 8


def test_a_cell_of_another_language_is_left_out_and_said():
    source = convert(made("x = 1", "\n%%bash\nrm -r /", "%%time\ny = 2"), "n.ipynb")
    assert b"rm" not in source.content
    assert source.notes == ("Of n.ipynb, code cell 2 (%%bash), 3 (%%time) was left out.",)


@pytest.mark.parametrize(
    "cell",
    [
        "x = (7\n% 3)",
        'x = """\n%time\n!ls\n"""',
        "x = 7 \\\n% 3",
        "x = '''a\\'''\n!ls\n'''",
        'x = [  # (\n\'"""\', 5\n% 3]',
        "x != 3\ny = x % 2",
        "x = '%d' % 3",
        "assert x == '?'",
    ],
)
def test_python_that_looks_like_it_is_left_alone(cell):
    assert "\n".join(lines(cell)) == cell


def test_what_is_no_notebook_has_a_sentence():
    damaged = [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"nbformat": 4, "cells": 3}',
        made("x")[:-5],
        made(3),
    ]
    for content in [
        *damaged,
        b'{"nbformat": 99}',
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code"}]}).encode(),
    ]:
        found = convert(content, "n.ipynb")
        assert found == Unreadable("n.ipynb is no notebook, or a damaged one; save it again, or hand in a .py"), content
    assert "has no code" in convert(made(), "n.ipynb").sentence
    assert "is a notebook of R" in convert(made("x", metadata={"kernelspec": {"language": "R"}}), "n.ipynb").sentence
    assert "more than 1 MiB of code" in convert(made("x" * (2 << 20)), "n.ipynb").sentence


def test_an_old_notebook_is_read():
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "code", "language": "python", "input": "x = 1", "outputs": [], "collapsed": False}
                ]
            }
        ],
    }
    assert b"x = 1" in convert(json.dumps(old).encode(), "n.ipynb").content


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.text(alphabet="ab%!?='\"\\#()[]\n ", max_size=60))
def test_any_cell_is_taken_and_no_line_is_lost(cell):
    source = convert(made("x = 1", cell), "n.ipynb")
    assert isinstance(source, Source)
    if not cell.lstrip().startswith("%%"):
        assert source.content.decode().count("\n") == cell.count("\n") + 5


def test_without_nbformat_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'llm-fundamentals-grader\[desk\]'"):
        insist()
