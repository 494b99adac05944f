import gc
import weakref


class Node:
    def __init__(self):
        self.itself = self


def test_cycle_stays_alive():
    gc.collect()  # the next collection is far away, as a rule
    found = [weakref.ref(Node()) for _ in range(10)]
    spent = [[number] for number in range(50)]
    assert all(node() is not None for node in found)
    del spent
