"""The table of other plugins: what would fight a hunt, what would write in one, and what each gets instead.

Sweep 0 is shown to other plugins as one ordinary run. Everywhere else, in
zygotes, in all other sweeps and in commands that a hunt runs again, nobody
looks: there a plugin that reports gets nothing to write, or a place in the
hunt's scratch folder. What rewrites sources or snapshots is off throughout.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest


class Given(NamedTuple):
    """What a value can be made from."""

    config: pytest.Config
    present: Any
    """The value that the user asked for."""
    scratch: Path
    """A folder of this process, which goes with the hunt."""


Value: TypeAlias = "Callable[[Given], object] | object"


class Option(NamedTuple):
    """An option of another plugin, and the value that it gets instead."""

    dest: str
    value: Value
    written: str = ""
    """As users write it; with ``=`` where a value follows."""
    said: bool = False
    """Whether the header mentions that it was in use."""


def in_scratch(name: str) -> Callable[[Given], object]:
    """Give a place for what a plugin writes whether it is asked to or not."""

    def place(given: Given) -> str:
        return str(given.scratch / name)

    return place


def if_given(value: object) -> Callable[[Given], object]:
    """Give a value in place of one that the user gave, and nothing where none was given."""
    return lambda given: value if given.present else given.present


@dataclass(frozen=True, slots=True, eq=False)
class Plugin:
    """What becomes of one plugin."""

    name: str
    """Of the distribution, or of the plugin within pytest."""
    known_as: tuple[str, ...]
    """Under which names pytest knows it, or the packages that it lies in: the row holds where one of them is there."""
    instead: str
    """What it gets, in a sentence for users."""
    hunting: tuple[Option, ...] = ()
    """In every process of a hunt."""
    quiet: tuple[Option, ...] = ()
    """Where nobody looks."""
    again: tuple[Option, ...] = ()
    """In commands that are run again; in zygotes it takes itself for one of xdist's workers, and writes nothing."""
    away: bool = False
    """Whether it is unregistered in every process of a hunt before it is configured."""
    markers: tuple[str, ...] = ()
    """What it would have declared then."""
    dropped: tuple[str, ...] = ()
    """Classes whose objects are unregistered where nobody looks, once they are configured."""
    attributes: tuple[str, ...] = ()
    """Of ``config``: what they are deleted for, likewise."""
    variables: Mapping[str, str | None] = field(default_factory=dict)
    """The environment of processes in which nobody looks; None takes a variable away."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Perturbations that stand down beside it, each with the reason."""
    alone: bool = False
    """Whether tests write beside their sources, under names of their own: then sweeps run one at a time."""
    shown: "Callable[[pytest.Config, Mapping[str, Any]], None] | None" = None
    """Lets the process that sweep 0 runs in write as an ordinary run would; it is given the options as asked for."""


def _allure(config: pytest.Config, asked: Mapping[str, Any]) -> None:
    """Register allure's writer where the tests of sweep 0 run, as allure does in each of xdist's workers."""
    plugin = config.pluginmanager.get_plugin("allure_pytest")
    if plugin is not None and asked.get("allure_report_dir"):
        config.option.allure_report_dir = asked["allure_report_dir"]
        plugin.pytest_configure(config)


def append_to_log(config: pytest.Config, asked: Mapping[str, Any]) -> None:
    """Open the log for what is added at its end: two processes write to it, and pytest has emptied it as it started."""
    path = asked.get("log_file") or config.getini("log_file")
    plugin: Any = config.pluginmanager.get_plugin("logging-plugin")
    if path and plugin is not None:
        plugin.log_file_mode = "a"
        plugin.set_log_path(os.path.abspath(path))  # noqa: PTH100 - as pytest takes it


NOT_SEEN = "it sees sweep 0; elsewhere it gets nothing to write"
PRINTS = "it prints what sweep 0 gives; what it prints elsewhere goes nowhere"
OFF = "switched off"

TABLE: tuple[Plugin, ...] = (
    # what would rerun, reorder or distribute tests
    Plugin(
        "pytest-xdist",
        ("xdist",),
        "`-n` counts zygotes at work here, `--tx` adds others; `-d`, `--dist` and `--looponfail` are switched off",
        hunting=(
            Option("numprocesses", None, "-n="),
            Option("maxprocesses", None, "--maxprocesses="),
            Option("dist", "no", "--dist="),
            Option("tx", [], "--tx="),
            Option("px", [], "--px="),
            Option("distload", False, "-d"),
            Option("looponfail", False, "--looponfail"),
        ),
    ),
    Plugin(
        "pytest-rerunfailures",
        ("rerunfailures",),
        OFF,
        hunting=(Option("reruns", None, "--reruns=", said=True), Option("fail_on_flaky", False, "--fail-on-flaky")),
        away=True,
        markers=("flaky(reruns=1, reruns_delay=0): switched off in a hunt",),
    ),
    Plugin(
        "pytest-retry",
        ("pytest-retry",),
        OFF,
        hunting=(Option("retries", None, "--retries=", said=True),),
        away=True,
        markers=("flaky(retries=1, delay=0): switched off in a hunt",),
    ),
    Plugin(
        "flaky",
        ("flaky",),
        OFF,
        hunting=(Option("force_flaky", False, "--force-flaky", said=True),),
        away=True,
        markers=("flaky: switched off in a hunt",),
    ),
    Plugin(
        "pytest-repeat", ("repeat",), "`--count` is switched off", hunting=(Option("count", 1, "--count=", said=True),)
    ),
    Plugin(
        "pytest-flakefinder",
        ("flakefinder",),
        OFF,
        hunting=(Option("flake_finder_enable", False, "--flake-finder", said=True),),
        away=True,
    ),
    Plugin(
        "pytest-randomly",
        ("randomly",),
        "switched off; what other packages registered to be reseeded is, by the perturbation `random`",
        hunting=(
            Option("randomly_reorganize", False, "--randomly-dont-reorganize"),
            Option("randomly_reset_seed", False, "--randomly-dont-reset-seed"),
        ),
        away=True,
    ),
    Plugin(
        "pytest-random-order",
        ("random_order",),
        OFF,
        away=True,
        markers=("random_order(disabled=True): switched off in a hunt",),
    ),
    Plugin(
        "pytest-forked",
        ("pytest_forked",),
        OFF,
        hunting=(Option("forked", False, "--forked", said=True),),
        away=True,
        markers=("forked: switched off in a hunt",),
    ),
    # what rewrites sources, snapshots or recordings
    Plugin(
        "syrupy",
        ("syrupy",),
        "snapshots are compared, never written; unused ones are not looked for, as other processes use them",
        hunting=(
            Option("update_snapshots", False, "--snapshot-update", said=True),
            Option("update_new_snapshots_only", False, "--snapshot-update-new-only", said=True),
            Option("disable_unused_snapshots", True, "--snapshot-disable-unused"),
            Option("warn_unused_snapshots", True, "--snapshot-warn-unused"),
        ),
    ),
    Plugin(
        "pytest-snapshot, snapshottest",
        ("snapshot", "snapshottest"),
        "snapshots are compared, never updated or deleted",
        hunting=(
            Option("snapshot_update", False, "--snapshot-update", said=True),
            Option("allow_snapshot_deletion", False, "--allow-snapshot-deletion", said=True),
        ),
    ),
    Plugin(
        "inline-snapshot",
        ("inline_snapshot",),
        "`snapshot(x)` is `x`, as with `--inline-snapshot=disable`",
        hunting=(Option("inline_snapshot", "disable", "--inline-snapshot=", said=True),),
    ),
    Plugin(
        "pytest-insta",
        ("insta",),
        "snapshots are compared, never written",
        hunting=(Option("insta", "update-none", "--insta="),),
    ),
    Plugin(
        "pytest-regressions",
        ("regressions",),
        "expected files are compared; one that is missing is made by the test itself, as ever",
        hunting=(
            Option("force_regen", False, "--force-regen", said=True),
            Option("regen_all", False, "--regen-all", said=True),
        ),
    ),
    Plugin(
        "pytest-golden",
        ("pytest-golden",),
        "golden files are compared, never updated",
        hunting=(Option("update_goldens", False, "--update-goldens", said=True),),
    ),
    Plugin(
        "pytest-image-snapshot",
        ("image-snapshot",),
        "images are compared, never updated",
        hunting=(
            Option("image_snapshot_update", False, "--image-snapshot-update", said=True),
            Option("image_snapshot_save_diff", False, "--image-snapshot-save-diff", said=True),
        ),
    ),
    Plugin(
        "pytest-mpl",
        ("pytest_mpl",),
        "figures are compared; baselines and hashes are not made, results go to the scratch folder",
        hunting=(
            Option("mpl_generate_path", None, "--mpl-generate-path=", said=True),
            Option("mpl_generate_hash_library", None, "--mpl-generate-hash-library=", said=True),
        ),
        quiet=(
            Option("mpl_results_path", in_scratch("mpl"), "--mpl-results-path="),
            Option("mpl_generate_summary", None, "--mpl-generate-summary="),
        ),
    ),
    Plugin(
        "pytest-vcr, pytest-recording",
        ("vcr", "recording"),
        "a record mode that was given is `none`: cassettes are played",
        hunting=(
            Option("vcr_record", if_given("none"), "--vcr-record=", said=True),
            Option("record_mode", if_given("none"), "--record-mode=", said=True),
        ),
    ),
    Plugin(
        "approvaltests",
        ("approvaltests", "approvaltests_pytest"),
        "it writes beside the tests, so sweeps run one at a time; no program to show differences is started",
        hunting=(
            Option("approvaltests_reporter", if_given("PythonNativeReporter"), "--approvaltests-use-reporter="),
            Option("approvaltests_custom_reporter", None, "--approvaltests-add-reporter="),
        ),
        variables={"APPROVALTESTS_DISABLE_SCRIPT_DOWNLOADS": "1"},
        alone=True,
        without={"repeat": "approvaltests refuses to approve twice under one name in one process"},
    ),
    # what measures
    Plugin(
        "pytest-cov, coverage",
        ("pytest_cov",),
        "switched off: it measures one process, and what an ordinary run has measured stays as it is",
        hunting=(Option("cov_source", [], "--cov", said=True),),
    ),
    Plugin(
        "coverage in new processes",
        ("runner",),
        "its variables are taken away, so that no zygote and no command that is run again measures",
        variables={"COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None},
    ),
    Plugin(
        "pytest-testmon",
        ("pytest-testmon",),
        "switched off in a hunt: its selection and its data are those of ordinary runs",
        hunting=(
            Option("no-testmon", True),
            Option("testmon", False, "--testmon", said=True),
            Option("testmon_noselect", False, "--testmon-noselect", said=True),
            Option("testmon_nocollect", False, "--testmon-nocollect", said=True),
            Option("testmon_forceselect", False, "--testmon-forceselect", said=True),
        ),
    ),
    Plugin(
        "pytest-benchmark",
        ("benchmark",),
        "benchmarks run once, as under xdist; nothing is saved, and its folder is in the scratch folder",
        quiet=(
            Option("benchmark_save", None, "--benchmark-save="),
            Option("benchmark_autosave", None, "--benchmark-autosave"),
            Option("benchmark_json", None, "--benchmark-json="),
            Option("benchmark_histogram", [], "--benchmark-histogram"),
            Option("benchmark_cprofile_dump", [], "--benchmark-cprofile-dump"),
            Option("benchmark_compare", [], "--benchmark-compare"),
            Option("benchmark_compare_fail", None, "--benchmark-compare-fail="),
            Option("benchmark_storage", in_scratch("benchmarks"), "--benchmark-storage="),
            # one alone is refused where benchmarks are disabled, as in each of xdist's workers
            Option("benchmark_skip", lambda given: bool(getattr(given.config.option, "benchmark_only", False))),
        ),
    ),
    Plugin(
        "pytest-monitor",
        ("monitor",),
        OFF,
        hunting=(Option("mtr_none", True, "--no-monitor"),),
    ),
    Plugin(
        "pytest-memray",
        ("memray",),
        OFF,
        hunting=(
            Option("memray", False, "--memray", said=True),
            Option("memray_bin_path", None, "--memray-bin-path=", said=True),
        ),
    ),
    Plugin(
        "pytest-profiling",
        ("profiling",),
        OFF,
        hunting=(
            Option("profile", False, "--profile", said=True),
            Option("profile_svg", False, "--profile-svg", said=True),
        ),
    ),
    Plugin(
        "pytest-split",
        ("pytest-split",),
        "durations are those of sweep 0",
        quiet=(Option("store_durations", False, "--store-durations"),),
    ),
    # what reports
    Plugin(
        "allure-pytest",
        ("allure_pytest",),
        "results are those of sweep 0; the folder is cleaned once, as the hunt starts",
        quiet=(
            Option("allure_report_dir", None, "--alluredir="),
            Option("clean_alluredir", False, "--clean-alluredir"),
        ),
        shown=_allure,
    ),
    Plugin("pytest-html", ("html",), NOT_SEEN, again=(Option("htmlpath", None, "--html="),)),
    Plugin(
        "pytest-html-reporter",
        ("reporter",),
        "its report goes to the scratch folder: it hears of no test that another process runs",
        hunting=(Option("report_open", "none", "--report-open="),),
        quiet=(Option("path", in_scratch("html-reporter"), "--html-report="),),
    ),
    Plugin(
        "pytest-json-report",
        ("pytest_jsonreport",),
        NOT_SEEN,
        again=(
            Option("json_report", False, "--json-report"),
            Option("json_report_file", "none", "--json-report-file="),
        ),
    ),
    Plugin("pytest-reportlog", ("pytest_reportlog",), NOT_SEEN, again=(Option("report_log", None, "--report-log="),)),
    Plugin("pytest-json-ctrf", ("ctrf",), NOT_SEEN, again=(Option("ctrf", None, "--ctrf="),)),
    Plugin("pytest-md-report", ("pytest-md-report",), NOT_SEEN, quiet=(Option("md_report", False, "--md-report"),)),
    Plugin(
        "pytest-excel",
        ("excel",),
        NOT_SEEN,
        quiet=(Option("excelpath", None, "--excelreport="),),
        attributes=("_excel",),
    ),
    Plugin("pytest-csv", ("pytest_csv",), NOT_SEEN, quiet=(Option("csv_path", None, "--csv="),)),
    Plugin(
        "pytest-tap",
        ("tap",),
        NOT_SEEN,
        quiet=(
            Option("tap_stream", False, "--tap"),
            Option("tap_files", False, "--tap-files"),
            Option("tap_combined", False, "--tap-combined"),
        ),
    ),
    Plugin(
        "pytest-nunit", ("nunit",), NOT_SEEN, again=(Option("nunit_xmlpath", in_scratch("nunit.xml"), "--nunit-xml="),)
    ),
    Plugin(
        "pytest-azurepipelines",
        ("azurepipelines",),
        "it sees sweep 0; what it writes elsewhere goes to the scratch folder, what it prints nowhere",
        quiet=(
            Option("no_docker_discovery", True, "--no-docker-discovery"),
            Option("no_coverage_upload", True, "--no-coverage-upload"),
        ),
    ),
    Plugin("teamcity-messages", ("pytest-teamcity",), PRINTS, quiet=(Option("no_teamcity", 1, "--no-teamcity"),)),
    Plugin("pytest-github-actions-annotate-failures", ("pytest_github_actions_annotate_failures",), PRINTS),
    Plugin(
        "pytest-bdd",
        ("pytest-bdd",),
        "its Cucumber report is switched off, as it needs the very process that ran a test",
        hunting=(Option("cucumber_json_path", None, "--cucumberjson=", said=True),),
    ),
    Plugin(
        "pytest-reportportal",
        ("pytest_reportportal",),
        OFF,
        hunting=(Option("rp_enabled", False, "--reportportal", said=True),),
    ),
    Plugin(
        "buildkite-test-collector",
        ("buildkite-test-collector",),
        NOT_SEEN,
        quiet=(Option("jsonpath", None, "--json="),),
        attributes=("_buildkite",),
    ),
    Plugin(
        "ddtrace",
        ("ddtrace",),
        "it is off but in the process that shows sweep 0",
        variables={"DD_CIVISIBILITY_ENABLED": "0"},
    ),
    Plugin("pytest-harvest", ("harvest",), NOT_SEEN, dropped=("DefaultXDistHarvester",)),
    Plugin(
        "pytest-logger",
        ("logger",),
        NOT_SEEN,
        quiet=(Option("logger_logsdir", in_scratch("logs"), "--logger-logsdir="),),
    ),
    Plugin(
        "pytest-playwright",
        ("playwright",),
        "traces and pictures of failures go to the scratch folder",
        quiet=(Option("output", in_scratch("playwright"), "--output="),),
    ),
    Plugin("pytest-rich", ("rich",), NOT_SEEN, quiet=(Option("rich_capture", None, "--rich-capture="),)),
    Plugin("pytest-sherlock", ("sherlock",), OFF, hunting=(Option("flaky_test", None, "--flaky-test=", said=True),)),
    Plugin(
        "pytest-django",
        ("django",),
        "each zygote has databases of its own, as each of xdist's workers has; with `--reuse-db` they stay",
    ),
    # pytest's own
    Plugin(
        "junitxml",
        ("junitxml",),
        NOT_SEEN,
        again=(Option("xmlpath", None, "--junitxml="), Option("xmlpath", None, "--junit-xml=")),
    ),
    Plugin(
        "log file",
        ("logging",),
        "it holds what sweep 0 logs",
        quiet=(Option("log_file", os.devnull, "--log-file="),),
        shown=append_to_log,
    ),
    Plugin("pastebin", ("pastebin",), NOT_SEEN, quiet=(Option("pastebin", None, "--pastebin="),)),
    Plugin(
        "cacheprovider, stepwise",
        ("cacheprovider",),
        "what failed last is what failed in sweep 0; sweeps have a cache of their own, which starts empty",
        quiet=(
            Option("cacheclear", False, "--cache-clear"),
            Option("lf", False, "--lf"),
            Option("failedfirst", False, "--ff"),
            Option("newfirst", False, "--nf"),
            Option("stepwise", False, "--sw"),
            Option("stepwise_skip", False, "--stepwise-skip"),
            Option("stepwise_reset", False, "--stepwise-reset"),
        ),
    ),
    Plugin(
        "tmpdir",
        ("tmpdir",),
        "the folders of sweeps, and of commands that are run again, are in the scratch folder",
        quiet=(Option("basetemp", in_scratch("tmp"), "--basetemp="),),
    ),
)
"""Row by row; options that a plugin does not have, in the version at hand, are passed over."""
