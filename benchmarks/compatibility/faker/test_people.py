import pytest
from faker import Faker


def test_seeded(faker):
    faker.seed_instance(7)
    first = faker.name()
    faker.seed_instance(7)
    assert faker.name() == first


def test_mail(faker):
    assert "@" in faker.email()


@pytest.mark.parametrize("locale", ["de_DE", "ja_JP"])
def test_locales(locale):
    assert Faker(locale).address()


def test_unique(faker):
    numbers = {faker.unique.random_int(0, 99) for _ in range(20)}
    assert len(numbers) == 20


def test_date(faker):
    born = faker.date_of_birth(minimum_age=18, maximum_age=60)
    assert 1900 < born.year
