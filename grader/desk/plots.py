"""Draws a class as SVG for a page: in units of a pixel, with text as text, in the colours of the page.

Drawings are the same bytes for the same data. Texts of others never reach the drawing library: it gets a stand-in
for each, which is replaced in the finished drawing (a name may hold letters that no font has, or a formula).
"""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.errors import UsageError
from grader.show import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which people with any kind of colour blindness tell apart
BLUE, VERMILION, GREY, PURPLE = "#0072B2", "#D55E00", "#9AA5B1", "#CC79A7"
INK = "#010203"  # stands for the colour of the page's text, whatever that is
DARK = "#101418"  # of signs on coloured ground
SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
WIDTH = 400  # of drawings that a telephone shows in full
CELL = 15
GAP = 10  # between exercises
HEADS = 34  # height of what stands above the cells
NAMES = 170  # width of a column of names
# fill and sign of a cell of the heat map
CELLS = {
    "passed": (BLUE, ""),
    "failed": (VERMILION, "×"),
    "error": (VERMILION, "!"),
    "timeout": (VERMILION, "t"),
    "memory": (VERMILION, "m"),
    "refused": (VERMILION, "r"),
    "not started": (GREY, ""),
    "broken": (PURPLE, "?"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of two parts: points lost by wrong answers, and by what was not started."""

    label: str
    wrong: int
    missing: int = 0


class Sheet:
    """A drawing of some size, whose axes count pixels from the upper left corner."""

    def __init__(self, name: str, width: float, height: float) -> None:
        figure_class = _library()
        self.name = name
        self.width, self.height = width, height
        self._figure = figure_class(figsize=(width / 72, height / 72), dpi=72)
        self._figure.patch.set_visible(False)
        self.axes: Axes = self._figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.set_axis_off()
        self._texts: dict[str, str] = {}

    def boxes(self, boxes: Sequence[tuple[float, float, float, float]], colour: str, opacity: float = 1.0) -> None:
        """Fill boxes, each given as left, top, width and height, as one shape."""
        if not boxes:
            return
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        paths = [Path([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], closed=True) for x, y, w, h in boxes]
        shape = PathPatch(Path.make_compound_path(*paths), facecolor=colour, edgecolor="none", alpha=opacity)
        shape.set_clip_on(False)
        self.axes.add_patch(shape)

    def text(  # noqa: PLR0913  where, what and how
        self, x: float, y: float, text: str, *, align: str = "left", size: float = 12, colour: str = INK
    ) -> None:
        """Write a text whose base line begins, has its middle or ends at a place."""
        name = f"text-{len(self._texts)}"
        self._texts[name] = text
        where: dict[str, Any] = {"ha": align, "va": "baseline", "fontsize": size, "color": colour}
        self.axes.text(x, y, "x", **where).set_gid(name)

    def svg(self, title: str, description: str) -> str:
        """Return the drawing, with a title and a description for those who do not see it."""
        from matplotlib import rc_context

        written = io.BytesIO()
        with rc_context({"svg.hashsalt": self.name, "svg.fonttype": "none", "font.family": ["DejaVu Sans"]}):
            self._figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
        root = ET.fromstring(written.getvalue())  # noqa: S314  the library's own drawing, without a text of others
        drawn = ET.Element("svg", {"viewBox": f"0 0 {self.width:g} {self.height:g}", "role": "img"})
        title_id, text_id = f"plot-{self.name}-title", f"plot-{self.name}-text"
        drawn.set("aria-labelledby", f"{title_id} {text_id}")
        ET.SubElement(drawn, "title", {"id": title_id}).text = clean(title)
        ET.SubElement(drawn, "desc", {"id": text_id}).text = clean(description)
        for group in root.iter(f"{{{SVG}}}g"):
            words = self._texts.get(group.get("id", ""))
            for text in group.iter(f"{{{SVG}}}text") if words is not None else ():
                drawn.append(_words(text, str(words)))
            if words is None:
                drawn.extend(_shape(path) for path in group.findall(f"{{{SVG}}}path"))
        return ET.tostring(drawn, "unicode")


def _words(text: ET.Element, words: str) -> ET.Element:
    """Return a text of the drawing with its own words, styled by attributes: the page allows no style of others."""
    style = _style(text)
    made = ET.Element("text", {name: text.get(name, "0") for name in ("x", "y")})
    size = re.search(r"[\d.]+(?=px)", style.get("font", "") or style.get("font-size", ""))
    made.set("font-size", size[0] if size else "12")
    made.set("text-anchor", style.get("text-anchor", "start"))
    made.set("fill", _colour(style.get("fill", "#000000")))
    made.text = words
    return made


def _shape(path: ET.Element) -> ET.Element:
    style = _style(path)
    made = ET.Element("path", {"d": " ".join(path.get("d", "").split())})
    made.set("fill", _colour(style.get("fill", "none")))
    if "opacity" in style:
        made.set("opacity", style["opacity"])
    return made


def _style(element: ET.Element) -> dict[str, str]:
    pairs = (item.partition(":") for item in element.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _colour(colour: str) -> str:
    return "currentColor" if colour.lower() == INK else colour


def _library() -> Callable[..., Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("drawings need matplotlib: pip install 'llm-fundamentals-grader[report]'") from None
    return Figure


# --- the drawings -----------------------------------------------------------------------------


def histogram(counts: Sequence[int], labels: Sequence[str], title: str, description: str) -> str:
    """Return how many students have how many points: a column for each label."""
    sheet = Sheet("scores", WIDTH, 210)
    low, high = 165, 25
    step = (WIDTH - 10) / len(counts)
    most = max(1, *counts)
    tops = [low - (low - high) * count / most for count in counts]
    sheet.boxes([(5 + i * step + 2, top, step - 4, low - top) for i, top in enumerate(tops) if counts[i]], BLUE)
    sheet.boxes([(5, low, WIDTH - 10, 1)], INK, 0.4)
    for number, (top, count, label) in enumerate(zip(tops, counts, labels, strict=True)):
        middle = 5 + (number + 0.5) * step
        sheet.text(middle, low + 16, label, align="center", size=10.5)
        if count:
            sheet.text(middle, top - 5, str(count), align="center", size=12)
    sheet.text(WIDTH / 2, 203, "percent of the points", align="center", size=11)
    return sheet.svg(title, description)


def bars(name: str, rows: Sequence[Bar], title: str, description: str) -> str:
    """Return points lost: a bar for each row, its label above it."""
    sheet = Sheet(name, WIDTH, 34 * len(rows) + 6)
    most = max([1, *(row.wrong + row.missing for row in rows)])
    scale = (WIDTH - 45) / most
    for number, row in enumerate(rows):
        top = 34 * number
        wrong, missing = row.wrong * scale, row.missing * scale
        sheet.text(0, top + 14, _short(row.label, 62), size=11.5)
        sheet.boxes([(0, top + 19, wrong, 10)] if wrong else [], VERMILION)
        sheet.boxes([(wrong, top + 19, missing, 10)] if missing else [], GREY)
        sheet.text(wrong + missing + 5, top + 28, str(row.wrong + row.missing), size=11.5)
    return sheet.svg(title, description)


def heat(
    names: Sequence[str],
    groups: Sequence[tuple[str, int]],
    cells: Sequence[Sequence[str]],
    title: str,
    description: str,
) -> str:
    """Return a map of students and checks.

    Args:
        names: of the students, a row each.
        groups: exercises, each with its number of checks; the checks are the columns.
        cells: for each student the outcome of each check, "" if there is none.
        title: of the drawing.
        description: what can be seen in it, in words.
    """
    lefts: list[int] = []
    for _, count in groups:
        left = lefts[-1] + CELL + GAP if lefts else NAMES
        lefts += [left + CELL * number for number in range(count)]
    sheet = Sheet("map", max(WIDTH, NAMES, *(left + CELL for left in lefts)), HEADS + CELL * len(names) + 4)
    starts = iter(lefts)
    for slug, count in groups:
        for number in range(1, count + 1):
            left = next(starts)
            if number == 1:
                sheet.text(left, 12, slug)
            sheet.text(left + CELL / 2, 29, str(number), align="center", size=8.5)
    places: dict[str, list[tuple[int, int]]] = {}
    for row, (name, outcomes) in enumerate(zip(names, cells, strict=True)):
        top = HEADS + CELL * row
        sheet.text(0, top + 11, _short(name, 24), size=11)
        for left, outcome in zip(lefts, outcomes, strict=True):
            places.setdefault(outcome, []).append((left, top))
    for outcome in [outcome for outcome in CELLS if outcome in places]:
        colour, sign = CELLS[outcome]
        sheet.boxes([(left + 0.5, top + 0.5, CELL - 1, CELL - 1) for left, top in places[outcome]], colour)
        for left, top in places[outcome] if sign else ():
            sheet.text(left + CELL / 2, top + 11.5, sign, align="center", size=11, colour=DARK)
    return sheet.svg(title, description)


def shares(
    exercises: Sequence[str], outcomes: Sequence[str], parts: Sequence[Sequence[float]], title: str, description: str
) -> str:
    """Return a map of exercises and outcomes: how large a part of the checks of all students ended how."""
    width = 74
    sheet = Sheet("map", NAMES + width * len(outcomes), 30 + 36 * len(exercises))
    for column, outcome in enumerate(outcomes):
        sheet.text(NAMES + width * (column + 0.5), 18, outcome, align="center", size=12)
    for row, (name, found) in enumerate(zip(exercises, parts, strict=True)):
        top = 28 + 36 * row
        sheet.text(0, top + 22, _short(name, 24), size=12)
        for column, part in enumerate(found):
            left = NAMES + width * column
            sheet.boxes([(left + 1, top + 1, width - 2, 34)], CELLS[outcomes[column]][0], 0.08 + 0.6 * part)
            sheet.text(left + width / 2, top + 22, f"{part:.0%}", align="center", size=12)
    return sheet.svg(title, description)


def _short(text: str, width: int) -> str:
    line = " ".join(clean(text).split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
