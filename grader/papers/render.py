"""A form as text: YAML that reads well, a page in Markdown, and a blank answer file that says what to write."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from grader.desk.page import plain
from grader.papers.redacted import Form, Question
from grader.show import clean

WIDTH = 100  # columns
SHORT = 72  # characters of a question in a comment
_CODE = re.compile(r"(`[^`\n]+`)")


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks, and lists with their dashes below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else ">" if len(text) > WIDTH else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def source(form: Form) -> str:
    """Return a form as YAML."""
    tree = form.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    tree = {"schema": form.schema_, **tree}  # which is a default too
    return str(yaml.dump(tree, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH))


def page(form: Form) -> str:
    """Return a form as a page in Markdown."""
    lines = [f"# {', '.join(plain(title) for title in form.quizzes)}", ""]
    if form.student:
        lines += [f"For {plain(form.student)}.", ""]
    lines += [f"Form {form.form}. Write your answers into answers.yaml; its first line must stay.", ""]
    for number, question in enumerate(form.items, start=1):
        lines += [*_question(question, number), ""]
    return "\n".join(lines).rstrip() + "\n"


def _question(question: Question, number: int) -> Iterator[str]:
    points = "1 point" if question.points == 1 else f"{question.points} points"
    yield f"## {number}. {question.id} ({points})"
    yield ""
    yield paragraphs(question.prompt)
    if question.code:
        yield ""
        yield fenced(question.code.text, question.code.lang)
    yield ""
    for letter, text in question.choices.items():
        yield f"- **{letter})** {prose(text)}"
    if question.choices:
        yield ""
    yield f"Answer: {expected(question)}."


def fenced(code: str, lang: str) -> str:
    """Return code as a block of Markdown that nothing in it can end."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
    return f"{fence}{lang}\n{code.rstrip()}\n{fence}"


def paragraphs(text: str) -> str:
    """Return a text of several paragraphs for Markdown; `prose` says how."""
    return "\n\n".join(prose(part) for part in re.split(r"\n\s*\n", text))


def prose(text: str) -> str:
    """Return a text on one line for Markdown: between backticks it is code, elsewhere it means only itself."""
    parts = _CODE.split(" ".join(clean(text).split()))
    # a space at the edge of a part is lost in `plain`
    return "".join(
        part if number % 2 else part[: len(part) - len(part.lstrip())] + plain(part) + _end(part)
        for number, part in enumerate(parts)
    )


def _end(part: str) -> str:
    return " " if part.strip() and part.endswith(" ") else ""


def expected(question: Question) -> str:
    """Return which kind of answer a question wants."""
    if question.type == "numeric":
        return f"a number, in {_line(question.unit)}" if question.unit else "a number"
    letters = [*question.choices]
    if question.type == "single":
        return f"one letter {letters[0]}-{letters[-1]}"
    some = f"letters, as {letters[0]}, {letters[min(2, len(letters) - 1)]}"
    if question.scoring == "all_or_nothing":
        return f"{some}; they count only if all are right"
    return f"{some}; a wrong one costs what a right one earns"


def answers(form: Form) -> str:
    """Return a blank answer file."""
    name = yaml.dump(form.student, Dumper=_Dumper, allow_unicode=True, width=10**6).removesuffix("...\n").strip()
    lines = [f"form: {form.form}", f"student: {name if form.student else ''}".rstrip(), ""]
    for number, question in enumerate(form.items, start=1):
        prompt = _line(question.prompt)
        lines.append(f"# {number}. {prompt if len(prompt) <= SHORT else prompt[: SHORT - 1].rstrip() + '…'}")
        lines += [f"# {expected(question)}", f"{question.id}: ", ""]
    return "\n".join(lines)


def _line(text: str) -> str:
    return " ".join(clean(text).split())
