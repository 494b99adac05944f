"""Threads without a lock, and one that is not waited for."""

import threading
import time


def test_every_visitor_is_counted():
    visitors = 0

    def visit():
        nonlocal visitors
        seen = visitors
        seen += 1
        visitors = seen

    threads = [threading.Thread(target=visit) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert visitors == 3


def test_a_nap_is_enough():
    results = []

    def work():
        value = 6
        value *= 7
        results.append(value)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.002)
    seen = list(results)
    thread.join()
    assert seen == [42]
