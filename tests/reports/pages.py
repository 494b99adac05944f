"""Reading an HTML page as a browser would take it apart, and big findings to make one of."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from pytest_flakehunt.model import Count, Finding, Findings, Interval, Verdict

VOID = {"meta", "line", "rect", "input"}


class Page(HTMLParser):
    """The elements of a page, with the names of their attributes, its texts, and what stands in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.scripts: dict[str, str] = {}
        self.values: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            self.values.setdefault(name, []).append(value or "")
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1][0] == tag, (tag, self._open)
        self._open.pop()

    def handle_data(self, data: str) -> None:
        tag, name = self._open[-1] if self._open else ("", "")
        if tag == "script":
            self.scripts[name] = self.scripts.get(name, "") + data
        elif tag != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is read, with single spaces."""
        return " ".join(" ".join(self.texts).split())

    @property
    def data(self) -> Any:
        """What the map and the strip are drawn from."""
        return json.loads(self.scripts["data"])

    @property
    def names(self) -> list[str]:
        """The node ids of the map, as its script reads them."""
        found = [""]
        for shared, rest, _ in self.data["tests"]:
            found.append(found[-1].encode("utf-16-le")[: 2 * shared].decode("utf-16-le") + rest)
        return found[1:]


def many(sample: Findings, tests: int, failing: int, columns: int = 20, traceback: str = "") -> Findings:
    """Give findings of a big suite: some that fail, each for a cause of its own, and many that never did."""
    names = ("calm", *(f"perturbation_{number}" for number in range(columns)), "several")
    model = next(finding for finding in sample.tests if finding.nodeid.endswith("now_and_then"))
    found = []
    for number in range(tests):
        file = f"tests/package_{number // 200}/test_module_{number // 20}.py"
        counts = tuple(Count(40 + number % 3, int(number < failing and place == 3)) for place in range(len(names)))
        finding = replace(model, nodeid=f"{file}::TestSomething::test_behaves_{number}[{number % 7}]", file=file)
        if number < failing:
            mode = finding.modes[0]
            evidence = replace(mode.evidence, traceback=traceback and f"{traceback}{number}")
            finding = replace(finding, modes=(replace(mode, evidence=evidence),), under=counts)
        else:
            finding = Finding(
                finding.nodeid, file, 3, Verdict.STEADY, Count(200, 0), Interval(0, 0.018), Count(40, 0),
                Interval(0, 0.088), under=counts,
            )  # fmt: skip
        found.append(finding)
    return replace(sample, tests=tuple(found), groups=(), columns=names)
