import select
import socket


def test_an_answer_is_there():
    one, other = socket.socketpair()
    with one, other:
        other.sendall(b"hello")
        readable, _, _ = select.select([one], [], [], 30)
        assert readable == [one]


def test_writes_to_all_at_once(tmp_path):
    files = [open(tmp_path / f"{number}.txt", "w") for number in range(100)]
    for file in files:
        file.write("hello")
    for file in files:
        file.close()
    assert len(list(tmp_path.iterdir())) == 100
