"""What the witness in a suite has said: for each process, the tests that ended in it."""

import json
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a hunt in which tests ended."""

    pid: int
    interpreter: int
    """Its number among those of the hunt; -1 where that was not to be seen."""
    worker: str
    """Of which place among those that work at once: sweeps follow each other there."""
    hashseed: str
    began: float
    """Seconds since 1970 at which the first test ended; the clock that moves evenly said so."""
    ended: float
    """The same for the last."""
    tests: dict[str, bool]
    """Whether each failed, in the order in which they first ended."""

    def __str__(self) -> str:
        return f"process {self.pid} of {self.worker} with {', '.join(name.partition('::')[2] for name in self.tests)}"


def processes(folder: Path) -> list[Process]:
    """Give all processes that said something, by time."""
    away = min(time.time() - time.monotonic() for _ in range(20))
    found = []
    for path in folder.iterdir():
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("]")]
        if not lines:
            continue
        tests: dict[str, bool] = {}
        for nodeid, failed, *_ in lines:
            tests[nodeid] = tests.get(nodeid, False) or failed
        *_, pid, interpreter, worker, hashseed = lines[0]
        found.append(Process(pid, interpreter, worker, hashseed, lines[0][2] + away, lines[-1][2] + away, tests))
    return sorted(found, key=lambda process: process.began)
