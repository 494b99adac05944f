"""The sources of nondeterminism we control: one file each, and the list of them."""

from collections.abc import Iterable, Mapping

from pytest_flakehunt.model import Perturbation
from pytest_flakehunt.perturbations import (
    clock,
    cores,
    environ,
    eventloop,
    fds,
    gc,
    hashseed,
    heap,
    latency,
    listdir,
    load,
    locale,
    network,
    order,
    pieces,
    ports,
    random,
    repeat,
    resolution,
    rows,
    threads,
    timezone,
)

OURS: tuple[Perturbation, ...] = (
    order.Orders(),
    repeat.Repeats(),
    clock.Clocks(),
    random.Seeds(),
    hashseed.HashSeeds(),
    latency.Latencies(),
    cores.CoreCounts(),
    timezone.Zones(),
    gc.Collectors(),
    threads.Switchings(),
    eventloop.Schedulings(),
    network.Networks(),
    pieces.Piecemeal(),
    environ.Differences(),
    ports.Losses(),
    listdir.Listings(),
    rows.Orders(),
    resolution.Resolutions(),
    locale.Locales(),
    load.Loads(),
    fds.Limits(),
    heap.Heaps(),
)
"""Of those with equal weights the first one here is drawn first: see ``worth``."""


def registry(more: Iterable[Perturbation] = ()) -> Mapping[str, Perturbation]:
    """Give every perturbation by name, ours first.

    Args:
        more: perturbations of other plugins; one that bears the name of an
            earlier one takes its place.
    """
    return {perturbation.name: perturbation for perturbation in (*OURS, *more)}
