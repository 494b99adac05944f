"""Experiments that were made before the hunt was killed: what they said is said again, and nothing is run."""

import hashlib
import json
from collections.abc import Sequence
from typing import Protocol

from pytest_flakehunt.model import Reply, Seen, Setup, Taped, Walked


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
    >>> read(told(seen)) == seen
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


def read(text: str) -> list[Seen]:
    """Read it."""
    return [
        Seen(
            Reply(reply),
            tuple((source, call, place) for source, call, place in readings),
            tuple((test, verb, what) for test, verb, what in changes),
            None if path is None else Walked.read(path),
            zygote,
            None if taped is None else Taped.read(taped),
        )
        for reply, readings, changes, path, zygote, taped in json.loads(text)
    ]


def _path(path: Walked | None) -> object:
    if path is None:
        return None
    texts = [[code, line, text] for (code, line), text in path.texts.items()]
    return {"codes": path.codes, "steps": path.steps, "texts": texts, "cut": path.cut}
