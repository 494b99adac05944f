"""A project under git, for what a change touches."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

FILES = {
    "pkg/__init__.py": "",
    "pkg/money.py": "from pkg import rates\n\ndef price(n):\n    return n * rates.RATE\n",
    "pkg/rates.py": "RATE = 2\n",
    "pkg/other.py": "from . import lazily\n",
    "pkg/lazily.py": "def look():\n    import pkg.late\n    return pkg.late.X\n",
    "pkg/late.py": "X = 1\n",
    "suite/conftest.py": "import pytest\n\n@pytest.fixture\ndef one():\n    return 1\n",
    "suite/test_money.py": "from pkg import money\n\ndef test_price():\n    assert money.price(2) == 4\n\n\ndef test_sign():\n    assert money.price(-1) < 0\n",
    "suite/test_other.py": "import pkg.other\n\ndef test_other():\n    assert pkg.other\n",
    "suite/sub/test_alone.py": "def test_alone(one):\n    assert one\n",
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "data.txt": "data\n",
}
Git = Callable[..., str]


def git_in(folder: Path) -> Git:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main", *words]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

    return git


@pytest.fixture
def git(pytester: pytest.Pytester) -> Git:
    """Make a repository with a branch, on which nothing has changed."""
    for name, text in FILES.items():
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    run = git_in(pytester.path)
    run("init", "-q")
    run("add", "-A")
    run("commit", "-qm", "first")
    run("checkout", "-qb", "topic")
    return run
