"""Whole searches in real repositories, with runs whose outcomes are known."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_flakehunt.bisecting.bench import Bench
from pytest_flakehunt.bisecting.bisection import Bisection, Ending
from pytest_flakehunt.bisecting.history import History
from pytest_flakehunt.bisecting.refusal import CannotBisect
from pytest_flakehunt.bisecting.tries import Kind, Notes, Tried, Wanted
from pytest_flakehunt.model import Count
from tests.bisecting.conftest import Repository

pytestmark = pytest.mark.thorough
Outcome = Callable[[int, int], Tried]
"""What so many runs give, at the revision of this number."""


def failing(count: int, how: str = "a") -> Tried:
    return Tried(count, {how: Kind(count, how.upper())})


class Bisected:
    """A search, what it told, and what it ran."""

    def __init__(
        self, repository: Repository, outcome: Outcome, good: str, bad: str, *, again: bool = False, **more: object
    ) -> None:
        history = History(repository.folder)
        self.numbers = {history.commit(f"v{n}"): n for n in range(1, repository.number + 1)}
        self.ran: list[tuple[int, int]] = []
        self.told: list[str] = []
        self.notes = Notes(repository.folder / ".flakehunt", Wanted("test_shop.py::test_price"))
        if not again:
            self.notes.tries.clear()
        numbers, ran = self.numbers, self.ran

        class Scripted(Bench):
            def _runs(self, revision: str, runs: int) -> Tried:
                ran.append((numbers[revision], runs))
                return outcome(numbers[revision], runs)

        bench = Scripted(history, Wanted("test_shop.py::test_price"), self.notes)
        tell = self.told.append
        self.search = Bisection(history, bench, self.notes, good, bad, tell, **more)  # type: ignore[arg-type]

    @property
    def tried(self) -> list[int]:
        return list(dict.fromkeys(number for number, _ in self.ran))

    def run(self) -> Ending:
        return self.search.run()


def from_on(first: int, *, skipped: tuple[int, ...] = (), how: str = "a") -> Outcome:
    def outcome(number: int, runs: int) -> Tried:
        if number in skipped:
            return Tried(why_not="it cannot be built")
        return failing(runs, how) if number >= first else Tried(runs)

    return outcome


def named(repository: Repository, number: int) -> str:
    return f"{repository.git('rev-parse', '--short=12', f'v{number}').strip()} number {number}"


def test_the_revision_is_told_with_what_it_is_worth(repository: Repository) -> None:
    repository.commits(6)
    bisected = Bisected(repository, from_on(4), "v1", "v6")
    ending = bisected.run()
    assert ending == Ending(
        True,
        f"began to fail with {named(repository, 4)} (fails 4 of 4; its parent 0 of 4; wrong with a chance of at most "
        "1.8 % if it fails at least 72 % of the time from then on)",
    )
    assert bisected.told[0] == f"bad      {named(repository, 6)}: fails 10 of 10"
    assert bisected.told[1] == "5 revisions, about 3 steps of 4 runs"
    assert bisected.told[2] == f"good     {named(repository, 1)}: fails 0 of 4"


@pytest.mark.parametrize("first", range(2, 10))
def test_a_branch_that_was_merged_is_searched_too(repository: Repository, first: int) -> None:
    """1 - 2 - 3 - 6 - 7(merges 5) - 8 - 9, with 4 - 5 on a branch from 2."""
    repository.commits(3)
    repository.git("checkout", "-q", "-b", "topic", "v2")
    repository.commits(2)
    repository.git("checkout", "-q", "main")
    repository.commit()
    repository.number += 1
    repository.git("merge", "-q", "--no-ff", "-s", "ours", "-m", "number 7", "topic")
    repository.git("tag", "v7")
    repository.commits(2)

    def outcome(number: int, runs: int) -> Tried:
        said = repository.git("tag", "--merged", f"v{number}")
        return failing(runs) if f"v{first}\n" in said else Tried(runs)

    ending = Bisected(repository, outcome, "v1", "v9").run()
    assert ending.found
    assert ending.text.startswith(f"began to fail with {named(repository, first)} (")
    assert "not run" not in ending.text
    assert ("its parents " in ending.text) == (first == 7)


def test_where_the_histories_part_is_looked_at_where_one_does_not_contain_the_other(repository: Repository) -> None:
    repository.commits(2)
    repository.git("checkout", "-q", "-b", "other")
    repository.commit()  # 3, which passes
    repository.git("checkout", "-q", "main")
    repository.commits(3)
    ending = Bisected(repository, lambda n, runs: failing(runs) if n > 4 else Tried(runs), "other", "v6").run()
    assert ending.text.startswith(f"began to fail with {named(repository, 5)} (")
    mended = Bisected(repository, lambda n, runs: failing(runs) if n != 3 else Tried(runs), "other", "v6").run()
    assert mended == Ending(
        False,
        "it fails at where other parts from it already: give a GOOD that is earlier than "
        f"{named(repository, 2).split()[0]}",
    )


def test_those_that_cannot_be_judged_are_a_range(repository: Repository) -> None:
    repository.commits(9)
    bisected = Bisected(repository, from_on(6, skipped=(4, 5)), "v1", "v9")
    ending = bisected.run()
    assert not ending.found
    first, *lines = ending.text.splitlines()
    assert first.startswith("began to fail with one of these, of which only the last could be judged (wrong with ")
    assert {*lines[:-1]} == {f"  {named(repository, 4)}", f"  {named(repository, 5)}"}
    assert lines[-1] == f"  {named(repository, 6)}"
    assert f"skipped  {named(repository, 5)}: it cannot be built" in bisected.told
    beside = Bisected(repository, from_on(8, skipped=(4, 5)), "v1", "v9").run()
    assert beside.text.startswith(f"began to fail with {named(repository, 8)} (")


def test_another_failure_is_told_and_decides_nothing(repository: Repository) -> None:
    repository.commits(5)

    def outcome(number: int, runs: int) -> Tried:
        return failing(runs, "b") if number == 3 else from_on(4)(number, runs)

    bisected = Bisected(repository, outcome, "v1", "v5")
    ending = bisected.run()
    assert not ending.found
    assert f"skipped  {named(repository, 3)}: it fails otherwise, 4 of 4: B" in bisected.told


def test_a_failure_that_is_named_is_the_one_that_counts(repository: Repository) -> None:
    repository.commits(6)

    def outcome(number: int, runs: int) -> Tried:
        if number < 3:
            return Tried(runs)
        kinds = {"b": Kind(3, "B"), **({"a": Kind(4, "A")} if number >= 5 else {})}
        return Tried(10, kinds)

    bisected = Bisected(repository, outcome, "v1", "v6", fingerprint="a")
    assert bisected.run().text.startswith(f"began to fail with {named(repository, 5)} (fails 4 of 10; its parent 0 of ")
    assert "         it fails otherwise as well: B (3)" in bisected.told
    other = Bisected(repository, outcome, "v1", "v6", fingerprint="b")
    assert other.run().text.startswith(f"began to fail with {named(repository, 3)} (")


def test_a_rate_that_is_known_says_how_often_each_is_run(repository: Repository) -> None:
    repository.commits(4)
    certain = Bisected(repository, from_on(3), "v1", "v4", seen=Count(40, 40))
    assert certain.run().found
    assert certain.ran[0] == (4, 10)
    assert {runs for _, runs in certain.ran[1:]} == {3}
    half = Bisected(repository, from_on(3), "v1", "v4", rate=0.5)
    assert half.run().text.endswith("if it fails at least 50 % of the time from then on)")
    assert half.ran[:2] == [(4, 10), (1, 7)]
    assert {runs for _, runs in half.ran[2:]} <= {6, 7}


def test_a_rate_that_does_not_hold_at_the_bad_revision_is_measured(repository: Repository) -> None:
    repository.commits(3)

    def outcome(number: int, runs: int) -> Tried:
        return Tried(runs, {"a": Kind(runs // 5, "A")}) if number == 3 else Tried(runs)

    bisected = Bisected(repository, outcome, "v1", "v3", seen=Count(40, 40))
    assert bisected.run().text.startswith(
        f"began to fail with {named(repository, 3)} (fails 16 of 80; its parent 0 of "
    )
    assert bisected.told[0] == "it fails 2 of 10 here, which is less than it did: it is measured"
    assert "if it fails at least 13 % of the time" in bisected.run().text


def test_a_rate_that_is_given_holds_and_is_contradicted(repository: Repository) -> None:
    repository.commits(3)

    def outcome(number: int, runs: int) -> Tried:
        return Tried(runs, {"a": Kind(1, "A")}) if number == 3 else Tried(runs)

    bisected = Bisected(repository, outcome, "v1", "v3", rate=0.9)
    assert bisected.run().text.endswith("if it fails at least 90 % of the time from then on)")
    assert bisected.told[0] == "it fails 1 of 10 here, which is less than --rate 0.9 says"


def test_what_is_known_of_earlier_calls_is_not_run_again(repository: Repository) -> None:
    repository.commits(6)
    first = Bisected(repository, from_on(4), "v1", "v6")
    said = first.run()
    again = Bisected(repository, from_on(4), "v1", "v6", again=True)
    assert again.run() == said
    assert again.ran == []
    assert again.told == first.told
    more = Bisected(repository, from_on(4), "v1", "v6", again=True, error=0.001)
    more.run()
    assert more.ran
    assert all(runs < 5 for _, runs in more.ran)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (from_on(9), "it does not fail at v4 ({4}), 0 of 300: give the plan that it fails under, with --plan"),
        (from_on(1), "it fails at v1 already: give a GOOD that is earlier than {1}"),
    ],
)
def test_ends_that_do_not_differ_are_told(repository: Repository, outcome: Outcome, said: str) -> None:
    repository.commits(4)
    ending = Bisected(repository, outcome, "v1", "v4").run()
    bad, good = named(repository, 4), named(repository, 1).split()[0]
    assert ending == Ending(False, said.replace("{4}", bad).replace("{1}", good))


def test_a_bad_revision_that_fails_otherwise_is_told(repository: Repository) -> None:
    repository.commits(2)
    ending = Bisected(repository, from_on(2, how="b"), "v1", "v2", fingerprint="a", rate=1.0).run()
    assert ending.text == f"it does not fail so at v2 ({named(repository, 2)}), 0 of 10: it fails otherwise, B"


@pytest.mark.parametrize(
    ("good", "bad", "outcome", "said"),
    [
        ("v4", "v1", from_on(2), "v4 contains v1: the revision that passes has to be the earlier one; give GOOD first, then BAD"),
        ("v1", "nowhere", from_on(2), "nowhere: git knows no such revision; give a commit, a tag or a branch"),
        ("v1", "v4", from_on(2, skipped=(4,)), "the test cannot be run at v4 ({4}): it cannot be built"),
        ("v1", "v4", from_on(2, skipped=(1,)), "whether it passes at v1 cannot be told: it cannot be built; give another GOOD, one that has the test, or bring the test there with --prepare"),
        ("v1", "v4", lambda n, runs: Tried(runs, {"a": Kind(1, "A")} if runs > 40 else {}), "it fails too rarely, perhaps 0.18 % of the time: a revision would need 2514 runs to be called good, and 300 are allowed; give a --plan that it fails under more often, a larger --error, or more --runs"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(
    repository: Repository, good: str, bad: str, outcome: Outcome, said: str
) -> None:
    repository.commits(4)
    with pytest.raises(CannotBisect) as refused:
        Bisected(repository, outcome, good, bad).run()
    assert str(refused.value) == said.replace("{4}", named(repository, 4))


def test_submodules_are_noted(repository: Repository) -> None:
    repository.commit()
    repository.commit(files={".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ../x\n'})
    bisected = Bisected(repository, from_on(2), "v1", "v2")
    bisected.run()
    assert bisected.told[0] == "note: submodules are not checked out; --prepare may fetch what is needed of them"


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotBisect, match="is in no repository that git reads here: call flakehunt where the project"):
        History(tmp_path)
