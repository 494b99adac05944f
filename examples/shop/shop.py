"""A tiny shop with the bugs that make real tests flaky."""

import datetime
import random

CURRENCY = {"symbol": "€"}
_stock: dict[str, int] = {}


def price_tag(amount: float) -> str:
    """Write a price."""
    return f"{amount:.2f} {CURRENCY['symbol']}"


def restock(article: str, pieces: int) -> None:
    """Put pieces on the shelf."""
    _stock[article] = _stock.get(article, 0) + pieces


def in_stock(article: str) -> int:
    """Count what is on the shelf."""
    return _stock[article]


def tags(article: str) -> str:
    """Join an article's tags; a set has no order."""
    return ", ".join({article, "new", "sale"})


def discount() -> int:
    """Draw today's discount, in percent."""
    return random.randint(1, 20)


def warranty_until() -> datetime.date:
    """Give the day on which today's warranty ends."""
    today = datetime.date.today()
    return today.replace(year=today.year + 2)
