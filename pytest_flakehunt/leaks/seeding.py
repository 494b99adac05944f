"""Global generators of random numbers that are left seeded: all that draw from them later draw the same for ever."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Any

from pytest_flakehunt.ground import auditing
from pytest_flakehunt.ground.stand_ins import Maker, stand_in, standing
from pytest_flakehunt.leaks.log import Log
from pytest_flakehunt.model import LeakKind

NUMPY = "numpy.random"
OURS = __name__.partition(".")[0]
_frame = sys._getframe  # noqa: SLF001 - the only way to see who calls


class Seeding:
    """Notes who seeds a global generator, and who gives it another state; the caller meets the original alone."""

    def __init__(self, log: Log) -> None:
        self.log = log

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stand there for a while."""
        with ExitStack() as undo:

            def take(_name: str, numpy: Any) -> None:
                for name, maker in {"seed": self._seeds, "set_state": self._restores}.items():
                    original = getattr(numpy, name)
                    ours = stand_in(original, maker(original, NUMPY), f"{NUMPY}:{name}")
                    undo.callback(setattr, numpy, name, original)
                    setattr(numpy, name, ours)

            undo.enter_context(standing(self.stand_ins(), in_project=True))
            undo.enter_context(auditing.when_imported([NUMPY], take))
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what notes and passes on."""
        return {"random:seed": self._seeds, "random:setstate": self._restores}

    def _seeds(self, original: Callable[..., Any], name: str = "random") -> Callable[..., Any]:
        def seed(*args: Any, **kwargs: Any) -> Any:
            with suppress(Exception):
                given = next((value for value in (*args, *kwargs.values()) if value is not None), None)
                self._note(name, _frame(1), seeded=given is not None)
            return original(*args, **kwargs)

        return seed

    def _restores(self, original: Callable[..., Any], name: str = "random") -> Callable[..., Any]:
        def setstate(*args: Any, **kwargs: Any) -> Any:
            with suppress(Exception):
                self._note(name, _frame(1), seeded=False)
            return original(*args, **kwargs)

        return setstate

    def _note(self, name: str, frame: FrameType | None, *, seeded: bool) -> None:
        """Note a seed that the project chose; what we do ourselves changes nothing about it."""
        while frame is not None and frame.f_globals.get("__name__") == "random":
            frame = frame.f_back
        if frame is None or str(frame.f_globals.get("__name__")).partition(".")[0] == OURS:
            return
        before = self.log.seeded.pop(name, None)
        if before is not None and before.owner is not self.log.current:
            self.log.unmet.add(before.owner.nodeid)
        if seeded and (begun := self.log.begun(LeakKind.SEED, name, frame)):
            self.log.seeded[name] = begun
