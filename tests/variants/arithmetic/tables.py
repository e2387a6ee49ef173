"""Right program in the style tables: enums, dataclasses, iterators, str.translate; a problem is an object inside."""

import itertools
import math
import operator
import string
from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import IntEnum
from random import Random

import torch

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


class Special(IntEnum):
    PAD = 0
    BOS = 1
    EOS = 2


class ArithmeticTokenizer:
    def __init__(self):
        symbols = string.digits + "+-*= "
        self.vocab = {f"<{special.name.lower()}>": int(special) for special in Special}
        self.vocab.update(zip(symbols, itertools.count(len(Special))))
        self.text_of = {number: token for token, number in self.vocab.items() if len(token) == 1}
        self.pad_id, self.bos_id, self.eos_id = map(int, Special)

    @property
    def vocab_size(self):
        return 18

    def _look_up(self, place, character):
        try:
            return self.vocab[character]
        except KeyError:
            raise ValueError(f"unknown character at index {place}: {character}") from None

    def encode(self, text, bos=True, eos=True):
        middle = itertools.starmap(self._look_up, enumerate(text))
        return list(itertools.chain([self.bos_id] if bos else [], middle, [self.eos_id] if eos else []))

    def decode(self, ids):
        strange = set(ids).difference(range(self.vocab_size))
        if strange:
            raise ValueError(f"no such ids: {strange}")
        before = itertools.takewhile(lambda number: number != self.eos_id, ids)
        return "".join(self.text_of.get(number, "") for number in before)


@dataclass(frozen=True, order=True)
class Sum:
    a: int
    b: int
    op: str

    @property
    def answer(self):
        return OPERATORS[self.op](self.a, self.b)

    @property
    def name(self):
        return (self.op, *sorted([self.a, self.b])) if self.op in ("+", "*") else (self.op, self.a, self.b)

    def plain(self):
        return self.a, self.b, self.op


def format_problem(a, b, op, reverse=False):
    if op not in OPERATORS:
        raise ValueError(f"unknown operator {op!r}; known are {list(OPERATORS)}")
    sign, digits = divmod_sign(Sum(a, b, op).answer)
    return f"{a}{op}{b}={sign}{''.join(reversed(digits)) if reverse else digits}"


def divmod_sign(number):
    return ("-" if number < 0 else ""), str(abs(number))


def parse_answer(text, reverse=False):
    parts = text.split("=", maxsplit=1)
    if len(parts) == 1:
        return None
    body = parts[1]
    negative = body[:1] == "-"
    digits = list(body[negative:])
    if not digits or not set(digits) <= set(string.digits):
        return None
    if not reverse:
        digits.reverse()
    value = sum(int(digit) * 10**place for place, digit in enumerate(digits))
    return -value if negative else value


def carries(a, b):
    pairs = itertools.zip_longest(reversed(str(a)), reversed(str(b)), fillvalue="0")
    steps = itertools.accumulate(pairs, lambda carry, pair: (carry + int(pair[0]) + int(pair[1])) // 10, initial=0)
    return sum(steps)


def _numbers(rng, digits):
    while True:
        length = digits[int(rng.random() * len(digits))]
        while True:
            number = rng.getrandbits((10**length).bit_length())  # too large ones and too short ones are drawn again
            if len(str(number)) == length:
                yield number
                break


def make_problems(count, digits=(1, 2), op="+", seed=0):
    if op not in OPERATORS:
        raise ValueError(f"unknown operator {op!r}")
    stream = _numbers(Random(f"problems {seed}"), list(digits))
    return [(a, b, op) for a, b in itertools.islice(zip(stream, stream), count)]


def split_problems(problems, test_share, seed=0):
    groups = defaultdict(list)
    for item in sorted({Sum(*problem) for problem in problems}):
        groups[item.name].append(item.plain())
    names = sorted(groups)
    rng = Random(f"split {seed}")
    order = sorted(names, key=lambda name: rng.random())
    size = int(len(order) * test_share)
    flat = lambda chosen: list(itertools.chain.from_iterable(groups[name] for name in chosen))
    return flat(order[size:]), flat(order[:size])


def pad_batch(sequences, pad_id):
    columns = list(itertools.zip_longest(*sequences, fillvalue=None))
    shape = (len(columns), len(sequences))
    ids = torch.tensor([[pad_id if i is None else i for i in column] for column in columns], dtype=torch.int64)
    mask = torch.tensor([[i is not None for i in column] for column in columns], dtype=torch.bool)
    return ids.reshape(shape).T, mask.reshape(shape).T


def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
    rows = []
    for row, mask in zip(ids, attention_mask):
        row, mask = list(map(int, row)), list(map(bool, mask))
        start = row.index(equals_id) if equals_id in row else len(row)
        pairs = enumerate(itertools.pairwise(zip(row, mask)))
        labels = [number if real and t >= start else ignore_index for t, (_, (number, real)) in pairs]
        rows.append((labels + [ignore_index])[: len(row)])
    return torch.tensor(rows, dtype=torch.int64, device=ids.device).reshape(ids.shape)


def next_token_probabilities(logits, temperature, top_k=None):
    if temperature < 0:
        raise ValueError("temperature < 0")
    if top_k is not None and top_k < 1:
        raise ValueError("top_k < 1")
    values, order = torch.sort(logits, dim=-1, descending=True, stable=True)
    if temperature == 0:
        kept = torch.zeros_like(values)
        kept[..., 0] = 1
    else:
        limit = values[..., min(top_k or len(logits.shape) * 10**6, values.shape[-1]) - 1].unsqueeze(-1)
        weights = ((values - values[..., :1]) / temperature).exp() * (values >= limit)
        kept = weights / weights.sum(-1, keepdim=True)
    return torch.empty_like(kept).scatter_(-1, order, kept)


def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    p = next_token_probabilities(logits, temperature, top_k)
    if temperature == 0:
        return p.argmax(-1)
    if p.dim() == 1:
        return torch.multinomial(p, num_samples=1, generator=generator).squeeze(0)
    flat = p.flatten(0, -2)
    return torch.multinomial(flat, num_samples=1, generator=generator).squeeze(-1).unflatten(0, p.shape[:-1])


def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
    length = ids.size(1)
    full = ids
    for _ in range(max_new_tokens):
        with torch.no_grad():
            scores = model(full)[:, -1, :]
        full = torch.cat((full, scores.argmax(dim=1, keepdim=True)), dim=1)
        if (full[:, length:] == eos_id).any(dim=1).all():
            break
    # finished rows have run on: clear what stands behind the first EOS that they wrote
    ended = (full[:, length:] == eos_id).cumsum(1)
    behind = (ended - (full[:, length:] == eos_id).long()) > 0
    return torch.cat((ids, full[:, length:].masked_fill(behind, pad_id)), dim=1)


def exact_match(predictions, answers):
    if len(predictions) != len(answers):
        raise ValueError(f"{len(predictions)} != {len(answers)}")
    counts = Counter(map(operator.eq, predictions, answers))
    return counts[True] / (counts.total() or 1)


def score_generated(ids, prompt_length, answer, tokenizer):
    generated = list(itertools.islice(ids, prompt_length, None))
    try:
        end = generated.index(tokenizer.eos_id)
    except ValueError:
        return False
    return tuple(generated[:end]) == tuple(tokenizer.vocab[character] for character in answer)


def pass_at_k(n, c, k):
    if c < 0 or n < c or k < 1 or n < k:
        raise ValueError("impossible numbers")
    none_right = math.comb(n - c, k)
    return (math.comb(n, k) - none_right) / math.comb(n, k)
