"""What leaves the machine: reports in files, annotations in the log of a CI service, and nothing secret in any."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_flakehunt.asked import options
from pytest_flakehunt.asked.flags import DEFAULT_LEDGER, given
from pytest_flakehunt.ground.provenance import below_repository
from pytest_flakehunt.model import Findings, Left, Place, Service

if TYPE_CHECKING:  # formats are loaded once there is something to write
    from pytest_flakehunt.reports.remarks import Remark

RUN = pytest.StashKey["OfRun"]()


class Published(NamedTuple):
    """What is still to be written to the terminal."""

    lines: list[str]
    """For the service, each on a line of its own."""
    wrong: list[str]
    """What could not be written, and what to do."""
    secrets: list[str]
    """Values of variables that were met, in what was told and in what else the ledger keeps."""


def hunt(findings: Findings, asked: options.Options, kept: Iterable[str] = ()) -> Published:
    """Write all that was asked for.

    Args:
        findings: as the hunt's document has them.
        asked: for the reports, the service, and patterns of secrets.
        kept: what else the ledger keeps of the hunt.
    """
    from pytest_flakehunt.reports import remarks, writing
    from pytest_flakehunt.reports.redaction import Redactor, handed_on

    redact = Redactor(os.environ, asked.redact)
    told = handed_on(findings, redact)
    for text in kept:
        redact(text)
    wrong = list(writing.reports(told, asked.reports))
    lines: list[str] = []
    if asked.annotate is not None:
        lines += writing.annotated(remarks.of_hunt(told), asked.annotate, asked.ledger.parent, told)
    return Published(lines, wrong, sorted(redact.met))


class OfRun:
    """The pytest plugin that annotates an ordinary run, once all that has something to say has said it."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.folder = below_repository(config.rootpath)
        self.remarks: list[Remark] = []

    def pytest_unconfigure(self) -> None:
        """Annotate once all others have written; it is made while they do."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        try:
            lines = self._lines()
        except pytest.UsageError as error:
            lines = [f"flakehunt: {error}"]
        if reporter is not None:
            write(lines, reporter)

    def _lines(self) -> list[str]:
        from pytest_flakehunt.reports import writing
        from pytest_flakehunt.reports.redaction import Redactor, redacted
        from pytest_flakehunt.reports.remarks import Level

        text = given(self.config, "flakehunt-annotate")
        service = options.service(text, os.environ)
        redactor = Redactor(os.environ, options.redact(self.config))
        said = sorted(redacted(tuple(self.remarks), redactor), key=lambda one: list(Level).index(one.level))
        if service is None:
            return []
        if service is Service.GITLAB and text == service:
            return list(writing.for_gitlab(said, self.config.invocation_params.dir / options.GITLAB_FILE))
        return list(writing.annotated(said, service, (self.config.rootpath / DEFAULT_LEDGER).parent, None))


def of_run(config: pytest.Config) -> OfRun:
    """Give what annotates this run."""
    if RUN not in config.stash:
        config.stash[RUN] = OfRun(config)
        config.pluginmanager.register(config.stash[RUN])
    return config.stash[RUN]


def leaks(config: pytest.Config, found: Sequence[tuple[str, Left]], *, counting: bool) -> None:
    """Have the leaks of this run annotated."""
    from pytest_flakehunt.reports import remarks

    run = of_run(config)
    run.remarks += remarks.of_leaks(found, run.folder, counting=counting)


def quarantined(
    config: pytest.Config, told: Iterable[tuple[str, str, str]], places: Mapping[str, Place]
) -> None:  # fmt: skip
    """Have what this run's quarantine did annotated: node id, title and sentence of each."""
    from pytest_flakehunt.reports import remarks

    run = of_run(config)
    run.remarks += remarks.of_quarantine(told, places, run.folder)


def write(lines: Iterable[str], reporter: "pytest.TerminalReporter") -> None:
    """Write lines that a service reads: each begins where a line begins, and nothing is added to it."""
    for line in lines:
        reporter.ensure_newline()
        reporter.write_line(line)
