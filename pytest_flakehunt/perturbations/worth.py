"""What a sweep for each perturbation is worth: how often it is drawn, against the others."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pytest_flakehunt.model import Perturbation


class Worth(NamedTuple):
    """How often a perturbation is drawn, and why."""

    weight: float
    """Against those of others; 1 where nothing is known."""
    why: str
    """What in the field speaks for it, with the source."""


WORTH: Mapping[str, Worth] = {
    "order": Worth(
        6,
        "59 % of the flaky tests of 22,352 Python projects depend on it (Gruber et al.), and 1,126 of the 1,618 in "
        "IDoFT; on 35 real projects reversed order found 29 tests a minute, alone 10, shuffled 6, plain reruns 0.2",
    ),
    "clock": Worth(3, "many narrow windows: each instant meets other mistakes, and nothing else meets them"),
    "repeat": Worth(2, "160 of the 1,618 in IDoFT cannot run twice; on 35 real projects it found 11 tests a minute"),
    "latency": Worth(
        2, "28 % of Gruber's wait for something outside; on real projects it found few, which nothing else did"
    ),
    "timezone": Worth(2, "one zone shows one kind of mistake: several are needed"),
    "threads": Worth(
        2,
        "an unlocked change fails 0 of 300 times by itself and 299 of 300 under it; each seed meets another race",
    ),
    "ports": Worth(0.5, "stress: it makes a rare race certain, in tests that look for free ports"),
    "fds": Worth(0.5, "stress: it shows who leaves descriptors open, or hands them to select"),
    "random": Worth(0.5, "every sweep that is not calm has a seed of its own: one for it alone shows no more"),
    "hashseed": Worth(0.5, "every interpreter has a seed of its own: a sweep for it alone shows no more"),
}
"""By perturbation, where the field says more than nothing.

M. Gruber et al., 'An Empirical Study of Flaky Tests in Python', ICST 2021;
IDoFT, the International Dataset of Flaky Tests; our own figures are in the
design of this project and in ``benchmarks/``.
"""
UNKNOWN = Worth(1, "nothing is known that speaks for more")


def worth(name: str) -> Worth:
    """Give what a perturbation is worth; those of other plugins count as unknown."""
    return WORTH.get(name, UNKNOWN)


def weights(active: Iterable[Perturbation], given: Mapping[str, float]) -> dict[str, float]:
    """Give the weight of each perturbation in use.

    Args:
        active: the perturbations in use.
        given: weights that take the place of the field's, by name.
    """
    return {item.name: given.get(item.name, worth(item.name).weight) for item in active}
