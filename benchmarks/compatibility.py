"""Hunt through suites that use other libraries, and see that nothing is harmed: ``python benchmarks/compatibility.py [--envs DIR] [NAME ...]``.

Each suite below ``benchmarks/compatibility/`` is sound. It is run plainly, and hunted; what both leave behind is compared.
When all suites ran, or with ``--write``, the table is written to docs/reference/compatibility.md.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
TEMPLATES = HERE / "compatibility"
PAGE = HERE.parent / "docs" / "reference" / "compatibility.md"
LIMIT = 180
"""Seconds for one run, plain or hunted; after that it hangs."""
SWEEPS = 20
IGNORED = (".flakehunt/", "__pycache__/", ".pytest_cache/")
UNSET = ("CI", "GITHUB_ACTIONS", "TEAMCITY_VERSION", "TF_BUILD", "PYTHONHASHSEED", "PYTHONPATH")
RANDOM = re.compile(r"[0-9a-f]{8}-?[0-9a-f-]{4,}|\d{4,}")
"""What differs between two names that mean the same: identifiers, dates, process numbers."""
MESSAGE = re.compile(rb"##\w+\[[^\n]*|^::[^\n]*", re.MULTILINE)
"""What a service reads in the output."""
COUNTED = (b"\n", b"\0", b'hits="1"')
"""What else is counted in a file: lines, NULs, lines that coverage saw."""

APART = {".git", "__pycache__", ".pytest_cache", ".flakehunt", ".hypothesis"}
"""Folders whose files are compared otherwise, or not at all."""

State = dict[str, Counter[str]]
"""What a run leaves behind: by its name, what is counted in it."""


class Suite(NamedTuple):
    """A library with a suite that uses it."""

    library: str
    """Its name for pip, which is also the template's folder."""
    group: str
    """The environment that it is installed into."""
    uses: str
    args: tuple[str, ...] = ()
    """What the hunt alone is told: options that rewrite sources or snapshots."""
    needs: tuple[str, ...] = ()
    """What else is installed."""
    environment: tuple[tuple[str, str], ...] = ()
    in_both: bool = False
    """The plain run after the first is told it too."""
    meant: tuple[str, ...] = ()
    """How differences begin that are meant: what the header says is taken over, and what xdist's `-n` does to the plugin too."""
    switched_off: bool = False
    """A hunt leaves what it writes as the run before did, where a second plain run would add to it."""
    may_refuse: bool = False
    """One clear refusal is as good as a hunt."""

    @property
    def name(self) -> str:
        """How the suite is called in the table."""
        return " ".join([self.library, *self.args])

    @property
    def slug(self) -> str:
        """The same, for files."""
        return re.sub(r"[^\w-]+", "_", self.name)


ON_GITHUB = (("GITHUB_ACTIONS", "true"),)

OF_WORKERS = ("git status: ?? shop.sqlite_gw", "shop.sqlite_gw")
"""Databases that `--reuse-db` keeps: one for each of xdist's workers."""
SUITES = (
    Suite("pytest", "reports", "`--junitxml`, `--durations`, `-ra`"),
    Suite("pytest-html", "reports", "`--html`, `--self-contained-html`"),
    Suite("pytest-json-report", "reports", "`--json-report`"),
    Suite("pytest-reportlog", "reports", "`--report-log`"),
    Suite("pytest-json-ctrf", "reports", "`--ctrf`"),
    Suite("pytest-metadata", "reports", "`--metadata`, `--junitxml`"),
    Suite("pytest-instafail", "reports", "`--instafail`"),
    Suite("pytest-md-report", "md-report", "`--md-report`"),
    Suite("pytest-csv", "csv", "`--csv`"),
    Suite("pytest-tap", "older", "`--tap-files`", needs=("pytest<9",)),
    Suite("pytest-benchmark", "benchmark", "`--benchmark-json`"),
    Suite("pytest-profiling", "profiling", "`--profile`"),
    Suite("pytest-durations", "durations", "`--pytest-durations`"),
    Suite("pytest-split", "split", "`--splits`, `--store-durations`"),
    Suite("pytest-monitor", "monitor", "`--db`", needs=("pytest<9",), switched_off=True),
    Suite("pytest-memray", "memray", "`--memray`"),
    Suite("allure-pytest", "allure", "`--alluredir`, results of earlier runs kept"),
    Suite("allure-pytest", "allure", "`--alluredir`", args=("--clean-alluredir",), in_both=True),
    Suite("pytest-cov", "cov", "`--cov`, branches, XML report"),
    Suite("pytest-testmon", "testmon", "`--testmon`, `--testmon-noselect`"),
    Suite("teamcity-messages", "teamcity", "`--teamcity`"),
    Suite("pytest-azurepipelines", "azure", "its NUnit file"),
    Suite("pytest-github-actions-annotate-failures", "github", "annotations", environment=ON_GITHUB),
    Suite("syrupy", "syrupy", "snapshots in Amber and JSON"),
    Suite("syrupy", "syrupy", "the same", args=("--snapshot-update",)),
    Suite("inline-snapshot", "inline-snapshot", "snapshots in the source and beside it"),
    Suite("inline-snapshot", "inline-snapshot", "the same", args=("--inline-snapshot=fix",)),
    Suite("pytest-snapshot", "snapshot", "snapshot files and folders"),
    Suite("pytest-snapshot", "snapshot", "the same", args=("--snapshot-update",)),
    Suite("pytest-insta", "insta", "snapshots of several formats"),
    Suite("pytest-insta", "insta", "the same", args=("--insta=update",)),
    Suite("pytest-regressions", "regressions", "data, files, numbers, frames", needs=("pandas", "pytest-datadir")),
    Suite("pytest-regressions", "regressions", "the same", args=("--force-regen",)),
    Suite("approvaltests", "approvals", "approved files", meant=(".approval_tests_temp/.approved_files.log",)),
    Suite("pytest-vcr", "vcr", "cassettes", needs=("requests",)),
    Suite("pytest-vcr", "vcr", "the same", args=("--vcr-record=new_episodes",)),
    Suite("pytest-recording", "recording", "cassettes, `--block-network`", needs=("requests",)),
    Suite("pytest-recording", "recording", "the same", args=("--record-mode=rewrite",)),
    Suite("pytest-xdist", "reruns", "`-n2`", meant=("cache/nodeids",)),
    Suite("pytest-rerunfailures", "reruns", "`--reruns`"),
    Suite("flaky", "flaky", "`--force-flaky` and its mark"),
    Suite("pytest-retry", "retry", "`--retries` and its mark"),
    Suite("pytest-forked", "older", "`--forked`", needs=("pytest<9",)),
    Suite("pytest-repeat", "repeat", "`--count`", meant=("cache/nodeids", "not hunted")),
    Suite("pytest-randomly", "randomly", "order and seeds"),
    Suite("pytest-random-order", "random-order", "`--random-order`"),
    Suite("pytest-sugar", "sugar", "its output"),
    Suite("pytest-clarity", "clarity", "its comparisons"),
    Suite("pytest-picked", "picked", "installed"),
    Suite("pytest-order", "fixtures", "marks"),
    Suite("pytest-timeout", "fixtures", "`--timeout`, by signal and by thread"),
    Suite("pytest-dependency", "fixtures", "marks"),
    Suite("pytest-subtests", "fixtures", "the fixture, and unittest's"),
    Suite("pytest-check", "fixtures", "checks, two of which fail"),
    Suite("pytest-unordered", "fixtures", "comparisons"),
    Suite("pytest-mock", "fixtures", "patched functions of `os`, `time`, `open`"),
    Suite("pytest-datadir", "fixtures", "data of a test and shared ones"),
    Suite("pytest-lazy-fixtures", "fixtures", "fixtures as parameters"),
    Suite("pytest-subprocess", "fixtures", "registered commands, and real ones"),
    Suite("pytest-env", "fixtures", "variables in the ini file"),
    Suite("pytest-dotenv", "dotenv", "`env_files`"),
    Suite("pytest-socket", "socket", "`--disable-socket`"),
    Suite("pytest-cases", "older", "cases and fixtures", needs=("pytest<9",)),
    Suite("pytest-bdd", "bdd", "scenarios, `--cucumberjson`"),
    Suite("pytest-xprocess", "xprocess", "a server that outlives a test"),
    Suite("pytest-localserver", "localserver", "HTTP and SMTP servers", needs=("aiosmtpd",)),
    Suite("pyfakefs", "files", "a file system that is not there"),
    Suite("freezegun", "time", "frozen clocks"),
    Suite("pytest-freezer", "time", "frozen clocks"),
    Suite("time-machine", "machine", "moved clocks"),
    Suite("hypothesis", "data", "properties, a state machine"),
    Suite("faker", "data", "its fixture, locales"),
    Suite("factory-boy", "data", "factories, sequences"),
    Suite("pytest-asyncio", "asyncio", "auto mode, a server"),
    Suite("anyio", "trio", "both backends"),
    Suite("pytest-trio", "trio", "its clocks"),
    Suite("pytest-aiohttp", "aiohttp", "clients, servers, a WebSocket"),
    Suite("tornado", "aiohttp", "its test cases"),
    Suite("pytest-twisted", "twisted", "deferreds", needs=("twisted",)),
    Suite("gevent", "gevent", "everything monkey-patched", may_refuse=True),
    Suite("httpx", "web", "transports"),
    Suite("respx", "web", "routes"),
    Suite("pytest-httpx", "web", "its fixture"),
    Suite("responses", "web", "its mocks", needs=("requests",)),
    Suite("requests-mock", "web", "its fixture", needs=("requests",)),
    Suite("pytest-httpserver", "httpserver", "a server in a thread"),
    Suite("moto", "moto", "S3", needs=("moto[s3]",)),
    Suite("pytest-django", "django", "SQLite on disk, `--reuse-db`", needs=("django",), meant=OF_WORKERS),
    Suite("pytest-flask", "flask", "client, session, context"),
    Suite("fastapi", "web", "TestClient", needs=("httpx", "httpx2")),
    Suite("sqlalchemy", "data", "SQLite, transactions rolled back"),
    Suite("celery", "celery", "eager tasks"),
    Suite("fakeredis", "data", "its server"),
    Suite("mongomock", "data", "its client", needs=("pymongo",)),
    Suite("numpy", "data", "linear algebra, seeds, mapped files"),
    Suite("pandas", "data", "frames, dates, zones"),
    Suite("attrs", "data", "classes"),
    Suite("pydantic", "data", "models"),
    Suite("marshmallow", "data", "schemas"),
    Suite("jinja2", "data", "templates in files"),
    Suite("click", "data", "CliRunner"),
    Suite("typer", "data", "CliRunner"),
    Suite("loguru", "data", "sinks, also in a process of its own"),
    Suite("structlog", "data", "captured logs"),
    Suite("pexpect", "data", "terminals"),
    Suite("psutil", "data", "processes, open files"),
)


class Result(NamedTuple):
    """What the comparison found."""

    version: str
    checked: str
    differences: list[str]
    """Empty where the hunt left everything as a plain run does."""
    information: str


def interpreter(envs: Path, group: str) -> Path:
    """Give the interpreter of a group's environment, made where it is missing."""
    home = envs / f"{group}-{sys.version_info.major}.{sys.version_info.minor}"
    if not home.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    return home / "bin" / "python"


def install(python: Path, *args: str) -> None:
    """Install into an environment; pip's own words are shown where it fails."""
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python}: {done.stderr[-2000:]}")


def environments(envs: Path, suites: Iterable[Suite]) -> dict[str, Path]:
    """Give each group's interpreter, with its libraries and this checkout as it is now."""
    built = envs / "built"
    shutil.rmtree(built, ignore_errors=True)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", f"--wheel-dir={built}", str(HERE.parent)]
    subprocess.run(wheel, check=True)
    checkout = str(next(built.glob("*.whl")))
    groups: dict[str, set[str]] = {}
    for suite in suites:
        groups.setdefault(suite.group, set()).update([suite.library, *suite.needs])
    pythons = {group: interpreter(envs, group) for group in groups}
    for group, python in pythons.items():
        print(f"environment {group}", file=sys.stderr)
        install(python, str(checkout), *sorted(groups[group]))
        install(python, "--no-deps", "--force-reinstall", checkout)
    return pythons


def templates(suite: Suite) -> list[Path]:
    """Give the folders that a suite is made from: those that need no tests of their own share some."""
    own = TEMPLATES / suite.library
    shared = not any(own.rglob("test_*.py")) or "basket" in "".join(
        path.read_text("utf-8") for path in own.glob("*.py")
    )
    return [TEMPLATES / "basket", own] if shared else [own]


def prepare(suite: Suite, folder: Path) -> None:
    """Make a repository of the template, with everything committed."""
    shutil.rmtree(folder, ignore_errors=True)
    for template in templates(suite):
        ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
        shutil.copytree(template, folder, ignore=ignored, dirs_exist_ok=True)
    with (folder / ".gitignore").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in IGNORED)
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message=suite"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def pytest(suite: Suite, python: Path, folder: Path, log: Path, *args: str) -> str:
    """Run pytest; give its exit status, or that it hangs. Its output goes into the log."""
    environment = {key: value for key, value in os.environ.items() if key not in UNSET and not key.startswith("PYTEST")}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [python, "-m", "pytest", *args],
            cwd=folder,
            env={**environment, **dict(suite.environment)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return str(process.wait(LIMIT))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"hangs after {LIMIT} s"


def counted(path: Path, tests: Iterable[str]) -> Counter[str]:
    """Count what a file has of each: rows of tables, or names of tests, lines and NULs."""
    content = path.read_bytes()
    if content.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return Counter({f"rows of {t}": _rows(connection, t) for (t,) in tables})
    words = [*(test.encode() for test in tests), *COUNTED]
    return Counter({repr(word)[1:]: content.count(word) for word in words if word in content})


def names(suite: Suite) -> set[str]:
    """Give the names of the tests that a template defines."""
    sources = (path.read_text("utf-8") for folder in templates(suite) for path in folder.rglob("test_*.py"))
    return {name for source in sources for name in re.findall(r"def (test_\w+)", source)}


def _rows(connection: sqlite3.Connection, table: str) -> int:
    return connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield all files but the repository's, caches and ledgers, by names from which what is random was taken."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not APART & set(inside.parts):
            yield RANDOM.sub("*", str(inside)), path


def state(folder: Path, tests: list[str], status: str, said: bytes) -> State:
    """Gather what a run left behind."""
    git = ["git", "status", "--porcelain"]
    changed = subprocess.run(git, cwd=folder, capture_output=True, text=True, check=True).stdout
    left: State = {"exit status": Counter([status]), "git status": Counter(changed.splitlines())}
    for name in ("lastfailed", "nodeids", "stepwise"):
        path = folder / ".pytest_cache" / "v" / "cache" / name
        left[f"cache/{name}"] = Counter(map(str, json.loads(path.read_text("utf-8")))) if path.exists() else Counter()
    for name, path in files(folder):
        left.setdefault(name, Counter()).update({"files": 1, **counted(path, tests)})
    lines = MESSAGE.findall(said)
    left["messages to a service"] = Counter(test for test in tests for line in lines if test.encode() in line)
    return left


def noise(one: State, other: State) -> set[str]:
    """Give the files in which two first runs differ: there, only files and names of tests can be compared."""
    changed = {name for name in {*one, *other} if one.get(name) != other.get(name)}
    return {name for name in changed if name not in {"exit status", "git status"} and not name.startswith("cache/")}


def differences(before: State, after: State, vague: set[str]) -> Iterator[str]:
    """Yield in words what is not the same."""
    for name in sorted({*before, *after}):
        plain, hunted = before.get(name, Counter()), after.get(name, Counter())
        odd = sorted(key for key in {*plain, *hunted} if plain[key] != hunted[key])
        if name in vague:
            odd = [key for key in odd if key == "files" or key.startswith("'test")]
        if odd:
            told = ", ".join(f"{key} {plain[key]} -> {hunted[key]}" for key in odd[:4])
            yield f"{name}: {told}{f', and {len(odd) - 4} more' if len(odd) > 4 else ''}"


def verdicts(report: Path, nodeids: Iterable[str], skipped: int) -> Iterator[str]:
    """Yield the tests that are not steady, with their messages, and those that are missing."""
    read: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {"tests": []}
    if not report.exists():
        yield "no report"
    elif missing := sorted({*nodeids} - {test["nodeid"] for test in read["tests"]}):
        yield f"not hunted: {', '.join(missing[:3])}{f' and {len(missing) - 3} more' if len(missing) > 3 else ''}"
    idle = sum(not test["runs"] for test in read["tests"])
    if idle > skipped:
        yield f"{idle} tests never ran to a result in the hunt, {skipped} in the plain run"
    for test in read["tests"]:
        if test["verdict"] != "steady":
            mode = (test["modes"] or [{"message": "", "plan": ""}])[0]
            message = " ".join(str(mode["message"]).split())[:200]
            yield f"{test['nodeid']} is {test['verdict']} ({test['failures']} of {test['runs']}, {mode['plan']}): {message}"
    yield from (f"outage: {outage}" for outage in read.get("outages", []))


def leaks(report: Path) -> str:
    """Give the kinds of what was said to leak."""
    if not report.exists():
        return ""
    tests = json.loads(report.read_text("utf-8"))["tests"]
    return ", ".join(sorted({f"{leak['kind']}: {leak['what']}"[:60] for test in tests for leak in test["leaks"]}))


def version(python: Path, library: str) -> str:
    """Give the version of what is installed."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    return subprocess.run([python, "-c", code, library], capture_output=True, text=True, check=True).stdout.strip()


def compared(suite: Suite, python: Path, envs: Path) -> Result:
    """Run a suite plainly twice, and once plainly and once hunted; tell the difference."""
    home, report = envs / "suites" / suite.slug, envs / "logs" / f"{suite.slug}.json"
    logs = {kind: envs / "logs" / f"{suite.slug}.{kind}.txt" for kind in ("first", "plain", "hunted")}
    for path in (report, *logs.values()):
        path.unlink(missing_ok=True)
    firsts = []
    for kind in ("plain", "hunted"):
        prepare(suite, home / kind)
        status = pytest(suite, python, home / kind, logs["first"])
        nodeids = json.loads((home / "plain/.pytest_cache/v/cache/nodeids").read_text("utf-8"))
        tests = sorted(names(suite) | {nodeid.rpartition("::")[2].partition("[")[0] for nodeid in nodeids})
        firsts.append(state(home / kind, tests, status, b""))
    second = pytest(suite, python, home / "plain", logs["plain"], *(suite.args if suite.in_both else ()))
    asked = [f"--flakehunt={SWEEPS}", "--flakehunt-seed=1", "--flakehunt-diagnose=0", f"--flakehunt-json={report}"]
    hunted = pytest(suite, python, home / "hunted", logs["hunted"], *suite.args, *asked)
    said = {kind: log.read_bytes() for kind, log in logs.items()}
    before = firsts[1] if suite.switched_off else state(home / "plain", tests, second, said["plain"])
    after = state(home / "hunted", tests, hunted, said["hunted"])
    refused = suite.may_refuse and hunted == "4" and b"flakehunt" in said["hunted"]
    if refused:
        after["exit status"] = before["exit status"]
    found = [f"the plain run exits with {status}"] if status != "0" else []
    found += differences(before, after, noise(*firsts))
    if not refused:
        skipped = sum(map(int, re.findall(rb"(\d+) skipped", said["plain"])))
        found += verdicts(report, nodeids, skipped)
    found = [line for line in found if not line.startswith(suite.meant)] if suite.meant else found
    template = {name for folder in templates(suite) for name, _ in files(folder)}
    made = sorted({name for name, _ in files(home / "plain")} - template - {".gitignore"})
    number = len(nodeids) or after["cache/nodeids"].total()
    checked = ", ".join([f"{number} tests", *(f"`{name}`" for name in made[:4])])
    return Result(version(python, suite.library), checked, found, "refused" if refused else leaks(report))


def row(suite: Suite, result: Result) -> str:
    """Give a line of the table."""
    sound = "refused, nothing changed" if result.information == "refused" else "the same"
    sound += f", but for {' and '.join(suite.meant)}" if suite.meant else ""
    told = "; ".join(result.differences).replace("|", "\\|") or sound
    name = f"{suite.library} `{' '.join(suite.args)}`" if suite.args else suite.library
    older = ", with pytest 8" if "pytest<9" in suite.needs else ""
    return f"| {name} | {result.version}{older} | {suite.uses} | {result.checked} | {told} |"


def page(rows: Iterable[str], python: Path) -> str:
    """Put the table into words."""
    ours, theirs = version(python, "pytest-flakehunt"), version(python, "pytest")
    return "\n".join([
        "# Compatibility\n",
        "Made by `python benchmarks/compatibility.py`: a small sound suite for each library, in a repository of its own, is run plainly and then hunted",
        f"with {SWEEPS} sweeps. *The same* means that all tests were steady, and that exit status, `git status`, pytest's cache and all files were those",
        "that a second plain run leaves: as many files, and in each as many lines, NULs, rows of a database, and names of each test. Options beside a library's name were given",
        "to the hunt alone, but for `--clean-alluredir`.\n",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, pytest-flakehunt {ours}, pytest {theirs}, Python {platform.python_version()}, {platform.system()}.\n",
        "| library | version | its suite uses | checked | result |",
        "|---|---|---|---|---|",
        *rows,
    ]) + "\n"  # fmt: skip


def main() -> int:
    """Compare all suites, or those of some libraries; give 1 where anything differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--envs", type=Path, default=Path(tempfile.gettempdir()) / "flakehunt-compatibility")
    parser.add_argument("--write", action="store_true", help="write the page although not all suites ran")
    parser.add_argument("names", nargs="*", metavar="NAME", help="libraries; all, if none is named")
    given = parser.parse_args()
    if unknown := {*given.names} - {suite.library for suite in SUITES}:
        parser.error(f"{', '.join(sorted(unknown))}: no such library in the table")
    suites = [suite for suite in SUITES if not given.names or suite.library in given.names]
    envs = given.envs.resolve()
    (envs / "logs").mkdir(parents=True, exist_ok=True)
    pythons = environments(envs, suites)
    rows, harmed = [], 0
    for suite in suites:
        result = compared(suite, pythons[suite.group], envs)
        harmed += bool(result.differences)
        word = "DIFFERS" if result.differences else "ok"
        print(f"{word:8}{suite.name} {result.version}: {result.checked}", flush=True)
        print(*(f"        {line}\n" for line in result.differences), sep="", end="", flush=True)
        if result.information:
            print(f"        ({result.information})", flush=True)
        rows.append(row(suite, result))
    print(f"{harmed} of {len(suites)} differ; logs are in {envs / 'logs'}")
    if given.write or not given.names:
        PAGE.write_text(page(rows, next(iter(pythons.values()))), "utf-8")
    return int(harmed > 0)


if __name__ == "__main__":
    sys.exit(main())
