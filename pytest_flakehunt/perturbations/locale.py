"""The language and country that the machine is set to."""

import locale
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import ClassVar

from pytest_flakehunt.model import SettingError
from pytest_flakehunt.perturbations.named import Named
from pytest_flakehunt.perturbations.replacing import set_variable

TELLING = (
    "de_DE.UTF-8",
    "tr_TR.UTF-8",
    "en_US.UTF-8",
    "fr_FR.UTF-8",
    "ja_JP.UTF-8",
    "ar_EG.UTF-8",
    "pt_BR.UTF-8",
    "hi_IN.UTF-8",
    "C.UTF-8",
)
"""A decimal comma, a dotless i, days and months in other words and order, other digits, and what servers have."""
VARIABLES = ("LC_ALL", "LC_CTYPE", "LANG", "LANGUAGE")


def settled() -> tuple[str | None, ...]:
    """Give what says which language and country a process is in: the environment, and how characters are taken."""
    return (*map(os.environ.get, VARIABLES), locale.setlocale(locale.LC_CTYPE))


AT_START = settled()
"""Before the suite was imported."""
CATEGORIES = tuple(
    getattr(locale, name)
    for name in ("LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME")
    if hasattr(locale, name)
)


def installed(name: str) -> bool:
    """Tell whether the C library knows a locale."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except (locale.Error, ValueError):
        return False
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return True


@dataclass(frozen=True, slots=True)
class Locale(Named):
    """A locale as the machine's: ``LC_ALL`` and ``LANG``, and ``setlocale`` as far as Python and the suite use it.

    Its name is as ``setlocale`` takes it, in UTF-8, such as ``de_DE.UTF-8``.
    """

    widely_known: ClassVar[tuple[str, ...]] = TELLING
    installed: ClassVar[Callable[[str], bool]] = staticmethod(installed)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let this process, and those it starts, take the locale for the machine's.

        As it starts, Python sets ``LC_CTYPE`` from the environment and
        leaves the other categories at ``C``; those that the suite has set
        since by ``setlocale(LC_ALL, "")`` would be this locale's too.
        """
        if Locales.withdrawn():
            yield
            return
        everything = locale.setlocale(locale.LC_ALL)
        before = {category: locale.setlocale(category) for category in CATEGORIES}
        machines = {category: machine for category in CATEGORIES if (machine := of_machine(category))}
        with ExitStack() as undo:
            undo.callback(locale.setlocale, locale.LC_ALL, everything)
            for variable, value in {"LANGUAGE": None, "LC_ALL": self.name, "LANG": self.name}.items():
                undo.enter_context(set_variable(variable, value))
            for category in CATEGORIES:
                if category == locale.LC_CTYPE or before[category] == machines.get(category) != "C":
                    locale.setlocale(category, self.name)
            yield


def of_machine(category: int) -> str:
    """Give what the environment says of a category; empty where it names a locale that is not installed."""
    before = locale.setlocale(category)
    try:
        return locale.setlocale(category, "")
    except locale.Error:
        return ""
    finally:
        locale.setlocale(category, before)


def same(one: str, other: str) -> bool:
    """Tell whether two names are one locale's.

    >>> same("C.utf8", "C.UTF-8"), same("C", "C.UTF-8")
    (True, False)
    """
    return locale.normalize(one).lower().replace("-", "") == locale.normalize(other).lower().replace("-", "")


class Locales:
    """The language and country of the machine."""

    name = "locale"
    sources = frozenset({"clock", "locale", "process", "timezone"})
    allowed = "the name of an installed locale in UTF-8, such as de_DE.UTF-8"

    @staticmethod
    def withdrawn() -> str:
        """Say why the locale is none of the machine's business here; empty where it is."""
        return "" if settled() == AT_START else "the suite sets the locale itself as it is imported"

    @property
    def unavailable(self) -> str:
        """Say why no locale can be set here; empty where one can."""
        return "" if self._others() else "no locale in UTF-8 is installed but the machine's own"

    def idle(self) -> str:
        """Say that this process stays in the locale that it was in; empty where it can be moved."""
        name = next(iter(self._others()), "C.UTF-8")
        with Locale(name).held():
            found = locale.setlocale(locale.LC_CTYPE)
        return "" if same(found, name) else f"set to {name}, the locale is {found}"

    @staticmethod
    def _others() -> list[str]:
        own = of_machine(locale.LC_CTYPE)
        return [name for name in TELLING if not same(name, own) and installed(name)]

    def draw(self, seed: int, turn: int) -> Locale:
        """The strangest first, then any of them."""
        names = self._others() or ["C.UTF-8"]
        return Locale(names[turn] if turn < len(names) else names[seed % len(names)])

    def read(self, text: str) -> Locale:
        """Read a locale's name: in another encoding than UTF-8 Python would have to start anew."""
        if not text.upper().replace("-", "").partition("@")[0].endswith(".UTF8") or not installed(text):
            raise SettingError(f"locale={text}: give {self.allowed}")
        return Locale(text)
