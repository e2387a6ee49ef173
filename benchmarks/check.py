"""Measures what a student waits for: `grader check` beside the imports that it cannot avoid.

Run it with the interpreter of the environment: python benchmarks/check.py [--rounds N]
The commands take turns, so that a drift of the machine's speed meets both; medians are printed.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
GRADER = "import sys; from grader.entry import main; sys.argv = ['grader', *{!r}]; main()"


def seconds(code: str) -> float:
    """Return the wall time of a Python program in a process of its own."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Print the table, and whether the promises hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    programs = {
        "import torch": "import torch",
        "import rich": "import rich",
        "grader list": GRADER.format(["list"]),
        "grader check bpe": GRADER.format(["check", "bpe", "--from", "solutions"]),
        "grader check norms": GRADER.format(["check", "norms", "--from", "solutions"]),
    }
    for code in programs.values():  # once, uncounted: records the banks, warms the disk
        seconds(code)
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, code in programs.items():
            times[name].append(seconds(code))
    median = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        print(f"{name:<20} {median[name]:6.2f} s   ({min(values):.2f} to {max(values):.2f})")
    base, norms, bpe = median["import torch"], median["grader check norms"], median["grader check bpe"]
    bound = 1.4 * base + 0.5
    print(f"\nnorms / import torch = {norms / base:.2f}")
    print(f"norms {norms:.2f} s, promised at most 1.4 x import torch + 0.5 s = {bound:.2f} s: {_word(norms <= bound)}")
    print(f"bpe   {bpe:.2f} s, promised under 1 s: {_word(bpe < 1)}")


def _word(holds: bool) -> str:
    return "holds" if holds else "DOES NOT HOLD"


if __name__ == "__main__":
    main()
