"""Which sweeps of a survey each shard runs: dealt by kind, so that all shards have alike and any may be lost."""

from collections.abc import Sequence

from pytest_flakehunt.ground import seeds
from pytest_flakehunt.model import Shard
from pytest_flakehunt.model.plans import Draft


def dealt(drafts: Sequence[Draft], shard: Shard, seed: int) -> list[Draft]:
    """Give the sweeps of one shard: a calm one of its own first, and its share of all others.

    The sweeps are laid out by kind (calm, one perturbation by name, several)
    and dealt in rounds: of each round every shard gets one, which of them is
    drawn anew. So shards differ by one or two sweeps of a kind at most, no
    shard has every second turn of a perturbation whose settings come in turn,
    and who has what depends on nothing that a sweep shows.

    Args:
        drafts: all of them, by number; the first is the calm one that each shard runs.
        shard: which is wanted.
        seed: the hunt's.
    """
    first, *rest = drafts
    laid = sorted(rest, key=lambda draft: (_kind(draft), draft.number))
    mine = [first]
    for start in range(0, len(laid), shard.count):
        turns = seeds.keyed_order(range(1, shard.count + 1), seeds.derive(seed, "shards", str(start)), str)
        mine += (
            draft for turn, draft in zip(turns, laid[start : start + shard.count], strict=False) if turn == shard.index
        )
    return sorted(mine, key=lambda draft: draft.number)


def _kind(draft: Draft) -> tuple[int, str]:
    if draft.lone:
        return 1, draft.focus[0]
    return (2, "") if draft.plan.settings else (0, "")
