"""Several settings told as one kind, in worlds whose truth is known: the kind that fails, and no wider one."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from pytest_flakehunt.analysis.kinds import ZONES, seen_at
from pytest_flakehunt.model import Setup
from tests.analysis.test_attribution import World, a_target, diagnosed, setting

NOW = datetime(2026, 11, 23, 12)


def zone(holds: Callable[[timedelta, bool], bool]) -> World:
    def world(setup: Setup) -> bool:
        name = setting(setup, "timezone")
        return bool(name) and holds(*seen_at(name, NOW))

    return world


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def width(setup: Setup) -> int:
    thing, _, value = setting(setup, "environ").partition("=")
    return int(value) if thing == "COLUMNS" else 80


def sentences(world: World, plan: str, seed: int = 1) -> tuple[list[str], int]:
    found, runs = diagnosed(world, a_target(plan), seed)
    return [cause.sentence for cause in found.causes], runs


@pytest.mark.parametrize(
    ("world", "plan", "words"),
    [
        (zone(lambda _, saving: saving), "Australia/Adelaide", "in zones with daylight saving"),
        (zone(lambda ahead, _: ahead > hours(0)), "Pacific/Kiritimati", "east of UTC"),
        (zone(lambda ahead, _: ahead < hours(0)), "America/St_Johns", "west of UTC"),
        (zone(lambda ahead, _: ahead != hours(0)), "Asia/Tokyo", "in zones other than UTC"),
        (zone(lambda ahead, _: ahead % hours(1) == hours(0.5)), "America/St_Johns", "in zones with half hours"),
        (
            zone(lambda ahead, _: ahead % hours(1) != hours(0)),
            "Asia/Kathmandu",
            "in zones that are no whole hours from UTC",
        ),
        (zone(lambda ahead, _: abs(ahead) > hours(13)), "Pacific/Kiritimati", "in zones more than 13 hours from UTC"),
    ],
)
def test_zones_are_told_as_the_kind_that_fails(world: World, plan: str, words: str) -> None:
    for seed in range(60):
        said, runs = sentences(world, f"timezone={plan}", seed)
        assert said == [f"fails {words}"]
        assert runs < 150


@pytest.mark.parametrize(
    "name", ["Australia/Adelaide", "Pacific/Kiritimati", "Asia/Kathmandu", "Europe/Moscow", *ZONES]
)
def test_one_zone_that_fails_is_no_kind(name: str) -> None:
    for seed in range(60):
        said, _ = sentences(lambda setup: setting(setup, "timezone") == name, f"timezone={name}", seed)
        assert said == [f"fails in the time zone {name}"]


@pytest.mark.parametrize(
    "holds",
    [
        lambda ahead, saving: saving and ahead > hours(0),
        lambda ahead, saving: saving or ahead > hours(13),
        lambda ahead, _: ahead > hours(10),
        lambda ahead, saving: True,
    ],
)
def test_zones_that_fit_no_kind_are_told_by_the_one_seen(holds: Callable[[timedelta, bool], bool]) -> None:
    said, _ = sentences(zone(holds), "timezone=Australia/Adelaide")
    assert len(said) == 1
    assert said[0].startswith("fails in the time zone ")


def test_nothing_is_said_where_two_kinds_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    here = lambda name: name != "Asia/Kathmandu"  # noqa: E731 - it alone tells them apart
    monkeypatch.setattr("pytest_flakehunt.perturbations.timezone.installed", here)
    said, _ = sentences(zone(lambda ahead, _: ahead % hours(1) == hours(0.5)), "timezone=America/St_Johns")
    assert said == ["fails in the time zone Asia/Kolkata"]


def test_a_rate_that_is_not_high_is_told_of_no_kind() -> None:
    east = zone(lambda ahead, _: ahead > hours(0))
    said = [diagnosed(lambda setup: 0.3 * east(setup), a_target("timezone=Asia/Tokyo"), seed)[0] for seed in range(60)]
    named = [found for found in said if found.causes]
    tried = [found for found in named if any(row.what.startswith("other settings") for row in found.tried)]
    assert len(named) >= 40
    assert len(tried) <= 3  # by chance it failed more often


def test_a_high_rate_is_told_as_a_kind_or_as_what_was_seen() -> None:
    east = zone(lambda ahead, _: ahead > hours(0))
    said = [sentences(lambda setup: 0.9 * east(setup), "timezone=Asia/Tokyo", seed)[0] for seed in range(60)]
    named = [sentence for one in said for sentence in one]
    assert {sentence for sentence in named if "in the time zone" not in sentence} == {"fails east of UTC"}
    assert named.count("fails east of UTC") >= 40


@pytest.mark.parametrize(
    ("fails", "plan", "sentence"),
    [
        ({"1"}, "cores=1", "fails with fewer than 2 cores"),
        ({"1", "2", "3"}, "cores=3", "fails with fewer than 4 cores"),
        ({"3"}, "cores=3", "fails on 3 cores"),
    ],
)
def test_cores_are_told_by_the_fewest_that_pass(fails: set[str], plan: str, sentence: str) -> None:
    said, runs = sentences(lambda setup: setting(setup, "cores") in fails, plan)
    assert said == [sentence]
    assert runs < 80


@pytest.mark.parametrize(
    ("holds", "plan", "sentence"),
    [
        (lambda columns: columns < 63, "COLUMNS=40", "fails where COLUMNS is below 63"),
        (lambda columns: columns < 80, "COLUMNS=40", "fails where COLUMNS is below 80"),
        (lambda columns: columns > 137, "COLUMNS=200", "fails where COLUMNS is above 137"),
        (lambda columns: columns == 40, "COLUMNS=40", "fails where COLUMNS=40 is set"),
        (lambda columns: columns < 63 and columns != 50, "COLUMNS=40", "fails where COLUMNS=60 is set"),
    ],
)
def test_widths_are_told_by_the_first_that_passes(holds: Callable[[int], bool], plan: str, sentence: str) -> None:
    said, runs = sentences(lambda setup: holds(width(setup)), f"environ={plan}")
    assert said == [sentence]
    assert runs < 120


LANGUAGES = {"de_DE", "fr_FR", "pt_BR", "es_ES", "it_IT", "tr_TR"}


def language(setup: Setup) -> str:
    return setting(setup, "locale").partition(".")[0]


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        (LANGUAGES, "in locales with a decimal comma"),
        ({"de_DE"}, "in the locale de_DE.UTF-8"),
        ({*LANGUAGES, "ja_JP", "hi_IN", "zh_CN", "ko_KR"}, "in the locale de_DE.UTF-8"),
    ],
)
def test_locales_are_told_by_their_comma(fails: set[str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_flakehunt.perturbations.locale.installed", lambda _: True)
    said, runs = sentences(lambda setup: language(setup) in fails, "locale=de_DE.UTF-8")
    assert said == [f"fails {words}"]
    assert runs < 120


def test_a_comma_is_not_said_where_no_other_language_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"de_DE.UTF-8", "fr_FR.UTF-8", "en_US.UTF-8", "C.UTF-8"}
    monkeypatch.setattr("pytest_flakehunt.perturbations.locale.installed", lambda name: name in here)
    said, _ = sentences(lambda setup: language(setup) in LANGUAGES, "locale=de_DE.UTF-8")
    assert said == ["fails in the locale de_DE.UTF-8"]


def test_how_many_were_tried_stands_in_the_evidence() -> None:
    found, _ = diagnosed(zone(lambda ahead, _: ahead > hours(0)), a_target("timezone=Asia/Tokyo"), 1)
    (row,) = [row for row in found.tried if row.what.startswith("other settings of timezone")]
    assert row.what.startswith("other settings of timezone, 11 in all: UTC, Africa/Abidjan, ")
    assert row.count.runs <= 60
    assert not row.decisive


def test_a_budget_that_ends_there_takes_no_cause_away() -> None:
    world = zone(lambda ahead, _: ahead > hours(0))
    whole, runs = diagnosed(world, a_target("timezone=Asia/Tokyo"), 1)
    short, _ = diagnosed(world, a_target("timezone=Asia/Tokyo"), 1, budget=runs - 5)
    assert [cause.sentence for cause in whole.causes] == ["fails east of UTC"]
    assert [cause.sentence for cause in short.causes] == ["fails in the time zone Asia/Tokyo"]
