def test_first_of_a_set():
    assert next(iter({"apple", "banana"})) == "apple"
