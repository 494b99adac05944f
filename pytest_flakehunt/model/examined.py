"""What a hunt would meet on a machine, with a suite."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Examined:
    """What was seen so far, as the suite was imported for once."""

    rootdir: str = ""
    ended: str = ""
    """The exit status of a pytest that ended before it had collected; empty where it had."""
    tests: int = 0
    seconds: float = 0.0
    """From the start of the interpreter until the suite was collected."""
    workers: int = 1
    """Zygotes at work at once."""
    hindrance: str = ""
    """What speaks against forks; empty where nothing does."""
    certain: bool = False
    """Whether forks are known to be unsafe; otherwise a hunt tries them."""
    acting: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """Those of them that were tried, and seen to act."""
    stand_down: dict[str, str] = field(default_factory=dict)
    """Perturbations that cannot be held here, each with the reason."""
    left_out: list[str] = field(default_factory=list)
    """Perturbations that the user leaves out."""
    plugins: list[tuple[str, str, str]] = field(default_factory=list)
    """Distribution, version, and what becomes of it in a hunt; empty where nothing does."""
    switched_off: list[str] = field(default_factory=list)
    """What of theirs is in use, and is not in a hunt."""
    ledger: str = ""
    hunts: int | None = None
    """That the ledger has; None where there is no ledger that can be read."""
    format: int = 0
    bytes: int = 0
    quarantine: str = ""
    entries: int | None = None
    """Of the quarantine file; None where there is none that can be read."""
    expired: int = 0
    wrong: list[str] = field(default_factory=list)
    """What would keep a hunt from working as asked."""
