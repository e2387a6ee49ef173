"""How soon `grader quiz` asks its first question, as a ratio to an import of rich.

    python benchmarks/quiz.py [--n 15]

Both are started in turns, and medians are compared. The target is 0.4 s for the command. The bank is read from its
files once before (its cache is what every later start meets); that first start is printed too.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
QUIZ = [sys.executable, "-m", "grader", "quiz", "--course", str(ROOT)]
RICH = [sys.executable, "-c", "import rich.console"]
TARGET = 0.4


def until_asked(log: Path) -> float:
    """Return the seconds from the start of the command to its first prompt."""
    began = time.perf_counter()
    command = [*QUIZ, "--log", str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        screen = b""
        while not screen.endswith(b"> "):
            got = os.read(process.stdout.fileno(), 65536)
            if not got:
                sys.exit("the command ended before it asked anything")
            screen += got
        took = time.perf_counter() - began
        process.kill()
    return took


def imported() -> float:
    """Return the seconds that an import of rich takes, with its process."""
    began = time.perf_counter()
    subprocess.run(RICH, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=15, help="how often each is started")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        log = Path(folder) / "reviews.jsonl"
        first = until_asked(log)
        pairs = [(until_asked(log), imported()) for _ in range(wanted.n)]
    quiz, rich = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"first start, the bank is read from its files: {first:.2f} s")
    print(f"grader quiz to its first question: {quiz:.3f} s (target {TARGET} s)")
    print(f"python -c 'import rich.console': {rich:.3f} s")
    print(f"ratio: {quiz / rich:.2f}")


if __name__ == "__main__":
    main()
