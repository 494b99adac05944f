"""Running a printed command again, as the user would: does it bring the failure back, and only with the cause?"""

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pytest_flakehunt.analysis.association import fisher
from pytest_flakehunt.analysis.fingerprints import fingerprint
from pytest_flakehunt.asked import flags
from pytest_flakehunt.diagnosis.repro import Command, Commands
from pytest_flakehunt.diagnosis.witness import FOLDER
from pytest_flakehunt.ground import interrupting, realtime
from pytest_flakehunt.ground.removing import removed
from pytest_flakehunt.instruments import artefacts
from pytest_flakehunt.model import HANG, Count, Mode, Outcome, Reply
from pytest_flakehunt.zygote import fork, processes, wire
from pytest_flakehunt.zygote.host import Origin
from pytest_flakehunt.zygote.link import Watch

LOOK = 0.05
"""Seconds between two looks at a command under way."""
LONGEST_SILENCE = 600.0
"""Seconds in which no test starts or ends."""
ENOUGH = 5
"""Runs of a command, and as many of its counterpart, that are enough where all or none of them fail."""
SURE = 3
"""The same where experiments have shown the cause to be sure: these only try whether the command is right."""
PLAIN_AT = 0.004
"""Chance of such a difference, were both commands the same, where the one without the cause fails as well."""
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
        self,
        commands: Commands,
        nodeid: str,
        mode: Mode,
        *,
        pairs: int,
        limit: float,
        ends: float,
        apart: bool = False,
        sure: bool = False,
    ) -> tuple[Count, Count | None]:
        """Run a command and its counterpart side by side, again and again until it is plain what they do.

        Where the cause was shown to be sure, three failures of three against
        none of three are enough, else five; a command that fails now and then
        is run up to the full number.

        Args:
            commands: what to run.
            nodeid: the test that should fail.
            mode: how it should fail.
            pairs: how often each is run at most.
            limit: seconds after which the test counts as hanging.
            ends: the moment, on the monotonic clock, after which no further pair is begun.
            apart: whether one must not run beside the other.
            sure: whether it always failed with the cause, and never without.

        Returns:
            Runs and failures of the command, and of the one without the cause;
            None for the latter where there is none.
        """
        again, without = Count(), Count()
        both = [commands.again, *([] if commands.without is None else [commands.without])]
        for turn in range(min(pairs, HUNTS) if commands.again.hunts else pairs):
            if (turn and realtime.monotonic() > ends) or plain(again, without, SURE if sure else ENOUGH):
                break
            heard = [
                one for some in ([[one] for one in both] if apart else [both]) for one in self._listen(some, limit)
            ]
            replies = [self._reply(one, nodeid, mode) for one in heard]
            counts = [Count() if reply is Reply.NOTHING else Count(1, int(reply is Reply.FAILS)) for reply in replies]
            again = again.plus(*counts[0])
            without = without.plus(*counts[-1])
        return again, without if commands.without is not None else None

    def passing(self, command: Command, nodeids: Iterable[str], limit: float) -> set[str]:
        """Run a command once, and name those of some tests that pass.

        Args:
            command: what to run.
            nodeids: the tests.
            limit: seconds after which a test counts as hanging.
        """
        (heard,) = self._listen([command], limit)
        ended: dict[str, Outcome] = {}
        current = ""
        for item in heard.entries:
            match item:
                case wire.Told("test", {"nodeid": str(name)}):
                    current = name
                case wire.Finished(_, outcome):
                    ended[current] = outcome
        passed = {nodeid for nodeid, outcome in ended.items() if outcome.counts and not outcome.fails}
        return passed.intersection(nodeids)

    def _reply(self, heard: "Heard", nodeid: str, mode: Mode) -> Reply:
        if heard.status is None:
            return hung(heard.entries, nodeid, mode)
        if heard.command.hunts:
            return {0: Reply.PASSES, 1: Reply.FAILS}.get(heard.status, Reply.NOTHING)
        return said(heard.entries, nodeid, mode)

    def _listen(self, commands: Sequence[Command], limit: float) -> "list[Heard]":
        """Run commands side by side; give what each said."""
        running = [self._started(command) for command in commands]
        try:
            while any(heard.goes_on() for heard in running):
                interrupting.heed()
                for heard in running:
                    heard.look(limit)
        finally:
            with interrupting.held():
                for heard in running:
                    self._end(heard)
        return running

    def _started(self, command: Command) -> "Heard":
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
            preexec_fn=fork.bound,  # noqa: PLW1509 - one call of C's, which takes no lock
        )
        return Heard(command, process, Watch(journal))

    def _end(self, heard: "Heard") -> None:
        """End whatever a command left running, and delete what it wrote."""
        processes.end_tree(heard.process.pid)
        heard.process.wait()
        processes.end_left(heard.process.pid)
        heard.watch.journal.unlink(missing_ok=True)
        self._tidy(Path(f"{heard.watch.journal}{FOLDER}"))

    def _tidy(self, scratch: Path) -> None:
        """Keep of a command's scratch folder what its plugins were seen to write elsewhere."""
        seen = scratch / artefacts.FILE
        if seen.exists():
            with (self.folder / artefacts.FILE).open("ab") as kept:
                kept.write(seen.read_bytes())
        removed(scratch)

    def _environment(self, command: Command, journal: Path) -> Mapping[str, str]:
        environ = {**self.origin.environment(), flags.WITNESS: str(journal)}
        if not command.hunts:
            return environ
        options = environ.get("PYTEST_ADDOPTS", "")
        return {**environ, "PYTEST_ADDOPTS": f"{options} --flakehunt-ledger={journal}.sqlite".strip()}


@dataclass(slots=True)
class Heard:
    """A command under way, and what it has said so far."""

    command: Command
    process: subprocess.Popen[bytes]
    watch: Watch
    entries: list[wire.Entry] = field(default_factory=list)
    status: int | None = None
    """With which it ended; None where a test took too long."""
    _over: bool = False

    def goes_on(self) -> bool:
        """Tell whether there is more to come."""
        return not self._over

    def look(self, limit: float) -> None:
        """Wait a moment, and take in what it says; a test may take so many seconds."""
        if self._over:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(LOOK)
        self.entries.extend(self.watch.look())
        allowed = LONGEST_SILENCE if self.watch.running is None else limit
        if self.process.returncode is not None:
            self.status, self._over = self.process.returncode, True
        elif realtime.monotonic() - self.watch.since > allowed:
            processes.end_tree(self.process.pid)
            self._over = True


def plain(again: Count, without: Count, enough: int) -> bool:
    """Tell whether more runs of a command would say no more: it brings the failure back, or it does not.

    >>> [plain(again, Count(5, 0), 5) for again in (Count(5, 5), Count(5, 0), Count(5, 3))]
    [True, True, False]
    >>> plain(Count(6, 6), Count(6, 1), 5), plain(Count(7, 7), Count(7, 1), 5)
    (False, True)
    """
    if again.runs < enough or again.failures not in {0, again.runs}:
        return False
    return not without.failures or fisher(again, without) < PLAIN_AT


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
    return Reply.FAILS if mode.outcome is Outcome.HUNG or mode.evidence.kind == HANG else Reply.OTHERWISE
