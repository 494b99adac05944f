"""The end of a hunt's session: whatever other plugins make of it, what was found is shown, and decides."""

from collections.abc import Callable, Generator

import pytest

from pytest_flakehunt.reports import terminal
from pytest_flakehunt.sessions.mirror import author, worded


class Closing:
    """A pytest plugin that has the last word."""

    def __init__(
        self,
        finish: Callable[[pytest.Session], bool],
        show: "Callable[[pytest.TerminalReporter], None]",
    ) -> None:
        """Make one.

        Args:
            finish: settles the exit status; tells whether there are findings.
            show: shows them, unless they were shown.
        """
        self._finish, self._show = finish, show

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Settle the exit status before others look at it, and again after; let none of them keep the report back."""
        found = self._finish(session)
        status = session.exitstatus
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        try:
            yield
        except (Exception, pytest.fail.Exception, SystemExit) as error:
            if reporter is None or not found:
                raise
            self._show(reporter)
            terminal.write([f"note: {author(error)} failed as the session ended: {worded(error)}"], reporter)
        if found:
            if reporter is not None:
                self._show(reporter)  # pytest shows no summary where a session ended otherwise
            session.exitstatus = status
