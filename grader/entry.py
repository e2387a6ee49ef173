"""Where the command `grader` begins and ends: every error becomes a sentence and an exit code."""

import sys
import traceback
from typing import NoReturn

import typer

from grader import learn, publish
from grader.errors import FAULT, INTERRUPTED, OK, USAGE, GraderError

__all__ = ["learn", "main"]  # learn.py adds its commands to those of cli.py


def main() -> NoReturn:
    """Run the command; every error is a sentence and an exit code."""
    debug = "--debug" in sys.argv  # wherever it stands
    sys.argv[1:] = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        # without standalone mode the exit code of typer.Exit is returned and errors arrive here
        code = publish.app(standalone_mode=False) or OK
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except SystemExit as end:  # typer's own way out of an interrupt
        code = end.code if isinstance(end.code, int) else FAULT
    except Exception as error:  # noqa: BLE001  the last place where an error can become a sentence
        code = _explain(error, debug)
    if code == INTERRUPTED:
        typer.echo("grader: interrupted", err=True)
    sys.exit(code)


def _explain(error: Exception, debug: bool) -> int:
    """Print an error as a sentence and return its exit code."""
    show = getattr(error, "show", None)
    if show is not None:  # wrong usage, found by typer, which knows how to say it
        show()
        return USAGE
    if debug:
        traceback.print_exception(error)
    if isinstance(error, GraderError):
        typer.echo(f"grader: {error}", err=True)
        return error.exit_code
    typer.echo(f"grader: the grader itself failed, which is not your fault: {error!r}", err=True)
    typer.echo("grader: run it again with --debug and report what it prints", err=True)
    return FAULT
