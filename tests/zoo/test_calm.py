"""Sound tests that consult every source we perturb; a verdict on any of them is a false alarm."""

import argparse
import asyncio
import calendar
import datetime
import gc
import getpass
import os
import pathlib
import queue
import random
import selectors
import socket
import stat
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
import weakref
import zoneinfo
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import freezegun
import pytest
from hypothesis import given
from hypothesis import strategies as st


def whole(connection):
    received = b""
    while piece := connection.recv(100):
        received += piece
    return received


@pytest.fixture(scope="session")
def server():
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.sendall(whole(connection)[::-1])

    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname()
    stop.set()
    socket.create_connection(listening.getsockname()).close()
    thread.join()
    listening.close()


@pytest.mark.parametrize("word", ["abc", "hello"])
def test_socket(server, word):
    with socket.create_connection(server) as client:
        client.sendall(word.encode())
        client.shutdown(socket.SHUT_WR)
        assert whole(client) == word[::-1].encode()


def test_message_of_known_length():
    one, other = socket.socketpair()
    with one, other, other.makefile("rb") as lines:
        one.sendall(b"hello\nworld")
        assert lines.readline() == b"hello\n"
        assert lines.read(5) == b"world"
        one.sendall(b"again")
        assert other.recv(5, socket.MSG_WAITALL) == b"again"


def test_closed_port_refuses():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as client, pytest.raises(ConnectionRefusedError):
            client.settimeout(30)
            client.connect(address)
            client.send(b"x")
            client.recv(1)
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        address = server.getsockname()
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(ConnectionRefusedError):
        client.settimeout(30)
        client.connect(address)
        client.send(b"x")
        client.recv(1)


def test_tries_another_port_where_one_is_taken():
    for _ in range(3):
        with socket.socket() as asking:
            asking.bind(("127.0.0.1", 0))
            address = asking.getsockname()
        try:
            server = socket.create_server(address)
        except OSError:
            continue
        server.close()
        return
    raise AssertionError("three ports were taken")


def test_reserved_port_is_still_there():
    with socket.socket() as asking, socket.socket() as client:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        asking.bind(("127.0.0.1", 0))
        asking.listen(1)
        client.connect(asking.getsockname())
        asking.accept()[0].close()
        address = asking.getsockname()
    socket.create_server(address).close()  # nobody is given a port that waits for its last packets


def test_port_that_a_duplicate_holds():
    listening = socket.create_server(("127.0.0.1", 0))
    other = listening.dup()
    listening.close()
    with other, socket.create_connection(other.getsockname()) as client:
        accepted = other.accept()[0]
        accepted.close()
        assert client.recv(1) == b""


def test_closed_sockets_leave_no_descriptor():
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(3):
        socket.create_server(("127.0.0.1", 0)).close()
    assert not before or len(os.listdir("/proc/self/fd")) == before


def test_datagram_is_whole():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.send(b"hello")
        assert other.recv(100) == b"hello"


def test_what_is_written_to_a_pipe_at_once_is_whole():
    readable, writable = os.pipe()
    try:
        assert os.write(writable, b"x" * 4096) == 4096
        assert os.read(readable, 4096) == b"x" * 4096
        os.write(writable, b"y" * 10000)
        assert os.read(readable, 65536) == b"y" * 10000
    finally:
        os.close(readable)
        os.close(writable)


def test_program_that_has_ended_has_said_everything():
    program = [sys.executable, "-c", "print('x' * 20000, end='')"]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as process:
        assert process.wait() == 0
        assert os.read(process.stdout.fileno(), 65536) == b"x" * 20000
    assert subprocess.Popen(program, stdout=subprocess.PIPE).communicate()[0] == b"x" * 20000


def test_file_is_not_older_than_the_clock(tmp_path):
    before = time.time()
    path = tmp_path / "file"
    path.write_text("x")
    assert abs(path.stat().st_mtime - before) < 5
    assert abs(os.stat(path).st_mtime_ns / 1e9 - time.time()) < 5
    os.utime(path, (1e9, 1e9))
    assert path.stat().st_mtime == 1e9


def test_what_is_written_later_is_not_older(tmp_path):
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_text("x")
    stamps = [path.stat().st_mtime_ns for path in paths]
    assert stamps == sorted(stamps) == [path.stat().st_mtime_ns for path in paths]
    assert [entry.stat().st_mtime_ns for entry in sorted(os.scandir(tmp_path), key=os.fspath)] == stamps
    assert stamps[-1] <= time.time_ns() <= time.time_ns()
    later = float(stamps[-1] // 10**9 // 2 * 2 + 1000)  # where times of files go in steps of two seconds, this is one
    os.utime(paths[0], (later, later))
    assert os.path.getmtime(paths[0]) == later > os.path.getmtime(paths[1])


def test_rows_come_as_asked():
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(
            "CREATE TABLE guests (name, seat); CREATE VIEW first AS SELECT name FROM guests WHERE seat = 1;"
            "CREATE TRIGGER new INSTEAD OF INSERT ON first BEGIN INSERT INTO guests VALUES (new.name, 1); END;"
        )
        database.executemany("INSERT INTO guests VALUES (?, ?)", [("Ada", 1), ("Grace", 2), ("Mary", 2)])
        database.commit()
        assert database.execute("SELECT name FROM guests ORDER BY name DESC").fetchone() == ("Mary",)
        assert {name for (name,) in database.execute("SELECT name FROM guests")} == {"Ada", "Grace", "Mary"}
        assert database.execute("SELECT count(*) FROM guests GROUP BY seat ORDER BY seat").fetchall() == [(1,), (2,)]
        assert [column[1] for column in database.execute("PRAGMA table_info(guests)")] == ["name", "seat"]
        with closing(sqlite3.connect(":memory:")) as other:
            other.executescript("\n".join(database.iterdump()))
            other.execute("INSERT INTO first VALUES ('Hedy')")
            assert other.execute("SELECT count(*) FROM guests").fetchone() == (4,)


def test_local_time_agrees_with_itself():
    now = datetime.datetime.now()
    local = time.localtime()
    assert abs(datetime.datetime(*local[:6]) - now) < datetime.timedelta(seconds=2)
    assert abs(now.timestamp() - time.time()) < 2
    utc = datetime.datetime.now(datetime.timezone.utc)
    assert abs(utc - now.astimezone()) < datetime.timedelta(seconds=2)
    assert abs(datetime.datetime.fromtimestamp(time.time()) - now) < datetime.timedelta(seconds=2)


def test_monotonic_is_never_moved():
    start = time.monotonic()
    time.sleep(0.01)
    assert 0.009 < time.monotonic() - start < 5


def test_freezegun_within():
    with freezegun.freeze_time("2020-02-02"):
        assert datetime.date.today() == datetime.date(2020, 2, 2)
    assert datetime.date.today().year > 2020


def test_random_draws_differ():
    assert random.random() != random.random()
    assert uuid.uuid4() != uuid.uuid4()
    assert os.urandom(8) != os.urandom(8)
    assert random.Random().random() != random.Random().random()
    assert len(os.urandom(0)) == 0


def test_threads_and_queues():
    inbox = queue.Queue()
    thread = threading.Thread(target=lambda: inbox.put(threading.current_thread().name), name="worker")
    thread.start()
    assert inbox.get(timeout=30) == "worker"
    thread.join()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(str, range(3))) == ["0", "1", "2"]


def test_asyncio_streams():
    async def echo(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main():
        listening = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with listening:
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname()[:2])
            writer.write(b"hello\n")
            assert await asyncio.wait_for(reader.readline(), 30) == b"hello\n"
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.001)

    asyncio.run(main())


def test_asyncio_reads_exactly():
    async def main():
        async def count(reader, writer):
            size = int.from_bytes(await reader.readexactly(4), "big")
            writer.write(b"%d" % len(await reader.readexactly(size)))
            writer.close()
            await writer.wait_closed()

        listening = await asyncio.start_server(count, "127.0.0.1", 0)
        async with listening:
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname()[:2])
            writer.write((100_000).to_bytes(4, "big") + bytes(100_000))
            await writer.drain()
            assert await reader.read() == b"100000"
            writer.close()
            await writer.wait_closed()
        program = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('x' * 20000)", stdout=-1)
        output, _ = await program.communicate()
        assert len(output) == 20001

    asyncio.run(main())


def test_collects_what_it_drops():
    class Node:
        pass

    node = Node()
    node.itself = node
    found = weakref.ref(node)
    del node
    gc.collect()
    assert found() is None


def test_set_holds_what_was_put_in():
    assert {"a", "b"} == {"b", "a"}
    assert sorted({"x", "y", "z"}) == ["x", "y", "z"]


def test_subprocess():
    assert subprocess.run([sys.executable, "-c", "print(3)"], capture_output=True, check=True).stdout == b"3\n"


def test_temporary_names():
    with tempfile.NamedTemporaryFile() as one, tempfile.NamedTemporaryFile() as other:
        assert one.name != other.name


def test_help_of_a_width_that_is_set(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    parser = argparse.ArgumentParser(prog="fetch", usage="fetch [--verbose]")
    parser.add_argument("--verbose", action="store_true", help="say what is fetched, and from where")
    assert "  --verbose   say what is fetched, and from where\n" in parser.format_help()


def test_socket_in_the_working_directory(monkeypatch):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(folder)
        listening.bind("socket")
        assert os.path.exists(f"{folder}/socket")
        assert os.path.samefile(os.getcwd(), folder)
        monkeypatch.undo()


def test_mode_that_a_file_is_given(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("hello")
    page.chmod(0o644)
    assert stat.S_IMODE(page.stat().st_mode) == 0o644


def test_mask_of_its_own(tmp_path):
    before = os.umask(0o022)
    try:
        (tmp_path / "file").touch()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


HOME = pathlib.Path.home()


def test_home_is_where_it_was_when_this_was_imported():
    assert pathlib.Path("~").expanduser() == HOME


def test_home_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (pathlib.Path.home() / ".fetchrc").write_text("verbose")
    assert pathlib.Path("~/.fetchrc").expanduser().read_text() == "verbose"


def test_somebody_is_the_user():
    assert getpass.getuser()


def test_files_lie_among_temporary_ones():
    with tempfile.NamedTemporaryFile() as file:
        assert os.path.dirname(file.name) == tempfile.gettempdir()
        command = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert told == tempfile.gettempdir()


def test_answer_of_any_number():
    one, other = socket.socketpair()
    with one, other, selectors.DefaultSelector() as selector:
        other.sendall(b"hello")
        selector.register(one, selectors.EVENT_READ)
        assert [key.fileobj for key, _ in selector.select(30)] == [one]


def test_files_one_after_the_other(tmp_path):
    for number in range(100):
        with open(tmp_path / f"{number}.txt", "w") as file:
            file.write("hello")
    assert len(list(tmp_path.iterdir())) == 100


def test_child_that_closes_everything():
    pid = os.fork()
    if not pid:
        os.closerange(3, 4096)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def test_output(capfd):
    print("hello")
    assert capfd.readouterr().out == "hello\n"


def test_cache(cache):
    assert cache.get("zoo/absent", None) is None


def test_worker(worker_id):
    assert worker_id.startswith("gw")


@given(st.lists(st.integers()))
def test_property(numbers):
    assert sorted(sorted(numbers)) == sorted(numbers)


@pytest.mark.parametrize("numbers", [iter([1, 2])])
def test_parameter_that_can_be_used_once(numbers):
    assert list(numbers) == [1, 2]


class TestCounting:
    """Each run of a test has an instance of its own."""

    count = 0

    def test_one(self):
        self.count += 1
        assert self.count == 1

    @pytest.mark.parametrize("number", [1, 2])
    def test_many(self, number):
        assert not hasattr(self, "number")
        self.number = number


class TestUnit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = []

    def test_subtests(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertLess(number, 3)

    def test_shared(self):
        self.assertEqual(self.shared, [])


def test_midnight_where_it_is_asked_for_by_name():
    day = datetime.datetime(2012, 1, 14, tzinfo=zoneinfo.ZoneInfo("Australia/Adelaide"))
    assert day.timestamp() == calendar.timegm((2012, 1, 13, 13, 30, 0))


def test_shares_of_a_set_add_up_to_about_one():
    assert sum({0.05, 0.1, 0.15, 0.3, 0.4}) == pytest.approx(1.0)


class Knot:
    def __init__(self):
        self.itself = self


def test_a_tree_that_is_held_stays_in_its_cache():
    cache = weakref.WeakValueDictionary()
    tree = cache["oak"] = Knot()
    rows = [[number, str(number)] for number in range(60)]
    assert cache["oak"] is tree
    assert len(rows) == 60


def test_a_label_has_the_second_before_or_after():
    before = int(time.time())
    label = int(time.time())
    assert before <= label <= before + 60


def test_a_thread_is_waited_for_before_threads_are_counted():
    thread = threading.Thread(target=time.sleep, args=(0.01,))
    before = threading.enumerate()
    thread.start()
    thread.join()
    assert thread not in threading.enumerate()
    assert thread not in before
