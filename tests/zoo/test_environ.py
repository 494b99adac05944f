import argparse
import os
import socket
import stat
import tempfile


def test_help_stands_on_one_line():
    parser = argparse.ArgumentParser(prog="fetch", usage="fetch [--verbose]")
    parser.add_argument("--verbose", action="store_true", help="say what is fetched, and from where")
    assert "  --verbose   say what is fetched, and from where\n" in parser.format_help()


def test_a_socket_has_room_among_temporary_files():
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{folder}/socket")


def test_a_page_can_be_read_by_the_server(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("hello")
    assert stat.S_IMODE(page.stat().st_mode) & stat.S_IROTH


def test_a_temporary_folder_is_where_it_says():
    with tempfile.TemporaryDirectory() as folder:
        before = os.getcwd()
        os.chdir(folder)
        try:
            assert os.getcwd() == folder
        finally:
            os.chdir(before)
