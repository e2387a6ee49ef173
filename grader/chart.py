"""Draws the loss of a training run: in the terminal, and as a PNG file."""

from collections.abc import Sequence
from pathlib import Path

from grader.errors import UsageError


def smooth(values: Sequence[float], width: int) -> list[float]:
    """Return the mean of each value and up to width - 1 before it: single batches jump."""
    found = []
    for end in range(1, len(values) + 1):
        window = values[max(0, end - width) : end]
        found.append(sum(window) / len(window))
    return found


def terminal(losses: Sequence[float], width: int, height: int = 14) -> str:
    """Return a chart of losses as text, without colours.

    Args:
        losses: of each step, in nats.
        width: in characters.
        height: in lines.
    """
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(width, height)
    plotext.plot(range(1, len(losses) + 1), smooth(losses, 10), marker="braille")
    plotext.title("loss (nats per token, mean of 10 steps)")
    plotext.xlabel("step")
    plotext.xticks(sorted({max(1, round(len(losses) * part / 4)) for part in range(5)}))
    plotext.ylim(0, None)
    return str(plotext.uncolorize(plotext.build()))


def png(losses: Sequence[float], marks: dict[int, float], path: Path) -> None:
    """Write the loss of each step and the marks of the exam as a PNG file.

    Raises:
        UsageError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("--png needs matplotlib: pip install 'llm-fundamentals-grader[plot]'") from None
    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    steps = range(1, len(losses) + 1)
    axes.plot(steps, losses, color="0.8", linewidth=0.8, label="loss of a batch")
    axes.plot(steps, smooth(losses, 10), color="tab:blue", label="mean of 10 steps")
    axes.set(xlabel="step", ylabel="loss (nats per token)", ylim=(0, None))
    right = axes.twinx()
    right.plot(list(marks), [100 * mark for mark in marks.values()], "o-", color="tab:orange", label="exam")
    right.set(ylabel="right answers (%)", ylim=(0, 102))
    lines = axes.get_lines() + right.get_lines()
    axes.legend(lines, [str(line.get_label()) for line in lines], loc="center right")
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
