"""Writes what a made-up class hands in, so that everything a batch leads to can be shown and tried.

    python docs/class.py OUT                     # a folder for each student
    python docs/class.py OUT --layout canvas     # a zip as Canvas makes it, and the gradebook that it exports

No person is meant: the names are invented, some of them to be awkward. What is handed in comes from the solutions,
the starters, the accepted variants and the named wrong programs of this course. The same seed, the same class.
"""

import argparse
import csv
import io
import random
import re
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from grader.course import Course
from grader.diagnose import misconceptions
from grader.exercise import Exercise

COURSE = Course(Path(__file__).resolve().parent.parent)
SLUGS = ("bpe", "wordpiece", "norms")
TITLE = "Tokenizers and norms"
STAMP = (2026, 3, 2, 12, 0, 0)  # of every file in a zip, so that the same class is the same bytes

# invented; the last ones are what breaks pages, tables and file names that nobody has thought about
NAMES = [
    *("Tamsin Featherwick", "Odo Brambleby", "Isolde Quillfeather", "Rufus Tanglemoor", "Petra Lanternby"),
    *("Caspian Thistledown", "Wilhelmina Oxbarrow", "Fenwick Applegarth-Stone", "Juniper Nightwell", "Bartholo Mews"),
    *("Linnea Snöflinga", "Gísli Þokuson", "Zdeňka Větrná", "Ngozi Starharbour", "Kōji Umibashi"),
    *("Orla O'Thimble", "Søren Havkat", "Yusra Palmgrove", "Mbali Rivermist", "Tevita Coralbay"),
    *("Marisol de la Nube Azul", "Ulf", 'Quentin "Q" Marrowby', "<script>alert('Bobby Tables')"),
    *("شمس البحر الازرق", "כוכב הים הגדול", "=SUM(A1)+Cellwyn", "海 星子", "&amp; Percival 100% [Draft]_*x*"),
    "Aurelia " + "Longacre-" * 20 + "Hollowmere",  # 198 characters
]
CRASH = "import os\n\nos._exit(3)\n"
HALF = "def train(corpus, vocab_size\n    return []\n"
LOOP = "\n\ndef {name}(*args, **kwargs):\n    while True:\n        pass\n"
CALLS = """

def layer_norm(x, gain, bias, eps=1e-5):
    return torch.nn.functional.layer_norm(x, gain.shape, gain, bias, eps)
"""
PRINTS = """


def {name}(*args, **kwargs):
    print("I am here <b>", args[:1])
    return None
"""


@dataclass
class Member:
    """One of the class: the name, how late, and what was handed in for which exercise."""

    name: str
    number: int
    late: bool = False
    files: dict[str, str] = field(default_factory=dict)


class Stock:
    """Knows the programs of an exercise that somebody could hand in."""

    def __init__(self, exercise: Exercise) -> None:
        self.starter = COURSE.submission(exercise, None).read_text("utf-8")
        self.right = [COURSE.solution(exercise), *COURSE.accepted(exercise)]
        self.wrong = misconceptions(COURSE.misconceptions(exercise), COURSE.solution(exercise))

    def program(self, rng: random.Random, skill: float) -> str:
        """Return what a student of some skill between 0 and 1 hands in."""
        luck = rng.random()
        if luck < skill:
            return rng.choice(self.right).read_text("utf-8")
        if luck < 0.2 and skill < 0.5:
            return self.starter
        # many make the same mistake: the first of the list are the best known
        return self.wrong[min(int(rng.expovariate(0.12)), len(self.wrong) - 1)].source


def members(seed: int = 0) -> list[Member]:
    """Return the class, in the order of the names above."""
    rng = random.Random(seed)  # noqa: S311  nothing is secret here
    stocks = {slug: Stock(COURSE.find(slug)) for slug in SLUGS}
    found = []
    for number, name in enumerate(NAMES):
        skill = rng.betavariate(1.2, 1.5)
        files = {}
        for slug, stock in stocks.items():
            # a file nobody else has, unless it is meant to be a copy
            files[slug] = f"{stock.program(rng, skill)}\n# {name}\n" if rng.random() > 0.04 else ""
        found.append(Member(name, 4001 + 7 * number, rng.random() < 0.15, {s: t for s, t in files.items() if t}))
    return _spoiled(found, stocks)


def _spoiled(found: list[Member], stocks: dict[str, Stock]) -> list[Member]:
    """Make some of the class do what somebody in every class does."""
    solution = {slug: COURSE.solution(COURSE.find(slug)).read_text("utf-8") for slug in SLUGS}
    found[3].files["bpe"] = found[11].files["bpe"] = stocks["bpe"].wrong[2].source  # the same file
    found[11].files["norms"] = found[3].files["norms"] = solution["norms"].replace("variance", "spread")
    found[5].files["norms"] = solution["norms"] + CALLS  # a library does the exercise
    found[7].files["wordpiece"] = solution["wordpiece"] + LOOP.format(name="decode")
    found[9].files["bpe"] = HALF  # no program at all
    found[13].files["norms"] = CRASH
    found[17].files = dict.fromkeys(SLUGS, "")  # empty files
    found[19].files = {slug: stock.starter for slug, stock in stocks.items()}  # nothing was done
    found[21].files = {slug: f"{solution[slug]}# all right\n" for slug in SLUGS}
    found[23].files["wordpiece"] = solution["wordpiece"] + PRINTS.format(name="encode")
    return found


def folder(out: Path, found: list[Member]) -> None:
    """Write a folder for each student."""
    for member in found:
        place = out / member.name
        place.mkdir(parents=True, exist_ok=True)
        for slug, source in member.files.items():
            (place / f"{slug}.py").write_text(source, "utf-8")


def canvas(out: Path, found: list[Member]) -> None:
    """Write submissions.zip and gradebook.csv as Canvas does.

    A file is called <name>_[LATE_]<user>_<attachment>_<file>; the name is "Last, First" in lower case without
    anything but letters, digits and underscores.
    """
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out / "submissions.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        attachment = 70001
        for member in sorted(found, key=lambda member: _plain(member.name)):
            late = "LATE_" if member.late else ""
            for slug, source in member.files.items():
                name = f"{_plain(member.name)}_{late}{member.number}_{attachment}_{slug}.py"
                archive.writestr(zipfile.ZipInfo(name, STAMP), source.encode())
                attachment += 1
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\r\n")
    table.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"{TITLE} (9001)", "Final Score"])
    table.writerow(["    Points Possible", "", "", "", "", "100", "(read only)"])
    for member in sorted(found, key=lambda member: _sortable(member.name)):
        login = f"u{member.number}"
        table.writerow([_sortable(member.name), member.number, f"S{member.number}", login, "Lab A", "", ""])
    (out / "gradebook.csv").write_text("\ufeff" + lines.getvalue(), "utf-8")


def _sortable(name: str) -> str:
    """Return a name as registers sort it: Featherwick, Tamsin."""
    first, _, last = name.rpartition(" ")
    return f"{last}, {first}" if first else last


def _plain(name: str) -> str:
    return re.sub(r"\W", "", _sortable(name).lower())


LAYOUTS = {"folder": folder, "canvas": canvas}


def main(arguments: list[str]) -> None:
    """Write the class where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--layout", choices=LAYOUTS, default="folder")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    LAYOUTS[asked.layout](asked.out, members(asked.seed))


if __name__ == "__main__":
    main(sys.argv[1:])
