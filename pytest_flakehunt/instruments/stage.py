"""Holding a plan while tests run, whether in a zygote's child or in an ordinary run."""

import sys
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import pytest

from pytest_flakehunt.ground import project
from pytest_flakehunt.model import AtCall, AtImport, Disputable, PerSweep, PerTest, Plan, Repeating

DEPTH = 3
"""How deep in lists and such a parameter may hold one that is used up."""


class Stage:
    """A pytest plugin that sets the plan's settings for each test, and repeats tests."""

    def __init__(self, plan: Plan, unheld: Mapping[str, Collection[str]] = {}) -> None:
        self.turn = 1
        """Which run of the present test this is, from 1."""
        self._repeating = False
        self.take(plan, unheld)

    def take(self, plan: Plan, unheld: Mapping[str, Collection[str]]) -> None:
        """Turn to another plan.

        Args:
            plan: what is held from now on.
            unheld: by perturbation, node ids of tests for which it is not.
        """
        self.plan, self._unheld = plan, unheld
        self._per_sweep = [setting for _, setting in plan.settings if isinstance(setting, PerSweep)]
        settings = [setting for _, setting in plan.settings]
        self._per_test = [(name, setting) for name, setting in plan.settings if isinstance(setting, PerTest)]
        self.at_call = [setting for setting in settings if isinstance(setting, AtCall)]
        self.times = max((setting.times for setting in settings if isinstance(setting, Repeating)), default=1)
        self.patient = plan.patience > 1

    def held(self) -> AbstractContextManager[object]:
        """Hold in this process what lasts for the sweep."""
        if (fake := sys.modules.get("pyfakefs.fake_filesystem_unittest")) is not None:
            ours = [module for name, module in sys.modules.items() if name.startswith("pytest_flakehunt")]
            fake.Patcher.SKIPMODULES.update(ours)  # what we write must not go to a file system that is not there
        return _all_held(self._per_sweep) if self._per_sweep else nullcontext()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Run all turns of a repeated test but the last, which then goes its ordinary way."""
        del nextitem
        if self._repeating:
            with self._held_for(item):
                return (yield)
        if self.times > 1 and repeatable(item):
            self._repeat(item)
        elif not self._per_test:
            return (yield)
        try:
            with self._held_for(item):
                return (yield)
        finally:
            self.turn = 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        """Let settings act on what the test's own code is about to see."""
        for setting in self.at_call:
            setting.called()

    def _repeat(self, item: pytest.Item) -> None:
        restore = remembering(item)
        self._repeating = True
        try:
            for turn in range(1, self.times):
                self.turn = turn
                # the parent stands in for the next item: only what belongs to this one test is torn down
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=item.parent)
                restore()
        finally:
            self._repeating = False
        self.turn = self.times

    @contextmanager
    def _held_for(self, item: pytest.Item) -> Iterator[None]:
        """Hold what is drawn by test; what runs again draws anew, lest its own names meet it there."""
        name = item.nodeid if self.turn == 1 else f"{item.nodeid} {self.turn}"
        with ExitStack() as undo:
            for perturbation, setting in self._per_test:
                if item.nodeid not in self._unheld.get(perturbation, ()):
                    undo.enter_context(setting.held_for(name))
            yield

    def disputed(self, error: BaseException, item: pytest.Item) -> str:
        """Say why a failure says nothing of its test: the perturbation that stands down for it, and the reason."""
        for name, setting in self.plan.settings:
            if isinstance(setting, Disputable) and (why := setting.disputed(error, getattr(item, "function", None))):
                return f"{name} stands down for {item.nodeid}: {why}"
        return ""

    def unfit(self) -> str:
        """Say what the plan plays that did not take place in the last test; empty where all did."""
        for name, setting in self.plan.settings:
            missed: list[str] = getattr(setting, "missed", [])
            if missed:
                said = f"{name}: {missed[-1]}"
                missed.clear()
                return said
        return ""

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """Keep pytest-timeout's short limits from blaming a test for being slowed down: ours is stretched."""
        del item
        return True if self.patient else None


@contextmanager
def _all_held(settings: Iterable[PerSweep]) -> Iterator[None]:
    with ExitStack() as undo:
        for setting in settings:
            undo.enter_context(setting.held())
        yield


def repeatable(item: pytest.Item) -> bool:
    """Tell whether a test can run twice at all: a parameter that is used up by the first run cannot."""
    callspec = getattr(item, "callspec", None)
    return callspec is None or not any(used_up(value) for value in callspec.params.values())


def used_up(value: object, depth: int = DEPTH) -> bool:
    """Tell whether a value is used up as it is read, or holds one that is.

    >>> used_up([(number for number in "ab")]), used_up([["a"], {"b": range(3)}])
    (True, False)
    """
    if hasattr(type(value), "__next__"):
        return True
    held = value.values() if isinstance(value, dict) else value
    return depth > 0 and isinstance(value, list | tuple | set | dict) and any(used_up(one, depth - 1) for one in held)  # type: ignore[attr-defined]


def remembering(item: pytest.Item) -> Callable[[], None]:
    """Give a function that takes back what pytest itself keeps of a run: a doctest's variables, a class's instance."""
    if isinstance(item, pytest.Function) and isinstance(item.parent, pytest.Class):
        return partial(_let_go, item)
    if not isinstance(item, pytest.DoctestItem):
        return lambda: None
    variables = item.dtest.globs
    before = dict(variables)

    def restore() -> None:
        variables.clear()
        variables.update(before)

    return restore


def _let_go(item: pytest.Function) -> None:
    """Have the next run make an instance of its own, as pytest does for every test; what a plugin put there stays."""
    kept = vars(item)
    instance, method = kept.get("_instance"), kept.get("_obj")
    if instance is not None and (method is None or method == getattr(instance, item.originalname, None)):
        del kept["_instance"]
        kept.pop("_obj", None)
        _excuse(item.function)


def _excuse(test: Any) -> None:
    """Have Hypothesis take a second instance for no fault, as its own plugin does where tests have parameters."""
    given = getattr(test, "_hypothesis_internal_use_settings", None)
    check = getattr(getattr(sys.modules.get("hypothesis"), "HealthCheck", None), "differing_executors", None)
    if given is not None and check is not None:
        suppressed = {check, *given.suppress_health_check}
        test._hypothesis_internal_use_settings = type(given)(given, suppress_health_check=suppressed)  # noqa: SLF001 - it has no public way


@contextmanager
def imported(plan: Plan) -> Iterator[None]:
    """Hold what a plan pins of the import of the suite."""
    with ExitStack() as undo:
        for _, setting in plan.settings:
            if isinstance(setting, AtImport):
                undo.enter_context(setting.held_at_import())
        yield


@contextmanager
def held(config: pytest.Config, plan: Plan) -> Iterator[None]:
    """Hold a plan in this process: what lasts for the sweep at once, the rest as each test starts.

    Args:
        config: of the session.
        plan: what is held.
    """
    project.root_is(config.rootpath)
    stage = Stage(plan)
    with stage.held():
        config.pluginmanager.register(stage)
        try:
            yield
        finally:
            config.pluginmanager.unregister(stage)
