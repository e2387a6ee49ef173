"""Computes the numeric keys of quizzes/lora.yaml from first principles."""

import torch


def lora_scaled_output() -> float:
    rank, alpha = 2, 6
    x, weight = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 1.0]])
    a, b = torch.eye(2), torch.tensor([[1.0], [2.0]])
    return (x @ weight.T + alpha / rank * (x @ a @ b)).item()


def lora_zero_start() -> str:
    generator = torch.Generator().manual_seed(1)
    x, grad = torch.randn(8, 4, generator=generator), torch.randn(8, 3, generator=generator)
    said = []
    for a, b in [
        (torch.randn(4, 2, generator=generator), torch.zeros(2, 3)),
        (torch.zeros(4, 2), torch.zeros(2, 3)),
    ]:
        gradients = {"A": x.T @ grad @ b.T, "B": (x @ a).T @ grad}
        said.append(str([name for name, gradient in gradients.items() if gradient.any()]))
    return " ".join(said)


def lora_gpt2_count() -> int:
    rank = 16
    block = [(768, 768)] * 4 + [(768, 3072), (3072, 768)]
    shapes = block * 12 + [(768, 2)]
    factors = [(torch.empty(i, rank, device="meta"), torch.empty(rank, o, device="meta")) for i, o in shapes]
    return sum(a.numel() + b.numel() for a, b in factors)


def lora_break_even() -> int:
    inputs, outputs = 4096, 1024
    return next(rank for rank in range(1, inputs) if rank * (inputs + outputs) > inputs * outputs)


def lora_ranks() -> str:
    generator = torch.Generator().manual_seed(1)
    weight, a, b = (torch.randn(*shape, generator=generator).double() for shape in [(64, 64), (64, 8), (8, 64)])
    ranks = [int(torch.linalg.matrix_rank(matrix)) for matrix in (a @ b, weight + a @ b)]
    return f"{ranks[0]} {ranks[1]}"


def lora_dora_length() -> str:
    adapted = torch.tensor([3.0, 4.0]) + torch.tensor([3.0, 4.0])
    row = 10 * adapted / adapted.norm()
    return str([round(number) for number in row.tolist()])


def lora_prefix_count() -> int:
    layers, width, tokens = 32, 4096, 20
    prefix = [[torch.empty(tokens, width, device="meta") for _ in ("key", "value")] for _ in range(layers)]
    return sum(part.numel() for layer in prefix for part in layer)
