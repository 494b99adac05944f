"""Where a revision is tried: its files, what prepares them, and the hunts of the test there."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pytest_flakehunt.bisecting import origins, worktree
from pytest_flakehunt.bisecting.history import History
from pytest_flakehunt.bisecting.refusal import CannotBisect
from pytest_flakehunt.bisecting.tries import Kind, Notes, Tried, Wanted
from pytest_flakehunt.replays import processes
from pytest_flakehunt.replays.hunt import LONGEST, Hunt, Told, kinds, under_plan

FIRST = 10
"""Runs that are made by themselves, of many: most of what fails is seen to at once."""
WORTH_PARTING = 2 * FIRST
"""As many runs take no longer than a second hunt takes to start."""
LAST_LINES = 3
NOT_THERE, NOT_COLLECTED = "not found:", "found no collectors for"


class Bench:
    """The one work tree that all revisions are tried in, one after another."""

    def __init__(self, history: History, wanted: Wanted, notes: Notes) -> None:
        self._history, self._wanted, self._notes = history, wanted, notes
        self._tree: worktree.WorkTree | None = None
        self._shown = ""
        self._unprepared = ""

    def close(self) -> None:
        """Leave nothing behind."""
        if self._tree is not None:
            self._tree.remove()
            self._tree, self._notes.tree = None, ""
            self._notes.write()

    def tried(self, revision: str, enough: Callable[[Tried], int]) -> Tried:
        """Run the test at a revision until that is enough; what was kept of it counts.

        Args:
            revision: a commit, in full.
            enough: gives how many more runs are wanted, given those that were made.
        """
        seen = self._notes.tries.get(revision, Tried())
        while more := enough(seen):
            seen = seen.joined(self._runs(revision, FIRST if not seen.runs and more > WORTH_PARTING else more))
            self._notes.keep(revision, seen)
        return seen

    def _runs(self, revision: str, runs: int) -> Tried:
        if self._shown != revision:
            self._show(revision)
        if self._unprepared:
            return Tried(why_not=self._unprepared)
        assert self._tree is not None, "it was shown"
        folder = self._tree.path / self._wanted.folder
        if not folder.is_dir():
            return Tried(why_not=f"it has no folder {self._wanted.folder}")
        with tempfile.TemporaryDirectory(prefix="flakehunt-origins-") as scratch:
            others = tuple(tree for tree in self._history.work_trees() if tree != self._tree.path)
            asked = origins.Asked(Path(scratch) / "foreign.json", self._tree.path, folder, others)
            hunt = self._hunt(folder)
            try:
                told = hunt.run(runs, folder, {**worktree.environ(), **asked.environ})
            except OSError as error:
                return Tried(why_not=f"{hunt.program[0]} cannot be started: {error.strerror}")
            if (foreign := asked.found()) is not None:
                raise CannotBisect(self._foreign(foreign))
        return self._read(told, runs)

    def _show(self, revision: str) -> None:
        """Check a revision out, and prepare it."""
        if self._tree is None:
            if self._notes.tree:
                worktree.removed(self._history.root, Path(self._notes.tree))
            self._tree = worktree.WorkTree(self._history.root)
            self._notes.tree = str(self._tree.path)
            self._notes.write()
        self._shown = ""
        self._tree.check_out(revision)
        self._shown, self._unprepared = revision, self._prepared(self._tree.path)

    def _prepared(self, tree: Path) -> str:
        """Run the commands that prepare a revision; say which failed, and how."""
        folder = tree / self._wanted.folder
        for command in self._wanted.prepare:
            try:
                words = shlex.split(command)
                ended = processes.run(words, folder if folder.is_dir() else tree, worktree.environ(), LONGEST)
            except subprocess.TimeoutExpired:
                return f"{command} took more than {LONGEST:.0f} s"
            except OSError as error:
                raise CannotBisect(f"--prepare {command}: it cannot be run: {error}") from None
            if ended.status:
                return f"{command} ended with status {ended.status}: {ended.tail(LAST_LINES)}"
        return ""

    def _hunt(self, folder: Path) -> Hunt:
        wanted = self._wanted
        return Hunt(
            (*wanted.after, wanted.test),
            wanted.plan,
            fresh=wanted.fresh,
            more=(*wanted.more, "-p", origins.__name__),
            program=(interpreter(wanted.python, folder), "-m", "pytest"),
        )

    def _read(self, told: Told, asked: int) -> Tried:
        """Tell what a hunt says of the test."""
        wanted = self._wanted
        if told.why_not:
            if told.ended is not None:
                self._check(told.ended)
            return Tried(why_not=self._why(told))
        mine = [test for test in told.tests if test["nodeid"] == wanted.test]
        if not mine:
            return Tried(why_not="the test is not there")
        count = under_plan(wanted.plan, mine[0])
        if not count.runs:
            return Tried(why_not="the test is skipped there, or not run to a result")
        found = {name: Kind(*kind) for name, kind in kinds(wanted.plan, mine[0]).items() if kind[0]}
        short = asked > count.runs and not count.failures
        return Tried(count.runs, found, f"only {count.runs} of {asked} runs came to a result" if short else "")

    def _why(self, told: Told) -> str:
        if told.ended is None:
            return told.why_not
        for line in told.ended.err.splitlines():
            first = next((test for test in self._wanted.after if line.endswith(test)), "")
            which = f"{first}, which has to run before it," if first else "the test"
            if NOT_THERE in line:
                return f"{which} is not there"
            if NOT_COLLECTED in line:
                errors = [text[1:].strip() for text in told.ended.out.splitlines() if text.startswith("E  ")]
                return f"{which} cannot be collected: {errors[-1] if errors else told.ended.tail(1)}"
        return told.why_not

    def _check(self, ended: processes.Ended) -> None:
        """Refuse an interpreter that cannot hunt at any revision."""
        for sign, what in {
            "No module named pytest": "has no pytest",
            "unrecognized arguments: --flakehunt": "has no pytest-flakehunt",
            f'Error importing plugin "{origins.__name__}"': "has no pytest-flakehunt that can bisect",
        }.items():
            if sign in ended.err or sign in ended.out:
                raise CannotBisect(
                    f"{self._wanted.python or sys.executable} {what}: install pytest and pytest-flakehunt there, by "
                    "--prepare if it is made at each revision"
                )

    def _foreign(self, foreign: origins.Foreign) -> str:
        return (
            f"{foreign.name} is imported from {foreign.file}, which is not the revision that is tried: add "
            "-- -o pythonpath=src (or wherever its packages are) where that is enough, or give each revision an "
            "environment of its own: --prepare 'python -m venv .venv' "
            "--prepare '.venv/bin/pip install -e . pytest-flakehunt' --python .venv/bin/python"
        )


def interpreter(asked: str, folder: Path) -> str:
    """Give the interpreter to be started.

    Args:
        asked: as the user gave it; empty for the one that runs this.
        folder: where pytest is called: a path that is not absolute begins there.
    """
    if not asked:
        return sys.executable
    return str(folder / asked) if os.sep in asked else asked
