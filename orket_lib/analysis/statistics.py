"""The statistics of comparisons, by scipy."""

from __future__ import annotations

from collections.abc import Sequence


def mcnemar_exact(one_way: int, other_way: int) -> float:
    """Return the two-sided p-value of the exact McNemar test.

    Args:
        one_way: Pairs that changed in one direction (correct to wrong).
        other_way: Pairs that changed in the other.

    Under the null hypothesis each changed pair is a fair coin; no changed pair gives 1.0.
    """
    from scipy.stats import binomtest

    changed = one_way + other_way
    if not changed:
        return 1.0
    return float(binomtest(min(one_way, other_way), changed, 0.5).pvalue)


def rank_sum_exact(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the two-sided p-value of the rank-sum test (Mann and Whitney).

    Exact, unless values tie.

    Args:
        one: Some values, in any order.
        other: Some more, not paired with them.
    """
    from scipy.stats import mannwhitneyu

    tied = len({*one, *other}) < len(one) + len(other)
    return float(mannwhitneyu(one, other, method="asymptotic" if tied else "exact").pvalue)
