"""Fills the templates of pages. What comes from outside is escaped, and nothing is loaded from elsewhere."""

import base64
import functools
import hashlib
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from grader.errors import UsageError
from grader.show import clean

if TYPE_CHECKING:
    from jinja2 import Environment

# what Markdown could take for something else than text
_MARKS = re.compile(r"([\\`*_\[\]<>&#|~$@!]|(?<=www)\.|:(?=//))")
_AT_START = re.compile(r"^(\d*)([-+=.)])")


def html(template: str, **values: Any) -> str:
    """Return a page that needs nothing else: style, script and drawings are in it, and it may load nothing.

    Args:
        template: name of a file in pages/.
        values: what it shows; texts are escaped.

    Raises:
        UsageError: jinja2 is not installed.
    """
    style, script = _read("style.css"), _read("sort.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return _pages().get_template(template).render(style=_safe(style), script=_safe(script), policy=policy, **values)


def markdown(template: str, **values: Any) -> str:
    """Return a text in Markdown; `html` says how. Blank lines that a template leaves are taken together."""
    text = _texts().get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def plain(text: str) -> str:
    """Return a text on one line that means only itself in Markdown."""
    marked = _MARKS.sub(r"\\\1", " ".join(clean(text).split()))
    return _AT_START.sub(r"\1\\\2", marked)


def block(text: str) -> str:
    """Return a text as a code block of Markdown that nothing in it can end."""
    shown = clean(text).rstrip()
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def drawing(svg: str) -> Any:
    """Return a drawing of plots.py for `html`, which must not escape it."""
    return _safe(svg)


@functools.cache
def _pages() -> "Environment":
    def shown(value: Any) -> Any:
        return clean(value) if type(value) is str else value

    return _environment(autoescape=True, finalize=shown)


@functools.cache
def _texts() -> "Environment":
    def shown(value: Any) -> Any:
        return plain(value) if type(value) is str else value

    made = _environment(autoescape=False, finalize=shown)
    made.filters["block"] = lambda text: _safe(block(text))
    return made


def _environment(**options: Any) -> "Environment":
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError:
        raise UsageError("pages need jinja2: pip install 'llm-fundamentals-grader[report]'") from None
    return Environment(  # noqa: S701  pages are escaped; texts are escaped for Markdown, by finalize
        loader=FunctionLoader(_read), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options
    )


def _read(name: str) -> str:
    return (files("grader.desk") / "pages" / name).read_text("utf-8")


def _safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  our own files and drawings, and texts that are escaped already


def _digest(text: str) -> str:
    """Return what a content security policy calls an inline text that it allows."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
