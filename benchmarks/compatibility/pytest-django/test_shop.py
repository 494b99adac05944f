import pytest
from django.db import IntegrityError, transaction
from shop.models import Item


@pytest.fixture
def bread(db):
    return Item.objects.create(name="bread", price=3)


def test_count(bread):
    assert Item.objects.count() == 1


def test_view(client, bread):
    assert client.get("/prices/").json() == {"bread": 3}


@pytest.mark.django_db
def test_empty(client):
    assert client.get("/prices/").json() == {}


def test_unique(bread):
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.create(name="bread", price=4)


@pytest.mark.django_db(transaction=True)
def test_transaction():
    with transaction.atomic():
        Item.objects.create(name="milk", price=2)
    assert Item.objects.get().price == 2


def test_queries(bread, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert list(Item.objects.all()) == [bread]


def test_settings(settings):
    settings.SECRET_KEY = "other"
    assert settings.SECRET_KEY == "other"


def test_user(django_user_model, db):
    assert django_user_model.objects.create_user("ann", password="pw").check_password("pw")
