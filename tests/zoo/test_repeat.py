registered = set()


def test_registers_once():
    assert "tea" not in registered
    registered.add("tea")
