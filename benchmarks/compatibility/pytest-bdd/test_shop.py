from pytest_bdd import given, parsers, scenarios, then, when

scenarios("features/shop.feature")


@given("a basket", target_fixture="basket")
def basket():
    return []


@when(parsers.parse("I add a thing for {price:d}"))
def add(basket, price):
    basket.append(price)


@then(parsers.parse("the total is {total:d}"))
def total(basket, total):
    assert sum(basket) == total


def test_plain():
    assert sum([1, 2]) == 3
