"""Clocks beside ours: those of the suite itself, and those that C reads."""

import contextlib
import datetime
import socket
import sqlite3
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_flakehunt.instruments.stage import Stage
from pytest_flakehunt.perturbations import foreign_clocks
from pytest_flakehunt.perturbations.clock import Clock

MOVED = Clock("2031-05-06T07:08:09")


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest) -> None:
    for plugin in request.config.pluginmanager.get_plugins():
        if isinstance(plugin, Stage) and plugin.plan.names & {"clock", "timezone"}:
            pytest.skip(f"already under {plugin.plan}")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def moved() -> Iterator[None]:
    with MOVED.held(), MOVED.held_for("test_a.py::test_x"):
        yield


def asked(query: str, *args: object) -> Any:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        return db.execute(query, args).fetchone()[0]


QUERIES = [
    ("SELECT current_timestamp", "2031-05-06 "),
    ("SELECT current_date", "2031-05-06"),
    ("SELECT date()", "2031-05-06"),
    ("SELECT datetime('now')", "2031-05-06 "),
    ("SELECT datetime(' NOW ', 'start of year')", "2031-01-01 00:00:00"),
    ("SELECT strftime('%Y')", "2031"),
    ("SELECT strftime('%Y', 'now', '+1 year')", "2032"),
]


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize(("query", "start"), QUERIES)
def test_sqlite_takes_now_from_the_clock_shown(query: str, start: str) -> None:
    assert str(asked(query)).startswith(start)


@pytest.mark.usefixtures("moved")
def test_sqlite_counts_from_the_clock_shown() -> None:
    assert asked("SELECT unixepoch()") == pytest.approx(time.time(), abs=3)
    assert asked("SELECT julianday('now') - julianday('now', '-1 day')") == pytest.approx(1)


OTHERS = [
    "SELECT date('2020-02-28', '+1 day')", "SELECT time('12:34', 'utc')", "SELECT strftime('%s', '2020-01-01')", "SELECT date(NULL)",
    "SELECT typeof(julianday('2020-01-01'))", "SELECT date('nonsense')", "SELECT typeof(unixepoch('2020-01-01'))", "SELECT date('now', NULL)",
]  # fmt: skip


@pytest.mark.parametrize("query", OTHERS)
def test_all_else_is_sqlites_own(query: str) -> None:
    expected = asked(query)
    with MOVED.held(), MOVED.held_for("test_a.py::test_x"):
        assert asked(query) == expected


def test_databases_that_are_open_agree_too_and_keep_to_the_truth_afterwards() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a, at DEFAULT current_timestamp, CHECK (date(a) > '1999'))")
        with MOVED.held(), MOVED.held_for("test_a.py::test_x"):
            db.execute("CREATE INDEX i ON t (date(a))")  # only what is deterministic may be indexed
            db.execute("INSERT INTO t (a) VALUES ('2020-01-01')")
            assert db.execute("SELECT at FROM t").fetchone()[0].startswith("2031-05-06")
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        assert db.execute("SELECT date(), current_date").fetchone() == (today, today)


def certificate(folder: Path) -> Path:
    """Make one that is valid for an hour before and after the time shown."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, hour = datetime.datetime.now(datetime.UTC), datetime.timedelta(hours=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - hour).not_valid_after(now + hour)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = made.sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "certificate.pem"
    path.write_bytes(signed.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return path


def greeted(path: Path) -> bytes:
    """Give what a server says that has this certificate, to a client that trusts it."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=path)
    server.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            raw, _ = listener.accept()
            with contextlib.suppress(OSError), raw, server.wrap_socket(raw, server_side=True) as secure:
                secure.sendall(b"hello")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname()) as raw,
                client.wrap_socket(raw, server_hostname="localhost") as secure,
            ):
                return secure.recv(5)
        finally:
            thread.join()


def test_certificates_of_another_time_say_nothing_of_a_test(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    assert greeted(certificate(tmp_path)) == b"hello"
    with MOVED.held(), MOVED.held_for("test_a.py::test_x"):
        assert foreign_clocks.disputed(AssertionError(), None) == ""
        path = certificate(tmp_path)
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            greeted(path)
        assert foreign_clocks.disputed(AssertionError(), None) == foreign_clocks.TLS  # whatever a test makes of it
        with MOVED.held_for("test_a.py::test_y"):
            assert foreign_clocks.disputed(AssertionError(), None) == ""
            outer = RuntimeError("no connection")
            outer.__cause__ = OSError(refused.value)
            assert foreign_clocks.disputed(outer, None) == foreign_clocks.TLS
            assert foreign_clocks.disputed(ValueError("certificate has expired"), None) == ""


def test_what_pydantic_holds_against_the_true_time_says_nothing_of_a_test() -> None:
    pydantic = pytest.importorskip("pydantic")
    past, number = pydantic.TypeAdapter(pydantic.PastDatetime), pydantic.TypeAdapter(int)
    with MOVED.held(), MOVED.held_for("test_a.py::test_x"):
        with pytest.raises(pydantic.ValidationError) as refused:
            past.validate_python(datetime.datetime.now() - datetime.timedelta(days=1))
        assert foreign_clocks.disputed(refused.value, None) == foreign_clocks.PYDANTIC
        with pytest.raises(pytest.fail.Exception) as missed, pytest.raises(pydantic.ValidationError):
            pass
        assert foreign_clocks.disputed(missed.value, None) == foreign_clocks.PYDANTIC
        with pytest.raises(pydantic.ValidationError) as other:
            number.validate_python("one")
        assert foreign_clocks.disputed(other.value, None) == ""


def test_what_numpy_takes_from_the_true_time_says_nothing_of_a_test() -> None:
    numpy = pytest.importorskip("numpy")

    def asks() -> None:
        assert numpy.datetime64("now") is None

    def asks_not() -> None:
        assert numpy.datetime64("2020-01-01") is None

    assert foreign_clocks.disputed(AssertionError(), asks) == foreign_clocks.NUMPY
    assert foreign_clocks.disputed(AssertionError(), asks_not) == ""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="one Python is enough for gRPC")
def test_grpc_does_not_wait_for_a_year(pytester: pytest.Pytester) -> None:
    pytest.importorskip("grpc")
    pytester.makepyfile(
        """
        from concurrent import futures
        import pytest

        class Echo:
            def service(self, details):
                import grpc
                return grpc.unary_unary_rpc_method_handler(lambda request, context: request)

        def test_calls():
            import grpc
            server = grpc.server(futures.ThreadPoolExecutor(1))
            server.add_generic_rpc_handlers((Echo(),))
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                assert channel.unary_unary("/a/b")(b"x", timeout=20) == b"x"
            with grpc.insecure_channel("127.0.0.1:1") as channel, pytest.raises(grpc.RpcError):
                channel.unary_unary("/a/b")(b"x", timeout=0.2, wait_for_ready=True)
            server.stop(None)
        """
    )
    for moment in ("+400d", "-400d"):
        result = pytester.runpytest_subprocess(
            "-pxdist.plugin", "-ppytest_flakehunt.plugin", f"--flakehunt-plan=clock={moment}", timeout=60
        )
        assert result.ret == 0


OWN = """
    import datetime, time
    import pytest, time_machine
    from freezegun import freeze_time

    @pytest.fixture(scope="module")
    def frozen():
        with freeze_time("2020-01-01") as clock: yield clock

    def test_ticks():
        with freeze_time("2020-01-01") as clock:
            before = time.monotonic(), time.perf_counter(), time.time()
            clock.tick(5)
            after = time.monotonic(), time.perf_counter(), time.time()
            assert [later - earlier for earlier, later in zip(before, after)] == [5, 5, 5]

    @freeze_time("2020-02-02")
    def test_decorated():
        assert datetime.date.today() == datetime.date(2020, 2, 2)
        with freeze_time("2021-03-03"):
            assert datetime.date.today() == datetime.date(2021, 3, 3)
        assert datetime.date.today() == datetime.date(2020, 2, 2)

    @time_machine.travel("2020-02-02 00:00 +0000", tick=False)
    def test_travels():
        assert time.time() == 1580601600
        with time_machine.travel(0, tick=False):
            assert time.time() == 0
        assert time.time() == 1580601600

    def test_after_all(): assert type(datetime.datetime.now()) is datetime.datetime

    def test_fixture(frozen): assert time.time() == 1577836800
    def test_fixture_again(frozen): assert time.time() == 1577836800
"""


@pytest.mark.parametrize("setting", ["2028-02-29", "+400d", "frozen:2028-02-29"])
def test_clocks_of_the_suite_itself_work_under_ours(pytester: pytest.Pytester, setting: str) -> None:
    pytester.makepyfile(OWN)
    plan = f"--flakehunt-plan=clock={setting}"
    result = pytester.runpytest_subprocess("-pxdist.plugin", "-ppytest_flakehunt.plugin", plan)
    result.stdout.fnmatch_lines([f"flakehunt: did not reproduce: 6 tests passed under clock={setting}"])


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (
            "import freezegun; freezegun.freeze_time('2020-02-02').start()",
            "the suite freezes the clock with freezegun as it is imported",
        ),
        (
            "import time_machine; time_machine.travel(1580601600, tick=False).start()",
            "the suite moves the clock with time-machine as it is imported",
        ),
    ],
)
def test_where_the_suite_holds_the_clock_ours_stands_down(
    pytester: pytest.Pytester, hunt: Callable[..., Any], start: str, reason: str
) -> None:
    pytester.makeconftest(start)
    pytester.makepyfile("import time\ndef test_it(): assert time.time() == 1580601600")
    found = hunt("--flakehunt-only=clock,order", sweeps=6)
    assert found.verdicts == {"test_it": "steady"}
    assert f"clock stands down: {reason}" in found.report["notes"]


@pytest.mark.thorough
def test_no_sound_test_is_blamed_for_a_clock_that_c_reads(pytester: pytest.Pytester, hunt: Callable[..., Any]) -> None:
    pytest.importorskip("pydantic")
    pytester.makepyfile(
        test_it="""
        import datetime, sqlite3
        import numpy, pydantic

        class Born(pydantic.BaseModel):
            on: pydantic.PastDate

        def today(): return datetime.datetime.now(datetime.UTC).date()
        def test_born(): Born(on=today() - datetime.timedelta(days=1))
        def test_numpy(): assert str(numpy.datetime64("today")) == today().isoformat()
        def test_sqlite():
            database = sqlite3.connect(":memory:")
            seconds = database.execute("SELECT unixepoch()").fetchone()[0]
            assert abs(seconds - datetime.datetime.now().timestamp()) < 5
            database.close()
        def test_yaml(): assert {datetime.date: 1}[type(datetime.date.today())]
        def test_bug(): assert datetime.date.today().year < 2027
        """
    )
    found = hunt("--flakehunt-only=clock", sweeps=20)
    flaky = {name for name, verdict in found.verdicts.items() if verdict != "steady"}
    assert flaky == {"test_bug"}
    assert sorted(note for note in found.report["notes"] if note.startswith("clock")) == [
        f"clock stands down for test_it.py::test_born: {foreign_clocks.PYDANTIC}",
        f"clock stands down for test_it.py::test_numpy: {foreign_clocks.NUMPY}",
    ]
    assert found.tests["test_born"]["runs"] < found.tests["test_sqlite"]["runs"]
