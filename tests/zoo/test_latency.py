import socket
import threading


def test_answer_within_sixty_milliseconds():
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"pong")

    thread = threading.Thread(target=answer)
    thread.start()
    client = socket.create_connection(server.getsockname(), timeout=30)
    try:
        client.settimeout(0.06)
        assert client.recv(4, socket.MSG_WAITALL) == b"pong"
    finally:
        client.close()
        thread.join()
        server.close()
