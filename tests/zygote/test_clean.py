"""What siblings of one zygote would share, and how each sweep comes clean of it."""

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

Hunter = Callable[..., Any]
CALM = "--flakehunt-only=hashseed"


def noted(pytester: pytest.Pytester, hunt: Hunter, expression: str, *, setup: str = "", **kwargs: Any) -> list[str]:
    """Give what an expression was in every sweep of one zygote."""
    pytester.makepyfile(
        f"""
        import os, pathlib, random, sys, tempfile
        {setup}
        def test_it(request, tmp_path_factory):
            with open({str(pytester.path / "noted")!r}, "a") as notes:
                print({expression}, file=notes)
        """
    )
    found = hunt(CALM, "-n1", sweeps=4, **kwargs)
    assert found.verdicts == {"test_it": "steady"}, found.result.stdout.str()
    lines = (pytester.path / "noted").read_text().splitlines()
    assert len(lines) == 4
    return lines


@pytest.mark.isolations
def test_each_sweep_has_a_process_of_its_own(pytester: pytest.Pytester, hunt: Hunter) -> None:
    assert len(set(noted(pytester, hunt, "os.getpid()"))) == 4


def test_each_sweep_has_a_base_temp_of_its_own(pytester: pytest.Pytester, hunt: Hunter) -> None:
    assert len(set(noted(pytester, hunt, "tmp_path_factory.getbasetemp()"))) == 4


@pytest.mark.isolations
def test_each_sweep_has_an_empty_cache(pytester: pytest.Pytester, hunt: Hunter) -> None:
    expression = "(request.config.cache.get('seen/it', 0), request.config.cache.set('seen/it', 1))"
    assert set(noted(pytester, hunt, expression)) == {"(0, None)"}


@pytest.mark.parametrize("how", ["fd", "sys", "no"])
def test_streams_that_code_keeps_from_its_import_stay_open(pytester: pytest.Pytester, hunt: Hunter, how: str) -> None:
    pytester.makepyfile(
        shouter="""
        import logging, os, sys
        logger = logging.getLogger("shouter")
        logger.addHandler(logging.StreamHandler(sys.stderr))
        def shout(text, stream=sys.stdout):
            stream.write(text)
            logger.warning(text)
            os.write(1, b"raw")
        """,
        test_it="""
        import shouter
        def test_shouts(): shouter.shout("hey")
        def test_hears(capfd):
            shouter.shout("ho")
            print("more")
            assert "more" in capfd.readouterr().out
        def test_fails():
            shouter.shout("help")
            assert False
        """,
    )
    found = hunt("--flakehunt-only=gc", f"--capture={how}", sweeps=3)
    assert found.verdicts == {"test_shouts": "steady", "test_hears": "steady", "test_fails": "broken"}
    if how == "fd":
        found.result.stdout.fnmatch_lines(["*Captured stdout call*", "helpraw", "*Captured stderr call*", "help"])
        assert "hey" not in found.result.stdout.str()


def test_each_sweep_captures_into_a_file_of_its_own(pytester: pytest.Pytester, hunt: Hunter) -> None:
    assert len(set(noted(pytester, hunt, "os.fstat(1).st_ino, os.getpid()"))) == 4
    pytester.makepyfile(
        """
        def test_one(capfd): print("one"); assert capfd.readouterr().out == "one\\n"
        def test_two(): print("two"); assert 0
        """
    )
    found = hunt(CALM, sweeps=4)
    assert found.result.stdout.str().count("\ntwo\n") == 1


def test_no_plugin_is_registered_in_a_fork(pytester: pytest.Pytester, hunt: Hunter) -> None:
    noted_there = pytester.path / "registered"
    pytester.makeconftest(
        f"""
        import os
        collecting = os.getpid()
        def pytest_plugin_registered(plugin):
            if os.getpid() != collecting:
                with open({str(noted_there)!r}, "a") as notes:
                    print(type(plugin).__qualname__, file=notes)
        """
    )
    assert len(noted(pytester, hunt, "os.getpid()")) == 4
    assert not noted_there.exists(), noted_there.read_text()


@pytest.mark.isolations
def test_each_sweep_draws_its_own_random_numbers(pytester: pytest.Pytester, hunt: Hunter) -> None:
    assert len(set(noted(pytester, hunt, "random.random()"))) == 4


def test_each_sweep_draws_its_own_numpy_numbers(pytester: pytest.Pytester, hunt: Hunter) -> None:
    if importlib.util.find_spec("numpy") is None:  # imported here, it would be taken away with the pytester's modules
        pytest.skip("numpy is not installed")
    code = "numpy.random.random()"
    assert len(set(noted(pytester, hunt, code, setup="import numpy.random"))) == 4


def test_a_generator_the_project_seeds_at_import_is_left_as_it_was(pytester: pytest.Pytester, hunt: Hunter) -> None:
    assert len(set(noted(pytester, hunt, "random.random()", setup="random.seed(5)"))) == 1


def test_a_random_setting_spares_a_generator_the_project_seeds(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import random
        random.seed(5)
        def test_it(): assert random.random() == random.Random(5).random()
        """
    )
    assert hunt("--flakehunt-only=random", sweeps=6).verdicts == {"test_it": "steady"}


def test_the_hash_seed_is_not_handed_to_the_processes_of_calm_tests(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import os
        def test_it(): assert "PYTHONHASHSEED" not in os.environ
        """
    )
    found = hunt("--flakehunt-only=hashseed", sweeps=6)
    assert found.verdicts == {"test_it": "fragile"}
    assert found.tests["test_it"]["calm"]["failures"] == 0


def test_hypothesis_draws_anew_in_every_sweep_even_where_ci_is_set(
    pytester: pytest.Pytester, hunt: Hunter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile(
        f"""
        from hypothesis import given, settings, strategies as st
        drawn = []
        @settings(max_examples=5)
        @given(st.integers())
        def test_it(number): drawn.append(number)
        def test_note():
            with open({str(pytester.path / "noted")!r}, "a") as notes:
                print(drawn, file=notes)
        """
    )
    monkeypatch.setenv("CI", "true")
    found = hunt(CALM, "-n1", sweeps=4, plugins=["_hypothesis_pytestplugin"])
    assert set(found.verdicts.values()) == {"steady"}
    lines = (pytester.path / "noted").read_text().splitlines()
    assert len(set(lines)) == 4
    assert not (pytester.path / ".hypothesis" / "examples").exists()


@pytest.mark.thorough
def test_errors_of_hypothesis_are_modes_of_their_own_and_show_its_way_back(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makepyfile(
        """
        import time
        from hypothesis import given, settings, strategies as st
        calls = []
        @given(st.integers())
        def test_unreliable(number):
            calls.append(number)
            assert len(calls) % 7 != 3
        @settings(deadline=5)
        @given(st.integers())
        def test_slow(number):
            if number > 1000: time.sleep(0.02)
        @given(st.integers())
        def test_wrong(number): assert number < 1000
        """
    )
    found = hunt(CALM, sweeps=2, plugins=["_hypothesis_pytestplugin"])
    modes = {name: found.mode(name) for name in found.verdicts}
    assert {name: mode["exception"] for name, mode in modes.items()} == {
        "test_unreliable": "hypothesis.errors.FlakyFailure",
        "test_slow": "hypothesis.errors.DeadlineExceeded",
        "test_wrong": "AssertionError",
    }
    shown = [line for line in found.result.outlines if line.startswith("  at ") and "@reproduce_failure('" in line]
    assert len(shown) == 3


@pytest.mark.thorough
def test_deadlines_of_hypothesis_are_stretched_where_tests_are_slowed_down(
    pytester: pytest.Pytester, hunt: Hunter
) -> None:
    pytester.makepyfile(
        """
        import time
        from hypothesis import given, settings, strategies as st
        @settings(deadline=50, max_examples=3)
        @given(st.integers())
        def test_it(number): time.sleep(0.001)
        """
    )
    found = hunt("--flakehunt-plan=latency=100ms", sweeps=2, plugins=["_hypothesis_pytestplugin"])
    assert found.verdicts == {"test_it": "steady"}
    assert found.tests["test_it"]["runs"] == 3


@pytest.mark.parametrize(
    ("plan", "stretch"),
    [
        ("load=4", 1.0),
        ("cores=1", 1.0),
        ("load=4 gc=eager", 5.0),
        ("latency=20ms", 20.0),
        ("threads=3", 100.0),
        ("", 1.0),
    ],
)
def test_deadlines_are_stretched_for_our_tools_and_not_for_what_machines_do(plan: str, stretch: float) -> None:
    from pytest_flakehunt.model.plans import read_plan
    from pytest_flakehunt.perturbations import registry

    assert read_plan(plan, registry()).stretch == stretch


def test_workers_present_themselves_as_xdists_do(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import os
        def test_it(worker_id, testrun_uid, request):
            assert worker_id == os.environ["PYTEST_XDIST_WORKER"] == request.config.workerinput["workerid"]
            assert testrun_uid == os.environ["PYTEST_XDIST_TESTRUNUID"]
            assert os.environ["PYTEST_XDIST_WORKER_COUNT"] == "2"
        """
    )
    assert hunt("-n2").verdicts == {"test_it": "steady"}


@pytest.mark.isolations
def test_fixtures_of_every_scope_live_as_long_as_they_say(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makepyfile(
        """
        import pytest
        made = []
        def scoped(scope):
            @pytest.fixture(scope=scope)
            def fixture():
                made.append(scope)
                yield scope
                made.append("end of " + scope)
            return fixture
        session, module, class_, function = map(scoped, ["session", "module", "class", "function"])
        class TestIt:
            def test_one(self, session, module, class_, function):
                assert made == ["session", "module", "class", "function"]
            def test_two(self, session, module, class_, function):
                assert made[4:] == ["end of function", "function"]
        def test_three(session, module, function):
            assert made[6:] == ["end of function", "end of class", "function"]
        """
    )
    found = hunt(CALM, sweeps=3)
    assert set(found.verdicts.values()) == {"steady"}


def test_plugins_for_asyncio_timeouts_and_subtests_work(pytester: pytest.Pytester, hunt: Hunter) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(
        """
        import asyncio, time, unittest, pytest
        @pytest.mark.asyncio
        async def test_asyncio(): await asyncio.sleep(0.001)
        @pytest.mark.anyio
        async def test_anyio(anyio_backend): await asyncio.sleep(0.001)
        @pytest.fixture
        def anyio_backend(): return "asyncio"
        @pytest.mark.timeout(0.3)
        def test_timeout(): time.sleep(5)
        class TestUnit(unittest.TestCase):
            def test_sub(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertNotEqual(number, 1)
        def test_doc(): pass
        """
    )
    found = hunt(
        "--flakehunt-only=hashseed",
        sweeps=4,
        plugins=["pytest_asyncio.plugin", "anyio.pytest_plugin", "pytest_timeout"],
    )
    assert found.verdicts == {
        "test_asyncio": "steady", "test_anyio": "steady", "test_timeout": "broken", "TestUnit::test_sub": "broken",
        "test_doc": "steady",
    }  # fmt: skip
    assert "Timeout" in found.mode("test_timeout")["message"]
