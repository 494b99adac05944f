"""The same as the command ``flakehunt``."""

# PYTHON_ARGCOMPLETE_OK: as in cli/main.py, for python -m pytest_flakehunt
import sys

from pytest_flakehunt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
