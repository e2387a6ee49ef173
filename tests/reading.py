"""Reads HTML back into texts of questions, as a browser would show them; knows nothing of what wrote it."""

from html import unescape
from html.parser import HTMLParser

BLOCKS = {"p", "pre", "li", "ul", "ol", "div"}


class _Reader(HTMLParser):
    """Collects blocks as (name, text). Inline code stands between backticks again; entities for spaces are spaces."""

    def __init__(self):
        super().__init__(convert_charrefs=False)
        self.blocks = []
        self.open = []
        self.link = None

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in BLOCKS:
            self.open.append(tag)
            self.blocks.append([tag, "", attributes.get("class")])
        elif tag == "code" and self.open[-1:] == ["pre"]:
            self.blocks[-1][2] = attributes["class"]
        elif tag == "a":
            self.link = attributes["href"]
        elif tag == "code":
            self.add("`")
        else:
            assert (tag, attributes["class"][:7]) == ("span", "repeat-"), tag

    def handle_endtag(self, tag):
        if tag in BLOCKS:
            assert self.open.pop() == tag
        elif tag == "a":
            assert self.blocks[-1][1].endswith(self.link)
        elif tag == "code" and self.open[-1:] != ["pre"]:
            self.add("`")

    def add(self, text):
        if not self.open and not (self.blocks and self.blocks[-1][0] == "text"):
            if not text.strip("\n"):
                return  # between blocks
            self.blocks.append(["text", "", None])
        self.blocks[-1][1] += text

    handle_data = add

    def handle_entityref(self, name):
        self.add(" " if name == "nbsp" else unescape(f"&{name};"))

    def handle_charref(self, name):
        self.add(unescape(f"&#{name};"))

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    handle_decl = unknown_decl = handle_pi = handle_comment


def blocks(html, *, empty=False):
    """Return what HTML shows: (kind of block, text, class). Blocks that only hold others are left out, or `empty`."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return [tuple(block) for block in reader.blocks if empty or block[1] or block[0] not in ("ul", "ol", "div", "li")]


def prose(html):
    """Return the paragraphs of HTML that has nothing else."""
    found = blocks(html)
    assert {kind for kind, _, _ in found} <= {"p", "text"}, found
    return [text for _, text, _ in found]


def paragraphs(text):
    """Return the paragraphs of a question's text: lines of one belong together, blank lines stand between two."""
    found = [[]]
    for line in text.split("\n"):
        if line.strip(" \t"):
            found[-1].append(line.strip(" \t").replace("\t", " "))
        else:
            found.append([])
    return [" ".join(lines) for lines in found if lines]


def asked(item):
    """Return the blocks that a question must have."""
    found = [("p", text, None) for text in paragraphs(item.prompt)]
    if item.code:
        language = {"c++": "c++", "<js>": "-js-"}.get(item.code.lang, item.code.lang)
        found.append(("pre", item.code.text, f"language-{language}"))
    unit = item.answer and " ".join(paragraphs(item.answer.unit))
    return [*found, ("p", f"Unit: {unit}", None)] if unit else found


def explained(item):
    """Return the blocks that an explanation must have."""
    found = [("p", text, None) for text in paragraphs(item.explanation)]
    sources = [("p", "Sources:", None), *(("li", url, None) for url in item.sources)]
    return found + (sources if item.sources else [])
