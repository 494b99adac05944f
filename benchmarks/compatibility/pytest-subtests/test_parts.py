import unittest


def test_squares(subtests):
    for n in range(3):
        with subtests.test(msg="square", n=n):
            assert n * n == n**2


def test_skipped_part(subtests):
    import pytest

    for n in range(2):
        with subtests.test(n=n):
            if n:
                pytest.skip("odd")
            assert n == 0


class TestOld(unittest.TestCase):
    def test_parts(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertLess(n, 3)

    def test_whole(self):
        self.assertEqual(2 + 1, 3)


def test_plain():
    assert 2 + 1 == 3
