"""Which zygote may run what, and on which machine."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.model import Isolation
from pytest_flakehunt.model.plans import Draft, environment, read_plan
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.pool.slots import Job, Slots, suits
from pytest_flakehunt.pool.sweep import Ongoing
from pytest_flakehunt.zygote import wire
from pytest_flakehunt.zygote.host import Here, Origin


def a_link(**changed: Any) -> Any:
    usual = {
        "environment": {"PYTHONHASHSEED": "7"}, "bound": False, "used": True, "early": "", "watching": False, "interpreter": "",
    }  # fmt: skip
    return SimpleNamespace(**{**usual, **changed})


@pytest.mark.parametrize(
    ("plan", "changed", "fits"),
    [
        ("", {}, True),
        ("hashseed=7", {}, True),
        ("hashseed=8", {}, False),
        ("hashseed=7", {"bound": True}, True),
        ("", {"bound": True}, False),
        ("gc=eager", {"bound": True}, False),
    ],
)
def test_what_says_no_hash_seed_is_not_run_where_one_is_on_trial(
    plan: str, changed: dict[str, Any], fits: bool
) -> None:
    held = read_plan(plan, registry())
    assert suits(a_link(**changed), Job(Draft(1, held)), environment(held)) is fits


def test_a_fresh_interpreter_is_used_once_and_one_of_several_is_that_one() -> None:
    calm = environment(read_plan("", registry()))
    assert not suits(a_link(), Job(Draft(1), isolation=Isolation.FRESH), calm)
    assert suits(a_link(used=False), Job(Draft(1), isolation=Isolation.FRESH), calm)
    assert not suits(a_link(), Job(Draft(1), interpreter="None 3"), calm)
    assert suits(a_link(interpreter="None 3"), Job(Draft(1), interpreter="None 3"), calm)


class AHost(Here):
    """A machine that starts nothing, and says what it was to start."""

    def __init__(self, where: str = "") -> None:
        super().__init__()
        self.name = self.at = where
        self.started: list[tuple[str, list[str]]] = []

    @property
    def where(self) -> str:
        return self.at

    def start(self, origin: Origin, environment: Mapping[str, str], scratch: Path) -> Any:
        self.started.append((environment["PYTHONHASHSEED"], []))
        return SimpleNamespace(send=self.hear, answers=None, status=None)

    def hear(self, data: bytes) -> None:
        birth = wire.decode(data)
        assert isinstance(birth, wire.Birth)
        self.started[-1][1].extend(birth.hidden)


def some_slots(scratch: Path, *hosts: AHost) -> Slots:
    def worker_input(slot: int) -> dict[str, object]:
        return {"workerid": f"gw{slot}", "workercount": 2, "testrunuid": "x"}

    slots = Slots(1, Origin((), "", (), (), {}), worker_input, hashseeds=True, tests=list, hosts=hosts)
    slots.scratch = scratch
    return slots


def test_what_is_left_of_a_sweep_goes_on_under_the_hash_seed_that_it_has_pinned(tmp_path: Path) -> None:
    host = AHost()
    slots = some_slots(tmp_path, host)
    (slot,) = slots.at_work(1)
    job = Job(Draft(1))
    slots.supply(slot, job)
    pinned = read_plan(f"hashseed={host.started[0][0]}", registry())
    slot.ongoing = Ongoing(job.draft, pinned, [[0]], Isolation.FORK, wire.NO_STUDY, tmp_path)
    slot.link = None  # its zygote has ended
    slots.supply(slot, job)
    assert host.started == [(str(pinned.setting("hashseed")), ["PYTHONHASHSEED"])] * 2


def test_slots_on_machines_that_are_lost_are_given_no_work(tmp_path: Path) -> None:
    here, there = AHost("a"), AHost("b")
    slots = some_slots(tmp_path, there, here, there)
    assert [slot.index for slot in slots.at_work(3)] == [0, 1, 2]
    there.lost = "it burnt down"
    assert [slot.index for slot in slots.at_work(3)] == [1]
    here.lost = "so did this"
    assert slots.at_work(3) == []


def test_runs_that_must_meet_are_on_one_machine(tmp_path: Path) -> None:
    here, there, same = AHost("a"), AHost("b"), AHost("a")
    slots = some_slots(tmp_path, there, here, same)
    assert [slot.host for slot in slots.at_work(3, together=True)] == [there, there]
    slots = some_slots(tmp_path, here, there, same)
    assert [slot.host for slot in slots.at_work(3, together=True)] == [here, same]
