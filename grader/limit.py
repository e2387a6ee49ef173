"""What the kernel holds a submission to."""

import os
from pathlib import Path

from grader.case import Job


def kernel_limits(job: Job, running: int | None = None) -> dict[str, int]:
    """Return the limits that the kernel enforces, in the units of setrlimit; 0 is no limit.

    Args:
        job: the submission.
        running: how many processes the worker's user has already, None to count those of this user.
    """
    limits = job.limits
    return {
        # CUDA reserves more address space than any limit that would mean something
        "memory": 0 if job.device == "cuda" else limits.memory_mib << 20,
        "file": limits.file_mib << 20,
        "files": 1024 if job.device == "cuda" else 64,  # CUDA opens dozens of device files
        "processes": (_own_processes() if running is None else running) + limits.processes,
        # the clock ends a case much earlier; this ends what the clock cannot see
        "cpu": int(limits.load_seconds + 60 * limits.check_seconds),
    }


def _own_processes() -> int:
    """Return how many threads this user has: RLIMIT_NPROC counts them all, not only the child's."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.getuid():
                count += sum(1 for _ in (process / "task").iterdir())
        except OSError:  # it has ended meanwhile
            continue
    return count
