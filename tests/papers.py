"""A small quiz of every kind of question, papers that answer it, and classes that do not exist."""

import hashlib
from fractions import Fraction

from grader.papers.form import choices, code, items
from grader.papers.result import Mark, Result
from grader.quiz.order import LETTERS
from grader.quiz.source import parse

QUIZ = """
schema: llm-quiz/1
quiz: sums
title: "Sums: small ones"
items:
  - id: one-plus-one
    rev: 1
    type: single
    topic: sums
    level: intro
    prompt: |
      Somebody adds 1 and 1.

      What comes out?
    code: {lang: python, text: "print(1 + 1)\\n", setup: "hidden = 3", after: "print(hidden)", expect: "2"}
    choices:
      - {id: two, text: "Two, of course", correct: true, why: "Counting on from one."}
      - {id: three, text: "Three", why: "One too far.", misconception: sums/Further}
      - {id: eleven, text: "Eleven", why: "Written beside each other.", misconception: sums/Beside}
    explanation: "The successor of one."
    hint: "Use your fingers."
    sources: ["https://example.org/one"]
    tags: [fingers]
    misconceptions: [sums/Lazy]
    seed: {doc: "009", ref: "question 9"}
    waived: {Q010: "a reason"}
  - id: is-even
    rev: 2
    type: single
    topic: sums
    level: intro
    prompt: "Is 2 even?"
    order: fixed
    choices:
      - {id: n, text: "no", why: "It is twice 1."}
      - {id: y, text: "yes", correct: true, why: "2 = 2 * 1."}
    explanation: "Even numbers are multiples of two."
  - id: small-primes
    rev: 1
    type: multi
    topic: primes
    level: core
    points: 2
    prompt: "Which are prime?"
    choices:
      - {id: p2, text: "2", correct: true, why: "Its divisors are itself and one."}
      - {id: p3, text: "3", correct: true, why: "Not divisible by 2."}
      - {id: p4, text: "4", why: "A square."}
      - {id: p9, text: "9", why: "A square again."}
    explanation: "Sieve them."
  - id: all-squares
    rev: 1
    type: multi
    scoring: all_or_nothing
    topic: primes
    level: core
    prompt: "Which are squares?"
    choices:
      - {id: s4, text: "4 = 2 * 2", correct: true, why: "Two by two."}
      - {id: s9, text: "9 = 3 * 3", correct: true, why: "Three by three."}
      - {id: s8, text: "8 = 2 * 4", why: "A cube."}
    explanation: "Roots are whole."
  - id: kilobyte
    rev: 1
    type: numeric
    topic: sums
    level: core
    points: 3
    prompt: "How many bytes are a kibibyte?"
    answer: {value: "1024", abs_tol: "0", unit: "bytes"}
    near_misses: [{value: "1000", why: "That is a kilobyte.", misconception: sums/Kilo}]
    explanation: "Two to the tenth."
"""
SECRET = "a secret of some length"
RIGHT = {
    "one-plus-one": {"two"},
    "is-even": {"y"},
    "small-primes": {"p2", "p3"},
    "all-squares": {"s4", "s9"},
    "kilobyte": "1024",
}


def quizzes(text=QUIZ):
    """Return the quizzes in a text."""
    found = parse(text, "sums.yaml", "sums")
    assert not found.problems
    return [found.quiz]


IDS = [item.id for item in quizzes()[0].items]


def letters(item, picks, seed):
    """Return the letters that some choices of a question have in a form."""
    return [letter for letter, choice in zip(LETTERS, choices(item, seed), strict=False) if choice.id in picks]


def answers(seed, wanted=RIGHT, asked=None):
    """Return the lines of an answer file: an id and an answer each."""
    found = {item.id: item for item in items(asked or quizzes(), seed)}
    return [
        f"{name}: {picks if isinstance(picks, str) else ', '.join(letters(found[name], picks, seed))}"
        for name, picks in wanted.items()
    ]


def paper(seed, wanted=RIGHT, student=""):
    """Return an answer file."""
    lines = [f"form: {code(quizzes(), seed)}"] if seed is not None else []
    lines += [f"student: {student}"] if student else []
    return "\n".join([*lines, *answers(seed, wanted)]) + "\n"


def choice_quiz(count, points=1):
    """Return a quiz of some questions with three choices: a is right."""
    items = "".join(
        f"  - {{id: q-{number:02}, rev: 1, type: single, topic: t, level: core, prompt: Why?, explanation: So.,"
        f" points: {points}, choices: [{{id: a, text: A, why: W, correct: true}}, {{id: b, text: B, why: W}},"
        " {id: c, text: C, why: W}]}\n"
        for number in range(count)
    )
    return quizzes(f"schema: llm-quiz/1\nquiz: sums\ntitle: T\nitems:\n{items}")


def marked(asked, rows):
    """Return the results of a class: for each student a row of picks, "" for no answer."""
    return [_result([*asked[0].items], picks, f"s{number:04}") for number, picks in enumerate(rows)]


def _result(asked, picks, student):
    marks = [
        Mark(
            item=item.id,
            rev=item.rev,
            type=item.type,
            status="answered" if pick else "unanswered",
            score=Fraction(pick == "a"),
            points=item.points,
            earned=Fraction(pick == "a") * item.points,
            picks=(pick,) if pick else (),
        )
        for item, pick in zip(asked, picks, strict=True)
    ]
    score = sum((mark.earned for mark in marks), Fraction(0))
    points = sum(mark.points for mark in marks)
    return Result(student=student, quizzes=("sums",), score=score, points=points, marks=tuple(marks))


def noise(*parts):
    """Return a number from 0 to 1 that depends on nothing but what it is made of."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:6], "big") / 2**48
