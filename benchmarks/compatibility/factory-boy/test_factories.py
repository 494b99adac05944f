import factory
import factory.random


class Item:
    def __init__(self, name, price):
        self.name, self.price = name, price


class ItemFactory(factory.Factory):
    class Meta:
        model = Item

    name = factory.Faker("word")
    price = factory.Faker("random_int", min=1, max=9)


class NumberedFactory(factory.Factory):
    class Meta:
        model = dict

    number = factory.Sequence(lambda n: n)
    label = factory.LazyAttribute(lambda item: f"item {item.number}")


def test_built():
    assert 1 <= ItemFactory().price <= 9


def test_given():
    assert ItemFactory(name="bread").name == "bread"


def test_batch():
    assert len(ItemFactory.build_batch(5)) == 5


def test_sequence():
    NumberedFactory.reset_sequence(3)
    assert NumberedFactory()["label"] == "item 3"


def test_seeded():
    factory.random.reseed_random(7)
    first = ItemFactory().name
    factory.random.reseed_random(7)
    assert ItemFactory().name == first
