"""SARIF 2.1.0, which code scanning shows beside the code: one result a cause and test."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pytest_flakehunt.analysis.naming import FIXES, KINDS
from pytest_flakehunt.model import Cause, Finding, Findings, Left, Mode, Place, Verdict
from pytest_flakehunt.reports import remarks
from pytest_flakehunt.reports.remarks import Level
from pytest_flakehunt.reports.words import clean, digest_of

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 5_000
"""Results of a run that GitHub keeps; of over 25,000 it takes none."""
MOST_PLACES = 100
"""Further places of a result that it keeps."""
LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTICE: "note"}
CALLS = re.compile(r"(.+):(\d+) calls (.+)", re.DOTALL)


def text(findings: Findings) -> str:
    """Give the report."""
    results = list(_results(findings))
    left = len(results) - MOST_RESULTS
    ranked = sorted(results, key=lambda result: list(LEVELS.values()).index(result["level"]))[:MOST_RESULTS]
    names = list(dict.fromkeys(result["ruleId"] for result in ranked))
    for result in ranked:
        result["ruleIndex"] = names.index(result["ruleId"])
    trial = findings.trial
    notes = [f"{left} results of least weight were left out, as GitHub keeps {MOST_RESULTS}"] if left > 0 else []
    notes += [*trial.stood_down, *findings.notes]
    run = {
        "tool": {"driver": {"name": "pytest-flakehunt", "rules": [_rule(name) for name in names]}},
        "automationDetails": {"id": f"pytest-flakehunt/{trial.uid}"},
        "invocations": [
            {
                "executionSuccessful": not trial.interrupted,
                "toolExecutionNotifications": [{"level": "note", "message": {"text": _plain(note)}} for note in notes],
            }
        ],
        "results": ranked,
        "columnKind": "unicodeCodePoints",
        "properties": {"seed": trial.seed, "sweeps": trial.sweeps, "perturbations": list(trial.perturbations)},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(name: str) -> dict[str, Any]:
    about = KINDS.get(name, f"fails under {name}")
    fix = FIXES.get(name, "")
    link = f"docs: perturbations/{name}" if fix else "docs: how-to/fix"
    help_text = f"Usual fix: {fix}. ({link})" if fix else f"Run the command of the finding, and read on. ({link})"
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": about},
        "fullDescription": {"text": f"A test that {about}."},
        "help": {"text": help_text, "markdown": help_text},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["test", "flaky"], "precision": "very-high"},
    }


def _results(findings: Findings) -> Iterator[dict[str, Any]]:
    folder, fail_on = findings.trial.folder, findings.trial.fail_on
    places = {finding.nodeid: Place(finding.file, finding.line) for finding in findings.tests}
    for finding in findings.tests:
        together: dict[str, list[tuple[Mode, Cause | None]]] = {}
        for mode in finding.modes:
            causes = mode.diagnosis.causes if mode.diagnosis is not None else ()
            name = "broken" if finding.verdict is Verdict.BROKEN else "unknown"
            if causes:
                for cause in causes:
                    together.setdefault(cause.perturbation, []).append((mode, cause))
            else:
                together.setdefault(name, []).append((mode, None))
        for name, found in together.items():
            yield _result(finding, name, found, places, folder, fail_on)
        for left in finding.leaks:
            yield _leak(finding, left, folder, fail_on)


def _result(
    finding: Finding,
    name: str,
    found: Sequence[tuple[Mode, Cause | None]],
    places: Mapping[str, Place],
    folder: str,
    fail_on: Sequence[str],
) -> dict[str, Any]:
    mode, cause = found[0]
    level = Level.WARNING
    if finding.excuse or all(one.quarantined for one, _ in found):
        level = Level.NOTICE
    elif finding.fails_on(fail_on):
        level = Level.ERROR
    sentence = f"it {cause.sentence}" if cause is not None else remarks.sentence(finding, mode)
    lines = [f"{finding.verdict}: {finding.nodeid}: {sentence}", remarks.often(finding)]
    lines += [f"{mode.evidence.exception}: {mode.evidence.message.partition(chr(10))[0][:300]}"]
    lines += [f"reproduce: {mode.command}"] if mode.command else []
    result = {
        "ruleId": name,
        "level": LEVELS[level],
        "message": {"text": _plain("\n".join(lines))},
        "locations": [_location(places[finding.nodeid], folder)],
        "partialFingerprints": _prints(finding.nodeid, name),
        "properties": {
            "verdict": finding.verdict.value, "plan": mode.plan, "fingerprints": [one.fingerprint for one, _ in found],
        },
    }  # fmt: skip
    related = [
        *_around(cause, places),
        *((Place.read(where), said) for one, _ in found for where, said in _readings(one)),
    ]
    related = [(place, said) for place, said in related if _inside(place)]
    if related:
        result["relatedLocations"] = [
            _location(place, folder, said) | {"id": number}
            for number, (place, said) in enumerate(related[:MOST_PLACES], 1)
        ]
    if cause is not None and (flow := _flow(finding, mode, cause, places)):
        steps = [{"location": _location(place, folder, said)} for place, said in flow]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if reason := next((one.quarantined for one, _ in found if one.quarantined), finding.excuse):
        result["suppressions"] = [{"kind": "external", "justification": _plain(reason)}]
    return result


def _around(cause: Cause | None, places: Mapping[str, Place]) -> Iterator[tuple[Place, str]]:
    """Yield the other tests that a cause is about."""
    if cause is None:
        return
    for word, some in (("polluter", cause.polluters), ("state-setter", cause.setters), ("cleaner", cause.cleaners)):
        for nodeid in some:
            if nodeid in places:
                yield places[nodeid], f"{word}: {nodeid}"


def _readings(mode: Mode) -> Iterator[tuple[str, str]]:
    """Yield the lines that read the source."""
    for said in mode.diagnosis.places if mode.diagnosis is not None else ():
        if match := CALLS.fullmatch(said):
            yield f"{match[1]}:{match[2]}", f"calls {match[3]}"


def _flow(finding: Finding, mode: Mode, cause: Cause, places: Mapping[str, Place]) -> list[tuple[Place, str]]:
    """Give the way from polluter over what it changes to where the victim fails."""
    steps = []
    for nodeid in (*cause.polluters, *cause.setters):
        if nodeid in places:
            changes = [change.removeprefix(nodeid).strip() for change in cause.changes if change.startswith(nodeid)]
            steps.append((places[nodeid], f"{nodeid} runs"))
            steps += [(places[nodeid], f"it {change}") for change in changes]
    if steps:
        steps.append((places[finding.nodeid], f"{finding.nodeid} runs after it"))
        steps.append((mode.evidence.where, f"{mode.evidence.exception}"))
    return [(place, said) for place, said in steps if _inside(place)]


def _leak(finding: Finding, left: Left, folder: str, fail_on: Sequence[str]) -> dict[str, Any]:
    leak = left.leak
    lines = [f"{remarks.leaked(leak)}, by {finding.nodeid}"]
    lines += [f"in {left.total.failures} of {left.total.runs} sweeps"]
    lines += [f"hurts {victim}" for victim in left.victims]
    result: dict[str, Any] = {
        "ruleId": "leak",
        "level": LEVELS[Level.ERROR if "leaks" in fail_on and not finding.company else Level.NOTICE],
        "message": {"text": _plain("\n".join(lines))},
        "locations": [_location(Place(finding.file, finding.line), folder)],
        "partialFingerprints": _prints(finding.nodeid, f"leak {leak.kind} {leak.what} {leak.owner}"),
    }
    if leak.started_at is not None and _inside(leak.started_at):
        result["relatedLocations"] = [_location(leak.started_at, folder, "made here") | {"id": 1}]
    return result


def _prints(nodeid: str, what: str) -> dict[str, str]:
    """Give what a result is known by through all hunts: by no line, message or setting."""
    digest = digest_of(nodeid, what)
    return {"flakehunt/v1": digest, "primaryLocationLineHash": f"{digest}:1"}


def _location(place: Place, folder: str, said: str = "") -> dict[str, Any]:
    here = remarks.placed(place, folder)
    line = max(1, here.line)
    region = {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 1}
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(here.file), "region": region}}
    return location | ({"message": {"text": _plain(said)}} if said else {})


def _inside(place: Place) -> bool:
    """Tell whether a place can be shown: in a file of the repository."""
    return bool(place.file.strip("/.")) and not place.file.startswith(("/", "../"))


def _artifact(file: str) -> dict[str, str]:
    if posixpath.isabs(file):
        return {"uri": f"file://{quote(file)}"}
    return {"uri": quote(file.encode("utf-8", "backslashreplace")) or "."}


def _plain(written: str) -> str:
    """Give a text in which nothing is a link or a place for an argument."""
    return clean(written).replace("](", "] (").replace("{", "{{").replace("}", "}}")
