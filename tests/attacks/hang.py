"""Attacks on time: calls that never end, by every means."""

from tests.attacks.attack import Attack, Ends

CLOCK = "the grader's clock, then SIGKILL"
SAME = "the clock is the grader's at every tier"
LATE = Ends(("timeout",), "no answer within")


def endless(number: int, name: str, source: str, loads: bool = True) -> Attack:
    """Return an attack that takes forever."""
    return Attack(number, name, source, CLOCK, LATE, uncontrolled=SAME, quick=True, loads=loads)


ATTACKS = [
    endless(27, "loop in a call", "def double(x):\n    while True:\n        pass\n"),
    endless(28, "loop while it is loaded", "while True:\n    pass\n", loads=False),
    endless(
        29,
        "loop and catch every exception",
        """
def double(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
""",
    ),
    endless(
        30,
        "ignore all signals and loop",
        """
import signal


def double(x):
    for number in signal.valid_signals():
        tried(signal.signal, number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        pass
""",
    ),
    endless(
        31,
        "match a regular expression that backtracks, in C",
        'import re\n\n\ndef double(x):\n    return re.match(r"(a+)+$", "a" * 64 + "b")\n',
    ),
    Attack(
        32,
        "compute a power of powers, in C",
        "def double(x):\n    nine = int(x) + 7\n    return nine ** nine ** nine\n",
        stops="the grader's clock; a limit on memory",
        sees=Ends(("timeout", "memory")),
        uncontrolled=SAME,
        quick=True,
    ),
    endless(33, "sleep for eleven days", "def double(x):\n    time.sleep(1e6)\n"),
    Attack(
        35,
        "leave a thread running after the answer",
        """
def double(x):
    def loop():
        while True:
            time.sleep(0.01)

    threading.Thread(target=loop).start()
    return 0.0
""",
        stops="the process is killed when its checks are over",
        sees=0.0,
        text="nothing runs afterwards",
        uncontrolled=SAME,
    ),
    Attack(
        36,
        "stop itself with SIGSTOP",
        """
import signal


def double(x):
    return tried(os.kill, os.getpid(), signal.SIGSTOP)
""",
        stops="seccomp; the grader's clock",
        sees="EPERM",
        control=LATE,
        quick=True,
    ),
    Attack(
        37,
        "storm itself with timers",
        """
import signal


def double(x):
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    return sum(range(10**5)) * 0
""",
        stops="timers are its own process's",
        sees=0,
        text="nothing; the next process has no timer",
        uncontrolled=SAME,
    ),
    Attack(
        38,
        "ignore the signal of the limit on processor time",
        """
import resource, signal


def double(x):
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    while True:
        pass
""",
        stops="a hard limit",
        sees=Ends(("memory", "timeout")),
        text="killed",
        uncontrolled="the limit holds at every tier",
    ),
    endless(
        260,
        "wait for a lock that it holds itself, all signals blocked",
        """
import signal


def double(x):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
""",
    ),
    endless(
        261,
        "wait in C, with the interpreter's lock held",
        "def double(x):\n    ctypes.PyDLL(None).pause()\n",
    ),
    endless(
        262,
        "stop the clocks that Python has",
        """
def double(x):
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, lambda: 0.0)
    while time.monotonic() < 1:
        pass
""",
    ),
    endless(
        263,
        "iterate over what it returns, without end",
        """
class Endless(list):
    def __iter__(self):
        while True:
            time.sleep(0.01)
            yield 0


def double(x):
    return Endless([1])
""",
    ),
    Attack(
        264,
        "end itself by a real-time signal from a timer",
        """
class Event(ctypes.Structure):
    _fields_ = (("value", ctypes.c_long), ("signal", ctypes.c_int), ("notify", ctypes.c_int), ("pad", ctypes.c_char * 48))


def double(x):
    timer = ctypes.c_void_p()
    LIBC.timer_create(time.CLOCK_REALTIME, ctypes.byref(Event(0, 40, 0)), ctypes.byref(timer))
    LIBC.timer_settime(timer, 0, (ctypes.c_long * 4)(0, 0, 0, 10**7), None)
    time.sleep(60)
""",
        stops="a process that ends has not answered",
        sees=Ends(("died",)),
        uncontrolled="it is its own process, at every tier",
        quick=True,
    ),
    Attack(
        265,
        "raise from a signal handler while its answer is read",
        """
import signal


def late(*_):
    raise KeyboardInterrupt


class Slow(list):
    def __iter__(self):
        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        time.sleep(60)


def double(x):
    return Slow([1])
""",
        stops="whatever an answer raises is caught",
        sees=Ends(("unsendable",), "reading it raises KeyboardInterrupt"),
        uncontrolled="it is its own process, at every tier",
    ),
    endless(
        266,
        "end the first thread of the process only",
        """
def double(x):
    threading.Thread(target=time.sleep, args=(1e6,)).start()
    LIBC.syscall(ctypes.c_long(60 if platform.machine() == "x86_64" else 93), 0)
""",
    ),
]
