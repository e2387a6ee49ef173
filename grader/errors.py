"""The errors that a user can meet. Each knows the exit code that it ends the command with.

GraderError
├── UsageError   2  what was asked cannot be done: unknown exercise, no CUDA, unreadable course file
├── FaultError   3  the grader itself failed; no student loses a point for it
└── EmptyError   4  there was nothing to grade
"""

OK, FAILED, USAGE, FAULT, EMPTY, INTERRUPTED = 0, 1, 2, 3, 4, 130


class GraderError(Exception):
    """Something that ends the command with a sentence instead of a traceback."""

    exit_code = FAULT


class UsageError(GraderError):
    """What was asked cannot be done; the message says what can."""

    exit_code = USAGE


class FaultError(GraderError):
    """The grader itself failed: a worker that does not start, a check that cannot be loaded."""

    exit_code = FAULT


class EmptyError(GraderError):
    """Nothing to grade was found; the message says where it was looked for."""

    exit_code = EMPTY


class WireError(GraderError):
    """A message that cannot be sent, or one that came and is not well formed."""
