"""Right program in the style vectorised: numpy for everything that is drawn, tensor expressions for the rest."""

import numpy as np
import torch
import torch.nn.functional as F

ALPHABET = "PBE0123456789+-*= "


class ArithmeticTokenizer:
    vocab_size = len(ALPHABET)
    pad_id, bos_id, eos_id = 0, 1, 2

    def __init__(self):
        self.table = np.full(128, -1)
        for number, character in enumerate(ALPHABET[3:], start=3):
            self.table[ord(character)] = number
        self.vocab = dict(zip(["<pad>", "<bos>", "<eos>", *ALPHABET[3:]], range(18)))

    def encode(self, text, bos=True, eos=True):
        codes = np.array([ord(c) for c in text], dtype=np.int64)
        known = np.where(codes < 128, self.table[np.minimum(codes, 127)], -1)
        if (known < 0).any():
            place = int(np.argmax(known < 0))
            raise ValueError(f"{text[place]!r} (character {place}) is no token")
        return [self.bos_id] * bos + known.tolist() + [self.eos_id] * eos

    def decode(self, ids):
        numbers = np.array(ids, dtype=np.int64)
        if ((numbers < 0) | (numbers >= 18)).any():
            raise ValueError("an id out of range")
        before = np.cumsum(numbers == 2) == 0
        return "".join(np.array(list(ALPHABET))[numbers[before & (numbers > 2)]].tolist())


def format_problem(a, b, op, reverse=False):
    if op not in {"+", "-", "*"}:
        raise ValueError(op)
    answer = {"+": a + b, "-": a - b, "*": a * b}[op]
    step = -1 if reverse else 1
    return f"{a}{op}{b}=" + "-" * (answer < 0) + f"{abs(answer)}"[::step]


def parse_answer(text, reverse=False):
    _, equals, body = text.partition("=")
    digits = body.removeprefix("-")
    # isascii: isdigit alone is true of other scripts
    if not (equals and digits.isascii() and digits.isdigit()):
        return None
    return int(digits[:: -1 if reverse else 1]) * (-1 if digits != body else 1)


def carries(a, b):
    # each carry turns a sum of digits of 10 into 1
    digit_sum = lambda n: sum(map(int, str(n)))
    return (digit_sum(a) + digit_sum(b) - digit_sum(a + b)) // 9


def make_problems(count, digits=(1, 2), op="+", seed=0):
    if op not in {"+", "-", "*"}:
        raise ValueError(op)
    rng = np.random.default_rng(seed)
    lengths = rng.choice(np.array(digits), (count, 2))
    if max(digits) > 18:
        low = lambda n: 0 if n == 1 else 10 ** (n - 1)
        big = lambda n: low(n) + int.from_bytes(rng.bytes(64), "big") % (10**n - low(n))
        return [(big(int(m)), big(int(n)), op) for m, n in lengths]
    low = np.where(lengths == 1, 0, 10 ** (lengths - 1))
    return [(a, b, op) for a, b in rng.integers(low, 10**lengths).tolist()]


def split_problems(problems, test_share, seed=0):
    rng = np.random.default_rng([seed, 1])
    once = sorted(set(problems))
    keys = [f"{op}{a},{b}" if op == "-" or a < b else f"{op}{b},{a}" for a, b, op in once]
    names, groups = np.unique(np.array(keys, dtype=str), return_inverse=True)
    tested = rng.permutation(len(names))[: int(test_share * len(names))]
    in_test = np.isin(groups, tested)
    return [p for p, t in zip(once, in_test) if not t], [p for p, t in zip(once, in_test) if t]


def pad_batch(sequences, pad_id):
    lengths = np.array([len(s) for s in sequences], dtype=np.int64)
    mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
    ids = np.full(mask.shape, pad_id, dtype=np.int64)
    ids[mask] = np.array([i for s in sequences for i in s], dtype=np.int64)
    return torch.from_numpy(ids), torch.from_numpy(mask)


def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
    following = F.pad(ids, (0, 1), value=0)[:, 1:]
    real = F.pad(attention_mask, (0, 1), value=False)[:, 1:]
    seen = torch.cummax((ids == equals_id).long(), 1).values.bool() if ids.shape[1] else real
    return following.masked_fill(~(seen & real), ignore_index)


def next_token_probabilities(logits, temperature, top_k=None):
    if not temperature >= 0 or (top_k is not None and top_k < 1):
        raise ValueError((temperature, top_k))
    size = logits.shape[-1]
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), size).to(logits)
    keep = torch.ones_like(logits, dtype=torch.bool)
    if top_k is not None:
        # the k largest are those that have fewer than k above them
        above = (logits.unsqueeze(-2) > logits.unsqueeze(-1)).sum(-1)
        keep = above < top_k
    scaled = (logits - logits.amax(-1, keepdim=True)) / temperature
    return torch.exp(F.log_softmax(torch.where(keep, scaled, float("-inf")), dim=-1))


def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    p = next_token_probabilities(logits, temperature, top_k)
    if temperature == 0:
        return p.argmax(-1)
    noise = torch.empty_like(p).exponential_(generator=generator)
    return (p / noise).argmax(-1)


@torch.inference_mode()
def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
    batch, length = ids.shape
    out = torch.full((batch, length + max_new_tokens), pad_id, dtype=torch.int64, device=ids.device)
    out[:, :length] = ids
    alive = torch.ones(batch, dtype=torch.bool, device=ids.device)
    for t in range(length, length + max_new_tokens):
        logits = model(out[:, :t])
        out[alive, t] = logits[alive, -1].argmax(-1)
        alive &= out[:, t] != eos_id
        if not alive.any():
            return out[:, : t + 1]
    return out


def exact_match(predictions, answers):
    if len(predictions) != len(answers):
        raise ValueError("lengths differ")
    return float(np.mean([p == a for p, a in zip(predictions, answers)])) if answers else 0.0


def score_generated(ids, prompt_length, answer, tokenizer):
    wanted = np.array(tokenizer.encode(answer, bos=False))
    have = np.array(ids[prompt_length : prompt_length + len(wanted)])
    return bool(np.array_equal(wanted, have))


def pass_at_k(n, c, k):
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError((n, c, k))
    if n - c < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))
