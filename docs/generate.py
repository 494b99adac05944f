"""Write the pages that follow from the code; with --check, fail where one is stale."""

import json
import sys
from functools import partial
from importlib import resources
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import command_pages  # noqa: E402 - found by now
import perturbation_pages  # noqa: E402 - as that


def options() -> str:
    """List the options, from where they are declared."""
    from pytest_flakehunt.asked.flags import INI_ONLY, NAMES

    rows = [
        f"| `--{name}{'=' * bool(metavar)}{metavar}` | `{name.replace('-', '_')}` | {text} |"
        for name, (metavar, text) in NAMES.items()
    ]
    rows.extend(f"| | `{name}` | {text} |" for name, text in INI_ONLY.items())
    more = (
        "`-n` sets how many zygotes work at once, and `--tx` places some [on other machines](../how-to/machines.md). `-q` shortens the report, `-v` lengthens it.\n\nConfiguration files take each setting in its natural type, as in "
        '`flakehunt_only = ["order", "repeat"]`, `flakehunt_timeout = 60` and `flakehunt_leaks = true` under `[tool.pytest]`,\n`[tool.pytest.ini_options]` or in `pytest.toml`; in '
        "ini files lists are lines, or names between commas."
    )
    return "\n".join(["# Options", "", "| option | ini | what it does |", "|---|---|---|", *rows, "", more, ""])


def perturbations() -> str:
    """List the perturbations, from their own words."""
    from pytest_flakehunt.perturbations import OURS, worth

    rows = []
    for item in OURS:
        contract = item.draw(1, 0).contract.value
        said = " ".join((type(item).__doc__ or "").split())
        rows.append(f"| [`{item.name}`](../perturbations/{item.name}.md) | {item.allowed} | {contract} | {said} |")
    head = ["| name | settings | contract | what varies |", "|---|---|---|---|"]
    weights = [f"| `{item.name}` | {worth.worth(item.name).weight:g} | {worth.worth(item.name).why} |" for item in OURS]
    table = ["## Weights", "", WEIGHTS, "", "| name | weight | why |", "|---|---|---|", *weights, ""]
    return "\n".join(["# Perturbations", "", CONTRACTS, *head, *rows, "", *table])


WEIGHTS = """How often each is drawn, against the others: see [which sweeps come first](../explanation/schedule.md). Gruber et al. is *An
Empirical Study of Flaky Tests in Python* (2021); IDoFT is the International Dataset of Flaky Tests."""


CONTRACTS = """*Natural* differs between two runs on one machine, *environment* between machines or days, *stress* goes beyond what
Python promises: what fails under stress alone is listed apart, and does not count for the exit status unless `--flakehunt-fail-on` says so. A name leads to [its page](../perturbations/index.md): the bug it brings out, what it touches and what it cannot reach.
"""


def report() -> str:
    """Show the schema of the JSON report."""
    schema = json.loads(resources.files("pytest_flakehunt.reports").joinpath("schema.json").read_text("utf-8"))
    head = "# The JSON report\n\nWritten by `--flakehunt-json=PATH`. The schema ships with the package, as `reports/schema.json`."
    return f"{head}\n\n```json\n{json.dumps(schema, indent=1, ensure_ascii=False)}\n```\n"


def report_samples() -> str:
    """Show what the JSON report says of one failure of each cause, as hunts of the tests on their pages found them."""
    samples = json.loads((HERE / "samples" / "causes.json").read_text("utf-8"))
    head = (
        "# What to act on: a sample for each cause\n\nFor scripts and agents that mend tests. Each is one of `modes` of one of `tests` in the [JSON report](report.md), with its telling members, "
        "from real hunts of the tests that the [pages about causes](../perturbations/index.md) show.\n\n"
        "Read `causes` first: `sentence` completes *the test …*, `with` and `without` are the experiment, `polluters`, `setters` and `changes` name other tests and what they change. `places` are the lines that read the source, and "
        "`fix` is the usual mend. `repro` makes the failure come back, `repro_without` is the same without the cause; `verified` and `control` say how often each failed when it was run. Run both before a change and after it. Where `causes` is empty, `suspects` and `experiments` say what was tried, and nothing is proven.\n"
    )
    parts = [head]
    for cause, sample in samples.items():
        text = json.dumps(sample["mode"], indent=1, ensure_ascii=False)
        parts.append(
            f"## {cause}\n\n[`{sample['nodeid']}`](../perturbations/{cause}.md), {sample['verdict']}\n\n```json\n{text}\n```\n"
        )
    return "\n".join(parts)


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
    figures, forks = ((HERE.parent / "benchmarks" / name).read_text("utf-8") for name in ("RESULTS.md", "FORKS.md"))
    return f"{figures}\n#{forks}"


def causes() -> str:
    """Show how causes of the zoo were named."""
    return (HERE.parent / "benchmarks" / "CAUSES.md").read_text("utf-8")


def brought_out() -> str:
    """Show what each perturbation brings out of the zoo."""
    return (HERE.parent / "benchmarks" / "PERTURBATIONS.md").read_text("utf-8")


def field() -> str:
    """Show what is found in real suites, and what of it others find."""
    return (HERE.parent / "benchmarks" / "FIELD.md").read_text("utf-8")


def error_rates() -> str:
    """Show how often chance passes for a cause."""
    return (HERE.parent / "benchmarks" / "SEQUENTIAL.md").read_text("utf-8")


def bisects() -> str:
    """Show what searches in planted histories found."""
    return (HERE.parent / "benchmarks" / "BISECTS.md").read_text("utf-8")


def races() -> str:
    """Show how races and sound uses of threads do under delays and schedules."""
    return (HERE.parent / "benchmarks" / "THREADS.md").read_text("utf-8")


def throughput() -> str:
    """Show sweeps a second by workers and by placement, and what real suites do with the cores."""
    return (HERE.parent / "benchmarks" / "THROUGHPUT.md").read_text("utf-8")


def scale() -> str:
    """Show memory, ledger and reports over the size of hunts."""
    return (HERE.parent / "benchmarks" / "SCALE.md").read_text("utf-8")


def attacks() -> str:
    """Show what attacks by foreign files came to."""
    return (HERE.parent / "benchmarks" / "FUZZING.md").read_text("utf-8")


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

`flakehunt doctor` says what each plugin that is installed gets, without a hunt.

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


JOBS = {
    "github": (
        "GitHub Actions",
        {
            "Pull requests": (
                "github-pull-request.yml",
                "yaml",
                "Save it as `.github/workflows/flakehunt-pull-request.yml`. Pull requests from forks need no secret.",
            ),
            "Every night": (
                "github-nightly.yml",
                "yaml",
                "Save it as `.github/workflows/flakehunt-nightly.yml`. Private repositories need code scanning for the SARIF upload; leave out that step and its permission otherwise.",
            ),
        },
        "## As an action\n\nThe repository has a composite action, `.github/actions/flakehunt`: copy its folder. It expects Python, the project and pytest-flakehunt to be installed.\n\n"
        "```yaml\n- uses: ./.github/actions/flakehunt\n  with:\n    hunt: 5m\n```\n",
    ),
    "gitlab": (
        "GitLab",
        {
            "Merge requests, and every night": (
                "gitlab.yml",
                "yaml",
                "Add it to `.gitlab-ci.yml`. The nightly job runs in pipelines that a schedule starts.",
            )
        },
        "",
    ),
    "azure": (
        "Azure Pipelines",
        {
            "Pull requests": (
                "azure-pull-request.yml",
                "yaml",
                "In Azure Repos, add the pipeline as a build validation policy.",
            ),
            "Every night": (
                "azure-nightly.yml",
                "yaml",
                "The ledger comes from what the last night published, as caches keep nothing of a job that failed.",
            ),
        },
        "",
    ),
    "jenkins": (
        "Jenkins",
        {
            "Pull requests": (
                "Jenkinsfile.pull-request",
                "groovy",
                "For a multibranch pipeline, with the plugins Docker Pipeline and JUnit.",
            ),
            "Every night": (
                "Jenkinsfile.nightly",
                "groovy",
                "For a pipeline job of its own, with the plugin Copy Artifact besides.",
            ),
        },
        "Jenkins shows the JUnit report; it has no annotations.\n",
    ),
    "circleci": (
        "CircleCI",
        {
            "Pull requests, and every night": (
                "circleci.yml",
                "yaml",
                "Add it to `.circleci/config.yml`. The nightly workflow runs where a schedule trigger starts the pipeline.",
            )
        },
        "CircleCI shows the JUnit report; it has no annotations.\n",
    ),
    "buildkite": (
        "Buildkite",
        {
            "Pull requests": ("buildkite-pull-request.yml", "yaml", "The agent needs Python 3.13."),
            "Every night": (
                "buildkite-nightly.yml",
                "yaml",
                "For a pipeline with a schedule. The ledger is kept on the agent: bind the step to a queue with one.",
            ),
        },
        "",
    ),
    "shell": (
        "A plain shell",
        {"A change": ("pull-request.sh", "sh", ""), "Every night": ("nightly.sh", "sh", "")},
        "",
    ),
}
"""By page: its title, its jobs (file, language, what to know), and what else there is to say."""


def job_page(name: str) -> str:
    """Show the jobs for one service."""
    title, jobs, more = JOBS[name]
    parts = [f"# {title}\n\nWhat these do, and why: [hunt in CI](index.md).\n"]
    for heading, (file, language, text) in jobs.items():
        job = (HERE / "how-to" / "ci" / "jobs" / file).read_text("utf-8")
        parts.append(
            f"## {heading}\n\n{text}\n\n```{language}\n{job}```\n"
            if text
            else f"## {heading}\n\n```{language}\n{job}```\n"
        )
    return "\n".join([*parts, *([more] if more else [])])


def redaction() -> str:
    """Say what is hidden in reports."""
    from pytest_flakehunt.reports.redaction import HIDDEN, LONG, NAMED, PATTERNS, SHORTEST

    rows = [f"| {whose} | `{pattern.replace('|', chr(92) + '|')}` |" for whose, pattern in PATTERNS.items()]
    head = (
        "# What is hidden\n\nIn everything that leaves the machine (annotations, summary, Markdown, HTML, JUnit, SARIF, CTRF, GitLab, JSON) a secret is written as "
        f"`{HIDDEN}`. The terminal and the ledger are not redacted; `flakehunt report --redacted-ledger=PATH` makes a ledger to hand on.\n\n"
        f"**Values of variables** whose name looks like that of a secret: as they are, line by line, and as Python's `repr`, pytest's node ids, JSON, a shell, an address and base64 write them, wherever they begin in it. Not values of fewer than {SHORTEST} characters, "
        f"single words of fewer than {LONG} letters (`postgres`), or paths that exist. A hunt keeps in its ledger which of them it met, so that `flakehunt report` hides them also where the variables are not set. A name looks so where this fits:\n\n```text\n{NAMED.pattern}\n```\n\n"
        "**Your own**: `flakehunt_redact` takes regular expressions, one a line. Where an expression has groups, what they fit is hidden, and else all of it. The ledger keeps them, "
        "so that `flakehunt report` hides the same.\n\n**Known forms**:\n\n| whose | what fits |\n|---|---|"
    )
    end = "A secret that a test has cut, or written in a way of its own, is not recognised: keep secrets out of what tests print. A command that a secret stood in does not run as it is shown."
    return "\n".join([head, *rows, "", end, ""])


def exit_statuses() -> str:
    """List exit statuses, by name."""
    import pytest

    from pytest_flakehunt.cli import ending

    said = {
        pytest.ExitCode.OK: "nothing that counts was found, or nothing was there to hunt",
        pytest.ExitCode.TESTS_FAILED: "findings that count: see `--flakehunt-fail-on`",
        pytest.ExitCode.INTERRUPTED: "interrupted; the reports cover what was seen",
        pytest.ExitCode.INTERNAL_ERROR: "the hunt could not go on, such as on a full disk: a line says why, and the reports cover what was seen; or a plugin or pytest itself failed",
        pytest.ExitCode.USAGE_ERROR: "an option cannot be understood, or not be kept",
        pytest.ExitCode.NO_TESTS_COLLECTED: "no test was collected",
    }
    hunts = [f"| {int(code)} | `pytest.ExitCode.{code.name}` | {text} |" for code, text in said.items()]
    commands = {
        "OK": "it was done, and all is well; `bisect`: the revision was found",
        "FOUND": "it was done, and found something: an entry to mend, a test that stays quarantined, a ledger without hunts, what keeps a hunt from working as asked; `compare`: something changed that it was to fail on; `bisect`: the revision was not found",
        "REFUSED": "it could not be done as asked; the message says why",
    }
    rows = [f"| {getattr(ending, name)} | `{name}` | {text} |" for name, text in commands.items()]
    return "\n".join([
        "# Exit statuses", "", "## pytest --flakehunt=N", "", "| status | name | when |", "|---|---|---|", *hunts, "",
        "Without `--flakehunt`, pytest's own: with `--flakehunt-plan` as ever, with leaks 1 where `--flakehunt-fail-on=leaks` says so, with a quarantine file 1 where too much was excused.", "",
        "## flakehunt", "", "Those of all [commands](commands.md):", "", "| status | name | when |", "|---|---|---|", *rows, "",
    ])  # fmt: skip


def faults() -> str:
    """Show in the page about faults what they were seen to do."""
    page = (HERE / "explanation" / "faults.md").read_text("utf-8")
    for name, made in (("faults", "FAULTS.md"), ("inside", "FAULTS_INSIDE.md"), ("soak", "SOAK.md")):
        before, mark, rest = page.partition(f"<!-- generated: {name} -->\n")
        seen = (HERE.parent / "benchmarks" / made).read_text("utf-8")
        page = f"{before}{mark}{seen}{rest[rest.index('<!-- end -->') :]}"
    return page


PAGES = {
    **{f"how-to/ci/{name}": partial(job_page, name) for name in JOBS},
    "reference/redaction": redaction,
    "reference/exit-statuses": exit_statuses,
    "reference/commands": command_pages.commands,
    "reference/messages": command_pages.messages,
    "reference/options": options,
    "reference/perturbations": perturbations,
    "reference/report": report,
    "reference/report-samples": report_samples,
    "reference/quarantine": quarantine,
    "reference/quarantine-cost": quarantine_cost,
    "reference/ledger": ledger,
    "reference/benchmarks": benchmarks,
    "reference/causes": causes,
    "reference/brought-out": brought_out,
    "reference/field": field,
    "reference/error-rates": error_rates,
    "reference/bisects": bisects,
    "reference/races": races,
    "reference/scale": scale,
    "reference/throughput": throughput,
    "reference/forgiven": forgiven,
    "reference/leak-cost": leak_cost,
    "explanation/faults": faults,
    "reference/attacks": attacks,
    "how-to/other-plugins": other_plugins,
    "how-to/fix": perturbation_pages.fixes,
    "perturbations/index": perturbation_pages.index,
    **{f"perturbations/{name}": partial(perturbation_pages.page, name) for name in perturbation_pages.names()},
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
