import pytest
from loguru import logger


@pytest.fixture
def said():
    said = []
    sink = logger.add(said.append, format="{level} {message}", level="INFO")
    yield said
    logger.remove(sink)


def test_info(said):
    logger.info("bread {}", 3)
    assert said == ["INFO bread 3\n"]


def test_debug_is_left_out(said):
    logger.debug("x")
    assert said == []


def test_bound(said):
    logger.bind(shop=1).warning("low")
    assert said[0].record["extra"] == {"shop": 1}


def test_caught(said):
    with logger.catch(message="broke"):
        raise ValueError("x")
    assert "ValueError: x" in said[0]


def test_file(tmp_path):
    sink = logger.add(tmp_path / "shop.log", format="{message}", enqueue=True)
    logger.info("bread")
    logger.remove(sink)
    assert (tmp_path / "shop.log").read_text("utf-8") == "bread\n"
