"""What is attacked: each target changes one kind of file, and lets every command read it that would."""

import argparse
import functools
import html
import json
import os
import shutil
import sqlite3
import string
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from fuzzers import mutations
from fuzzers.guard import Fault, Guard

REPORTS = ("json", "junit", "sarif", "ctrf", "gitlab", "markdown", "html")
TEST = "test_a.py::test_victim"
Attack = Callable[[Guard, Path, Path, Random], Path]
"""Given what watches, the materials, a folder and chance: attacks, and gives the file that it attacked with."""


def _command(guard: Guard, *words: str | Path) -> str:
    from pytest_flakehunt.cli import main as door

    if not hasattr(door.parser, "cache_info"):  # it is the same each time, and takes half of it
        door.parser = functools.cache(door.parser)
    given = [str(word) for word in words]
    status, out = guard.run(" ".join(given)[:200], lambda: door.main(given))
    if status not in (0, 1, 2, None):
        guard.faults.append(Fault("exit status", given[0], f"{status!r}: {given}"))
    return out


def _every_report(folder: Path) -> list[str]:
    return [f"--{kind}={folder / f'out.{kind}'}" for kind in REPORTS]


def _known(guard: Guard, path: Path) -> None:
    """Let a search take from a file how a test is known to fail, and make the hunt of it."""
    from pytest_flakehunt.cli import bisect
    from pytest_flakehunt.cli.ending import Refused
    from pytest_flakehunt.replays.hunt import Hunt

    asked = argparse.Namespace(ledger=path, test=TEST, fingerprint="")

    def known() -> int:
        found = bisect._known(asked, path)  # noqa: SLF001 - the command needs a repository of git
        hunt = Hunt(
            (*found.after, TEST), found.plan, fresh=found.fresh, more=((found.workers,) if found.workers else ())
        )
        guard.judge(hunt.words(3, Path("x"), Path("x")))
        return 0

    guard.run("bisect", known, (Refused,))


def ledger(guard: Guard, there: Path, folder: Path, chance: Random) -> Path:
    """A ledger."""
    from pytest_flakehunt.ledger import archive, recalling
    from pytest_flakehunt.ledger.errors import LedgerError
    from pytest_flakehunt.ledger.merging import written

    path = folder / "ledger.sqlite"
    shutil.copy(there / "ledger.sqlite", path)
    mutations.of_ledger(path, chance)
    kept = shutil.copy(path, folder / "as-given.sqlite")
    for words in chance.sample(
        [
            ["report", path, "--list"], ["report", path, "-v"], ["report", path, *_every_report(folder)], ["report", path, "--annotate", "teamcity"], ["show", "victim", path],
            ["history", "victim", "--ledger", path], ["compare", path, path], ["diagnose", path], ["diagnose", path, "--hunt", "1"],
            ["report", path, "--redacted-ledger", folder / "redacted.sqlite"], ["merge", folder / "new.sqlite", path], ["merge", path, there / "ledger.sqlite"],
            ["quarantine", "list", "--file", there / "flakehunt-quarantine.toml", "--ledger", path], ["merge", path, there / "shard-1-of-2.jsonl", "--force"],
            ["quarantine", "add", TEST, "--file", folder / "flakehunt-quarantine.toml", "--ledger", path], ["prune", path, "--keep", "1", "--yes"],
        ],
        4,
    ):  # fmt: skip
        _command(guard, *words)
    _known(guard, Path(kept))

    def recalled() -> int:
        archive.worth(Path(kept))
        for number in recalling.particulars(Path(kept)):
            list(archive.counted(Path(kept), number))
            list(recalling.recorded(Path(kept), number, written, ("survey", "study", "torn", "diagnosis")))
            recalling.tests(Path(kept), number)
            recalling.notes(Path(kept), number)
            recalling.busy(Path(kept), number)
            recalling.last_number(Path(kept), number)
            recalling.last_zygote(Path(kept), number)
        return 0

    guard.run("recalled", recalled, (LedgerError,))
    guard.run("remembered", functools.partial(_remembered, Path(kept)), (LedgerError, sqlite3.Error))
    return Path(kept)


def _remembered(path: Path) -> int:
    """Take up experiments where a hunt has left them, as far as what is kept of them goes."""
    from pytest_flakehunt.diagnosis import remembered
    from pytest_flakehunt.ledger.store import Ledger

    ledger = Ledger(path)
    with closing(ledger), closing(sqlite3.connect(path)) as db:
        for ledger.hunt, bench, step in db.execute("SELECT hunt, bench, step FROM steps").fetchall():
            kept = ledger.step(str(bench), step)
            for runs in range(12) if kept else ():
                for seen in remembered.read(kept[1], runs) or ():
                    [
                        (seen.path.place(at), seen.path.text(at)) for at in range(len(seen.path.steps))
                    ] if seen.path else []
    return 0


def plan(guard: Guard, there: Path, folder: Path, chance: Random) -> Path:
    """A plan in written form."""
    from pytest_flakehunt import perturbations
    from pytest_flakehunt.model import SettingError
    from pytest_flakehunt.model.plans import environment, read_plan

    del there
    known = perturbations.registry()
    values = (
        "7",
        "reversed",
        "shuffled:3",
        "alone",
        "+400d",
        "2028-02-29T23:59:58",
        "frozen:2028-02-29",
        "Asia/Kolkata",
        "C.UTF-8",
        "1",
        "20ms",
        "offline",
        "eager",
        "few",
        "1s",
        "COLUMNS=40",
        "HOME=empty",
        "umask=077",
    )
    parts = []
    for _ in range(chance.choice((1, 1, 2, 3, 22, 500))):
        name = chance.choice(list(known)) if chance.random() < 0.95 else mutations.text(chance)
        said = chance.choice(values) if chance.random() < 0.5 else mutations.text(chance)
        if chance.random() < 0.3:
            said = said[:300] + chance.choice(mutations.NASTY)[:300]
        if chance.random() < 0.2:
            at = chance.randrange(len(said) + 1)
            said = (
                said[:at]
                + chance.choice(
                    ("٣", "²", "\u0660", "+", "-", "_", ".", ":", "e", "0x1", "é", "\x00", "\ud800", "../", "/")
                )
                + said[at:]
            )
        parts.append(f"{name}{chance.choice(('=', '=', '=', '==', '', ':'))}{said}")
    text = chance.choice((" ", " ", "\t", "\n", "  ")).join(parts)
    path = folder / "plan.txt"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    def read() -> int:
        found = read_plan(text, known)
        assert read_plan(str(found), known) == found, "its written form is another plan"
        environment(found)
        return 0

    guard.run("read", read, (SettingError,))
    words = [part for part in text.split() if part != "--" and not part.startswith("-")] or ["calm"]
    if all(word.partition("=")[0] in known for word in words):  # else pytest is asked for other plugins' perturbations
        _command(guard, "plan", *words)
        name = words[0].partition("=")[0]
        _command(
            guard,
            "plan",
            *words,
            *chance.choice(
                (
                    ["--without", name],
                    ["--only", name],
                    ["--simpler", name],
                    ["--without", mutations.text(chance)[:200]],
                )
            ),
        )
    return path


def quarantine(guard: Guard, there: Path, folder: Path, chance: Random) -> Path:
    """A quarantine file."""
    from pytest_flakehunt.quarantine import QuarantineError, node_ids
    from pytest_flakehunt.quarantine.looking_up import QuarantineFile

    path = folder / "flakehunt-quarantine.toml"
    for name in ("test_a.py", "pytest.ini"):
        shutil.copy(there / name, folder / name)
    path.write_bytes(mutations.of_toml((there / path.name).read_text("utf-8"), chance))
    kept = shutil.copy(path, folder / "as-given.toml")
    for words in (
        ["list"], ["list", "--json"], ["list", "--markdown"], ["list", "--ledger", there / "ledger.sqlite"], ["check", "--no-collect"], ["check"],
        ["release"], ["add", "test_a.py::test_first", "--fingerprint", "0" * 16], ["remove", TEST],
    ):  # fmt: skip
        _command(guard, "quarantine", words[0], "--file", path, *words[1:])

    def looked_up() -> int:
        for digest in ("", QuarantineFile(Path(kept)).digest):
            found = QuarantineFile(Path(kept), digest)
            for test in (TEST, "test_a.py::test_hashed[b*c]", "test_a.py::test_hashed[" + "a" * 60 + "]"):
                found.of(test)
            found.skipping()
            found.limits()
            for entry in found.whole().entries:
                node_ids.fits(entry.test, node_ids.split(entry.test)[0] + "[" + "a" * 200 + "]")
        return 0

    guard.run("looked up", looked_up, (QuarantineError,))
    return Path(kept)


def journal(guard: Guard, there: Path, folder: Path, chance: Random) -> Path:
    """A journal of a shard."""
    path = folder / "shard.jsonl"
    path.write_bytes(mutations.of_journal((there / "shard-1-of-2.jsonl").read_text("utf-8"), chance))
    out = folder / "out.sqlite"
    _command(guard, "merge", out, path)
    _command(guard, "merge", out, path, there / "shard-2-of-2.jsonl", *(["--force"] if chance.random() < 0.3 else []))
    if out.exists():
        _command(guard, "report", out, "--list")
        _command(guard, "diagnose", out)
        _command(guard, "prune", out, "--hunt", "1", "--yes")
    return path


def report(guard: Guard, there: Path, folder: Path, chance: Random) -> Path:
    """A JSON report."""
    path = folder / "report.json"
    raw = (there / "report.json").read_text("utf-8")
    if chance.random() < 0.2:
        path.write_bytes(mutations.of_bytes(raw.encode(), chance))
    else:
        document = json.loads(raw)
        (mutations.poisoned if chance.random() < 0.4 else mutations.of_json)(document, chance)
        path.write_bytes(mutations.dumped(document).encode("utf-8", "surrogatepass"))
    _command(guard, "report", path, "-v")
    for words in chance.sample(
        [
            ["report", path, *_every_report(folder)], ["report", path, *_every_report(folder)[:-1]], ["show", "victim", path], ["compare", there / "ledger.sqlite", path, "-v"],
            ["quarantine", "add", TEST, "--file", folder / "flakehunt-quarantine.toml", "--report", path],
        ],
        2,
    ):  # fmt: skip
        _command(guard, *words)
    _annotated(guard, path, chance.choice(("azure", "teamcity")))
    _known(guard, path)
    return path


def _annotated(guard: Guard, path: Path, service: str) -> None:
    """See that every line is a whole command of the service, and no other."""
    before = len(guard.faults)
    out = _command(guard, "report", path, "--annotate", service)
    begins = {"azure": "##vso[task.logissue ", "teamcity": "##teamcity[inspection"}[service]
    guard.faults[before:] = [
        fault for fault in guard.faults[before:] if fault.kind != "writes a command of a CI service"
    ]
    if wrong := [
        line for line in out.splitlines() if not line.startswith(begins) and line.lstrip().startswith(("::", "##"))
    ]:
        guard.faults.append(Fault("writes a foreign command", service, wrong[0][:300]))


LETTERS = string.ascii_letters + string.digits
SIGNS = LETTERS + "+/=-_.~!$%&'\"\\ :;@#<>[]{}()üñ\t"
PART = 10
"""Characters of a secret that must not come out in a row."""


def _secret(chance: Random) -> str:
    while True:
        letters = chance.choice((LETTERS, LETTERS, SIGNS))
        found = "".join(chance.choices(letters, k=chance.choice((12, 16, 20, 40, 200))))
        if len(found.strip()) >= PART + 2 and not found.isalpha():
            return found.strip()


TOKENS: tuple[Callable[[Callable[[int], str]], str], ...] = (
    lambda more: f"ghp_{more(36)}", lambda more: f"glpat-{more(20)}", lambda more: f"hf_{more(34)}", lambda more: f"npm_{more(36)}", lambda more: f"sk_live_{more(24)}",
    lambda more: f"pypi-{more(60)}", lambda more: f"xoxb-{more(30)}", lambda more: f"SG.{more(22)}.{more(43)}", lambda more: f"eyJ{more(20)}.eyJ{more(30)}.{more(30)}",
    lambda more: f"-----BEGIN PRIVATE KEY-----\n{more(64)}\n-----END PRIVATE KEY-----", lambda more: f"postgres://me:{more(20)}@db/x", lambda more: f"password='{more(20)}'",
    lambda more: f"Authorization: Bearer 1{more(30)}", lambda more: f"https://x.org/?a=1&access_token={more(20)}&b=2", lambda more: f"DB_PASSWORD={more(20)}",
)  # fmt: skip
"""Secrets that are known by how they look; what is drawn for each must not come out."""


def _as_written(secret: str, chance: Random) -> str:
    import base64
    import shlex
    import urllib.parse

    ways: list[Callable[[str], str]] = [
        str, str, repr, ascii, json.dumps, shlex.quote, urllib.parse.quote, urllib.parse.quote_plus, lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64encode(f"user:{text}".encode()).decode(), lambda text: repr({"key": text}), lambda text: f"{text}{text}", lambda text: f"x{text}y", lambda text: f"{text}\n",
    ]  # fmt: skip
    return chance.choice(ways)(secret)


def _secrets(chance: Random) -> tuple[dict[str, str], list[str], list[str]]:
    """Give variables, what must not come out, and what is planted."""
    secrets: list[str] = []
    environ, planted = {"PATH": "/bin"}, []
    for number in range(chance.choice((1, 1, 2, 4))):
        secret = _secret(chance)
        if secrets and chance.random() < 0.3:  # begins as another one ends
            secret = secrets[-1][-chance.randrange(4, 10) :] + secret
        environ[f"MY_{chance.choice(('TOKEN', 'PASSWORD', 'SECRET', 'API_KEY'))}_{number}"] = secret
        secrets.append(secret)
        planted.append(_as_written(secret, chance))
    if len(secrets) > 1:
        shared = next((n for n in range(9, 3, -1) if secrets[1].startswith(secrets[0][-n:])), 0)
        planted.append(secrets[0] + secrets[1][shared:])
    for _ in range(chance.choice((0, 1, 2))):
        drawn: list[str] = []

        def more(length: int, drawn: list[str] = drawn) -> str:
            drawn.append("1A" + "".join(chance.choices(LETTERS, k=length - 2)))
            return drawn[-1]

        token = chance.choice(TOKENS)(more)
        planted.append(f" {chance.choice(ESCAPES)(token)} ")
        secrets += drawn
    return environ, secrets, planted


ESCAPES: tuple[Callable[[str], str], ...] = (
    str, repr, json.dumps, lambda text: json.dumps(json.dumps(text)), lambda text: repr(f"x\n{text}"), lambda text: f"\x1b[31m{text}",
)  # fmt: skip


def _planted_ledger(source: Path, copy: Path, document: Any, planted: list[str], chance: Random) -> None:
    """Write a ledger with secrets in it."""
    shutil.copy(source, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.execute("UPDATE documents SET document = ?", (json.dumps(document),))
        for column in (
            "evidence.traceback", "evidence.stacks", "notes.text", "sweeps.plan", "tests.file", "tests.nodeid", "hunts.machine", "hunts.directory", "steps.bench",
        ):  # fmt: skip
            table, name = column.split(".")
            db.execute(f"UPDATE {table} SET {name} = {name} || ' ' || ?", (chance.choice(planted),))
        db.execute("UPDATE evidence SET sections = ?", (json.dumps([["out", chance.choice(planted)]]),))


def redaction(guard: Guard, there: Path, folder: Path, chance: Random) -> Path:
    """Secrets in any text of a hunt, which no report may have."""
    from pytest_flakehunt.ledger import copying
    from pytest_flakehunt.model import Service
    from pytest_flakehunt.reports import reading, remarks, writing
    from pytest_flakehunt.reports.redaction import Redactor, handed_on

    environ, secrets, planted = _secrets(chance)
    document = json.loads((there / "report.json").read_text("utf-8"))
    _plant(document, planted, chance)
    path = folder / "planted.json"
    path.write_text(json.dumps({"environ": environ, "secrets": secrets, "document": document}), "utf-8")
    try:
        findings = reading.read(json.dumps(document))
    except reading.DocumentError:
        return path  # a text with a meaning of its own was replaced

    def handed() -> int:
        told = handed_on(findings, Redactor(environ))
        some = chance.sample(REPORTS, 3)
        list(writing.reports(told, {kind: folder / f"out.{kind}" for kind in some}))
        for service in Service:
            lines = "\n".join(writing.annotated(remarks.of_hunt(told), service, folder, told))
            (folder / f"out.{service.value}.log").write_bytes(lines.encode("utf-8", "backslashreplace"))
        return 0

    guard.run("handed on", handed)
    if chance.random() < 0.3:
        copy = folder / "ledger.sqlite"
        _planted_ledger(there / "ledger.sqlite", copy, document, planted, chance)
        guard.run("redacted ledger", lambda: copying.copied(copy, folder / "out.sqlite", Redactor(environ)))
    for out in sorted(folder.glob("out.*")):
        for told in _read_back(out.read_bytes().decode("utf-8", "replace")):
            for secret in secrets:
                if hit := _come_out(secret, told):
                    at = told.index(hit)
                    guard.faults.append(
                        Fault(
                            "a secret comes out",
                            out.suffix,
                            f"{hit!r} of {secret!r} in {told[max(0, at - 100) : at + 100]!r}",
                        )
                    )
                    break
    return path


def _come_out(secret: str, told: str) -> str:
    """Give what of a secret is in a text."""
    pieces = (secret[at : at + PART] for at in range(len(secret) - PART + 1))
    return next((piece for piece in pieces if piece.strip() and piece in told), "")


def _read_back(text: str) -> Iterator[str]:
    yield text
    yield html.unescape(text)
    yield text.replace('\\"', '"').replace("\\\\", "\\")


def _plant(document: Any, planted: list[str], chance: Random) -> None:
    places = [
        (holder, key)
        for holder, key in mutations.nodes(document)
        if isinstance(holder[key], str) and key not in mutations.MEANT
    ]
    chance.shuffle(places)
    for secret in planted:
        for _ in range(chance.choice((1, 3, 10))):
            holder, key = places.pop()  # what is cut by another is none any more
            before = holder[key]
            at = chance.randrange(len(before) + 1)
            holder[key] = chance.choice(
                (
                    f"{before} {secret}",
                    f"{before}{secret}",
                    f"{before[:at]}{secret}{before[at:]}",
                    secret,
                    f"{before}[{secret}]",
                )
            )


TARGETS: dict[str, Attack] = {
    "ledger": ledger, "plan": plan, "quarantine": quarantine, "journal": journal, "report": report, "redaction": redaction,
}  # fmt: skip


def attacked(name: str, guard: Guard, there: Path, folder: Path, chance: Random) -> list[Fault]:
    """Attack once; give what was wrong. What it attacked with is left in the folder if anything was."""
    guard.faults.clear()
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / "temporary").mkdir()
    tempfile.tempdir = str(folder / "temporary")
    os.chdir(folder)
    given = TARGETS[name](guard, there, folder, chance)
    if guard.faults and given.exists():
        shutil.copy(given, folder / f"kept{given.suffix}")
    return list(guard.faults)
