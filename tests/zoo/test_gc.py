import weakref


class Node:
    def __init__(self):
        self.itself = self


def test_cycle_stays_alive():
    found = weakref.ref(Node())
    spent = [[number] for number in range(50)]
    assert found() is not None
    del spent
