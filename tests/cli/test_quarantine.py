"""`flakehunt quarantine`, as people call it: with real files, git and pytest."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from pytest_flakehunt.analysis.fingerprints import named
from pytest_flakehunt.cli.main import main
from pytest_flakehunt.ground import realtime
from pytest_flakehunt.ledger.store import Ledger
from pytest_flakehunt.model import (
    Cause,
    Contract,
    Count,
    Diagnosis,
    Evidence,
    Finding,
    Findings,
    Interval,
    Mode,
    Outcome,
    Place,
    Trial,
    Verdict,
)
from pytest_flakehunt.quarantine import sources
from pytest_flakehunt.quarantine.reading import read
from pytest_flakehunt.reports import document

pytestmark = pytest.mark.thorough
TODAY = realtime.now().date()
SUITE = """
import shop

def test_due():
    assert shop.due(1) < 3

def test_sound():
    assert shop
"""
SHOP = """
def due(month):
    if month > 12:
        raise ValueError(month)
    return month
"""
DUE = "call AssertionError test_it.py::test_due assert shop.due(1)<3"
Flakehunt = Callable[..., subprocess.CompletedProcess[str]]


def day(days: int) -> date:
    return TODAY + timedelta(days=days)


def entry(test: str = "test_it.py::test_due", at: str = DUE, added: int = 0, expires: int = 14, more: str = "") -> str:
    return (
        f'\n[[quarantined]]\ntest = "{test}"\nfingerprints = ["{named(*at.split(" ", 2))}"]\nat = [{json.dumps(at)}]\n'
        f'cause = "clock: late"\nowner = "@shop"\nissue = "#1"\nadded = {day(added)}\nexpires = {day(expires)}\n{more}'
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a suite, a quarantine file, and a repository."""
    for name, text in {
        "test_it.py": SUITE,
        "shop.py": SHOP,
        "pytest.ini": "[pytest]\n",
        ".gitignore": "__pycache__\n.flakehunt\n",
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "flakehunt-quarantine.toml").write_text(f"version = 1\n{entry()}", "utf-8")
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    commit("first")
    return tmp_path


def git(*words: str) -> str:
    settled = ["-c", "user.name=us", "-c", "user.email=us@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *settled, *words], check=True, capture_output=True, text=True).stdout


def commit(message: str) -> None:
    git("add", "-A")
    git("commit", "-qm", message)


@pytest.fixture
def flakehunt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Flakehunt:
    """Give the command, as a function of this process: what it starts are processes of their own."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_flakehunt.plugin,xdist.plugin")

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        sources.functions.cache_clear()
        capsys.readouterr()
        status = main(["quarantine", *words])
        return subprocess.CompletedProcess(words, status, *capsys.readouterr())

    return call


@pytest.fixture
def at_once(flakehunt: Flakehunt) -> Flakehunt:
    """Give the same for checks that need not know whether the tests are there."""

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return flakehunt(*words, *(["--no-collect"] if words[0] == "check" else []))

    return call


def test_it_is_a_command_of_its_own_and_a_module(project: Path) -> None:
    for command in ([str(Path(sys.executable).with_name("flakehunt"))], [sys.executable, "-m", "pytest_flakehunt"]):
        said = subprocess.run([*command, "quarantine", "list"], check=False, capture_output=True, text=True)
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout.startswith("1 test quarantined, 1 of them excused today; next: test_it.py::test_due on ")
    refused = subprocess.run([sys.executable, "-m", "pytest_flakehunt", "nonsense"], check=False, capture_output=True)
    assert refused.returncode == 2


def write(text: str) -> None:
    Path("flakehunt-quarantine.toml").write_text(f"version = 1\n{text}", "utf-8")


def test_the_report_says_who_is_excused_for_how_long_by_owner(project: Path, flakehunt: Flakehunt) -> None:
    write(
        entry(expires=3, more='plan = "clock=+400d"\nseen = { failures = 3, runs = 20 }\n')
        + entry("test_it.py::test_sound", added=-20, expires=-1).replace("@shop", "@till")
    )
    said = flakehunt("list")
    assert said.returncode == 0
    assert said.stdout == (
        "2 tests quarantined, 1 of them excused today; next: test_it.py::test_due on "
        f"{day(3)}\n\n"
        "@shop: 1 test\n  test_it.py::test_due\n"
        f"    expires on {day(3)}, in 3 days; added 0 days ago\n    clock: late\n    #1\n"
        "    fails 3 of 20 under clock=+400d (5.2 % to 36 %); not seen failing in this ledger\n\n"
        "@till: 1 test\n  test_it.py::test_sound\n"
        f"    expired on {day(-1)}; added 20 days ago\n    clock: late\n    #1\n"
        "    fails; how often is not known; not seen failing in this ledger\n"
    )
    table = flakehunt("list", "--markdown").stdout
    assert "| test\\_it.py::test\\_due | expires on " in table
    document = json.loads(flakehunt("list", "--json").stdout)
    assert document["schema"] == "pytest-flakehunt-quarantine/1"
    assert [(row["test"], row["live"], row["days_left"]) for row in document["entries"]] == [
        ("test_it.py::test_sound", False, -1),
        ("test_it.py::test_due", True, 3),
    ]


def test_an_empty_file_is_well(project: Path, flakehunt: Flakehunt) -> None:
    write("")
    assert flakehunt("list").stdout == "nothing is quarantined\n"
    checked = flakehunt("check")
    assert (checked.returncode, checked.stdout) == (0, "flakehunt-quarantine.toml: 0 entries: nothing is wrong\n")


ERRORS = {
    "over a week": (entry(added=-20, expires=-8), f"error: flakehunt-quarantine.toml:3: test_it.py::test_due expired on {day(-8)}, 8 days ago\n  flakehunt quarantine release test_it.py::test_due, or flakehunt quarantine remove with it\n", 1),
    "within a week": (entry(added=-20, expires=-7), f"warning: flakehunt-quarantine.toml:3: test_it.py::test_due expired on {day(-7)}, 7 days ago\n", 0),
    "soon": (entry(expires=7), f"warning: flakehunt-quarantine.toml:3: test_it.py::test_due expires on {day(7)}, in 7 days\n", 0),
    "fine": (entry(expires=8), "1 entry: nothing is wrong\n", 0),
    "too long": (entry(expires=31), f"test_it.py::test_due expires 31 days after it was added, and max_days allows 30\n  write expires = {day(30)}, or an earlier day\n", 1),
    "to come": (entry(added=2), f"was added on {day(2)}, which is yet to come\n  write added = {TODAY}\n", 1),
    "no owner": (entry().replace("@shop", " "), 'has no owner\n  write owner = "…": who is to mend it\n', 1),
    "no issue": (entry().replace("#1", ""), 'has no issue\n  write issue = "…": where that is followed\n', 1),
    "too many": ("max_entries = 1\n" + entry() + entry("test_it.py::test_sound"), "error: flakehunt-quarantine.toml: 2 entries, and max_entries allows 1\n", 1),
    "gone": (entry("test_it.py::test_gone"), "test_it.py::test_gone names no test\n  flakehunt quarantine remove test_it.py::test_gone\n", 1),
    "no file": (entry("gone.py::test_gone"), "gone.py::test_gone names no test\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("error", ERRORS)
def test_the_check_says_what_is_wrong_each_with_what_to_do(project: Path, flakehunt: Flakehunt, error: str) -> None:
    text, words, status = ERRORS[error]
    write(text)
    checked = flakehunt("check")
    assert words in checked.stdout
    assert checked.returncode == status


def test_a_broken_file_is_refused(project: Path, flakehunt: Flakehunt) -> None:
    write("[[quarantined]]\n")
    for command in (["list"], ["check"], ["release"], ["remove", "x.py::y"], ["add", "x.py::y", "--skip"]):
        refused = flakehunt(*command)
        assert refused.returncode == 2
        assert (
            refused.stderr
            == "flakehunt: flakehunt-quarantine.toml, line 2: test is missing: give the node id of a test\n"
        )
    assert Path("flakehunt-quarantine.toml").read_text("utf-8") == "version = 1\n[[quarantined]]\n"


def test_where_there_is_no_file_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flakehunt: Flakehunt
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = flakehunt("list", "--file", "q.toml")
    assert (refused.returncode, refused.stderr) == (
        2, "flakehunt: q.toml: there is no such file: give its path with --file, or add an entry\n"
    )  # fmt: skip


def test_a_renamed_test_is_proposed_and_followed(project: Path, flakehunt: Flakehunt) -> None:
    assert (
        flakehunt(
            "add", "test_it.py::test_sound", "--fingerprint", "0" * 16, "--issue", "#2", "--owner", "@shop"
        ).returncode
        == 0
    )
    text = Path("test_it.py").read_text("utf-8").replace("test_sound", "test_well")
    Path("test_it.py").write_text(text, "utf-8")
    checked = flakehunt("check")
    assert checked.returncode == 1
    remedy = "flakehunt quarantine add test_it.py::test_well --renamed-from test_it.py::test_sound"
    assert f"it seems to be test_it.py::test_well now: {remedy}" in checked.stdout
    assert flakehunt(*remedy.split()[2:]).returncode == 0
    assert [entry.test for entry in read(Path("flakehunt-quarantine.toml")).entries] == [
        "test_it.py::test_due",
        "test_it.py::test_well",
    ]
    assert flakehunt("check").returncode == 0


def test_an_entry_made_by_hand_says_after_which_tests_it_fails(project: Path, flakehunt: Flakehunt) -> None:
    after = ("--after", "test_it.py::test_due", "--after", "test_it.py::test_gone")
    added = flakehunt("add", "test_it.py::test_sound", "--fingerprint", "0" * 16, *after)
    assert added.returncode == 0
    assert [line for line in added.stdout.splitlines() if line.startswith("note")] == [
        "note: test_it.py::test_gone: its file defines no such test: see that the node id is right"
    ]
    entry = read(Path("flakehunt-quarantine.toml")).entries[1]
    assert entry.after == ("test_it.py::test_due", "test_it.py::test_gone")
    refused = flakehunt("add", "test_it.py::test_x", "--skip", "--after", "../elsewhere")
    assert (refused.returncode, 'after has "../elsewhere": give the node id' in refused.stderr) == (2, True)


def test_fingerprints_follow_a_renamed_test(project: Path, flakehunt: Flakehunt) -> None:
    Path("test_it.py").write_text(SUITE.replace("test_due", "test_month").replace("< 3", "< 0"), "utf-8")
    assert flakehunt("add", "test_it.py::test_month", "--renamed-from", "test_it.py::test_due").returncode == 0
    (entry,) = read(Path("flakehunt-quarantine.toml")).entries
    told = DUE.replace("test_due", "test_month")
    assert (entry.at, entry.fingerprints) == ((told,), (named(*told.split(" ", 2)),))


def test_a_node_id_that_is_not_there_is_pointed_at(project: Path, flakehunt: Flakehunt) -> None:
    added = flakehunt("add", "test_it.py::test_no[a*b]", "--skip")
    assert added.returncode == 0
    assert (
        "note: test_it.py::test_no[a*b]: its file defines no such test: see that the node id is right\n" in added.stdout
    )
    assert "note: * stands for any text within the parameters; write [*] for the star itself\n" in added.stdout
    bad = flakehunt("add", b"test_it.py::test_\xff".decode("utf-8", "surrogateescape"), "--skip")
    assert (bad.returncode, bad.stderr) == (
        2,
        "flakehunt: 'test_it.py::test_\\udcff': no file in UTF-8 can hold this node id\n",
    )


def test_from_another_folder_node_ids_begin_from_the_configuration(
    project: Path, flakehunt: Flakehunt, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (project / "ci").mkdir()
    (project / "flakehunt-quarantine.toml").rename(project / "ci" / "excused.toml")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert flakehunt("check", "--file", str(project / "ci" / "excused.toml")).returncode == 0


def test_deselected_tests_are_still_there(project: Path, flakehunt: Flakehunt) -> None:
    Path("pytest.ini").write_text("[pytest]\naddopts = -k sound\n", "utf-8")
    assert flakehunt("check").returncode == 0


def test_where_pytest_cannot_collect_nothing_is_held_for_gone(project: Path, flakehunt: Flakehunt) -> None:
    Path("shop.py").unlink()
    checked = flakehunt("check")
    assert checked.returncode == 0
    assert "note: pytest could not collect: whether the tests are still there is not known" in checked.stdout


class TestBase:
    """What a change adds, against the revision that it begins from."""

    @pytest.fixture(autouse=True)
    def begun(self, project: Path) -> None:
        write("")
        commit("no entries")

    def test_an_entry_alone_is_well(self, at_once: Flakehunt) -> None:
        write(entry())
        checked = at_once("check", "--base", "HEAD")
        assert (checked.returncode, checked.stdout) == (0, "flakehunt-quarantine.toml: 1 entry: nothing is wrong\n")

    def test_a_change_of_the_test_itself_is_refused(self, at_once: Flakehunt) -> None:
        write(entry())
        Path("test_it.py").write_text(SUITE.replace("< 3", "< 2"), "utf-8")
        commit("both")
        checked = at_once("check", "--base", "HEAD~1")
        assert checked.returncode == 1
        assert (
            "test_it.py::test_due is added, or excuses more, by a change that touches this very test\n  let it come in a change of its own, or "
            "add --allow test_it.py::test_due after a review\n"
        ) in checked.stdout
        assert at_once("check", "--base", "HEAD~1", "--allow", "test_it.py::test_due").returncode == 0

    def test_a_change_of_another_test_is_not(self, at_once: Flakehunt) -> None:
        write(entry())
        Path("test_it.py").write_text(SUITE.replace("assert shop\n", "assert shop.due\n"), "utf-8")
        assert at_once("check", "--base", "HEAD").returncode == 0

    @pytest.mark.parametrize("committed", [True, False])
    def test_a_change_of_the_failing_statement_is_refused(self, at_once: Flakehunt, committed: bool) -> None:
        write(entry(at="call ValueError shop.py::due raise ValueError(month)"))
        Path("shop.py").write_text(
            SHOP.replace("        raise ValueError(month)", "        raise ValueError(\n            month)"), "utf-8"
        )
        if committed:
            commit("both")
        checked = at_once("check", "--base", "HEAD~1" if committed else "HEAD")
        assert checked.returncode == 1
        assert (
            "is added, or excuses more, by a change that touches the failing statement: shop.py::due raise ValueError(month)"
            in checked.stdout
        )

    def test_a_new_file_that_git_does_not_know_yet_is_touched(self, at_once: Flakehunt) -> None:
        Path("test_new.py").write_text("def test_x():\n    assert 0\n", "utf-8")
        write(entry("test_new.py::test_x", "call AssertionError test_new.py::test_x assert 0"))
        assert "touches this very test" in at_once("check", "--base", "HEAD").stdout

    def test_what_does_not_say_where_it_fails_cannot_be_told(self, at_once: Flakehunt) -> None:
        text = entry()
        write("\n".join(line for line in text.splitlines() if not line.startswith("at = ")))
        checked = at_once("check", "--base", "HEAD")
        assert checked.returncode == 1
        assert f"is added, or excuses more, without what {named(*DUE.split(' ', 2))} stands for in at" in checked.stdout
        write(text.replace("<3", "<4"))  # a lie
        assert "is added, or excuses more, without what" in at_once("check", "--base", "HEAD").stdout

    def test_a_fingerprint_that_is_added_to_an_old_entry_is_looked_at_too(self, at_once: Flakehunt) -> None:
        write(entry())
        commit("an entry")
        more = "call ValueError shop.py::due raise ValueError(month)"
        first = named(*DUE.split(" ", 2))
        write(
            entry()
            .replace(f'["{first}"]', f'["{first}", "{named(*more.split(" ", 2))}"]')
            .replace(f"[{json.dumps(DUE)}]", json.dumps([DUE, more]))
        )
        assert at_once("check", "--base", "HEAD").returncode == 0
        Path("shop.py").write_text(SHOP.replace("(month)\n    return", "(month )\n    return"), "utf-8")
        assert "touches the failing statement" in at_once("check", "--base", "HEAD").stdout

    def test_the_limits_are_those_before_the_change(self, at_once: Flakehunt) -> None:
        write("max_days = 90\n" + entry(expires=60))
        assert at_once("check").returncode == 0
        checked = at_once("check", "--base", "HEAD")
        assert checked.returncode == 1
        assert "expires 60 days after it was added, and max_days allows 30" in checked.stdout
        assert (
            "max_days is raised from 30 to 90 by this change\n  leave it, or add --allow max_days after a review"
            in checked.stdout
        )
        write("max_excused = 11\n")
        assert at_once("check", "--base", "HEAD").returncode == 1
        assert at_once("check", "--base", "HEAD", "--allow", "max_excused").returncode == 0

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('message = "*timeout*"\n', ""),
            (f"expires = {day(14)}", f"expires = {day(15)}"),
        ],
    )
    def test_an_entry_that_excuses_more_than_it_did_is_a_new_one(self, at_once: Flakehunt, old: str, new: str) -> None:
        text = entry(at="call ValueError shop.py::due raise ValueError(month)", more='message = "*timeout*"\n')
        write(text)
        commit("an entry")
        Path("shop.py").write_text(SHOP.replace("ValueError(month)", "ValueError( month )  # touched"), "utf-8")
        assert at_once("check", "--base", "HEAD").returncode == 0
        write(text.replace(old, new))
        assert "touches the failing statement" in at_once("check", "--base", "HEAD").stdout

    @pytest.mark.parametrize("trick", ["attributes", "prefix", "text", "joined", "class"])
    def test_what_git_shows_of_a_difference_can_be_changed_and_is_not_relied_on(
        self, at_once: Flakehunt, trick: str
    ) -> None:
        shop, at = (
            SHOP.replace("ValueError(month)", "ValueError(month + 0)"),
            "call ValueError shop.py::due raise ValueError(month+0)",
        )
        if trick == "attributes":
            Path(".gitattributes").write_text("*.py -diff\n", "utf-8")
        elif trick == "prefix":
            git("config", "diff.noprefix", "true")
        elif trick == "text":
            shop = f'"""\n++ b/zzz.py\n"""\n{shop}'
        elif trick == "joined":
            shop, at = (
                shop.replace("(month + 0)", '("a & b")'),
                'call ValueError shop.py::due raise ValueError("a & b")',
            )
        else:
            shop = SHOP.replace("        raise ValueError(month)", "        class C:\n            x = 1 / 0")
            at = "call ZeroDivisionError shop.py::due.C x=1/0"
        Path("shop.py").write_text(shop, "utf-8")
        write(entry(at=at))
        checked = at_once("check", "--base", "HEAD")
        assert checked.returncode == 1
        assert "touches the failing statement" in checked.stdout

    def test_a_file_that_moves_has_the_usual_limits(self, at_once: Flakehunt) -> None:
        Path("q2.toml").write_text(f"version = 1\nmax_excused = 9999\n{entry()}", "utf-8")
        checked = at_once("check", "--base", "HEAD", "--file", "q2.toml")
        assert "max_excused is raised from 10 to 9999 by this change" in checked.stdout

    def test_no_revision_is_refused(self, at_once: Flakehunt) -> None:
        assert at_once("check", "--base", "").returncode == 2

    def test_what_is_not_run_any_more_is_pointed_at(self, at_once: Flakehunt) -> None:
        write(entry(more='mode = "skip"\n'))
        checked = at_once("check", "--base", "HEAD")
        assert checked.returncode == 0
        assert "warning: flakehunt-quarantine.toml:3: test_it.py::test_due is not run any more at all" in checked.stdout

    def test_a_revision_that_git_does_not_know_is_refused(self, at_once: Flakehunt) -> None:
        refused = at_once("check", "--base", "nowhere")
        assert refused.returncode == 2
        assert refused.stderr.startswith("flakehunt: --base 'nowhere': git knows no such revision in ")


FLAKY = """
import os

def test_due():
    assert os.environ.get("TZ") != "Asia/Kolkata" or {mended}
"""


class TestRelease:
    """Entries whose plans are replayed."""

    @pytest.fixture(autouse=True)
    def begun(self, project: Path) -> None:
        write(entry(more='plan = "timezone=Asia/Kolkata"\nseen = { failures = 20, runs = 20 }\n'))
        Path("test_it.py").write_text(FLAKY.format(mended=False), "utf-8")
        commit("flaky")

    def test_what_still_fails_stays(self, flakehunt: Flakehunt) -> None:
        before = Path("flakehunt-quarantine.toml").read_text("utf-8")
        said = flakehunt("release")
        assert said.returncode == 1
        assert said.stdout == "stays: test_it.py::test_due: it still fails (3 of 3)\n"
        assert Path("flakehunt-quarantine.toml").read_text("utf-8") == before

    def test_what_passes_as_often_as_its_rate_asks_for_leaves(self, flakehunt: Flakehunt) -> None:
        Path("test_it.py").write_text(FLAKY.format(mended=True), "utf-8")
        commit("mended\n\nFlake-Fix: test_it.py::test_due")
        dry = flakehunt("release", "--dry-run")
        assert dry.returncode == 0
        assert read(Path("flakehunt-quarantine.toml")).entries
        said = flakehunt("release", "--from-commits", "HEAD~1..HEAD")
        assert said.returncode == 0
        assert said.stdout.startswith(
            "passes: test_it.py::test_due: 0 of 3 under timezone=Asia/Kolkata; that excludes that it fails more than 71 % "
            "of the time (95 %)\n--- "
        ), said.stdout + said.stderr
        left = read(Path("flakehunt-quarantine.toml"))
        assert not left.entries
        (released,) = left.released
        assert (released.test, released.released, released.shown) == (
            "test_it.py::test_due", TODAY, "0 of 3 under timezone=Asia/Kolkata",
        )  # fmt: skip
        assert git("rev-parse", "--short=12", "HEAD").strip() == released.revision
        assert not Path(".flakehunt").exists()

    def test_what_is_skipped_is_no_evidence(self, flakehunt: Flakehunt) -> None:
        Path("test_it.py").write_text("import pytest\n\n@pytest.mark.skip\ndef test_due():\n    pass\n", "utf-8")
        said = flakehunt("release", "test_it.py::test_due")
        assert said.returncode == 1
        assert said.stdout == (
            "stays: test_it.py::test_due: 0 of the 3 attempts that its rate asks for ran to a result: what was skipped is no "
            "evidence\n"
        )

    def test_what_fails_every_time_is_not_released(self, flakehunt: Flakehunt) -> None:
        Path("test_it.py").write_text("def test_due():\n    assert 0\n", "utf-8")
        assert flakehunt("release").stdout == "stays: test_it.py::test_due: it fails every time (3 of 3)\n"

    def test_what_pytest_cannot_run_stays(self, flakehunt: Flakehunt) -> None:
        Path("test_it.py").write_text("import nowhere\n", "utf-8")
        said = flakehunt("release")
        assert said.returncode == 1
        assert said.stdout.startswith("stays: test_it.py::test_due: pytest ended with status ")

    def test_those_with_one_cause_leave_together_or_not_at_all(self, flakehunt: Flakehunt) -> None:
        more = 'seen = { failures = 20, runs = 20 }\ntogether = "calendar"\n'
        write(entry(more=more + 'plan = "timezone=Asia/Kolkata"\n') + entry("test_it.py::test_other", more=more))
        Path("test_it.py").write_text(FLAKY.format(mended=False) + "\ndef test_other():\n    pass\n", "utf-8")
        said = flakehunt("release")
        assert said.returncode == 1
        assert (
            "stays: test_it.py::test_other: it passes, but test_it.py::test_due has the same cause and does not\n"
            in said.stdout
        )
        assert len(read(Path("flakehunt-quarantine.toml")).entries) == 2

    def test_commits_that_name_nobody_are_told(self, flakehunt: Flakehunt) -> None:
        git("commit", "-q", "--allow-empty", "-m", "x\n\nFlake-Fix: test_it.py::test_gone")
        said = flakehunt("release", "--from-commits", "HEAD~1..HEAD")
        assert said.returncode == 0
        assert said.stdout == (
            "test_it.py::test_gone: named by a commit, and not quarantined\n"
            "no commit of HEAD~1..HEAD names a quarantined test in a trailer Flake-Fix\n"
        )
        assert "give BASE..HEAD" in flakehunt("release", "--from-commits", "nowhere..HEAD").stderr


def test_a_victim_is_replayed_after_what_pollutes_it(project: Path, flakehunt: Flakehunt) -> None:
    suite = "import shop\n\ndef test_first():\n    shop.X = 1\n\ndef test_due():\n    assert not hasattr(shop, 'X')\n"
    Path("test_it.py").write_text(suite, "utf-8")
    write(entry(more='after = ["test_it.py::test_first"]\nseen = { failures = 20, runs = 20 }\n'))
    # the fourth is made without a fork, as these may be why a test fails
    assert flakehunt("release").stdout == "stays: test_it.py::test_due: it fails every time (4 of 4)\n"
    Path("test_it.py").write_text(suite.replace("shop.X = 1", "pass"), "utf-8")
    said = flakehunt("release")
    assert said.returncode == 0
    assert "passes: test_it.py::test_due: 0 of 3 calm after test_it.py::test_first;" in said.stdout


def test_entries_with_stars_leave_when_all_that_they_mean_pass(project: Path, flakehunt: Flakehunt) -> None:
    suite = "import pytest\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_due(n):\n    assert n < 2\n"
    Path("test_it.py").write_text(suite, "utf-8")
    write(entry("test_it.py::test_due[*]", more="seen = { failures = 20, runs = 20 }\n"))
    assert flakehunt("release").stdout == "stays: test_it.py::test_due[*]: it fails every time (4 of 4)\n"
    Path("test_it.py").write_text(suite.replace("< 2", "< 3"), "utf-8")
    assert flakehunt("release").returncode == 0


@pytest.mark.parametrize("from_", ["report", "ledger"])
def test_an_entry_is_taken_from_what_a_hunt_said(project: Path, flakehunt: Flakehunt, from_: str) -> None:
    cause = Cause("order", "", "is a victim", Count(9, 9), Count(9, 0), 1e-3)
    evidence = Evidence(
        "call",
        "ValueError",
        "13",
        Place("shop.py", 1),
        kind="ValueError",
        statement="shop.py::due raise ValueError(month)",
    )
    mode = Mode(
        "0123456789abcdef",
        Outcome.FAILED,
        evidence,
        9,
        0,
        "",
        Contract.ENVIRONMENT,
        diagnosis=Diagnosis((cause,)),
        repro="/opt/bin/python -m pytest x",
    )
    tests = [
        Finding(
            f"test_it.py::test_{name}",
            "test_it.py",
            1,
            verdict,
            Count(9, 9),
            Interval(0.5, 1),
            Count(9, 0),
            Interval(0, 1),
            modes=(mode,),
        )
        for name, verdict in {"sound": Verdict.FRAGILE, "broken": Verdict.BROKEN}.items()
    ]
    trial = Trial(1, 9, 1.0, "2026-11-26T06:00:00+00:00", "3.13.0", "9.2.0", "linux", (), uid="a" * 32)
    text = document.text(Findings(trial, tuple(tests)))
    Path("report.json").write_text(text, "utf-8")
    source: tuple[str, ...] = ("--report", "report.json")
    if from_ == "ledger":
        source, ledger = (), Ledger(Path(".flakehunt/ledger.sqlite"))
        ledger.begin(trial, "2 cores", {}, Path.cwd())
        ledger.conclude(text)
        ledger.close()
    assert flakehunt("add", "test_it.py::test_sound", *source, "--reason", "soon").returncode == 0
    entry = read(Path("flakehunt-quarantine.toml")).entries[1]
    assert (entry.fingerprints, entry.cause, entry.seen.failures, entry.reason, entry.repro) == (
        ("0123456789abcdef",), "order: it is a victim", 9, "soon", "python -m pytest x",
    )  # fmt: skip
    assert entry.expires - entry.added == timedelta(days=14)
    assert len(entry.body) == 16
    assert entry.at == ("call ValueError shop.py::due raise ValueError(month)",)
    Path("bad.json").write_text('{"tests": [{"nodeid": "a.py::x", "modes": [{}]}]}', "utf-8")
    for words, said in {
        ("a.py::x", "--report", "bad.json"): "--report bad.json: it is no JSON report of a hunt: it is no report of a hunt: its schema is None, and 'pytest-flakehunt/1' is wanted",
        ("test_it.py::test_broken", "--report", "report.json"): "it failed in every calm attempt: it is broken, and quarantine is for what passes too",
        ("test_it.py::test_no", "--report", "report.json"): "it did not fail in report.json; those that did: test_it.py::test_sound, test_it.py::test_broken",
        ("test_it.py::test_no", "--report", "no.json"): "--report no.json: it is no JSON report of a hunt",
        ("test_it.py::test_no",): "it did not fail in " if from_ == "ledger" else "which failures are excused? hunt first, give --report with the JSON report of a hunt, --fingerprint, or --skip",
        ("test_it.py::test_due", "--skip"): "test_it.py::test_due: it has an entry already: change that one by hand, or remove it first",
        ("test_it.py::test_no", "--skip", "--expires", "soon"): "--expires soon: give a date, such as 2026-12-01",
    }.items():  # fmt: skip
        refused = flakehunt("add", *words)
        assert refused.returncode == 2
        assert said in refused.stderr


def test_entries_are_removed_by_their_names(project: Path, flakehunt: Flakehunt) -> None:
    refused = flakehunt("remove", "test_it.py::test_no")
    assert refused.stderr == (
        "flakehunt: test_it.py::test_no: it has no entry in flakehunt-quarantine.toml; flakehunt quarantine list shows "
        "those there are\n"
    )
    assert flakehunt("remove", "test_it.py::test_due").returncode == 0
    assert not read(Path("flakehunt-quarantine.toml")).entries


def test_the_file_is_found_from_below(project: Path, flakehunt: Flakehunt, monkeypatch: pytest.MonkeyPatch) -> None:
    below = project / "deep" / "down"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert "test_it.py::test_due" in flakehunt("list").stdout


def test_the_ledger_says_since_when_it_was_not_seen_failing(project: Path, flakehunt: Flakehunt) -> None:
    words = [
        "-pxdist.plugin",
        "-ppytest_flakehunt.plugin",
        "--flakehunt=4",
        "--flakehunt-only=timezone",
        "--flakehunt-diagnose=0",
    ]
    subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert f"not seen failing in this ledger, 0 of 4 since {day(0)}" in flakehunt("list").stdout
    checked = flakehunt("check")
    assert (
        f"warning: flakehunt-quarantine.toml:3: test_it.py::test_due was not seen failing since {day(0)}, in 4 attempts"
        in checked.stdout
    )
    Path("other.sqlite").write_text("no ledger")
    assert flakehunt("list", "--ledger", "other.sqlite").returncode == 2
    assert (
        flakehunt("list", "--ledger", "gone.sqlite").stderr
        == "flakehunt: --ledger gone.sqlite: there is no such file\n"
    )
