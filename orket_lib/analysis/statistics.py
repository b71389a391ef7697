"""The statistics of paired comparisons, by scipy."""

from __future__ import annotations


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
