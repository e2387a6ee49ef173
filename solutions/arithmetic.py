"""Everything around a small decoder that learns arithmetic."""

import math
import random
import re
from collections.abc import Callable

import torch
from torch import Tensor

SPECIALS = ["<pad>", "<bos>", "<eos>"]
CHARACTERS = "0123456789+-*= "
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}
Problem = tuple[int, int, str]


class ArithmeticTokenizer:
    """One token for each character, and three special tokens."""

    def __init__(self) -> None:
        self.tokens = [*SPECIALS, *CHARACTERS]
        self.vocab = {token: number for number, token in enumerate(self.tokens)}
        self.pad_id, self.bos_id, self.eos_id = range(3)
        self.vocab_size = len(self.tokens)

    def encode(self, text: str, bos: bool = True, eos: bool = True) -> list[int]:
        """Turn a text into ids."""
        ids = [self.bos_id] if bos else []
        for place, character in enumerate(text):
            if character not in self.vocab:
                raise ValueError(f"the character {character!r} at place {place} is not in the vocabulary")
            ids.append(self.vocab[character])
        return [*ids, self.eos_id] if eos else ids

    def decode(self, ids: list[int]) -> str:
        """Turn ids back into a text, up to the first EOS."""
        for number in ids:
            # a negative index would be counted from the end of the list
            if not 0 <= number < self.vocab_size:
                raise ValueError(f"{number} is no id: they go from 0 to {self.vocab_size - 1}")
        end = ids.index(self.eos_id) if self.eos_id in ids else len(ids)
        return "".join(self.tokens[number] for number in ids[:end] if number not in (self.pad_id, self.bos_id))


# --- problems ---------------------------------------------------------------------------------


def _check(op: str) -> None:
    if op not in OPERATIONS:
        raise ValueError(f"the operator {op!r} is none of {', '.join(OPERATIONS)}")


def format_problem(a: int, b: int, op: str, reverse: bool = False) -> str:
    """Write a problem with its answer: "12+34=46"."""
    _check(op)
    answer = OPERATIONS[op](a, b)
    sign, digits = "-" if answer < 0 else "", str(abs(answer))
    return f"{a}{op}{b}={sign}{digits[::-1] if reverse else digits}"


def parse_answer(text: str, reverse: bool = False) -> int | None:
    """Read the answer of a problem as a number, None if there is none."""
    # [0-9] and not int(): that takes spaces, underscores, a plus sign and the digits of other scripts
    found = re.fullmatch("(-?)([0-9]+)", text.partition("=")[2])
    if not found:
        return None
    sign, digits = found.groups()
    number = int(digits[::-1] if reverse else digits)
    return -number if sign else number


def carries(a: int, b: int) -> int:
    """Return how many carries the addition a + b has."""
    count = carry = 0
    while a or b:
        carry = int(a % 10 + b % 10 + carry >= 10)
        count += carry
        a, b = a // 10, b // 10
    return count


def make_problems(count: int, digits: tuple[int, ...] = (1, 2), op: str = "+", seed: int = 0) -> list[Problem]:
    """Draw random problems."""
    _check(op)
    rng = random.Random(seed)  # noqa: S311  exercises, no secrets

    def operand() -> int:
        length = rng.choice(digits)
        low = 10 ** (length - 1) if length > 1 else 0
        return rng.randrange(low, 10**length)

    return [(operand(), operand(), op) for _ in range(count)]


def _group(problem: Problem) -> Problem:
    """Return what all problems of a group have in common."""
    a, b, op = problem
    return problem if op == "-" else (min(a, b), max(a, b), op)


def split_problems(problems: list[Problem], test_share: float, seed: int = 0) -> tuple[list[Problem], list[Problem]]:
    """Divide problems at random into a training set and a test set that have nothing in common."""
    # dicts, not sets: they keep the order in which problems came, which no hash decides
    different = list(dict.fromkeys(problems))
    groups = list(dict.fromkeys(map(_group, different)))
    random.Random(seed).shuffle(groups)  # noqa: S311
    tested = set(groups[: int(test_share * len(groups))])
    train = [problem for problem in different if _group(problem) not in tested]
    test = [problem for problem in different if _group(problem) in tested]
    return train, test


# --- batches ----------------------------------------------------------------------------------


def pad_batch(sequences: list[list[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Make one tensor of sequences of different lengths, and the mask of its tokens."""
    lengths = torch.tensor([len(sequence) for sequence in sequences], dtype=torch.int64)
    longest = max(map(len, sequences), default=0)
    rows = [[*sequence, *[pad_id] * (longest - len(sequence))] for sequence in sequences]
    ids = torch.tensor(rows, dtype=torch.int64).reshape(len(sequences), longest)
    # from the lengths: a token may have the id of the padding
    return ids, torch.arange(longest) < lengths[:, None]


def answer_labels(ids: Tensor, attention_mask: Tensor, equals_id: int, ignore_index: int = -100) -> Tensor:
    """Return the labels of a batch, already shifted: those at t belong to the logits at t."""
    labels = torch.full_like(ids, ignore_index)
    behind = (ids == equals_id).cumsum(1)[:, :-1] > 0  # an "=" at t or earlier
    scored = behind & attention_mask[:, 1:]
    labels[:, :-1] = torch.where(scored, ids[:, 1:], ignore_index)
    return labels


# --- sampling ---------------------------------------------------------------------------------


def next_token_probabilities(logits: Tensor, temperature: float, top_k: int | None = None) -> Tensor:
    """Return the probabilities with which the next token is drawn."""
    if temperature < 0:
        raise ValueError(f"the temperature is {temperature}; it must not be negative")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; at least one token must be kept")
    if temperature == 0:
        best = logits.argmax(-1, keepdim=True)
        return torch.zeros_like(logits).scatter(-1, best, 1.0)
    if top_k is not None:
        smallest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < smallest, -math.inf)
    return torch.softmax(logits / temperature, -1)


def sample_next(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """Draw the next token, each row on its own."""
    if temperature == 0:
        return logits.argmax(-1)  # nothing is random, so the generator stays where it is
    probabilities = next_token_probabilities(logits, temperature, top_k)
    # multinomial takes one or two axes
    rows = probabilities.reshape(-1, logits.shape[-1])
    return torch.multinomial(rows, 1, generator=generator).reshape(logits.shape[:-1])


@torch.no_grad()
def generate(
    model: Callable[[Tensor], Tensor], ids: Tensor, max_new_tokens: int, eos_id: int, pad_id: int = 0
) -> Tensor:
    """Continue prompts greedily until each row has its EOS."""
    finished = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(max_new_tokens):
        best = model(ids)[:, -1].argmax(-1)
        best = torch.where(finished, pad_id, best)
        ids = torch.cat([ids, best[:, None]], 1)
        finished = finished | (best == eos_id)
        if finished.all():
            break
    return ids


# --- scores -----------------------------------------------------------------------------------


def exact_match(predictions: list[str], answers: list[str]) -> float:
    """Return the share of predictions that are exactly the answer at the same place."""
    if len(predictions) != len(answers):
        raise ValueError(f"{len(predictions)} predictions for {len(answers)} answers")
    right = sum(prediction == answer for prediction, answer in zip(predictions, answers, strict=True))
    return right / len(answers) if answers else 0.0


def score_generated(ids: list[int], prompt_length: int, answer: str, tokenizer: ArithmeticTokenizer) -> bool:
    """Return whether the ids between the prompt and the first EOS are exactly those of the answer."""
    wanted = tokenizer.encode(answer, bos=False, eos=True)
    generated = ids[prompt_length:]
    # the answer has no EOS inside, so the EOS at its end is the first one
    return generated[: len(wanted)] == wanted


def pass_at_k(n: int, c: int, k: int) -> float:
    """Return the unbiased estimate of the chance that at least one of k samples is right."""
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError(f"n = {n}, c = {c}, k = {k}: c must be in 0 .. n, k in 1 .. n")
    # whole numbers of any size: no float overflows
    return 1 - math.comb(n - c, k) / math.comb(n, k)
