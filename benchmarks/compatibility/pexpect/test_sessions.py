import sys

import pexpect
import pytest

ASK = "name = input('name? '); print('hello ' + name)"


@pytest.fixture
def session():
    session = pexpect.spawn(sys.executable, ["-c", ASK], timeout=20, encoding="utf-8")
    yield session
    session.close(force=True)


def test_conversation(session):
    session.expect(r"name\? ")
    session.sendline("ann")
    session.expect("hello ann")
    session.expect(pexpect.EOF)


def test_end(session):
    session.expect(r"name\? ")
    session.sendeof()
    session.expect("EOFError")


def test_run():
    output, status = pexpect.run(f'{sys.executable} -c "print(3)"', withexitstatus=True, timeout=20)
    assert (output, status) == (b"3\r\n", 0)


def test_timeout(session):
    with pytest.raises(pexpect.TIMEOUT):
        session.expect("never said", timeout=0.05)


def test_alive(session):
    assert session.isalive()
