import base64
import json
import shlex
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from urllib.parse import quote

import pytest

from pytest_flakehunt.model import Findings, Parting, Place, Spot
from pytest_flakehunt.reports.redaction import HIDDEN, PATTERNS, Redactor, handed_on, redacted

SECRET = "s3cr=t/wörd'x"
SHOWN = {
    "GitHub": ["ghp_" + "a1B2" * 9, "github_pat_" + "a1B2_" * 6],
    "GitLab": ["glpat-" + "a1-_" * 5],
    "AWS": ["AKIA" + "A1B2" * 4],
    "Azure storage": ["AccountKey=" + "a1B/" * 20 + "=="],
    "Google": ["AIza" + "a1-_B" * 7, "ya29." + "a1-_B" * 7],
    "Slack": ["xoxb-1234567890-abcdef", "xapp-1-A0123456789", "https://hooks.slack.com/services/T0/B0/" + "a1B2" * 6],
    "Stripe": ["sk_live_" + "a1B2" * 6, "rk_test_" + "a1B2" * 6],
    "OpenAI, Anthropic": ["sk-" + "a1B2" * 6, "sk-ant-api03-" + "a1B2" * 6],
    "Hugging Face": ["hf_" + "aBcD" * 9],
    "PyPI": ["pypi-" + "AgEIcHlwaS5vcmc" * 4],
    "npm": ["npm_" + "a1B2" * 9],
    "Docker Hub": ["dckr_pat_" + "a1-_B" * 5],
    "DigitalOcean": ["dop_v1_" + "a1b2" * 16],
    "SendGrid": ["SG." + "a1B2" * 5 + "." + "a1B2" * 5],
    "a JSON web token": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0"],
    "a private key": ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nMIIE"],
    "a password in an address": ["postgresql+psycopg://me:hunter2@db/x", "amqp://me:hunter2/a@b@db"],
    "a header": ["Authorization: Bearer " + "a1B2" * 6, "Authorization: Basic a1B2a1B2a1B2", "'X-Api-Key': 'a1B2c3D4e5'"],
    "a named value": ["connect(password='correct-horse')", 'token: "a1B2c3D4"', "password=b'a1B2c3D4'"],
    "a variable that is set": ["export DB_PASSWORD=a1B2c3D4", "MY_API_KEY_2=a1B2c3D4"],
    "a token in an address": ["https://a1B2c3D4a1B2c3D4@git.x.org/r"],
    "a named value in an address": ["https://x.org/?a=1&access_token=a1B2c3D4&b=2"],
}  # fmt: skip
KEPT = [
    "token = make_token(user)", "assert password is None", "skipped", "a sk-y blue", "eyJ", "tests/test_token.py::test_secret",
    "token='short'", "token='not found in list'", "basic test_create_user_account", "Basic\n" + "-" * 20, "bearer authentication_required",
    "sk-learn-a-very-long-name-of-some-package", "ssh://git@host/r", "x = PASSWORD == other", "http://host:8080/path@x", "basic arithmetic", "commit 0123456789abcdef0123456789abcdef01234567",
]  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_documented_patterns_are_hidden(name: str) -> None:
    redact = Redactor({})
    for text in SHOWN[name]:
        hidden = redact(f"before {text} after")
        assert HIDDEN in hidden
        assert hidden.startswith("before ")
        assert hidden.endswith(" after") or "BEGIN PRIVATE KEY" in text
        for part in ("a1B2", "hunter2", "correct-horse", "MIIE", "dozjg", "AgEI", "aBcD", "A0123"):
            assert part not in hidden


def test_what_a_secret_stands_in_is_kept() -> None:
    redact = Redactor({})
    assert redact("postgresql://me:hunter2@db/x") == "postgresql://me:***@db/x"
    assert redact("?a=1&token=a1B2c3D4&b=2") == "?a=1&token=***&b=2"


@pytest.mark.parametrize("text", KEPT)
def test_what_is_none_is_kept(text: str) -> None:
    assert Redactor({})(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "API_KEY",
        "APIKEY",
        "GITHUB_TOKEN",
        "client_secret",
        "AWS_SECRET_ACCESS_KEY",
        "SENTRY_DSN",
        "TOKEN2",
    ],
)
def test_values_of_variables_named_like_secrets_are_hidden_however_they_are_written(name: str) -> None:
    redact = Redactor({name: SECRET, "USER": "somebody-else"})
    pair = base64.b64encode(f"user:{SECRET}".encode()).decode()
    for written in (
        SECRET, repr(SECRET)[1:-1], quote(SECRET, safe=""), quote(SECRET).lower(), json.dumps(SECRET), shlex.quote(SECRET),
        base64.b64encode(SECRET.encode()).decode(), SECRET.encode("unicode_escape").decode(),
    ):  # fmt: skip
        hidden = redact(f"<{written}>")
        assert "***" in hidden
        assert len(hidden) < 16
    assert redact(pair).startswith(pair[:6])
    assert len(redact(pair)) < 16
    assert redact("somebody-else") == "somebody-else"
    assert redact.met


def test_each_line_of_a_value_is_secret_and_words_and_paths_are_not() -> None:
    variables = {"TOKEN": "first-line\nsecond-line\n}", "SECRET": "hidden", "SSH_AUTH_SOCK": __file__}
    redact = Redactor({**variables, "POSTGRES_PASSWORD": "postgres", "KEY": "/bCd+/EfGh"})
    said = f"second-line hidden {__file__} test_postgres.py /bCd+/EfGh }}"
    assert redact(said) == f"*** hidden {__file__} test_postgres.py *** }}"


def test_users_add_patterns_and_a_group_says_what_of_it_is_hidden() -> None:
    redact = Redactor({}, ["internal-[a-z]+", r"customer=(\d+)-(\d+)"])
    assert redact("internal-host customer=42-7!") == "*** customer=***-***!"


def test_secrets_that_overlap_leave_nothing_of_each_other() -> None:
    redact = Redactor({"A_TOKEN": "abcdefgh-12345", "B_TOKEN": "12345-uvwxyz99", "C_TOKEN": "a1B2a1B2"})
    assert redact("abcdefgh-12345-uvwxyz99!") == "***!"
    assert redact("x ghp_" + "a1B2" * 9 + " y") == "x *** y"
    assert redact.met == {"abcdefgh-12345", "12345-uvwxyz99", "a1B2a1B2"}


@pytest.mark.parametrize(
    "text",
    [
        r"'a line\nghp_" + "a1B2" * 9 + "'", r"HOME=/root\nDB_PASSWORD=a1B2c3D4\n", r"Host: x\r\nAuthorization: Basic a1B2a1B2a1B2\r\n", "\x1b[31mAKIA" + "A1B2" * 4,
        r'{\"password\": \"a1B2c3D4\"}', r"{\\\"token\\\": \\\"a1B2c3D4\\\"}", r'{\"Authorization\": \"Basic a1B2a1B2a1B2\"}', "a%0Asecret='a1B2c3D4'", r"\x1b[0mhf_" + "aBcD" * 9,
    ],
)  # fmt: skip
def test_secrets_are_known_in_what_repr_and_json_have_written(text: str) -> None:
    hidden = Redactor({})(text)
    assert HIDDEN in hidden
    assert not any(part in hidden for part in ("a1B2", "A1B2", "aBcD"))


def test_every_text_of_the_findings_goes_through_it(sample: Findings) -> None:
    def texts(value: object) -> list[str]:
        if isinstance(value, Enum):
            return []
        if isinstance(value, str):
            return [value]
        if is_dataclass(value) and not isinstance(value, type):
            return [text for field in fields(value) for text in texts(getattr(value, field.name))]
        return [text for item in value for text in texts(item)] if isinstance(value, tuple) else []

    hidden = redacted(sample, lambda _: HIDDEN)
    assert len(texts(sample)) > 100
    assert set(texts(hidden)) == {HIDDEN}
    assert hidden.tests[1].modes[0].diagnosis is not None


def test_values_and_lines_at_which_attempts_go_apart_hold_no_secret(sample: Findings) -> None:
    token = "ghp_" + "a1B2" * 9
    spot = Spot(Place("a.py", 1), f"use('{token}')", ("password='quite-secret'",), ("key='from-the-shell'",))
    mode = sample.tests[1].modes[0]
    assert mode.diagnosis is not None
    diagnosis = replace(mode.diagnosis, parting=Parting(spot, first=spot))
    test = replace(sample.tests[1], modes=(replace(mode, diagnosis=diagnosis),))
    hidden = handed_on(replace(sample, tests=(test,)), Redactor({"A_TOKEN": "from-the-shell"}))
    found = hidden.tests[0].modes[0].diagnosis
    assert found is not None
    said = Spot(Place("a.py", 1), "use('***')", ("password='***'",), ("key='***'",))
    assert found.parting == Parting(said, first=said)


def test_tests_whose_names_become_equal_are_numbered(sample: Findings) -> None:
    tests = tuple(
        replace(sample.tests[1], nodeid=f"a.py::test_x[{name}]") for name in ("ghp_" + "a1B2" * 9, "ghp_" + "c3D4" * 9)
    )
    tests = (replace(sample.tests[1], nodeid="a.py::test_x[***] #2"), *tests)
    hidden = handed_on(replace(sample, tests=tests), Redactor({}))
    assert [test.nodeid for test in hidden.tests] == [
        "a.py::test_x[***] #2",
        "a.py::test_x[***]",
        "a.py::test_x[***] #3",
    ]


@pytest.mark.parametrize(
    "text", ["a." * 30_000, "eyJ" * 20_000, "a:" * 30_000, "-----BEGIN " * 5_000, "token=" * 10_000, "sk-" * 20_000]
)
def test_no_text_takes_long(text: str) -> None:
    assert Redactor({})(text) is not None
