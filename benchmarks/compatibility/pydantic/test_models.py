from datetime import date

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator


class Item(BaseModel):
    name: str
    price: int = Field(ge=0)
    best_before: date | None = None

    @field_validator("name")
    @classmethod
    def lower(cls, name):
        return name.lower()


def test_validated():
    assert Item(name="Bread", price="3") == Item(name="bread", price=3)


def test_refused():
    with pytest.raises(ValidationError, match="greater than or equal"):
        Item(name="bread", price=-1)


def test_json():
    item = Item(name="milk", price=2, best_before="2024-02-29")
    assert Item.model_validate_json(item.model_dump_json()) == item


def test_date():
    assert Item(name="milk", price=2, best_before="2024-02-29").best_before == date(2024, 2, 29)


def test_schema():
    assert Item.model_json_schema()["required"] == ["name", "price"]
