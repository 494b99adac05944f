import pytest
from syrupy.extensions.json import JSONSnapshotExtension


@pytest.fixture
def as_json(snapshot):
    return snapshot.use_extension(JSONSnapshotExtension)


def test_receipt(snapshot):
    assert {"bread": 3, "milk": 2} == snapshot


@pytest.mark.parametrize("n", [1, 2, 3])
def test_squares(snapshot, n):
    assert [n, n * n] == snapshot


def test_two_snapshots(snapshot):
    assert "first" == snapshot
    assert "second" == snapshot(name="named")


def test_json(as_json):
    assert {"name": "bread", "tags": ["food", "baked"]} == as_json


class TestTotals:
    def test_total(self, snapshot):
        assert sum([3, 2]) == snapshot
