"""Several settings of one perturbation told as one: the kind that fits all that were tried, and no more."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pytest_flakehunt.analysis import naming
from pytest_flakehunt.analysis.notebook import Notebook
from pytest_flakehunt.analysis.reduction import Experiment, Rates, decide, tally
from pytest_flakehunt.analysis.target import Target
from pytest_flakehunt.model import Cause, Count, Diagnosis, Setting, SettingError, Setup

LEAST_HIGH = 0.5
"""How often it must fail with the cause, at least: otherwise a few runs tell nothing of a setting."""
MOST_LOW = 0.2
"""How often it may fail without."""
MOST_EACH = 12
"""Runs of one setting."""
LEAST_FAILING = LEAST_PASSING = 2
"""Settings of a kind that must fail, and of all others that must pass, before the kind is said."""
ZONES = (
    *("UTC", "Africa/Abidjan", "Asia/Tokyo", "America/New_York", "America/Phoenix", "Asia/Kolkata", "Australia/Sydney"),
    *("Europe/Berlin", "Pacific/Marquesas", "Asia/Kathmandu", "Etc/GMT-14", "Pacific/Kiritimati"),
)
"""East and west, with daylight saving and without, with half hours and with whole ones, and the farthest."""
COMMA = ("de_DE", "fr_FR", "pt_BR", "es_ES", "it_IT", "tr_TR", "ru_RU", "nl_NL", "pl_PL", "sv_SE")
POINT = ("C", "en_US", "ja_JP", "hi_IN", "zh_CN", "en_GB", "ko_KR")
"""Locales by the mark before decimals."""
ENGLISH = frozenset({"C", "en_US", "en_GB"})
LOCALES = tuple(f"{name}.UTF-8" for name in (*COMMA[:5], *POINT))
USUAL_WIDTH = 80
STEP = 10
"""Columns between the widths that a reduction tries."""


class Zone(NamedTuple):
    """What is remarkable about a zone at some moment."""

    ahead: timedelta
    """Of UTC."""
    saving: bool


ZONE_KINDS: Mapping[str, Callable[[Zone], bool]] = {
    "in zones other than UTC": lambda zone: zone.ahead != timedelta(0),
    "in zones with daylight saving": lambda zone: zone.saving,
    "east of UTC": lambda zone: zone.ahead > timedelta(0),
    "west of UTC": lambda zone: zone.ahead < timedelta(0),
    "in zones with half hours": lambda zone: zone.ahead % timedelta(hours=1) == timedelta(minutes=30),
    "in zones that are no whole hours from UTC": lambda zone: zone.ahead % timedelta(hours=1) != timedelta(0),
    "in zones more than 13 hours from UTC": lambda zone: abs(zone.ahead) > timedelta(hours=13),
}
"""By what completes "the test fails …"."""


@dataclass(slots=True)
class Kinds:
    """The experiments on other settings of one perturbation of a setup that fails."""

    target: Target
    book: Notebook
    setup: Setup
    rates: Rates
    _tried: dict[str, Count] = field(default_factory=dict)
    """Runs and failures of each other setting."""

    def told(self, diagnosis: Diagnosis) -> Experiment[Diagnosis]:
        """Say causes by the kind of setting that they are, where a kind is shown."""
        if self.rates.high < LEAST_HIGH or self.rates.low > MOST_LOW:
            return diagnosis
        causes: list[Cause] = []
        for cause in diagnosis.causes:
            words = yield from self._words(cause.perturbation, cause.setting)
            if self._tried:
                said = f"{len(self._tried)} in all: {', '.join(self._tried)}"
                self.book.note(f"other settings of {cause.perturbation}, {said}", _sum(self._tried.values()))
                self._tried.clear()
            causes.append(self._said(cause, words) if words else cause)
        return replace(diagnosis, causes=tuple(causes), tried=tuple(self.book.tried))

    def _said(self, cause: Cause, words: str) -> Cause:
        plan = self.setup.plan
        others = sorted(plan.names - {cause.perturbation})
        return replace(cause, sentence=naming.sentence(cause.perturbation, cause.setting, words, others, plan))

    def _words(self, name: str, setting: str) -> Experiment[str]:
        """Give what completes "the test fails …"; empty where it is this setting only, for all that is shown."""
        match name, setting.partition("="):
            case "timezone", _:
                return (yield from self._zone(setting))
            case "locale", _:
                return (yield from self._locale(setting))
            case "cores", _:
                return (yield from self._cores(int(setting)))
            case "environ", ("COLUMNS", _, width):
                return (yield from self._columns(int(width)))
        return ""

    def _zone(self, setting: str) -> Experiment[str]:
        fails = yield from self._each("timezone", [zone for zone in ZONES if zone != setting])
        clock = self.setup.plan.setting("clock")
        shown = str(clock).removeprefix("frozen:") if clock is not None else "+0s"
        moment = naming.local(shown, self.target.now)
        zones = {name: seen_at(name, moment) for name in (*fails, setting)}
        fails[setting] = True
        kinds = {words: {zone for zone in zones if meant(zones[zone])} for words, meant in ZONE_KINDS.items()}
        fitting = [words for words, members in kinds.items() if _fits(fails, members)]
        return fitting[0] if len(fitting) == 1 else ""

    def _locale(self, setting: str) -> Experiment[str]:
        if _language(setting) not in COMMA:
            return ""
        fails = yield from self._each("locale", [name for name in LOCALES if name != setting])
        fails[setting] = True
        # Or it may be the language that matters, and not the comma.
        foreign = any(_language(name) in POINT and _language(name) not in ENGLISH for name in fails)
        comma = _fits(fails, {name for name in fails if _language(name) in COMMA})
        return "in locales with a decimal comma" if comma and foreign else ""

    def _cores(self, count: int) -> Experiment[str]:
        fails = yield from self._each("cores", [str(one) for one in dict.fromkeys((count + 1, 1)) if one != count])
        enough = not fails.get(str(count + 1), True)
        return f"with fewer than {count + 1} cores" if enough and fails.get("1", True) else ""

    def _columns(self, width: int) -> Experiment[str]:
        """Find the width from which on it fails, or up to which."""
        away = 1 if width <= USUAL_WIDTH else -1
        far = [width + away * STEP, width + away * 8 * STEP, width - away * STEP, width - away * 2 * STEP]
        fails = yield from self._each("environ", [f"COLUMNS={max(20, one)}" for one in far])
        replies = list(fails.values())
        if len(replies) < len(far) or replies != [False, False, True, True]:
            return ""
        bad, good = width, width + away * STEP
        while abs(good - bad) > 1:
            middle = (good + bad) // 2
            (failed,) = (yield from self._each("environ", [f"COLUMNS={middle}"])).values()
            bad, good = (middle, good) if failed else (bad, middle)
        return f"where COLUMNS is {'below' if away > 0 else 'above'} {good}"

    def _each(self, name: str, settings: Sequence[str]) -> Experiment[dict[str, bool]]:
        """Decide for each of some settings whether it fails, those left out that are not to be had here."""
        fails: dict[str, bool] = {}
        for text in settings:
            setting = self._read(name, text)
            if setting is not None:
                other = replace(self.setup, plan=self.setup.plan.joined(name, setting))
                fails[text], runs = yield from _decided(other, self.rates)
                self._tried[text] = runs
        return fails

    def _read(self, name: str, text: str) -> Setting | None:
        try:
            return self.target.known[name].read(text)
        except SettingError:
            return None


def _decided(setup: Setup, rates: Rates) -> Experiment[tuple[bool, Count]]:
    """Decide, and count the runs that it took."""
    deciding = decide(setup, rates, MOST_EACH)
    asked, count = next(deciding), Count()
    while True:
        seen = yield asked
        count = count.plus(*tally(seen))
        try:
            asked = deciding.send(seen)
        except StopIteration as end:
            return bool(end.value), count


def _sum(counts: Iterable[Count]) -> Count:
    total = Count()
    for count in counts:
        total = total.plus(*count)
    return total


def _fits(fails: Mapping[str, bool], members: Collection[str]) -> bool:
    """Tell whether the members of a kind, and no others, fail; there must be several of each."""
    failing = {name for name, failed in fails.items() if failed}
    return failing == set(members) and len(failing) >= LEAST_FAILING and len(fails) - len(failing) >= LEAST_PASSING


def seen_at(name: str, moment: datetime) -> Zone:
    """Tell what is remarkable about a zone at a local time.

    >>> seen_at("Europe/Berlin", datetime(2026, 7, 1))
    Zone(ahead=datetime.timedelta(seconds=7200), saving=True)
    """
    zone = ZoneInfo(name)

    def ahead(at: datetime) -> timedelta:
        return at.replace(tzinfo=zone).utcoffset() or timedelta(0)

    winter, summer = (ahead(moment.replace(month=month, day=1)) for month in (1, 7))
    return Zone(ahead(moment), winter != summer)


def _language(name: str) -> str:
    return name.partition(".")[0]
