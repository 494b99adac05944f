"""Failures at several rates: from what can be pinned, from what one setting brings out, and from what nobody controls."""

import os
import random
import time


def chance():
    """Draw from the clock's smallest digits, which nothing holds."""
    return time.perf_counter_ns() // 100 % 1000 / 1000


def test_one_draw_in_fifty():
    assert random.random() > 0.02


def test_one_draw_in_two():
    assert random.random() > 0.5


def test_half_the_time_on_one_core():
    assert len(os.sched_getaffinity(0)) > 1 or chance() > 0.5


def test_one_time_in_fifty_on_one_core():
    assert len(os.sched_getaffinity(0)) > 1 or chance() > 0.02


def test_nobody_controls_this():
    assert chance() > 0.3
