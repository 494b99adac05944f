"""Where random numbers come from: drawn again exactly, test by test."""

import functools
import hashlib
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.ground.stand_ins import Maker, learn, standing
from pytest_flakehunt.perturbations.replacing import replaced
from pytest_flakehunt.perturbations.seeded import Seeded, Seeding

LIBRARIES = {"faker.generator": "random", "factory.random": "randgen", "model_bakery.random_gen": "baker_random"}
"""By module: its own ``random.Random``, which all that it makes up is drawn from."""
TORCH_AS_IT_COMES = 67280421310721
"""The seed that torch's generator starts with in every process."""


class Generator(NamedTuple):
    """A global generator of random numbers."""

    name: str
    state: Callable[[], Any]
    seed: Callable[[int], object]
    restore: Callable[[Any], object]
    chosen: bool = True
    """Whether equal states in two interpreters can only be the project's own choice."""


def generators() -> list[Generator]:
    """Give the global generators of the modules that are loaded."""
    found = [Generator("random", random.getstate, random.seed, random.setstate)]
    numpy = sys.modules.get("numpy.random")
    if numpy is not None and hasattr(numpy, "get_state"):
        found.append(Generator("numpy", numpy.get_state, numpy.seed, numpy.set_state))
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_rng_state"):
        seeded = torch.initial_seed() != TORCH_AS_IT_COMES
        found.append(Generator("torch", torch.get_rng_state, torch.manual_seed, torch.set_rng_state, chosen=seeded))
    for module, attribute in LIBRARIES.items():
        own = getattr(sys.modules.get(module), attribute, None)
        if isinstance(own, random.Random):
            found.append(Generator(module, own.getstate, own.seed, own.setstate))
    return found


def digests() -> dict[str, str]:
    """Give a short digest of each generator's state.

    Interpreters that agree on one have collected the same seeded state: the
    project seeds that generator itself as it is imported.
    """
    return {generator.name: digest(generator) for generator in generators() if generator.chosen}


def states() -> list[str]:
    """Give a digest of each generator's state, to see whether something was drawn."""
    return list(map(digest, generators()))


def digest(generator: Generator) -> str:
    """Give a short digest of a generator's state."""
    state = generator.state()
    written = repr(state.tolist() if hasattr(state, "tolist") else state)
    return hashlib.blake2b(written.encode(), digest_size=8).hexdigest()


@functools.cache
def seeders() -> tuple[Callable[[int], object], ...]:
    """Give what packages registered for pytest-randomly to reseed."""
    return tuple(entry.load() for entry in entry_points(group="pytest_randomly.random_seeder"))


spared: set[str] = set()
"""Generators the project seeds as it is imported: reseeding them would invent a failure nobody can meet."""


@dataclass(frozen=True, slots=True)
class Seed(Seeded):
    """One seed from which every test's random numbers follow."""

    def prepare(self) -> None:
        """Find what else is to be seeded, and how the operating system's source is called."""
        seeders()
        learn(STAND_INS)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be ready to give what the operating system would; a test's own patches lie above ours, and end before."""
        with standing(self.stand_ins()):
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what draws from the seed of a test."""
        return STAND_INS

    @contextmanager
    def held_for(self, nodeid: str) -> Iterator[None]:
        """Seed all generators for one test: the same test draws the same numbers, whatever ran before."""
        seed = seeds.derive(self.seed, nodeid)
        for generator in generators():
            if generator.name not in spared:
                generator.seed(seed)
        for seeder in seeders():
            seeder(seed)
        hypothesis = sys.modules.get("hypothesis.core")
        with ExitStack() as undo:
            undo.enter_context(drawn_from(Entropy(seed)))
            if hypothesis is not None:
                undo.enter_context(replaced(hypothesis, "global_force_seed", seed))
            yield

    @contextmanager
    def held_at_import(self) -> Iterator[None]:
        """Seed all generators for the import of the suite; one that the project seeds there itself is spared later."""
        seed = seeds.derive(self.seed, "import")
        for generator in generators():
            generator.seed(seed)
        with standing({**STAND_INS, **AT_IMPORT}), drawn_from(Entropy(seed)):
            yield


class Entropy:
    """Bytes that follow from a seed; in each process that is forked meanwhile, others: two never draw alike."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pid, self.bytes = _getpid(), random.Random(seed).randbytes

    def __call__(self, size: int, /) -> bytes:
        """Give some."""
        pid = _getpid()
        if pid != self.pid:
            self.pid, self.bytes = pid, random.Random(seeds.derive(self.seed, "fork", str(pid))).randbytes
        return self.bytes(size)


_getpid = os.getpid  # held on to: a test may replace it
_entropy: Entropy | None = None
"""Where what the operating system would give comes from; None where it is the system itself."""


@contextmanager
def drawn_from(entropy: Entropy) -> Iterator[None]:
    """Let what stands in for the operating system's randomness draw from here, for a while."""
    global _entropy  # noqa: PLW0603 - one test runs at a time
    before, _entropy = _entropy, entropy
    try:
        yield
    finally:
        _entropy = before


def _drawing(original: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def urandom(size: int, /) -> bytes:
        return original(size) if _entropy is None else _entropy(size)

    return urandom


def _seeding(original: Callable[..., None]) -> Callable[..., None]:
    """Take from the same place what a generator would ask the operating system for."""

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        original(self, int.from_bytes(_entropy(32)) if a is None and _entropy is not None else a, version)

    return seed


def _noting(original: Callable[..., None]) -> Callable[..., None]:
    def seed(a: Any = None, version: int = 2) -> None:
        if a is not None:
            spared.add("random")
        original(a, version)

    return seed


STAND_INS: Mapping[str, Maker] = {"os:urandom": _drawing, "random:Random.seed": _seeding}
AT_IMPORT: Mapping[str, Maker] = {"random:seed": _noting}


def own_hypothesis(tests: Iterable[object], stretch: float) -> None:
    """Make Hypothesis draw from the seed it is given, or anew: no database, no fixed draws even where CI is set.

    Args:
        tests: pytest's items.
        stretch: by how much deadlines are stretched, 1 or more.
    """
    core = sys.modules.get("hypothesis.core")
    if core is None:
        return
    from hypothesis import settings

    _keep_no_examples()
    threadlocal = getattr(core, "threadlocal", None)
    if threadlocal is not None:
        threadlocal._hypothesis_global_random = random.Random()  # noqa: SLF001 - it has no public way to be renewed
    else:
        core._hypothesis_global_random = random.Random()  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    for item in tests:
        test = getattr(item, "obj", None)
        test = getattr(test, "__func__", test)
        given = getattr(test, "_hypothesis_internal_use_settings", None)
        if given is not None and getattr(test, "is_hypothesis_test", False):
            deadline = None if given.deadline is None else given.deadline * stretch
            free = settings(given, database=None, derandomize=False, print_blob=True, deadline=deadline)
            test._hypothesis_internal_use_settings = free  # type: ignore[union-attr]  # noqa: SLF001 - as above


def _keep_no_examples() -> None:
    """Let Hypothesis' own folder be, for tests too that only make their properties as they run."""
    kind: Any = sys.modules["hypothesis.database"].DirectoryBasedExampleDatabase
    if hasattr(kind, KEEPS_NONE):
        return
    setattr(kind, KEEPS_NONE, True)
    for name, instead in {"save": None, "move": None, "delete": None, "fetch": ()}.items():
        setattr(kind, name, _elsewhere_only(getattr(kind, name), instead))


KEEPS_NONE = "_flakehunt_keeps_none"


def _elsewhere_only(original: Callable[..., Any], instead: Any) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any, *args: Any) -> Any:
        return instead if ".hypothesis" in str(self.path) else original(self, *args)

    return method


class Seeds(Seeding):
    """Random numbers of ``random``, numpy, torch, the operating system, Hypothesis, and what makes up test data."""

    name = "random"
    sources = frozenset({"random"})
    kind = Seed

    @staticmethod
    def idle() -> str:
        """Say that one seed gives other numbers each time, or two seeds the same; empty where it is as it should be."""
        own = random.getstate()
        try:
            first, again, other = map(_drawn, (1, 1, 2))
        finally:
            random.setstate(own)
        return "" if first == again != other else "numbers do not follow from the seed"


def _drawn(seed: int) -> tuple[float, bytes]:
    """Draw from Python's generator and from the operating system as a test would, other libraries left alone."""
    with Seed(seed).held(), drawn_from(Entropy(seed)):
        random.seed(seed)
        return random.random(), os.urandom(8)
