class Guest:
    __slots__ = tuple(f"place_{number}" for number in range(40))  # a size that hardly anything else has


def test_who_comes_first_sits_first():
    guests = [Guest() for _ in range(3)]
    assert sorted(guests, key=id) == guests
