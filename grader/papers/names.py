"""What stands before an answer: the id of a question, its number, or a word of the head."""

import difflib
import re
from collections.abc import Collection

from grader.papers.decoding import plain

HEAD = ("form", "student", "answers")
IDLE = ("schema", "name", "quiz", "quizzes", "title")  # words of a head that decide nothing
NEAR = 0.75  # difflib's ratio of a name that was meant
AROUND = " \t\"'`*"  # what people put around a name
_NUMBER = re.compile(r"(?:question|item|no|q)?[ .#]{0,2}(\d{1,3})[.)]?", re.IGNORECASE)


class Names:
    """The questions that a paper may answer."""

    def __init__(self, known: Collection[str]) -> None:
        self.known = tuple(known)
        self._plain = {_folded(name): name for name in (*known, *HEAD, *IDLE)}

    def of(self, word: str) -> str:
        """Return the id or the word of the head that was written, "#3" for the number of a question, "" for none."""
        found = self._plain.get(_folded(word), "")
        number = _NUMBER.fullmatch(plain(word).strip(AROUND))
        return found or (f"#{int(number[1])}" if number else "")

    def near(self, word: str) -> str:
        """Return the id that was probably meant, "" for none."""
        found = difflib.get_close_matches(_folded(word)[:80], self.known, 1, NEAR)
        return found[0] if found else ""


def _folded(word: str) -> str:
    return re.sub(r"[\s_-]+", "-", plain(word).strip(AROUND).casefold()).strip("-")
