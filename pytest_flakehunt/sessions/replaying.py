"""An ordinary run under a plan: for replaying a failure by hand, with a debugger if need be."""

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack

import pytest

from pytest_flakehunt.instruments import stage
from pytest_flakehunt.model import Arranging, Plan
from pytest_flakehunt.model.plans import environment
from pytest_flakehunt.perturbations import random

RESTARTED = "PYTEST_FLAKEHUNT_RESTARTED"


def restart_where_needed(config: pytest.Config, plan: Plan, told: Mapping[str, str]) -> None:
    """Start this very command anew where the plan needs variables that only a new interpreter takes.

    Args:
        config: of the command.
        plan: what it is run under.
        told: variables that were taken away from this process, and that the new one needs.

    Raises:
        pytest.UsageError: pytest runs inside another program, which cannot
            be restarted.
    """
    wanted = environment(plan)
    if all(os.environ.get(name) == value for name, value in wanted.items()):
        return
    args = list(config.invocation_params.args)
    command = list(sys.orig_argv)
    written = " ".join(f"{name}={value}" for name, value in wanted.items())
    if os.environ.get(RESTARTED) == written or not args or command[-len(args) :] != args:
        raise pytest.UsageError(
            f"--flakehunt-plan={plan}: {written} can only be set before Python starts; set it in the environment"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, command, {**os.environ, **told, **wanted, RESTARTED: written})  # noqa: S606 - the same command


class Replay:
    """A pytest plugin that holds a plan over an ordinary run, from before the first conftest."""

    def __init__(self, config: pytest.Config, plan: Plan) -> None:
        self.plan = plan
        self._undo = ExitStack()
        self._undo.enter_context(stage.held(config, plan))
        self._importing = ExitStack()
        self._importing.enter_context(stage.imported(plan))
        self._ran = 0
        self.switched_off: list[str] = []
        """What of other plugins was in use."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Arrange the tests as the plan says, and let Hypothesis draw from its seed."""
        self._importing.close()
        if "random" in self.plan.names or self.plan.patience > 1:
            random.own_hypothesis(items, self.plan.stretch)
        for _, setting in self.plan.settings:
            if isinstance(setting, Arranging):
                by_name: Mapping[str, pytest.Item] = {item.nodeid: item for item in items}
                groups = setting.arranged(list(by_name))
                if len(groups) > 1:
                    raise pytest.UsageError(
                        f"order={setting} runs every test in a process of its own; name one test, or add --flakehunt=1"
                    )
                items[:] = [by_name[nodeid] for group in groups for nodeid in group]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the tests that ran."""
        self._ran += report.when == "call"

    def pytest_report_header(self) -> list[str]:
        """Say what is held, and what is not."""
        held = f"flakehunt: under {self.plan}" if self.plan.settings else "flakehunt: calm"
        return [held, *([f"flakehunt: switched off: {', '.join(self.switched_off)}"] if self.switched_off else [])]

    def pytest_terminal_summary(
        self, terminalreporter: "pytest.TerminalReporter", exitstatus: int
    ) -> None:  # fmt: skip
        """Say so where nothing failed, and where the code does not fit the plan any more."""
        for name, setting in self.plan.settings:
            for said in getattr(setting, "missed", ()):
                terminalreporter.write_line(f"flakehunt: {name}: {said}")
        if exitstatus == pytest.ExitCode.OK:
            tests = "1 test" if self._ran == 1 else f"{self._ran} tests"
            under = f"under {self.plan}" if self.plan.settings else "calm"
            terminalreporter.write_line(f"flakehunt: did not reproduce: {tests} passed {under}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Let go."""
        self._importing.close()
        self._undo.close()
