"""Ordinary runs with a quarantine file, alone and with xdist's workers."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from pytest_flakehunt.analysis.fingerprints import named
from pytest_flakehunt.ground import realtime

pytestmark = pytest.mark.thorough
TODAY = realtime.now().date()
SUITE = """
    import pytest

    def due(month):
        assert month < 3

    @pytest.mark.parametrize("month", [1, 4])
    def test_due(month):
        due(month)

    def test_sound():
        pass
"""
DUE = named("call", "AssertionError", "test_it.py::due assert month<3")
Run = Callable[..., pytest.RunResult]


def entry(test: str = "test_it.py::test_due[4]", prints: Sequence[str] = (DUE,), more: str = "", **days: int) -> str:
    added, expires = (TODAY + timedelta(days=days.get(name, usual)) for name, usual in (("added", -1), ("expires", 9)))
    return (
        f"[[quarantined]]\ntest = {json.dumps(test)}\nfingerprints = {json.dumps(list(prints))}\n"
        f'cause = "clock: late"\nowner = "@shop"\nadded = {added}\nexpires = {expires}\n{more}\n'
    )


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest in a process of its own on a suite with a quarantine file."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    pytester.makeini("[pytest]")

    def run(
        *args: str, quarantine: str | None = None, suite: str = "", plugins: Sequence[str] = ()
    ) -> pytest.RunResult:
        if suite or not list(pytester.path.glob("test_*.py")):
            pytester.makepyfile(test_it=suite or SUITE)
        if quarantine is not None:
            text = quarantine if quarantine.startswith("version") else f"version = 1\n{quarantine}"
            (pytester.path / "flakehunt-quarantine.toml").write_text(text, "utf-8")
        chosen = [f"-p{name}" for name in ("xdist.plugin", "pytest_flakehunt.plugin", *plugins)]
        return pytester.runpytest_subprocess(*chosen, *args)

    return run


def said(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


WAYS = [(), ("-n2",), ("-x",), ("--maxfail=1", "-n1"), ("--tb=no", "-vv"), ("--assert=plain", "--tb=native")]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_a_known_failure_is_excused_whoever_runs_it_and_however_it_is_shown(run: Run, way: tuple[str, ...]) -> None:
    result = run(*way, quarantine=entry())
    assert result.ret == 0
    assert "2 passed, 1 quarantined" in said(result)
    assert "QUARANTINED test_it.py::test_due[4]: quarantined until" in said(result)


def test_it_has_a_letter_and_a_word_of_its_own(run: Run) -> None:
    result = run(quarantine=entry())
    result.stdout.fnmatch_lines(["test_it.py .q. *"])
    result = run("-v")
    result.stdout.fnmatch_lines(["test_it.py::test_due[[]4[]] QUARANTINED (quarantined until *"])
    lines = said(run("-q"))
    assert (
        f"QUARANTINED test_it.py::test_due[4]: quarantined until {TODAY + timedelta(days=9)}: clock: late; @shop"
        in lines
    )


def test_nobody_else_counts_it(run: Run, pytester: pytest.Pytester) -> None:
    result = run("--junitxml=junit.xml", quarantine=entry())
    assert result.ret == 0
    suite = ET.parse(pytester.path / "junit.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "1")
    (reason,) = suite.iter("skipped")
    assert (reason.get("message") or "").startswith("quarantined until")
    failed = json.loads((pytester.path / ".pytest_cache/v/cache/lastfailed").read_text("utf-8")) if (
        pytester.path / ".pytest_cache/v/cache/lastfailed"
    ).exists() else {}  # fmt: skip
    assert not failed


def test_with_x_the_run_stops_at_a_failure_that_counts_and_not_before(run: Run) -> None:
    result = run("-x", quarantine=entry(), suite=SUITE + "\n    def test_wrong():\n        due(5)\n")
    assert result.ret == 1
    assert "1 failed, 2 passed, 1 quarantined" in said(result)


def test_the_traceback_is_kept_for_whoever_asks(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        def pytest_runtest_logreport(report):
            if report.outcome == "skipped":
                print("KEPT", dict(report.sections)["quarantined failure"].count("assert 4 < 3"))
    """)
    assert "KEPT 1" in said(run("-s", quarantine=entry()))


OTHERS = {
    "statement": SUITE.replace("month < 3", "month <= 3"),
    "function": SUITE.replace(" due(", " overdue("),
    "exception": SUITE.replace("assert month < 3", "assert month < 3 or int('x')"),
    "set-up": SUITE.replace("def test_due(month):\n        due(month)", "def test_due(late):\n        pass").replace(
        "def test_sound", "@pytest.fixture\n    def late(month):\n        due(month)\n\n    def test_sound"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("other", "way"), [*((name, ()) for name in OTHERS), ("statement", ("-n2",))])
def test_another_failure_of_the_same_test_counts_and_says_which(run: Run, other: str, way: tuple[str, ...]) -> None:
    suite = OTHERS[other]
    result = run(*way, quarantine=entry(), suite=suite)
    assert result.ret == 1
    assert re.search(
        r"NOT EXCUSED test_it.py::test_due\[4\]: quarantined for clock: late, failed with (call|setup) ", said(result)
    )


REFUSALS = {
    "expired": (entry(added=-20, expires=-1), f"its quarantine (clock: late) expired on {TODAY - timedelta(days=1)}"),
    "too long": (
        entry(expires=30),
        f"31 days after {TODAY - timedelta(days=1)}: max_days allows 30",
    ),
    "to come": (entry(added=2, expires=9), f"was added on {TODAY + timedelta(days=2)}, which is yet to come"),
    "message": (
        entry(more='message = "*out of range*"'),
        "with a message like '*out of range*', failed with 'assert 4 < 3'",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_is_not_excused_says_why(run: Run, refusal: str) -> None:
    text, words = REFUSALS[refusal]
    result = run(quarantine=text)
    assert result.ret == 1
    assert words in said(result)


def test_days_are_those_of_utc_with_a_days_slack(run: Run) -> None:
    assert run(quarantine=entry(added=1, expires=9)).ret == 0
    assert run(quarantine=entry(added=-30, expires=0)).ret == 0


def test_a_message_that_fits_is_excused(run: Run) -> None:
    assert run(quarantine=entry(more='message = "assert * < 3*"')).ret == 0


def test_an_expired_entry_is_no_cliff_a_passing_test_stays_green(run: Run) -> None:
    result = run("-k", "sound", quarantine=entry("test_it.py::test_sound", added=-20, expires=-1))
    assert result.ret == 0
    assert "quarantine" not in said(result).replace("flakehunt-quarantine", "")


def test_stars_stand_for_parameters(run: Run) -> None:
    assert run(quarantine=entry("test_it.py::test_due[*]")).ret == 0
    assert run(quarantine=entry("test_it.py::test_sound[*]")).ret == 1


def test_what_a_fingerprint_cannot_tell(run: Run) -> None:
    """These are excused, and the docs say so: another reason in the same statement, and new parameters under a star."""
    assert run(quarantine=entry("test_it.py::test_due[*]"), suite=SUITE.replace("[1, 4]", "[1, 4, 99]")).ret == 0


def test_other_parameters_count(run: Run) -> None:
    result = run(quarantine=entry(), suite=SUITE.replace("[1, 4]", "[1, 4, 5]"))
    assert result.ret == 1
    assert "1 failed, 2 passed, 1 quarantined" in said(result)


PHASES = """
    import pytest

    @pytest.fixture
    def ends():
        yield
        raise OSError("late")

    def test_it(ends):
        assert not ends
        assert 0
"""


def test_a_second_phase_that_is_not_listed_counts(run: Run) -> None:
    call, down = (
        named("call", "AssertionError", "test_it.py::test_it assert 0"),
        named("teardown", "OSError", 'test_it.py::ends raise OSError("late")'),
    )
    result = run(quarantine=entry("test_it.py::test_it", [call]), suite=PHASES)
    assert result.ret == 1
    assert "1 quarantined" in said(result)
    assert "1 error" in said(result)
    assert "failed with teardown OSError" in said(result)
    both = run(quarantine=entry("test_it.py::test_it", [call, down]))
    assert both.ret == 0
    assert "2 quarantined" in said(both)


def test_set_up_is_excused_by_a_fingerprint_of_its_own(run: Run) -> None:
    suite = "import pytest\n@pytest.fixture\ndef up():\n    raise OSError\ndef test_it(up):\n    pass\n"
    up = named("setup", "OSError", "test_it.py::up raise OSError")
    assert run(quarantine=entry("test_it.py::test_it", [up]), suite=suite).ret == 0


UNITTEST = """
    import unittest

    class TestIt(unittest.TestCase):
        def test_due(self):
            self.assertEqual(1, 2)
"""


@pytest.mark.parametrize("way", [(), ("-n2",)], ids=" ".join)
def test_unittests_are_excused_as_well(run: Run, way: tuple[str, ...]) -> None:
    known = named("call", "AssertionError", "test_it.py::TestIt.test_due self.assertEqual(1,2)")
    assert run(*way, quarantine=entry("test_it.py::TestIt::test_due", [known]), suite=UNITTEST).ret == 0


SUBTESTS = """
    def test_many(subtests):
        for number in (1, 2, 3):
            with subtests.test(number=number):
                assert number < 3
"""


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
@pytest.mark.parametrize("way", [(), ("-n2",), ("-v",)], ids=" ".join)
def test_subtests_are_excused_one_by_one(run: Run, way: tuple[str, ...]) -> None:
    known = named("call", "AssertionError", "test_it.py::test_many assert number<3")
    result = run(*way, quarantine=entry("test_it.py::test_many", [known]), suite=SUBTESTS)
    assert result.ret == 0
    assert "1 quarantined" in said(result)
    assert "failed" not in said(result)
    other = run(
        *way, suite=SUBTESTS.replace("number < 3", "number < 3 or number.missing").replace("(1, 2, 3)", "(1, 3)")
    )
    assert other.ret == 1


def test_plugins_that_run_a_test_again_have_their_say_first(run: Run, pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_retry")
    suite = """
        import pytest
        runs = []

        @pytest.mark.flaky(retries=2)
        def test_again():
            runs.append(1)
            assert len(runs) > {enough}
    """
    known = named("call", "AssertionError", "test_it.py::test_again assert len(runs)>{enough}")
    passes = run(
        quarantine=entry("test_it.py::test_again", ["0" * 16]),
        suite=suite.format(enough=1),
        plugins=["pytest_retry.retry_plugin"],
    )
    assert passes.ret == 0
    assert "1 passed" in said(passes)
    known = named("call", "AssertionError", "test_it.py::test_again assert len(runs)>9")
    assert (
        run(
            quarantine=entry("test_it.py::test_again", [known]),
            suite=suite.format(enough=9),
            plugins=["pytest_retry.retry_plugin"],
        ).ret
        == 0
    )
    last = suite.format(enough=9).replace("assert len", "assert len(runs) < 3, 'last'\n            assert len")
    result = run(quarantine=entry("test_it.py::test_again", [known]), suite=last, plugins=["pytest_retry.retry_plugin"])
    assert result.ret == 1  # it is the last attempt that is judged


def test_a_tear_down_that_fails_before_a_test_runs_again_counts(run: Run) -> None:
    pytest.importorskip("pytest_retry")
    suite = PHASES.replace("def test_it(ends)", "@pytest.mark.flaky(retries=1)\n    def test_it(ends)")
    known = named("call", "AssertionError", "test_it.py::test_it assert 0")
    result = run(quarantine=entry("test_it.py::test_it", [known]), suite=suite, plugins=["pytest_retry.retry_plugin"])
    assert result.ret == 1


def test_where_no_statement_can_be_told_nothing_is_excused(run: Run) -> None:
    suite = "exec(compile('def test_it():\\n    assert 0\\n', __file__[:-3] + '_made.py', 'exec'))\n"
    known = named("call", "AssertionError", "test_it_made.py::test_it")
    result = run(quarantine=entry("test_it.py::test_it", [known]), suite=suite)
    assert result.ret == 1
    assert "which statement failed cannot be told" in said(result)


def test_an_exception_that_cannot_be_looked_at_fails_its_test_alone(run: Run) -> None:
    suite = (
        "class E(Exception):\n    __module__ = None\n    @property\n    def failures(self):\n        raise OSError\n"
    )
    result = run(quarantine=entry("test_it.py::test_it"), suite=f"{suite}\ndef test_it():\n    raise E\n")
    assert result.ret == 1
    assert "1 failed" in said(result)


LAYOUTS = {
    "inline": 'quarantined = [ {{ test = "test_it.py::test_due[4]", fingerprints = ["{}"], added = {}, expires = {} }} ]\n',
    "quoted": '[["quarantined"]]\n"test" = "test_it.py::test_due[4]"\nfingerprints = ["{}"]\nadded = {}\nexpires = {}\n',
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", [(), ("-n1",)], ids=" ".join)
def test_whatever_the_layout_every_run_says_the_same(run: Run, layout: str, way: tuple[str, ...]) -> None:
    text = LAYOUTS[layout].format(DUE, TODAY, TODAY)
    assert [run(*way, quarantine=text).ret for _ in range(3)] == [0, 0, 0]


def test_a_quoted_key_says_as_well_what_must_not_run(run: Run) -> None:
    assert "1 skipped" in said(run(quarantine=entry(prints=(), more='"mode" = "skip"')))


def test_errors_in_collection_and_interruptions_are_never_excused(run: Run) -> None:
    assert run(quarantine=entry("test_it.py::test_due"), suite="import nowhere\n").ret == 2
    stopped = "import pytest\ndef test_due():\n    pytest.exit('now', returncode=7)\n"
    assert run(quarantine=entry("test_it.py::test_due"), suite=stopped).ret == 7


def test_a_worker_that_dies_is_never_excused(run: Run) -> None:
    suite = "import os\ndef test_due():\n    os._exit(3)\ndef test_other():\n    pass\n"
    result = run("-n2", "--max-worker-restart=0", quarantine=entry("test_it.py::test_due"), suite=suite)
    assert result.ret == 1
    assert "1 failed" in said(result)


@pytest.mark.parametrize("way", [(), ("-n2",)], ids=" ".join)
def test_what_must_not_run_is_skipped_with_reason_and_expiry_and_counted_apart(run: Run, way: tuple[str, ...]) -> None:
    result = run(*way, quarantine=entry(prints=(), more='mode = "skip"\nreason = "it hangs"'))
    assert result.ret == 0
    assert "2 passed, 1 skipped" in said(result)
    expires = TODAY + timedelta(days=9)
    assert (
        f"QUARANTINED, not run test_it.py::test_due[4]: quarantined until {expires}: clock: late; it hangs; @shop"
        in said(result)
    )
    over = run(*way, quarantine=entry(prints=(), more='mode = "skip"', added=-20, expires=-1))
    assert over.ret == 1
    assert "expired on" in said(over)


MANY = "import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_due(n):\n    assert n < 0\n"


@pytest.mark.parametrize("way", [(), ("-n2",)], ids=" ".join)
def test_too_many_in_one_run_are_a_systemic_failure(run: Run, way: tuple[str, ...]) -> None:
    known = named("call", "AssertionError", "test_it.py::test_due assert n<0")
    text = "version = 1\nmax_excused = {}\n" + entry("test_it.py::test_due[*]", [known])
    result = run(*way, quarantine=text.format(3), suite=MANY)
    assert result.ret == 1
    assert (
        "systemic: 4 tests failed as quarantined in one run, and max_excused allows 3: the run fails; all with "
        "AssertionError in call, all at test_it.py::test_due assert n<0"
    ) in said(result)
    assert run(*way, quarantine=text.format(4)).ret == 0


BROKEN = {
    "toml": ("version = 1\n[[quarantined]]\ntest = \n", "(at line 3, column 8)"),
    "key twice": ("version = 1\n" + entry(more='owner = "@b"'), "Cannot overwrite a value"),
    "no date": (f"version = 1\n{entry()}".replace(f"{TODAY - timedelta(days=1)}", "2026-02-30"), "Invalid date"),
    "utf-8": ("version = 1\n# \udcff\n", "byte 14 is no UTF-8: save the file in UTF-8"),
    "another version": (
        f"version = 1\n{entry(prints=['1:0123456789abcdef'])}",
        "fingerprint 1:0123456789abcdef is of version 1, and failures are told by another one now",
    ),
    "two entries": (f"version = 1\n{entry()}{entry()}", "test_it.py::test_due[4] has an entry already, on line 2"),
}  # fmt: skip


BROKEN_WAYS = [*((name, ()) for name in BROKEN), ("toml", ("-n2",)), ("toml", ("-k", "sound"))]


@pytest.mark.parametrize(("broken", "way"), BROKEN_WAYS)
def test_a_broken_file_excuses_nobody_and_stops_nothing(
    run: Run, pytester: pytest.Pytester, broken: str, way: tuple[str, ...]
) -> None:
    text, words = BROKEN[broken]
    path = pytester.path / "flakehunt-quarantine.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = path.read_bytes()
    result = run(*way)
    assert result.ret == (0 if "-k" in way else 1)
    lines = [line for line in result.outlines if line.startswith("note: ")]
    assert len(lines) == 1
    assert words in lines[0]
    assert lines[0].startswith("note: flakehunt-quarantine.toml")
    assert lines[0].endswith("; nothing is excused")
    assert path.read_bytes() == before


def test_a_folder_in_its_place_is_told(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "flakehunt-quarantine.toml").mkdir()
    result = run()
    assert result.ret == 1
    assert "note: flakehunt-quarantine.toml is a folder: give the path of a file; nothing is excused" in said(result)


def test_what_the_file_said_as_the_run_began_is_used(run: Run, pytester: pytest.Pytester) -> None:
    suite = SUITE + "\n    def test_edits():\n        open('flakehunt-quarantine.toml', 'a').write('# later')\n"
    result = run(quarantine=entry(), suite=suite)
    assert result.ret == 0
    assert (
        "note: flakehunt-quarantine.toml was changed while the run went on: what it said as it began was used"
    ) in said(result)


@pytest.mark.parametrize(
    "way",
    [("--flakehunt-quarantine=off",), ("--flakehunt-plan=calm",), ("--flakehunt-plan=timezone=Asia/Kolkata",)],
    ids=" ".join,
)
def test_a_plan_or_the_word_off_excuses_nothing(run: Run, way: tuple[str, ...]) -> None:
    result = run(*way, quarantine=entry())
    assert result.ret == 1
    assert "1 failed, 2 passed" in said(result)


def test_an_ini_file_says_where_the_file_is(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nflakehunt_quarantine_file = ci/excused.toml\n")
    path = pytester.path / "ci" / "excused.toml"
    path.parent.mkdir()
    path.write_text(f"version = 1\n{entry()}", "utf-8")
    assert run().ret == 0
    pytester.makeini("[pytest]\nflakehunt_quarantine_file = ci/excused.toml\nflakehunt_quarantine = off\n")
    assert run().ret == 1


def test_node_ids_are_those_from_the_configuration_on_wherever_pytest_is_called(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(quarantine=entry())
    below = pytester.path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert run("../test_it.py").ret == 0
    assert run("--rootdir=..", "..").ret == 0
    assert run("--rootdir=.", "-c", "../tox.ini", "../test_it.py").ret == 0


def test_a_return_is_recognised(run: Run) -> None:
    text = (
        f'[[released]]\ntest = "test_it.py::test_due[4]"\ncause = "clock: late"\nfingerprints = ["{DUE}"]\n'
        f'released = {TODAY}\nshown = "0 of 186 calm"\n'
    )
    result = run(quarantine=text)
    assert result.ret == 1
    assert (
        f"NOT EXCUSED test_it.py::test_due[4]: it is back: released from quarantine (clock: late) on {TODAY} after "
        "0 of 186 calm"
    ) in said(result)


ODD = "a b'\"\\[]*:ü\n\x07"


def test_every_character_of_a_node_id_can_be_written(run: Run, pytester: pytest.Pytester) -> None:
    suite = f"import pytest\n@pytest.mark.parametrize('text', [{ODD!r}], ids=[{ODD!r}])\ndef test_it(text):\n    assert not text\n"
    first = run("--collect-only", "-q", suite=suite)
    nodeid = next(line for line in first.outlines if "::" in line)
    known = named("call", "AssertionError", "test_it.py::test_it assert not text")
    assert run(quarantine=entry(nodeid.replace("*", "[*]"), [known])).ret == 0
    assert run(quarantine=entry("test_it.py::test_it[*]", [known])).ret == 0


def test_a_file_that_is_known_to_be_right_is_not_read_whole_again(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import sys

        def pytest_unconfigure(config):
            name = "pytest_flakehunt.quarantine.reading"
            print("READ", name in sys.modules and sys.modules[name].parse.__name__)
    """)
    assert run("-k", "sound", quarantine=entry()).ret == 0
    assert "READ False" in said(run("-s", "-k", "sound"))


def test_without_a_file_nothing_is_imported(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import sys

        def pytest_unconfigure(config):
            print("OURS", sorted(name for name in sys.modules if name.startswith("pytest_flakehunt.")))
    """)
    ours = next(line for line in run("-s").outlines if line.startswith("OURS"))
    assert (
        ours
        == "OURS ['pytest_flakehunt.asked', 'pytest_flakehunt.asked.flags', 'pytest_flakehunt.hookspecs', 'pytest_flakehunt.plugin']"
    )


def test_it_goes_with_the_leak_watch_and_with_coverage(run: Run) -> None:
    result = run("--flakehunt-leaks", quarantine=entry())
    assert result.ret == 0
    assert "no test left anything behind" in said(result)
    if not pytest.importorskip("pytest_cov"):
        return
    result = run("--cov=.", "--cov-report=term", quarantine=entry(), plugins=["pytest_cov.plugin"])
    assert result.ret == 0
    assert "TOTAL" in said(result)


def test_update_needs_a_hunt_and_a_bad_word_is_refused(run: Run) -> None:
    needs = run("--flakehunt-quarantine=update")
    needs.stderr.fnmatch_lines(["*--flakehunt-quarantine goes with a hunt; add --flakehunt=N, or leave it out"])
    bad = run("--flakehunt-quarantine=sometimes")
    bad.stderr.fnmatch_lines(["*--flakehunt-quarantine=sometimes: give use, off or update"])


def test_unknown_keys_are_named(run: Run) -> None:
    result = run(quarantine=entry(more='severity = "high"'))
    assert result.ret == 0
    assert "note: flakehunt-quarantine.toml, line 2, test_it.py::test_due[4]: severity means nothing to us" in said(
        result
    )
