import pytest
import structlog
from structlog.testing import capture_logs


@pytest.fixture
def log():
    structlog.contextvars.clear_contextvars()
    yield structlog.get_logger()
    structlog.reset_defaults()


def test_captured(log):
    with capture_logs() as said:
        log.info("sold", item="bread")
    assert said == [{"event": "sold", "item": "bread", "log_level": "info"}]


def test_bound(log):
    with capture_logs() as said:
        log.bind(shop=1).warning("low")
    assert said[0]["shop"] == 1


def test_json(log, capsys):
    structlog.configure(processors=[structlog.processors.JSONRenderer(sort_keys=True)])
    structlog.get_logger().info("sold", price=3)
    assert capsys.readouterr().out == '{"event": "sold", "price": 3}\n'


def test_context(log):
    with structlog.contextvars.bound_contextvars(request=7):
        assert structlog.contextvars.get_contextvars() == {"request": 7}


def test_times():
    stamper = structlog.processors.TimeStamper(fmt="iso", utc=True)
    assert stamper(None, "info", {})["timestamp"].endswith("Z")
