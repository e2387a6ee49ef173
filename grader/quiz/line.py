"""The terminal front-end: line by line, no cursor moves, so that it works in a pipe, over ssh, with a screen reader."""

import sys
from typing import TextIO

from rich.console import Console
from rich.text import Text

from grader.quiz.session import Session
from grader.quiz.talk import Line, Role, hint, sure, talk

# blue and vermilion of Okabe and Ito, which people who confuse red and green can tell apart; words and signs say it too
STYLES: dict[Role, str] = {
    "head": "bold",
    "prompt": "",
    "code": "cyan",
    "choice": "",
    "good": "#0072B2 bold",
    "bad": "#D55E00 bold",
    "part": "bold",
    "note": "",
    "blank": "",
}
PLAIN = str.maketrans({"✓": "+", "✗": "x"})  # of encodings that lack them
RESUME = "Every confirmed answer is kept. Go on with: grader quiz{mode}"


class Terminal:
    """Prints paragraphs and reads lines.

    Args:
        plain: no colours, whatever the terminal can.
        width: in characters, None for that of the terminal.
    """

    def __init__(self, plain: bool, width: int | None = None) -> None:
        for stream in (sys.stdout, sys.stdin):
            # what an old terminal cannot show is shown by its number; what is typed in another encoding is no crash
            getattr(stream, "reconfigure", lambda **_: None)(
                errors="backslashreplace" if stream is sys.stdout else "replace"
            )
        self.console = Console(
            highlight=False,
            markup=False,
            emoji=False,
            width=width,
            no_color=True if plain else None,  # None: as the terminal and NO_COLOR say
            force_terminal=False if plain else None,
        )
        self.signs = _encodes(sys.stdout, "✓✗")

    def say(self, lines: list[Line]) -> None:
        """Print paragraphs, wrapped where they are not code."""
        for line in lines:
            text = line.text if self.signs else line.text.translate(PLAIN)
            style = STYLES[line.role]
            if line.role == "code":
                self.console.print(Text(text, style), soft_wrap=True)
                continue
            for row in self._wrapped(text, line.hang):
                self.console.print(Text(row, style), soft_wrap=True)

    def _wrapped(self, text: str, hang: int) -> list[str]:
        head, body = text[:hang], text[hang:]
        width = max(20, self.console.width - hang)
        rows = [row.plain.rstrip() for row in Text(body).wrap(self.console, width)] or [""]
        return [head + rows[0], *(" " * hang + row for row in rows[1:])]

    def ask(self, prompt: str) -> str | None:
        """Return a line that was typed, None at the end of the input."""
        if sys.stdin is None:  # started without any input
            return None
        try:
            return input(prompt)
        except EOFError:
            self.console.print()
            return None


def _encodes(stream: TextIO, text: str) -> bool:
    """Say whether a stream can carry a text."""
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def left_with(session: Session) -> str:
    """Return the sentence for who leaves a session."""
    return RESUME.format(mode="" if session.mode == "study" else f" --mode {session.mode}")


def run(session: Session, terminal: Terminal) -> None:
    """Walk through a session in the terminal.

    Raises:
        UsageError: an answer cannot be written.
        KeyboardInterrupt: after a sentence that says how to go on.
    """
    try:
        _walk(session, terminal)
    except KeyboardInterrupt:
        terminal.console.print()
        terminal.say([Line("note", left_with(session))])
        raise


def _walk(session: Session, terminal: Terminal) -> None:
    while session.stage != "end":
        # what was asked is still above: only what is new is printed
        lines = sure(session) if session.stage == "confidence" else talk(session)
        terminal.say([Line("blank", ""), *lines, Line("blank", "")])
        if not _turn(session, terminal):
            terminal.say([Line("note", left_with(session))])
            return
    session.finish()
    terminal.say([Line("blank", ""), *talk(session)])


def _turn(session: Session, terminal: Terminal) -> bool:
    """Ask until the screen changes; return False to quit."""
    keys = " · ".join(f"{key} {what}" for key, what in session.keys)
    stage, asked = session.stage, session.asked
    while True:
        terminal.say([Line("note", keys)])
        text = terminal.ask("> ")
        if text is None or text.strip().lower() == "q":
            return False
        hinted = asked.item.id in session.hinted
        said = session.do(text)
        if said:
            terminal.say([Line("note", said)])
        if session.stage != stage or session.stage == "end" or session.asked != asked:
            return True
        if not hinted and asked.item.id in session.hinted:
            terminal.say([hint(asked.item)])
