"""Clock bugs with one window and with two, in worlds whose truth is known."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

import pytest

from pytest_flakehunt.analysis.moments import Naming
from pytest_flakehunt.analysis.reduction import Experiment
from pytest_flakehunt.analysis.windows import MOST_MOMENTS, Windows, reading
from pytest_flakehunt.model import Setup
from tests.analysis.test_attribution import a_target, diagnosed, setting
from tests.analysis.test_moments import BERLIN, DATES, HOURS, HOURS_OF_DATES, NOW, STRETCHES, both, daily, since

World = Callable[[datetime], bool]


def on(month: int, day: int) -> World:
    return lambda m: (m.month, m.day) == (month, day)


def either(*worlds: World) -> World:
    return lambda m: any(world(m) for world in worlds)


class Asked:
    """What was asked of a world: moments decided, and moments looked at."""

    def __init__(self, world: World) -> None:
        self.world, self.decided, self.looked = world, list[datetime](), list[datetime]()

    def fails(self, moment: datetime) -> Experiment[bool]:
        self.decided.append(moment)
        yield ()
        return self.world(moment)

    def look(self, moments: Sequence[datetime]) -> Experiment[list[bool]]:
        self.looked.extend(moments)
        yield ()
        return [self.world(moment) for moment in moments]


def inquire(
    world: World, failing: str, survey: Sequence[str] = (), now: datetime = NOW, seed: int = 0
) -> tuple[Naming, Asked]:
    """Name a world; the survey saw some moments, too."""
    asked = Asked(world)
    windows = Windows(now, BERLIN, seed, asked.fails, asked.look)
    seen = [(datetime.fromisoformat(one), world(datetime.fromisoformat(one))) for one in survey]
    experiment = windows.named(datetime.fromisoformat(failing), seen)
    try:
        next(experiment)
        while True:
            experiment.send(())
    except StopIteration as end:
        said: Naming = end.value
        return said, asked


LEAP_SECONDS = either(both(on(6, 30), daily("12:00", "24")), both(on(12, 30), daily("23:00", "24")))


@pytest.mark.parametrize(
    ("world", "failing", "survey", "words"),
    [
        (
            LEAP_SECONDS,
            "2027-06-30T13:00:00",
            [],
            "on 30 June between 12:00 and midnight, and on 30 December between 23:00 and midnight",
        ),
        (
            LEAP_SECONDS,
            "2027-12-30T23:59:58",
            ["2027-06-30T12:00:00"],
            "on 30 December between 23:00 and midnight, and on 30 June between 12:00 and midnight",
        ),
        (either(on(2, 29), on(10, 17)), "2028-02-29T23:59:58", ["2029-10-17T08:00:00"], "on 29 February, and on 17 October"),
        (either(on(2, 29), on(12, 31)), "2028-02-29T23:59:58", [], "on 29 February, and on 31 December"),
        (
            either(since("2038-01-19T03:14:08"), on(2, 29)),
            "2040-06-15T12:00:00",
            [],
            "from 2038-01-19T03:14:08 on, and at 2028-02-29T23:59:00, among others",
        ),
    ],
)  # fmt: skip
def test_two_windows_are_both_named(world: World, failing: str, survey: list[str], words: str) -> None:
    said = [inquire(world, failing, survey, seed=seed) for seed in range(6)]
    assert {naming.words for naming, _ in said} <= {words, f"at {failing}"}
    assert sum(naming.words == words for naming, _ in said) >= 5
    assert all(naming.certain == (naming.words == words) for naming, _ in said)
    assert max(len(asked.decided) for _, asked in said) < 150
    assert max(len(asked.looked) for _, asked in said) <= MOST_MOMENTS


@pytest.mark.parametrize(("world", "failing", "words"), STRETCHES + DATES + HOURS + HOURS_OF_DATES)
def test_what_is_named_in_one_go_gets_no_second_window(world: World, failing: str, words: str) -> None:
    survey = ["2027-06-30T23:59:58", "2027-12-31T23:59:59.995", "2027-03-04T12:00:00"]
    naming, asked = inquire(world, failing, survey)
    assert naming.words == words
    assert len(asked.looked) <= MOST_MOMENTS


@pytest.mark.parametrize("world", [on(2, 29), both(on(2, 29), daily("22:00", "24")), since("2028-02-29")])
def test_one_window_gets_no_second_one_whatever_is_drawn(world: World) -> None:
    for seed in range(20):
        naming, _ = inquire(world, "2028-02-29T23:59:58", ["2027-06-30T23:59:58", "2027-02-28T12:00:00"], seed=seed)
        assert ", and " not in naming.words
        assert naming.certain


def test_a_window_that_cannot_be_told_is_named_by_the_moment_seen() -> None:
    world = either(on(2, 29), daily("02:30", "03:00"))
    said = {inquire(world, "2028-02-29T23:59:58", ["2027-03-28T02:45:00"], seed=seed)[0].words for seed in range(9)}
    assert said <= {"on 29 February, and between 02:30 and 03:00", "on 29 February, and at 2027-03-28T02:45:00"}


def test_no_more_than_forty_moments_are_looked_at_for_a_second_window() -> None:
    _, asked = inquire(on(2, 29), "2028-02-29T23:59:58")
    assert len(asked.looked) <= MOST_MOMENTS
    assert len(asked.decided) < 60


def test_words_are_not_certain_where_the_survey_saw_it_pass_though_they_say_it_fails() -> None:
    world = both(on(6, 30), lambda m: m.year < 2039)
    naming, _ = inquire(world, "2027-06-30T23:59:58", ["2041-06-30T12:00:00"])
    assert naming == ("at 2027-06-30T12:00:00", datetime(2027, 6, 30, 12), False)


def test_a_window_is_not_taken_for_part_of_the_condition_of_another_one() -> None:
    world = either(on(6, 30), on(8, 30))
    said = {inquire(world, "2027-06-30T12:00:00", seed=seed)[0].words for seed in range(12)}
    assert said == {"on 30 June, and on 30 August"}


def test_a_clock_that_is_looked_at_late_takes_no_more_moments_and_moves_no_edge() -> None:
    late = timedelta(seconds=0.17)
    naming, asked = inquire(lambda m: LEAP_SECONDS(m + late), "2027-06-30T23:59:58")
    assert naming.words == "on 30 June between 12:00 and midnight, and on 30 December between 23:00 and midnight"
    assert len(asked.decided) < 60


def test_a_third_window_is_hinted_at_but_not_named() -> None:
    naming, _ = inquire(either(on(3, 7), on(5, 7), on(9, 7)), "2027-03-07T23:59:58")
    assert naming.words == "on 7 March, and on 7 May, among others"


@pytest.mark.parametrize(("world", "failing", "words"), STRETCHES + DATES + HOURS_OF_DATES[:-2])
def test_words_are_read_back_as_they_are_meant(world: World, failing: str, words: str) -> None:
    at = datetime.fromisoformat(failing)
    foretold = reading(Naming(words, at, certain=True), at, BERLIN)
    assert foretold is not None
    chance = Random(words)
    told = 0
    for _ in range(300):
        moment = NOW + timedelta(seconds=chance.randrange(12 * 365 * 86400))
        said = foretold(moment)
        told += said is not None
        assert said in {None, world(moment)}
    assert told > 100


def test_both_windows_stand_in_the_cause_of_a_whole_diagnosis() -> None:
    def world(setup: Setup) -> bool:
        clock = setting(setup, "clock")
        return bool(clock) and LEAP_SECONDS(datetime.fromisoformat(clock))

    for seed in range(6):
        found, runs = diagnosed(world, a_target("clock=2027-06-30T13:00:00", seed=seed), seed)
        (cause,) = found.causes
        assert cause.sentence == (
            "fails on 30 June between 12:00 and midnight, and on 30 December between 23:00 and midnight"
        )
        assert runs < 600
