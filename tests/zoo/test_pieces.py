import os
import pty
import socket


def test_an_answer_comes_in_one_piece():
    client, server = socket.socketpair()
    with client, server:
        server.sendall(b"a long answer to a short question")
        assert client.recv(1024) == b"a long answer to a short question"


def test_a_terminal_shows_a_line_at_once():
    shown, typed = pty.openpty()
    try:
        os.write(typed, b"a line of some length")
        assert os.read(shown, 1024) == b"a line of some length"
    finally:
        os.close(typed)
        os.close(shown)
