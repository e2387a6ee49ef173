"""Where tasks are graded: in processes of this machine, or on a dask cluster. Both are executors of futures."""

import multiprocessing
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, Protocol

from grader import node
from grader.bundle import Bundle
from grader.errors import UsageError
from grader.node import Done, Task


class Pool(Protocol):
    """Grades tasks elsewhere."""

    size: int

    def submit(self, task: Task) -> "Future[Done]":
        """Begin to grade a task."""
        ...

    def renew(self) -> None:
        """Replace what is broken; tasks that were not done must be submitted again."""
        ...

    def close(self, now: bool = False) -> None:
        """End all processes; `now` without waiting for what they do."""
        ...


class Local:
    """Processes of this machine, each with workers of its own."""

    def __init__(self, bundles: Mapping[str, Bundle], jobs: int, plain: bool) -> None:
        self.size = jobs
        self._bundles = dict(bundles)
        self._plain = plain
        self._executor = self._start()

    def submit(self, task: Task) -> "Future[Done]":
        """Begin to grade a task; see `Pool`."""
        return self._executor.submit(node.grade, task)

    def renew(self) -> None:
        """Start new processes; see `Pool`."""
        self.close(now=True)
        self._executor = self._start()

    def close(self, now: bool = False) -> None:
        """End all processes; see `Pool`."""
        if now:
            for process in list((self._executor._processes or {}).values()):
                process.kill()
        self._executor.shutdown(cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.size, spawn, node.begin, (self._bundles, self._plain))


class Cluster:
    """An existing dask cluster. The bundles are sent to its workers once."""

    def __init__(self, address: str, bundles: Mapping[str, Bundle]) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError("a cluster needs dask: pip install 'llm-fundamentals-grader[cluster]'") from None
        connect: Any = distributed.Client  # its methods have no annotations
        try:
            self._client: Any = connect(address, timeout="10s")
        except (OSError, ValueError) as error:
            raise UsageError(f"--scheduler {address}: no dask scheduler answers there: {error}") from None
        self.size = max(1, sum(self._client.nthreads().values()))
        self._executor: Any = self._client.get_executor(pure=False, retries=2)
        self._held = {
            slug: self._client.scatter(bundle, broadcast=True, hash=False) for slug, bundle in bundles.items()
        }

    def submit(self, task: Task) -> "Future[Done]":
        """Begin to grade a task; see `Pool`."""
        found: Future[Done] = self._executor.submit(node.grade, task, self._held[task.slug])
        return found

    def renew(self) -> None:
        """Do nothing: dask replaces its workers itself, and gives what they did to others."""

    def close(self, now: bool = False) -> None:
        """Leave the cluster, which goes on; see `Pool`."""
        self._executor.shutdown(wait=not now)
        self._client.close()
