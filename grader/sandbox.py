"""The fence: runs a student's file in a process of its own and asks it for answers.

A `Sandbox` owns one worker process (worker/__main__.py) that imports the heavy libraries once and
forks for each submission; the fork executes the student's file and answers cases. Nothing that comes
back is trusted: every message has a size cap and one deadline, and whatever goes wrong is an `Answer`
about that submission, not an exception here. `FaultError` means that the worker itself failed.
"""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from typing import Any, Self

from grader.case import Answer, Case, Job, Kind, Limits
from grader.channel import Channel, answer_of
from grader.errors import FaultError, WireError
from grader.fence import OWN_PROCESSES, Fence
from grader.limit import kernel_limits
from grader.tree import Caps
from grader.zygote import Zygote

GRACE_SECONDS = 1.0  # for a process that has closed its connection to end by itself
PLAIN = Fence()
CANARY = Job("canary", b"def twice(x):\n    return x + x\n", "def twice(module, x):\n    return module.twice(x)\n")


@dataclass(slots=True)
class Used:
    """What submissions used, as the kernel counted it: processor seconds, and the most memory (KiB)."""

    seconds: float = 0.0
    kib: int = 0


class Sandbox:
    """Answers cases with a student's program.

    Use it as a context manager. The worker starts at once and loads `preload` while the caller goes
    on; `open` waits for it.

    Attributes:
        fence: what stands between the worker and the machine.
        used: by all submissions since it was last set.
        alarms: how often something looked wrong: a process cut its connection, broke the protocol,
            was killed, left processes behind, or took the worker with it. The worker may be tried then.
        shot: how many submissions the system killed, or someone else who may.
    """

    def __init__(self, preload: tuple[str, ...] = (), fence: Fence = PLAIN) -> None:
        self.fence = fence
        self.shot = 0
        self.used = Used()
        self.alarms = 0
        self._job: Job | None = None
        self._runner: Channel | None = None
        self._spent: dict[str, float] = {}
        self._zygote = Zygote(preload, fence)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill everything and remove the temporary folder."""
        # a worker that has failed already cannot be asked to kill; it has reported that before
        with contextlib.suppress(FaultError):
            self.leave()
        self._zygote.close()

    def open(self, job: Job, fresh: bool = True) -> Answer:
        """Load a submission. Kind "value" means that it is ready to answer.

        Args:
            job: the submission.
            fresh: in a process of its own, as every submission needs it. Our own programs may follow
                each other in one process, which takes a tenth of the time.

        Raises:
            FaultError: the worker does not work.
        """
        if fresh:
            self.leave()
        self._job = job
        self._spent = {}
        return self._load()

    def leave(self) -> None:
        """Kill the program of the current submission, if it runs."""
        if self._runner:
            self._reap()

    @property
    def pid(self) -> int:
        """The number of the worker's process on this machine."""
        return self._zygote.pid

    @property
    def warm(self) -> bool:
        """Whether the process of the submission began with everything warmed: all but the very first."""
        return self._zygote.forks > 1

    def answer(self, check: str, case: Case) -> Answer:
        """Return what the probe of a check makes of a case, in a fresh process if the last one ended.

        Raises:
            FaultError: the worker does not work, or no submission was opened.
        """
        if self._job is None:
            raise FaultError("no submission was opened in the sandbox")
        if self._runner is None:
            loaded = self._load()
            if loaded.kind != "value":
                return loaded
        left = self._job.limits.check_seconds - self._spent.get(check, 0.0)
        if left <= 0:
            return Answer("timeout", message=f"the check took more than {self._job.limits.check_seconds:g} s")
        begun = time.monotonic()
        answer = self._ask({"check": check, "inputs": case.inputs}, min(left, self._job.limits.case_seconds))
        self._spent[check] = self._spent.get(check, 0.0) + time.monotonic() - begun
        return answer

    def sound(self) -> bool:
        """Say whether the worker still does what it should, by a program whose answer is known."""
        try:
            self.open(CANARY)
            answer = self.answer("twice", Case({"x": [1, "a", 0.5]}))
            self.leave()
        except FaultError:
            return False
        return answer.kind == "value" and answer.value == [1, "a", 0.5, 1, "a", 0.5]

    def has_cuda(self) -> bool:
        """Say whether torch finds a GPU; asked of a fork, so that CUDA never starts in the grader.

        Raises:
            FaultError: the worker does not work.
        """
        probe = "def cuda(module):\n    import torch\n    return torch.cuda.is_available()"
        self.open(Job("device", b"", probe, limits=Limits(case_seconds=60, check_seconds=60, memory_mib=1 << 16)))
        found = self.answer("cuda", Case({}))
        self.leave()
        return found.kind == "value" and found.value is True

    # --- the submission's process ---------------------------------------------------------

    def _load(self) -> Answer:
        job = self._job
        assert job is not None
        if self._runner is None:
            self._runner = self._zygote.fork()
        message = {
            "slug": job.slug,
            "source": job.source,
            "probes": job.probes,
            "parts": job.parts,
            "device": job.device,
            "limits": kernel_limits(job, OWN_PROCESSES if self.fence.inside or self.fence.root else None),
        }
        return self._ask(message, job.limits.load_seconds)

    def _ask(self, message: dict[str, Any], seconds: float) -> Answer:
        """Send a message to the submission's process and return its answer; kill it unless it is well."""
        runner, job = self._runner, self._job
        assert runner is not None
        assert job is not None
        caps = Caps(frame=job.limits.frame_mib << 20)
        try:
            reply = runner.exchange(message, time.monotonic() + seconds, caps)
            return answer_of(reply, runner.tail())
        except TimeoutError:
            self.alarms += 1
            self._reap()
            return Answer(
                "timeout",
                message=f"no answer within {seconds:.3g} s; is there a loop that does not end?",
                output=runner.tail(),
            )
        except (EOFError, ConnectionError):
            self.alarms += 1
            status, killed = self._reap(grace=GRACE_SECONDS)
            self.shot += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and not killed
            if killed:
                return Answer("died", message="the program cut its connection to the grader", output=runner.tail())
            return self._died(status, runner.tail())
        except WireError as error:
            self.alarms += 1
            self._reap()
            return Answer("violation", message=f"what came back cannot be read: {error}", output=runner.tail())

    def _died(self, status: int, output: str) -> Answer:
        """Describe how a process ended, from its wait status."""
        assert self._job is not None
        if os.WIFEXITED(status):
            code = os.WEXITSTATUS(status)
            return Answer("died", message=f"the program ended the process (exit status {code})", output=output)
        number = os.WTERMSIG(status)
        kind: Kind = {signal.SIGXCPU: "timeout", signal.SIGKILL: "memory"}.get(signal.Signals(number), "died")  # type: ignore[assignment]  # the values are kinds
        texts = {
            signal.SIGSEGV: "the process crashed (segmentation fault); often a recursion without end",
            signal.SIGXCPU: "the program used up its processor time",
            signal.SIGSYS: "the program made a system call of another kind of machine, which is not allowed",
            signal.SIGKILL: "the system killed the process; most likely it ran out of memory",
        }
        name = signal.Signals(number).name
        return Answer(
            kind, message=texts.get(signal.Signals(number), f"the process was ended by {name}"), output=output
        )

    def _reap(self, grace: float = 0.0) -> tuple[int, bool]:
        """End the submission's process group; return how its leader ended, and whether it was killed."""
        runner, self._runner = self._runner, None
        assert runner is not None
        try:
            ended = self._zygote.reap(runner, grace)
        except FaultError:
            self.alarms += 1
            if self.fence.tier != "C":
                raise FaultError("the worker was killed, which no submission can do from behind the fence") from None
            # nothing of ours touches the worker while a submission runs: it was the submission
            return 0, True
        self.used.seconds += ended["seconds"]
        self.used.kib = max(self.used.kib, ended["kib"])
        self.alarms += bool(ended["left"])
        return ended["status"], ended["killed"]
