"""The page in a browser: that it opens, filters, folds, copies, and follows links. Debian's packages chromium and chromium-driver will do."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pytest_flakehunt.model import Findings
from pytest_flakehunt.reports import html
from tests.reports.hostile import NASTY, disfigured
from tests.reports.pages import many

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: it drives the browser")
WebDriverWait = pytest.importorskip("selenium.webdriver.support.wait").WebDriverWait
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
    pytest.mark.skipif(DRIVER is None, reason="no driver of Chromium is installed: apt-get install chromium-driver"),
]
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
VICTIM = "tests/test_a.py::test_victim"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Give what opens a page of findings; none may complain."""

    def opens(findings: Findings, fragment: str = "", width: int = 1280) -> Any:
        path = tmp_path / "report.html"
        path.write_text(html.text(findings), "utf-8")
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get("about:blank")
        browser.get(f"{path.as_uri()}{fragment}")
        return browser

    browser.get_log("browser")
    yield opens
    assert browser.get_log("browser") == []


def waited(browser: Any, script: str) -> Any:
    """Give what a script says once it says anything true."""
    return WebDriverWait(browser, 20, poll_frequency=0.05).until(lambda _: browser.execute_script(script))


def rows(browser: Any) -> list[str]:
    script = "return [...document.querySelectorAll('#grid tr[data-place] .name')].map(one => one.textContent)"
    return list(browser.execute_script(script))


def set_filter(browser: Any, name: str, value: str) -> None:
    browser.execute_script(
        "const one = document.getElementById(arguments[0]); one.value = arguments[1]; one.dispatchEvent(new Event('input'))",
        name,
        value,
    )


def test_filters_leave_the_tests_that_fit_and_say_how_many(opened: Open, sample: Findings) -> None:
    browser = opened(sample)
    assert len(rows(browser)) == 8
    for name, value, left in (
        ("by-text", "VICTIM", 1),
        ("by-verdict", "steady", 2),
        ("by-cause", "clock", 2),
        ("by-file", "tests/test_a.py", 8),
        ("by-owner", "@team", 2),
        ("by-owner", "@shop", 1),
        ("by-owner", " ", 6),
        ("by-text", "no such test", 0),
    ):
        set_filter(browser, name, value)
        said = "8 tests" if left == 8 else f"{left} of 8 tests"
        waited(browser, f"return document.getElementById('shown').textContent === '{said}'")
        assert len(rows(browser)) == left
        set_filter(browser, name, "")
        waited(browser, "return document.getElementById('shown').textContent === '8 tests'")


def test_groups_stand_together_under_their_cause(opened: Open, sample: Findings) -> None:
    script = "return [...document.querySelectorAll('#grid tbody tr')].map(one => one.className === 'group' ? '# ' + one.textContent : one.querySelector('.name').textContent)"
    said = opened(sample).execute_script(script)
    place = said.index("# it fails from 2027-03-01 on")
    assert said[place + 1] == "tests/test_a.py::test_dated"
    assert said[-3:] == ["# never failed", "tests/test_a.py::test_polluter", "tests/test_a.py::test_idle"]


def test_a_copy_button_puts_its_text_on_the_clipboard(opened: Open, sample: Findings) -> None:
    browser = opened(sample)
    browser.execute_script(
        "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }"
    )

    def copied(what: str, card: int = 1) -> str:
        browser.execute_script("window.copied = ''")
        browser.execute_script(f"document.querySelector('#card-{card} button[data-copy={what}]').click()")
        return str(waited(browser, "return window.copied"))

    mode = sample.tests[1].modes[0]
    assert copied("command") == mode.command
    assert copied("entries").startswith(f'[[quarantined]]\ntest = "{VICTIM}"\nfingerprints = ')
    assert copied("quarantine", 2) == "flakehunt quarantine add tests/test_a.py::test_dated"
    assert f'"fingerprint": "{mode.fingerprint}"' in copied("evidence")
    issue = copied("issue")
    assert issue.startswith(f"**fragile**: `{VICTIM}`")
    assert "\n```text\nTraceback\n  assert 1 == 2\n```" in issue
    waited(browser, "return document.getElementById('said').textContent === 'copied'")


def test_folds_open_and_hold_what_was_kept(opened: Open, sample: Findings) -> None:
    browser = opened(sample)
    browser.execute_script("document.querySelector('#card-1 details.output').open = true")
    texts = waited(browser, "return [...document.querySelectorAll('#card-1 .texts pre')].map(one => one.textContent)")
    assert texts == ["Traceback\n  assert 1 == 2", "said\n"]
    assert browser.execute_script("return document.querySelectorAll('#card-3 .texts pre').length") == 2  # a hang
    assert browser.execute_script("return document.querySelectorAll('#card-2 .texts pre').length") == 0
    browser.execute_script("document.querySelector('details.bound').open = true")
    assert waited(browser, "return document.querySelectorAll('details.bound .names li').length") == 1


def test_a_link_to_a_finding_opens_it_folded_away_or_not(opened: Open, sample: Findings) -> None:
    for name, card in (("victim", "card-1"), ("known", "card-6")):
        browser = opened(sample, f"#test={quote(f'tests/test_a.py::test_{name}')}")
        assert waited(browser, "return document.activeElement.id") == card
        assert browser.execute_script("return document.activeElement.checkVisibility()")


def test_a_cell_shows_its_evidence_by_mouse_keys_and_link(opened: Open, sample: Findings) -> None:
    browser = opened(sample, f"#test={quote(VICTIM)}&under=clock")
    text = str(waited(browser, "return document.getElementById('details').innerText"))
    assert "under clock alone" in text
    assert "20 of 20 failed: fails 83 % to 100 % of the time, 95 %" in text
    assert "Failed under\nA clock=+400d random=2 sweep 2" in text
    focused = "return document.activeElement.getAttribute('aria-label')"
    assert browser.execute_script(focused) == "clock: 100 %, 20 of 20 failed"
    browser.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    assert browser.execute_script(focused) == "calm: 0 of 40 failed"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert "when calm" in waited(browser, "return document.getElementById('details').innerText")
    assert browser.execute_script("return location.hash").endswith("&under=calm")
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert browser.execute_script("return document.getElementById('details').hidden")
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT + Keys.ARROW_RIGHT)
    assert browser.execute_script(focused) == "order: 0 of 5 failed, too few runs to tell"
    row = "return document.activeElement.parentElement.querySelector('.name').textContent"
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)  # over a heading
    assert browser.execute_script(row) == "tests/test_a.py::test_dated"
    browser.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert browser.execute_script(row) == VICTIM
    stops = "return document.querySelectorAll('#grid td[tabindex=\"0\"]').length"
    assert browser.execute_script(stops) == 1


def test_a_strip_tells_modes_and_kinds_apart_and_says_the_plan(opened: Open, sample: Findings) -> None:
    browser = opened(sample, "#strips")
    script = (
        "const box = [...document.querySelectorAll('.lanes')].find(one => one.ariaLabel.endsWith('dated'));"
        "box.focus(); return [...box.querySelectorAll('.lane')].map(one => [one.querySelector('.label').textContent,"
        " [...one.querySelectorAll('path')].map(path => path.getAttribute('class')), one.querySelector('text')?.textContent])"
    )
    lanes = waited(browser, f"const found = (() => {{ {script} }})(); return found.length && found")
    assert lanes == [["calm", ["passed"], None], ["single", ["passed", "m0", "m1"], "AB"]]
    value = "return document.activeElement.getAttribute('aria-valuetext')"
    assert browser.execute_script(value) == "sweep 0, calm: passed"
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert browser.execute_script(value) == "sweep 2, single, clock=+400d random=2: failed as A"
    browser.switch_to.active_element.send_keys(Keys.END)
    assert browser.execute_script(value) == "sweep 6, single, clock=2028-02-29T23:59:58: failed as B"


def test_a_narrow_window_scrolls_no_further_than_down(opened: Open, sample: Findings) -> None:
    long = replace(sample.tests[1], nodeid="tests/test_a.py::test_" + "x" * 300)
    browser = opened(replace(sample, tests=(long, *sample.tests[2:]), groups=()), width=360)
    browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.execute_script("return document.documentElement.clientWidth") <= 360
    assert browser.execute_script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    script = """return [...document.querySelectorAll('.card h3 a, .card code, .card pre, .strip h3 a, .filters, .lanes')]
        .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth).map((one) => one.outerHTML)"""
    assert browser.execute_script(script) == []


def test_whatever_tests_say_nothing_of_it_acts(opened: Open, sample: Findings) -> None:
    browser = opened(disfigured(sample, list(NASTY)))
    browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.execute_script("return document.scripts.length") == 9
    assert browser.execute_script("return document.querySelectorAll('img, iframe, [onmouseover]').length") == 0


def test_of_five_thousand_tests_those_in_sight_are_drawn_and_all_can_be_reached(opened: Open, sample: Findings) -> None:
    findings = many(sample, 5_000, 60)
    last = findings.tests[-1].nodeid
    browser = opened(findings)
    assert browser.execute_script("return document.getElementById('shown').textContent") == "5,000 tests"
    assert len(rows(browser)) == 100
    assert browser.execute_script("return document.getElementsByTagName('*').length") < 15_000
    browser.execute_script("const grid = document.getElementById('grid'); grid.scrollTop = grid.scrollHeight")
    waited(browser, "return document.querySelectorAll('#grid tr[data-place]').length >= 200")
    set_filter(browser, "by-text", "behaves_4999[")
    waited(browser, "return document.getElementById('shown').textContent === '1 of 5,000 tests'")
    assert rows(browser) == [last]
    browser = opened(findings, f"#test={quote(last)}&under=calm")
    assert last in waited(browser, "return document.getElementById('details').innerText")


def test_without_a_map_the_rest_is_there(opened: Open, sample: Findings) -> None:
    tests = tuple(replace(finding, under=(), strip=()) for finding in sample.tests)
    browser = opened(replace(sample, columns=(), sweeps=(), tests=tests), f"#test={quote(VICTIM)}")
    assert waited(browser, "return document.activeElement.id") == "card-1"
    assert "made before hunts kept" in browser.execute_script("return document.getElementById('grid').innerText")
