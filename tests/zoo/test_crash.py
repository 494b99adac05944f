import os


def test_aborts_under_some_hash_seeds():
    if next(iter({"x", "y"})) == "x":
        os.abort()
