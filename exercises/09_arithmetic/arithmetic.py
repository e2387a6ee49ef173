"""Everything around a small decoder that learns arithmetic. The task is in README.md beside this file."""

from collections.abc import Callable

import torch
from torch import Tensor


class ArithmeticTokenizer:
    """One token for each character, and three special tokens.

    Attributes:
        vocab: dict token -> id, 18 entries: "<pad>" 0, "<bos>" 1, "<eos>" 2, "0" to "9" 3 to 12, "+" 13,
            "-" 14, "*" 15, "=" 16, " " 17. Each tokenizer has a dict of its own.
        pad_id: 0.
        bos_id: 1.
        eos_id: 2.
        vocab_size: 18.
    """

    def __init__(self) -> None:
        raise NotImplementedError

    def encode(self, text: str, bos: bool = True, eos: bool = True) -> list[int]:
        """Turn a text into ids.

        Args:
            text: any text; every character of it, spaces too, becomes one id.
            bos: whether BOS stands in front.
            eos: whether EOS stands at the end.

        Raises:
            ValueError: a character has no id. The message holds the first such character (itself or its
                repr) and its place in the text, counted from 0.
        """
        raise NotImplementedError

    def decode(self, ids: list[int]) -> str:
        """Turn ids back into a text.

        Args:
            ids: any ids. PAD and BOS are dropped; the text ends at the first EOS, if there is one.

        Raises:
            ValueError: one of the ids, behind an EOS too, is not in 0 .. vocab_size - 1.
        """
        raise NotImplementedError


def format_problem(a: int, b: int, op: str, reverse: bool = False) -> str:
    """Write a problem with its answer: "12+34=46".

    Args:
        a: left operand, 0 or more.
        b: right operand, 0 or more.
        op: "+", "-" or "*".
        reverse: whether the digits of the answer are written from the last to the first. A minus sign stays
            in front of them; the operands are never reversed.

    Returns:
        the text, without spaces.

    Raises:
        ValueError: op is none of the three.

    Source: Lee et al. 2023, Teaching Arithmetic to Small Transformers, Learning Addition in Small Models.
    """
    raise NotImplementedError


def parse_answer(text: str, reverse: bool = False) -> int | None:
    """Read the answer of a problem as a number; the inverse of `format_problem`.

    Args:
        text: "12+34=46", or what a model has written instead.
        reverse: whether the digits of the answer stand from the last to the first.

    Returns:
        the number behind the first "="; zeros at its front or end are digits like others ("007" is 7, and
        reversed 700). None if there is no "=", or if what stands behind the first one is anything else than
        one or more of the digits 0 to 9 with or without a "-" in front.
    """
    raise NotImplementedError


def carries(a: int, b: int) -> int:
    """Return how many carries the addition a + b has when it is done digit by digit.

    Args:
        a: 0 or more, of any size.
        b: 0 or more, of any size.
    """
    raise NotImplementedError


def make_problems(
    count: int, digits: tuple[int, ...] = (1, 2), op: str = "+", seed: int = 0
) -> list[tuple[int, int, str]]:
    """Draw random problems.

    Args:
        count: how many; 0 or more. The same problem may come several times.
        digits: numbers of digits, each at least 1. For each operand on its own one of them is drawn, each
            entry equally likely; then one of the numbers with exactly that many digits, each equally likely.
            The numbers with one digit are 0 to 9, those with two 10 to 99.
        op: "+", "-" or "*".
        seed: decides everything: the same arguments give the same list, in every process.

    Returns:
        list of (a, b, op), a and b as int. Global random generators are neither used nor moved.

    Raises:
        ValueError: op is none of the three.
    """
    raise NotImplementedError


def split_problems(
    problems: list[tuple[int, int, str]], test_share: float, seed: int = 0
) -> tuple[list[tuple[int, int, str]], list[tuple[int, int, str]]]:
    """Divide problems at random into a training set and a test set that have nothing in common.

    Args:
        problems: (a, b, op); any operators together, repeats possible.
        test_share: from 0 to 1: share of the groups (see below) that goes into the test set. It is
            test_share times the number of groups, rounded down.
        seed: decides which groups these are: the same arguments give the same two lists, in every process.

    Returns:
        (train, test), each in any order. Each different (a, b, op) of `problems` stands in exactly one of
        them, exactly once, and no other does. (a, b, op) and (b, a, op) are one group if op is "+" or "*":
        they go to the same side. Every other problem is a group of its own. Every group can get into
        the test set, each equally likely. Global random generators are neither used nor moved.
    """
    raise NotImplementedError


def pad_batch(sequences: list[list[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Make one tensor of sequences of different lengths.

    Args:
        sequences: ids of each; a sequence may be empty, and may hold pad_id.
        pad_id: fills the end of the shorter rows.

    Returns:
        (ids, attention_mask), both (batch, length of the longest sequence). ids: int64. attention_mask:
        bool, True where a token of the sequence stands, False at the padding. Without sequences both are
        of shape (0, 0).
    """
    raise NotImplementedError


def answer_labels(ids: Tensor, attention_mask: Tensor, equals_id: int, ignore_index: int = -100) -> Tensor:
    """Return the labels of a batch, already shifted: those at t belong to the logits at t.

    Args:
        ids: int64, shape (batch, length), padded on the right.
        attention_mask: bool, same shape, False at the padding.
        equals_id: id of "=".
        ignore_index: label of what is not scored.

    Returns:
        int64, same shape, same device. At t: the token at t + 1, if that is a token (by the mask) and an "="
        stands somewhere before it in its row (so at t or earlier); otherwise, and always at the
        last t, ignore_index.
    """
    raise NotImplementedError


def next_token_probabilities(logits: Tensor, temperature: float, top_k: int | None = None) -> Tensor:
    """Return the probabilities with which the next token is drawn.

    Args:
        logits: shape (..., vocabulary), float32 or float64. Some may be -inf, not all of a row.
        temperature: softmax(logits / temperature). At 0 the largest logit has probability 1, of several
            equal ones the first.
        top_k: the k largest logits of each row are kept, and all that equal the smallest of them; the others
            have probability exactly 0. None, and any k from the size of the vocabulary on: all are kept.

    Returns:
        same shape, dtype and device; each row sums to 1, also where logits are as large as 10000.

    Raises:
        ValueError: temperature is negative, or top_k is below 1.

    Source: Fan et al. 2018, Hierarchical Neural Story Generation, section 5.4.
    """
    raise NotImplementedError


def sample_next(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """Draw the next token, each row on its own, with the probabilities of `next_token_probabilities`.

    Args:
        logits: shape (..., vocabulary), float32 or float64.
        temperature: as above; at 0 nothing is random.
        top_k: as above.
        generator: on the device of logits; the only source of randomness, if given: the same state gives the
            same draw, and torch's global generator is not moved. None: that one is used.

    Returns:
        int64, shape (...): without the last axis.
    """
    raise NotImplementedError


def generate(
    model: Callable[[Tensor], Tensor], ids: Tensor, max_new_tokens: int, eos_id: int, pad_id: int = 0
) -> Tensor:
    """Continue prompts greedily: always the token with the largest logit, the first of equal ones.

    Args:
        model: maps ids (batch, t) to logits (batch, t, vocabulary); is called with all rows, with everything
            that they have so far, and without recording gradients.
        ids: prompts, int64, shape (batch, length), batch and length at least 1. An EOS in a prompt ends nothing.
        max_new_tokens: at most so many are added; 0 or more.
        eos_id: a row that has generated it is finished.
        pad_id: what a finished row is filled with behind its EOS.

    Returns:
        int64, shape (batch, length + n): prompts and n new tokens. n is max_new_tokens, or less if all rows
        are finished earlier: then nothing is added any more, and the model is not called again. So it is
        called n times.
    """
    raise NotImplementedError


def exact_match(predictions: list[str], answers: list[str]) -> float:
    """Return the share of predictions that are exactly the answer at the same place, 0.0 if there are none.

    Args:
        predictions: texts, compared as they are: "046" and "46 " are not "46".
        answers: as many texts.

    Raises:
        ValueError: the two lists are not of the same length.
    """
    raise NotImplementedError


def score_generated(ids: list[int], prompt_length: int, answer: str, tokenizer: ArithmeticTokenizer) -> bool:
    """Return whether a generated answer is right.

    Args:
        ids: a prompt and what was generated behind it; ids of the vocabulary.
        prompt_length: number of ids of the prompt: they are not looked at.
        answer: the right answer as text, such as "46" or "-7".
        tokenizer: gives the ids of the answer, and eos_id.

    Returns:
        True if there is an EOS behind the prompt, and the ids between the prompt and the first such EOS are
        exactly those of `answer`, in which a PAD or BOS has no place. What stands behind that EOS does not count.
    """
    raise NotImplementedError


def pass_at_k(n: int, c: int, k: int) -> float:
    """Return the unbiased estimate of the chance that at least one of k samples is right.

    Args:
        n: number of samples that were taken.
        c: how many of them were right.
        k: how many one would take.

    Returns:
        1 - C(n - c, k) / C(n, k), where C is the number of combinations; 1.0 if fewer than k were wrong.

    Raises:
        ValueError: not 0 <= c <= n, or not 1 <= k <= n.

    Source: Chen et al. 2021, Evaluating Large Language Models Trained on Code, section 2.1.
    """
    raise NotImplementedError
