"""Running a printed command again, as the user would: does it bring the failure back, and only with the cause?"""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pytest_flakehunt.analysis.fingerprints import fingerprint
from pytest_flakehunt.asked import flags
from pytest_flakehunt.diagnosis.repro import Command, Commands
from pytest_flakehunt.diagnosis.witness import FOLDER
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.instruments import artefacts
from pytest_flakehunt.model import Count, Mode, Outcome, Reply
from pytest_flakehunt.zygote import link, wire
from pytest_flakehunt.zygote.link import Origin, Watch

LOOK = 0.1
"""Seconds between two looks at a command under way."""
LONGEST_SILENCE = 600.0
"""Seconds in which no test starts or ends."""
HUNTS = 3
"""Times that a command is run which hunts, and so runs the test many times by itself."""


@dataclass(slots=True)
class Rerun:
    """Runs commands from where the hunt was started, in the environment that it was started in."""

    origin: Origin
    folder: Path
    """For journals; it exists."""
    _runs: int = field(default=0)

    def counted(
        self, commands: Commands, nodeid: str, mode: Mode, *, pairs: int, limit: float, ends: float
    ) -> tuple[Count, Count | None]:
        """Run a command and its counterpart by turns.

        Args:
            commands: what to run.
            nodeid: the test that should fail.
            mode: how it should fail.
            pairs: how often each is run at most.
            limit: seconds after which the test counts as hanging.
            ends: the moment, on the monotonic clock, after which no further pair is begun.

        Returns:
            Runs and failures of the command, and of the one without the cause;
            None for the latter where there is none.
        """
        again, without = Count(), Count()
        for turn in range(min(pairs, HUNTS) if commands.again.hunts else pairs):
            if turn and realtime.monotonic() > ends:
                break
            again = again.plus(*self._run(commands.again, nodeid, mode, limit))
            if commands.without is not None:
                without = without.plus(*self._run(commands.without, nodeid, mode, limit))
        return again, without if commands.without is not None else None

    def _run(self, command: Command, nodeid: str, mode: Mode, limit: float) -> Count:
        reply = self._reply(command, nodeid, mode, limit)
        return Count() if reply is Reply.NOTHING else Count(1, int(reply is Reply.FAILS))

    def passing(self, command: Command, nodeids: Iterable[str], limit: float) -> set[str]:
        """Run a command once, and name those of some tests that pass.

        Args:
            command: what to run.
            nodeids: the tests.
            limit: seconds after which a test counts as hanging.
        """
        heard, _ = self._listen(command, limit)
        ended: dict[str, Outcome] = {}
        current = ""
        for item in heard:
            match item:
                case wire.Told("test", {"nodeid": str(name)}):
                    current = name
                case wire.Finished(_, outcome):
                    ended[current] = outcome
        passed = {nodeid for nodeid, outcome in ended.items() if outcome.counts and not outcome.fails}
        return passed.intersection(nodeids)

    def _reply(self, command: Command, nodeid: str, mode: Mode, limit: float) -> Reply:
        heard, status = self._listen(command, limit)
        if status is None:
            return hung(heard, nodeid, mode)
        if command.hunts:
            return {0: Reply.PASSES, 1: Reply.FAILS}.get(status, Reply.NOTHING)
        return said(heard, nodeid, mode)

    def _listen(self, command: Command, limit: float) -> tuple[list[wire.Entry], int | None]:
        """Run a command; give what it said, and its exit status, or None where a test took too long."""
        self._runs += 1
        journal = self.folder / f"rerun-{self._runs}"
        process = subprocess.Popen(  # noqa: S603 - the command that is printed
            [*executable(self.origin), *command.words],
            cwd=self.origin.directory,
            env=self._environment(command, journal),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        watch = Watch(journal)
        heard: list[wire.Entry] = []
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK)
                heard.extend(watch.look())
                if process.returncode is not None:
                    break
                allowed = LONGEST_SILENCE if watch.running is None else limit
                if realtime.monotonic() - watch.since > allowed:
                    return heard, None
        finally:
            link.end_tree(process.pid)
            process.wait()
            journal.unlink(missing_ok=True)
            self._tidy(Path(f"{journal}{FOLDER}"))
        return heard, process.returncode

    def _tidy(self, scratch: Path) -> None:
        """Keep of a command's scratch folder what its plugins were seen to write elsewhere."""
        seen = scratch / artefacts.FILE
        if seen.exists():
            with (self.folder / artefacts.FILE).open("ab") as kept:
                kept.write(seen.read_bytes())
        shutil.rmtree(scratch, ignore_errors=True)

    def _environment(self, command: Command, journal: Path) -> Mapping[str, str]:
        environ = {**self.origin.environment(), flags.WITNESS: str(journal)}
        if not command.hunts:
            return environ
        options = environ.get("PYTEST_ADDOPTS", "")
        return {**environ, "PYTEST_ADDOPTS": f"{options} --flakehunt-ledger={journal}.sqlite".strip()}


def executable(origin: Origin) -> list[str]:
    """Give what starts pytest just as the hunt was started."""
    if Path(origin.argv[0]).name in {"pytest", "py.test"}:
        return [sys.executable, origin.argv[0]]
    return [sys.executable, *subprocess._args_from_interpreter_flags(), "-m", "pytest"]  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does


def said(heard: list[wire.Entry], nodeid: str, mode: Mode) -> Reply:
    """Tell what a command that has ended says of a test."""
    current, reply = "", Reply.NOTHING
    for item in heard:
        match item:
            case wire.Told("test", {"nodeid": str(name)}):
                current = name
            case wire.Started() if current == nodeid:  # where nothing follows, the process ended with it
                reply = Reply.FAILS if mode.outcome is Outcome.CRASHED else Reply.OTHERWISE
            case wire.Finished(_, outcome, _, None) if current == nodeid:
                reply = Reply.PASSES if outcome.counts else Reply.NOTHING
            case wire.Finished(_, outcome, _, evidence) if current == nodeid:
                assert evidence is not None
                return Reply.FAILS if fingerprint(outcome, evidence) == mode.fingerprint else Reply.OTHERWISE
            case _:
                pass
    return reply


def hung(heard: list[wire.Entry], nodeid: str, mode: Mode) -> Reply:
    """Tell what a command says that had to be ended."""
    names = [item.data["nodeid"] for item in heard if isinstance(item, wire.Told) and item.kind == "test"]
    if not heard or not isinstance(heard[-1], wire.Started) or names[-1] != nodeid:
        return Reply.NOTHING
    return Reply.FAILS if mode.outcome is Outcome.HUNG else Reply.OTHERWISE
