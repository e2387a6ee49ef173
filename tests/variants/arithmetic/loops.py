"""Right program in the style loops: plain loops, lists and dicts; tensors are built from lists at the end."""

from random import Random

import torch


class ArithmeticTokenizer:
    def __init__(self):
        self.vocab = {"<pad>": 0, "<bos>": 1, "<eos>": 2}
        for character in "0123456789+-*= ":
            self.vocab[character] = len(self.vocab)
        self.names = {}
        for token in self.vocab:
            self.names[self.vocab[token]] = token
        self.pad_id = 0
        self.bos_id = 1
        self.eos_id = 2
        self.vocab_size = len(self.vocab)

    def encode(self, text, bos=True, eos=True):
        result = []
        if bos:
            result.append(self.bos_id)
        place = 0
        for character in text:
            if character in self.vocab:
                result.append(self.vocab[character])
            else:
                raise ValueError("cannot encode " + character + " at position " + str(place))
            place += 1
        if eos:
            result.append(self.eos_id)
        return result

    def decode(self, ids):
        for i in ids:
            if i not in self.names:
                raise ValueError("unknown id " + str(i))
        text = ""
        for i in ids:
            if i == self.eos_id:
                return text
            if i == self.pad_id or i == self.bos_id:
                continue
            text = text + self.names[i]
        return text


def format_problem(a, b, op, reverse=False):
    if op == "+":
        result = a + b
    elif op == "-":
        result = a - b
    elif op == "*":
        result = a * b
    else:
        raise ValueError("unknown operator")
    text = ""
    rest = abs(result)
    while True:
        digit = "0123456789"[rest % 10]
        text = text + digit if reverse else digit + text
        rest //= 10
        if rest == 0:
            break
    if result < 0:
        text = "-" + text
    return str(a) + op + str(b) + "=" + text


def parse_answer(text, reverse=False):
    place = text.find("=")
    if place < 0:
        return None
    i = place + 1
    sign = 1
    if i < len(text) and text[i] == "-":
        sign = -1
        i += 1
    if i == len(text):
        return None
    value = 0
    weight = 1
    while i < len(text):
        if not "0" <= text[i] <= "9":
            return None
        digit = ord(text[i]) - ord("0")
        if reverse:
            value += digit * weight
            weight *= 10
        else:
            value = value * 10 + digit
        i += 1
    return sign * value


def carries(a, b):
    count = 0
    carry = 0
    while a > 0 or b > 0:
        total = a % 10 + b % 10 + carry
        if total > 9:
            carry = 1
            count += 1
        else:
            carry = 0
        a //= 10
        b //= 10
    return count


def make_problems(count, digits=(1, 2), op="+", seed=0):
    if op != "+" and op != "-" and op != "*":
        raise ValueError("unknown operator")
    rng = Random(seed)
    result = []
    while len(result) < count:
        pair = []
        while len(pair) < 2:
            n = rng.choice(digits)
            # digit by digit; the first of several is not 0
            number = rng.randint(0, 9) if n == 1 else rng.randint(1, 9)
            for _ in range(n - 1):
                number = 10 * number + rng.randint(0, 9)
            pair.append(number)
        result.append((pair[0], pair[1], op))
    return result


def split_problems(problems, test_share, seed=0):
    rng = Random(seed)
    seen = {}
    groups = []
    for a, b, op in problems:
        if op != "-" and (b, a, op) in seen:
            number = seen[(b, a, op)]
        elif (a, b, op) in seen:
            number = seen[(a, b, op)]
        else:
            number = len(groups)
            groups.append([])
        if (a, b, op) not in seen:
            seen[(a, b, op)] = number
            groups[number].append((a, b, op))
    size = int(test_share * len(groups))
    test = []
    for _ in range(size):
        test += groups.pop(rng.randrange(len(groups)))
    train = []
    for group in groups:
        train += group
    return train, test


def pad_batch(sequences, pad_id):
    longest = 0
    for sequence in sequences:
        if len(sequence) > longest:
            longest = len(sequence)
    ids = []
    mask = []
    for sequence in sequences:
        missing = longest - len(sequence)
        ids.append(list(sequence) + [pad_id] * missing)
        mask.append([True] * len(sequence) + [False] * missing)
    if longest == 0:
        shape = (len(sequences), 0)
        return torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
    return torch.tensor(ids, dtype=torch.long), torch.tensor(mask, dtype=torch.bool)


def answer_labels(ids, attention_mask, equals_id, ignore_index=-100):
    labels = torch.full_like(ids, ignore_index)
    for row in range(ids.shape[0]):
        inside = False
        for t in range(ids.shape[1] - 1):
            if ids[row, t] == equals_id:
                inside = True
            if inside and attention_mask[row, t + 1]:
                labels[row, t] = ids[row, t + 1]
    return labels


def next_token_probabilities(logits, temperature, top_k=None):
    if temperature < 0:
        raise ValueError("temperature must be at least 0")
    if top_k is not None and top_k < 1:
        raise ValueError("top_k must be at least 1")
    if logits.dim() > 1:
        return torch.stack([next_token_probabilities(row, temperature, top_k) for row in logits])
    result = torch.zeros_like(logits)
    if temperature == 0:
        best = 0
        for i in range(1, len(logits)):
            if logits[i] > logits[best]:
                best = i
        result[best] = 1
        return result
    ordered = logits.sort(descending=True)[0]
    limit = ordered[min(top_k or len(ordered), len(ordered)) - 1]
    largest = logits.max()
    for i in range(len(logits)):
        if logits[i] >= limit:
            result[i] = torch.exp((logits[i] - largest) / temperature)
    return result / result.sum()


def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    # equal rows share their probabilities; the draws are each row's own
    rows = logits.reshape(-1, logits.shape[-1])
    different, which = torch.unique(rows, dim=0, return_inverse=True)
    p = next_token_probabilities(different, temperature, top_k)[which]
    return torch.multinomial(p, 1, generator=generator).reshape(logits.shape[:-1])


def generate(model, ids, max_new_tokens, eos_id, pad_id=0):
    done = [False] * len(ids)
    for _ in range(max_new_tokens):
        if all(done):
            break
        with torch.no_grad():
            logits = model(ids)
        new = []
        for row in range(len(ids)):
            if done[row]:
                new.append([pad_id])
                continue
            token = int(logits[row, -1].argmax())
            new.append([token])
            if token == eos_id:
                done[row] = True
        ids = torch.cat([ids, torch.tensor(new, device=ids.device)], dim=1)
    return ids


def exact_match(predictions, answers):
    if len(predictions) != len(answers):
        raise ValueError("as many predictions as answers, please")
    if len(answers) == 0:
        return 0.0
    right = 0
    for i in range(len(answers)):
        if predictions[i] == answers[i]:
            right += 1
    return right / len(answers)


def score_generated(ids, prompt_length, answer, tokenizer):
    i = prompt_length
    for character in answer:
        if i >= len(ids) or ids[i] != tokenizer.vocab[character]:
            return False
        i += 1
    return i < len(ids) and ids[i] == tokenizer.eos_id


def pass_at_k(n, c, k):
    if c < 0 or c > n or k < 1 or k > n:
        raise ValueError("impossible")
    if n - c < k:
        return 1.0
    product = 1.0
    for i in range(n - c + 1, n + 1):
        product *= 1 - k / i
    return 1.0 - product
