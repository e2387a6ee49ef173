"""Computes the numeric keys of quizzes/cross-entropy.yaml from first principles."""

import math

import torch
import torch.nn.functional as F


def ce_bits() -> float:
    logits = torch.tensor([0.0465, 0.2514, -0.6639, -0.5434, -0.0025], dtype=torch.float64)
    return F.cross_entropy(logits, torch.tensor(0)).item() / math.log(2)


def ce_perplexity_batches() -> float:
    batches = [(300, 2.0), (100, 4.0)]
    return math.exp(sum(tokens * mean for tokens, mean in batches) / sum(tokens for tokens, _ in batches))


def ce_softmax_twice() -> str:
    probabilities = [1.0, 0.0, 0.0, 0.0]
    return f"{math.log(sum(math.exp(p) for p in probabilities)) - probabilities[0]:.2f}"


def ce_answer_labels() -> str:
    tokens = ["<bos>", *"12+34=46", "<eos>"]
    answer = range(tokens.index("=") + 1, len(tokens))
    first, second, third = (place - 1 for place in answer)
    return f"{first}, {second} and {third}"


def ce_ignored_mean() -> str:
    targets = torch.tensor([3, -100, 5, -100])
    return str(int((targets != -100).sum()))


def ce_log_sum_exp() -> str:
    shifted = torch.tensor([1000.0, 0.0]) - 1000.0
    powers = shifted.exp()
    by_softmax = (powers / powers.sum()).log()[1].item()
    stable = (shifted - powers.sum().log())[1].item()
    return f"{by_softmax} {stable}"


def ce_smoothing_floor() -> float:
    wanted = torch.full((5,), 0.1 / 5, dtype=torch.float64)
    wanted[0] += 0.9
    return F.cross_entropy(wanted.log(), torch.tensor(0), label_smoothing=0.1).item()


def ce_causal_masked() -> str:
    length = 512
    return f"{length - 1} predictions from the left, against about {round(0.15 * length)}"
