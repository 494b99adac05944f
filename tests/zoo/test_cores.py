import os
from concurrent.futures import ThreadPoolExecutor


def test_leaves_one_core_to_others():
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)) - 1) as pool:
        assert pool.submit(int, "3").result() == 3
