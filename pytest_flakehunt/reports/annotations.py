"""Annotations: remarks as each CI service reads them from a log, never more than it shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from pytest_flakehunt.model import Place, Service
from pytest_flakehunt.reports.remarks import Level, Remark
from pytest_flakehunt.reports.words import clean, number

MOST_SHOWN = 10
"""Annotations of each level that GitHub shows for a step, and Azure for a task."""
LONGEST_TEXT = 4000
"""Characters of a text: TeamCity takes so many, GitHub 4,096."""


@dataclass(frozen=True, slots=True)
class Form:
    """How one service takes annotations."""

    levels: Mapping[Level, str]
    most: int | None
    """Of each level; None for any number."""
    write: Callable[[Remark, str], str]
    """Gives a line for a remark, and the service's name for its level."""


def lines(remarks: Sequence[Remark], service: Service) -> list[str]:
    """Give what is written to the log.

    Args:
        remarks: the most telling first.
        service: one that reads its log; GitLab and Buildkite read files.
    """
    match service:
        case Service.GITHUB:
            form = GITHUB
        case Service.AZURE:
            form = AZURE
        case Service.TEAMCITY:
            form = TEAMCITY
        case Service.GITLAB | Service.BUILDKITE:
            return []
        case _:
            assert_never(service)
    written = []
    for name in dict.fromkeys(form.levels.values()):
        some = [remark for remark in remarks if form.levels[remark.level] == name]
        written += [form.write(remark, name) for remark in shown(some, form.most)]
    if service is Service.TEAMCITY:
        written = [*dict.fromkeys(_type(remark.kind) for remark in remarks), *written]
    return written


def shown(remarks: Sequence[Remark], most: int | None) -> list[Remark]:
    """Give the first ones; where some are left out, the last says how many."""
    if most is None or len(remarks) <= most:
        return list(remarks)
    left = len(remarks) - most + 1
    last = replace(
        remarks[0],
        title=f"{number(left, 'further remark')}",
        lines=(f"{number(left, 'further remark')} of this level left out here: the report has all",),
        place=Place("", 0),
        nodeid="",
    )
    return [*remarks[: most - 1], last]


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(letter, letter) for letter in clean(text))


_GITHUB_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_GITHUB_PROPERTY = {**_GITHUB_DATA, ":": "%3A", ",": "%2C"}


def _github(remark: Remark, level: str) -> str:
    fields = {"file": remark.place.file, "line": str(remark.place.line or ""), "title": remark.title}
    written = ",".join(f"{name}={_escaped(text, _GITHUB_PROPERTY)}" for name, text in fields.items() if text)
    return f"::{level} {written}::{_escaped(remark.text[:LONGEST_TEXT], _GITHUB_DATA)}"


GITHUB = Form({level: level.value for level in Level}, MOST_SHOWN, _github)

_AZURE_DATA = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
_AZURE_PROPERTY = {**_AZURE_DATA, ";": "%3B", "]": "%5D"}


def _azure(remark: Remark, level: str) -> str:
    fields = {"type": level, "sourcepath": remark.place.file, "linenumber": str(remark.place.line or "")}
    written = "".join(f"{name}={_escaped(text, _AZURE_PROPERTY)};" for name, text in fields.items() if text)
    return f"##vso[task.logissue {written}]{_escaped(f'{remark.title}: {remark.text}', _AZURE_DATA)}"


AZURE = Form({Level.ERROR: "error", Level.WARNING: "warning", Level.NOTICE: "warning"}, MOST_SHOWN, _azure)

_TEAMCITY = {"'": "|'", "\n": "|n", "\r": "|r", "|": "||", "[": "|[", "]": "|]"}
KINDS = {
    "flaky": "fails and passes when nothing is perturbed",
    "fragile": "fails under a perturbation alone",
    "broken": "failed in every calm attempt",
    "leak": "leaves something behind",
    "quarantined": "is quarantined",
    "steady": "never failed",
}


def _quoted(text: str, longest: int) -> str:
    """Write a text as TeamCity reads it; what is not ASCII by the number of its code units."""
    cut = clean(text)[:longest]
    return "".join(_TEAMCITY.get(letter, letter) if letter.isascii() else _units(letter) for letter in cut)


def _units(letter: str) -> str:
    code = letter.encode("utf-16-be")
    return "".join(f"|0x{code[place : place + 2].hex()}" for place in range(0, len(code), 2))


def _type(kind: str) -> str:
    about = f"the test {KINDS[kind]}"
    return (
        f"##teamcity[inspectionType id='flakehunt-{kind}' name='{kind} tests' category='pytest-flakehunt' "
        f"description='{about}']"
    )


def _teamcity(remark: Remark, level: str) -> str:
    text = f"{remark.title}\n{remark.text}"
    place = f" file='{_quoted(remark.place.file, LONGEST_TEXT)}'" if remark.place.file else " file='.'"
    line = f" line='{remark.place.line}'" if remark.place.line else ""
    return (
        f"##teamcity[inspection typeId='flakehunt-{remark.kind}' message='{_quoted(text, LONGEST_TEXT)}'"
        f"{place}{line} SEVERITY='{level}']"
    )


TEAMCITY = Form({Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTICE: "INFO"}, None, _teamcity)
