"""Behind a fence every attack comes to nothing; without one it succeeds, which proves that it is an attack."""

import platform
from pathlib import Path

import pytest

from grader.verdict import Outcome
from tests.attacks.attack import LEAK, Ends
from tests.attacks.table import ATTACKS, table
from tests.attacks.target import MARK

CONTROLLED = [attack for attack in ATTACKS if attack.control is not None]


def skip_machine_code(attack):
    if attack.intel and platform.machine() != "x86_64":
        pytest.skip("its machine code is for x86_64")


@pytest.mark.parametrize("tier", ["A", "B"])
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack_comes_to_nothing(benches, aim, attack, tier):
    skip_machine_code(attack)
    bench = benches(tier, attack.torch)
    aim.clean()  # another that was not stopped shall not count here
    before = bench.state()
    result = bench.run(attack)
    assert bench.state() == before, "nothing is left, nothing else was touched, the worker is the same"
    assert evidence(result.finding, attack.expected(tier)), result.finding
    assert gained(result.outcomes, attack) == []
    assert MARK not in result.text(), "no secret was seen"
    assert all(is_a_line(verdict.message) for verdict in result.grade.verdicts)
    assert set(bench.next().outcomes) == {Outcome.PASSED}, "the next submission is graded as ever"


@pytest.mark.parametrize("attack", CONTROLLED, ids=str)
def test_the_same_attack_succeeds_without_a_fence(benches, aim, attack):
    skip_machine_code(attack)
    bench = benches("C", attack.torch)
    before = bench.processes()
    result = bench.run(attack)
    aim.clean()
    assert bench.processes() == before, "even without a fence no process is left"
    if attack.control is LEAK:
        assert MARK in result.text()
    elif not evidence(result.finding, attack.control) and missing(result.finding.got.value):
        pytest.skip(f"this machine stops it without a fence: {result.finding.got.value}")
    else:
        assert evidence(result.finding, attack.control), result.finding


def evidence(finding, expected):
    """Whether what came back is what is expected."""
    got = finding.got
    return expected.fits(finding) if isinstance(expected, Ends) else (got.kind, got.value) == ("value", expected)


def is_a_line(text):
    """Whether a message is a line that can be printed, and not so long that it hides what stands around it."""
    return text.isprintable() and len(text) < 2000


def gained(outcomes, attack):
    """Return what an attack gained that it had no right to, or lost although it had: nothing."""
    double, quadruple, *portable = outcomes
    found = ["an excuse"] if Outcome.BROKEN in outcomes else []
    if attack.honest:
        return found + [outcome for outcome in outcomes if outcome is not Outcome.PASSED]
    found += ["a point for double"] if double is Outcome.PASSED else []
    found += ["a point for portability"] if attack.portable and Outcome.PASSED in portable else []
    if (quadruple is Outcome.PASSED) is not attack.loads:
        found.append(f"quadruple, which is right: {quadruple}")
    return found


def missing(value):
    """Whether a kernel without some call, or a container that forbids it, did the fence's work."""
    found = value.values() if isinstance(value, dict) else [value]
    return any(item == "ENOSYS" for item in found)


@pytest.mark.parametrize("tensors", [False, True], ids=["plain", "torch"])
@pytest.mark.parametrize("tier", ["A", "B"])
def test_a_worker_shares_no_memory_with_submissions(benches, tier, tensors):
    for pid, _ in benches(tier, tensors).processes():
        try:
            maps = Path(f"/proc/{pid}/maps").read_text("utf-8")
        except PermissionError:
            pytest.skip("only root may look at a worker")
        assert [line for line in maps.splitlines() if line.split()[1].startswith("rw") and "s" in line.split()[1]] == []


def test_the_table_has_every_attack_once():
    numbers = [attack.number for attack in ATTACKS]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 85
    assert len(table().splitlines()) == len(ATTACKS) + 2


def test_the_published_table_is_the_current_one():
    published = (Path(__file__).parent.parent.parent / "docs" / "security.md").read_text("utf-8")
    assert (
        published.partition("<!-- generated below: python -m tests.attacks.table -->\n\n")[2].strip() == table().strip()
    )


def test_an_attack_has_a_control_or_a_reason_to_have_none():
    assert [str(attack) for attack in ATTACKS if (attack.control is None) is not bool(attack.uncontrolled)] == []


NAIVE = [attack for attack in ATTACKS if attack.naive]


@pytest.mark.parametrize("attack", NAIVE, ids=str)
def test_a_careless_grader_would_have_been_fooled(attack):
    torch = pytest.importorskip("torch")
    assert eval(attack.naive, {"torch": torch})
