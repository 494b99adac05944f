"""Who owns a file, as CODEOWNERS says, in GitHub's and in GitLab's form."""

import re
from functools import cache
from pathlib import Path

from pytest_flakehunt.ground.provenance import repository

PLACES = (".github", "", "docs", ".gitlab")
"""Folders of a repository in which the file is looked for."""
SECTION = re.compile(r"\^?\[([^\]]+)\](?:\[\d+\])?(.*)")
WORD = re.compile(r"(?:\\.|[^\s\\])+")
PIECE = re.compile(r"/\*\*$|\*\*/|\*\*|\*|\?|\\(.)|([^*?\\])", re.DOTALL)
MEANING = {"/**": "/.*", "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def owner_of(path: Path) -> str:
    """Name the owners of a file, separated by spaces; empty where nobody owns it.

    The last pattern that fits decides; in GitLab's form one in each section.
    """
    root = repository(path.parent)
    if root is None:
        return ""
    file = path.relative_to(root).as_posix()
    owners: list[str] = []
    for rules in _sections(root):
        fitting = [names for pattern, names in rules if pattern.fullmatch(file)]
        owners += [name for name in (fitting[-1] if fitting else ()) if name not in owners]
    return " ".join(owners)


@cache
def _sections(root: Path) -> list[list[tuple[re.Pattern[str], list[str]]]]:
    path = next((file for place in PLACES if (file := root / place / "CODEOWNERS").is_file()), None)
    sections: dict[str, list[tuple[re.Pattern[str], list[str]]]] = {"": []}
    name, usual = "", list[str]()
    for line in path.read_text("utf-8", "replace").splitlines() if path is not None else ():
        text = re.sub(r"(?:^|(?<=\s))#.*", "", line).strip()
        if section := SECTION.fullmatch(text):
            name, usual = section[1].strip().casefold(), section[2].split()
            sections.setdefault(name, [])
        elif words := WORD.findall(text):
            sections[name].append((_pattern(words[0]), words[1:] or usual))
    return list(sections.values())


def _pattern(written: str) -> re.Pattern[str]:
    """Give the expression for a pattern, which means what it does in a .gitignore.

    >>> [bool(_pattern(text).fullmatch("docs/how/to.md")) for text in ("*.md", "docs/", "/how", "docs/*", "docs/**")]
    [True, True, False, False, True]
    """
    inner = written.strip("/")
    anchored = written.startswith("/") or "/" in inner
    text = "".join(MEANING.get(piece[0]) or re.escape(piece[1] or piece[2]) for piece in PIECE.finditer(inner))
    below = "/.*" if written.endswith("/") else "" if inner.endswith("/*") else "(?:/.*)?"
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{text}{below}")
