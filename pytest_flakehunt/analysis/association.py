"""How surely failures go together with a perturbation: it nominates suspects, and proves nothing."""

from collections.abc import Sequence
from math import comb

from pytest_flakehunt.model import Count


def stratified(strata: Sequence[tuple[Count, Count]]) -> float:
    """Give the chance of at least so many failures under the perturbation, if it made no difference in any stratum.

    One-sided exact test with the margins of each table held: what differs
    between strata, such as interpreters, neither makes nor hides an
    association.

    Args:
        strata: in each, sweeps with the perturbation, and those that left it alone.

    Returns:
        A probability, above 0 and up to 1.
    Source:
        N. Mantel, J. Am. Stat. Assoc. 58 (1963) 690-700: rabbits that died
        though given penicillin, at once or late; of four doses.

    >>> rabbits = [((5, 5), (6, 6)), ((6, 6), (6, 3)), ((6, 4), (6, 0)), ((6, 0), (6, 1))]
    >>> f"{stratified([(Count(*late), Count(*once)) for late, once in rabbits]):.4f}"
    '0.0200'
    """
    fewest, chances = distribution(strata)
    return min(1.0, sum(chances[sum(present.failures for present, _ in strata) - fewest :]))


def distribution(strata: Sequence[tuple[Count, Count]]) -> tuple[int, list[float]]:
    """Give how failures under the perturbation fall by chance: the fewest there can be, and each number's chance."""
    fewest, totals = 0, [1.0]
    for present, absent in strata:
        least, chances = hypergeometric(present.runs, absent.runs, present.failures + absent.failures)
        fewest += least
        sums = [0.0] * (len(totals) + len(chances) - 1)
        for place, total in enumerate(totals):
            for step, chance in enumerate(chances):
                sums[place + step] += total * chance
        totals = sums
    return fewest, totals


def hypergeometric(present: int, absent: int, failures: int) -> tuple[int, list[float]]:
    """Give how failures of one stratum fall by chance: the fewest there can be, and each number's chance.

    >>> hypergeometric(2, 2, 3)
    (1, [0.5, 0.5])
    """
    fewest, most = max(0, failures - absent), min(present, failures)
    ways = comb(present + absent, failures)
    return fewest, [comb(present, hits) * comb(absent, failures - hits) / ways for hits in range(fewest, most + 1)]


def fisher(present: Count, absent: Count) -> float:
    """Give the chance of at least so many failures under the perturbation, if it made no difference.

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
    return stratified([(present, absent)])


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
