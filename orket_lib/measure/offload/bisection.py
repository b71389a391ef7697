"""Bisection over the number of layers on the GPU, without any server.

More layers are faster until the GPU's memory is full, so the numbers from 0 up are, in this order:
too few, enough, too many; each kind may be empty. The first number that is not too few decides. It
takes at most log2(n) + 2 loads for n layers, all of which are tried first: where a model fits as a
whole and is wanted as fast as may be, that is the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Verdict(StrEnum):
    """What a load shows about its number of layers."""

    MORE = "more"  # it runs, and more layers are better
    NO_MAIN_MEMORY = "no_main_memory"  # it doesn't: the rest of the model doesn't fit beside
    ENOUGH = "enough"  # it runs, and is fast enough
    TOO_MANY = "too_many"  # the GPU's memory is full


def bisect_layers(least: int, most: int, look: Callable[[int], Verdict]) -> int | None:
    """Return the fewest layers that are enough, else the most that run; None if none does.

    Args:
        least, most: The numbers of layers that may be tried, both included.
        look: Loads the model with so many layers; called at most once for each number.
    """
    below, above = least - 1, most + 1  # everything up to `below` is too few, from `above` on not
    runs: int | None = None
    enough: int | None = None
    at = most
    while above - below > 1:
        verdict = look(at)
        if verdict in (Verdict.MORE, Verdict.NO_MAIN_MEMORY):
            below = at
            runs = at if verdict is Verdict.MORE else runs
        else:
            above = at
            enough = at if verdict is Verdict.ENOUGH else enough
        at = (below + above) // 2
    return runs if enough is None else enough
