from pathlib import Path

import pytest

from pytest_flakehunt.quarantine import owners

GITHUB = """\
# everybody
*                 @all
*.js              @web   # and whoever asks
/docs/            @docs
docs/*            docs@example.org
apps/             @apps
/tests/shop/      @shop @till
/tests/**/slow    @night
tests/a\\ b.py     @space
/tests/shop/orphan.py
"""
GITLAB = """\
* @all

[Shop][2] @shop-lead
tests/shop/
tests/shop/till.py @till

^[Docs] @docs
*.md

[shop]
tests/shop/extra.py @extra
"""


def repository(folder: Path, text: str, place: str = ".github") -> Path:
    owners._sections.cache_clear()
    (folder / ".git").mkdir(exist_ok=True)
    path = folder / place / "CODEOWNERS"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        ("setup.py", "@all"),
        ("deep/down/x.js", "@web"),
        ("docs/how/to.md", "@docs"),
        ("docs/to.md", "docs@example.org"),
        ("src/apps/x.py", "@apps"),
        ("tests/shop/deep/test_x.py", "@shop @till"),
        ("tests/a/b/slow/test_x.py", "@night"),
        ("tests/a b.py", "@space"),
        ("tests/shop/orphan.py", ""),
    ],
)
def test_the_last_pattern_that_fits_decides(tmp_path: Path, file: str, owner: str) -> None:
    assert owners.owner_of(repository(tmp_path, GITHUB) / file) == owner


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        ("x.py", "@all"),
        ("tests/shop/x.py", "@all @shop-lead"),
        ("tests/shop/till.py", "@all @till"),
        ("tests/shop/extra.py", "@all @extra"),
        ("tests/shop/read.md", "@all @shop-lead @docs"),
    ],
)
def test_every_section_of_gitlabs_form_has_its_owner(tmp_path: Path, file: str, owner: str) -> None:
    assert owners.owner_of(repository(tmp_path, GITLAB, "docs") / file) == owner


def test_where_there_is_no_such_file_or_no_repository_nobody_owns_anything(tmp_path: Path) -> None:
    assert owners.owner_of(tmp_path / "a" / "x.py") == ""
    (tmp_path / ".git").mkdir()
    assert owners.owner_of(tmp_path / "a" / "x.py") == ""
