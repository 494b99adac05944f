import json


def test_shared(shared_datadir):
    assert (shared_datadir / "prices.json").read_text("utf-8").startswith("{")


def test_own(datadir):
    assert json.loads((datadir / "basket.json").read_text("utf-8")) == ["bread"]


def test_written(datadir):
    (datadir / "basket.json").write_text("[]", "utf-8")
    assert json.loads((datadir / "basket.json").read_text("utf-8")) == []


def test_lazy(lazy_datadir):
    assert (lazy_datadir / "basket.json").exists()


def test_names(datadir):
    assert [path.name for path in datadir.iterdir()] == ["basket.json"]
