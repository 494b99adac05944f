"""How surely failures go together with a perturbation: it nominates suspects, and proves nothing."""

from collections.abc import Sequence
from math import comb

from pytest_flakehunt.model import Count


def fisher(present: Count, absent: Count) -> float:
    """Give the chance of at least so many failures under the perturbation, if it made no difference.

    One-sided exact test, with the margins of the table held.

    Args:
        present: sweeps with the perturbation.
        absent: sweeps that left it alone.

    Returns:
        A probability, above 0 and up to 1.
    Source:
        R. A. Fisher, The Design of Experiments (1935), section 12: of eight
        cups of tea, a lady picks the four right ones.

    >>> f"{fisher(Count(4, 4), Count(4, 0)):.4f}"
    '0.0143'
    """
    runs, failures = present.runs + absent.runs, present.failures + absent.failures
    at_most = min(present.runs, failures)
    ways = sum(
        comb(present.runs, hits) * comb(absent.runs, failures - hits) for hits in range(present.failures, at_most + 1)
    )
    return ways / comb(runs, failures)


def holm(p_values: Sequence[float], family: int = 0) -> list[float]:
    """Correct p-values for having been many, so that the chance of any false one stays bounded.

    Args:
        p_values: each from 0 to 1.
        family: how many there were to begin with, where those left out are 1.

    Returns:
        The corrected values, in the same order.
    Source:
        S. Holm, Scand. J. Stat. 6 (1979) 65-70.

    >>> holm([0.01, 0.04, 0.03, 0.005])
    [0.03, 0.06, 0.06, 0.02]
    """
    corrected = [1.0] * len(p_values)
    many = max(family, len(p_values))
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (many - rank) * p_values[place]))
        corrected[place] = highest
    return corrected
