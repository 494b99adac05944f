"""The ledger that a command means which names none, and where pytest is configured."""

from pathlib import Path

from pytest_flakehunt.asked.flags import DEFAULT_LEDGER

CONFIGURATIONS = {
    "pytest.toml": "", ".pytest.toml": "", "pytest.ini": "", ".pytest.ini": "",
    "pyproject.toml": "[tool.pytest", "tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]",
}  # fmt: skip
"""Files that pytest is configured in, and what makes them so."""


def ledger() -> Path:
    """Give the ledger of the project around the current folder, of which pytest's root directory has it.

    Folders are looked through up to the one in which pytest is configured, or
    the root of the repository: what lies beyond is another project's.
    """
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / DEFAULT_LEDGER).exists() and place != here:
            return place / DEFAULT_LEDGER
        if (place / DEFAULT_LEDGER).exists() or configured(place) or (place / ".git").exists():
            break
    return Path(DEFAULT_LEDGER)


def advice(option: str = "") -> str:
    """Say what to give where there is no ledger, with those there are in folders of the current one.

    Args:
        option: what stands before a path.
    """
    below = sorted(path for depth in ("*", "*/*") for path in Path().glob(f"{depth}/{DEFAULT_LEDGER}"))
    if below:
        return f"give {option}{below[0]}" + (f", or another of {len(below)} below" if len(below) > 1 else "")
    return f"give {option}PATH" if option else "give the path of a ledger or of a JSON report, or hunt first"


def configured(folder: Path) -> bool:
    """Tell whether pytest is configured in a folder."""
    paths = ((folder / name, mark) for name, mark in CONFIGURATIONS.items())
    return any(path.is_file() and mark in path.read_text("utf-8", "replace") for path, mark in paths)
