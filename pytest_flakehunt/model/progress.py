"""How far a hunt is, for whoever watches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the hunt has come."""

    done: int
    total: int | None
    elapsed: float
    left: float | None
    """Seconds to go, as far as can be told."""
    found: int
    """Tests that failed at least once."""
    under_way: tuple[str, ...]
    """Plans of the sweeps that run now."""
    doing: str = ""
    """What is done after the survey, whose runs are counted then; empty while it goes on."""
