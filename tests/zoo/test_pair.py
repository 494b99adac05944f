"""A victim of two polluters that are needed together, and one that somebody cleans up after."""

seats = set()
stock = {}


def test_two_seats_are_free():
    assert len(seats) < 2


def test_stock_is_empty():
    assert not stock


def test_takes_a_seat():
    seats.add("left")


def test_takes_another_seat():
    seats.add("right")


def test_clears_the_stock():
    stock.clear()


def test_fills_the_stock():
    stock["tea"] = 3
