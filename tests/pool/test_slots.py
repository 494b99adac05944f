"""Which zygote may run what."""

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_flakehunt.model import Isolation
from pytest_flakehunt.model.plans import Draft, environment, read_plan
from pytest_flakehunt.perturbations import registry
from pytest_flakehunt.pool.slots import Job, suits


def a_link(**changed: Any) -> Any:
    usual = {
        "environment": {"PYTHONHASHSEED": "7"}, "bound": False, "used": True, "early": "", "watching": False, "interpreter": "",
    }  # fmt: skip
    return SimpleNamespace(**{**usual, **changed})


@pytest.mark.parametrize(
    ("plan", "changed", "fits"),
    [
        ("", {}, True),
        ("hashseed=7", {}, True),
        ("hashseed=8", {}, False),
        ("hashseed=7", {"bound": True}, True),
        ("", {"bound": True}, False),
        ("gc=eager", {"bound": True}, False),
    ],
)
def test_what_says_no_hash_seed_is_not_run_where_one_is_on_trial(
    plan: str, changed: dict[str, Any], fits: bool
) -> None:
    held = read_plan(plan, registry())
    assert suits(a_link(**changed), Job(Draft(1, held)), environment(held)) is fits


def test_a_fresh_interpreter_is_used_once_and_one_of_several_is_that_one() -> None:
    calm = environment(read_plan("", registry()))
    assert not suits(a_link(), Job(Draft(1), isolation=Isolation.FRESH), calm)
    assert suits(a_link(used=False), Job(Draft(1), isolation=Isolation.FRESH), calm)
    assert not suits(a_link(), Job(Draft(1), interpreter="None 3"), calm)
    assert suits(a_link(interpreter="None 3"), Job(Draft(1), interpreter="None 3"), calm)
