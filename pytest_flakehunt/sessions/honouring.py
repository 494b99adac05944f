"""The quarantine file in a hunt: findings that it excuses are marked, and what was found may be written into it."""

from dataclasses import replace
from datetime import date

import pytest

from pytest_flakehunt.asked import flags
from pytest_flakehunt.ground import project, realtime
from pytest_flakehunt.model import Findings, Quarantine
from pytest_flakehunt.quarantine import QuarantineError, editing, honouring, proposing
from pytest_flakehunt.quarantine.reading import read


class Honouring:
    """What the file said as the hunt began."""

    def __init__(self, config: pytest.Config, *, update: bool) -> None:
        """Read it.

        Raises:
            pytest.UsageError: it is to be updated, and is wrong.
        """
        self.root, self.folder = config.rootpath, project.folder_of(config)
        self.path, self.update = flags.quarantine_file(config), update
        self.today: date = realtime.now().date()
        self.quarantine = Quarantine()
        self.notes: list[str] = []
        """What is wrong with it, and what is not in it."""
        self.difference = ""
        """What was written into it."""
        self.entries = ""
        """What may be pasted into it."""
        if flags.given(config, "flakehunt-quarantine") != "off" and self.path.exists():
            try:
                self.quarantine = read(self.path)
            except QuarantineError as error:
                if update:
                    raise pytest.UsageError(f"--flakehunt-quarantine=update: {error}") from None
                self.notes.append(f"{error}; nothing is excused")
            self.notes += [f"{key} means nothing to us" for key in self.quarantine.unknown]

    def marked(self, findings: Findings) -> Findings:
        """Give findings with those marked that are excused, and what would excuse the others."""
        told = honouring.honoured(findings, self.quarantine, self.root, self.folder, self.today)
        entries = proposing.proposed(told, self.quarantine, self.root, self.folder, self.today).entries
        return replace(told, tests=tuple(replace(one, entry=entries.get(one.nodeid)) for one in told.tests))

    def propose(self, findings: Findings) -> None:
        """Make entries of what was found, and write them where that is asked for."""
        try:
            now = read(self.path) if self.update and self.path.exists() else self.quarantine
            proposal = proposing.proposed(findings, now, self.root, self.folder, self.today)
            entries = [*proposal.entries.values()]
            self.entries = editing.written(entries)
            if self.update:
                self.notes += proposal.notes
                self.difference = editing.changed(
                    self.path, lambda text: editing.with_added(text, entries) if entries else text
                )
        except QuarantineError as error:
            self.notes.append(f"--flakehunt-quarantine=update: {error}; -v shows what was to be added")
