"""The fence: runs a student's file in a process of its own and asks it for answers.

A `Sandbox` owns one worker process (worker/__main__.py) that imports the heavy libraries once and
forks for each submission; the fork executes the student's file and answers cases. Nothing that comes
back is trusted: every message has a size cap and one deadline, and whatever goes wrong is an `Answer`
about that submission, not an exception here. `FaultError` means that the worker itself failed.
"""

import contextlib
import hashlib
import os
import signal
import time
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any, Self

from grader.case import Answer, Case, Job, Limits
from grader.channel import Channel, answer_of, ended
from grader.errors import FaultError, WireError
from grader.fence import OWN_PROCESSES, Fence
from grader.limit import kernel_limits
from grader.round import CANARY, LAST, Round, Used, question
from grader.tree import Caps
from grader.wire import TRUSTED, pack, unpack
from grader.zygote import Zygote

GRACE_SECONDS = 1.0  # for a process that has closed its connection to end by itself
PLAIN = Fence()


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
        job, loaded = self._ready()
        if loaded:
            return loaded
        left = job.limits.check_seconds - self._spent.get(check, 0.0)
        if left <= 0:
            return Answer("timeout", message=f"the check took more than {job.limits.check_seconds:g} s")
        begun = time.monotonic()
        asked, seconds = question(check, [case]), min(left, job.limits.case_seconds)
        answer = self._answers(self._ask(asked, seconds))[0]
        self._spent[check] = self._spent.get(check, 0.0) + time.monotonic() - begun
        if answer.kind == "broken":
            return self._confirmed(answer, lambda: self._answers(self._ask(asked, seconds))[0])
        return answer

    def round(self, asked: bytes, count: int, known: Container[bytes] = ()) -> Round | None:
        """Return what a probe makes of several cases, in one message each way.

        Args:
            asked: what `question` returns for the cases.
            count: of the cases.
            known: seals of rounds whose answers need not be read.

        Returns:
            None if they must be asked one by one, in a fresh process, to know what happened: together they
            took longer than one may, or the process ended, or an answer cannot be sent.

        Raises:
            FaultError: the worker does not work, or no submission was opened.
        """
        job, loaded = self._ready()
        reply = loaded or self._ask(asked, job.limits.case_seconds)
        if isinstance(reply, Answer):
            return None
        seal = hashlib.sha256(reply).digest()
        if seal in known:
            return Round(seal)
        answers = self._answers(reply)
        whole = len(answers) == count or answers[-1].kind in LAST
        return Round(seal, tuple(answers)) if whole and answers[-1].kind in (*LAST, "value", "raised") else None

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

    def _ready(self) -> tuple[Job, Answer | None]:
        """Return the submission that is open, and why it cannot be asked, if it cannot."""
        if self._job is None:
            raise FaultError("no submission was opened in the sandbox")
        loaded = self._load() if self._runner is None else None
        return self._job, loaded if loaded and loaded.kind != "value" else None

    def _load(self) -> Answer:
        job = self._job
        assert job is not None
        if self._runner is None:
            self._runner = self._zygote.fork(job.probes)
        message = {
            "slug": job.slug,
            "source": job.source,
            "probes": job.probes,
            "parts": job.parts,
            "device": job.device,
            "limits": kernel_limits(job, OWN_PROCESSES if self.fence.inside or self.fence.root else None),
        }
        reply = self._ask(pack(message, TRUSTED), job.limits.load_seconds)
        answer = reply if isinstance(reply, Answer) else self._read(reply, lambda found: [answer_of(found)])[0]
        return self._confirmed(answer) if answer.kind == "broken" else answer

    def _confirmed(self, answer: Answer, again: Callable[[], Answer] | None = None) -> Answer:
        """Return the answer that we are broken only if it comes without the student's file too: it may be forged.

        Args:
            answer: that was given.
            again: asks the same question once more; None if it was given on loading.
        """
        job = self._job
        assert job is not None
        if not job.source and not job.parts:
            return answer
        self.leave()
        self._job = replace(job, source=b"", parts={})
        try:
            alone = self._load()
            if alone.kind == "value" and again:
                alone = again()
            self.leave()
        finally:
            self._job = job
        if alone.kind == "broken":
            return alone
        self.alarms += 1
        return Answer("violation", message="the program answered in the grader's place", output=answer.output)

    def _answers(self, reply: bytes | Answer) -> list[Answer]:
        """Return the answers of a reply; one that says why if there are none."""

        def read(found: dict[str, Any]) -> list[Answer]:
            answers = found.get("value")
            if found.get("kind") != "value":
                return [answer_of(found)]
            if type(answers) is not list or not answers:
                raise WireError("an answer that has no answers")
            return [answer_of(answer) for answer in answers]

        return [reply] if isinstance(reply, Answer) else self._read(reply, read)

    def _read(self, reply: bytes, read: Callable[[dict[str, Any]], list[Answer]]) -> list[Answer]:
        """Read a reply; a program that sends what cannot be read is ended."""
        runner, job = self._runner, self._job
        assert runner is not None
        assert job is not None
        try:
            found = unpack(reply, Caps(frame=job.limits.frame_mib << 20))
            if not isinstance(found, dict):
                raise WireError("an answer with unknown fields")
            return [replace(answer, output=runner.tail()) for answer in read(found)]
        except WireError as error:
            return [self._violation(error)]

    def _violation(self, error: WireError) -> Answer:
        assert self._runner is not None
        runner = self._runner
        self.alarms += 1
        self._reap()
        return Answer("violation", message=f"what came back cannot be read: {error}", output=runner.tail())

    def _ask(self, message: bytes, seconds: float) -> bytes | Answer:
        """Send a message to the submission's process and return its reply, or how it ended; it is killed then."""
        runner, job = self._runner, self._job
        assert runner is not None
        assert job is not None
        try:
            return runner.exchange(message, time.monotonic() + seconds, Caps(frame=job.limits.frame_mib << 20))
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
            return replace(ended(status), output=runner.tail())
        except WireError as error:
            return self._violation(error)

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
