"""Computes the numeric keys of quizzes/distributed.yaml from first principles."""

from fractions import Fraction

_GB = 10**9
_BF16, _FP32 = 2, 4  # bytes


def dist_adam_bytes() -> Fraction:
    """Weight, gradient; master weight, first and second moment."""
    each = _BF16 + _BF16 + _FP32 + _FP32 + _FP32
    return Fraction(each * 7 * 10**9, _GB)


def dist_zero2_per_gpu() -> Fraction:
    """Weights whole, gradients and optimizer states sharded."""
    ranks, parameters = 16, 8 * 10**9
    whole = _BF16
    sharded = _BF16 + _FP32 + _FP32 + _FP32
    return Fraction(whole * parameters, _GB) + Fraction(sharded * parameters, _GB * ranks)


def dist_ring_sent() -> Fraction:
    """Plays the ring: who holds the sum of which ranks for which chunk, and how many chunks rank 0 sends."""
    ranks = 8
    held = [[{rank} for _ in range(ranks)] for rank in range(ranks)]
    sent = 0
    for phase in range(2):
        for step in range(ranks - 1):
            sends = [(rank, (rank + phase - step) % ranks) for rank in range(ranks)]
            messages = [(rank, chunk, set(held[rank][chunk])) for rank, chunk in sends]
            sent += sum(rank == 0 for rank, _, _ in messages)
            for rank, chunk, content in messages:
                held[(rank + 1) % ranks][chunk] |= content
    assert all(chunk == set(range(ranks)) for row in held for chunk in row)
    return Fraction(sent * _BF16 * 15 * 10**8, ranks * _GB)


def dist_fsdp_volume() -> str:
    """Passes over the data: an all-reduce is a reduce-scatter and an all-gather."""
    gather = scatter = 1
    return f"{(gather + gather + scatter) / (scatter + gather):g} times"


def dist_bubble() -> Fraction:
    """Runs the schedule: a pass starts when the pass before it and the stage are done."""
    stages, micro = 4, 12
    free = [0] * stages
    for order in (range(stages), range(stages - 1, -1, -1)):  # forward, backward
        start = max(free) if order[0] else 0
        for _ in range(micro):
            done = start
            for stage in order:
                done = free[stage] = max(done, free[stage]) + 1
    return 1 - Fraction(2 * micro, max(free))


def dist_recompute_cost() -> str:
    """A forward pass is the unit."""
    forward, backward = 1, 2
    return f"{100 * forward / (forward + backward):.0f} %"


def dist_qlora_fsdp() -> str:
    """The only plan below 24 GB."""
    parameters = 70 * 10**9
    plans = {
        "4 bit, with a full copy": Fraction(4, 8),
        "bf16, with half": Fraction(16, 8) / 2,
        "4 bit, with half": Fraction(4, 8) / 2,
        "bf16, with adapters": Fraction(16, 8),
    }
    (plan,) = (name for name, each in plans.items() if each * parameters < 24 * _GB)
    return plan
