import socket

import pytest
from pytest_socket import SocketBlockedError, SocketConnectBlockedError


def test_blocked():
    with pytest.raises(SocketBlockedError):
        socket.socket()


def test_no_look_up(socket_disabled):
    with pytest.raises(SocketBlockedError):
        socket.create_connection(("127.0.0.1", 1), timeout=1)


def test_allowed(socket_enabled):
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert right.recv(1) == b"x"


@pytest.mark.enable_socket
def test_marked():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname(), timeout=20):
            pass


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_hosts():
    with socket.socket() as client, pytest.raises(SocketConnectBlockedError):
        client.connect(("192.0.2.1", 80))
