import sys
from urllib.request import urlopen

import pytest
from xprocess import ProcessStarter


@pytest.fixture(scope="session")
def server(xprocess, tmp_path_factory):
    folder = tmp_path_factory.mktemp("www")
    (folder / "bread").write_text("3", "utf-8")
    code = (
        "from functools import partial; from http.server import *; import sys;"
        f"s = ThreadingHTTPServer(('127.0.0.1', 0), partial(SimpleHTTPRequestHandler, directory={str(folder)!r}));"
        f"open({str(folder / 'port')!r}, 'w').write(str(s.server_port)); print('ready', flush=True); s.serve_forever()"
    )

    class Starter(ProcessStarter):
        pattern = "ready"
        args = [sys.executable, "-c", code]
        terminate_on_interrupt = True

    name = f"server-{folder.parent.name}-{folder.name}"
    xprocess.ensure(name, Starter)
    yield f"http://127.0.0.1:{(folder / 'port').read_text('utf-8')}"
    xprocess.getinfo(name).terminate()


@pytest.mark.parametrize("turn", [1, 2])
def test_price(server, turn):
    with urlopen(f"{server}/bread", timeout=20) as answer:
        assert answer.read() == b"3"


def test_listing(server):
    with urlopen(server, timeout=20) as answer:
        assert b"bread" in answer.read()


def test_plain():
    assert 2 + 1 == 3
