"""Looks for what makes a question bad: flaws that give the key away, teach nothing, or confuse.

The rules and their thresholds come from the literature on writing multiple-choice questions: Haladyna, Downing and
Rodriguez 2002 (31 guidelines), the list of flaws of the NBME, Rodriguez 2005, Tarrant 2009. What no machine can see is
whether a question is true, plausible, and has one best answer.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from fractions import Fraction

from grader.quiz import census
from grader.quiz.item import Item
from grader.quiz.response import UnclearError, number
from grader.quiz.snippet import shows
from grader.quiz.source import Level, Path_, Problem, Read

ALIKE = 0.9  # difflib's ratio of two texts that say the same
LETTERS = 3  # of a word that says nothing
SHORT = 16  # characters; below, one letter decides the ratio
_WHOLE = re.compile(
    r"\b(all|none|any) of (the )?(above|these|them|the (others?|choices|options))\b|\bboth (the )?[a-e] and [a-e]\b"
    r"|\bboth of (the above|these)\b",
    re.IGNORECASE,
)
# a capital, or a small one that is no article
_LETTER = re.compile(r"\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer)s? (?:\(?[A-E]\b|\([a-e]\)|[b-e]\b(?!\w))")
_NEGATION = re.compile(r"\bwhich\b[^.?!]*?(?:\b(?:not|except)\b|n['’]t\b)[^.?!]*\?", re.I)
_TELLING = {"right", "correct", "true", "key", "answer", "good", "wrong", "false", "bad"}
_ARTICLE = re.compile(r"\b(an?)\s*(:|…|\.\.\.|_+)?\s*$", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]{7,}")

Finding = tuple[tuple[str | int, ...], str, Level, str]  # place below the question, rule, level, sentence


def lint(found: list[Read]) -> list[Problem]:
    """Return all that is wrong with the quiz files of a course, in order, less what they waive."""
    problems = [problem for one in found for problem in one.problems]
    whole = [one for one in found if one.quiz is not None]
    problems += census.twice(whole)
    for one in whole:
        assert one.quiz is not None
        for place, item in enumerate(one.quiz.items):
            problems += _less(one, ("items", place), item.waived, _of_item(one, place, item), f"{item.id}: ")
        problems += _less(one, (), one.quiz.waived, census.of_quiz(one))
    problems += census.of_bank(whole)
    return sorted(set(problems))


def _of_item(found: Read, place: int, item: Item) -> Iterator[Problem]:
    path = ("items", place)
    for rule in RULES:
        for below, code, level, message in rule(item):
            yield found.at((*path, *below), code, level, f"{item.id}: {message}")


def _less(
    found: Read, path: Path_, waived: Collection[str], problems: Iterable[Problem], who: str = ""
) -> Iterator[Problem]:
    """Yield problems without those that are waived, and the waivers that nothing needs; an error cannot be waived."""
    used = set()
    for problem in problems:
        if problem.level != "error" and problem.code in waived:
            used.add(problem.code)
        else:
            yield problem
    for code in sorted(set(waived) - used):
        yield found.at((*path, "waived", code), "Q023", "warn", f"{who}nothing needs the waiver of {code}")


def plain(text: str) -> str:
    """Return a text as it reads: compatibility forms, case and white space do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def value(text: str) -> Fraction | None:
    """Return the number that a choice says, None if it is no number."""
    try:
        return number(text)
    except UnclearError:
        return None


def _alike(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= SHORT and difflib.SequenceMatcher(None, one, other).ratio() > ALIKE


# --- rules: each looks at one question -------------------------------------------------------------------


def same_choices(item: Item) -> Iterator[Finding]:
    """Q002: two choices that say the same."""
    for place, choice in enumerate(item.choices):
        for earlier in item.choices[:place]:
            one, other = plain(earlier.text), plain(choice.text)
            path = ("choices", place, "text")
            if one == other:
                yield path, "Q002", "error", f"{choice.id} and {earlier.id} are the same"
            elif value(one) is not None and value(one) == value(other):
                yield path, "Q002", "warn", f"{choice.id} and {earlier.id} are the same number"
            elif _alike(one, other):
                yield path, "Q002", "warn", f"{choice.id} and {earlier.id} are nearly the same"


def empty_reasons(item: Item) -> Iterator[Finding]:
    """Q003: a reason that only repeats the choice."""
    for place, choice in enumerate(item.choices):
        text, why = plain(choice.text).rstrip("."), plain(choice.why).rstrip(".")
        if why == text or _alike(text, why) or (why.startswith(text) and len(why) < len(text) + SHORT):
            yield ("choices", place, "why"), "Q003", "warn", f"why of {choice.id} only repeats the choice"


def longest_key(item: Item) -> Iterator[Finding]:
    """Q010: the key can be seen by its length."""
    if item.type != "single":
        return
    key = next(len(choice.text) for choice in item.choices if choice.correct)
    others = [len(choice.text) for choice in item.choices if not choice.correct]
    mean = sum(others) / len(others)
    if key > max(others) and key > 1.5 * mean and key - mean > 15:
        yield ("choices",), "Q010", "warn", f"the key has {key} characters, the others {mean:.0f} on average"


def shortcuts(item: Item) -> Iterator[Finding]:
    """Q013: choices about other choices."""
    for place, choice in enumerate(item.choices):
        for key, text in (("text", choice.text), ("why", choice.why)):
            path = ("choices", place, key)
            if key == "text" and _WHOLE.search(text):
                yield path, "Q013", "warn", f"{choice.id} speaks of other choices ({_found(_WHOLE, text)})"
            if _LETTER.search(text):
                level: Level = "error" if item.order == "shuffle" else "warn"
                why = "choices are shuffled" if item.order == "shuffle" else "speaks so of another choice"
                yield path, "Q013", level, f"{choice.id} names a letter ({_found(_LETTER, text)}), and {why}"
    for key, text in (("prompt", item.prompt), ("explanation", item.explanation), ("hint", item.hint or "")):
        if item.choices and item.order == "shuffle" and _LETTER.search(text):
            yield (key,), "Q013", "error", f"names a letter ({_found(_LETTER, text)}), and choices are shuffled"


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return repr(match[0]) if match else ""


def small_negation(item: Item) -> Iterator[Finding]:
    """Q014: a question for what is NOT so must be seen as one."""
    match = _NEGATION.search(item.prompt)
    if match and not re.search(r"\b(NOT|EXCEPT)\b", match[0]):
        yield ("prompt",), "Q014", "warn", "asks for what is not so; write NOT or EXCEPT in capitals"


def cues(item: Item) -> Iterator[Finding]:
    """Q015: words that lead from the question to the key."""
    if not item.choices:
        return
    if match := _ARTICLE.search(item.prompt):
        yield ("prompt",), "Q015", "info", f"ends with {match[1]!r}, which fits some choices and not others"
    stem = {word.lower() for word in _WORD.findall(item.prompt)}
    keys = {word.lower() for choice in item.choices if choice.correct for word in _WORD.findall(choice.text)}
    others = {word.lower() for choice in item.choices if not choice.correct for word in _WORD.findall(choice.text)}
    if shared := sorted((stem & keys) - others):
        yield ("choices",), "Q015", "info", f"the question and the key alone share {', '.join(shared)}"


def scales(item: Item) -> Iterator[Finding]:
    """Q016: numbers out of order; a question of several keys that has one, or nothing else."""
    values = [value(choice.text) for choice in item.choices]
    numbers = [one for one in values if one is not None]
    if item.order == "fixed" and len(numbers) == len(values) and numbers != sorted(numbers):
        yield ("choices",), "Q016", "warn", "numbers in a fixed order must ascend"
    if item.type == "multi" and len(item.keys) in (1, len(item.choices)):
        which = "one choice is" if len(item.keys) == 1 else "all choices are"
        yield ("choices",), "Q016", "warn", f"{which} correct in a question of type multi"


def telling_ids(item: Item) -> Iterator[Finding]:
    """Q017: an id that tells: what a choice is worth, or in answer files, which name questions, what the key is."""
    key = " ".join(choice.text for choice in item.choices if choice.correct).lower()
    others = " ".join([item.prompt, *(choice.text for choice in item.choices if not choice.correct)]).lower()
    words = [word for word in item.id.split("-")[1:] if len(word) > LETTERS and word in key and word not in others]
    if words:
        yield ("id",), "Q017", "info", f"{', '.join(words)} stands in the id and in the key alone"
    for place, choice in enumerate(item.choices):
        if _TELLING & set(choice.id.split("-")):
            yield ("choices", place, "id"), "Q017", "warn", f"the id {choice.id!r} tells what the choice is worth"


def unproven_code(item: Item) -> Iterator[Finding]:
    """Q020: code that nobody runs, or that shows nothing about the key."""
    if item.code is None or item.code.lang != "python":
        return
    if item.code.expect is None:
        yield ("code",), "Q020", "error", "python code without expect: say what running it prints"
    elif not shows(item):
        message = "what the code prints occurs neither in the key nor in the explanation"
        yield ("code", "expect"), "Q020", "warn", message


def sources(item: Item) -> Iterator[Finding]:
    """Q021: no source."""
    if not item.sources:
        yield (), "Q021", "warn", "has no sources"


RULES: tuple[Callable[[Item], Iterator[Finding]], ...] = (
    same_choices,
    empty_reasons,
    longest_key,
    shortcuts,
    small_negation,
    cues,
    scales,
    telling_ids,
    unproven_code,
    sources,
)
