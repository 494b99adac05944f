"""Which sweeps each shard runs: none twice, none left out, and of every kind as many as the others."""

from collections import Counter

import pytest

from pytest_flakehunt.model import Shard
from pytest_flakehunt.model.plans import Draft
from pytest_flakehunt.perturbations import OURS
from pytest_flakehunt.perturbations.worth import weights
from pytest_flakehunt.survey.schedule import Schedule, for_survey

FIELD = weights(OURS, {})


def drafts(schedule: Schedule) -> dict[int, Draft]:
    found = {}
    while (draft := schedule.next()) is not None:
        found[draft.number] = draft
    return found


def shards(seed: int, sweeps: int, count: int) -> list[dict[int, Draft]]:
    return [drafts(for_survey(seed, sweeps, OURS, FIELD, Shard(index, count))) for index in range(1, count + 1)]


@pytest.mark.parametrize(("sweeps", "count"), [(20, 8), (200, 2), (200, 4), (200, 7), (3, 8)])
def test_every_sweep_but_the_first_is_run_by_one_shard_as_the_whole_hunt_would_run_it(sweeps: int, count: int) -> None:
    whole = drafts(for_survey(5, sweeps, OURS, FIELD))
    parts = shards(5, sweeps, count)
    assert all(part[0] == whole[0] for part in parts)
    rest = [number for part in parts for number in part if number]
    assert sorted(rest) == list(range(1, sweeps))
    assert all(part[number] == whole[number] for part in parts for number in part)
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("count", [2, 4, 5, 8])
def test_shards_are_alike(count: int) -> None:
    """The pattern of twenty has its calm sweeps at even places: every second sweep would be a biased half."""
    for seed in range(5):
        parts = [
            Counter(draft.focus if len(draft.focus) < 2 else ("several",) for draft in part.values())
            for part in shards(seed, 400, count)
        ]
        for kind in {kind for part in parts for kind in part}:
            numbers = [part[kind] for part in parts]
            assert max(numbers) - min(numbers) <= 2, (seed, kind, numbers)


def test_no_shard_has_every_second_turn_of_what_comes_in_turn() -> None:
    """Orders come as reversed, alone, shuffled, and so on: who has which is drawn anew in every round."""
    first = Counter(
        index
        for seed in range(60)
        for index, part in enumerate(shards(seed, 20, 2), start=1)
        if any(str(draft.plan.setting("order")) == "alone" and draft.lone for draft in part.values())
    )
    assert min(first[1], first[2]) > 15


def test_a_shard_starts_interpreters_that_no_other_starts() -> None:
    numbers = [Shard(index, 3).nth(number) for index in (1, 2, 3) for number in range(1, 20)]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("text", ["0/8", "9/8", "2", "2/", "a/b", "-1/3", "1/99999"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Shard.read(text)
