import subprocess
import threading


def test_a_file_is_written_soon(tmp_path):
    path = tmp_path / "note"
    writer = threading.Thread(target=path.write_text, args=("done",))
    writer.start()
    threading.Event().wait(0.06)
    read = path.exists() and path.read_text()
    writer.join()
    assert read == "done"


def test_a_program_starts_soon(tmp_path):
    path = tmp_path / "ready"
    with subprocess.Popen(["/bin/sh", "-c", f"echo > '{path}'"]):
        threading.Event().wait(0.08)
        assert path.exists()
