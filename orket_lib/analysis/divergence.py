"""Hardware sidecar against task runs: where their rates differ by more than noise explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orket_lib.artifacts.row import RowMetrics
from orket_lib.vocabulary.compare import exceeds
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.thresholds import SIDECAR_DIVERGENCE

# Fields of the sidecar, and what the row calls the same rate.
_PAIRS = (
    ("prefill_tps", "prompt_tokens_per_second"),
    ("decode_tps", "generation_tokens_per_second"),
)


@dataclass(frozen=True)
class RatePair:
    """One rate, as the sidecar and as the task runs' probes have it.

    Attributes:
        difference: (sidecar - row) / row.
        diverges: Whether that is more than `SIDECAR_DIVERGENCE` either way.
    """

    field: str
    sidecar: float
    row: float
    difference: float
    diverges: bool


def rate_pairs(row: RowMetrics) -> tuple[RatePair, ...]:
    """Return the rates that both sides have; nothing for a row without a sidecar."""
    return tuple(_pairs(row))


def _pairs(row: RowMetrics) -> Iterator[RatePair]:
    if row.sidecar is None:
        return
    for field, name in _PAIRS:
        probed, measured = row.sidecar.reading(field), row.reading(name)
        if not (isinstance(probed, Null) or isinstance(measured, Null)) and measured > 0:
            difference = (probed - measured) / measured
            diverges = exceeds(abs(difference), SIDECAR_DIVERGENCE)
            yield RatePair(field, probed, measured, difference, diverges)
