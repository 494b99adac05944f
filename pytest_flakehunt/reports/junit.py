"""JUnit XML as Surefire writes it: one test case a test, each mode of a flaky one as a flakyFailure."""

from collections.abc import Iterable
from xml.etree import ElementTree as Tree

from pytest_flakehunt.model import Finding, Findings, Mode, Trial, Verdict
from pytest_flakehunt.reports import remarks
from pytest_flakehunt.reports.words import bound, clean, number

LONGEST = 20_000
"""Characters of a stack trace: Jenkins keeps fewer of most."""


def text(findings: Findings) -> str:
    """Give the report.

    A flaky or fragile test has passed, as readers see it; what was seen
    failing stands below it. A broken one has failed, a quarantined one was
    skipped.
    """
    cases = [_case(finding) for finding in findings.tests]
    failed = sum(case.find("failure") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    suite = Tree.Element(
        "testsuite",
        {
            "name": "flakehunt",
            "time": f"{findings.trial.seconds:.3f}",
            "tests": str(len(cases)),
            "errors": "0",
            "skipped": str(skipped),
            "failures": str(failed),
            "flakes": str(sum(case.find("flakyFailure") is not None for case in cases)),
        },
    )
    properties = Tree.SubElement(suite, "properties")
    for name, value in _properties(findings.trial):
        Tree.SubElement(properties, "property", {"name": name, "value": _valid(value)})
    suite.extend(cases)
    Tree.indent(suite, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Tree.tostring(suite, "unicode") + "\n"


def _properties(trial: Trial) -> Iterable[tuple[str, str]]:
    return {
        "flakehunt.id": trial.uid,
        "flakehunt.seed": str(trial.seed),
        "flakehunt.asked": trial.asked,
        "flakehunt.sweeps": str(trial.sweeps),
        "flakehunt.experiments": str(trial.experiments),
        "flakehunt.started": trial.started,
        "flakehunt.interrupted": str(trial.interrupted).lower(),
        "flakehunt.python": trial.python,
        "flakehunt.pytest": trial.pytest,
        "flakehunt.revision": trial.revision,
        "flakehunt.perturbations": " ".join(trial.perturbations),
        "flakehunt.stood_down": "; ".join(trial.stood_down),
    }.items()


def _case(finding: Finding) -> Tree.Element:
    """Give a test case; the schema holds its children to this order."""
    class_name, name = named(finding.nodeid)
    case = Tree.Element(
        "testcase", {"classname": _valid(class_name), "name": _valid(name), "time": f"{finding.seconds:.3f}"}
    )
    if finding.excuse and finding.modes:
        Tree.SubElement(case, "skipped", {"message": _valid(finding.excuse)})
    elif finding.verdict is Verdict.BROKEN and finding.modes:
        first = finding.modes[0]
        failure = Tree.SubElement(case, "failure", _told(first))
        failure.text = _valid(first.evidence.traceback[-LONGEST:])
        for mode in finding.modes[1 if first.failures == 1 else 0 :]:
            _again(case, "rerunFailure", mode)
    elif finding.modes:
        for mode in finding.modes:
            _again(case, "flakyFailure", mode)
    elif not finding.total.runs:
        Tree.SubElement(case, "skipped", {"message": "it never ran to a result"})
    Tree.SubElement(case, "system-out").text = _valid("\n".join(_said(finding)))
    return case


def _again(case: Tree.Element, tag: str, mode: Mode) -> None:
    again = Tree.SubElement(case, tag, _told(mode))
    Tree.SubElement(again, "stackTrace").text = _valid((mode.evidence.traceback or mode.evidence.message)[-LONGEST:])


def _told(mode: Mode) -> dict[str, str]:
    under = f" (under {mode.plan})" if mode.plan else ""
    first = mode.evidence.message.partition("\n")[0]
    return {"message": _valid(f"{first[:1000]}{under}"), "type": _valid(mode.evidence.exception)}


def _said(finding: Finding) -> Iterable[str]:
    """Say the rate, and of each mode cause, plan and command."""
    if not finding.modes:
        yield f"steady: {bound(finding.total, finding.rate)}"
    else:
        yield f"{finding.verdict}: {remarks.often(finding)}"
    for mode in finding.modes:
        yield f"{number(mode.failures, 'time')} {mode.evidence.exception} at {mode.evidence.where}"
        yield f"  cause: {remarks.sentence(finding, mode)}"
        yield f"  plan: {mode.plan or 'calm'}"
        yield f"  reproduce: {mode.command}"
    for left in finding.leaks:
        yield f"{remarks.leaked(left.leak)} in {left.total.failures} of {left.total.runs} sweeps"
    yield from finding.notes


def named(nodeid: str) -> tuple[str, str]:
    """Give class and name of a test, as pytest's own JUnit files have them.

    >>> named("tests/test_a.py::TestX::test_y[a/b]")
    ('tests.test_a.TestX', 'test_y[a/b]')
    >>> named("a[b]/test_a.py::test_y")
    ('a[b].test_a', 'test_y')
    """
    file, separator, rest = nodeid.partition("::")
    path, bracket, parameters = rest.partition("[")
    *outer, name = path.split("::")
    module = file.removesuffix(".py").replace("/", ".")
    if not separator:
        return "", file
    return ".".join([module, *outer]), name + bracket + parameters


def _valid(written: str) -> str:
    """Give a text that XML can hold, control characters written as question marks."""
    return clean(written)
