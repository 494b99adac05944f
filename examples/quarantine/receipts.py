"""Receipts of a shop."""

import time


def day(paid):
    """Give the day that a receipt is of."""
    return time.strftime("%d.%m.%Y", time.localtime(paid))
