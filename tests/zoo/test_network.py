import os
import socket

import pytest

FAR = ("192.0.2.1", 9)
pytestmark = pytest.mark.skipif("NO_NETWORK" in os.environ, reason="this machine has no network, as who runs this says")


def test_knows_its_own_address():
    with socket.socket(type=socket.SOCK_DGRAM) as packets:
        packets.connect(FAR)  # nothing is sent
        assert packets.getsockname()[0] != "0.0.0.0"
