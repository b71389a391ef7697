"""Kendall's rank test for a rise, exact for short series and with ties.

The distribution is computed once per length and cached. The exact test of scipy has no support for
ties and is too slow for simulations of many thousand series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import accumulate


def chance_of_order(values: Sequence[float]) -> float:
    """Return the one-sided p-value of Kendall's test for a rise, exact also with ties."""
    reversed_pairs = sum(
        after < before for place, before in enumerate(values) for after in values[place + 1 :]
    )
    return shares_of_orders(tuple(sorted(Counter(values).values())))[reversed_pairs]


@cache
def shares_of_orders(alike: tuple[int, ...]) -> tuple[float, ...]:
    """Return, by number of pairs, the share of all orders with at most so many reversed pairs.

    Args:
        alike: How often each value occurs; all 1 without ties.
    """
    # The generating function of reversed pairs is the product of (1 + q + ... + q^(n-1)); groups of
    # ties divide it by their own product.
    orders = _orders(sum(alike))
    for count in alike:
        orders = _quotient(orders, _orders(count))
    whole = sum(orders)
    return tuple(total / whole for total in accumulate(orders))


@cache
def _orders(length: int) -> tuple[int, ...]:
    """Return the number of orders of distinct values, by the number of reversed pairs."""
    orders = [1]
    for size in range(2, length + 1):
        # The next value precedes 0 to size - 1 of the others: a moving sum.
        sums = [0, *accumulate(orders), *[sum(orders)] * (size - 1)]
        orders = [total - sums[max(0, end - size)] for end, total in enumerate(sums)][1:]
    return tuple(orders)


def _quotient(product: tuple[int, ...], factor: tuple[int, ...]) -> tuple[int, ...]:
    """Divide a polynomial by one of its factors, whose lowest coefficient is 1."""
    rest, quotient = list(product), []
    for place in range(len(product) - len(factor) + 1):
        quotient.append(rest[place])
        for more, count in enumerate(factor):
            rest[place + more] -= quotient[-1] * count
    return tuple(quotient)
