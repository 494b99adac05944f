"""``flakehunt --version``."""

import argparse
import sys
from typing import Any

DISTRIBUTION = "pytest-flakehunt"


class Version(argparse.Action):
    """Says which version is installed, and ends; it is looked up only then, as that takes time."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="say which version is installed")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Say it, with the versions that matter beside it."""
        import platform
        from importlib.metadata import version

        from pytest_flakehunt.ground import machine

        beside = f"pytest {version('pytest')}, Python {machine.python()}, {platform.system()}"
        sys.stdout.write(f"{DISTRIBUTION} {version(DISTRIBUTION)} ({beside})\n")
        parser.exit()
