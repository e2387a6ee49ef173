"""The full-screen front-end: the same engine in a Textual application."""

import sys
from typing import Any, ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.errors import GraderError, UsageError
from grader.quiz.line import STYLES, left_with
from grader.quiz.order import LETTERS
from grader.quiz.session import CONFIDENCE, Asked, Session, Stage
from grader.quiz.talk import Line, Role, talk

try:
    from textual import events
    from textual.app import App, ComposeResult
    from textual.containers import VerticalScroll
    from textual.widgets import Input, Static
except ImportError:
    raise UsageError(
        "--tui needs textual: pip install 'llm-fundamentals-grader[tui]'; without --tui the questions are asked "
        "line by line"
    ) from None

# on a dark screen the blue of paper is too dim; this one of Okabe and Ito is not
BRIGHT: dict[Role, str] = {**STYLES, "good": "#56B4E9 bold"}


class Screen(App[GraderError | None]):
    """Shows a session.

    One letter answers; letters of a question with several keys are collected, and Enter sends them; numbers are typed.
    """

    CSS = """
    Screen { layout: vertical; }
    #body { height: 1fr; padding: 1 2; }
    #number { display: none; margin: 0 2; }
    #said { height: auto; padding: 0 2; }
    #keys { height: auto; padding: 0 2; background: $panel; color: $text; }
    """
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None  # keys answer; the field for numbers has the focus while a number is asked for
    BINDINGS: ClassVar[list[Any]] = [("ctrl+c", "leave", "save and quit"), ("escape", "leave", "save and quit")]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.picked: set[str] = set()
        self.said = ""

    def compose(self) -> ComposeResult:
        """Return what is on the screen, from the top."""
        with VerticalScroll(id="body", can_focus=False):
            yield Static(id="text")
        yield Input(id="number", placeholder="a number, then Enter")
        yield Static(id="said")
        yield Static(id="keys")

    def on_mount(self) -> None:
        """Show the first question, and keep the clock of an exam."""
        self.title = "quiz"
        self.show()
        if self.session.minutes is not None:
            self.set_interval(1.0, self.tick)

    def tick(self) -> None:
        """Show how much time is left."""
        self.show()

    @property
    def typing(self) -> bool:
        """Whether a number is asked for."""
        return self.session.stage == "question" and self.session.asked.item.type == "numeric"

    @property
    def several(self) -> bool:
        """Whether letters are collected."""
        return self.session.stage == "question" and self.session.asked.item.type == "multi"

    def show(self) -> None:
        """Draw the stage that the session is in."""
        session = self.session
        if session.stage == "end":
            self.guarded(session.finish)
        self.query_one("#text", Static).update(drawn([self.marked(line) for line in talk(session)]))
        keys = [*session.keys]
        keys.append(("↑ ↓", "scroll"))
        if self.several:
            keys.insert(1, ("Enter", f"send {' '.join(sorted(self.picked)) or 'them'}"))
        self.query_one("#said", Static).update(Text(self.said))
        self.query_one("#keys", Static).update(Text(" · ".join(f"{key} {what}" for key, what in keys)))
        field = self.query_one("#number", Input)
        field.display = self.typing
        if self.typing:
            field.focus()
        else:
            self.set_focus(None)

    def marked(self, line: Line) -> Line:
        """Return a line with a sign if it is a choice that was collected."""
        if line.role == "choice" and self.several and line.text.strip()[:1] in self.picked:
            return Line("part", f"* {line.text.lstrip()}", line.hang)
        return line

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Take a number, or a command that was typed where a number is asked for."""
        text = message.value
        message.input.value = ""
        if text.strip().lower() == "q":
            self.action_leave()
        elif text.strip():
            self.take(text)

    def on_key(self, event: events.Key) -> None:
        """Take a key."""
        if self.typing or event.key in ("up", "down", "pageup", "pagedown", "home", "end"):
            self.scroll(event.key)
            return
        key = "?" if event.key == "question_mark" else event.key.lower()
        if key == "q" or (self.session.stage == "end" and key == "enter"):
            self.action_leave()
        elif self.several and key in LETTERS[: len(self.session.choices)]:
            self.picked ^= {key}
            self.show()
        elif self.several and key == "enter":
            self.take(" ".join(sorted(self.picked)))
        elif self.session.stage == "feedback" and key in ("enter", "space"):
            self.take("")
        elif key in ("?", "s", "f", "b", *CONFIDENCE, *LETTERS[: len(self.session.choices)]):
            self.take(key)

    def scroll(self, key: str) -> None:
        """Move the text."""
        body = self.query_one("#body", VerticalScroll)
        moves = {
            "up": body.scroll_up,
            "down": body.scroll_down,
            "pageup": body.scroll_page_up,
            "pagedown": body.scroll_page_down,
            "home": body.scroll_home,
            "end": body.scroll_end,
        }
        if key in moves:
            moves[key](animate=False)

    @property
    def place(self) -> tuple[Stage, Asked | None]:
        """Where the session is: a screen stays where it was scrolled to as long as this does not change."""
        stage = self.session.stage
        return stage, None if stage == "end" else self.session.asked

    def take(self, text: str) -> None:
        """Give the session what was typed, and show what comes of it."""
        before = self.place
        self.guarded(lambda: setattr(self, "said", self.session.do(text)))
        if before != self.place:
            self.picked = set()
            self.query_one("#body", VerticalScroll).scroll_home(animate=False)
        self.show()
        if self.session.stage == "confidence" or text == "?":  # what is new stands at the end
            self.call_after_refresh(self.query_one("#body", VerticalScroll).scroll_end, animate=False)

    def guarded(self, act: Any) -> None:
        """Do something that writes; end with the error if that fails."""
        try:
            act()
        except GraderError as error:
            self.exit(error)

    def action_leave(self) -> None:
        """Quit; everything that was confirmed is written."""
        self.exit(None)


def drawn(lines: list[Line]) -> RenderableType:
    """Return paragraphs that wrap with their indents at any width."""
    parts: list[RenderableType] = []
    for line in lines:
        style = BRIGHT[line.role]
        if line.hang and line.role != "code":
            grid = Table.grid(padding=0)
            grid.add_column(width=line.hang, no_wrap=True)
            grid.add_column(ratio=1, overflow="fold")
            grid.add_row(Text(line.text[: line.hang], style), Text(line.text[line.hang :], style))
            parts.append(grid)
        else:
            parts.append(Text(line.text, style))
    return Group(*parts)


def show(session: Session) -> None:
    """Walk through a session on the whole screen.

    Raises:
        UsageError: this is no terminal, or an answer cannot be written.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--tui needs a terminal; without it, grader quiz works in a pipe")
    error = Screen(session).run()
    if error is not None:
        raise error
    if not session.over:
        print(left_with(session))  # noqa: T201  the screen is gone; this is the terminal again
