#!/bin/sh
# From the root of the project, say by cron: .flakehunt/ledger.sqlite stays where it is. What may be passed on is in flakehunt-reports/.
set -eu
python3.13 -m venv .venv
. .venv/bin/activate
python -m pip install -e . pytest-flakehunt
mkdir -p .flakehunt flakehunt-reports
if [ -f flakehunt-reports/ledger.sqlite ] && [ ! -f .flakehunt/ledger.sqlite ]; then
  cp flakehunt-reports/ledger.sqlite .flakehunt/ledger.sqlite
fi
status=0
pytest --flakehunt=30m --flakehunt-json=flakehunt-reports/flakehunt.json --flakehunt-junit=flakehunt-reports/junit.xml --flakehunt-markdown=flakehunt-reports/summary.md || status=$?
flakehunt report --redacted-ledger=flakehunt-reports/ledger.sqlite || status=$?
if [ -f flakehunt-quarantine.toml ]; then
  flakehunt quarantine list --markdown > flakehunt-reports/quarantine.md || status=$?
  flakehunt quarantine check || status=$?
fi
exit "$status"
