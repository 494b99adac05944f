"""What is written down of switches while a test runs, and what is told of them afterwards."""

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from pytest_flakehunt.ground import project
from pytest_flakehunt.model.switches import Moment, Switch, Taped, Turn, Why
from pytest_flakehunt.steering.members import Line, Member


class Noted(NamedTuple):
    """One switch, as cheap as it can be had."""

    moment: Moment
    last: Line | None
    why: Why
    to: int
    usual: bool
    freed: bool
    outside: bool


@dataclass(slots=True)
class Record:
    """The switches of one test."""

    names: list[str] = field(default_factory=list)
    """Of its threads, by number."""
    turns: list[Noted] = field(default_factory=list)
    met: set[Moment] = field(default_factory=set)
    """Switches of the tape that took place."""
    astray: bool = False
    """Whether a thread went on that nobody had handed the baton to."""

    def add(self, before: Member | None, to: int, why: Why, *, usual: bool) -> None:
        """Note that a thread stops and another one goes on."""
        if before is None:
            self.astray = True
            return
        last = before.here if before.operation else before.last
        freed = before.freed and before.operation > 0 and why is Why.ROOM
        self.turns.append(Noted(before.moment(), last, why, to, usual, freed, before.outside and why is Why.WAITS))

    def digest(self) -> str:
        """Give a word for all switches: two runs with the same word ran alike."""
        return blake2b(repr([(turn.moment, turn.to) for turn in self.turns]).encode(), digest_size=8).hexdigest()

    def told(self, tape: Collection[Switch], *, lost: bool) -> Taped:
        """Tell of them.

        Args:
            tape: that was played.
            lost: whether a thread ran free at some time.
        """
        sources: dict[str, list[str]] = {}
        told = []
        for turn in self.turns:
            last = "", 0, ""
            if turn.last is not None:
                file, line = turn.last
                if file not in sources:
                    sources[file] = project.lines(file)
                text = sources[file][line - 1].strip() if line <= len(sources[file]) else ""
                last = project.told(file), line, text
            told.append(Turn(Switch(turn.moment, turn.to), turn.why, turn.usual, last, turn.freed, turn.outside))
        unmet = tuple(switch for switch in tape if switch.at not in self.met)
        return Taped(tuple(self.names), tuple(told), self.digest(), not (lost or self.astray), unmet)
