import socket
import threading

import pytest

KEPT = []

def serve(stop):
    stop.wait()


@pytest.fixture(scope="module")
def live_server():
    stop = threading.Event()
    threading.Thread(target=serve, args=(stop,), daemon=True).start()  # LEAK thread live_server
    yield stop


@pytest.fixture(scope="module")
def stopped_server():
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(stop,), daemon=True)
    thread.start()
    yield stop
    stop.set()
    thread.join()


@pytest.fixture
def connection():
    KEPT.append(socket.socket())  # LEAK file connection
    return KEPT[-1]


@pytest.fixture(scope="module")
def pool():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture(scope="session")
def client():
    """Opens its connection when it is first used, and closes it in the end."""

    class Client:
        held = None

        def get(self):
            self.held = self.held or socket.socket()

    made = Client()
    yield made
    made.held.close()


@pytest.fixture(scope="module")
def language():
    import os

    os.environ["ZOO_LANGUAGE"] = "de"
    yield
    del os.environ["ZOO_LANGUAGE"]


@pytest.fixture(scope="module")
def country():
    import os

    os.environ["ZOO_COUNTRY"] = "at"  # LEAK environ country
    yield


@pytest.fixture
def one_folder(monkeypatch):
    monkeypatch.syspath_prepend("/one")


@pytest.fixture
def two_folders(one_folder, monkeypatch):
    monkeypatch.syspath_prepend("/two")


@pytest.fixture(scope="module", params=[1, 2])
def mode(request):
    import os

    os.environ["ZOO_MODE"] = str(request.param)
    yield
    del os.environ["ZOO_MODE"]


@pytest.fixture(scope="module")
def folder():
    import shutil
    import tempfile

    made = tempfile.mkdtemp()
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def workers():
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def spawned():
    import multiprocessing
    import time

    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    process.start()
    yield
    process.terminate()
    process.join()


@pytest.fixture(scope="module")
def start_server(request):
    def start():
        stop = threading.Event()
        thread = threading.Thread(target=serve, args=(stop,), daemon=True)
        thread.start()
        request.addfinalizer(thread.join)
        request.addfinalizer(stop.set)

    return start


@pytest.fixture(scope="session")
def engine():
    class Engine:
        held = None

        def connect(self, path):
            import sqlite3

            self.held = self.held or sqlite3.connect(path)

    made = Engine()
    yield made
    made.held.close()


@pytest.fixture(scope="module")
def variables():
    with pytest.MonkeyPatch.context() as patch:
        yield patch
