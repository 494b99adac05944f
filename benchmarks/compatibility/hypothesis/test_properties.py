from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule


@given(st.lists(st.integers()))
def test_sorted_twice(numbers):
    assert sorted(sorted(numbers)) == sorted(numbers)


@given(st.text(), st.text())
def test_joined(left, right):
    assert (left + right).startswith(left)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.integers()))
def test_copied(prices):
    assert dict(prices) == prices


@given(st.data())
def test_drawn(data):
    numbers = data.draw(st.lists(st.integers(), min_size=1))
    assert min(numbers) <= data.draw(st.sampled_from(numbers))


class Basket(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.prices = []

    @rule(price=st.integers(1, 9))
    def add(self, price):
        self.prices.append(price)

    @invariant()
    def costs(self):
        assert sum(self.prices) >= len(self.prices)


TestBasket = Basket.TestCase
