import pytest


def test_receipt(snapshot):
    snapshot.assert_match("bread 3\nmilk 2\n", "receipt.txt")


@pytest.mark.parametrize("n", [1, 2])
def test_squares(snapshot, n):
    snapshot.snapshot_dir = "snapshots/squares"
    snapshot.assert_match(f"{n * n}\n", f"{n}.txt")


def test_folder(snapshot):
    snapshot.assert_match_dir({"a.txt": "one", "b.txt": "two"}, "folder")


def test_bytes(snapshot):
    snapshot.assert_match(b"\x01\x02", "bytes.bin")


def test_plain():
    assert 2 + 2 == 4
