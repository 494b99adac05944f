"""One test for each kind of leak; the line that leaks says so."""

import _thread
import asyncio
import csv
import gc
import importlib
import locale
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

KEPT = []


def nap():
    time.sleep(60)


def test_thread():
    threading.Thread(target=nap, daemon=True).start()  # LEAK thread


def test_raw_thread():
    _thread.start_new_thread(nap, ())  # LEAK thread


def test_executor():
    KEPT.append(ThreadPoolExecutor(1))
    KEPT[-1].submit(len, "")  # LEAK executor


async def wait():
    await asyncio.sleep(60)


async def leave_task():
    KEPT.append(asyncio.create_task(wait()))  # LEAK task
    await asyncio.sleep(0)


def test_task():
    asyncio.run(leave_task())


def test_coroutine():
    wait()  # LEAK coroutine
    gc.collect()


async def fail():
    raise ValueError("nobody looks")


async def leave_exception():
    asyncio.create_task(fail())  # LEAK exception
    await asyncio.sleep(0.01)
    gc.collect()


def test_exception():
    asyncio.run(leave_exception())


async def count():
    for number in range(3):
        yield number


async def leave_generator():
    KEPT.append(count())
    await anext(KEPT[-1])  # LEAK generator


def test_generator():
    asyncio.run(leave_generator())


def test_loop():
    KEPT.append(asyncio.new_event_loop())  # LEAK loop


def test_process():
    KEPT.append(subprocess.Popen(["sleep", "60"]))  # LEAK process


def test_file(tmp_path):
    KEPT.append((tmp_path / "log").open("w"))  # LEAK file


def test_socket():
    KEPT.append(socket.create_server(("127.0.0.1", 0)))  # LEAK file


def test_pipe():
    KEPT.append(os.pipe())  # LEAK file


def test_end_of_a_pipe():
    ends = os.pipe()  # LEAK file
    os.close(ends[0])


async def leave_bare_task():
    KEPT.append(asyncio.Task(wait()))
    await asyncio.sleep(0)


def test_environ():
    os.environ["ZOO"] = "1"  # LEAK environ


def test_cwd():
    os.chdir("/")  # LEAK cwd


def test_umask():
    os.umask(0o027)  # LEAK umask


def test_signal():
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # LEAK signal


def test_path():
    sys.path.append("/nowhere")  # LEAK path


def test_logging():
    logging.getLogger().setLevel(logging.DEBUG)  # LEAK logging


def test_handler():
    logging.getLogger().addHandler(logging.NullHandler())  # LEAK logging
    logging.getLogger("zoo").addHandler(logging.StreamHandler())  # LEAK logging


def test_locale():
    locale.setlocale(locale.LC_ALL, "POSIX" if locale.setlocale(locale.LC_ALL) != "C" else "C.UTF-8")  # LEAK locale


def test_modules():
    sys.modules["csv"] = mock.Mock()  # LEAK modules


def test_patch():
    mock.patch("os.getlogin").start()  # LEAK patch


def test_temp():
    tempfile.mkdtemp(prefix="zoo-")  # LEAK temp


def test_temp_file():
    with open(os.path.join(tempfile.gettempdir(), f"zoo-{time.monotonic_ns()}"), "w") as file:  # LEAK temp
        file.write("left")


def test_fixture_of_a_module(live_server):
    assert not live_server.is_set()


def test_the_same_fixture_again(live_server):
    assert not live_server.is_set()


def test_fixture_of_a_test(connection):
    assert connection.fileno() > 0


def test_fixture_that_sets(country):
    assert os.environ["ZOO_COUNTRY"] == "at"
