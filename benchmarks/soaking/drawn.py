"""What one hunt of the soak is: a small suite, options, and what is done to it, all from one seed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from soaking.suites import DEEDS, WITNESS, test_of

GENTLE = ("hashseed", "order", "random", "gc", "repeat", "heap", "listdir", "rows", "timezone", "environ", "fds", "asyncio", "threads", "pieces")  # fmt: skip
"""Perturbations that cost little; the others are there where nothing is chosen."""
ENDS = {"SIGKILL": -9, "SIGTERM": -15, "SIGINT": -2, "SIGHUP": -1}
"""Signals to the controller, with the status of a process that does not hear them."""
BLOWS = ("zygote", "child", "stop controller", "stop zygote", "stop child", "scratch")
"""What the hunt goes on after, from outside."""
SPARE = 6
"""Percent of hunts in which nothing is done: the comparison must be silent there, too."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that is done to a hunt that runs."""

    kind: str
    """Of ``BLOWS``, or a signal to the controller."""
    sweeps: int
    """It comes when so many more sweeps are in the ledger than as the process began; 0: at once."""
    later: float
    """And so many seconds after."""
    lasts: float
    """Seconds that something is stopped."""
    which: int
    """Chooses among the processes that could be hit."""


@dataclass(frozen=True, slots=True)
class Step:
    """One process of the hunt: the first, or one with ``--flakehunt-resume``."""

    blows: tuple[Blow, ...]
    largest: int = 0
    """Bytes that a file may have at most; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A hunt before it is run."""

    number: int
    files: dict[str, str]
    tests: tuple[str, ...]
    """Kinds of its tests."""
    args: tuple[str, ...]
    isolation: str
    descriptors: int
    """How many there may be; 0 for no limit of ours."""
    steps: tuple[Step, ...]
    """The last one has nothing that ends it."""
    shards: bool
    """Whether it is the first of two shards, which are merged."""
    commands: tuple[str, ...] = field(default=())
    """What is run after it."""


def drawn(seed: int, number: int) -> Drawn:
    """Draw a hunt.

    Args:
        seed: of the whole soak.
        number: of the hunt, from 0.
    """
    chance = Random(f"{seed}:{number}")
    spared = chance.randrange(100) < SPARE
    isolation = chance.choices(["auto", "fresh", "fork"], [60, 25, 15])[0]
    kinds = [] if spared else chance.sample(sorted(DEEDS), chance.choices([0, 1, 2], [35, 50, 15])[0])
    if isolation != "auto":
        kinds = [kind for kind in kinds if kind != "kills its parent"]  # not where that is the hunt itself
    sweeps = chance.randint(5, 14) if isolation == "fresh" else chance.randint(8, 30)
    args = _args(chance, isolation, sweeps)
    steps = () if spared else _steps(chance, sweeps)
    shards = chance.randrange(100) < 8
    if shards:  # which a time cannot be split into
        args = tuple(f"--flakehunt={sweeps}" if arg.startswith("--flakehunt=") else arg for arg in args)
    commands = tuple(
        chance.sample(
            ["report", "show", "history", "diagnose", "prune", "doctor"], chance.choices([0, 1, 2], [45, 40, 15])[0]
        )
    )
    return Drawn(
        number, _files(chance, kinds), tuple(kinds), args, isolation,
        64 if chance.randrange(100) < 12 and not spared else 0, (*steps, Step(_lasting(chance, sweeps, spared=spared))), shards,
        () if shards else commands,
    )  # fmt: skip


def _args(chance: Random, isolation: str, sweeps: int) -> tuple[str, ...]:
    args = [f"--flakehunt-seed={chance.randrange(10**6)}", f"--flakehunt-isolation={isolation}"]
    args.append(f"--flakehunt={chance.randint(5, 12)}s" if chance.randrange(100) < 12 else f"--flakehunt={sweeps}")
    if chance.randrange(100) < 75:
        args.append("--flakehunt-only=" + ",".join(sorted(chance.sample(GENTLE, chance.randint(2, 5)))))
    if chance.randrange(100) < 75:
        args += ["-pxdist.plugin", f"-n{chance.choice([1, 2, 2, 3])}"]
    args.append(f"--flakehunt-diagnose={chance.choice([0, 0, 4, 8] if isolation == 'fresh' else [0, 0, 0, 20, 50])}")
    args.append("--flakehunt-timeout=12")
    args += [f"--flakehunt-{name}=" for name in ("html", "junit", "sarif", "markdown") if chance.randrange(100) < 15]
    return tuple(args)


def _steps(chance: Random, sweeps: int) -> tuple[Step, ...]:
    """Draw those that do not last: each is ended by a signal, or by a limit."""
    found = []
    for _ in range(chance.choices([0, 1, 2, 3], [25, 45, 20, 10])[0]):
        if chance.randrange(100) < 12:
            found.append(Step(_lasting(chance, sweeps, spared=False), largest=chance.randrange(120_000, 900_000)))
            continue
        kind = chance.choices(list(ENDS), [55, 15, 15, 15])[0]
        found.append(Step((*_lasting(chance, sweeps, spared=False), _blow(chance, kind, sweeps))))
    return tuple(found)


def _lasting(chance: Random, sweeps: int, *, spared: bool) -> tuple[Blow, ...]:
    if spared:
        return ()
    count = chance.choices([0, 1, 2], [50, 35, 15])[0]
    return tuple(_blow(chance, chance.choice(BLOWS), max(1, sweeps // 3)) for _ in range(count))


def _blow(chance: Random, kind: str, most: int) -> Blow:
    after = 0 if chance.randrange(100) < 15 else chance.randint(1, most)
    later = chance.uniform(0, 3) if not after else chance.choice([0, chance.uniform(0, 0.2), chance.uniform(0, 1)])
    return Blow(kind, after, round(later, 3), round(chance.uniform(0.1, 1.5), 2), chance.randrange(100))


def _files(chance: Random, kinds: list[str]) -> dict[str, str]:
    """Draw the sources of a suite: sound tests, some that are flaky, and the deeds."""
    tests: list[Callable[[int], str]] = [test_of("sound") for _ in range(chance.randint(2, 4))]
    tests += [test_of(name) for name in chance.sample(["order", "hashseed", "random", "twice", "skips", "fixture"], chance.randint(0, 3))]  # fmt: skip
    tests += [test_of(kind) for kind in kinds]
    chance.shuffle(tests)
    modules = chance.randint(1, 2)
    sources = [
        "import os, random, signal, sys, threading, time\nimport pytest\nfrom conftest import controller, once\n"
    ] * modules
    for index, test in enumerate(tests):
        sources[index % modules] += test(index)
    length = round(chance.uniform(0.01, 0.15), 3)
    pages = {f"test_part_{index}.py": source.replace("LENGTH", str(length)) for index, source in enumerate(sources)}
    data = {"data/precious.txt": f"{chance.random()}\n" * 50, "setup.cfg": "[tool:pytest]\ntestpaths = .\n"}
    return {"conftest.py": WITNESS, **pages, **data}
