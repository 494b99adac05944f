"""Attacks that coverage guides: an example that reaches a line of ours which none before it had reached is kept, and changed further.

It needs Atheris, which has no wheel for each Python; what it knows goes from batch to batch in the folder ``corpus`` of the work.
"""

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeAlias

from fuzzers.guard import Guard

Reads: TypeAlias = Callable[[bytes], tuple[Callable[[], object], tuple[type[Exception], ...]]]
"""Gives what reads some bytes, and how it may refuse them."""
SEEDS = {"journal-guided": "shard-1-of-2.jsonl", "quarantine-guided": "flakehunt-quarantine.toml"}


def batch(name: str, work: Path, folder: Path, number: int, seconds: float) -> NoReturn:
    """Attack one parser with bytes for a while, write what came of it as a line of JSON, and end the process."""
    import atheris

    with atheris.instrument_imports(include=["pytest_flakehunt"]):
        reads = {"journal-guided": _journal, "quarantine-guided": _quarantine}[name](work / "materials", folder)
    corpus, found, guard = work / "corpus" / name, work / "found" / name, Guard(folder)
    corpus.mkdir(parents=True, exist_ok=True)
    (corpus / "seed").write_bytes((work / "materials" / SEEDS[name]).read_bytes())
    counts, examples, until = Counter[str](), 0, time.monotonic() + seconds

    def attacked(data: bytes) -> None:
        nonlocal examples
        examples += 1
        guard.run(name, *reads(data))
        for fault in guard.faults:
            counts[fault.name] += 1
            place = found / "".join(letter if letter.isalnum() else "_" for letter in fault.name)[:150]
            place.mkdir(parents=True, exist_ok=True)
            (place / "kept").write_bytes(data)
            (place / "told.txt").write_text(f"{fault.kind}\n{fault.where}\n{fault.told}\n", "utf-8", "backslashreplace")
        guard.faults.clear()
        if time.monotonic() > until:
            told = {"examples": examples, "faults": dict(counts), **guard.ended, "cpu": round(sum(os.times()[:2]), 1)}
            os.write(1, f"{json.dumps(told)}\n".encode())
            shutil.rmtree(folder)
            os._exit(0)

    atheris.Setup(
        [sys.argv[0], str(corpus), f"-seed={number + 1}", "-max_len=30000", "-rss_limit_mb=0", "-verbosity=0"], attacked
    )
    atheris.Fuzz()
    raise AssertionError("it does not come back")


def _journal(there: Path, folder: Path) -> Reads:
    from pytest_flakehunt.ledger.errors import LedgerError
    from pytest_flakehunt.ledger.journal import Written, lines
    from pytest_flakehunt.ledger.merging import written

    path, (first, tests, *_) = (
        folder / "journal",
        (there / SEEDS["journal-guided"]).read_bytes().splitlines(keepends=True),
    )

    def reads(data: bytes) -> object:
        path.write_bytes(data if data.startswith(b'{"format"') else first + tests + data)
        return list(lines(Written(path), written))  # a number would be taken for an exit status

    return lambda data: (partial(reads, data), (LedgerError,))


def _quarantine(there: Path, folder: Path) -> Reads:
    from pytest_flakehunt.quarantine import QuarantineError, node_ids, reading

    del there, folder

    def reads(data: bytes) -> object:
        return [
            node_ids.fits(entry.test, "test_a.py::test_x[a]")
            for entry in reading.parse(data.decode("utf-8", "replace"), "q.toml").entries
        ]

    return lambda data: (partial(reads, data), (QuarantineError,))
