import random

PORT = random.randrange(1024, 65536)


def test_port_is_low():
    assert PORT < 33280
