"""What perturbations are worth in one project: the field's weights, moved by what each found there."""

from collections.abc import Mapping

TRUSTED = 20.0
"""Calm sweeps' worth of time that the field's weights stand for: so much of our own counts as much as they do."""
LEAST, MOST = 0.25, 4.0
"""How far a weight moves from the field's, at most."""


def learned(
    field: Mapping[str, float], seconds: Mapping[str, float], found: Mapping[str, int], calm: float
) -> dict[str, float]:
    """Give weights by what sweeps for each perturbation found for their time.

    The field's weights are taken for rates, in failures found per second, and
    brought up to date with the project's own counts (Gamma and Poisson).

    Args:
        field: weights where nothing is known.
        seconds: that sweeps for each took.
        found: failures that each brought out.
        calm: seconds of a calm sweep, more than 0.

    Returns:
        A weight for each, with two digits after the point.

    >>> learned({"order": 6, "clock": 3}, {"order": 20.0, "clock": 20.0}, {"order": 0, "clock": 9}, calm=1.0)
    {'order': 3.0, 'clock': 6.0}
    """
    sweeps = {name: seconds.get(name, 0.0) / calm for name in field}
    expected = sum(field[name] * sweeps[name] for name in field)
    total = sum(found.get(name, 0) for name in field)
    if not expected or not total:
        return dict(field)
    each = expected / total  # rather than its inverse, which may be infinite
    moved = {}
    for name, weight in field.items():
        own = (weight * TRUSTED + found.get(name, 0) * each) / (TRUSTED + sweeps[name])
        moved[name] = round(min(max(own, LEAST * weight), MOST * weight), 2)
    return moved
