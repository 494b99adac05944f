"""Bounds on the rate at which a test fails, and the runs that a rate asks for."""

from math import ceil, log, log1p
from statistics import NormalDist

from pytest_flakehunt.model import Interval


def wilson(failures: int, runs: int, *, confidence: float = 0.95) -> Interval:
    """Bound the chance that one run fails, by the score interval.

    It keeps within [0, 1] and near its nominal coverage where failures are
    few, which is where flaky tests live.

    Args:
        failures: runs that failed, from 0 to ``runs``.
        runs: independent runs, at least 1: sweeps, never reruns within one process.
        confidence: two-sided, strictly between 0 and 1.

    Raises:
        ValueError: an argument is outside its range.
    Source:
        E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212. The example is
        from R. G. Newcombe, Stat. Med. 17 (1998) 857-872, table I, method 3.

    >>> low, high = wilson(81, 263)
    >>> f"{low:.4f} to {high:.4f}"
    '0.2553 to 0.3662'
    """
    _check(failures, runs, confidence)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = failures / runs
    centre = share + z * z / (2 * runs)
    spread = z * (share * (1 - share) / runs + z * z / (4 * runs * runs)) ** 0.5
    scale = 1 + z * z / runs
    return Interval(max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def exact_bound(runs: int, *, confidence: float = 0.95) -> float:
    """Bound from above the chance that one run fails, after runs of which none failed.

    Args:
        runs: independent runs, at least 1.
        confidence: two-sided, strictly between 0 and 1.
    Source:
        C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404-413, whose
        bound has this closed form where nothing failed.

    >>> f"{exact_bound(1000):.4%}"
    '0.3682%'
    """
    _check(0, runs, confidence)
    return float(1 - ((1 - confidence) / 2) ** (1 / runs))


def rate(failures: int, runs: int) -> Interval:
    """Give the interval that reports show: exact where all or none failed, Wilson's between; 95 %.

    Nothing is known after no runs:

    >>> rate(0, 0)
    Interval(low=0.0, high=1.0)
    """
    if not runs:
        return Interval(0.0, 1.0)
    if not failures:
        return Interval(0.0, exact_bound(runs))
    if failures == runs:
        return Interval(1 - exact_bound(runs), 1.0)
    return wilson(failures, runs)


def passes(rate: float, error: float) -> int:
    """Give how many independent passes in a row leave no more than an error for a test that fails at a rate.

    Args:
        rate: at which it fails, above 0, at most 1.
        error: the chance that it passes them all nevertheless, strictly between 0 and 1.

    Raises:
        ValueError: an argument is outside its range.

    >>> passes(0.5, 0.05), passes(0.01, 0.05), passes(1.0, 0.05)
    (5, 299, 1)
    """
    if not 0 < rate <= 1 or not 0 < error < 1:
        raise ValueError(f"rate {rate}, error {error}: give a rate above 0, at most 1, and an error between 0 and 1")
    return max(1, ceil(log(error) / log1p(-rate))) if rate < 1 else 1


def _check(failures: int, runs: int, confidence: float) -> None:
    if runs < 1 or not 0 <= failures <= runs:
        raise ValueError(f"{failures} failures of {runs} runs: give at least 1 run, and 0 failures up to all")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence}: give a number strictly between 0 and 1")
