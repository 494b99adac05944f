import datetime

import mongomock
import pytest


@pytest.fixture
def items():
    return mongomock.MongoClient().shop.items


def test_insert(items):
    items.insert_one({"name": "bread", "price": 3})
    assert items.find_one({"name": "bread"})["price"] == 3


def test_sorted(items):
    items.insert_many([{"price": 3}, {"price": 2}])
    assert [item["price"] for item in items.find().sort("price")] == [2, 3]


def test_update(items):
    items.insert_one({"name": "bread", "price": 3})
    items.update_many({}, {"$inc": {"price": 1}})
    assert items.find_one()["price"] == 4


def test_unique(items):
    items.create_index("name", unique=True)
    items.insert_one({"name": "bread"})
    with pytest.raises(mongomock.DuplicateKeyError):
        items.insert_one({"name": "bread"})


def test_aggregate(items):
    items.insert_many([{"shop": 1, "price": 3}, {"shop": 1, "price": 2}])
    assert list(items.aggregate([{"$group": {"_id": "$shop", "sum": {"$sum": "$price"}}}])) == [{"_id": 1, "sum": 5}]


def test_dates(items):
    items.insert_one({"day": datetime.datetime(2024, 2, 29)})
    assert items.count_documents({"day": {"$gt": datetime.datetime(2024, 1, 1)}}) == 1
