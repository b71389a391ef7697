"""VRAM profiles: the share of the free memory that a model may take."""

from __future__ import annotations

from orket_lib.vocabulary.statuses import VramProfile

# From careful to risky. The rest is left for programs that start during a sweep, and for errors of
# the estimate.
FREE_SHARE = {VramProfile.SAFE: 0.5, VramProfile.BALANCED: 0.8, VramProfile.STRESS: 0.95}


def least_profile(need_mib: float, free_mib: float) -> VramProfile | None:
    """Return the most careful profile that allows a need; None if no profile does."""
    fits = (name for name, share in FREE_SHARE.items() if need_mib <= share * free_mib)
    return next(fits, None)
