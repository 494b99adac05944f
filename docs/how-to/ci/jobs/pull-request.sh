#!/bin/sh
# From the root of a full clone, with the change checked out.
set -eu
git fetch origin
python3.13 -m venv .venv
. .venv/bin/activate
python -m pip install -e . pytest-flakehunt
pytest --flakehunt=5m --flakehunt-changed
