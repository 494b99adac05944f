import socket

import pytest

FAR = ("192.0.2.1", 9)


def reachable():
    with socket.socket(type=socket.SOCK_DGRAM) as packets:
        return packets.connect_ex(FAR) == 0  # nothing is sent


pytestmark = pytest.mark.skipif(not reachable(), reason="this machine has no network")


def test_knows_its_own_address():
    with socket.socket(type=socket.SOCK_DGRAM) as packets:
        packets.connect(FAR)
        assert packets.getsockname()[0] != "0.0.0.0"
