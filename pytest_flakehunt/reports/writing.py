"""Writing reports: each to its place, whole or not at all; one that cannot be written keeps none of the others back."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_flakehunt.ground import project
from pytest_flakehunt.model import Findings, Service
from pytest_flakehunt.reports import annotations, ctrf, document, gitlab, html, junit, markdown, remarks, sarif

SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub says where the summary of a step is written."""
BUILDKITE_FILE = "buildkite-annotation.md"
WRITERS: Mapping[str, Callable[[Findings], str]] = {
    "json": document.text,
    "junit": junit.text,
    "sarif": sarif.text,
    "ctrf": ctrf.text,
    "gitlab": gitlab.text,
    "markdown": markdown.summary,
    "html": html.text,
}


def reports(findings: Findings, paths: Mapping[str, Path]) -> Iterator[str]:
    """Write the reports that were asked for; yield what went wrong.

    Args:
        findings: to be told, with nothing secret in them.
        paths: by kind.
    """
    for kind, path in paths.items():
        try:
            put(path, WRITERS[kind](findings))
        except OSError as error:
            yield f"{kind} report at {path}: it could not be written: {error.strerror or error}; {REMEDY}"


REMEDY = "make it again from the ledger with flakehunt report"


def put(path: Path, text: str) -> None:
    """Write a file whole or not at all; what is no file, such as a pipe, is written to as it is."""
    raw = text.encode("utf-8", "backslashreplace")
    if path.exists() and not path.is_file():
        path.write_bytes(raw)
        return
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        draft.write_bytes(raw)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def annotated(
    remarked: Sequence[remarks.Remark], service: Service, folder: Path, findings: Findings | None
) -> Iterator[str]:
    """Yield what goes to the log of a CI service; what it reads elsewhere is written there.

    Args:
        remarked: the most telling first, with nothing secret in them.
        service: which.
        folder: where our own files go.
        findings: of a hunt; None for an ordinary run, which has no summary.
    """
    yield from annotations.lines(remarked, service)
    if service is Service.GITHUB and findings is not None:
        yield from _summarised(findings)
    elif service is Service.BUILDKITE and remarked:
        yield from _for_buildkite(remarked, folder, findings)


def _summarised(findings: Findings) -> Iterator[str]:
    """Add to the summary of the step, within what is left of its size."""
    name = os.environ.get(SUMMARY, "")
    if not name:
        return
    path = Path(name)
    try:
        there = path.stat().st_size if path.exists() else 0
        text = markdown.summary(findings, max(0, markdown.LIMIT - there))
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        yield f"flakehunt: {SUMMARY}={name}: the summary could not be written: {error.strerror or error}"


def _for_buildkite(
    remarked: Sequence[remarks.Remark], folder: Path, findings: Findings | None
) -> Iterator[str]:  # fmt: skip
    path = folder / BUILDKITE_FILE
    text = markdown.summary(findings) if findings is not None else markdown.listed(remarked)
    style = "error" if remarked[0].level is remarks.Level.ERROR else "warning"
    try:
        project.own_folder(folder)
        put(path, text)
    except OSError as error:
        yield f"flakehunt: {path}: the annotation could not be written: {error.strerror or error}"
        return
    yield f"flakehunt: to annotate: buildkite-agent annotate --style={style} --context=flakehunt < {path}"


def for_gitlab(remarked: Sequence[remarks.Remark], path: Path) -> Iterator[str]:
    """Write what an ordinary run has to say where GitLab looks for it; yield what went wrong."""
    try:
        put(path, gitlab.written(list(remarked)))
    except OSError as error:
        yield f"flakehunt: {path}: the report could not be written: {error.strerror or error}"
