"""Texts of questions as HTML: paragraphs and code, and nothing in them that a platform could take for its own marks."""

import re
from html import escape

from grader.quiz.item import Code, Item

# no XML file may hold them, and HTML reads references to some as other characters
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_BETWEEN = re.compile(r"\n(?:[ \t]*\n)+")  # paragraphs
_BREAK = re.compile(r"[ \t]*\n[ \t]*|\t")
_MARKED = re.compile("`([^`]+)`")
_LOST = re.compile("^ | $|(?<= ) | (?= )")  # spaces that a browser would leave out


def tidy(text: str) -> str:
    """Return a text with one kind of line ends, and control characters written out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", plain)


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, each on one line: a single line end means nothing."""
    parts = (part.strip(" \t\n") for part in _BETWEEN.split(tidy(text)))
    return [_BREAK.sub(" ", part) for part in parts if part]


def line(text: str) -> str:
    """Return a text on one line."""
    return " ".join(paragraphs(text))


def inline(paragraph: str) -> str:
    """Return a paragraph as HTML; what stands between backticks is code, whose spaces are all shown."""
    return _MARKED.sub(lambda match: f"<code>{_LOST.sub('&nbsp;', match[1])}</code>", escape(paragraph, quote=False))


def block(text: str) -> str:
    """Return a text as paragraphs of HTML."""
    return "".join(f"<p>{inline(part)}</p>" for part in paragraphs(text))


def prose(text: str) -> str:
    """Return a text as HTML: as it is if it is one paragraph, as choices mostly are."""
    parts = paragraphs(text)
    return inline(parts[0]) if len(parts) == 1 else block(text)


def listing(code: Code) -> str:
    """Return the code that is shown with a question as HTML."""
    language = re.sub(r"[^\w+.-]", "-", code.lang, flags=re.ASCII)
    return f'<pre><code class="language-{language}">{escape(tidy(code.text), quote=False)}</code></pre>'


def links(item: Item) -> list[str]:
    """Return the sources of a question as links."""
    return [f'<a href="{escape(tidy(url))}">{escape(tidy(url), quote=False)}</a>' for url in item.sources]


def question(item: Item) -> str:
    """Return what is asked as HTML: the prompt, the code, the unit of the answer."""
    code = listing(item.code) if item.code else ""
    return f"{block(item.prompt)}{code}{''.join(f'<p>{part}</p>' for part in unit(item))}"


def unit(item: Item) -> list[str]:
    """Return a sentence that names the unit of the answer, if it has one, as HTML."""
    return [f"Unit: {inline(line(item.answer.unit))}"] if item.answer and line(item.answer.unit) else []


def explanation(item: Item) -> str:
    """Return the explanation as HTML, with the sources below it."""
    sources = "".join(f"<li>{link}</li>" for link in links(item))
    return block(item.explanation) + (f"<p>Sources:</p><ul>{sources}</ul>" if sources else "")
