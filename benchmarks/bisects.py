"""Search twenty planted histories with `flakehunt bisect`, and write benchmarks/BISECTS.md: ``python benchmarks/bisects.py``.

Each has 24 commits or a few more, some on branches that are merged; at one of them, drawn from a seed, the test begins to fail. In every
other history the suite cannot be imported at some commits. The repository is compared before and after.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import NamedTuple

HERE = Path(__file__).parent
COMMITS = 24
TEST = "test_shop.py::test_price"
SUITE = """
import fault
import shop

def test_other():
    assert shop

def test_price():
    assert fault.price(shop.BASKET) == 1

def test_basket():
    shop.BASKET.append(1)
"""
SOUND = "import random\nimport datetime\n\ndef price(basket):\n    return 1 + {fault}\n"
KINDS = {
    "every time": ("1", ()),
    "one time in two": ("(random.random() < 0.5)", ()),
    "one time in five": ("(random.random() < 0.2)", ()),
    "on some days, as a hunt found it": (
        "(datetime.date.today().month == 2)",
        ("--flakehunt=30", "--flakehunt-only=clock"),
    ),
    "after another test, as a hunt found it": ("len(basket)", ("--flakehunt=12", "--flakehunt-only=order")),
}
"""How the test fails once the fault is there, and the hunt that sees it first, if one does."""
STATED = re.compile(r"wrong with a chance of at most ([\d.e-]+) %")


class Searched(NamedTuple):
    """One search: what it said, and what it took."""

    kind: str
    revisions: int
    merges: int
    broken: int
    said: str
    stated: float
    tried: int
    runs: int
    seconds: float
    clean: bool


class Project:
    """A repository with a fault planted in it."""

    def __init__(self, folder: Path, chance: Random, fault: str, *, breaks: bool) -> None:
        self.folder, self.chance, self.number, self.merges = folder, chance, 0, 0
        folder.mkdir()
        self.git("init", "-q")
        for name, text in {
            "test_shop.py": SUITE,
            "shop.py": "BASKET = []\n",
            "fault.py": SOUND.format(fault="0"),
            ".gitignore": "__pycache__\n",
        }.items():
            (folder / name).write_text(text, "utf-8")
        self.planted = chance.randrange(1, COMMITS)
        self.fault = fault
        self.broken = (
            set(chance.sample([n for n in range(1, COMMITS - 1) if abs(n - self.planted) > 1], 3)) if breaks else set()
        )
        self.first = ""
        self.commit("main")
        self.good = self.git("rev-parse", "HEAD").strip()
        while self.number < COMMITS:
            if chance.random() < 0.25 and self.number < COMMITS - 3:
                self.branch()
            else:
                self.commit("main")

    def git(self, *words: str) -> str:
        """Give what git says."""
        settled = (
            "-c",
            "user.name=n",
            "-c",
            "user.email=e@x",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        )
        return subprocess.run(
            ["git", *settled, *words], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout

    def commit(self, branch: str) -> None:
        """Change something: the fault comes, or the suite cannot be imported, where that was drawn."""
        (self.folder / f"change-{self.number}.txt").write_text(branch, "utf-8")
        cannot = self.folder / "conftest.py"
        if self.number in self.broken:
            cannot.write_text("import nowhere\n", "utf-8")
        elif cannot.exists():
            cannot.unlink()
        if self.number == self.planted:
            (self.folder / "fault.py").write_text(SOUND.format(fault=self.fault), "utf-8")
        self.git("add", "-A")
        self.git("commit", "-qm", f"change {self.number} on {branch}")
        if self.number == self.planted:
            self.first = self.git("rev-parse", "HEAD").strip()
        self.number += 1

    def branch(self) -> None:
        """Let a branch and the main line go on for a while, and merge."""
        name = f"topic-{self.number}"
        self.git("checkout", "-q", "-b", name)
        for _ in range(self.chance.randint(1, 3)):
            self.commit(name)
        (self.folder / "conftest.py").unlink(missing_ok=True)
        self.git("checkout", "-q", "-f", "main")
        if self.chance.random() < 0.7:
            self.commit("main")
        self.git("merge", "-q", "--no-ff", "-X", "ours", "-m", f"merge {name}", name)
        self.merges += 1

    def state(self) -> list[str]:
        """Give all that a search must leave as it is."""
        inside = self.folder / ".git"
        files = sorted(
            f"{path.relative_to(inside)} {path.read_bytes().hex()}"
            for path in inside.rglob("*")
            if path.is_file() and "objects" not in path.parts
        )
        return [
            *files,
            *(self.git(*words.split()) for words in ("status --porcelain", "worktree list", "for-each-ref")),
        ]


def searched(folder: Path, kind: str, seed: int) -> Searched:
    fault, hunt = KINDS[kind]
    project = Project(folder, Random(seed), fault, breaks=seed % 2 == 1)
    environ = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "pytest_flakehunt.plugin,xdist.plugin",
    }
    if hunt:
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--flakehunt-seed={seed}", *hunt],
            cwd=folder,
            env=environ,
            check=False,
            capture_output=True,
        )
    before = project.state()
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest_flakehunt", "bisect", TEST, project.good, "HEAD"],
        cwd=folder,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - began
    lines = ended.stdout.splitlines()
    last = next((line for line in lines if line.startswith("began to fail")), "")
    short = project.git("rev-parse", "--short=12", project.first).strip()
    if ended.returncode == 0:
        said = "right" if last.startswith(f"began to fail with {short} ") else "wrong"
    else:
        said = (
            "range"
            if any(line.startswith(f"  {short} ") for line in lines)
            else f"none: {(ended.stderr.splitlines() or lines)[-1]}"
        )
    (notes,) = (folder / ".flakehunt").glob("bisect-*.json")
    tries = json.loads(notes.read_text("utf-8"))["revisions"].values()
    stated = STATED.search(last)
    if said != "right":
        print(ended.stdout, ended.stderr, sep="\n")
    return Searched(
        kind,
        int(project.git("rev-list", "--count", f"{project.good}..HEAD")),
        project.merges,
        len(project.broken),
        said,
        float(stated[1]) if stated else 100.0,
        len(tries),
        sum(one["runs"] for one in tries),
        seconds,
        project.state() == before,
    )


def page(rows: list[Searched]) -> str:
    lines = [
        "# Searches in planted histories",
        "",
        f"Made by `python benchmarks/bisects.py`: {len(rows)} repositories, each searched once with `flakehunt bisect`. *Range* is an answer that names the right one among",
        "those that could not be judged. *Stated* is the chance of a wrong answer that the answers gave, the highest of them.",
        "",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores.",
        "",
        "| the test fails | searches | right | range | wrong | none | stated | revisions | with merges | tried, median | runs, median | seconds, median |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in (*KINDS, "all"):
        mine = [row for row in rows if kind in {row.kind, "all"}]
        if not mine:
            continue
        counts = [sum(row.said.startswith(word) for row in mine) for word in ("right", "range", "wrong", "none")]
        lines.append(
            f"| {kind} | {len(mine)} | {' | '.join(map(str, counts))} | {max(row.stated for row in mine):.2g} % | {min(row.revisions for row in mine)} to {max(row.revisions for row in mine)} | {sum(row.merges > 0 for row in mine)} "
            f"| {statistics.median(row.tried for row in mine):.0f} | {statistics.median(row.runs for row in mine):.0f} | {statistics.median(row.seconds for row in mine):.0f} |"
        )
    clean = sum(row.clean for row in rows)
    lines += [
        "",
        f"The repository was as it had been, refs, configuration, index and work trees, in {clean} of {len(rows)}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    reads = argparse.ArgumentParser(description=__doc__)
    reads.add_argument("--searches", type=int, default=20)
    reads.add_argument("--seed", type=int, default=1)
    asked = reads.parse_args()
    rows = []
    for number in range(asked.searches):
        kind = [*KINDS][number % len(KINDS)]
        with tempfile.TemporaryDirectory(prefix="bisects-") as name:
            rows.append(searched(Path(name) / "project", kind, asked.seed + number))
        print(rows[-1], flush=True)
    (HERE / "BISECTS.md").write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main()
