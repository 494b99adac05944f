"""Which machines are refused, before anything runs there."""

import threading
from typing import NoReturn

import pytest

from pytest_flakehunt.machines import gateways, relay, there
from pytest_flakehunt.machines.gateways import Unreachable

FINE = dict.fromkeys(("Python", "platform", "pytest-flakehunt", "pytest", "pytest-xdist", "psutil", "files"), "1")


def test_a_machine_that_has_the_same_is_taken() -> None:
    gateways.compare(there.facts(), there.facts())


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"psutil": ""}, "psutil is not installed there; install it"),
        ({"pytest-flakehunt": ""}, "pytest-flakehunt is not installed there; install it"),
        ({"Python": "2"}, "it has Python 2, and here is 1; name an equal one there with python=PATH"),
        ({"platform": "2"}, "it has platform 2, and here is 1; both ends must run the same system"),
        ({"pytest": "2"}, "it has pytest 2, and here is 1; install the same one there"),
        ({"files": "2"}, "its pytest-flakehunt 1 has other files than this one; install the same one there"),
    ],
)
def test_what_differs_is_named_with_a_cure(changed: dict[str, str], refusal: str) -> None:
    with pytest.raises(Unreachable) as raised:
        gateways.compare(FINE, {**FINE, **changed})
    assert str(raised.value) == refusal


def test_who_does_not_answer_is_not_waited_for_for_ever() -> None:
    def never(*_: object) -> NoReturn:
        threading.Event().wait()
        raise AssertionError

    with pytest.raises(Unreachable) as raised:
        gateways.reaching("socket=a:1", patience=0.1, reach=never)()
    assert str(raised.value) == (
        "no answer for 0 seconds; see that a socket server of execnet listens there, and serves nobody else"
    )


def test_who_cannot_be_reached_is_refused() -> None:
    with pytest.raises(Unreachable, match=r"it cannot be reached: .*; see that there is such a Python"):
        gateways.reaching("popen//python=/no/such/python")()


def test_a_setting_that_a_machine_does_not_know_is_named() -> None:
    assert relay.unheld("locale", "xx_XX.UTF-8") == "locale=xx_XX.UTF-8 is not known"
    assert relay.unheld("order", "reversed") == ""
    assert relay.unheld("of another plugin", "1") == ""
