import queue
import socket
import threading
import time

import gevent
import pytest
from gevent.pool import Pool


def test_spawned():
    jobs = [gevent.spawn(lambda n=n: n * n) for n in range(3)]
    gevent.joinall(jobs)
    assert [job.value for job in jobs] == [0, 1, 4]


def test_sleep_yields():
    seen = []
    job = gevent.spawn(seen.append, 1)
    time.sleep(0.01)
    assert seen == [1]
    job.join()


def test_thread():
    numbers = queue.Queue()
    thread = threading.Thread(target=numbers.put, args=(7,))
    thread.start()
    thread.join()
    assert numbers.get() == 7


@pytest.mark.parametrize("size", [1, 3])
def test_pool(size):
    assert Pool(size).map(abs, [-1, -2]) == [1, 2]


def test_socket():
    left, right = socket.socketpair()
    with left, right:
        gevent.spawn(left.sendall, b"bread").join()
        assert right.recv(5) == b"bread"
