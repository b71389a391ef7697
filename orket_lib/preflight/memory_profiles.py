"""How much of the memory that is free a sweep may use, by VRAM profile."""

from __future__ import annotations

from orket_lib.vocabulary.statuses import VramProfile

# In the order of daring. What is free is asked of the system when it counts, so a share of it
# leaves room for what starts beside a sweep, and for what an estimate doesn't know.
FREE_SHARE = {VramProfile.SAFE: 0.5, VramProfile.BALANCED: 0.8, VramProfile.STRESS: 0.95}


def least_profile(need_mib: float, free_mib: float) -> VramProfile | None:
    """Return the most careful profile under which a need fits, or None when it fits under none."""
    fits = (name for name, share in FREE_SHARE.items() if need_mib <= share * free_mib)
    return next(fits, None)
