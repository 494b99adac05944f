import fcntl
import time


def test_has_the_file_for_itself():
    with open(__file__) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(0.02)
