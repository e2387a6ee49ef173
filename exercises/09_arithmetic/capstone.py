"""The capstone: a decoder-only transformer that learns to add, built from your own parts.

There is nothing to fill in here. Read it, then run `grader capstone`: it loads your norms.py, attention.py,
cross_entropy.py and arithmetic.py beside this file, trains, and asks the model sums that it has never seen.
"""

import math

import arithmetic
import attention
import cross_entropy
import norms
import torch
from torch import Tensor, nn

D_MODEL, NUM_HEADS, NUM_LAYERS = 64, 4, 2
PROBLEMS, DIGITS, TEST_SHARE = 5000, (1, 2), 0.25
BATCH, LEARNING_RATE, WARMUP = 128, 3e-3, 50
MAX_LENGTH = 16  # <bos>99+99=891<eos> has 11 tokens
MAX_ANSWER = 6


class Block(nn.Module):
    """One decoder layer: each sublayer sees normalized activations and adds to what is there."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm = norms.RMSNorm(D_MODEL)
        self.attention = attention.MultiHeadAttention(D_MODEL, NUM_HEADS)
        self.feed_forward_norm = norms.RMSNorm(D_MODEL)
        self.feed_forward = nn.Sequential(nn.Linear(D_MODEL, 4 * D_MODEL), nn.GELU(), nn.Linear(4 * D_MODEL, D_MODEL))

    def forward(self, x: Tensor) -> Tensor:
        """Return activations of the same shape (batch, length, D_MODEL)."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


class Decoder(nn.Module):
    """Token and position embeddings, the blocks, and logits for the next token."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, D_MODEL)
        nn.init.normal_(self.tokens.weight, std=0.02)
        # learned from here on; a tenth, so that they do not drown the tokens
        self.positions = nn.Parameter(0.1 * attention.sinusoidal_positions(MAX_LENGTH, D_MODEL))
        self.blocks = nn.Sequential(*[Block() for _ in range(NUM_LAYERS)])
        self.norm = norms.RMSNorm(D_MODEL)
        self.head = nn.Linear(D_MODEL, vocab_size, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits (batch, length, vocabulary) of ids (batch, length)."""
        x = self.tokens(ids) + self.positions[: ids.shape[1]]
        return self.head(self.norm(self.blocks(x)))


class Training:
    """A model, its data, and how far it is.

    Attributes:
        train: the problems (a, b, op) that it learns from.
    """

    def __init__(self, seed: int, steps: int) -> None:
        torch.manual_seed(seed)
        self.tokenizer = arithmetic.ArithmeticTokenizer()
        problems = arithmetic.make_problems(PROBLEMS, DIGITS, "+", seed)
        self.train, _ = arithmetic.split_problems(problems, TEST_SHARE, seed)
        texts = [arithmetic.format_problem(a, b, op, reverse=True) for a, b, op in self.train]
        ids, mask = arithmetic.pad_batch([self.tokenizer.encode(text) for text in texts], self.tokenizer.pad_id)
        self.ids = ids
        self.labels = arithmetic.answer_labels(ids, mask, self.tokenizer.vocab["="])
        self.model = Decoder(self.tokenizer.vocab_size)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), weight_decay=0.01)
        self.step, self.steps = 0, steps
        self.generator = torch.Generator().manual_seed(seed)

    def rate(self) -> float:
        """Return the learning rate of this step: a short warm-up, then a cosine down to a twentieth."""
        cosine = 0.5 * (1 + math.cos(math.pi * self.step / self.steps))
        return LEARNING_RATE * min(1.0, self.step / WARMUP) * (0.05 + 0.95 * cosine)

    def learn(self, steps: int) -> list[float]:
        """Take so many steps of training and return the loss of each, in nats per scored token."""
        losses = []
        self.model.train()
        for _ in range(steps):
            self.step += 1
            chosen = torch.randint(len(self.ids), (BATCH,), generator=self.generator)
            loss = cross_entropy.cross_entropy(self.model(self.ids[chosen]), self.labels[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate()
            self.optimizer.step()
            losses.append(loss.item())
        return losses

    def answer(self, questions: list[tuple[int, int]]) -> list[tuple[str, int | None]]:
        """Return for each sum a + b what the model writes, and the number that it means; None if it is none."""
        self.model.eval()
        found: dict[tuple[int, int], tuple[str, int | None]] = {}
        prompts = [(pair, self.tokenizer.encode(f"{pair[0]}+{pair[1]}=", eos=False)) for pair in questions]
        for length in sorted({len(ids) for _, ids in prompts}):  # prompts of one length need no padding
            same = [(pair, ids) for pair, ids in prompts if len(ids) == length]
            batch = torch.tensor([ids for _, ids in same])
            made = arithmetic.generate(self.model, batch, MAX_ANSWER, self.tokenizer.eos_id).tolist()
            for (pair, _), row in zip(same, made, strict=True):
                text = self.tokenizer.decode(row)
                ended = self.tokenizer.eos_id in row[length:]
                found[pair] = (text, arithmetic.parse_answer(text, reverse=True) if ended else None)
        return [found[pair] for pair in questions]
