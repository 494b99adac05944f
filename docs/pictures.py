"""Make docs/pictures from real runs: ``python docs/pictures.py``, by hand, with a browser that selenium finds.

The terminal's picture and the page's come of one hunt of ``examples/shop`` with seed 1; the page of 5,000 tests is
made of the tests' own big findings. ``pictures.md`` shows them, and says at which revision and with which commands
they were made.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))
PICTURES = HERE / "pictures"
COMMAND = "pytest shop --flakehunt=100 --flakehunt-seed=1 --flakehunt-html=hunt.html"
AGAIN = "pytest shop --flakehunt=60 --flakehunt-seed=2 --flakehunt-diagnose=0"
SHOWN = ("flakehunt report", "flakehunt history test_warranty", "flakehunt compare 1 2")
"""Commands whose output is drawn, in this order."""


PAGES = {
    "page-light": "How it opens",
    "page-dark": "Where the system is dark",
    "page-narrow": "On a telephone, 360 pixels wide",
    "page-5000": "5,000 tests under 20 perturbations",
}
"""Pictures of the HTML report."""


def hunted(folder: Path) -> None:
    """Hunt twice in a copy of the examples, so that there is a history; the page is the first hunt's."""
    shutil.copytree(ROOT / "examples", folder)
    for command in (COMMAND, AGAIN):
        words = [sys.executable, "-m", "pytest", *command.split()[1:]]
        subprocess.run(words, cwd=folder, check=False, stdout=subprocess.DEVNULL)


def drawn(command: str, folder: Path) -> str:
    """Draw what a command writes on a terminal."""
    from rich.console import Console
    from rich.text import Text

    words = [sys.executable, "-m", "pytest_flakehunt", *command.split()[1:]]
    environ = {**os.environ, "FORCE_COLOR": "1", "PYTHONPATH": str(ROOT)}
    said = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False).stdout
    lines = said.replace(str(sys.executable), "python").splitlines()
    console = Console(record=True, width=min(140, max(map(len, lines))), file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"))
    for line in lines[:60]:
        console.print(Text.from_ansi(line), soft_wrap=True)
    return console.export_svg(title="flakehunt")


def photographed(page: Path, name: str, width: int, height: int, *, dark: bool = False) -> None:
    """Take a picture of a page as it opens."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},{height}"):
        options.add_argument(word)
    browser = webdriver.Chrome(options=options)
    try:
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [theme]})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(page.as_uri())
        browser.save_screenshot(str(PICTURES / name))
    finally:
        browser.quit()


def big(folder: Path) -> Path:
    """Write a page of 5,000 tests."""
    from pytest_flakehunt.reports import html
    from tests.reports.conftest import everything
    from tests.reports.pages import many

    page = folder / "big.html"
    page.write_text(html.text(many(everything(), 5_000, 60)), "utf-8")
    return page


def main() -> None:
    """Make all pictures anew."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "examples"
        hunted(folder)
        for command in SHOWN:
            (PICTURES / f"{command.split()[1]}.svg").write_text(drawn(command, folder), "utf-8")
        page = folder / "hunt.html"
        photographed(page, "page-light.png", 1280, 1500)
        photographed(page, "page-dark.png", 1280, 1500, dark=True)
        photographed(page, "page-narrow.png", 360, 1400)
        photographed(big(folder), "page-5000.png", 1280, 1500)
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (HERE / "pictures.md").write_text(page_of(asked.stdout.strip()), "utf-8")


def page_of(revision: str) -> str:
    """Write the page that shows them."""
    parts = [
        "# Pictures",
        f"Made by `docs/pictures.py` at {revision}, of two hunts in `examples/`, the second without experiments:",
        f"```console\n$ {COMMAND}\n$ {AGAIN}\n```",
        "## On the terminal",
        *(f"```console\n$ {command}\n```\n\n![{command}](pictures/{command.split()[1]}.svg)" for command in SHOWN),
        "## As a page",
        *(f"{said}:\n\n![{said}](pictures/{name}.png)" for name, said in PAGES.items()),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
