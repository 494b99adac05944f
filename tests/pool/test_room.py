"""How many sweeps go on at once, as far as cores and memory bear it."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from pytest_flakehunt.ground import machine
from pytest_flakehunt.ground.machine import Cores
from pytest_flakehunt.model import Isolation, Plan, Sweep
from pytest_flakehunt.pool.room import Processes, Room

Hunter = Callable[..., Any]
WAITING = """
    import pytest, time

    @pytest.mark.parametrize("number", range(4))
    def test_it_waits(number):
        time.sleep(0.1)
"""
BUSY = Processes(zygote=os.getpid(), sweep=None, at_work=True)
IDLE = Processes(zygote=None, sweep=None, at_work=False)


def a_sweep(seconds: float, cpu: float, memory: int = 0) -> Sweep:
    return Sweep(1, Plan(), (), Isolation.FORK, 1, "", 1, 0.0, seconds, cpu=cpu, memory=memory)


def idle(monkeypatch: pytest.MonkeyPatch, cores: float, stopped: int = 0) -> None:
    """Let so many cores be idle, and a limit stop us so often, between any two looks."""
    looks = iter(Cores(float(moment), cores * moment, stopped * moment) for moment in range(100))
    monkeypatch.setattr(Cores, "now", lambda: next(looks))


def after(room: Room, sweeps: int, seconds: float, cpu: float, left: float = 1000.0, start: float = 1.0) -> str:
    """Give all that is said of so many sweeps."""
    return "".join(room.saw(a_sweep(seconds, cpu), left, start) for _ in range(sweeps))


@pytest.mark.parametrize(
    ("free", "cpu", "extra"),
    [(1.8, 2.0, 6), (1.8, 10.0, 1), (0.1, 9.5, 0), (0.0, 2.0, 0), (1.0, 4.0, 1)],
    ids=["it waits", "it computes", "the cores are busy", "others keep the cores busy", "one core is free"],
)
def test_where_cores_are_idle_there_are_more_sweeps_at_once(
    monkeypatch: pytest.MonkeyPatch, free: float, cpu: float, extra: int
) -> None:
    idle(monkeypatch, free)
    room = Room(2, grows=True)
    said = after(room, 4, 10.0, cpu)
    assert (room.extra, bool(said)) == (extra, bool(extra))
    if extra:
        assert f": {2 + extra} sweeps at a time from here on instead of 2; -n 2 keeps it at that" in said


def test_no_more_where_a_number_was_named_a_limit_stops_us_or_it_does_not_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    idle(monkeypatch, 1.8)
    asked, few, slow = Room(2), Room(2, grows=True), Room(2, grows=True)
    assert not after(asked, 20, 10.0, 1.0)
    assert not after(few, 20, 10.0, 1.0, left=0.5)
    assert not after(slow, 20, 0.1, 0.01, left=40, start=2.0)
    idle(monkeypatch, 1.8, stopped=1)
    assert not after(Room(2, grows=True), 20, 10.0, 1.0)


def test_no_more_are_started_than_end_the_survey_soonest(monkeypatch: pytest.MonkeyPatch) -> None:
    idle(monkeypatch, 1.8)
    extra = []
    for left in (6, 10, 20, 100):
        room = Room(2, grows=True)
        after(room, 4, 1.0, 0.03, left=left, start=1.0)
        extra.append(room.extra)
    assert extra == [2, 3, 4, 6]


def test_where_sweeps_take_longer_beside_so_many_there_are_fewer_again(monkeypatch: pytest.MonkeyPatch) -> None:
    idle(monkeypatch, 1.8)
    room = Room(2, grows=True)
    assert after(room, 4, 10.0, 1.0)
    assert not after(room, 16, 14.0, 1.0)
    assert "2 sweeps at a time again: with 8 each took 1.6 times as long" in after(room, 16, 16.0, 1.0)
    assert not after(room, 100, 10.0, 1.0)
    assert room.extra == 0


def test_what_others_were_promised_is_counted_as_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(4)
    room.expect(1000)
    monkeypatch.setattr(machine, "available_memory", lambda: 6000)
    monkeypatch.setattr(machine, "resident", lambda _: 900)
    assert room.bears(IDLE, [BUSY])  # it takes 2000, and the other one may take 1100 yet
    assert not room.bears(IDLE, [BUSY] * 4)
    assert room.bears(IDLE, [IDLE] * 4)
    room.saw(a_sweep(1.0, 1.0, memory=5000), 10, 1.0)
    assert not room.bears(IDLE, [BUSY])
    assert "sweeps wait for memory: each takes up to 0.0 GB" in room.cramped()
    assert not room.cramped()


def test_the_machine_is_looked_at() -> None:
    before = Cores.now()
    time.sleep(0.2)
    assert 0 <= Cores.now().idle_since(before) <= (os.cpu_count() or 1) + 0.5
    assert 10**6 < machine.resident(os.getpid()) < machine.available_memory()


@pytest.mark.thorough
def test_a_suite_that_waits_has_more_sweeps_than_cores_and_loses_none(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(WAITING)
    pytester.makeconftest(
        """
        from pytest_flakehunt.ground.machine import Cores
        from pytest_flakehunt.pool import room
        room.lasts = lambda work, workers, more, start, idle: 1 / (1 + more)  # however slowly interpreters start here
        moments = iter(range(1000))
        Cores.now = classmethod(lambda cls: cls(moment := float(next(moments)), moment * 2, 0))
        """
    )
    hunted = hunt("--flakehunt-only=order", sweeps=60)
    assert "sweeps at a time from here on instead of" in hunted.result.stdout.str()
    with closing(sqlite3.connect(pytester.path / ".flakehunt/ledger.sqlite")) as db:
        numbers = [number for (number,) in db.execute("SELECT number FROM sweeps ORDER BY number")]
        ((most, memory, cpu),) = db.execute("SELECT max(neighbours), min(memory), sum(cpu) FROM sweeps")
    assert numbers[:60] == list(range(60))
    assert most >= 2
    assert memory > 10**7
    assert 0 < cpu < 60 * 4 * 0.1
    assert set(hunted.verdicts.values()) == {"steady"}


def test_where_memory_is_scarce_one_sweep_goes_on_at_a_time(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(WAITING)
    pytester.makeconftest("from pytest_flakehunt.ground import machine\nmachine.available_memory = lambda: 1000")
    hunted = hunt("--flakehunt-only=order", "-n2", sweeps=6)
    assert "sweeps wait for memory" in hunted.result.stdout.str()
    with closing(sqlite3.connect(pytester.path / ".flakehunt/ledger.sqlite")) as db:
        assert db.execute("SELECT max(neighbours) FROM sweeps").fetchone() == (0,)
