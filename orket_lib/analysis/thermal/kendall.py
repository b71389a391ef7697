"""Kendall's test for a rise, exact also for few values and for values that tie.

Orders are counted by how many of their pairs are reversed, once for each length: the exact test of
a library is made for one call, and whoever simulates series makes many thousands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import accumulate


def chance_of_order(values: Sequence[float]) -> float:
    """Return the one-sided p-value of Kendall's test for a rise, exact also where values tie."""
    reversed_pairs = sum(
        after < before for place, before in enumerate(values) for after in values[place + 1 :]
    )
    return shares_of_orders(tuple(sorted(Counter(values).values())))[reversed_pairs]


@cache
def shares_of_orders(alike: tuple[int, ...]) -> tuple[float, ...]:
    """Return, by number of pairs, the share of all orders in which no more pairs are reversed.

    Args:
        alike: How many values there are of each size; all 1 where none tie.
    """
    # Orders by reversed pairs are a product of (1 + q + ... + q^(n-1)); ties divide by their own.
    orders = _orders(sum(alike))
    for count in alike:
        orders = _quotient(orders, _orders(count))
    whole = sum(orders)
    return tuple(total / whole for total in accumulate(orders))


@cache
def _orders(length: int) -> tuple[int, ...]:
    """Return the number of orders of different values, by how many pairs are reversed."""
    orders = [1]
    for size in range(2, length + 1):
        # The next value may stand before 0 to size - 1 of the others: a moving sum.
        sums = [0, *accumulate(orders), *[sum(orders)] * (size - 1)]
        orders = [total - sums[max(0, end - size)] for end, total in enumerate(sums)][1:]
    return tuple(orders)


def _quotient(product: tuple[int, ...], factor: tuple[int, ...]) -> tuple[int, ...]:
    """Return a polynomial divided by one of its factors, whose lowest coefficient is 1."""
    rest, quotient = list(product), []
    for place in range(len(product) - len(factor) + 1):
        quotient.append(rest[place])
        for more, count in enumerate(factor):
            rest[place + more] -= quotient[-1] * count
    return tuple(quotient)
