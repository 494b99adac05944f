"""The page as axe-core sees it, which is not ours to ship: by hand, with the variable AXE naming its axe.min.js."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pytest_flakehunt.model import Findings
from tests.reports.hostile import NASTY, disfigured
from tests.reports.pages import many
from tests.reports.test_html_opened import VICTIM, Open, browser, opened, waited
from tests.reports.test_rulers import MET, hunted

__all__ = ["browser", "opened"]
AXE = os.environ.get("AXE", "")
pytestmark = [pytest.mark.thorough, pytest.mark.skipif(not AXE, reason="AXE names no axe.min.js: npm pack axe-core")]
KINDS: dict[str, tuple[Callable[[Findings], Findings], str]] = {
    "all kinds of cards": (lambda sample: sample, ""),
    "the evidence of a cell": (lambda sample: sample, f"#test={quote(VICTIM)}&under=clock"),
    "a ruler of dates": (lambda sample: hunted(sample, *MET), ""),
    "hostile": (lambda sample: disfigured(sample, list(NASTY)), ""),
    "many": (lambda sample: many(sample, 500, 60), ""),
}
LOOK = "const done = arguments[0]; axe.run().then((found) => done(found.violations), (error) => done(String(error)))"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(opened: Open, sample: Findings, kind: str, width: int, scheme: str) -> None:
    make, fragment = KINDS[kind]
    page: Any = opened(make(sample), fragment, width)
    preferred = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", preferred)
    page.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    if fragment:
        waited(page, "return !document.getElementById('details').hidden")
    page.execute_script(Path(AXE).read_text("utf-8"))
    page.set_script_timeout(300)
    assert page.execute_async_script(LOOK) == []
