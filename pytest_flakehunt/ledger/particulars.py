"""Who a hunt is: what is kept of it besides its sweeps, wherever it is kept."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_flakehunt.model import Shard, Trial

MOST_SHARDS = 9999
"""As many as ``--flakehunt-shard`` takes."""


@dataclass(frozen=True, slots=True)
class Particulars:
    """One hunt, but for its sweeps."""

    trial: Trial
    machine: str
    versions: Mapping[str, str]
    """Of pytest's plugins."""
    directory: str
    redact: tuple[str, ...]
    terms: Mapping[str, str]
    """What its draws follow from, by what it is called; empty where that was not kept."""
    parts: Mapping[str, str]
    """The shards that it has, by number, each with the id of the hunt that ran it."""
    seconds: float | None
    """None where it has not ended."""

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= MOST_SHARDS or not all(1 <= int(part) <= self.shards for part in self.parts):
            raise ValueError("its shards are none")
        if self.shards > 1 and int(self.terms["N"]) < 1:
            raise ValueError("its number of sweeps is none")

    @property
    def shards(self) -> int:
        """How many shards it is made of, all together."""
        return int(self.terms.get("shards", "1"))

    @property
    def merged(self) -> bool:
        """Whether it was put together from shards, rather than run as one."""
        return self.shards > 1 and self.trial.uid not in self.parts.values()

    @property
    def missing(self) -> list[int]:
        """The shards that it does not have."""
        return [number for number in range(1, self.shards + 1) if str(number) not in self.parts]


def digest(nodeids: Iterable[str]) -> str:
    """Tell collected tests from others, whatever their order.

    >>> digest(["b", "a", "a"])
    '2 tests ffc151170352baa3'
    """
    names = sorted(set(nodeids))
    found = hashlib.blake2b("\0".join(names).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
    return f"{len(names)} {'test' if len(names) == 1 else 'tests'} {found}"


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Say in what two hunts do not belong together; nothing where they do.

    >>> differences({"seed": "1", "N": "20"}, {"seed": "2", "N": "20"})
    ['seed 1 and 2']
    """
    names = [*one, *(name for name in other if name not in one)]
    return [
        f"{name} {one.get(name) or 'none'} and {other.get(name) or 'none'}"
        for name in names
        if one.get(name, "") != other.get(name, "")
    ]


def part_of(shard: Shard, uid: str) -> dict[str, str]:
    """Give the parts of a hunt that is one shard."""
    return {str(shard.index): uid}
