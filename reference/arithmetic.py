"""Hidden reference for grading the arithmetic exercise: plain, readable, and not shown to students.

Digits are handled as numbers or as characters in small loops; nothing is vectorised that a loop says as well,
but for what must also run on the meta device, where values cannot be looked at.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from random import Random

import torch
from torch import Tensor

VOCABULARY = {
    "<pad>": 0,
    "<bos>": 1,
    "<eos>": 2,
    "0": 3,
    "1": 4,
    "2": 5,
    "3": 6,
    "4": 7,
    "5": 8,
    "6": 9,
    "7": 10,
    "8": 11,
    "9": 12,
    "+": 13,
    "-": 14,
    "*": 15,
    "=": 16,
    " ": 17,
}
Problem = tuple[int, int, str]


class ArithmeticTokenizer:
    """A table of 18 tokens, read in both directions."""

    pad_id = 0
    bos_id = 1
    eos_id = 2
    vocab_size = 18

    def __init__(self) -> None:
        self.vocab = dict(VOCABULARY)

    def encode(self, text: str, bos: bool = True, eos: bool = True) -> list[int]:
        """Return the id of each character, with BOS and EOS where they are wanted."""
        ids = []
        if bos:
            ids.append(1)
        for place in range(len(text)):
            if text[place] not in "0123456789+-*= ":
                raise ValueError(f"no token for {text[place]!r}, place {place}")
            ids.append(VOCABULARY[text[place]])
        if eos:
            ids.append(2)
        return ids

    def decode(self, ids: list[int]) -> str:
        """Return the characters up to the first EOS, without PAD and BOS."""
        wrong = [number for number in ids if number not in range(18)]
        if wrong:
            raise ValueError(f"{wrong[0]} is no id")
        text = ""
        for number in ids:
            if number == 2:
                break
            if number > 2:
                text += "0123456789+-*= "[number - 3]
        return text


def format_problem(a: int, b: int, op: str, reverse: bool = False) -> str:
    """Return the problem, "=" and the answer, whose digits may be reversed."""
    if op == "+":
        answer = a + b
    elif op == "-":
        answer = a - b
    elif op == "*":
        answer = a * b
    else:
        raise ValueError(f"no operator: {op!r}")
    written = list(str(answer))
    sign = []
    if answer < 0:
        sign, written = written[:1], written[1:]
    if reverse:
        written.reverse()
    return "".join([str(a), op, str(b), "=", *sign, *written])


def parse_answer(text: str, reverse: bool = False) -> int | None:
    """Return the number behind the first "=", None if there is no number."""
    if "=" not in text:
        return None
    written = text[text.index("=") + 1 :]
    negative = written.startswith("-")
    if negative:
        written = written[1:]
    if not written or any(character not in "0123456789" for character in written):
        return None
    number = 0
    for character in reversed(written) if reverse else written:
        number = 10 * number + "0123456789".index(character)
    return -number if negative else number


def carries(a: int, b: int) -> int:
    """Return how often the last digits of both, and all digits behind them, sum up beyond their place."""
    places = range(1, max(len(str(a)), len(str(b))) + 1)
    # there is a carry out of a place if what stands up to it does not fit into so many digits
    return sum(a % 10**place + b % 10**place >= 10**place for place in places)


def make_problems(count: int, digits: tuple[int, ...] = (1, 2), op: str = "+", seed: int = 0) -> list[Problem]:
    """Return random problems; each operand has a drawn number of digits."""
    if op not in ("+", "-", "*"):
        raise ValueError(f"no operator: {op!r}")
    random = Random(seed)  # noqa: S311  exercises, no secrets
    problems = []
    for _ in range(count):
        operands = []
        for _ in range(2):
            length = digits[random.randrange(len(digits))]
            smallest = 0 if length == 1 else 10 ** (length - 1)
            operands.append(random.randint(smallest, 10**length - 1))
        problems.append((operands[0], operands[1], op))
    return problems


def split_problems(problems: list[Problem], test_share: float, seed: int = 0) -> tuple[list[Problem], list[Problem]]:
    """Return two lists that have no group of problems in common."""
    groups: dict[Problem, list[Problem]] = {}
    for a, b, op in problems:
        name = (b, a, op) if op in ("+", "*") and b < a else (a, b, op)
        members = groups.setdefault(name, [])
        if (a, b, op) not in members:
            members.append((a, b, op))
    names = sorted(groups)  # an order that no hash has a say in
    chosen = Random(seed).sample(names, math.floor(Fraction(test_share) * len(names)))  # noqa: S311
    train: list[Problem] = []
    test: list[Problem] = []
    for name in names:
        if name in chosen:
            test += groups[name]
        else:
            train += groups[name]
    return train, test


def pad_batch(sequences: list[list[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Return a table of ids, filled up on the right, and where its tokens are."""
    length = max([0, *[len(sequence) for sequence in sequences]])
    ids = torch.full((len(sequences), length), pad_id, dtype=torch.int64)
    mask = torch.zeros(len(sequences), length, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        for place, number in enumerate(sequence):
            ids[row, place] = number
            mask[row, place] = True
    return ids, mask


def answer_labels(ids: Tensor, attention_mask: Tensor, equals_id: int, ignore_index: int = -100) -> Tensor:
    """Return at each place the token that comes next, if it belongs to the answer."""
    batch, length = ids.shape
    labels = torch.full((batch, length), ignore_index, dtype=torch.int64, device=ids.device)
    seen = torch.zeros(batch, dtype=torch.bool, device=ids.device)
    for t in range(length - 1):
        seen = seen | (ids[:, t] == equals_id)
        labels[:, t] = torch.where(seen & attention_mask[:, t + 1], ids[:, t + 1], labels[:, t])
    return labels


def next_token_probabilities(logits: Tensor, temperature: float, top_k: int | None = None) -> Tensor:
    """Return exp(logits / temperature) of those that are kept, divided by their sum."""
    if temperature < 0:
        raise ValueError("a negative temperature")
    if top_k is not None and top_k < 1:
        raise ValueError("top_k below 1")
    size = logits.shape[-1]
    if temperature == 0:
        ranks = torch.arange(size, device=logits.device)
        is_best = logits == logits.amax(-1, keepdim=True)
        first = torch.where(is_best, ranks, size).amin(-1, keepdim=True)
        return (ranks == first).to(logits.dtype)
    # the largest logit becomes 0: no power overflows
    weights = torch.exp((logits - logits.amax(-1, keepdim=True)) / temperature)
    if top_k is not None and top_k < size:
        # the k-th largest is the last that is kept, and all that equal it
        smallest = logits.sort(-1, descending=True).values[..., top_k - 1 : top_k]
        weights = torch.where(logits >= smallest, weights, 0)
    return weights / weights.sum(-1, keepdim=True)


def sample_next(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """Return for each row the token in whose share of 0 .. 1 a random number falls."""
    probabilities = next_token_probabilities(logits, temperature, top_k)
    if temperature == 0:
        return probabilities.argmax(-1)
    ends = probabilities.double().cumsum(-1)
    drawn = torch.rand(logits.shape[:-1], dtype=torch.float64, device=logits.device, generator=generator)
    drawn = drawn * ends[..., -1]
    # below the end of its own share and not below the one before: so a share of 0 is never met
    return (ends <= drawn.unsqueeze(-1)).sum(-1)


def generate(
    model: Callable[[Tensor], Tensor], ids: Tensor, max_new_tokens: int, eos_id: int, pad_id: int = 0
) -> Tensor:
    """Return the prompts and the likeliest next tokens, one after the other."""
    rows: list[list[int]] = ids.tolist()
    length = ids.shape[1]
    for _ in range(max_new_tokens):
        if all(eos_id in row[length:] for row in rows):
            break
        with torch.no_grad():
            logits = model(torch.tensor(rows, dtype=torch.int64, device=ids.device))
        for row, last in zip(rows, logits[:, -1].tolist(), strict=True):
            row.append(pad_id if eos_id in row[length:] else last.index(max(last)))
    return torch.tensor(rows, dtype=torch.int64, device=ids.device)


def exact_match(predictions: list[str], answers: list[str]) -> float:
    """Return the share of predictions that are the answer."""
    if len(predictions) != len(answers):
        raise ValueError("not as many predictions as answers")
    right = 0
    for place in range(len(answers)):
        if predictions[place] == answers[place]:
            right += 1
    return right / max(1, len(answers))


def score_generated(ids: list[int], prompt_length: int, answer: str, tokenizer: ArithmeticTokenizer) -> bool:
    """Return whether the answer and its end were generated, and nothing else before the end."""
    generated: list[int] = []
    for number in ids[prompt_length:]:
        if number == tokenizer.eos_id:
            return generated == [tokenizer.vocab[character] for character in answer]
        generated.append(number)
    return False


def pass_at_k(n: int, c: int, k: int) -> float:
    """Return 1 - the chance that k different ones of the n samples are all wrong."""
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError("c must be in 0 .. n, k in 1 .. n")
    all_wrong = Fraction(1)
    for taken in range(k):
        # one wrong sample after the other; max: no wrong one is left
        all_wrong *= Fraction(max(0, n - c - taken), n - taken)
    return float(1 - all_wrong)
