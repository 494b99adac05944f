import datetime

import pytest
from marshmallow import Schema, ValidationError, fields, post_load, validate


class Item(Schema):
    name = fields.Str(required=True)
    price = fields.Int(validate=validate.Range(min=0))
    sold = fields.AwareDateTime(default_timezone=datetime.UTC)

    @post_load
    def upper(self, data, **_):
        return {**data, "name": data["name"].upper()}


def test_loaded():
    assert Item().load({"name": "bread", "price": "3"}) == {"name": "BREAD", "price": 3}


def test_refused():
    with pytest.raises(ValidationError) as caught:
        Item().load({"price": -1})
    assert sorted(caught.value.messages) == ["name", "price"]


def test_dumped():
    moment = datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC)
    assert Item().dump({"name": "x", "sold": moment})["sold"] == "2024-02-29T00:00:00+00:00"


def test_many():
    assert len(Item(many=True).load([{"name": "a"}, {"name": "b"}])) == 2


def test_only():
    assert Item(only=["price"]).dump({"name": "x", "price": 1}) == {"price": 1}
