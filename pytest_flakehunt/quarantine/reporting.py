"""The quarantine report: who is excused, for how long, and how often it was seen failing."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pytest_flakehunt.analysis import intervals
from pytest_flakehunt.model import Known, Quarantine
from pytest_flakehunt.quarantine.matching import inert


def rows(quarantine: Quarantine, known: Mapping[str, Known], today: date) -> list[dict[str, Any]]:
    """Give one row for each entry, what expires next first.

    Args:
        quarantine: what the file says.
        known: what the ledger knows of each test, since its entry was added.
        today: in UTC.
    """
    found = []
    for entry in sorted(quarantine.entries, key=lambda entry: (entry.expires, entry.test)):
        seen = known.get(entry.test, Known())
        why = inert(entry, quarantine.limits, today)
        rate = intervals.rate(entry.seen.failures, entry.seen.runs)
        found.append({
            "test": entry.test,
            "live": not why,
            "why_not": why,
            "days": (today - entry.added).days,
            "added": entry.added.isoformat(),
            "expires": entry.expires.isoformat(),
            "days_left": (entry.expires - today).days,
            "owner": entry.owner,
            "issue": entry.issue,
            "cause": entry.cause,
            "reason": entry.reason,
            "plan": entry.plan,
            "mode": entry.mode.value,
            "seen": {"runs": entry.seen.runs, "failures": entry.seen.failures},
            "rate": {"low": round(rate.low, 6), "high": round(rate.high, 6)},
            "since": {"runs": seen.runs, "failures": seen.failures},
            "last_failed": seen.last,
            "fingerprints": list(entry.fingerprints),
        })  # fmt: skip
    return found


def by_owner(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Gather rows by owner, those with most first."""
    owners: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        owners.setdefault(row["owner"] or "no owner", []).append(row)
    return dict(sorted(owners.items(), key=lambda item: (-len(item[1]), item[0])))
