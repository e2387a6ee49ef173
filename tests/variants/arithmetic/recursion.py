"""Right program in the style recursion: small recursive functions and closures, rows one by one."""

import functools
import math
import random

import torch


class ArithmeticTokenizer:
    def __init__(self):
        names = "<pad> <bos> <eos> 0 1 2 3 4 5 6 7 8 9 + - * =".split() + [" "]
        self.vocab = dict((name, place) for place, name in enumerate(names))
        self.names = names
        self.pad_id = names.index("<pad>")
        self.bos_id = names.index("<bos>")
        self.eos_id = names.index("<eos>")
        self.vocab_size = len(names)

    def encode(self, text, bos=True, eos=True):
        allowed = set(self.names[3:])
        for place, character in enumerate(text):
            if character not in allowed:
                raise ValueError("character '%s' in column %d" % (character, place))
        middle = [self.names.index(character) for character in text]
        return [self.bos_id] * int(bos) + middle + [self.eos_id] * int(eos)

    def decode(self, ids):
        ids = list(ids)
        for number in ids:
            if number < 0 or number > 17:
                raise ValueError(number)
        return self._read(tuple(ids))

    def _read(self, ids):
        if not ids or ids[0] == self.eos_id:
            return ""
        head = "" if ids[0] < 2 else self.names[ids[0]]
        return head + self._read(ids[1:])


def _turned(digits):
    return digits if len(digits) < 2 else _turned(digits[1:]) + digits[0]


def format_problem(a, b, op, reverse=False):
    operations = ["+", "-", "*"]
    if operations.count(op) == 0:
        raise ValueError("op")
    value = [a + b, a - b, a * b][operations.index(op)]
    turn = _turned if reverse else str
    answer = turn(str(value)) if value >= 0 else "-" + turn(str(-value))
    return "%d%s%d=%s" % (a, op, b, answer)


def parse_answer(text, reverse=False):
    if text[:1] != "=":
        return parse_answer(text[1:], reverse) if text else None
    body = text[1:]
    if body[:1] == "-":
        inner = parse_answer("=" + body[1:], reverse) if body[1:2] != "-" else None
        return None if inner is None else -inner
    if body == "" or body.strip("0123456789") != "":
        return None
    return int(_turned(body)) if reverse else int(body)


def carries(a, b):
    def step(a, b, carry):
        if a == 0 and b == 0:
            return 0
        a, low_a = divmod(a, 10)
        b, low_b = divmod(b, 10)
        now = 1 if low_a + low_b + carry >= 10 else 0
        return now + step(a, b, now)

    return step(a, b, 0)


def make_problems(count, digits=(1, 2), op="+", seed=0):
    if op not in list("+-*"):
        raise ValueError("op")
    source = random.Random(1_000_003 * seed + 17)

    def number():
        length = source.choices(digits)[0]
        if length == 1:
            return source.choice(range(10))
        return 10 ** (length - 1) + source.randrange(9 * 10 ** (length - 1))

    return list(map(lambda _: (number(), number(), op), range(count)))


def split_problems(problems, test_share, seed=0):
    @functools.cache
    def same(problem):
        a, b, op = problem
        return {problem, (b, a, op)} if op != "-" else {problem}

    def groups(rest):
        found = []
        for problem in rest:
            if not any(problem in same(group[0]) for group in found):
                found.append([problem])
            else:
                group = next(group for group in found if problem in same(group[0]))
                if problem not in group:
                    group.append(problem)
        return found

    every = groups(list(problems))
    size = int(test_share * len(every))
    chosen = set(random.Random(seed).sample(range(len(every)), size))
    train = [problem for place, group in enumerate(every) if place not in chosen for problem in group]
    return train, [problem for place in sorted(chosen) for problem in every[place]]


def pad_batch(sequences, pad_id):
    if len(sequences) == 0:
        return torch.zeros((0, 0), dtype=torch.int64), torch.zeros((0, 0), dtype=torch.bool)
    longest = max(len(sequence) for sequence in sequences)
    one = lambda sequence: torch.cat(
        [torch.tensor(sequence, dtype=torch.int64), torch.full((longest - len(sequence),), pad_id, dtype=torch.int64)]
    )
    mask = torch.stack([torch.arange(longest).lt(len(sequence)) for sequence in sequences])
    return torch.stack([one(sequence) for sequence in sequences]), mask


def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
    if ids.shape[1] < 2:
        return torch.full_like(ids, ignore_index)
    # the last column is never scored; the label of the one before it needs all that came earlier
    rest = answer_labels(ids[:, :-1], attention_mask[:, :-1], equals_id, ignore_index)[:, :-1]
    known = ids[:, :-1].eq(equals_id).any(1) & attention_mask[:, -1]
    last = torch.where(known, ids[:, -1], torch.full_like(ids[:, -1], ignore_index))
    return torch.cat([rest, last[:, None], torch.full_like(ids[:, :1], ignore_index)], 1)


def next_token_probabilities(logits, temperature, top_k=None):
    if temperature < 0.0:
        raise ValueError("temperature")
    if top_k is not None and not top_k >= 1:
        raise ValueError("top_k")
    if temperature == 0:
        return torch.zeros_like(logits).index_put_(*_places(logits))
    k = logits.size(-1) if top_k is None else min(top_k, logits.size(-1))
    kept = logits >= torch.sort(logits, -1).values[..., -k, None]
    scores = torch.where(kept, logits, -math.inf) / temperature
    return (scores - torch.logsumexp(scores, -1, keepdim=True)).exp()


def _places(logits):
    best = logits.argmax(-1)
    axes = [torch.arange(size, device=logits.device) for size in best.shape]
    grid = torch.meshgrid(*axes, indexing="ij") if axes else ()
    return (*grid, best), torch.ones((), dtype=logits.dtype, device=logits.device)


def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    p = next_token_probabilities(logits, temperature, top_k)
    if p.dim() > 2:
        return (
            torch.stack([sample_next(part, temperature, top_k, generator) for part in logits])
            if len(p) < 50
            else _flat(p, generator)
        )
    return p.multinomial(1, generator=generator).squeeze(-1)


def _flat(p, generator):
    return p.view(-1, p.size(-1)).multinomial(1, generator=generator).view(p.shape[:-1])


def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
    def step(rows, ended, left):
        if left == 0 or ended.all():
            return rows
        with torch.no_grad():
            following = model(rows)[:, -1].max(-1).indices
        following[ended] = pad_id
        return step(torch.cat([rows, following.unsqueeze(1)], 1), ended | following.eq(eos_id), left - 1)

    return step(ids, torch.zeros_like(ids[:, 0], dtype=torch.bool), max_new_tokens)


def exact_match(predictions, answers):
    if len(predictions) != len(answers):
        raise ValueError("lengths")
    if predictions == []:
        return 0.0
    return sum([1.0 for i, answer in enumerate(answers) if predictions[i] == answer], 0.0) / len(answers)


def score_generated(ids, prompt_length, answer, tokenizer):
    def right(ids, wanted):
        if not ids:
            return False
        if not wanted:
            return ids[0] == tokenizer.eos_id
        return ids[0] == wanted[0] and right(ids[1:], wanted[1:])

    return right(ids[prompt_length:], tokenizer.encode(answer, bos=False, eos=False))


def pass_at_k(n, c, k):
    if not 0 <= c <= n:
        raise ValueError("c")
    if not 1 <= k <= n:
        raise ValueError("k")
    fail = 1.0
    for taken in range(k):
        fail *= max(0, n - c - taken) / (n - taken)
    return 1.0 - fail
