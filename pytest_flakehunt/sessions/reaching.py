"""The machines of a hunt: reached before anything is collected, and compared once the suite is imported."""

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

import pytest

from pytest_flakehunt.asked.placing import Elsewhere, Placing
from pytest_flakehunt.ground import project, provenance
from pytest_flakehunt.model import Perturbation
from pytest_flakehunt.pool.pool import listed
from pytest_flakehunt.sessions.origin import ORIGIN
from pytest_flakehunt.zygote.host import Here, Host, Origin

if TYPE_CHECKING:  # hunts on this machine do without
    from pytest_flakehunt.machines.frames import Compare
    from pytest_flakehunt.machines.machine import Machine

DRAWN = 40
"""Settings of each perturbation that are tried on another machine: the most telling come first."""
LARGEST = 1 << 24
"""Bytes of the largest file that is compared, of those that tests may read."""
CARRIED = "PYTEST_"
"""How variables start that mean the same everywhere: they decide what pytest does."""
NOT_CARRIED = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_")


class Reached:
    """The machines that zygotes of a hunt run on."""

    def __init__(self, placing: Placing, config: pytest.Config) -> None:
        """Note where they are to be.

        Args:
            placing: what the user asks for.
            config: the controller's.
        """
        self.placing, self._config, self.root = placing, config, str(config.rootpath)
        self.machines: list[Machine] = []
        self._facts: list[Mapping[str, str]] = []

    @property
    def origin(self) -> Origin:
        """How the controller was started."""
        return self._config.stash[ORIGIN]

    def hosts(self) -> list[Host]:
        """Give the machine of each slot, this one first."""
        here = Here()
        found: list[Host] = [here for _ in range(self.placing.local)]
        for machine, asked in zip(self.machines, self.placing.elsewhere, strict=True):
            found += [machine] * asked.zygotes
        return found

    def header(self) -> list[str]:
        """Say where zygotes are; nothing where all of them are here."""
        if not self.machines:
            return []
        found = [f"{self.placing.local} here"] if self.placing.local else []
        for asked, facts in zip(self.placing.elsewhere, self._facts, strict=True):
            found.append(f"{asked.zygotes} on {asked.name} ({facts['cores']} cores)")
        return [f"flakehunt: zygotes: {', '.join(found)}"]

    def sentence(self, ran: Mapping[str, int]) -> str:
        """Say where how many sweeps and runs of experiments were; nothing where all of them ran here."""
        if not self.machines:
            return ""
        named = {machine.name: f"on {machine.name}" for machine in self.machines}
        places = {"": "here", **named} if self.placing.local else named
        return (
            f"sweeps and experiments ran: {', '.join(f'{ran.get(name, 0)} {place}' for name, place in places.items())}"
        )

    def reach(self) -> None:
        """Start a relay on each machine.

        Raises:
            pytest.UsageError: one cannot be reached, or has not what it needs.
        """
        if not self.placing.elsewhere:
            return
        from pytest_flakehunt.machines import gateways

        proxies = self.placing.proxies
        waits = [(asked, gateways.reaching(asked.spec, proxies)) for asked in self.placing.elsewhere]
        try:
            for asked, wait in waits:
                try:
                    machine, facts = wait()
                except gateways.Unreachable as error:
                    raise pytest.UsageError(f"--tx={asked.name}: {error}") from None
                machine.name = asked.name
                self.machines.append(machine)
                self._facts.append(facts)
                self._prepare(asked, machine)
        except pytest.UsageError:
            self.close()
            raise

    def _prepare(self, asked: Elsewhere, machine: "Machine") -> None:
        """Tell a relay what zygotes start from."""
        from pytest_flakehunt.machines import frames

        if asked.chdir and not within(self.origin.directory, self.root):
            raise pytest.UsageError(
                f"--tx={asked.name}: chdir= names the counterpart of {self.root}, and pytest was started elsewhere, in "
                f"{self.origin.directory}; start it in there, or leave chdir= out"
            )
        carried = {name: value for name, value in self.origin.environ.items() if carries(name)}
        frame = frames.Prepare(
            asked.chdir or self.root,
            dict(self.origin.environ) if asked.here else None,
            {**carried, **asked.environ},
            dict(self.origin.unseen),
            [os.path.relpath(folder, self.root) for folder in self.origin.sys_path if within(folder, self.root)],
        )
        try:
            answer = machine.ask(frame)
        except OSError as error:
            raise pytest.UsageError(f"--tx={asked.name}: its relay could not be started: {error}") from None
        assert isinstance(answer, frames.Prepared)
        if answer.problem:
            raise pytest.UsageError(
                f"--tx={asked.name}: {answer.problem}; bring the project there, or name its folder by chdir=PATH"
            )
        machine.prepared, machine.here, machine.there = answer, self.root, answer.root

    def compare(self, items: Sequence[pytest.Item], active: Sequence[Perturbation]) -> list[str]:
        """See that the suite is the same everywhere, and can be perturbed in the same ways.

        Args:
            items: what was collected.
            active: the perturbations in use.

        Returns:
            What tests may read that is other there, a sentence a machine.

        Raises:
            pytest.UsageError: says what differs, and where.
        """
        if not self.machines:
            return []
        from pytest_flakehunt.machines import frames

        files = {name: digest(Path(self.root) / name) for name in sources(items, self._config, self.root)}
        drawn = ((item.name, str(item.draw(turn, turn))) for item in active for turn in range(DRAWN))
        settings = {(name, str.__str__(text)) for name, text in drawn}  # some are members of an Enum
        data = {name: digest(Path(self.root) / name) for name in tracked(self.root) if name not in files}
        question = frames.Compare(files, installed(self.root), sorted(settings), data)
        try:
            found = [
                self._compare(asked, machine, question)
                for asked, machine in zip(self.placing.elsewhere, self.machines, strict=True)
            ]
        except pytest.UsageError:
            self.close()
            raise
        return [said for said in found if said]

    @staticmethod
    def _compare(asked: Elsewhere, machine: "Machine", question: "Compare") -> str:
        from pytest_flakehunt.machines import frames

        try:
            answer = machine.ask(question)
        except OSError as error:
            raise pytest.UsageError(f"--tx={asked.name}: it was lost before the hunt began: {error}") from None
        assert isinstance(answer, frames.Compared)
        cure = f"bring {machine.there} there up to date, or name the project's folder there by chdir=PATH"
        if answer.missing:
            raise pytest.UsageError(f"--tx={asked.name}: not there: {listed(answer.missing)}; {cure}")
        if answer.other:
            raise pytest.UsageError(f"--tx={asked.name}: not the same there: {listed(answer.other)}; {cure}")
        if answer.modules:
            raise pytest.UsageError(
                f"--tx={asked.name}: imported here, and not installed there: {listed(answer.modules)}; install it"
            )
        for name, reason in answer.settings:
            raise pytest.UsageError(
                f"--tx={asked.name}: {name} cannot be perturbed there as it is here: {reason}; see to that, or "
                f"leave it out everywhere with --flakehunt-without={name}"
            )
        lacks = [f"not there: {listed(answer.absent)}"] if answer.absent else []
        lacks += [f"not the same there: {listed(answer.changed)}"] if answer.changed else []
        return f"{asked.name} has other files that tests may read: {'; '.join(lacks)}" if lacks else ""

    def close(self) -> None:
        """Let all of them go."""
        for machine in self.machines:
            machine.close()


def carries(name: str) -> bool:
    """Tell whether a variable is given to all machines."""
    return name.startswith(CARRIED) and not name.startswith(NOT_CARRIED)


def within(path: str, root: str) -> bool:
    """Tell whether a path lies in a folder, or is that."""
    return path == root or path.startswith(f"{root}{os.sep}")


def sources(items: Iterable[pytest.Item], config: pytest.Config, root: str) -> list[str]:
    """Name the files in the root directory that the suite was imported from, relative to it."""
    paths = {str(item.path) for item in items}
    paths |= {file for module in owned() if (file := module.__file__) and within(file, root)}
    if config.inipath is not None:
        paths.add(str(config.inipath))
    return sorted(os.path.relpath(path, root) for path in paths if within(path, root) and Path(path).is_file())


def tracked(root: str) -> list[str]:
    """Name the files in the root directory that are under version control, relative to it; none where nothing is."""
    names = (provenance.git(Path(root), "ls-files", "-z") or "").split("\0")
    return [name for name in names if name and 0 <= size(Path(root) / name) <= LARGEST]


def size(path: Path) -> int:
    """Give the bytes of a file; -1 where it is none."""
    return path.stat().st_size if path.is_file() else -1


def installed(root: str) -> list[str]:
    """Name the packages, apart from Python's own, that the project's modules use and that do not lie with them."""
    used = {top for module in owned() for value in list(vars(module).values()) if (top := origin_of(value))}
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in used - sys.stdlib_module_names}
    return sorted(name for name, file in files.items() if file and not within(file, root))


def origin_of(value: object) -> str:
    """Name the package that a module, class or function comes from; empty for all else."""
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0]
    if isinstance(value, type | FunctionType):
        return str(value.__module__).partition(".")[0]
    return ""


def owned() -> list[ModuleType]:
    """Give the modules of the project that were imported."""
    files = ((module, getattr(module, "__file__", None)) for module in list(sys.modules.values()))
    return [module for module, file in files if isinstance(file, str) and project.owns(file)]


def digest(path: Path) -> str:
    """Give what the contents of a file amount to."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
