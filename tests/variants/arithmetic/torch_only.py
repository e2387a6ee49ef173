"""Right program in the style torch_only: torch's own generators, sequences padded by pad_sequence, triangular masks."""

import math
import re

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

TOKENS = ("<pad>", "<bos>", "<eos>") + tuple("0123456789") + ("+", "-", "*", "=", " ")
PATTERN = re.compile(r"[0-9+\-*= ]")


class ArithmeticTokenizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.vocab = dict(map(reversed, enumerate(TOKENS)))
        self.register_buffer("special", torch.arange(3))

    pad_id = property(lambda self: 0)
    bos_id = property(lambda self: 1)
    eos_id = property(lambda self: 2)

    @property
    def vocab_size(self):
        return len(TOKENS)

    def encode(self, text, bos=True, eos=True):
        wrong = re.search(r"[^0-9+\-*= ]", text)
        if wrong:
            raise ValueError(f"no id for {wrong.group()!r}, which stands at {wrong.start()}")
        ids = [self.vocab[token] for token in PATTERN.findall(text)]
        if bos:
            ids.insert(0, 1)
        if eos:
            ids.append(2)
        return ids

    def decode(self, ids):
        if any(i not in range(18) for i in ids):
            raise ValueError(f"not all of {ids} are ids")
        joined = "".join(TOKENS[i] for i in ids)
        return re.sub("<pad>|<bos>", "", joined.split("<eos>")[0])


def format_problem(a, b, op, reverse=False):
    match op:
        case "+":
            answer = a + b
        case "-":
            answer = a - b
        case "*":
            answer = a * b
        case _:
            raise ValueError(f"{op!r}")
    text = f"{a}{op}{b}={answer}"
    return re.sub(r"[0-9]+\Z", lambda found: found.group()[::-1], text) if reverse else text


def parse_answer(text, reverse=False):
    found = re.match(r"[^=]*=(-?)([0-9]+)\Z", text)
    if found is None:
        return None
    sign, digits = found.groups()
    return int(sign + "".join(reversed(digits))) if reverse else int(sign + digits)


def carries(a, b, carry=0):
    if not a and not b:
        return 0
    carry = (a % 10 + b % 10 + carry) // 10
    return carry + carries(a // 10, b // 10, carry)


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def make_problems(count, digits=(1, 2), op="+", seed=0):
    if op not in ("+", "-", "*"):
        raise ValueError(op)
    generator = _generator(seed)
    width = max(digits)
    lengths = torch.tensor(digits)[torch.randint(len(digits), (count, 2), generator=generator)]
    drawn = torch.randint(10, (count, 2, width), generator=generator)
    first = torch.randint(1, 10, (count, 2), generator=generator)
    drawn[..., 0] = torch.where(lengths > 1, first, drawn[..., 0])
    text = lambda numerals, n: int("".join(map(str, numerals[:n])))
    rows = zip(drawn.tolist(), lengths.tolist())
    return [(text(left, m), text(right, n), op) for (left, right), (m, n) in rows]


def split_problems(problems, test_share, seed=0):
    unique = dict.fromkeys(problems)
    groups = {}
    for a, b, op in unique:
        key = (op, *((a, b) if op == "-" else sorted((a, b))))
        groups.setdefault(key, []).append((a, b, op))
    order = torch.randperm(len(groups), generator=_generator(seed)).tolist()
    members = list(groups.values())
    size = math.floor(test_share * len(groups))
    pick = lambda places: [problem for place in places for problem in members[place]]
    return pick(order[size:]), pick(order[:size])


def pad_batch(sequences, pad_id):
    if not sequences:
        return torch.empty(0, 0, dtype=torch.int64), torch.empty(0, 0, dtype=torch.bool)
    ids = pad_sequence([torch.tensor(s, dtype=torch.int64) for s in sequences], batch_first=True, padding_value=pad_id)
    mask = pad_sequence([torch.ones(len(s), dtype=torch.bool) for s in sequences], batch_first=True)
    return ids, mask


def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
    length = ids.shape[1]
    # earlier[t, s]: place s is at t or before
    earlier = torch.ones(length, length, device=ids.device).tril()
    behind = (ids == equals_id).float() @ earlier.T > 0
    labels = ids.roll(-1, 1).clone()
    keep = behind & attention_mask.roll(-1, 1)
    if length:
        keep[:, -1] = False
    labels[~keep] = ignore_index
    return labels


def next_token_probabilities(logits, temperature, top_k=None):
    if temperature < 0:
        raise ValueError("temperature")
    if top_k is not None and top_k <= 0:
        raise ValueError("top_k")
    if temperature == 0:
        _, first = logits.max(dim=-1, keepdim=True)
        places = torch.arange(logits.shape[-1], device=logits.device)
        return (places == first).type_as(logits)
    if top_k is not None and top_k < logits.shape[-1]:
        limit = torch.kthvalue(logits, logits.shape[-1] - top_k + 1, dim=-1, keepdim=True).values
        logits = torch.where(logits < limit, torch.full_like(logits, -torch.inf), logits)
    return nn.Softmax(dim=-1)(logits.div(temperature))


def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    if temperature == 0:
        return torch.max(logits, -1).indices
    p = next_token_probabilities(logits, temperature, top_k)
    numbers = torch.rand(p.shape[:-1] + (1,), dtype=p.dtype, device=p.device, generator=generator)
    ends = p.cumsum(-1)
    ends = ends / ends[..., -1:]
    return torch.searchsorted(ends.contiguous(), numbers, right=True).squeeze(-1)


def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
    was = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        parts = [ids]
        running = ids.new_ones(ids.shape[0], 1, dtype=torch.bool)
        while len(parts) <= max_new_tokens and bool(running.any()):
            best = model(torch.cat(parts, 1))[:, -1:].argmax(-1)
            parts.append(best.masked_fill(~running, pad_id))
            running = running & (best != eos_id)
        return torch.cat(parts, 1)
    finally:
        torch.set_grad_enabled(was)


def exact_match(predictions, answers):
    pairs = list(zip(predictions, answers, strict=True))  # a ValueError where the lengths differ
    return sum(p == a for p, a in pairs) / len(pairs) if pairs else 0.0


def score_generated(ids, prompt_length, answer, tokenizer):
    rest = iter(ids[prompt_length:])
    generated = (
        list(iter(lambda: next(rest, None), tokenizer.eos_id)) if tokenizer.eos_id in ids[prompt_length:] else None
    )
    return generated == tokenizer.encode(answer, False, False)


def pass_at_k(n, c, k):
    if c not in range(n + 1) or k not in range(1, n + 1):
        raise ValueError((n, c, k))
    wrong = n - c
    if wrong < k:
        return 1.0
    log = lambda m: math.lgamma(m + 1)
    chance = log(wrong) - log(wrong - k) - log(n) + log(n - k)
    return -math.expm1(chance)
