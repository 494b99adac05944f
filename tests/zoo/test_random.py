import random
import uuid


def test_one_draw_in_three():
    assert random.random() > 1 / 3


def test_one_uuid_in_four():
    assert uuid.uuid4().hex[0] > "3"
