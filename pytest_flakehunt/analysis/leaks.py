"""What a hunt says of leaks: how often each is left behind, and which perturbations bring it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_flakehunt.analysis import association, intervals, verdicts
from pytest_flakehunt.model import TEST, Count, Finding, Leak, Left, Mode, Sighting, Suspect, Sweep


@dataclass(frozen=True, slots=True)
class Seen:
    """One leak, and every sweep that could have shown it."""

    nodeid: str
    """The first test, in the order of collection, that it was told with."""
    leak: Leak
    hits: Sequence[tuple[Sweep, bool]]
    victims: Sequence[str]


def gathered(sightings: Sequence[Sighting], positions: Mapping[str, int]) -> list[list[Sighting]]:
    """Put together what is one leak: a fixture that tests share leaves it behind with whichever comes first.

    Args:
        sightings: of leaks.
        positions: of the tests that there are; what others left, of an earlier process, is left out.
    """
    together: dict[tuple[object, ...], list[Sighting]] = {}
    there = [sighting for sighting in sightings if sighting.nodeid in positions]
    for sighting in sorted(there, key=lambda sighting: positions[sighting.nodeid]):
        leak = sighting.leak
        key = (leak, sighting.nodeid if leak.owner == TEST else "")
        together.setdefault(key, []).append(sighting)
    return list(together.values())


def judge(seen: Sequence[Seen], perturbations: int) -> dict[str, tuple[Left, ...]]:
    """Give what each test leaves behind, with rates, and with suspects where it is not left behind every time.

    Args:
        seen: leaks, and the sweeps that could have shown them.
        perturbations: how many were in use: suspects are corrected once, for all pairs of a leak and a perturbation.
    """
    nominated = [
        (place, suspect)
        for place, one in enumerate(seen)
        if not all(hit for _, hit in one.hits)
        for suspect in verdicts.suspects(one.hits)
    ]
    corrected = association.holm([suspect.p_value for _, suspect in nominated], perturbations * len(seen))
    chosen: dict[int, list[Suspect]] = {}
    for (place, suspect), p_value in zip(nominated, corrected, strict=True):
        if verdicts.oftener(suspect) and p_value < verdicts.STANDS_OUT:
            chosen.setdefault(place, []).append(replace(suspect, p_value=p_value))
    found: dict[str, tuple[Left, ...]] = {}
    for place, one in enumerate(seen):
        total = Count(len(one.hits), sum(hit for _, hit in one.hits))
        rate = intervals.rate(total.failures, total.runs)
        suspects = verdicts.nearest(chosen.get(place, []))
        left = Left(one.leak, total, rate, suspects, tuple(sorted(one.victims)))
        found[one.nodeid] = (*found.get(one.nodeid, ()), left)
    return found


def attached(tests: Sequence[Finding], left: Mapping[str, Sequence[Left]]) -> tuple[Finding, ...]:
    """Add to each test what it leaves behind, and whom that was shown to hurt."""
    modes = {finding.nodeid: finding.modes for finding in tests if finding.modes}
    return tuple(
        replace(
            finding,
            leaks=tuple(
                replace(one, victims=(*one.victims, *_hurt_by(one, finding.nodeid, modes)))
                for one in left.get(finding.nodeid, ())
            ),
        )
        for finding in tests
    )


def _hurt_by(left: Left, nodeid: str, modes: Mapping[str, Sequence[Mode]]) -> tuple[str, ...]:
    """Name the tests that a change was shown to make fail: undoing it was part of the experiment."""
    return tuple(
        victim
        for victim, some in modes.items()
        for mode in some
        if mode.diagnosis is not None
        for found in (mode.diagnosis, *mode.diagnosis.also)
        for cause in found.causes
        if nodeid in cause.polluters
        and any(change.startswith(f"{nodeid} ") and change.endswith(f" {left.leak.what}") for change in cause.changes)
    )
