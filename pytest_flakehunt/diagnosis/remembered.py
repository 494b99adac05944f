"""Experiments that were made before the hunt was killed: what they said is said again, and nothing is run."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol

from pytest_flakehunt.ledger import foreign
from pytest_flakehunt.model import Reply, Seen, Setup, Taped, Walked
from pytest_flakehunt.model.walked import Step

MOST_TEXT = 64 * 1024 * 1024
"""Characters of what is kept of a step."""
MOST = 100_000
"""Readings, changes, lines of a path or functions of it that one run tells of: far more than are ever looked at."""


class Memory(Protocol):
    """Where the steps of experiments are kept."""

    def keep_step(self, bench: str, step: int, asked: str, seen: str, spent: float) -> None:
        """Keep one."""

    def step(self, bench: str, step: int) -> tuple[str, str, float] | None:
        """Give one; None where it was not made."""


def digest(asked: Sequence[Setup]) -> str:
    """Tell the runs of a step from others."""
    told = [
        [
            *(str(one.plan), one.before, one.fresh, one.interpreter, str(one.early), one.lone, one.beside),
            *(one.readings, one.changes, one.undone, one.path, one.tape),
        ]
        for one in asked
    ]
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()


def told(seen: Sequence[Seen]) -> str:
    """Write what was seen.

    >>> seen = [Seen(Reply.FAILS, (("clock", "time.time", "a.py:3"),), zygote=4), Seen(Reply.PASSES)]
    >>> read(told(seen), 2) == seen
    True
    """
    return json.dumps(
        [
            [
                *(one.reply, one.readings, one.changes, _path(one.path), one.zygote),
                None if one.taped is None else one.taped.told(),
            ]
            for one in seen
        ]
    )


def read(text: str, runs: int) -> list[Seen] | None:
    """Read it, where a hunt has written it: anybody may have had the ledger since.

    Args:
        text: as it was kept.
        runs: how many were asked for.

    Returns:
        What each of them said; None where it is no such text, and they must be made again.
    """
    try:
        kept = json.loads(foreign.text(text, MOST_TEXT))
        if not isinstance(kept, list) or len(kept) != runs:
            return None
        return [_seen(*one) for one in kept]
    except foreign.MISSHAPEN:
        return None


def _seen(reply: Any, readings: Any, changes: Any, path: Any, zygote: Any, taped: Any) -> Seen:
    if path is not None:
        _check(path)
        path = Walked.read(path)
    return Seen(
        Reply(reply),
        _triples(readings),
        _triples(changes),
        path,
        foreign.number(zygote),
        None if taped is None else _taped(taped),
    )


def _triples(told: Any) -> tuple[tuple[str, str, str], ...]:
    found = []
    for one in _some(told):
        first, second, third = foreign.several(one)
        found.append((first, second, third))
    return tuple(found)


def _some(told: Any) -> list[Any]:
    if not isinstance(told, list) or len(told) > MOST:
        raise TypeError("some values are expected, and not too many")
    return told


def _check(path: dict[str, Any]) -> None:
    """See that each line of a path is one of a function that it names."""
    functions = len(_some(path["codes"]))
    for code in path["codes"]:
        _file, _function = foreign.several(code)
    for step in map(_some, _some(path["steps"])):
        code, line, changed, raised = Step(*step)
        foreign.texts({name: "" if value is None else value for name, value in changed.items()})
        foreign.text(raised)
        _line(code, line, functions)
    for code, line, text in _some(path["texts"]):
        foreign.text(text)
        _line(code, line, functions)
    if not isinstance(path["cut"], bool):
        raise TypeError("yes or no is expected")


def _line(code: Any, line: Any, functions: int) -> None:
    foreign.number(line)
    if foreign.number(code) >= functions:
        raise ValueError("a line of a function that is not named")


def _taped(told: Any) -> Taped:
    """Read how threads changed places, each of which has a name."""
    names = [foreign.text(name) for name in _some(told["names"])]
    truths = [told["steered"]]
    for _switch, _why, usual, file, line, text, freed, outside in _some(told["turns"]):
        truths += [usual, freed, outside]
        foreign.text(file)
        foreign.number(line)
        foreign.text(text)
    foreign.text(told["digest"])
    taped = Taped.read(told)
    if any(max(turn.switch.at.thread, turn.switch.to) >= len(names) for turn in taped.turns):
        raise ValueError("a switch of a thread that is not named")
    if not all(isinstance(truth, bool) for truth in truths):
        raise TypeError("yes or no is expected")
    return taped


def _path(path: Walked | None) -> object:
    if path is None:
        return None
    texts = [[code, line, text] for (code, line), text in path.texts.items()]
    return {"codes": path.codes, "steps": path.steps, "texts": texts, "cut": path.cut}
