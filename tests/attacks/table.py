"""All attacks, and the table of them in docs/security.md: `python -m tests.attacks.table` prints it."""

import sys

from tests.attacks import (
    cheats,
    files,
    forgery,
    hang,
    kernel,
    network,
    others,
    processes,
    protocol,
    resources,
    rights,
    values,
    writing,
)
from tests.attacks.attack import Attack

MODULES = (
    files,
    writing,
    protocol,
    forgery,
    hang,
    processes,
    others,
    rights,
    resources,
    network,
    kernel,
    values,
    cheats,
)
ATTACKS: list[Attack] = sorted((attack for module in MODULES for attack in module.ATTACKS), key=lambda a: a.number)


def table() -> str:
    """Return a Markdown table with a row for each attack."""
    lines = ["| number | attack | what stops it | what the student's process sees |", "|---|---|---|---|"]
    lines += [f"| {item.number} | {item.name} | {item.stops} | {_cell(item.shown())} |" for item in ATTACKS]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(table())
