"""Right program in the style hashing: digests instead of a random generator for the split; float64 inside; in place."""

import hashlib
import math
from fractions import Fraction
from random import Random
from types import MappingProxyType

import torch

_TABLE = MappingProxyType(
    {"<pad>": 0, "<bos>": 1, "<eos>": 2}
    | {str(digit): digit + 3 for digit in range(10)}
    | {"+": 13, "-": 14, "*": 15, "=": 16, " ": 17}
)
_CHARACTERS = {number: token for token, number in _TABLE.items() if number > 2}


class ArithmeticTokenizer:
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2
    vocab_size: int = 18

    def __init__(self):
        self.vocab = {**_TABLE}

    def encode(self, text, bos=True, eos=True):
        def one(place):
            character = text[place]
            if len(character.encode()) > 1 or character not in "0123456789+-*= ":
                raise ValueError(f"at {place}: {character!r}")
            return _TABLE[character]

        return [*([1] if bos else ()), *map(one, range(len(text))), *([2] if eos else ())]

    def decode(self, ids):
        if ids and not (0 <= min(ids) and max(ids) < 18):
            raise ValueError(f"{min(ids)} to {max(ids)}")
        text = []
        for number in ids:
            if number == 2:
                break
            text.append(_CHARACTERS.get(number, ""))
        return "".join(text)


def _answer(a, b, op):
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    raise ValueError(f"what is {op!r}?")


def format_problem(a, b, op, reverse=False):
    body = str(_answer(a, b, op))
    if reverse:
        body = ("-" if body[0] == "-" else "") + body.lstrip("-")[::-1]
    return "".join((str(a), op, str(b), "=", body))


def parse_answer(text, reverse=False):
    if "=" not in text:
        return None
    body = text[text.find("=") + 1 :].encode("utf-8")
    minus, digits = body[:1] == b"-", body[1:] if body[:1] == b"-" else body
    if digits == b"" or any(not 48 <= byte <= 57 for byte in digits):
        return None
    number = int(bytes(reversed(digits)) if reverse else digits)
    return -number if minus else number


def carries(a, b):
    total, count, place = a + b, 0, 10
    while place <= total:
        # the digits above this place differ from those of a and b alone where a carry came in
        count += total // place != a // place + b // place
        place *= 10
    return count


def make_problems(count, digits=(1, 2), op="+", seed=0):
    _answer(0, 0, op)
    rng = Random()
    rng.seed(seed)
    bounds = [(0 if n == 1 else 10 ** (n - 1), 10**n - 1) for n in digits]
    return [(rng.randint(*rng.choice(bounds)), rng.randint(*rng.choice(bounds)), op) for _ in range(count)]


def split_problems(problems, test_share, seed=0):
    def name(problem):
        a, b, op = problem
        return f"{max(a, b)}{op}{min(a, b)}" if op in ("*", "+") else f"{a}-{b}"

    def digest(group):
        return hashlib.sha256(f"{seed} {group}".encode()).digest()

    groups = sorted({name(problem) for problem in problems}, key=digest)
    test_groups = groups[: int(test_share * len(groups))]
    train, test, seen = [], [], []
    for problem in problems:
        if problem not in seen:
            seen.append(problem)
            (test if name(problem) in test_groups else train).append(problem)
    return train, test


def pad_batch(sequences, pad_id):
    longest = max((len(s) for s in sequences), default=0)
    ids = torch.empty(len(sequences), longest, dtype=torch.long).fill_(pad_id)
    mask = torch.zeros_like(ids, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.as_tensor(sequence, dtype=torch.long)
        mask[row, : len(sequence)] = True
    return ids, mask


def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
    if ids.numel() == 0:
        return ids.clone()
    length = ids.shape[1]
    places = torch.arange(length, device=ids.device)
    first = torch.where(ids == equals_id, places, length).min(1, keepdim=True).values
    labels = torch.cat([ids[:, 1:], ids[:, :1]], 1)
    scored = (places >= first) & (places < length - 1)
    scored[:, :-1] &= attention_mask[:, 1:]
    labels[scored.logical_not_()] = ignore_index
    return labels


def next_token_probabilities(logits, temperature, top_k=None):
    if temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError("temperature or top_k")
    x = logits.to(torch.float64, copy=True)
    if temperature == 0:
        best = x.argmax(-1, keepdim=True)
        return x.zero_().scatter_(-1, best, 1).to(logits.dtype)
    if top_k is not None:
        x[x < x.topk(min(top_k, x.shape[-1]))[0][..., [-1]]] = -torch.inf
    x -= x.amax(-1, keepdim=True)
    x /= temperature
    x -= x.logsumexp(-1, keepdim=True)
    return x.exp_().to(logits.dtype)


def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    p = next_token_probabilities(logits, temperature, top_k)
    if temperature == 0:
        return p.argmax(-1)
    # the largest of log p plus Gumbel noise
    uniform = torch.rand(p.shape, generator=generator, dtype=torch.float64, device=p.device).clamp_min(1e-300)
    return (p.double().log() - (-uniform.log()).log()).argmax(-1)


class _Rows:
    """Rows that are being written."""

    def __init__(self, ids, eos_id, pad_id):
        self.ids, self.eos_id, self.pad_id = ids, eos_id, pad_id
        self.open = set(range(ids.shape[0]))

    def write(self, tokens):
        column = torch.full_like(self.ids[:, :1], self.pad_id)
        for row in list(self.open):
            column[row, 0] = tokens[row]
            if tokens[row] == self.eos_id:
                self.open.remove(row)
        self.ids = torch.hstack([self.ids, column])


def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
    rows = _Rows(ids.clone(), eos_id, pad_id)
    with torch.no_grad():
        while max_new_tokens > 0 and rows.open:
            rows.write(model(rows.ids)[:, -1].argmax(-1).tolist())
            max_new_tokens -= 1
    return rows.ids


def exact_match(predictions, answers):
    if len(predictions) != len(answers):
        raise ValueError
    share = Fraction(sum(map(str.__eq__, predictions, answers)), len(answers)) if answers else Fraction(0)
    return float(share)


def score_generated(ids, prompt_length, answer, tokenizer):
    text = ",".join(map(str, ids[prompt_length:])) + ","
    return text.startswith(",".join(map(str, tokenizer.encode(answer, bos=False))) + ",")


def pass_at_k(n, c, k):
    if not (0 <= c <= n and 0 < k <= n):
        raise ValueError
    # no right one among k, said the other way round: all c right ones among the n - k that are not taken
    return 1.0 - float(Fraction(math.comb(n - k, c), math.comb(n, c)))
