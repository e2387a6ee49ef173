"""Computes the numeric keys of quizzes/kv-cache.yaml from first principles."""

from decimal import Decimal
from fractions import Fraction


def kv_llama_two_bytes() -> Decimal:
    layers, heads, width, tokens, bytes_per_number = 32, 32, 128, 10_000, 2
    numbers = tokens * layers * heads * width * 2  # a key and a value
    return Decimal(numbers * bytes_per_number) / 10**9


def kv_chunk_mask() -> str:
    cached, new = 6, 3
    return str([sum(key <= cached + row for key in range(cached + new)) for row in range(new)])


def kv_paged_waste() -> int:
    size, lengths = 16, (100, 32, 5)
    taken = 0
    for length in lengths:
        room = 0
        for _ in range(length):
            if not room:
                taken += 1
                room = size
            room -= 1
    return taken * size - sum(lengths)


def kv_four_bits() -> Fraction:
    group, bits, extra = 64, 4, 16 + 16
    return Fraction(16 * group, bits * group + extra)


def kv_loop_feeds_the_text() -> int:
    cached, text = 0, 3
    for _ in range(3):
        cached += text
        text += 1
    return cached
