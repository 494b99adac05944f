from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.ground.seeds import derive, keyed_order


def test_a_seed_is_the_same_on_every_machine() -> None:
    assert derive(1, "sweep", "7", "order") == 1801449554


@given(st.integers(), st.lists(st.text(), max_size=4))
def test_seeds_have_32_bits(master: int, names: list[str]) -> None:
    assert 0 <= derive(master, *names) < 2**32


def test_names_are_kept_apart() -> None:
    assert derive(1, "a", "b") != derive(1, "ab")


def test_a_lone_surrogate_is_a_name_like_others() -> None:
    assert derive(1, "\udc80") != derive(1, "\udc81")


@given(st.lists(st.text(), unique=True), st.integers(), st.data())
def test_leaving_some_out_keeps_the_order_of_the_rest(names: list[str], seed: int, data: st.DataObject) -> None:
    some = [name for name in names if data.draw(st.booleans())]
    assert keyed_order(some, seed, str) == [name for name in keyed_order(names, seed, str) if name in some]
