import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel

app = FastAPI()


class Payment(BaseModel):
    paid: int


def price():
    return 3


@app.get("/price")
def get_price(price: int = Depends(price)):
    return {"price": price}


@app.post("/pay", status_code=201)
async def pay(payment: Payment):
    if payment.paid < 3:
        raise HTTPException(402, "more")
    return {"change": payment.paid - 3}


@pytest.fixture
def client():
    with TestClient(app) as client:
        yield client
    app.dependency_overrides.clear()


def test_price(client):
    assert client.get("/price").json() == {"price": 3}


@pytest.mark.parametrize(("paid", "code"), [(5, 201), (1, 402)])
def test_pay(client, paid, code):
    assert client.post("/pay", json={"paid": paid}).status_code == code


def test_invalid(client):
    assert client.post("/pay", json={"paid": "x"}).status_code == 422


def test_override(client):
    app.dependency_overrides[price] = lambda: 4
    assert client.get("/price").json() == {"price": 4}


def test_schema(client):
    assert "/pay" in client.get("/openapi.json").json()["paths"]
