"""What was tried at each revision, and what is kept of it."""

import contextlib
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from pytest_flakehunt.bisecting.refusal import CannotBisect
from pytest_flakehunt.bisecting.search import Judged
from pytest_flakehunt.ground.project import own_folder

PATIENCE = 2
"""How many times the passes that are wanted may be run, where some runs fail otherwise."""


class Kind(NamedTuple):
    """Failures of one kind."""

    failures: int
    how: str


@dataclass(frozen=True, slots=True)
class Tried:
    """All runs of the test at one revision."""

    runs: int = 0
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """By fingerprint."""
    why_not: str = ""
    """Why it could not be run."""

    def failures(self, fingerprint: str) -> int:
        """Give how often it failed as it is searched for."""
        return self.kinds[fingerprint].failures if fingerprint in self.kinds else 0

    @property
    def passes(self) -> int:
        """How often it passed."""
        return self.runs - sum(kind.failures for kind in self.kinds.values())

    def joined(self, more: "Tried") -> "Tried":
        """Give the two together."""
        kinds = {name: Kind(self.failures(name) + kind.failures, kind.how) for name, kind in more.kinds.items()}
        return Tried(self.runs + more.runs, {**self.kinds, **kinds}, more.why_not)

    def judged(self, fingerprint: str, wanted: int) -> Judged | None:
        """Judge the revision; None where more runs are needed.

        Args:
            fingerprint: of the failure that is searched for.
            wanted: passes that it takes to be called good.
        """
        if self.failures(fingerprint):
            return Judged.BAD
        if self.why_not:
            return Judged.SKIPPED
        if self.passes >= wanted:
            return Judged.GOOD
        hopeless = self.runs and not self.passes
        return Judged.SKIPPED if hopeless or self.runs >= PATIENCE * wanted else None

    @property
    def otherwise(self) -> str:
        """How it failed most."""
        return max(self.kinds.values(), key=lambda kind: kind.failures).how if self.kinds else ""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Read what was kept."""
        kinds = {str(name): Kind(int(failures), str(how)) for name, (failures, how) in said["kinds"].items()}
        return cls(int(said["runs"]), kinds, str(said["why_not"]))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is run at a revision: results are used again where all of it is the same."""

    test: str
    plan: str = ""
    """In written form; empty is calm."""
    after: tuple[str, ...] = ()
    """Tests that run before it in the same process."""
    fresh: bool = False
    """Whether every run needs an interpreter of its own."""
    folder: str = ""
    """Where pytest is called, as seen from the root of the repository."""
    prepare: tuple[str, ...] = ()
    """Commands that are run in the work tree before."""
    python: str = ""
    """The interpreter."""
    more: tuple[str, ...] = ()
    """Options of pytest."""

    @property
    def digest(self) -> str:
        """Its name on the disk."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Notes:
    """What is kept of a search, so that one that was ended goes on: a file of JSON beside the ledger."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        """Read what there is.

        Args:
            folder: that ledgers are kept in.
            wanted: what is run.
        """
        self.path = folder / f"bisect-{wanted.digest}.json"
        self._wanted = wanted
        self.tries: dict[str, Tried] = {}
        self.tree = ""
        """The work tree of a search that has not ended in order."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            said = json.loads(self.path.read_text("utf-8"))
            self.tree = str(said["tree"])
            self.tries = {str(name): Tried.read(one) for name, one in said["revisions"].items()}

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold them for one search alone: another one would take its work tree for one that was left."""
        own_folder(self.path.parent)
        with self.path.with_suffix(".lock").open("w") as lock:
            with contextlib.suppress(ImportError):  # Windows
                import fcntl

                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise CannotBisect("the same search is running already: wait for it, or end it first") from None
            yield

    def keep(self, revision: str, tried: Tried) -> None:
        """Keep what was tried at a revision."""
        self.tries[revision] = tried
        self.write()

    def write(self) -> None:
        """Write all of it."""
        own_folder(self.path.parent)
        said = {
            "wanted": asdict(self._wanted),
            "tree": self.tree,
            "revisions": {name: asdict(tried) for name, tried in self.tries.items()},
        }
        draft = self.path.with_name(f".{secrets.token_hex(8)}.part")
        draft.write_text(json.dumps(said, indent=1), "utf-8")
        draft.replace(self.path)
