"""Write the pages that follow from the code; with --check, fail where one is stale."""

import json
import sys
from importlib import resources
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))


def options() -> str:
    """List the options, from where they are declared."""
    from pytest_flakehunt.asked.flags import INI_ONLY, NAMES

    rows = [
        f"| `--{name}{'=' * bool(metavar)}{metavar}` | `{name.replace('-', '_')}` | {text} |"
        for name, (metavar, text) in NAMES.items()
    ]
    rows.extend(f"| | `{name}` | {text} |" for name, text in INI_ONLY.items())
    more = (
        "`-n` sets how many zygotes work at once. `-q` shortens the report, `-v` lengthens it.\n\nConfiguration files take each setting in its natural type, as in "
        '`flakehunt_only = ["order", "repeat"]`, `flakehunt_timeout = 60` and `flakehunt_leaks = true` under `[tool.pytest]`,\n`[tool.pytest.ini_options]` or in `pytest.toml`; in '
        "ini files lists are lines, or names between commas."
    )
    return "\n".join(["# Options", "", "| option | ini | what it does |", "|---|---|---|", *rows, "", more, ""])


def perturbations() -> str:
    """List the perturbations, from their own words."""
    from pytest_flakehunt.perturbations import OURS

    rows = []
    for item in OURS:
        contract = item.draw(1, 0).contract.value
        said = " ".join((type(item).__doc__ or "").split())
        rows.append(f"| `{item.name}` | {item.allowed} | {contract} | {said} |")
    head = ["| name | settings | contract | what varies |", "|---|---|---|---|"]
    return "\n".join(["# Perturbations", "", *head, *rows, "", CONTRACTS])


CONTRACTS = """*Natural* differs between two runs on one machine, *environment* between machines or days, *stress* goes beyond what
Python promises. A clock after `frozen:` is stress.

`clock` moves the wall clock and lets it tick; `monotonic` and event loops are never moved.

`latency` reaches blocking sockets (plain and TLS), asyncio's own transports, name look-ups and `time.sleep`; files that `open`, `os.open` and `pathlib` open, what
is flushed to them, `os.fsync` and `os.fdatasync`; and processes that `subprocess` starts: each is stopped before it does anything and let go on a little later, unless the
test listens for `SIGCHLD`. A test meets 25 mean delays at most, four of them at files. It never blocks an event loop, and does not reach uvloop, drivers in C (of databases, say), what
C extensions read and write, files through `tempfile`'s own objects, or processes of `multiprocessing`.

`network=offline` refuses in Python's sockets and look-ups whatever would leave the machine, with the errors of a machine that has no network; loopback, the machine's own
addresses, names in its hosts file, and sockets in the file system work. Under Linux, with the right to do so and where no service of the machine waits for
connections that tests may need, the sweep also gets a network of its own with nothing but loopback, so that drivers in C and programs that tests start are offline as well.

`locale` sets `LC_ALL` and `LANG` for the process and what it starts, `LC_CTYPE` as Python does when it starts, and further categories where the suite has taken them from
the environment. It takes installed locales in UTF-8 only: another encoding, or plain `C`, would need another interpreter.

`threads` delays threads at lines of the project's own code, seeded by test and line, and only while a second thread lives: code without threads runs at full
speed. A thread is delayed for up to 2 ms at some lines, and now and then held back once for up to a quarter of a second. Before Python 3.12 it uses trace functions, and
stands aside for a debugger or coverage. A replay delays at the same places; who wins there is still up to the machine.

`asyncio` makes timers up to 3 ms late, never early, hands out ready I/O in another order or a turn of the loop later, and lets results of thread pools come late, on asyncio's own loops
and so under pytest-asyncio and anyio; trio draws its order from the seed; uvloop is left alone. `shuffled` reorders callbacks as well: that is stress.

`listdir` reaches `os.listdir`, `os.scandir`, and what is built on them: `walk`, `glob`, `pathlib`. A reference kept elsewhere than in a module's globals is not reached.
`load` starts busy processes that are nobody's children and leave with the sweep. `heap` disorders Python's own allocator for blocks up to 528 bytes.
"""


def report() -> str:
    """Show the schema of the JSON report."""
    schema = json.loads(resources.files("pytest_flakehunt.reports").joinpath("schema.json").read_text("utf-8"))
    head = "# The JSON report\n\nWritten by `--flakehunt-json=PATH`. The schema ships with the package, as `reports/schema.json`."
    return f"{head}\n\n```json\n{json.dumps(schema, indent=1, ensure_ascii=False)}\n```\n"


def quarantine() -> str:
    """Show the schema of the quarantine file, and the help of the commands around it."""
    import os

    os.environ["COLUMNS"] = "100"
    from pytest_flakehunt.cli.main import parser

    path = resources.files("pytest_flakehunt.quarantine").joinpath("schema.json")
    schema = json.dumps(json.loads(path.read_text("utf-8")), indent=1, ensure_ascii=False)
    head = "# The quarantine file\n\nSee [how to use it](../how-to/quarantine.md). The schema ships with the package, as `quarantine/schema.json`."
    commands = ["list", "check", "release", "add", "remove"]
    helps = [f"## {name}\n\n```text\n{_help(parser(), ['quarantine', name])}```\n" for name in commands]
    return "\n".join([head, "", f"```json\n{schema}\n```", "", *helps])


def _help(parser: object, words: list[str]) -> str:
    """Give the help of a command, as Python 3.11 to 3.13 all write it."""
    import contextlib
    import io
    import re

    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.suppress(SystemExit):
        parser.parse_args([*words, "--help"])  # type: ignore[attr-defined]
    text = written.getvalue()
    lines = text[text.index("\n\n") :].strip().splitlines()
    # each version breaks lines of its own, and 3.13 writes long options in another way
    return re.sub(r"-(\w) \S+, (--[\w-]+ \S+)", r"-\1, \2", "\n".join(lines)) + "\n"


def quarantine_cost() -> str:
    """Show what reading the quarantine file costs."""
    return (HERE.parent / "benchmarks" / "QUARANTINE.md").read_text("utf-8")


def ledger() -> str:
    """Show the commented SQL of the ledger."""
    schema = resources.files("pytest_flakehunt.ledger").joinpath("schema.sql").read_text("utf-8")
    head = (
        "# The ledger\n\nAn SQLite file, `.flakehunt/ledger.sqlite` unless told otherwise: one transaction per sweep."
    )
    return f"{head}\n\n```sql\n{schema}```\n"


def benchmarks() -> str:
    """Show the figures that the benchmarks wrote."""
    figures = HERE.parent / "benchmarks" / "RESULTS.md"
    return figures.read_text("utf-8")


def causes() -> str:
    """Show how causes of the zoo were named."""
    return (HERE.parent / "benchmarks" / "CAUSES.md").read_text("utf-8")


def brought_out() -> str:
    """Show what each perturbation brings out of the zoo."""
    return (HERE.parent / "benchmarks" / "PERTURBATIONS.md").read_text("utf-8")


def leak_cost() -> str:
    """Show what the leak watch costs."""
    return (HERE.parent / "benchmarks" / "LEAKS.md").read_text("utf-8")


def forgiven() -> str:
    """List what is no leak."""
    from pytest_flakehunt.leaks.forgiven import FORGIVEN

    head = ["# Forgiven leaks", "", "Patterns of what stays and is no leak; add your own with `flakehunt_forgive`.", ""]
    rows = [
        f"| {kept.library} | `{kept.pattern}` | {kept.why}{', for the first test of a process that has it' * kept.once} |"
        for kept in sorted(FORGIVEN, key=lambda kept: kept.library.lower())
    ]
    return "\n".join([*head, "| whose | pattern | what it is |", "|---|---|---|", *rows, ""])


def other_plugins() -> str:
    """Say what each plugin of the table gets."""
    from pytest_flakehunt.asked.other_plugins import TABLE

    rows = []
    for plugin in TABLE:
        options = [*plugin.hunting, *plugin.quiet, *plugin.again]
        written = ", ".join(f"`{option.written.rstrip('=')}`" for option in options if option.written)
        rows.append(f"| {plugin.name} | {plugin.instead} | {written} |")
    return "\n".join([OTHER_PLUGINS, "| plugin | what it gets | options concerned |", "|---|---|---|", *rows, ""])


OTHER_PLUGINS = """# Hunt beside other plugins

**The rule.** Other plugins hear sweep 0 once, as they would hear an ordinary run: its dots, reports, JUnit file, allure results and log are those of one run. In all other sweeps, in the
interpreters that sweeps are forked from, and in commands that the hunt runs again, nobody looks: there a plugin that reports or measures gets nothing to write, or a place in the hunt's scratch
folder, which goes with the hunt. What reruns, reorders or distributes tests is switched off throughout, and so is what rewrites your sources, snapshots or recordings. What of this was in use
stands in the header, after `switched off:`. The exit status is the hunt's own, whatever other plugins make of it.

The cache, Hypothesis' examples and the folders of `tmp_path` are yours: sweeps and commands that are run again have their own.

Under `--flakehunt-plan` without `--flakehunt` (a command that a hunt has printed) you see an ordinary run, and plugins that report write as ever; what reruns, measures coverage or rewrites is off.

## Switch one off

A plugin that is not in the table below may write where nobody looks: in a hook of its own, outside of a test's set-up, call and tear-down. The hunt sees that and notes it, with the plugin's name:

```text
note: myreporter wrote report.txt where only the hunt looks; if no test needs it, keep it from that with flakehunt_disable_plugins = myreporter
```

Such a plugin still sees sweep 0 after

```ini
[pytest]
flakehunt_disable_plugins = myreporter
```

It is unregistered everywhere else before it is configured, and its fixtures go with it: tests that use them would fail. Several names are separated by spaces. `-p no:myreporter` on the command line
switches a plugin off for sweep 0 as well.

A plugin whose hook fails as it is shown sweep 0, or as the session ends, costs a note and not the hunt. One that takes zygotes for its own workers may fail in them: then the hunt says what the
interpreter wrote as it died, and `-p no:NAME` helps.

## What each gets
"""


PAGES = {
    "reference/options": options,
    "reference/perturbations": perturbations,
    "reference/report": report,
    "reference/quarantine": quarantine,
    "reference/quarantine-cost": quarantine_cost,
    "reference/ledger": ledger,
    "reference/benchmarks": benchmarks,
    "reference/causes": causes,
    "reference/brought-out": brought_out,
    "reference/forgiven": forgiven,
    "reference/leak-cost": leak_cost,
    "how-to/other-plugins": other_plugins,
}


def main() -> int:
    """Write or check all pages."""
    stale = 0
    for name, make in PAGES.items():
        page = HERE / f"{name}.md"
        text = make()
        if "--check" not in sys.argv:
            page.write_text(text, "utf-8")
        elif not page.exists() or page.read_text("utf-8") != text:
            print(f"{page.name} is stale: run python docs/generate.py")
            stale = 1
    return stale


if __name__ == "__main__":
    raise SystemExit(main())
