"""The same as the command ``flakehunt``."""

import sys

from pytest_flakehunt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
