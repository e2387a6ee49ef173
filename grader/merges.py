"""Judges a list of BPE merges by the rule itself, not by one particular list.

Most steps of a training tie, so a right program with another tie rule has another list. This
comparison replays the student's merges on the words of the corpus and names the first step whose
pair was not a most frequent one, with the counts.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from grader.case import Answer
from grader.show import show
from grader.walk import Difference, kind_of

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Merges:
    """Compares (merges, vocab). The witness is the reference's dict word -> frequency.

    Attributes:
        ties: "any" accepts every list in which each step takes a most frequent pair; "first" wants,
            among those, the pair met first.
        size: name of the input that holds the size of the vocabulary.
    """

    ties: str = "any"
    size: str = "vocab_size"
    measured: bool = field(default=False, init=False)

    def compare(self, inputs: Mapping[str, Any], expected: Answer, got: Any) -> Difference | None:
        """Return the first difference; see `grader.compare.Compare`."""
        merges, vocab = expected.value
        wrong = _shape(got)
        if wrong:
            return wrong
        base = Counter(vocab) - Counter(a + b for a, b in merges)
        target = max(0, inputs[self.size] - base.total())
        wrong = self._steps([(a, b) for a, b in got[0]], expected.witness, target)
        if wrong or self.ties == "first":
            return wrong
        return _vocabulary(base + Counter(a + b for a, b in got[0]), Counter(got[1]))

    def _steps(self, merges: list[Pair], words: Mapping[str, int], target: int) -> Difference | None:
        step = 0
        for step, counts in enumerate(_replay(merges, words)):
            best, first = _best(counts)
            if step == len(merges) or step == target:
                break
            wrong = self._step(f"[0][{step}]", merges[step], counts)
            if wrong:
                return wrong
        if len(merges) > target:
            enough = f"nothing: {target} merges fill the vocabulary"
            return Difference(f"[0][{target}]", show(merges[target]), enough)
        if len(merges) < target and first is not None:
            more = f"one more merge: {first!r}, {_times(best)}"
            return Difference(f"[0][{step}]", "nothing: the list ends here", more)
        return None

    def _step(self, place: str, pair: Pair, counts: Mapping[Pair, int]) -> Difference | None:
        best, first = _best(counts)
        if first is None:
            return Difference(place, show(pair), "nothing: no pair is left to merge")
        count = counts.get(pair, 0)
        if count != best:
            note = "this pair was not a most frequent one at its step"
            return Difference(place, f"{show(pair)}, {_times(count)}", f"{first!r}, {_times(best)}", note=note)
        if self.ties == "first" and pair != first:
            note = f"both occur {best} times: the list is legal up to here, but the tie was broken by another rule"
            return Difference(place, show(pair), f"{first!r}, which is met first", note=note)
        return None


def _best(counts: Mapping[Pair, int]) -> tuple[int, Pair | None]:
    """Return the largest count and the first pair that has it."""
    best = max(counts.values(), default=0)
    return best, next((pair for pair, count in counts.items() if count == best), None)


def _times(count: int) -> str:
    return {0: "which does not occur", 1: "which occurs once"}.get(count, f"which occurs {count} times")


def _shape(got: Any) -> Difference | None:
    """Return what is wrong with the form of (merges, vocab)."""
    if not isinstance(got, (list, tuple)) or len(got) != 2:
        return Difference("", show(got), "(merges, vocab)", note=f"it is {kind_of(got)}")
    if not isinstance(got[0], (list, tuple)):
        return Difference("[0]", show(got[0]), "a list of pairs", note=f"it is {kind_of(got[0])}")
    for n, pair in enumerate(got[0]):
        if not isinstance(pair, (list, tuple)) or [type(part) for part in pair] != [str, str]:
            return Difference(f"[0][{n}]", show(pair), "a pair of symbols (a, b)")
    if not isinstance(got[1], (list, tuple)) or any(type(entry) is not str for entry in got[1]):
        return Difference("[1]", show(got[1]), "a list of tokens", note=f"it is {kind_of(got[1])}")
    return None


def _vocabulary(expected: Counter[str], got: Counter[str]) -> Difference | None:
    """Compare what is in the vocabulary; the order is the student's choice."""
    for entry, count in (expected - got).items():
        missing = "missing" if not got[entry] else "there too seldom"
        return Difference("[1]", f"{show(entry)} is {missing}", f"{count + got[entry]} of it")
    for entry in got - expected:
        return Difference("[1]", f"{show(entry)} is in the vocabulary", "no such entry")
    return None


def _replay(merges: list[Pair], words: Mapping[str, int]) -> Iterator[dict[Pair, int]]:
    """Yield the counts of all pairs, in order of first occurrence, before each merge and after the last."""
    splits = {word: list(word) for word in words}
    for pair in [*merges, None]:
        counts: dict[Pair, int] = {}
        for word, symbols in splits.items():
            for left, right in pairwise(symbols):
                counts[left, right] = counts.get((left, right), 0) + words[word]
        yield counts
        if pair is not None:
            splits = {word: _merged(symbols, pair) for word, symbols in splits.items()}


def _merged(symbols: list[str], pair: Pair) -> list[str]:
    result: list[str] = []
    n = 0
    while n < len(symbols):
        found = tuple(symbols[n : n + 2]) == pair
        result.append(pair[0] + pair[1] if found else symbols[n])
        n += 2 if found else 1
    return result
