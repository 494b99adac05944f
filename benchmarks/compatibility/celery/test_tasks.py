import pytest
from celery import Celery, chain, group

app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.update(task_always_eager=True, task_store_eager_result=True)


@app.task
def add(one, two):
    return one + two


@app.task(bind=True, max_retries=2, default_retry_delay=0)
def stubborn(self):
    if self.request.retries < 2:
        raise self.retry()
    return self.request.retries


@app.task
def broken():
    raise ValueError("x")


def test_call():
    assert add.delay(1, 2).get() == 3


def test_chain():
    assert chain(add.s(1, 2), add.s(3))().get() == 6


def test_group():
    assert group(add.s(n, n) for n in range(3))().get() == [0, 2, 4]


def test_retried():
    assert stubborn.delay().get() == 2


def test_failed():
    result = broken.delay()
    assert result.failed()
    with pytest.raises(ValueError, match="x"):
        result.get()
