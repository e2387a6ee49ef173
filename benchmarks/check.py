"""Measures what a student waits for: `grader check` beside the imports that it cannot avoid.

Run it with the interpreter of the environment: python benchmarks/check.py [--rounds N]
The commands take turns, so that a drift of the machine's speed meets both; medians are printed. Then, for each
exercise, how long the shipped solution takes and how much of that is the grader's own code: the parent is profiled
(which slows it down, so the share is an upper bound) and the time in files of grader/ is added up; the rest is
libraries, and waiting for the worker, which imports torch and runs the solution.
"""

import argparse
import cProfile
import pstats
import statistics
import subprocess
import sys
import time
from pathlib import Path

from grader.course import find_course
from grader.study import Wish, run

ROOT = Path(__file__).parent.parent
GRADER = "import sys; from grader.entry import main; sys.argv = ['grader', *{!r}]; main()"


def seconds(code: str) -> float:
    """Return the wall time of a Python program in a process of its own."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def shares() -> None:
    """Print wall time and own share of each exercise, and of all together."""
    total = own = 0.0
    print("\ngrader check SLUG --from solutions, answers recorded before")
    for exercise in find_course(ROOT).exercises():
        wish = Wish([exercise.slug], ROOT / "solutions", "cpu", None, 0, ROOT)
        run(wish)  # once, uncounted: records the bank
        begun = time.perf_counter()
        result = run(wish)
        wall = time.perf_counter() - begun
        profile = cProfile.Profile()
        begun = time.perf_counter()
        profile.runcall(run, wish)
        profiled = time.perf_counter() - begun
        rows = pstats.Stats(profile).stats.items()  # type: ignore[attr-defined]  # typeshed leaves it out
        ours = sum(row[2] for (file, _, _), row in rows if file.startswith(str(ROOT / "grader")))
        total, own = total + wall, own + wall * ours / profiled
        print(f"{exercise.slug:<14} {result.score}/{result.points} {wall:6.2f} s, own code {ours / profiled:5.1%}")
    print(f"{'all':<14} {total:12.2f} s, own code {own / total:5.1%}")


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
    shares()


def _word(holds: bool) -> str:
    return "holds" if holds else "DOES NOT HOLD"


if __name__ == "__main__":
    main()
