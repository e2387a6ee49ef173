"""The pages in a real browser: narrow and wide, light and dark, by keyboard, on paper, for everybody; and a class to show."""

import csv
import itertools
import random
import re
import runpy
import shutil
import subprocess
import sys
import zipfile

import pytest

from grader.desk import feedback, overview
from grader.results import results
from grader.verdict import Outcome
from tests.conftest import ROOT
from tests.samples import grade, result, verdict

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine: apt-get install chromium")
CLASS = runpy.run_path(str(ROOT / "docs" / "class.py"))
SIZES = [*itertools.product((390, 1280), ("light", "dark"))]


def made_up(count=30):
    """Return results of a class with the awkward names of docs/class.py and every outcome."""
    rng, made = random.Random(0), []
    names = [*CLASS["NAMES"], *(f"Number {number}" for number in range(count))][:count]
    for number, name in enumerate(names):
        grades = []
        for slug in ("bpe", "wordpiece", "norms"):
            ends = rng.choices([*Outcome], [30, 6, 2, 2, 1, 1, 1, 1], k=14)
            hidden = {"visibility": "hidden"}
            checks = [verdict(f"c{place}", end, **(hidden if place > 11 else {})) for place, end in enumerate(ends)]
            grades.append(grade(*checks, exercise=slug, digest="same" if number < 3 else str(number)))
        made.append(result(*grades, student=name, late=number % 7 == 0, submitted="2026-03-02T10:00:00+01:00"))
    return made


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the pages to look at, by name."""
    folder, made = tmp_path_factory.mktemp("pages"), made_up()
    longest = max(made, key=lambda item: len(item.student))
    shown = {
        "feedback": feedback.page(feedback.sheet(made[0])),
        "long name": feedback.page(feedback.sheet(longest)),
        "overview": overview.page(made),
        "large class": overview.page(made_up(70)),
    }
    for name, text in shown.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in shown}


@pytest.fixture(scope="module")
def browser():
    """Return a browser that has no network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        # no sandbox of its own: the tests may run as root, and the pages are ours
        opened = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page; at the end the browser must have had nothing to complain about."""
    contexts, said = [], []

    def open_(uri, width=1280, scheme="light", **more):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **more))
        contexts[-1].set_offline(True)
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(uri)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert said == []


EVERY = pytest.mark.parametrize("name", ["feedback", "long name", "overview", "large class"])


@needs_browser
@EVERY
@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_a_page_fits_and_everybody_can_use_it(visit, pages, name, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(pages[name], width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for details in page.locator("details").all():
        details.evaluate("item => { item.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 27)"
    assert dark == (scheme == "dark")
    found = Axe().run(page).response["violations"]
    assert [(item["id"], item["nodes"][0]["html"]) for item in found if item["impact"] in ("serious", "critical")] == []


@needs_browser
def test_a_table_is_sorted_by_keyboard(visit, pages):
    page = visit(pages["overview"])
    score = page.locator("#students th", has_text="Score")
    button = score.locator("button")

    def column():
        return [int(text) for text in page.locator("#students tbody td:nth-child(2)").all_inner_texts()]

    before = column()
    button.focus()
    page.keyboard.press("Enter")
    assert score.get_attribute("aria-sort") == "descending"
    assert column() == sorted(before, reverse=True) != before
    page.keyboard.press("Space")
    assert score.get_attribute("aria-sort") == "ascending"
    assert column() == sorted(before)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert score.get_attribute("aria-sort") is None
    assert page.locator("#students th[aria-sort=ascending]").inner_text().startswith("Student")
    names = page.locator("#students tbody th").all_inner_texts()
    assert sorted(names) == sorted(item.student for item in made_up())
    assert names.index("Odo Brambleby") < names.index("Petra Lanternby") < names.index("Tamsin Featherwick")


@needs_browser
@EVERY
def test_a_page_is_read_without_scripts_and_printed(visit, pages, name):
    page = visit(pages[name], java_script_enabled=False)
    assert page.locator("h1").is_visible()
    assert page.locator("th button").count() == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


# --- the class --------------------------------------------------------------------------------


def make_class(out, *options):
    subprocess.run([sys.executable, str(ROOT / "docs" / "class.py"), str(out), *options], check=True, cwd=ROOT)


def test_the_class_is_the_same_each_time_and_in_both_layouts(tmp_path):
    for name in ("one", "two"):
        make_class(tmp_path / name)
    files = {path.relative_to(tmp_path / "one"): path.read_bytes() for path in (tmp_path / "one").rglob("*.py")}
    assert files == {path.relative_to(tmp_path / "two"): path.read_bytes() for path in (tmp_path / "two").rglob("*.py")}
    assert len({path.parent for path in files}) == len(CLASS["NAMES"]) == 30
    make_class(tmp_path / "canvas", "--layout", "canvas")
    archive = zipfile.ZipFile(tmp_path / "canvas" / "submissions.zip")
    assert sorted(map(archive.read, archive.namelist())) == sorted(files.values())
    make_class(tmp_path / "again", "--layout", "canvas")
    assert (tmp_path / "again" / "submissions.zip").read_bytes() == (
        tmp_path / "canvas" / "submissions.zip"
    ).read_bytes()


def test_the_class_looks_like_canvas(tmp_path):
    make_class(tmp_path, "--layout", "canvas")
    names = zipfile.ZipFile(tmp_path / "submissions.zip").namelist()
    shape = re.compile(r"^(?P<name>(?!LATE_|anon_).+?)_(?:LATE_)?(?P<user>\d+)_\d+_(?P<file>\w+\.py)$")
    users = {shape.fullmatch(name)["user"] for name in names}
    assert {shape.fullmatch(name)["file"] for name in names} == {"bpe.py", "wordpiece.py", "norms.py"}
    assert any("_LATE_" in name for name in names)
    rows = [*csv.reader((tmp_path / "gradebook.csv").read_text("utf-8-sig").splitlines())]
    assert rows[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert rows[1][0].strip() == "Points Possible"
    assert users <= {row[1] for row in rows[2:]}


@needs_browser
def test_pictures_for_the_documentation(request, visit, tmp_path):
    if not request.config.getoption("--screenshots"):
        pytest.skip("draws docs/images anew only when asked: pytest --screenshots")
    make_class(tmp_path / "class")
    start = [sys.executable, "-c", "from grader.entry import main; main()", "batch", str(tmp_path / "class")]
    exercises = [option for slug in CLASS["SLUGS"] for option in ("-e", slug)]
    subprocess.run([*start, "-o", str(tmp_path / "results"), *exercises, "--course", str(ROOT)], check=False)
    found = results(tmp_path / "results")
    folder = ROOT / "docs" / "images"
    folder.mkdir(exist_ok=True)
    told = max(found, key=lambda item: sum(len(check.mistakes) for part in item.exercises for check in part.verdicts))
    shown = {"feedback": feedback.page(feedback.sheet(told)), "overview": overview.page(found)}
    for (name, text), (width, scheme) in itertools.product(shown.items(), SIZES):
        (tmp_path / f"{name}.html").write_text(text, "utf-8")
        page = visit((tmp_path / f"{name}.html").as_uri(), width, scheme)
        clip = {"x": 0, "y": 0, "width": width, "height": 1500}
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True, clip=clip)
