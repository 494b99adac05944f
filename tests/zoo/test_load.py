import time


def test_has_the_processor_for_itself():
    elapsed, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < 0.1:
        sum(range(1000))
    assert time.perf_counter() - elapsed < 0.18
