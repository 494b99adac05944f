"""Hunt the test of each page about a cause, and keep what the hunt says as its sample.

By hand, after the wording of findings has changed: ``python docs/sample_causes.py``, or with the names of some causes.
It takes some ten seconds a cause on an idle machine. Then run ``python docs/generate.py``.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import perturbation_pages

ROOT = Path(__file__).parents[1]
ONLY = {"import": "--flakehunt-only=hashseed", "parallel": "--flakehunt-only=order -n2"}
"""Options of hunts for what has no perturbation of its own."""
TELLING = (
    "outcome", "exception", "message", "where", "causes", "fix", "places", "plan", "after", "repro", "repro_without", "verified", "control"
)  # fmt: skip
ENVIRONMENT = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "xdist.plugin,pytest_flakehunt.plugin",
    "PYTHONPATH": str(ROOT),
    "COLUMNS": "120",
}


def command(name: str) -> str:
    """Give the command of the hunt, as a user would write it."""
    return f"python -m pytest test_{name}.py --flakehunt=20 --flakehunt-seed=1 {ONLY.get(name, f'--flakehunt-only={name}')}"


def hunt(name: str, folder: Path) -> None:
    """Hunt a page's test in an empty folder."""
    (folder / f"test_{name}.py").write_text(perturbation_pages.test_of(name), "utf-8")
    words = [sys.executable, *command(name).split()[1:], "--flakehunt-json=report.json"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (folder / "out.txt").open("w") as out:
        subprocess.run(
            words, cwd=folder, env={**os.environ, **ENVIRONMENT, "PATH": path}, stdout=out, stderr=out, check=False
        )


def sample(name: str, folder: Path) -> dict[str, Any]:
    """Give what a hunt said of the cause: the finding in the JSON report, and on the terminal."""
    report = json.loads(_read(folder / "report.json"))
    found = [
        (test, mode)
        for test in report["tests"]
        for mode in test["modes"]
        if [cause["perturbation"] for cause in mode["causes"]] == [name]
    ]
    if not found:
        raise SystemExit(f"{name}: the hunt names no such cause; see {folder / 'out.txt'}")
    test, mode = found[0]
    kept = {member: mode[member] for member in TELLING}
    kept["evidence"] = {member: mode["evidence"][member] for member in ("phase", "statement")}
    shown = re.search(
        rf"^(?:FLAKY|FRAGILE|STRESS)\b.*{re.escape(test['nodeid'])}.*\n(?:  .*\n)+",
        _read(folder / "out.txt"),
        re.MULTILINE,
    )
    assert shown is not None, folder
    lines = [line.rstrip() for line in shown[0].splitlines()]
    return {
        "nodeid": test["nodeid"],
        "verdict": test["verdict"],
        "command": command(name),
        "python": report["hunt"]["python"],
        "revision": _revision(),
        "shown": "\n".join(line for line in lines if line),
        "mode": kept,
    }


def _read(path: Path) -> str:
    """Read what a hunt wrote, with no path of this machine in its commands."""
    return path.read_text("utf-8").replace(sys.executable, "python")


def _revision() -> str:
    words = ["git", "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def main() -> None:
    """Make samples anew: all, or those that are named."""
    samples = json.loads(perturbation_pages.SAMPLES.read_text("utf-8"))
    for name in sys.argv[1:] or perturbation_pages.names():
        with tempfile.TemporaryDirectory(prefix="flakehunt-sample-") as folder:
            hunt(name, Path(folder))
            samples[name] = sample(name, Path(folder))
        print(f"{name}: {samples[name]['mode']['causes'][0]['sentence']}")
        text = json.dumps(samples, indent=1, ensure_ascii=False)
        perturbation_pages.SAMPLES.write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main()
