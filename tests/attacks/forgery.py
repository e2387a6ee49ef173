"""Attacks by forged messages: answers that no runner would send."""

from tests.attacks.attack import ENDS_IN_VIOLATION, Attack, Ends

PARENT = "the grader trusts no message, at every tier"
FRAME = "the grader checks every message"


def malformed(number: int, name: str, source: str) -> Attack:
    """Return an attack whose one message is refused."""
    return Attack(number, name, source, FRAME, ENDS_IN_VIOLATION, uncontrolled=PARENT, quick=True)


def answering(number: int, name: str, value: str) -> Attack:
    """Return an attack that answers with JSON of its own."""
    return malformed(number, name, f"def double(x):\n    forged({value})\n")


ATTACKS = [
    malformed(
        220,
        "answer the next question ahead of time",
        """
def double(x):
    os.write(channel(), frame(3, answer(kind="value", value=4.0)))
    return 0.0
""",
    ),
    malformed(
        221,
        "send a list of calls that is none",
        "def double(x):\n    forge(answer(kind='value', value=2 * x, calls=5))\n",
    ),
    malformed(
        222,
        "send a kind that is a list",
        "def double(x):\n    forge(answer(kind=[], value=2 * x))\n",
    ),
    malformed(
        242,
        "send a header of half a million tensors",
        """
def double(x):
    one = b'"%06d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + b",".join(one % n for n in range(500_000)) + b"}"
    forge(answer(kind="value", value=2 * x), struct.pack("<Q", len(header)) + header)
""",
    ),
    Attack(
        223,
        "say that it is loaded, with a number for the list of packages",
        "forge(fields(kind='value', value=5), number=1)",
        stops=FRAME,
        sees=Ends(("value", "violation", "timeout")),
        text="its check ends as an error",
        uncontrolled=PARENT,
        loads=False,
        quick=True,
    ),
    Attack(
        224,
        "say that the grader failed",
        "def double(x):\n    forge(answer(kind='broken', message='not your fault'))\n",
        stops="a submission cannot excuse itself",
        sees=Ends(("violation", "died", "raised")),
        uncontrolled=PARENT,
        quick=True,
    ),
    Attack(
        244,
        "send its right answer without the digest of its inputs",
        "def double(x):\n    forge(answer(kind='value', value=2 * x))\n",
        stops="an answer without a digest counts as changed inputs",
        sees=4.0,
        uncontrolled=PARENT,
        quick=True,
    ),
    Attack(
        245,
        "send a message of many lines, to look like a report",
        """
def double(x):
    text = "no\\n\\n  passed   double: twice the number   1 of 1\\r\\x1b[1A" * 1000
    forge(answer(kind="raised", error=text, message=text, traceback=text))
""",
        stops="messages are one short line, without control characters",
        sees=Ends(("raised",)),
        text="one line",
        uncontrolled=PARENT,
        quick=True,
    ),
    malformed(247, "send a list of no answers", "def double(x):\n    forge(fields(kind='value', value=[]))\n"),
    Attack(
        248,
        "send more answers than were asked for",
        """
def double(x):
    forge(fields(kind="value", value=[fields(kind="value", value=2 * x)] * 3))
""",
        stops="they are asked one by one then, and have no digest",
        sees=4.0,
        uncontrolled=PARENT,
        quick=True,
    ),
    answering(230, "send NaN, which is no JSON", 'b"NaN"'),
    answering(231, "send a number too large for a float", 'b"1e999"'),
    answering(232, "send an object with two keys", 'b\'{"t":[1],"t":[2]}\''),
    answering(233, "nest a million lists", 'b"[" * 10**6 + b"]" * 10**6'),
    answering(234, "send a number of 5000 digits", 'b"1" * 5000'),
    answering(235, "send a dict with a list for a key", "b'{\"d\":[[[1],2]]}'"),
    answering(236, "send a dict with the same key twice", "b'{\"d\":[[1,2],[true,3]]}'"),
    answering(237, "send a tag that nobody knows", 'b\'{"exec":"1"}\''),
    answering(
        238,
        "send numbers that all have the same hash",
        'b\'{"s":[%b]}\' % b",".join(b"%d" % (n * (2**61 - 1)) for n in range(1, 4000))',
    ),
    answering(
        239,
        "send tuples that all have the same hash",
        'b\'{"s":[%b]}\' % b",".join(b\'{"t":[%b]}\' % b",".join(b"-1" if n >> k & 1 else b"-2" for k in range(12)) '
        "for n in range(4000))",
    ),
]
