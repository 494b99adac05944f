"""What a hunt would meet here, without hunting: the suite is imported as a zygote does it, and nothing is kept of that.

It runs in a process of its own, which is pytest's.
"""

import json
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pytest_flakehunt.asked import flags, takeover
from pytest_flakehunt.asked.options import Options
from pytest_flakehunt.asked.placing import Placing, placing
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.ledger import archive
from pytest_flakehunt.ledger.errors import LedgerError
from pytest_flakehunt.model import Isolation, Perturbation
from pytest_flakehunt.model.examined import Examined
from pytest_flakehunt.quarantine import QuarantineError
from pytest_flakehunt.quarantine.reading import read
from pytest_flakehunt.sessions import showing
from pytest_flakehunt.sessions.origin import known
from pytest_flakehunt.sessions.preparing import Setup
from pytest_flakehunt.zygote import child, forkable

Given = TypeVar("Given")


class Examination:
    """A pytest plugin that goes as far as a zygote does, and then says what it met."""

    __name__ = flags.ZYGOTE  # by which our own plugin knows that it has nothing to do here

    def __init__(self, scratch: Path, started: float) -> None:
        self.scratch, self.started = scratch, started
        self.answer = Examined()
        self.known: Mapping[str, Perturbation] = {}
        self.barred: Mapping[str, str] = {}
        self.options: Options | None = None
        self.placing = Placing(1)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> Generator[None]:
        """Keep coverage from starting; see whether our own plugin is there."""
        takeover.early(early_config)
        if not hasattr(early_config.hook, "pytest_flakehunt_perturbations"):
            self.answer.wrong.append(
                "pytest does not load pytest-flakehunt here: install it beside pytest, and see that neither "
                "-p no:flakehunt nor PYTEST_DISABLE_PLUGIN_AUTOLOAD keeps it away"
            )
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # before xdist makes other options of what it is asked for
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Look at what is asked for and at what is there, and put other plugins to rest as a hunt does."""
        self.answer.rootdir = str(config.rootpath)
        self.known, self.barred = known(config), takeover.standing_down(config)
        self.answer.plugins = _plugins(config)
        self._borne(lambda: self._place(placing(config)))
        self.options = self._borne(lambda: Options.read(config))
        self._borne(lambda: takeover.check_disabled(config))
        self.answer.switched_off = takeover.settle(config)
        options = self.options
        if options is not None:
            self._borne(lambda: Setup(config, options, self.placing, ()))
            self._look_at_ledger(options.ledger)
        self._look_at_quarantine(flags.quarantine_file(config))
        takeover.quieten(config, self.scratch, zygote=False)
        child.own_cache(config, self.scratch / "cache")
        takeover.settle_zygote(config)
        return (yield)

    def _place(self, found: Placing) -> None:
        self.placing, self.answer.workers = found, found.zygotes

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Go without what writes for a user to see."""
        takeover.strip(config)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what cannot be collected."""
        if report.failed:
            self.answer.wrong.append(f"{report.nodeid or 'the suite'} cannot be collected: {_last_line(report)}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Look at the process, now that the suite is imported, instead of running tests."""
        answer = self.answer
        answer.seconds = max(0.0, realtime.time() - self.started)
        answer.tests = len(session.items)
        if not answer.tests and not answer.wrong:
            answer.wrong.append("no test was collected: give what collects them after --")
        found = forkable.hindrance()
        if found is not None:
            answer.hindrance, answer.certain = found
        if self.options is not None and self.options.isolation is Isolation.FORK and found is not None:
            answer.wrong.append(f"--flakehunt-isolation=fork: {found.reason}; leave it out")
        return True

    def conclude(self, status: str) -> Examined:
        """Look at the perturbations, some of which depend on what was imported.

        Args:
            status: how pytest ended.
        """
        answer, asked = self.answer, self.options
        if answer.rootdir and not answer.seconds:
            answer.ended = status
        only, without = (asked.only, asked.without) if asked is not None else ((), ())
        answer.left_out = [name for name in self.known if name in without or (only and name not in only)]
        asked_for = {name: item for name, item in self.known.items() if name not in answer.left_out}
        reasons = {name: self._withdrawn(item) for name, item in asked_for.items()}
        idle = showing.idle(item for name, item in asked_for.items() if not reasons[name])
        for name in asked_for:
            if reason := reasons[name] or idle.get(name, ""):
                answer.stand_down[name] = reason
                if only:
                    answer.wrong.append(f"--flakehunt-only={','.join(only)}: {name} stands down: {reason}")
            else:
                answer.acting.append(name)
                if name in idle:
                    answer.seen.append(name)
        return answer

    def _withdrawn(self, perturbation: Perturbation) -> str:
        """Say why it stands down without being tried; empty where it does not."""
        withdrawn: Callable[[], str] = getattr(perturbation, "withdrawn", str)
        return getattr(perturbation, "unavailable", "") or self.barred.get(perturbation.name, "") or withdrawn()

    def _borne(self, look: Callable[[], Given]) -> Given | None:
        try:
            return look()
        except pytest.UsageError as error:
            self.answer.wrong.append(str(error))
        return None

    def _look_at_ledger(self, path: Path) -> None:
        self.answer.ledger = str(path)
        place = path if path.exists() else next(folder for folder in path.parents if folder.exists())
        if place.is_dir() == path.exists() or not os.access(place, os.W_OK):
            self.answer.wrong.append(
                f"--flakehunt-ledger: {path} cannot be written: give the path of a file that can be"
            )
            return
        if not path.exists():
            return
        try:
            self.answer.hunts, self.answer.format = len(archive.hunts(path)), archive.format_of(path)
            self.answer.bytes = path.stat().st_size
        except LedgerError as error:
            self.answer.wrong.append(str(error))

    def _look_at_quarantine(self, path: Path) -> None:
        self.answer.quarantine = str(path)
        if not path.exists():
            return
        try:
            entries = read(path).entries
        except QuarantineError as error:
            self.answer.wrong.append(str(error))
            return
        self.answer.entries = len(entries)
        self.answer.expired = sum(entry.expires < realtime.now().date() for entry in entries)


def _last_line(report: pytest.CollectReport) -> str:
    return next((line for line in reversed(report.longreprtext.splitlines()) if line.strip()), "").strip()


def _plugins(config: pytest.Config) -> list[tuple[str, str, str]]:
    """Give the distribution of each foreign plugin, its version, and what becomes of it."""
    rows = {name: plugin.instead for plugin, names in takeover.present(config).items() for name in names}
    dists = {id(plugin): dist for plugin, dist in config.pluginmanager.list_plugin_distinfo()}
    away = takeover.disabled(config)
    found: dict[tuple[str, str], str] = {}
    for name, plugin in config.pluginmanager.list_name_plugin():
        if name == flags.ZYGOTE or not takeover.foreign(plugin):
            continue
        dist = dists.get(id(plugin))
        key = (dist.project_name, dist.version) if dist is not None else (name, "")
        said = f"it sees sweep 0 alone, as {takeover.DISABLED} says" if name in away else rows.get(name, "")
        found[key] = found.get(key) or said
    return sorted((*key, said) for key, said in found.items())


def main() -> None:
    """Examine what pytest is asked for, and write down what was found.

    The arguments are the path to write to, when this process was started, and those of pytest.
    """
    answer, started, *args = sys.argv[1:]
    examination = Examination(Path(answer).parent, float(started))
    sys.argv[:] = ["pytest", *args]
    status = "none"
    with suppress(SystemExit):
        status = str(int(pytest.main(["--flakehunt=1", *args], plugins=[examination])))
    Path(answer).write_text(json.dumps(asdict(examination.conclude(status))), "utf-8")
