"""The sound twins of what is left: none of these may be reported."""

import asyncio
import gc
import locale
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from unittest import IsolatedAsyncioTestCase, mock

CACHE = {}


def nap():
    time.sleep(0.005)


def test_thread_is_joined():
    thread = threading.Thread(target=nap)
    thread.start()
    thread.join()


def test_thread_ends_five_milliseconds_later():
    threading.Thread(target=nap).start()


def test_executor_is_shut_down():
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(len, ["", ""]))


def test_executor_ends_later():
    pool = ThreadPoolExecutor(1)
    pool.submit(nap)
    pool.shutdown(wait=False)


def test_processes_end():
    with ProcessPoolExecutor(1) as pool:
        assert list(pool.map(len, ["", "a"])) == [0, 1]


async def wait():
    await asyncio.sleep(60)


async def work():
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    other = asyncio.create_task(wait())
    await asyncio.sleep(0)
    other.cancel()  # it ends as the loop does
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))
    await asyncio.get_running_loop().run_in_executor(None, nap)


def test_tasks_are_awaited_or_cancelled():
    asyncio.run(work())


async def fail():
    raise ValueError("somebody looks")


async def look():
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    assert isinstance(task.exception(), ValueError)


def test_exception_is_retrieved():
    asyncio.run(look())
    gc.collect()


async def count():
    for number in range(3):
        yield number


async def read():
    assert [number async for number in count()] == [0, 1, 2]


def test_generator_is_finished():
    asyncio.run(read())


class TestUnittest(IsolatedAsyncioTestCase):
    async def test_coroutine_is_awaited(self):
        await asyncio.sleep(0)


def test_loop_is_closed():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_process_is_waited_for():
    subprocess.run(["true"], check=True)


def test_process_is_killed():
    process = subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE)
    process.kill()
    process.wait()
    process.stdout.close()


def test_file_and_socket_are_closed(tmp_path):
    with (tmp_path / "log").open("w") as file, socket.create_server(("127.0.0.1", 0)):
        file.write("closed")


def test_temporary_files_go():
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile():
        open(os.path.join(folder, "inside"), "w").close()


def test_files_of_tmp_path_stay(tmp_path):
    (tmp_path / "left").write_text("for whoever looks into it")


def test_variable_is_taken_back(monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO", "2")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "csv", mock.Mock())


def test_state_is_put_back():
    before = os.umask(0o027)
    os.umask(before)
    handler = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, handler)
    was = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C")
    locale.setlocale(locale.LC_ALL, was)


def test_log_level_is_put_back(caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("zoo.sound").info("said")


@mock.patch("os.getlogin")
def test_patch_ends(getlogin):
    patch = mock.patch("os.cpu_count")
    patch.start()
    patch.stop()


def test_import_is_no_change():
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0)


def test_module_fixture_that_stops(stopped_server):
    assert not stopped_server.is_set()


def test_module_fixture_again(stopped_server):
    assert not stopped_server.is_set()


def test_pool_of_a_module_starts_its_threads_late(pool):
    pool.submit(nap).result()


def test_pool_again(pool):
    pool.submit(nap).result()


def test_connection_of_a_session_is_opened_late(client):
    client.get()


def test_connection_again(client):
    client.get()


def test_variable_of_a_module(language):
    assert os.environ["ZOO_LANGUAGE"] == "de"


def test_output_is_captured(capfd):
    os.write(1, b"hello")
    assert capfd.readouterr().out == "hello"


def test_folders_are_taken_back_together(two_folders):
    assert "/two" in sys.path


def test_a_fixture_with_parameters_sets_again(mode):
    assert os.environ["ZOO_MODE"]


def test_a_file_in_the_folder_of_a_module(folder):
    open(os.path.join(folder, "inside"), "w").close()


def test_processes_of_a_module_start_late(workers, spawned):
    assert workers.submit(len, "").result() == 0


def test_a_process_beside_that_of_a_module(spawned):
    process = multiprocessing.get_context("fork").Process(target=len, args=("",))
    process.start()
    process.join()


def test_a_server_is_started_late(start_server):
    start_server()


def test_a_database_is_opened_late(engine, tmp_path):
    engine.connect(tmp_path / "db")


def test_a_variable_is_set_for_the_module(variables):
    variables.setenv("ZOO_SET", "1")


class TestPool:
    @classmethod
    def setup_class(cls):
        cls.pool = ThreadPoolExecutor(1)

    @classmethod
    def teardown_class(cls):
        cls.pool.shutdown()

    def test_pool_of_a_class_starts_its_thread_late(self):
        assert self.pool.submit(len, "").result() == 0

    def test_pool_of_a_class_again(self):
        assert self.pool.submit(len, "").result() == 0


async def first():
    async for number in count():
        return number


def test_the_rest_of_a_generator_is_closed():
    assert asyncio.run(first()) == 0


def test_nothing_follows():
    pass
