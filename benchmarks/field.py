"""Hunt through real suites with flaky tests that were verified by hand, beside loops around other plugins, and through sound ones.

``python benchmarks/field.py [--work DIR] [--half shown|held|sound] [--sweeps 50] [NAME ...]`` writes benchmarks/FIELD.md and the picture in
docs/explanation/ when all suites ran; ``--page`` does so from what DIR has. What is flaky stands in benchmarks/field/suites.toml, with the
condition that it was verified under; a coin that nobody threw, the digest of a project's name, says which half a suite belongs to.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import time
import tomllib
import venv
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
PICTURE = ROOT / "docs" / "explanation" / "field.svg"
TOOLS = (
    "pytest-xdist",
    "pytest-randomly",
    "pytest-random-order",
    "pytest-repeat",
    "hypothesis",
    "freezegun",
    "time-machine",
    "psutil",
)
OFF = ("-p", "no:randomly", "-p", "no:random_order", "-p", "no:repeat", "-p", "no:cacheprovider")
PEERS = {
    "pytest-randomly": ("-p", "no:random_order", "-p", "no:repeat", "--randomly-seed={seed}"),
    "pytest-random-order": ("-p", "no:randomly", "-p", "no:repeat", "--random-order-bucket=global", "--random-order-seed={seed}"),
    "pytest-repeat": ("-p", "no:randomly", "-p", "no:random_order", "--count=2"),
}  # fmt: skip
AT_ONCE = 2
"""Runs of a peer side by side, as many as we have workers."""
LIMIT = 1200
"""Seconds for one hunt."""
RECORDER = '''"""Notes which tests fail, as they do."""
import os
failed, passed = set(), set()
def pytest_runtest_logreport(report):
    if report.failed: failed.add(report.nodeid)
    elif report.when == "call" and report.passed: passed.add(report.nodeid)
def pytest_sessionfinish():
    with open(os.environ["FIELD_RECORD"], "a") as file:
        for nodeid in sorted(failed): file.write(nodeid + "\\n")
'''


@dataclass(frozen=True)
class Suite:
    """A project's tests, and which of them are flaky."""

    project: str
    version: str
    requires: Sequence[str]
    install: str
    args: Sequence[str]
    flaky: Sequence[dict[str, str]]
    read: str = ""
    """What came of reading the findings of a suite that was taken for sound."""

    @property
    def half(self) -> str:
        """Give ``sound``, ``shown`` or ``held``."""
        if not self.flaky:
            return "sound"
        return ("shown", "held")[hashlib.sha256(self.project.encode()).digest()[0] % 2]

    @property
    def name(self) -> str:
        """Give project and version, as sources are called."""
        return f"{self.project}-{self.version}"


NAMES = ("project", "version", "requires", "install", "args")


def suites() -> list[Suite]:
    """Read the list."""
    read = tomllib.loads((HERE / "field" / "suites.toml").read_text("utf-8"))
    return [Suite(*(one[name] for name in NAMES), one.get("flaky", ()), one.get("read", "")) for one in read["suite"]]


@dataclass
class Result:
    """When each flaky test was first seen failing, and what else was."""

    seconds: float = 0.0
    runs: int = 0
    first: dict[str, float] = field(default_factory=dict)
    """By node id: seconds since the start, at the end of the run that showed it."""
    sweeps: dict[str, int] = field(default_factory=dict)
    """By node id: the number of the first sweep of the plan that showed it."""
    others: dict[str, str] = field(default_factory=dict)
    """What is not in the list: verdict and the plan."""
    efficiency: float = 0.0


def prepared(suite: Suite, work: Path) -> tuple[Path, Path]:
    """Get a suite's source and an environment for it; give its folder and its interpreter."""
    folder, environment = work / suite.name, work / f"{suite.name}-env"
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--disable-pip-version-check"]
    if not folder.exists():
        archives = work / "archives"
        download = ["download", "-q", "--no-deps", "--no-binary=:all:", "--no-build-isolation", f"-d{archives}"]
        subprocess.run([sys.executable, "-m", "pip", *download, f"{suite.project}=={suite.version}"], check=True)
        archive = next(path for path in archives.glob("*.tar.gz") if same(path.name, suite))
        with tarfile.open(archive) as packed:
            packed.extractall(work / "unpacked", filter="data")
        shutil.move(next((work / "unpacked").iterdir()), folder)
    if not python.exists():
        venv.create(environment, with_pip=True, symlinks=True)
        subprocess.run([*pip, "pytest", *TOOLS, *suite.requires], check=True)
        if suite.install:
            subprocess.run([*pip, suite.install], cwd=folder, check=True)
    if not (environment / "hunts").exists():
        subprocess.run([*pip, "-e", str(ROOT)], check=True)
        (environment / "hunts").touch()
    return folder, python


def same(name: str, suite: Suite) -> bool:
    """Tell whether an archive is a suite's: names are written with dashes, dots or underscores."""
    plain = str.maketrans({"_": "-", ".": "-"})
    return name.lower().translate(plain).startswith(suite.name.lower().translate(plain) + "-tar")


def environ(python: Path, record: Path) -> dict[str, str]:
    """Give the variables of a run: programs that a suite starts are those of its own environment."""
    away = ("PYTHONHASHSEED", "PYTHONPATH", "CI", "GITHUB_ACTIONS")
    kept = {name: text for name, text in os.environ.items() if name not in away}
    return {**kept, "PATH": f"{python.parent}{os.pathsep}{kept['PATH']}", "FIELD_RECORD": str(record)}


def hunt(suite: Suite, folder: Path, python: Path, work: Path, sweeps: int) -> Result:
    """Hunt, and read what was found from the ledger."""
    ledger, report = work / f"{suite.name}.sqlite", work / f"{suite.name}.json"
    for path in (ledger, report):
        path.unlink(missing_ok=True)
    command = [
        str(python), "-m", "pytest", "-q", *suite.args, *OFF, f"--flakehunt={sweeps}", "--flakehunt-seed=1", "--flakehunt-diagnose=0",
        f"--flakehunt-ledger={ledger}", f"--flakehunt-json={report}", f"-n{AT_ONCE}",
    ]  # fmt: skip
    began, start = time.time(), time.perf_counter()
    with (work / f"{suite.name}.log").open("w", encoding="utf-8") as log:
        subprocess.run(
            command,
            cwd=folder,
            env=environ(python, work / "unused"),
            stdout=log,
            stderr=log,
            check=False,
            timeout=LIMIT,
        )
    result = Result(seconds=time.perf_counter() - start)
    read: dict[str, Any] = json.loads(report.read_text("utf-8"))
    flaky = {test["test"] for test in suite.flaky}
    verdicts = {test["nodeid"]: test for test in read["tests"] if test["verdict"] in {"flaky", "fragile"}}
    result.others = {
        nodeid: f"{test['verdict']} under {test['modes'][0]['plan'] or 'calm'}"
        for nodeid, test in verdicts.items()
        if nodeid not in flaky
    }
    with closing(sqlite3.connect(ledger)) as db:
        result.runs = db.execute("SELECT count(*) FROM sweeps WHERE purpose = 'survey'").fetchone()[0]
        tests = db.execute("SELECT coalesce(sum(ms), 0) / 1000.0 FROM attempts").fetchone()[0]
        rows = db.execute(
            "SELECT nodeid, min(started + seconds), min(coalesce((SELECT min(number) FROM sweeps AS first"
            " WHERE first.outage AND first.plan = sweeps.plan), number)) FROM attempts JOIN tests ON tests.id = test JOIN sweeps"
            " ON sweeps.hunt = attempts.hunt AND number = sweep WHERE mode IS NOT NULL AND purpose = 'survey' AND NOT outage GROUP BY nodeid"
        ).fetchall()
    result.efficiency = tests / (read["hunt"]["seconds"] * AT_ONCE)
    for nodeid, ended, number in rows:
        if nodeid in flaky and nodeid in verdicts:
            result.first[nodeid], result.sweeps[nodeid] = ended - began, number
    return result


def loop(suite: Suite, folder: Path, python: Path, work: Path, peer: str, seconds: float) -> Result:
    """Run a peer again and again, as many at once as we have workers, for as long as the hunt took."""
    (work / "field_recorder.py").write_text(RECORDER, "utf-8")
    result, start, seed = Result(seconds=seconds), time.perf_counter(), 0
    flaky = {test["test"] for test in suite.flaky}
    running: list[tuple[subprocess.Popen[bytes], Path]] = []
    while time.perf_counter() - start < seconds or running:
        elapsed = time.perf_counter() - start
        while elapsed < seconds and len(running) < AT_ONCE:
            seed += 1
            record = work / f"record-{seed}"
            words = [word.format(seed=seed) for word in PEERS[peer]]
            command = [
                str(python),
                "-m",
                "pytest",
                "-q",
                *suite.args,
                *words,
                "-p",
                "no:cacheprovider",
                "-p",
                "no:flakehunt",
                "-p",
                "field_recorder",
            ]
            env = {**environ(python, record), "PYTHONPATH": str(work)}
            running.append(
                (
                    subprocess.Popen(
                        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                    ),
                    record,
                )
            )
        for process, record in list(running):
            if process.poll() is None and elapsed > seconds:
                process.kill()  # its time is up
            if process.poll() is None:
                continue
            running.remove((process, record))
            if record.exists():
                result.runs += 1
                for line in record.read_text("utf-8").splitlines():
                    nodeid = plain(line) if peer == "pytest-repeat" else line
                    if nodeid in flaky:
                        result.first.setdefault(nodeid, elapsed)
                record.unlink()
        time.sleep(0.02)
    return result


def plain(nodeid: str) -> str:
    """Take out what pytest-repeat adds to a node id."""
    stem, bracket, parameters = nodeid.partition("[")
    names = parameters.removesuffix("]").split("-")
    while names and names[-1].isdigit() and len(names) > 1 and names[-2].isdigit():
        names = names[:-2]
    left = "-".join(names)
    return f"{stem}[{left}]" if bracket and left else stem


def measured(suite: Suite, work: Path, sweeps: int, before: dict[str, Any]) -> dict[str, Any]:
    """Hunt through one suite, with all peers beside where it has flaky tests; they may have been measured before."""
    folder, python = prepared(suite, work)
    found = {"ours": hunt(suite, folder, python, work, sweeps)}
    if all(peer in before for peer in PEERS):
        return {**before, "ours": vars(found["ours"])}
    if suite.flaky:
        for peer in PEERS:
            found[peer] = loop(suite, folder, python, work, peer, found["ours"].seconds)
    return {name: vars(result) for name, result in found.items()}


def curve(results: dict[str, Any], chosen: Sequence[Suite], who: str, by: str, most: float) -> list[tuple[float, int]]:
    """Give how many tests were found, by sweeps or by the share of the hunts' time."""
    places: list[float] = []
    for suite in chosen:
        result = results[suite.name][who]
        scale = 1.0 if by == "sweeps" else most / results[suite.name]["ours"]["seconds"]
        places += [min(most, place * scale) for place in result["sweeps" if by == "sweeps" else "first"].values()]
    return [(place, number + 1) for number, place in enumerate(sorted(places))]


def picture(results: dict[str, Any], chosen: Sequence[Suite], sweeps: int) -> str:
    """Draw found tests against sweeps, and against time, as SVG."""
    total = sum(len(suite.flaky) for suite in chosen)
    colours = {
        "ours": "#0b6e4f",
        "pytest-randomly": "#c1440e",
        "pytest-random-order": "#7a5195",
        "pytest-repeat": "#888888",
    }
    dashes = {"ours": "", "pytest-randomly": "6 3", "pytest-random-order": "2 3", "pytest-repeat": "8 3 2 3"}
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 330" font-family="sans-serif" font-size="12" role="img">',
        f"<title>Flaky tests found, of {total}</title>",
        '<rect width="760" height="330" fill="#ffffff"/>',
    ]
    for left, by, most, label, who in (
        (50, "sweeps", float(sweeps), "sweeps", ["ours"]),
        (430, "time", 100.0, "% of the time that our hunt took", list(colours)),
    ):
        parts.append(f'<path d="M{left} 20V270H{left + 300}" fill="none" stroke="#333"/>')
        parts.append(f'<text x="{left + 150}" y="305" text-anchor="middle">{label}</text>')
        for share in (0, 0.25, 0.5, 0.75, 1):
            y = 270 - 250 * share
            parts.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{total * share:.0f}</text>')
            parts.append(f'<path d="M{left} {y:.0f}h300" stroke="#ddd"/>')
            parts.append(f'<text x="{left + 300 * share:.0f}" y="286" text-anchor="middle">{most * share:.0f}</text>')
        taken: list[float] = []
        for name in who:
            steps, last = [f"M{left} 270"], 0
            for x, number in curve(results, chosen, name, by, most):
                steps.append(f"H{left + 300 * x / most:.1f}V{270 - 250 * number / total:.1f}")
                last = number
            steps.append(f"H{left + 300}")
            parts.append(
                f'<path d="{"".join(steps)}" fill="none" stroke="{colours[name]}" stroke-width="2" stroke-dasharray="{dashes[name]}"/>'
            )
            y = max(14.0, 270 - 250 * last / total - 4)
            while any(abs(y - other) < 13 for other in taken):
                y += 14
            taken.append(y)
            shown = "pytest-flakehunt" if name == "ours" else name
            parts.append(
                f'<text x="{left + 296}" y="{y:.0f}" text-anchor="end" fill="{colours[name]}">{shown}: {last}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def found(results: dict[str, Any], chosen: Sequence[Suite], who: str, before: int | None = None) -> int:
    """Count tests that were found, in all or in the first so many sweeps."""
    return sum(
        before is None or results[suite.name][who]["sweeps"][nodeid] < before
        for suite in chosen
        for nodeid in results[suite.name][who]["first"]
    )


def page(results: dict[str, Any], sweeps: int) -> str:
    """Put what was measured into words."""
    every = [suite for suite in suites() if suite.name in results]
    left = [f"{suite.project} ({suite.half})" for suite in suites() if suite.name not in results]
    lines = [
        "# What is found in the field\n",
        f"Made by `python benchmarks/field.py`: {sweeps} sweeps through {sum(bool(s.flaky) for s in every)} real suites with flaky tests that were verified by hand, and through {sum(not s.flaky for s in every)} sound ones.",
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores. Peers are run again and again for as long as our hunt took, {AT_ONCE} at once. *In 20* counts",
        "tests that the first 20 sweeps of the plan showed; a hunt with `--flakehunt=20` has the same plans. The weights are older than this list (they come from twelve other suites), and were not touched since; a digest of a project's name says which half it is in.",
        "What mixed sweeps hold was changed after a first measurement: of the half held out 26 of 39 had been found in 20 sweeps, 38 in 50, as half of the perturbations were not met in 20.",
        f"Not measured: {', '.join(left) or 'none'}. {times(results, every)}\n",
        "| half | suites | flaky tests | ours in 20 | ours | " + " | ".join(PEERS) + " |",
        "|---|---|---|---|---|" + "---|" * len(PEERS),
    ]
    for half in ("shown", "held"):
        chosen = [suite for suite in every if suite.half == half]
        total = sum(len(suite.flaky) for suite in chosen)
        if not total:
            lines.append(f"| {half} | not measured | | | |{' |' * len(PEERS)}")
            continue
        counts = [found(results, chosen, "ours", 20), *(found(results, chosen, who) for who in ("ours", *PEERS))]
        shares = [f"{count} ({count / total:.0%})" for count in counts]
        lines.append(f"| {half} | {len(chosen)} | {total} | " + " | ".join(shares) + " |")
    lines += [
        "",
        "| suite | half | flaky | ours in 20 | ours | " + " | ".join(PEERS) + " | seconds | missed | also found |",
    ]
    lines.append("|---|---|---|---|---|" + "---|" * (len(PEERS) + 3))
    for suite in (suite for suite in every if suite.flaky):
        result = results[suite.name]
        missed = [
            f"`{test['test']}` ({test['kind']})" for test in suite.flaky if test["test"] not in result["ours"]["first"]
        ]
        counts = [found(results, [suite], "ours", 20), *(found(results, [suite], who) for who in ("ours", *PEERS))]
        lines.append(
            f"| {suite.project} {suite.version} | {suite.half} | {len(suite.flaky)} | " + " | ".join(map(str, counts))
            + f" | {result['ours']['seconds']:.0f} | {'<br>'.join(missed)} | {len(result['ours']['others'])} |"
        )  # fmt: skip
    lines += ["", "| sound suite | sweeps | seconds | blamed | read by hand |", "|---|---|---|---|---|"]
    for suite in (suite for suite in every if not suite.flaky):
        ours = results[suite.name]["ours"]
        blamed = "<br>".join(f"`{nodeid}` {why}" for nodeid, why in ours["others"].items())
        lines.append(
            f"| {suite.project} {suite.version} | {ours['runs']} | {ours['seconds']:.0f} | {blamed or '0'} | {suite.read} |"
        )
    kinds: dict[str, list[bool]] = {}
    for suite in every:
        for test in suite.flaky:
            kinds.setdefault(test["kind"], []).append(test["test"] in results[suite.name]["ours"]["first"])
    lines += ["", "| kind | flaky tests | ours |", "|---|---|---|"]
    lines += [
        f"| {kind} | {len(seen)} | {sum(seen)} |" for kind, seen in sorted(kinds.items(), key=lambda one: -len(one[1]))
    ]
    efficient = [results[suite.name]["ours"]["efficiency"] for suite in every]
    lines.append(
        f"\nSeconds of tests over seconds of workers: median {statistics.median(efficient):.2f}; most of these suites take a second or two."
    )
    return "\n".join(lines) + "\n"


def times(results: dict[str, Any], every: Sequence[Suite]) -> str:
    """Say how long both took, as peers may have been measured with an earlier version of ours."""
    flaky = [results[suite.name] for suite in every if suite.flaky]
    ours, theirs = (sum(result[who]["seconds"] for result in flaky) for who in ("ours", next(iter(PEERS))))
    return f"Our hunts through the suites with flaky tests took {ours:.0f} s in all; each peer had {theirs:.0f} s."


def main() -> None:
    """Measure what was asked for, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--work", type=Path, default=Path("field-work"), help="where sources, environments and results are kept"
    )
    parser.add_argument("--half", choices=("shown", "held", "sound"))
    parser.add_argument("--sweeps", type=int, default=50)
    parser.add_argument("--ours", action="store_true", help="keep what was measured of peers")
    parser.add_argument("--page", action="store_true", help="write the page from what was measured before")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    kept = work / "results.json"
    results: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    chosen = [s for s in suites() if given.half in {None, s.half} and (not given.names or s.project in given.names)]
    for suite in chosen if not given.page else []:
        before = results.pop(suite.name, {})
        try:
            results[suite.name] = measured(suite, work, given.sweeps, before if given.ours else {})
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            print(f"{suite.name}: {error}", flush=True)
            continue
        print(suite.name, suite.half, len(suite.flaky), *summary(results[suite.name]), flush=True)
        kept.write_text(json.dumps(results, indent=1), "utf-8")
    if given.page or (not given.names and given.half is None):
        (HERE / "FIELD.md").write_text(page(results, given.sweeps), "utf-8")
        drawn = [suite for suite in suites() if suite.flaky and suite.name in results]
        PICTURE.write_text(picture(results, drawn, given.sweeps), "utf-8")


def summary(result: dict[str, Any]) -> Iterator[str]:
    """Say what each found."""
    for who, seen in result.items():
        yield f"{who}={len(seen['first'])}/{seen['runs']}r/{seen['seconds']:.0f}s"
    if result["ours"]["others"]:
        yield f"others={result['ours']['others']}"


if __name__ == "__main__":
    main()
