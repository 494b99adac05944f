import datetime

import shop


def test_price_tag():
    assert shop.price_tag(3) == "3.00 €"


def test_american_price_tag():
    shop.CURRENCY["symbol"] = "$"  # and never puts it back
    assert shop.price_tag(3) == "3.00 $"


def test_restock():
    shop.restock("tea", 5)


def test_in_stock():
    assert shop.in_stock("tea") == 5  # needs test_restock before it


def test_tags():
    assert shop.tags("tea").startswith("tea")


def test_discount():
    assert shop.discount() < 18


def test_warranty():
    assert shop.warranty_until() > datetime.date.today()


def test_restock_adds_up():
    shop.restock("coffee", 2)
    shop.restock("coffee", 3)
    assert shop.in_stock("coffee") == 5
