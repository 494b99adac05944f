"""The doors of asyncio that every task, loop and generator goes through; and, before Python 3.12, those of threads."""

import asyncio
import re
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from pytest_flakehunt.ground import project
from pytest_flakehunt.ground.stand_ins import Maker, standing
from pytest_flakehunt.leaks.log import MOST_KEPT, Log
from pytest_flakehunt.leaks.owners import NOBODY, Begun, Owner
from pytest_flakehunt.leaks.stacks import of_task
from pytest_flakehunt.model import LeakKind, Place

LOOP = "asyncio.base_events:BaseEventLoop"
RETRIEVE = re.compile(r"(Task|Future) exception was never retrieved")
DESTROYED = "Task was destroyed but it is pending!"
_frame = sys._getframe  # noqa: SLF001 - the only way to see who calls


class EventLoops:
    """Stands at the doors and writes to the log; whatever happens there, the caller meets the original alone."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._main: weakref.WeakSet[Any] = weakref.WeakSet()
        """Tasks that loops were started for."""
        self._agens: weakref.WeakKeyDictionary[Any, tuple[Owner, Place]] = weakref.WeakKeyDictionary()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stand there for a while."""
        with standing(self.stand_ins()):
            yield

    def stand_ins(self) -> Mapping[str, Maker]:
        """Give what notes and passes on."""
        found: dict[str, Maker] = {
            f"{LOOP}.__init__": self._begins_loop,
            f"{LOOP}.create_task": self._begins_task,
            f"{LOOP}._asyncgen_firstiter_hook": self._begins_generator,
            f"{LOOP}.shutdown_asyncgens": self._ends_generators,
            f"{LOOP}.call_exception_handler": self._hears,
            f"{LOOP}.close": self._ends_loop,
            "asyncio.runners:_cancel_all_tasks": self._ends_tasks,
        }
        if sys.version_info < (3, 12):  # no event tells of new threads there
            found |= dict.fromkeys(("threading:_start_new_thread", "_thread:start_new_thread"), self._begins_thread)
        return found

    def _begins_thread(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def start_new_thread(*args: Any, **kwargs: Any) -> Any:
            with suppress(Exception):  # as in an audit hook
                self.log.note_thread(args)
            return original(*args, **kwargs)

        return start_new_thread

    def _begins_loop(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __init__(loop: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it stands in for one
            original(loop, *args, **kwargs)
            with suppress(Exception):
                if begun := self.log.begun(LeakKind.LOOP, weakref.ref(loop), _frame(1)):
                    self.log.loops.append(begun)

        return __init__

    def _begins_task(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def create_task(loop: Any, coro: Any, **kwargs: Any) -> Any:
            task = original(loop, coro, **kwargs)
            if isinstance(task, asyncio.Task):
                with suppress(Exception):
                    self._note_task(task, coro, _frame(1))
            return task

        return create_task

    def _note_task(self, task: asyncio.Task[Any], coro: Any, frame: FrameType) -> None:
        if getattr(task, "_source_traceback", None):
            del task._source_traceback[-1]  # type: ignore[attr-defined]  # noqa: SLF001 - our own line, in debug mode
        if _runs_loop(frame):
            self._main.add(task)
        self.log.tasks.pop(id(task), None)  # of one that has ended, and had the same id
        found = None if type(coro).__name__.startswith("async_generator") else self.log.caller(frame)
        if found is None or found[0] is NOBODY:  # asyncio itself closes a generator so
            return
        place = found[1] or self._defined(coro)
        if place is not None:
            self.log.tasks[id(task)] = Begun(LeakKind.TASK, found[0], place, weakref.ref(task))
            while len(self.log.tasks) > MOST_KEPT:
                self.log.tasks.popitem(last=False)

    def _defined(self, coro: Any) -> Place | None:
        """Give where the project's own coroutine begins: what a server's callback starts has no caller."""
        code = getattr(coro, "cr_code", None)
        if code is None or not project.owns(code.co_filename):
            return None
        return Place(self.log.relative(code.co_filename), code.co_firstlineno, code.co_name)

    def _begins_generator(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def firstiter(loop: Any, agen: Any) -> Any:
            with suppress(Exception):
                if (found := self.log.caller(_frame(1))) and found[1]:
                    self._agens[agen] = found[0], found[1]
            return original(loop, agen)

        return firstiter

    def _ends_generators(self, original: Callable[..., Any]) -> Callable[..., Any]:
        async def shutdown_asyncgens(loop: Any) -> Any:
            with suppress(Exception):
                for agen in list(loop._asyncgens):  # noqa: SLF001 - before asyncio closes them
                    if agen.ag_frame is not None and (known := self._agens.get(agen)):
                        self.log.lost.append((Begun(LeakKind.GENERATOR, *known, None), agen.__qualname__, ""))
            return await original(loop)

        return shutdown_asyncgens

    def _ends_tasks(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def _cancel_all_tasks(loop: Any) -> Any:
            with suppress(Exception):
                self._pending(loop)
            return original(loop)

        return _cancel_all_tasks

    def _ends_loop(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def close(loop: Any) -> Any:
            with suppress(Exception):
                if not loop.is_closed() and not loop.is_running():
                    self._pending(loop)
            return original(loop)

        return close

    def _pending(self, loop: Any) -> None:
        """Note the tasks that end only because their loop does."""
        pending = asyncio.all_tasks(loop)
        if any(task in self._main for task in pending):
            return  # an interrupt or an exit has cut it short
        for task in pending:
            begun = self.log.of(task)
            self.log.tasks.pop(id(task), None)
            if begun is None and self.log.current is not None and (place := self._defined(task.get_coro())) is not None:
                begun = Begun(LeakKind.TASK, self.log.current, place, weakref.ref(task))
            if begun is not None and not task.cancelling():
                self.log.lost.append((begun, named(task), of_task(task, self.log.relative)))

    def _hears(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call_exception_handler(loop: Any, context: dict[str, Any]) -> Any:
            with suppress(Exception):
                message = str(context.get("message", ""))
                if RETRIEVE.match(message) or message == DESTROYED:
                    self._dropped(context.get("task") or context.get("future"), context.get("exception"))
            return original(loop, context)

        return call_exception_handler

    def _dropped(self, future: Any, exception: BaseException | None) -> None:
        """Note a task or a future that was let go with its exception, or before its end."""
        begun = self.log.tasks.pop(id(future), None)
        if begun is None or begun.itself() not in {None, future}:  # of another that had its id
            if self.log.current is None:
                return
            begun = Begun(LeakKind.EXCEPTION, self.log.current, None, None)
        name = named(future) if isinstance(future, asyncio.Task) else "a future"
        if exception is not None:
            begun = Begun(LeakKind.EXCEPTION, begun.owner, begun.place, None)
            name = f"{type(exception).__qualname__} of {name}"
        self.log.lost.append((begun, name, ""))


def _runs_loop(frame: FrameType | None) -> bool:
    """Tell whether a task is made by what runs a loop until that task is done."""
    for _ in range(3):
        if frame is None:
            return False
        if frame.f_code.co_name == "run_until_complete" or frame.f_globals.get("__name__") == "asyncio.runners":
            return True
        frame = frame.f_back
    return False


def named(task: Any) -> str:
    """Name a task by its coroutine, and by its own name where it was given one."""
    coro = task.get_coro()
    qualname = getattr(coro, "__qualname__", type(coro).__qualname__)
    name = task.get_name()
    return qualname if re.fullmatch(r"Task-\d+", name) else f"{name} ({qualname})"
