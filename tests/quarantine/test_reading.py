from datetime import date
from pathlib import Path

import pytest

from pytest_flakehunt.model import Count, Entry, Excusing, Limits, Released
from pytest_flakehunt.quarantine import QuarantineError
from pytest_flakehunt.quarantine.looking_up import QuarantineFile
from pytest_flakehunt.quarantine.reading import parse, read

FULL = """\
version = 1
max_entries = 5
max_days = 20
max_excused = 2
team = "shop"

# a comment
[[quarantined]]
test = "tests/test_shop.py::test_warranty"
fingerprints = ["9f31c2d4a07be511"]
at = ["call ValueError shop.py::ends return today"]
cause = "clock: it fails on 29 February"
plan = "clock=2028-02-29T12:00:00"
after = ["tests/test_shop.py::test_first"]
seen = { failures = 20, runs = 21 }
owner = "@shop-team"
issue = "https://example.org/issues/412"
reason = "planned for March"
added = 2026-12-01
expires = 2026-12-20
body = "1f0c"
repro = "pytest …"
message = "*out of range*"
mode = "skip"
together = "calendar"

[[released]]
test = "tests/test_shop.py::test_old"
cause = "order"
fingerprints = ["0000000000000000"]
released = 2027-01-04
revision = "abc123"
shown = "0 of 186 calm"
"""
PLAIN = """version = 1
[[quarantined]]
test = "a.py::test_x"
fingerprints = ["0123456789abcdef"]
added = 2026-12-01
expires = 2026-12-20
"""


def test_all_that_a_file_says_is_read() -> None:
    read = parse(FULL, "q.toml")
    assert read.limits == Limits(5, 20, 2)
    assert read.unknown == ("q.toml: team",)
    assert read.entries == (
        Entry(
            "tests/test_shop.py::test_warranty", date(2026, 12, 1), date(2026, 12, 20), ("9f31c2d4a07be511",),
            ("call ValueError shop.py::ends return today",), "clock: it fails on 29 February",
            "clock=2028-02-29T12:00:00", ("tests/test_shop.py::test_first",), Count(21, 20), "@shop-team",
            "https://example.org/issues/412", "planned for March", "1f0c", "pytest …", "*out of range*",
            Excusing.SKIP, "calendar", 8,
        ),
    )  # fmt: skip
    assert read.released == (
        Released(
            "tests/test_shop.py::test_old", date(2027, 1, 4), "order", ("0000000000000000",), "abc123",
            "0 of 186 calm", 27,
        ),
    )  # fmt: skip


def test_an_empty_file_of_our_version_excuses_nobody() -> None:
    assert not parse("version = 1\n", "q.toml").entries


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version = 1", "", "q.toml: version is missing: write version = 1 above everything else"),
        ("version = 1", "version = 2", "q.toml: version = 2 was written for a newer pytest-flakehunt, this one reads 1: upgrade"),
        ("version = 1", 'version = "1"', "q.toml: version = '1' is none: write version = 1 above everything else"),
        ("version = 1", "version = 1\nmax_days = 0", "q.toml: max_days = 0: give a whole number, 1 or more"),
        ("version = 1", "version = 1\nmax_days = true", "q.toml: max_days = true: give a whole number, 1 or more"),
        ("version = 1\n[[quarantined]]", "version = 1\n[quarantined]", "q.toml: quarantined is no list of tables: begin each with [[quarantined]]"),
        ('test = "a.py::test_x"\n', "", "q.toml, line 2: test is missing: give the node id of a test"),
        ("a.py::test_x", "a.py", "q.toml, line 2, a.py: give the node id of a test, such as tests/test_shop.py::test_warranty"),
        ("::test_x", "::test_*", "q.toml, line 2, a.py::test_*: * stands within the parameters only, as in test_warranty[*]: name one test"),
        ("::test_x", "::test_x[1", "q.toml, line 2, a.py::test_x[1: the parameters have no closing bracket"),
        ('fingerprints = ["0123456789abcdef"]\n', "", 'q.toml, line 2, a.py::test_x: fingerprints are missing: give those of the failures that are excused, or mode = "skip"'),
        ("0123456789abcdef", "XYZ", 'q.toml, line 2, a.py::test_x: fingerprint "XYZ" is none: give sixteen digits from 0 to f, as reports do'),
        ("0123456789abcdef", "1:0123456789abcdef", "q.toml, line 2, a.py::test_x: fingerprint 1:0123456789abcdef is of version 1, and failures are told by another one now: take it from a new hunt"),
        ('["0123456789abcdef"]', '"0123456789abcdef"', 'q.toml, line 2, a.py::test_x: fingerprints = "0123456789abcdef": give texts between brackets, such as ["…", "…"]'),
        ("added = 2026-12-01", 'added = "soon"', 'q.toml, line 2, a.py::test_x: added = "soon": give a date without quotes, such as 2026-12-01'),
        ("added = 2026-12-01", "added = 2026-12-01T10:00:00", "q.toml, line 2, a.py::test_x: added = 2026-12-01 10:00:00: give a date without quotes, such as 2026-12-01"),
        ("added = 2026-12-01\n", "", "q.toml, line 2, a.py::test_x: added is missing: give a date, such as added = 2026-12-01"),
        ("added", "seen = { failures = 3, runs = 2 }\nadded", "q.toml, line 2, a.py::test_x: seen = {'failures': 3, 'runs': 2}: give both numbers, such as { failures = 3, runs = 20 }"),
        ("added", 'mode = "xfail"\nadded', 'q.toml, line 2, a.py::test_x: mode = "xfail": give mode = "skip", or nothing'),
        ("added", "owner = 3\nadded", "q.toml, line 2, a.py::test_x: owner = 3: give a text between quotes"),
        ("added = 2026-12-01", "added = 2026-02-30", "q.toml: Invalid date or datetime (at line 5, column 9): mend it; see q.toml in version control for how it was"),
    ],
)  # fmt: skip
def test_what_a_file_cannot_mean_is_refused_with_place_and_remedy(old: str, new: str, message: str) -> None:
    with pytest.raises(QuarantineError) as refused:
        parse(PLAIN.replace(old, new, 1), "q.toml")
    assert str(refused.value) == message


def test_a_long_value_is_cut_in_a_message() -> None:
    with pytest.raises(QuarantineError, match=r"fingerprint \"x{59}… is none"):
        parse(PLAIN.replace("0123456789abcdef", "x" * 500), "q.toml")


def test_two_entries_for_one_test_are_refused() -> None:
    twice = PLAIN + PLAIN.partition("\n")[2]
    with pytest.raises(QuarantineError) as refused:
        parse(twice, "q.toml")
    assert str(refused.value) == (
        "q.toml, line 7: a.py::test_x has an entry already, on line 2: make one of them, with the fingerprints of both"
    )


def test_a_file_that_is_not_there_to_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(QuarantineError, match=r"q.toml cannot be read: No such file or directory: make it readable"):
        read(tmp_path / "q.toml")


def many(count: int) -> str:
    entries = "".join(
        f'\n[[quarantined]]\ntest = "a.py::test_{number}[*]"\nfingerprints = ["{number:016x}"]\nadded = 2026-12-01\n'
        f'expires = 2026-12-20\nowner = "say \\"{number}\\""\n'
        for number in range(count)
    )
    return f"version = 1\nmax_excused = 3\n{entries}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "q.toml"
    path.write_text(many(50), "utf-8")
    return path


def test_a_piece_of_a_file_that_is_right_says_what_all_of_it_says(file: Path) -> None:
    whole = QuarantineFile(file)
    known = QuarantineFile(file, whole.digest)
    for number in (0, 7, 49, 50):
        test = f"a.py::test_{number}[b]"
        entries, _, limits = known.of(test)
        expected = [entry for entry in whole.whole().entries if entry.test == f"a.py::test_{number}[*]"]
        assert [entry.owner for entry in entries] == [entry.owner for entry in expected]
        assert limits.max_excused == 3
    assert not known.read


def test_a_text_that_is_not_known_to_be_right_is_read_whole(file: Path) -> None:
    looked = QuarantineFile(file, "of another text")
    looked.of("a.py::test_1[b]")
    assert looked.read


def test_a_test_that_the_text_does_not_name_costs_no_reading(file: Path) -> None:
    looked = QuarantineFile(file)
    assert not looked.names("b.py::test_1")
    assert looked.names("b.py::tëst")  # there are several ways to write it
    assert not looked.read


def test_headers_within_texts_are_none(file: Path) -> None:
    text = many(2) + '\n[[quarantined]]\ntest = "a.py::test_x"\nfingerprints = []\nmode = "skip"\nadded = 2026-12-01\n'
    text += 'expires = 2026-12-20\nreason = """\n[[quarantined]]\n"""\n'
    file.write_text(text, "utf-8")
    whole = QuarantineFile(file)
    known = QuarantineFile(file, whole.digest)
    assert [entry.test for entry in known.of("a.py::test_x")[0]] == ["a.py::test_x"]


def test_a_file_that_changes_is_seen(file: Path) -> None:
    looked = QuarantineFile(file)
    assert not looked.changed()
    file.write_text("version = 1\n", "utf-8")
    assert looked.changed()
    file.unlink()
    assert looked.changed()


def test_the_schema_that_ships_agrees_with_what_is_read() -> None:
    import json
    import tomllib
    from importlib import resources

    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(resources.files("pytest_flakehunt.quarantine").joinpath("schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        return value.isoformat() if isinstance(value, date) else value

    validator.validate(plain(tomllib.loads(FULL)))
    known = {"version", "quarantined", "released", *Limits.__slots__}
    assert schema["properties"].keys() == known
    assert schema["$defs"]["entry"]["properties"].keys() == {*Entry.__slots__} - {"line"}
    assert schema["$defs"]["released"]["properties"].keys() == {*Released.__slots__} - {"line"}
    wrong = plain(tomllib.loads(PLAIN.replace("0123456789abcdef", "short")))
    assert not validator.is_valid(wrong)
