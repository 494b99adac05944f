"""Flaky tests that public reports describe, written anew: an hour of southern summer, a sum in the order of a set, and their like."""

import calendar
import gc
import threading
import time
import weakref
import zlib
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

SHARES = {"oxygen": 0.05, "argon": 0.1, "neon": 0.15, "helium": 0.3, "nitrogen": 0.4}
LARGE = bytes(range(256)) * 4000


def test_midnight_is_the_standard_offset_away():
    midnight = calendar.timegm((2012, 1, 14, 0, 0, 0))
    assert time.mktime((2012, 1, 14, 0, 0, 0, 0, 0, -1)) == midnight + time.timezone


def test_shares_of_a_set_add_up_to_one():
    total = 0.0
    for name in set(SHARES):
        total += SHARES[name]
    assert total == 1.0


class Branch:
    def __init__(self, parent=None):
        self.parent = parent
        self.twigs = [] if parent else [Branch(self)]


def test_a_cached_tree_is_still_there():
    gc.collect()  # the next collection is far away, as a rule
    cache = weakref.WeakValueDictionary()
    cache["oak"] = Branch()
    rows = [[number, str(number)] for number in range(60)]
    assert len(rows) == 60
    assert "oak" in cache


_table = {}


def looked_up(number):
    if not _table:
        for step in range(900_000):
            _table[step % 997] = step
    return _table[number % 997]


@given(st.integers(0, 5000))
@settings(max_examples=10, database=None, deadline=timedelta(milliseconds=200))
def test_the_first_look_up_is_quick(number):
    assert looked_up(number) == looked_up(number + 997)


def test_a_label_has_the_second_in_which_it_is_read():
    label = f"site.{int(time.time())}.css"
    zlib.compress(LARGE, 9)
    assert label == f"site.{int(time.time())}.css"


def test_a_poller_calls_back():
    called = threading.Event()

    def poll():
        called.set()
        time.sleep(0.12)

    threading.Thread(target=poll, daemon=True).start()
    assert called.wait(5)


def test_what_comes_between_takes_longer_than_the_poller():
    time.sleep(0.2)


def test_a_reader_starts_no_thread():
    before = threading.active_count()
    time.sleep(0.06)
    assert threading.active_count() == before
