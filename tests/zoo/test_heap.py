class Guest:
    __slots__ = tuple("abcdefghijklmnopqrst")


def test_who_comes_first_sits_first():
    guests = [Guest() for _ in range(3)]
    assert sorted(guests, key=id) == guests
