import pickle

import attrs
import pytest


@attrs.frozen
class Item:
    name: str
    price: int = attrs.field(validator=attrs.validators.ge(0), default=0)


@attrs.define
class Basket:
    items: list[Item] = attrs.Factory(list)


def test_equal():
    assert Item("bread", 3) == Item("bread", 3)


def test_frozen():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Item("bread").price = 4


def test_validated():
    with pytest.raises(ValueError, match="price"):
        Item("bread", -1)


def test_evolved():
    assert attrs.evolve(Item("bread", 3), price=4) == Item("bread", 4)


def test_factory():
    assert Basket().items is not Basket().items


def test_pickled():
    assert pickle.loads(pickle.dumps(Item("bread", 3))) == Item("bread", 3)
