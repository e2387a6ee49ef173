"""Hostile submissions in a class: everyone else has the same results, byte for byte, as without them."""

import csv
import json
import random

import pytest

from grader.batch import run
from grader.plan import Plan
from grader.tier import best
from tests.attacks.harness import QUADRUPLE, TOOLS
from tests.attacks.table import ATTACKS
from tests.attacks.target import MARK

HONEST = 270
KINDS = (
    "def double(x):\n    return 2 * x\n",
    "def double(x):\n    return x + 1\n",
    "def double(x):\n    raise ValueError(x)\n",
    "def double(x):\n    print('hello', object())\n    return [][1]\n",
    "def double(x):\n    raise NotImplementedError\n",
)
# those that run forever are few: each of them costs its time limits
QUICK = [attack for attack in ATTACKS if attack.quick and not attack.torch][::8][:4]
OTHERS = [attack for attack in ATTACKS if not (attack.quick or attack.torch or attack.intel)]
HOSTILE = [*QUICK, *random.Random(0).sample(OTHERS, 30 - len(QUICK))]


@pytest.fixture(scope="module")
def classes(aim, tmp_path_factory):
    """Return the results of a class without and with hostile members."""
    if best().tier == "C":
        pytest.skip("no fence works on this machine: see grader doctor")
    honest = {f"s{number:03d}": f"{KINDS[number % len(KINDS)]}{QUADRUPLE}# {number}\n" for number in range(HONEST)}
    head = f"{aim.constants(False, control=False)}\n{TOOLS}\n"
    # their names put them between the others
    places = random.Random(1).sample(range(HONEST), len(HOSTILE))
    hostile = {
        f"s{place:03d}-{attack.number}": f"{head}{attack.source}{QUADRUPLE}"
        for place, attack in zip(places, HOSTILE, strict=True)
    }
    found = []
    for members in (honest, honest | hostile):
        folder = tmp_path_factory.mktemp("class")
        for name, source in members.items():
            (folder / "in" / name).mkdir(parents=True)
            (folder / "in" / name / "double.py").write_text(source, "utf-8", "surrogatepass")
        summary = run(aim.course, Plan(folder / "in", folder / "out", jobs=2), lambda _: None, lambda _: None)
        assert summary.students == len(members)
        assert summary.broken == []
        found.append(folder / "out")
    return found


def test_the_honest_have_the_same_results_byte_for_byte(classes):
    without, among = classes
    for number in range(HONEST):
        name = f"s{number:03d}.json"
        assert (among / "grades" / name).read_bytes() == (without / "grades" / name).read_bytes()
    rows = [list(csv.reader((folder / "gradebook.csv").read_text("utf-8").splitlines())) for folder in classes]
    assert [row for row in rows[1] if "-" not in row[0]] == rows[0]


def test_the_hostile_gain_nothing_and_see_no_secret(classes):
    _, among = classes
    seen = 0
    for path in (among / "grades").glob("s???-*.json"):
        text = path.read_text("utf-8")
        assert MARK not in text
        double, quadruple = json.loads(text)["exercises"][0]["verdicts"]
        attack = next(item for item in HOSTILE if path.stem.endswith(f"-{item.number}"))
        assert (double["outcome"] == "passed") <= attack.honest
        assert (quadruple["outcome"] == "passed") == attack.loads
        seen += 1
    assert seen == len(HOSTILE) == 30
