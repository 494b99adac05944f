"""A basket of a shop."""


class Basket:
    """What a customer is about to buy."""

    def __init__(self) -> None:
        self.prices: list[int] = []

    def add(self, price: int) -> None:
        """Put one more thing in; it costs something."""
        if price <= 0:
            raise ValueError(price)
        self.prices.append(price)

    def total(self) -> int:
        """Give the sum, less a tenth from 100 on."""
        total = sum(self.prices)
        return total * 9 // 10 if total >= 100 else total
