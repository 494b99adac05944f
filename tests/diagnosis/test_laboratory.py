"""Whole hunts with their diagnosis: each cause is named, and nothing is named that has none."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SCHEMA = Path(__file__).parents[2] / "pytest_flakehunt" / "reports" / "schema.json"
Hunter = Callable[..., Any]
pytestmark = pytest.mark.thorough


def test_orders_are_named_with_who_and_what(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import os
        FLAGS, PAIR = {}, set()
        def test_victim(): assert "colour" not in FLAGS
        def test_victim_of_two(): assert len(PAIR) < 2
        def test_cleans(): FLAGS.clear()
        def test_first(): PAIR.add(1)
        def test_pollutes(): FLAGS["colour"] = "red"
        def test_second(): PAIR.add(2)
        def test_sets(): os.environ["SET_HERE"] = "1"
        def test_brittle(): assert "SET_HERE" in os.environ
        def test_crashes(): os._exit(3)
        """
    )
    found = hunt("--flakehunt-only=order", sweeps=12, diagnose=600)
    jsonschema.validate(found.report, json.loads(SCHEMA.read_text("utf-8")))
    (victim,) = found.mode("test_victim")["causes"]
    assert (victim["perturbation"], victim["polluters"]) == ("order", ["test_it.py::test_pollutes"])
    assert victim["cleaners"] == ["test_it.py::test_cleans"]
    assert victim["changes"] == ["test_it.py::test_pollutes sets test_it.FLAGS['colour']"]
    (of_two,) = found.mode("test_victim_of_two")["causes"]
    assert of_two["cleaners"] == []  # what comes after a crash starts clean
    assert set(of_two["polluters"]) == {"test_it.py::test_first", "test_it.py::test_second"}
    (brittle,) = found.mode("test_brittle")["causes"]
    assert brittle["setters"] == ["test_it.py::test_sets"]
    assert brittle["changes"] == ["test_it.py::test_sets sets os.environ['SET_HERE']"]
    assert brittle["with"] == {"runs": 5, "failures": 5}
    assert brittle["without"] == {"runs": 5, "failures": 0}
    repro = found.mode("test_victim")["repro"]
    assert " -m pytest test_it.py::test_pollutes test_it.py::test_victim" in repro
    verified, control = (found.mode("test_victim")[name] for name in ("verified", "control"))
    assert verified["failures"] == verified["runs"] == control["runs"] >= 3
    assert control["failures"] == 0
    found.result.stdout.fnmatch_lines(
        [f"  verified: fails {verified['runs']}/{verified['runs']}; without it 0/{control['runs']}"]
    )
    found.result.stdout.fnmatch_lines(["*cause: order: it is the victim of test_it.py::test_pollutes: *"])


@pytest.mark.thorough
def test_moments_are_named_in_words_and_with_their_lines(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import datetime
        def test_next_year():
            today = datetime.date.today()
            today.replace(year=today.year + 1)
        def test_far_east():
            now = datetime.datetime.now()
            utc = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
            assert now.month != 2 or now.day != 29 or abs(now - utc) < datetime.timedelta(hours=13)
        """
    )
    found = hunt("--flakehunt-only=clock,random", sweeps=20, diagnose=300)
    mode = found.mode("test_next_year")
    assert [cause["sentence"] for cause in mode["causes"]] == ["fails on 29 February"]
    assert mode["plan"] == "clock=2028-02-29T12:00:00"
    assert mode["places"] == ["test_it.py:3 calls date.today()"]
    assert found.verdicts["test_far_east"] == "steady"


def test_where_a_failing_and_a_passing_attempt_go_apart_is_told(pytester: pytest.Pytester, hunt: Hunter) -> None:
    token = "ghp_" + "a1B2" * 9
    pytester.makepyfile(
        shop=f"""
        import pathlib, datetime
        class Order:
            def __repr__(self):
                pathlib.Path("touched").touch()
                return ""
        def due(order):
            token = "{token}" + datetime.date.today().strftime("%m")
            today = datetime.date.today()
            if today.day == 29 and today.month == 2:
                return None
            return order
        """,
        test_it="""
        import random, shop
        def test_due():
            order = shop.Order()
            random.random()
            kept = shop.due(order) is not None
            assert kept
        """,
    )
    found = hunt("--flakehunt-only=clock,random", sweeps=20, diagnose=300)
    jsonschema.validate(found.report, json.loads(SCHEMA.read_text("utf-8")))
    mode = found.mode("test_due")
    assert [cause["sentence"] for cause in mode["causes"]] == ["fails on 29 February"]
    parting = mode["parting"]
    at = parting["at"]
    assert (at["where"], at["text"]) == ("shop.py:9", "if today.day == 29 and today.month == 2:")
    assert at["failing"] == ["today=2028-02-29"]
    assert at["passing"][0].startswith("today=20")
    assert (parting["failing"], parting["passing"]) == ("goes on at shop.py:10", "goes on at shop.py:11")
    assert parting["first"]["where"] == "shop.py:8"
    assert parting["first"]["failing"] == ["token='***'"]
    assert not (pytester.path / "touched").exists()
    found.result.stdout.fnmatch_lines(
        ["  a failing and a passing run part at shop.py:9 (if today.day == 29 and today.month == 2:): fails with *"]
    )


@pytest.mark.thorough
def test_what_varies_by_itself_is_pinned(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import random
        DRAWN = random.random()
        def test_draws(): assert random.random() < 0.5
        def test_import(): assert DRAWN < 0.5
        def test_sound(): pass
        """
    )
    found = hunt("--flakehunt-only=random,hashseed", "-n2", sweeps=60, diagnose=600)
    named = {
        name: [cause["perturbation"] for mode in test["modes"] for cause in mode["causes"]]
        for name, test in found.tests.items()
        if test["verdict"] != "steady"
    }
    right = {"test_draws": ["random"], "test_import": ["import"]}
    assert all(causes in (right[name], []) for name, causes in named.items())  # by chance one stays unknown
    assert right["test_draws"] in named.values() or right["test_import"] in named.values()
    assert found.report["hunt"]["experiments"] > 100


MANY_VICTIMS = """
import pytest
STATE = set()
@pytest.mark.parametrize("n", range(3))
def test_victim(n): assert n not in STATE
@pytest.mark.parametrize("n", range(3))
def test_bystander(n): pass
@pytest.mark.parametrize("n", range(3))
def test_pollutes(n): STATE.add(n)
"""


def made(*columns: str) -> list[tuple[Any, ...]]:
    """Read the runs of experiments from the ledger."""
    with closing(sqlite3.connect(next(Path(".flakehunt").glob("*.sqlite")))) as db:
        return db.execute(f"SELECT {', '.join(columns)} FROM sweeps WHERE purpose = 'diagnosis'").fetchall()


def test_what_a_suite_reads_of_the_zone_as_it_is_imported_is_no_flakiness(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makepyfile(
        test_it="""
        import time
        OFFSET = time.localtime(0).tm_gmtoff
        def test_it(): assert time.localtime(0).tm_gmtoff == OFFSET
        """
    )
    found = hunt("--flakehunt-only=timezone", sweeps=6, diagnose=200)
    assert found.verdicts == {"test_it": "steady"}


def test_what_a_suite_skips_where_there_is_no_network_is_sound(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import pytest, socket
        def fails(address):
            with socket.socket(type=socket.SOCK_DGRAM) as packets:
                return packets.connect_ex((address, 9))  # nothing is sent
        MARK = pytest.mark.skipif(fails("192.0.2.1") != 0, reason="no network")
        @MARK
        def test_it(): assert not fails("192.0.2.1")
        def test_needs_one(): assert not fails("192.0.2.1")
        """
    )
    found = hunt("--flakehunt-only=network", sweeps=6, diagnose=200)
    if found.verdicts["test_needs_one"] == "broken":
        pytest.skip("this machine has no network")
    assert found.verdicts == {"test_it": "steady", "test_needs_one": "fragile"}
    assert [cause["perturbation"] for cause in found.mode("test_needs_one")["causes"]] == ["network"]


def test_experiments_on_several_findings_go_on_side_by_side(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(test_it=MANY_VICTIMS)
    found = hunt("--flakehunt-only=order", "-n2", sweeps=14, diagnose=600)
    victims = {name: test for name, test in found.tests.items() if test["verdict"] == "fragile"}
    assert len(victims) == 3
    for name, test in victims.items():
        (cause,) = test["modes"][0]["causes"]
        assert cause["polluters"] == [f"test_it.py::test_pollutes[{name[-2]}]"]
    neighbours = [count for (count,) in made("neighbours")]
    assert sum(count > 0 for count in neighbours) > len(neighbours) / 3


def test_a_budget_that_is_spent_is_said_of_every_finding_with_what_is_left(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makepyfile(test_it=MANY_VICTIMS)
    found = hunt("--flakehunt-only=order", "-n2", sweeps=14, diagnose=20)
    modes = [mode for test in found.tests.values() for mode in test["modes"]]
    assert len(modes) == 3
    assert [mode["spent"] > 4 for mode in modes] == [True] * 3
    found.result.stdout.fnmatch_lines(["*cause unknown after * runs: the budget was spent*"])
    assert any(not mode["causes"] for mode in modes)
    assert len(made("number")) <= 20 + 2


def test_two_settings_that_fail_only_together_are_a_pair(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import datetime, os
        IMPORTED = datetime.date.today()
        def test_it(): assert not (os.environ.get("TZ") and (datetime.date.today() - IMPORTED).days > 20)
        """
    )
    found = hunt("--flakehunt-only=clock,timezone", sweeps=20, diagnose=300)
    causes = found.mode("test_it")["causes"]
    assert [cause["perturbation"] for cause in causes] == ["clock", "timezone"]
    assert "(with timezone=" in causes[0]["sentence"]
    assert all(cause["without"]["failures"] == 0 for cause in causes)


def test_two_causes_of_one_test_are_both_named(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import time
        STATE = []
        def test_pollutes(): STATE.append(1)
        def test_cleans(): STATE.clear()
        def test_it(): assert not STATE and time.localtime().tm_gmtoff == 0
        """
    )
    found = hunt("--flakehunt-only=order,timezone", sweeps=24, diagnose=400)
    jsonschema.validate(found.report, json.loads(SCHEMA.read_text("utf-8")))
    mode = found.mode("test_it")
    (other,) = mode["also"]
    named = {cause["perturbation"]: cause for cause in (*mode["causes"], *other["causes"])}
    assert named.keys() == {"order", "timezone"}
    assert named["order"]["polluters"] == ["test_it.py::test_pollutes"]
    assert named["timezone"]["sentence"] == "fails in zones other than UTC"
    assert all(cause["without"]["failures"] == 0 for cause in named.values())
    assert mode["repro"] != other["repro"]
    lines = ["  verified: *", "  another cause, by itself: *", "  reproduce: *test_it.py::test_it*", "  verified: *"]
    found.result.stdout.fnmatch_lines(lines)
    assert other["verified"]["failures"] == other["verified"]["runs"] >= 3
    assert other["control"]["failures"] == 0


def test_neighbours_that_share_something_are_named(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import os, pathlib, time
        LOCK = pathlib.Path(__file__).with_name("lock")
        def test_it():
            os.close(os.open(LOCK, os.O_CREAT | os.O_EXCL))
            time.sleep(0.3)
            LOCK.unlink()
        """
    )
    found = hunt("--flakehunt-only=random", "-n2", sweeps=40, diagnose=500)
    (cause,) = found.mode("test_it")["causes"]
    assert cause["perturbation"] == "parallel"
    assert cause["without"]["failures"] == 0


@pytest.mark.thorough
def test_tests_that_fail_together_are_one_group(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        test_it="""
        import pytest
        STATE = []
        @pytest.mark.parametrize("n", range(4))
        def test_victim(n): assert not STATE
        def test_pollutes(): STATE.append(1)
        """
    )
    found = hunt("--flakehunt-only=order", sweeps=2, diagnose=250)
    (group,) = found.report["groups"]
    assert len(group["members"]) == 4
    assert found.report["hunt"]["experiments"] < 200


def test_no_runs_are_made_where_none_are_wanted(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import pathlib
        def test_it():
            try: pathlib.Path("seen").touch(exist_ok=False)
            except FileExistsError: return
            assert False
        """
    )
    found = hunt(sweeps=20, diagnose=0)
    assert found.report["hunt"]["experiments"] == 0
    Path("seen").unlink()
    spent = hunt(sweeps=20, diagnose=3)
    assert spent.report["hunt"]["experiments"] == 3
    assert "cause unknown after 3 runs: the budget was spent" in spent.result.stdout.str()


def test_a_hunt_for_a_time_keeps_some_of_it_for_experiments(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("STATE = []\ndef test_victim(): assert not STATE\ndef test_pollutes(): STATE.append(1)")
    found = hunt("--flakehunt-only=order", sweeps="9s", diagnose="")
    assert found.report["hunt"]["experiments"] > 0
    assert found.report["hunt"]["sweeps"] > 1


def test_a_number_of_runs_that_is_none_is_refused(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile("def test_it(): pass")
    refused = hunt(diagnose="many").result
    refused.stderr.fnmatch_lines(
        ["ERROR: --flakehunt-diagnose=many: give how many runs experiments on causes may take, 0 for none"]
    )
