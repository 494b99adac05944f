"""Where zygotes are to run: what ``-n``, ``--maxprocesses``, ``--tx`` and ``--px`` of xdist mean for a hunt."""

import re
import select
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from pytest_flakehunt.asked import takeover

KINDS = ("popen", "ssh", "vagrant_ssh", "socket")
"""What a specification says of how a machine is reached."""
KEYS = (*KINDS, "via", "python", "chdir", "id", "nice", "ssh_config", "dont_write_bytecode", "execmodel")
PLAIN = frozenset({"popen", "id", "execmodel"})
"""What a specification may have that means no more than this machine and this Python."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Zygotes that run in another place than the controller's own."""

    spec: str
    """As the user wrote it."""
    zygotes: int
    chdir: str
    """The project's root directory there; empty where it is called as it is here."""
    environ: Mapping[str, str]
    """Variables that are set there."""
    here: bool
    """Whether it is this machine, with another Python or in another folder."""

    @property
    def name(self) -> str:
        """What it is called wherever it is told: as the user wrote it, but for the values of variables."""
        return shown(self.spec)


@dataclass(frozen=True, slots=True)
class Placing:
    """How many zygotes work at once, and where."""

    local: int
    elsewhere: tuple[Elsewhere, ...] = ()
    proxies: tuple[str, ...] = ()
    """What machines are reached through, as the user wrote it."""
    grows: bool = False
    """Whether there may be more of them: the user has named no number, and no place."""

    @property
    def zygotes(self) -> int:
        """How many there are at once."""
        return self.local + sum(one.zygotes for one in self.elsewhere)


def placing(config: pytest.Config) -> Placing:
    """Read what is asked for, before xdist's options are switched off.

    Raises:
        pytest.UsageError: a specification is none, or asks for what a hunt does not do.
    """
    counted: Counter[str] = Counter()
    for text in getattr(config.option, "tx", None) or ():
        number, spec = times(text)
        counted[spec] += number
    read = {spec: keys_of(spec, f"--tx={spec}") for spec in counted}
    plain = sum(counted[spec] for spec, keys in read.items() if keys.keys() <= PLAIN)
    elsewhere = tuple(
        Elsewhere(
            spec,
            counted[spec],
            keys.get("chdir", ""),
            {name.removeprefix("env:"): value for name, value in keys.items() if name.startswith("env:")},
            here="popen" in keys and "via" not in keys,
        )
        for spec, keys in read.items()
        if not keys.keys() <= PLAIN
    )
    asked = getattr(config.option, "numprocesses", None)
    local = plain if asked == 0 and counted else plain + takeover.workers_wanted(config)
    if asked is None and counted:
        local = plain
    proxies = tuple(getattr(config.option, "px", None) or ()) if elsewhere else ()
    found = Placing(local, elsewhere, proxies, grows=takeover.may_grow(config) and not counted)
    _refuse(config, found)
    return alone(found) if takeover.apart(config) else found


def alone(found: Placing) -> Placing:
    """Give place for one zygote, on this machine if any runs there."""
    if found.local:
        return Placing(1)
    first = found.elsewhere[0]
    return Placing(0, (Elsewhere(first.spec, 1, first.chdir, first.environ, first.here),), found.proxies)


def times(text: str) -> tuple[int, str]:
    """Part a number of times from what it is of.

    >>> times("3*ssh=build2"), times("popen")
    ((3, 'ssh=build2'), (1, 'popen'))
    """
    number, star, spec = text.partition("*")
    if not star or not re.fullmatch(r"-?\d{1,4}", number, re.ASCII):
        return 1, text
    if int(number) < 1:
        raise pytest.UsageError(f"--tx={text}: give how many zygotes run there, 1 or more")
    return int(number), spec


def shown(spec: str) -> str:
    """Give a specification as it may be told.

    >>> shown("ssh=me@host//env:DATABASE=me:hush@db//nice=3")
    'ssh=me@host//env:DATABASE=***//nice=3'
    """
    parts = (part.partition("=") for part in spec.split("//"))
    return "//".join(
        f"{name}=***" if name.startswith("env:") and equals else name + equals + value for name, equals, value in parts
    )


def keys_of(spec: str, option: str) -> dict[str, str]:
    """Read one specification, as execnet does.

    Args:
        spec: such as ``ssh=host//python=python3.13``.
        option: as the user wrote it.

    >>> keys_of("ssh=me@host//chdir=/srv/shop", "")
    {'ssh': 'me@host', 'chdir': '/srv/shop'}
    """
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in spec.split("//"))]
    found = dict(pairs)
    for name in found:
        if name not in KEYS and not name.startswith("env:"):
            raise pytest.UsageError(f"{option}: {name} is none of {', '.join(KEYS)}, env:NAME")
    if len(found) < len(pairs):
        raise pytest.UsageError(f"{option}: something is given twice; give it once")
    if sum(kind in found for kind in KINDS) != 1:
        raise pytest.UsageError(
            f"{option}: give one of popen, ssh=HOST, vagrant_ssh=BOX or socket=HOST:PORT, and further keys after //"
        )
    if "socket" in found and not re.fullmatch(r"[^:]+:\d{1,5}", found["socket"], re.ASCII):
        raise pytest.UsageError(f"{option}: give the address of a socket server, such as socket=127.0.0.1:8888")
    if "socket" in found and "python" in found:
        raise pytest.UsageError(f"{option}: a socket server has one Python, that which runs it; leave python= out")
    if "PYTHONHASHSEED" in (name.removeprefix("env:") for name in found):
        raise pytest.UsageError(f"{option}: hash seeds are drawn; leave it out, or give --flakehunt-plan=hashseed=SEED")
    return found


def _refuse(config: pytest.Config, found: Placing) -> None:
    if found.elsewhere and not hasattr(select, "poll"):
        raise pytest.UsageError(
            f"--tx={found.elsewhere[0].spec}: this Python has no select.poll, so zygotes run on this machine alone; "
            "leave it out, and split the hunt with --flakehunt-shard"
        )
    if found.elsewhere and (getattr(config.option, "rsyncdir", None) or config.getini("rsyncdirs")):
        raise pytest.UsageError(
            "--rsyncdir, rsyncdirs: a hunt copies nothing to other machines; bring the project there "
            "yourself, name its folder by chdir= in --tx if it is another, and leave these out"
        )
