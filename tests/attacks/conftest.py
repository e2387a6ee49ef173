"""Fixtures: what the attacks aim at, and one warm worker for each fence, started when it is first asked for."""

import functools
import os
from contextlib import ExitStack

import pytest

from grader.fence import Fence
from grader.tier import named
from tests.attacks.harness import Bench, bench
from tests.attacks.target import MARK, target


@pytest.fixture(scope="session")
def aim(tiny):
    """Return what the attacks aim at; the grader has a secret in its environment meanwhile."""
    os.environ["GRADER_TOKEN"] = MARK
    with target(tiny) as made:
        yield made
    del os.environ["GRADER_TOKEN"]


@pytest.fixture(scope="session")
def benches(aim):
    """Return a function that gives the worker of a tier, or skips if the tier does not work here."""
    tried = functools.cache(named)
    started: dict[tuple[str, bool], Bench] = {}
    with ExitStack() as stack:

        def find(tier: str, tensors: bool) -> Bench:
            finding = tried(tier) if tier != "C" else None
            if finding and not finding.works:
                pytest.skip(f"tier {tier} does not work here: {finding.problem}")
            if (tier, tensors) not in started:
                fence = finding.fence if finding else Fence()
                started[tier, tensors] = stack.enter_context(bench(aim, fence, tensors))
            return started[tier, tensors]

        yield find
